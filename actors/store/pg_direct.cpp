#include "actors/store/pg_direct.hpp"

#include "actors/store/connections.hpp"
#include "actors/store/records.hpp"

namespace outband::store {

namespace {

constexpr std::size_t max_host = 254, pin_length = 64;

// Whoever holds row `c` is not alive (or nobody does): $1 is our name, $2 our life, `silent` the
// parameter that says after how long without a beat a terminator is dead. Our own former life is.
std::string is_free(int silent) {
  return R"((c.holder = '' or (c.holder = $1::text and c.incarnation is distinct from $2::uuid)
    or not exists (select from instance i
      where i.name = c.holder and i.incarnation = c.incarnation and not i.buried
        and i.seen_at > now_ms() - $)" +
         std::to_string(silent) + "::bigint))";
}

const statement set_sql{"set_direct", R"(
insert into direct as c (tenant, guid, host, port, tls, legacy_tls, pins)
select d.tenant, d.guid, $3::text, $4::integer, $5::boolean, $6::boolean, $7::text[]
from device d where d.tenant = $1::text and d.guid = $2::uuid
on conflict (tenant, guid) do update set
  host = excluded.host, port = excluded.port, tls = excluded.tls,
  legacy_tls = excluded.legacy_tls, pins = excluded.pins
returning 1)"};

const statement unset_sql{"unset_direct", R"(
with gone as (
  delete from direct where tenant = $1::text and guid = $2::uuid returning 1
)
select (select count(*) from gone) from device d where d.tenant = $1::text and d.guid = $2::uuid)"};

// Skipping what another terminator is taking at this moment: it is not ours to wait for.
const statement claim_sql{"claim_direct", R"(
with found as materialized (
  select c.tenant, c.guid from direct c
  where )" + is_free(3) + R"(
  order by c.tenant, c.guid limit $4::bigint for update of c skip locked
)
update direct c set holder = $1::text, incarnation = $2::uuid
from found where c.tenant = found.tenant and c.guid = found.guid
returning c.tenant, c.guid)"};

// A row that is ours already is not written again. The second select sees the state before the
// update, in which a row that was taken was not ours: never both.
const statement hold_sql{"hold_direct", R"(
with taken as (
  update direct c set holder = $1::text, incarnation = $2::uuid
  where c.tenant = $3::text and c.guid = $4::uuid and )" +
                                            is_free(5) + R"(
  returning c.tenant, c.guid, c.host, c.port, c.tls, c.legacy_tls, c.pins
),
ours as (
  select tenant, guid, host, port, tls, legacy_tls, pins from taken
  union all
  select c.tenant, c.guid, c.host, c.port, c.tls, c.legacy_tls, c.pins from direct c
  where c.tenant = $3::text and c.guid = $4::uuid
    and c.holder = $1::text and c.incarnation = $2::uuid
)
select c.guid is not null, o.guid is not null, o.host, o.port, o.tls, o.legacy_tls, o.pins,
  case when d.amt_username = '' then 'admin' else d.amt_username end
from device d
left join direct c on c.tenant = d.tenant and c.guid = d.guid
left join ours o on o.tenant = d.tenant and o.guid = d.guid
where d.tenant = $3::text and d.guid = $4::uuid)"};

const statement pin_sql{"pin_direct", R"(
update direct set pins = array[$3::text]
where tenant = $1::text and guid = $2::uuid and tls and pins = '{}'
returning 1)"};

status check(const direct_connection& c) {
  if (c.host.empty())
    return fail(problem::malformed, "must not be empty", "host");
  if (auto ok = check_text(c.host, "host", max_host); !ok)
    return ok;
  if (c.port == 0)
    return fail(problem::malformed, "must not be 0", "port");
  if (c.pins.size() > direct_connection::max_pins)
    return fail(problem::too_large, "there may be at most 4", "pins");
  for (const auto& p : c.pins)
    if (p.size() != pin_length)
      return fail(problem::malformed, "must be 64 hexadecimal digits", "pins");
  return success();
}

params of(const instance_ref& who) {
  params p;
  p.text(who.instance).id(who.incarnation);
  return p;
}

} // namespace

void pg_direct::set(device_ref ref, std::optional<direct_connection> how, answer<nothing> cb) {
  auto ok = check_tenant(ref.tenant);
  if (ok && how)
    ok = check(*how);
  if (!ok)
    return db_.post([cb = std::move(cb), why = ok.error()] { cb(why); });
  params p;
  p.device(ref);
  if (how)
    p.text(how->host)
        .number(std::int64_t{how->port})
        .flag(how->tls)
        .flag(how->legacy_tls)
        .texts(how->pins);
  db_.submit(lane::durable, how ? set_sql : unset_sql, std::move(p), true,
             answer_with<nothing>(std::move(cb), [ref](std::vector<rows>& r) -> result<nothing> {
               if (r[0].size() == 0)
                 return no_device(ref);
               return nothing{};
             }));
}

void pg_direct::claim(instance_ref self, std::chrono::milliseconds silent_after, std::size_t limit,
                      answer<std::vector<device_ref>> cb) {
  if (limit > max_page)
    return db_.post([cb = std::move(cb)] {
      cb(fail(problem::too_large, "at most 10,000 rows per page", "limit"));
    });
  auto p = of(self);
  p.number(std::int64_t{silent_after.count()}).number(static_cast<std::int64_t>(limit));
  db_.submit(lane::relaxed, claim_sql, std::move(p), true,
             answer_with<std::vector<device_ref>>(
                 std::move(cb), [](std::vector<rows>& r) { return read_refs(r[0]); }));
}

void pg_direct::hold(instance_ref self, device_ref ref, std::chrono::milliseconds silent_after,
                     answer<direct_row> cb) {
  if (auto ok = check_tenant(ref.tenant); !ok)
    return db_.post([cb = std::move(cb), why = ok.error()] { cb(why); });
  auto p = of(self);
  p.device(ref).number(std::int64_t{silent_after.count()});
  db_.submit(
      lane::relaxed, hold_sql, std::move(p), true,
      answer_with<direct_row>(std::move(cb), [ref](std::vector<rows>& r) -> result<direct_row> {
        if (r[0].size() == 0)
          return no_device(ref);
        if (!r[0].flag(0, 0))
          return fail(problem::not_found, "the device is not connected to directly");
        if (!r[0].flag(0, 1))
          return fail(problem::cancelled, "another terminator holds the device");
        direct_row out;
        out.how = {r[0].text(0, 2), static_cast<std::uint16_t>(r[0].number(0, 3)), r[0].flag(0, 4),
                   r[0].flag(0, 5), r[0].texts(0, 6)};
        out.amt_username = r[0].text(0, 7);
        return out;
      }));
}

void pg_direct::pin(device_ref ref, std::string sha256, answer<bool> cb) {
  auto ok = check_tenant(ref.tenant);
  if (ok && sha256.size() != pin_length)
    ok = fail(problem::malformed, "must be 64 hexadecimal digits", "pin");
  if (!ok)
    return db_.post([cb = std::move(cb), why = ok.error()] { cb(why); });
  params p;
  p.device(ref).text(std::move(sha256));
  db_.submit(
      lane::durable, pin_sql, std::move(p), true,
      answer_with<bool>(std::move(cb), [](std::vector<rows>& r) { return r[0].size() != 0; }));
}

} // namespace outband::store
