#include "actors/store/pg_outbox.hpp"

#include "actors/store/connections.hpp"
#include "actors/store/records.hpp"

namespace outband::store {

namespace {

// A site's own rows: topics of all tenants, read by the publisher alone.
const statement fetch_sql{"outbox_fetch", R"(
select id, topic, payload, content_type, retain, expiry_s from outbox order by id limit $1::bigint)"};
const statement remove_sql{"outbox_remove", "delete from outbox where id = any ($1::bigint[])"};
const statement retained_sql{"outbox_retained", R"(
select topic, payload, content_type from retained
where topic > $1::text and updated_at >= $2::bigint order by topic limit $3::bigint)"};
const statement backlog_sql{"outbox_backlog", R"(
select (select count(*) from (select 1 from outbox limit 100000) as first),
       coalesce((select greatest(now_ms() - created, 0) from outbox order by id limit 1), 0))"};

std::int64_t bounded(std::size_t limit) {
  return static_cast<std::int64_t>(limit < max_page ? limit : max_page);
}

} // namespace

pg_outbox::pg_outbox(database& db) : db_(db.inside()) {}

void pg_outbox::fetch(std::size_t limit,
                      std::function<void(result<std::vector<bus::outbox_row>>)> cb) {
  params p;
  p.number(bounded(limit));
  db_.submit(lane::relaxed, fetch_sql, std::move(p), false,
             answer_with<std::vector<bus::outbox_row>>(std::move(cb), [](std::vector<rows>& r) {
               std::vector<bus::outbox_row> out;
               for (int i = 0; i < r[0].size(); ++i) {
                 bus::outbox_row row;
                 row.id = r[0].count(i, 0);
                 row.message.topic = r[0].text(i, 1);
                 row.message.payload = r[0].octets(i, 2);
                 row.message.content_type = r[0].text(i, 3);
                 row.message.retain = r[0].flag(i, 4);
                 if (!r[0].is_null(i, 5))
                   row.message.expiry = std::chrono::seconds(r[0].number(i, 5));
                 out.push_back(std::move(row));
               }
               return out;
             }));
}

void pg_outbox::remove(std::vector<std::uint64_t> ids, std::function<void(status)> cb) {
  if (ids.size() > max_bulk)
    return db_.post([cb = std::move(cb)] {
      cb(fail(problem::too_large, "at most 10,000 rows per call", "ids"));
    });
  std::vector<std::int64_t> numbers(ids.begin(), ids.end());
  params p;
  p.numbers(numbers);
  // Relaxed: a removal that a crash undoes is only published once more.
  db_.submit(lane::relaxed, remove_sql, std::move(p), true,
             answer_with<nothing>(std::move(cb), [](std::vector<rows>&) { return nothing{}; }));
}

void pg_outbox::on_added(std::function<void()> wake) {
  db_.on_added(std::move(wake));
}

void pg_outbox::retained(std::int64_t since_ms, std::string after, std::size_t limit,
                         std::function<void(result<std::vector<bus::outgoing>>)> cb) {
  params p;
  p.text(std::move(after)).number(since_ms).number(bounded(limit));
  db_.submit(
      lane::relaxed, retained_sql, std::move(p), false,
      answer_with<std::vector<bus::outgoing>>(std::move(cb), [](std::vector<rows>& r) {
        std::vector<bus::outgoing> out;
        out.reserve(static_cast<std::size_t>(r[0].size()));
        for (int i = 0; i < r[0].size(); ++i)
          out.push_back({r[0].text(i, 0), r[0].octets(i, 1), r[0].text(i, 2), true, std::nullopt});
        return out;
      }));
}

void pg_outbox::backlog(std::function<void(result<outbox_backlog>)> cb) {
  db_.submit(lane::asked, backlog_sql, {}, false,
             answer_with<outbox_backlog>(std::move(cb), [](std::vector<rows>& r) {
               return outbox_backlog{r[0].count(0, 0), r[0].number(0, 1)};
             }));
}

} // namespace outband::store
