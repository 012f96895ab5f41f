#include "actors/store/pg_secret_rows.hpp"

#include "actors/store/batcher.hpp"
#include "actors/store/connections.hpp"
#include "actors/store/records.hpp"

#include <atomic>
#include <optional>
#include <tuple>

namespace outband::store {

namespace {

// One row even if nothing is stored, as long as the device is the tenant's.
const statement read_sql{"secrets_read", R"(
select r.ord, s.slot, s.version, s.key_id, s.sealed
from unnest($1::text[], $2::uuid[], $3::text[]) with ordinality as r (tenant, guid, name, ord)
join device d on d.tenant = r.tenant and d.guid = r.guid
left join secret s on s.tenant = d.tenant and s.guid = d.guid and s.name = r.name)"};
const statement write_sql{"secret_write", R"(
insert into secret (tenant, guid, name, slot, version, key_id, sealed, created)
select d.tenant, d.guid, $3::text, $4::text, $5::bigint, $6::text, $7::bytea, now_ms()
from device d where d.tenant = $1::text and d.guid = $2::uuid
on conflict (tenant, guid, name, slot) do update set version = excluded.version,
  key_id = excluded.key_id, sealed = excluded.sealed, created = excluded.created
returning 1)"};
const statement promote_sql{"secret_promote", R"(
with taken as (
  delete from secret
  where tenant = $1::text and guid = $2::uuid and name = $3::text and slot = 'pending'
  returning *
)
insert into secret (tenant, guid, name, slot, version, key_id, sealed, created)
select tenant, guid, name, 'active', version, key_id, sealed, created from taken
on conflict (tenant, guid, name, slot) do update set version = excluded.version,
  key_id = excluded.key_id, sealed = excluded.sealed, created = excluded.created
returning 1)"};
const statement discard_sql{"secret_discard", R"(
with gone as (
  delete from secret
  where tenant = $1::text and guid = $2::uuid and name = $3::text and slot = 'pending'
)
select count(*) from device where tenant = $1::text and guid = $2::uuid)"};

params key_of(const device_ref& ref, secret_name name) {
  params p;
  p.device(ref).text(std::string(to_string(name)));
  return p;
}

constexpr std::size_t max_batch = 500;

using sealed_rows = std::vector<secrets::sealed_row>;

struct read_item {
  std::tuple<tenant_key, device_id, secret_name> key;
  answer<sealed_rows> cb;
};

} // namespace

struct pg_secret_rows::reads : std::enable_shared_from_this<reads> {
  explicit reads(connections& to) : db(to) {}
  void pump();

  connections& db;
  std::atomic<std::size_t> queued{0};
  batcher<read_item> waiting{max_batch};
};

pg_secret_rows::pg_secret_rows(database& db)
    : db_(db.inside()), reads_(std::make_shared<reads>(db.inside())) {}
pg_secret_rows::~pg_secret_rows() = default;

void pg_secret_rows::read(device_ref ref, secret_name name, answer<sealed_rows> cb) {
  // In a shared statement one bad text would fail all.
  if (auto ok = check_tenant(ref.tenant); !ok)
    return db_.post([cb = std::move(cb), why = ok.error()] { cb(why); });
  if (reads_->queued.fetch_add(1) >= max_bulk) {
    --reads_->queued;
    return db_.post(
        [cb = std::move(cb)] { cb(fail(problem::busy, "too many secrets are being read")); });
  }
  db_.post([r = reads_, ref = std::move(ref), name, cb = std::move(cb)]() mutable {
    r->waiting.add({{std::move(ref.tenant), ref.device, name}, std::move(cb)});
    r->pump();
  });
}

void pg_secret_rows::reads::pump() {
  auto batch = waiting.take();
  if (batch.empty())
    return;
  std::vector<std::string> tenants, names;
  std::vector<uuid> guids;
  for (const auto& item : batch) {
    tenants.push_back(std::get<0>(item.key));
    guids.push_back(std::get<1>(item.key));
    names.emplace_back(to_string(std::get<2>(item.key)));
  }
  params p;
  p.texts(tenants).ids(guids).texts(names);
  db.submit(lane::relaxed, read_sql, std::move(p), false,
            [me = shared_from_this(), batch = std::move(batch)](reply r) {
              me->queued -= batch.size();
              me->waiting.done();
              me->pump();
              if (auto* e = std::get_if<reply_error>(&r)) {
                for (const auto& item : batch)
                  item.cb(e->what);
                return;
              }
              const auto& found = std::get<std::vector<rows>>(r)[0];
              std::vector<std::optional<sealed_rows>> of(batch.size());
              for (int i = 0; i < found.size(); ++i) {
                auto& mine = of.at(static_cast<std::size_t>(found.number(i, 0) - 1));
                if (!mine)
                  mine.emplace();
                if (found.is_null(i, 1))
                  continue;
                mine->push_back(
                    {found.view(i, 1) == "active" ? secrets::slot::active : secrets::slot::pending,
                     found.count(i, 2), found.text(i, 3), found.octets(i, 4)});
              }
              for (std::size_t i = 0; i < batch.size(); ++i) {
                if (of[i])
                  batch[i].cb(std::move(*of[i]));
                else
                  batch[i].cb(no_device({std::get<0>(batch[i].key), std::get<1>(batch[i].key)}));
              }
            });
}

void pg_secret_rows::write(device_ref ref, secret_name name, secrets::sealed_row row,
                           answer<nothing> cb) {
  auto p = key_of(ref, name);
  p.text(std::string(row.where == secrets::slot::active ? "active" : "pending"));
  p.number(row.version).text(std::move(row.key_id)).octets(std::move(row.sealed));
  db_.submit(lane::durable, write_sql, std::move(p), true,
             answer_with<nothing>(std::move(cb), [ref](std::vector<rows>& r) -> result<nothing> {
               if (r[0].size() == 0)
                 return no_device(ref);
               return nothing{};
             }));
}

void pg_secret_rows::promote(device_ref ref, secret_name name, answer<nothing> cb) {
  db_.submit(
      lane::durable, promote_sql, key_of(ref, name), true,
      answer_with<nothing>(std::move(cb), [ref, name](std::vector<rows>& r) -> result<nothing> {
        if (r[0].size() == 0)
          return fail(problem::not_found,
                      "no " + std::string(to_string(name)) + " is pending for " + to_string(ref));
        return nothing{};
      }));
}

void pg_secret_rows::discard_pending(device_ref ref, secret_name name, answer<nothing> cb) {
  db_.submit(lane::durable, discard_sql, key_of(ref, name), true,
             answer_with<nothing>(std::move(cb), [ref](std::vector<rows>& r) -> result<nothing> {
               if (r[0].number(0, 0) == 0)
                 return no_device(ref);
               return nothing{};
             }));
}

} // namespace outband::store
