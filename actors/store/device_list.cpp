// Lists of registrations: filters, counts, tags.
#include "actors/store/connections.hpp"
#include "actors/store/pg_store.hpp"
#include "actors/store/records.hpp"

#include <array>

namespace outband::store {

namespace {

// Which conditions a list has decides its plan, so each combination is a statement of its own
// instead of one full of "or $n is null". Parameters keep their numbers in all of them.
struct list_shape {
  bool hostname = false, friendly_name = false;
  int tags = 0;      ///< 0 no, 1 any of them, 2 all of them
  int connected = 0; ///< 0 no, 1 connected, 2 not connected
  std::size_t index() const {
    auto i = hostname + 2 * friendly_name + 4 * tags + 12 * connected;
    return static_cast<std::size_t>(i);
  }
};
constexpr std::size_t shapes = 36;

statement list_statement(const list_shape& s) {
  std::string where = "where d.tenant = $1::text";
  // A parameter that no condition mentions must still have a type.
  std::string unused = "select $2::text, $3::text, $4::text[]";
  if (s.hostname)
    where += " and d.hostname = $2::text";
  if (s.friendly_name)
    where += " and d.friendly_name = $3::text";
  if (s.tags != 0)
    where += s.tags == 1 ? " and d.tags && $4::text[]" : " and d.tags @> $4::text[]";
  if (s.connected != 0)
    where += s.connected == 1 ? " and l.state = 'up'" : " and l.state <> 'up'";
  const std::string join = " join link l on l.tenant = d.tenant and l.guid = d.guid ";
  auto from = " from device d" + join + where;
  auto counted = " from device d " + (s.connected != 0 ? join : "") + where;
  // One row at least, so that the total is known when the page is empty. The total comes last.
  return {"list_devices_" + std::to_string(s.index()),
          "with typed as (" + unused + "), total as (select count(*) as n" + counted +
              ") select page.*, total.n from total left join (select " + record_columns +
              ", true as present" + from +
              " order by d.guid limit $5::bigint offset $6::bigint) as page" +
              " (tenant, guid, hostname, friendly_name, dns_suffix, tags, mps_username,"
              " amt_username, device_info, created, up, instance, last_connected,"
              " last_disconnected, last_seen, direct, present) on true order by page.guid"};
}

const statement& list_sql(const list_shape& wanted) {
  static const auto all = [] {
    std::array<statement, shapes> out;
    for (bool hostname : {false, true})
      for (bool friendly : {false, true})
        for (int tags : {0, 1, 2})
          for (int connected : {0, 1, 2}) {
            list_shape s{hostname, friendly, tags, connected};
            out[s.index()] = list_statement(s);
          }
    return out;
  }();
  return all[wanted.index()];
}

const statement stats_sql{"device_stats", R"(
select (select count(*) from device where tenant = $1::text),
       (select count(*) from link where tenant = $1::text and state = 'up'))"};
const statement tags_sql{"device_tags", R"(
select distinct t.tag collate "C" as tag from device d, unnest(d.tags) as t (tag)
where d.tenant = $1::text order by 1 limit 10000)"};

} // namespace

void pg_store::list_devices(device_filter filter, answer<device_page> cb) {
  status ok = success();
  if (filter.top > max_page)
    ok = fail(problem::too_large, "at most 10,000 rows per page", "top");
  if (ok && filter.skip > 1'000'000'000)
    ok = fail(problem::too_large, "more rows than any tenant has", "skip");
  if (ok)
    ok = check_tags(filter.tags);
  if (!ok)
    return db_.post([cb = std::move(cb), why = ok.error()] { cb(why); });
  list_shape shape;
  shape.hostname = filter.hostname.has_value();
  shape.friendly_name = filter.friendly_name.has_value();
  if (!filter.tags.empty())
    shape.tags = filter.all_tags ? 2 : 1;
  if (filter.connected)
    shape.connected = *filter.connected ? 1 : 2;
  params p;
  p.text(filter.tenant).text(filter.hostname).text(filter.friendly_name).texts(filter.tags);
  p.number(static_cast<std::int64_t>(filter.top)).number(static_cast<std::int64_t>(filter.skip));
  db_.submit(lane::asked, list_sql(shape), std::move(p), false,
             answer_with<device_page>(std::move(cb), [](std::vector<rows>& r) {
               device_page page;
               page.total = static_cast<std::size_t>(r[0].number(0, record_column_count + 1));
               for (int i = 0; i < r[0].size(); ++i)
                 if (r[0].flag(i, record_column_count))
                   page.rows.push_back(read_record(r[0], i));
               return page;
             }));
}

void pg_store::device_stats_of(tenant_key tenant, answer<device_stats> cb) {
  params p;
  p.text(std::move(tenant));
  db_.submit(lane::asked, stats_sql, std::move(p), false,
             answer_with<device_stats>(std::move(cb), [](std::vector<rows>& r) {
               return device_stats{static_cast<std::size_t>(r[0].number(0, 0)),
                                   static_cast<std::size_t>(r[0].number(0, 1))};
             }));
}

void pg_store::device_tags_of(tenant_key tenant, answer<std::vector<std::string>> cb) {
  params p;
  p.text(std::move(tenant));
  db_.submit(lane::asked, tags_sql, std::move(p), false,
             answer_with<std::vector<std::string>>(std::move(cb), [](std::vector<rows>& r) {
               std::vector<std::string> out;
               out.reserve(static_cast<std::size_t>(r[0].size()));
               for (int i = 0; i < r[0].size(); ++i)
                 out.push_back(r[0].text(i, 0));
               return out;
             }));
}

} // namespace outband::store
