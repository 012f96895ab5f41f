#include "actors/store/pg_secret_rows.hpp"

#include "actors/store/connections.hpp"
#include "actors/store/records.hpp"

namespace outband::store {

namespace {

// One row even if nothing is stored, as long as the device is the tenant's.
const statement read_sql{"secret_read", R"(
select s.slot, s.version, s.key_id, s.sealed
from device d
left join secret s on s.tenant = d.tenant and s.guid = d.guid and s.name = $3::text
where d.tenant = $1::text and d.guid = $2::uuid)"};
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

} // namespace

pg_secret_rows::pg_secret_rows(database& db) : db_(db.inside()) {}

void pg_secret_rows::read(device_ref ref, secret_name name,
                          answer<std::vector<secrets::sealed_row>> cb) {
  using sealed_rows = std::vector<secrets::sealed_row>;
  db_.submit(
      lane::relaxed, read_sql, key_of(ref, name), false,
      answer_with<sealed_rows>(std::move(cb), [ref](std::vector<rows>& r) -> result<sealed_rows> {
        if (r[0].size() == 0)
          return no_device(ref);
        sealed_rows out;
        for (int i = 0; i < r[0].size(); ++i) {
          if (r[0].is_null(i, 0))
            continue;
          out.push_back(
              {r[0].view(i, 0) == "active" ? secrets::slot::active : secrets::slot::pending,
               r[0].count(i, 1), r[0].text(i, 2), r[0].octets(i, 3)});
        }
        return out;
      }));
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
