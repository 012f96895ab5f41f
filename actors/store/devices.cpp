// Registrations: creating in bulk, changing, deleting.
#include "actors/store/connections.hpp"
#include "actors/store/pg_store.hpp"
#include "actors/store/records.hpp"

#include <algorithm>
#include <unordered_map>

namespace outband::store {

namespace {

const std::string record_from =
    std::string(record_columns) +
    " from device d join link l on l.tenant = d.tenant and l.guid = d.guid ";

// A GUID of another tenant violates the constraint device_guid and undoes everything: the conflict
// clause covers the primary key only. Sorted, so that two of these never wait for each other. A
// tenant that is to go takes nothing, and its row is locked so that none becomes one meanwhile.
const statement upsert_sql{"upsert_devices", R"(
with req as materialized (
  select * from unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[],
                       $7::text[], $8::text[], $9::text[], $10::bigint[])
    as r (tenant, guid, hostname, friendly_name, dns_suffix, tags, mps_username, amt_username,
          device_info, created)
),
homes as materialized (
  select t.key, t.leaving from tenant t where t.key in (select r.tenant from req r)
  order by t.key for share
),
stored as (
  insert into device as d (tenant, guid, hostname, friendly_name, dns_suffix, tags, mps_username,
    amt_username, device_info, created, desired_rev, settled_rev, current_rev, event_seq)
  select r.tenant, r.guid, r.hostname, r.friendly_name, r.dns_suffix, r.tags::text[],
    r.mps_username, r.amt_username, r.device_info,
    case when r.created > 0 then r.created else now_ms() end,
    coalesce(p.desired_rev, 0), coalesce(p.desired_rev, 0), coalesce(p.current_rev, 0),
    coalesce(p.event_seq, '{}')
  from req r left join deleted_device p on p.tenant = r.tenant and p.guid = r.guid
  where not exists (select from homes h where h.leaving)
  order by r.guid
  on conflict (tenant, guid) do update set
    hostname = coalesce(nullif(excluded.hostname, ''), d.hostname),
    friendly_name = coalesce(excluded.friendly_name, d.friendly_name),
    dns_suffix = coalesce(excluded.dns_suffix, d.dns_suffix),
    tags = case when excluded.tags = '{}' then d.tags else excluded.tags end,
    mps_username = coalesce(nullif(excluded.mps_username, ''), d.mps_username),
    amt_username = coalesce(nullif(excluded.amt_username, ''), d.amt_username),
    device_info = coalesce(nullif(excluded.device_info, ''), d.device_info)
  returning tenant, guid, (xmax = 0) as created
),
linked as (
  insert into link (tenant, guid, epoch, told_epoch)
  select s.tenant, s.guid, coalesce(p.epoch, 0), coalesce(p.epoch, 0)
  from stored s left join deleted_device p on p.tenant = s.tenant and p.guid = s.guid
  where s.created
  on conflict do nothing
)
select guid, created from stored)"};

// The second statement of the same transaction, which sees what the first has done.
const statement read_back_sql{"read_back_devices", "select " + record_from + R"(
join unnest($1::text[], $2::uuid[]) with ordinality as r (tenant, guid, ord)
  on d.tenant = r.tenant and d.guid = r.guid
order by r.ord)"};

const statement upsert_blame_sql{"upsert_blame", R"(
select r.ord - 1, t.key is null, coalesce(t.leaving, false)
from unnest($1::text[], $2::uuid[]) with ordinality as r (tenant, guid, ord)
left join tenant t on t.key = r.tenant
left join device d on d.guid = r.guid and d.tenant <> r.tenant
where t.key is null or t.leaving or d.guid is not null
order by r.ord limit 1)"};

const statement update_sql{"update_device", R"(
update device d set
  hostname = coalesce($3::text, d.hostname),
  friendly_name = case when $4::boolean then $5::text else d.friendly_name end,
  dns_suffix = case when $6::boolean then $7::text else d.dns_suffix end,
  tags = coalesce($8::text[], d.tags),
  mps_username = coalesce($9::text, d.mps_username),
  amt_username = coalesce($10::text, d.amt_username),
  device_info = coalesce($11::text, d.device_info)
from link l
where d.tenant = $1::text and d.guid = $2::uuid and l.tenant = d.tenant and l.guid = d.guid
returning )" + std::string(record_columns)};

const statement get_sql{"get_device", "select " + record_from +
                                          "where d.tenant = $1::text and d.guid = $2::uuid"};

// The revisions kept are one ahead, for the tombstones that are published; so is the epoch, for one
// may have been taken since this statement began.
const statement delete_sql{"delete_device", R"(
with removed as (
  delete from device d where d.tenant = $1::text and d.guid = $2::uuid
  returning d.tenant, d.guid, d.desired_rev, d.current_rev, d.event_seq
),
past as (
  insert into deleted_device as p
    (tenant, guid, desired_rev, current_rev, epoch, event_seq, deleted_at)
  select r.tenant, r.guid, r.desired_rev + 1, r.current_rev + 1, coalesce(l.epoch, 0) + 1,
    r.event_seq, now_ms()
  from removed r left join link l on l.tenant = r.tenant and l.guid = r.guid
  on conflict (tenant, guid) do update set
    desired_rev = excluded.desired_rev, current_rev = excluded.current_rev,
    epoch = excluded.epoch, event_seq = excluded.event_seq, deleted_at = excluded.deleted_at
),)" + publish_ctes("removed", 3) + R"(
select (select count(*) from removed), (select count(*) from published))"};

status check_record(const device_record& r, const std::string& at) {
  auto named = [&](std::string_view field) {
    return at + std::string(field);
  };
  status ok = valid_tenant_key(r.ref.tenant)
                  ? success()
                  : status(fail(problem::not_found, "there is no such tenant", named("tenant")));
  if (ok && r.ref.device.is_nil())
    ok = fail(problem::malformed, "a GUID of zeros identifies nothing", named("guid"));
  if (ok)
    ok = check_text(r.hostname, named("hostname"));
  if (ok)
    ok = check_text(r.friendly_name.value_or(""), named("friendly_name"));
  if (ok)
    ok = check_text(r.dns_suffix.value_or(""), named("dns_suffix"));
  if (ok)
    ok = check_text(r.mps_username, named("mps_username"));
  if (ok)
    ok = check_text(r.amt_username, named("amt_username"));
  if (ok)
    ok = check_text(r.device_info, named("device_info"), max_device_info);
  if (ok) {
    ok = check_tags(r.tags);
    if (!ok)
      ok = fail(ok.error().what, ok.error().detail, named(ok.error().field));
  }
  return ok;
}

status check_records(const std::vector<device_record>& all) {
  if (all.size() > max_bulk)
    return fail(problem::too_large, "at most 10,000 devices per call");
  std::unordered_map<uuid, std::size_t> first_at;
  for (std::size_t i = 0; i < all.size(); ++i) {
    auto at = "[" + std::to_string(i) + "].";
    if (auto ok = check_record(all[i], at); !ok)
      return ok;
    auto [before, fresh] = first_at.emplace(all[i].ref.device, i);
    if (!fresh)
      return fail(problem::malformed,
                  "the same GUID as [" + std::to_string(before->second) + "].guid", at + "guid");
  }
  return success();
}

params keys_of(const std::vector<device_record>& all) {
  std::vector<std::string> tenants;
  std::vector<uuid> guids;
  for (const auto& r : all) {
    tenants.push_back(r.ref.tenant);
    guids.push_back(r.ref.device);
  }
  params p;
  p.texts(tenants).ids(guids);
  return p;
}

params all_of(const std::vector<device_record>& all) {
  std::vector<std::string> hostnames, tags, mps, amt, info;
  std::vector<std::optional<std::string>> friendly, dns;
  std::vector<std::int64_t> created;
  for (const auto& r : all) {
    hostnames.push_back(r.hostname);
    friendly.push_back(r.friendly_name);
    dns.push_back(r.dns_suffix);
    tags.push_back(array_literal({r.tags.begin(), r.tags.end()}));
    mps.push_back(r.mps_username);
    amt.push_back(r.amt_username);
    info.push_back(r.device_info);
    created.push_back(r.created);
  }
  auto p = keys_of(all);
  p.texts(hostnames).texts(friendly).texts(dns).texts(tags).texts(mps).texts(amt).texts(info);
  p.numbers(created);
  return p;
}

using upsert_answer = answer<std::vector<upserted>>;

result<std::vector<upserted>> read_upserted(const std::vector<rows>& r) {
  std::unordered_map<uuid, bool> created;
  for (int i = 0; i < r[0].size(); ++i)
    created[r[0].id(i, 0)] = r[0].flag(i, 1);
  std::vector<upserted> out;
  for (int i = 0; i < r[1].size(); ++i) {
    auto record = read_record(r[1], i);
    bool fresh = created[record.ref.device];
    out.push_back({std::move(record), fresh});
  }
  return out;
}

void upsert(connections& db, std::shared_ptr<const std::vector<device_record>> all, bool last_try,
            upsert_answer cb);

/// A key was violated: by which row? By none if the other writer was one of the same device in the
/// same tenant, just before us; then the next try merges.
void blame(connections& db, std::shared_ptr<const std::vector<device_record>> all, bool last_try,
           const failure& why, upsert_answer cb) {
  db.submit(lane::asked, upsert_blame_sql, keys_of(*all), false,
            [&db, all, last_try, why, cb = std::move(cb)](reply r) mutable {
              if (auto* e = std::get_if<reply_error>(&r))
                return cb(e->what);
              const auto& found = std::get<std::vector<rows>>(r)[0];
              if (found.size() == 0) {
                if (last_try)
                  return cb(why);
                return upsert(db, std::move(all), true, std::move(cb));
              }
              auto at = "[" + found.text(0, 0) + "].";
              if (found.flag(0, 1))
                return cb(fail(problem::not_found, "there is no such tenant", at + "tenant"));
              if (found.flag(0, 2))
                return cb(tenant_leaves(at + "tenant"));
              cb(fail(problem::already_exists, "this GUID is registered elsewhere", at + "guid"));
            });
}

void upsert(connections& db, std::shared_ptr<const std::vector<device_record>> all, bool last_try,
            upsert_answer cb) {
  db.submit(lane::durable, {{&upsert_sql, all_of(*all)}, {&read_back_sql, keys_of(*all)}}, true,
            [&db, all, last_try, cb = std::move(cb)](reply r) mutable {
              auto* e = std::get_if<reply_error>(&r);
              if (!e) {
                auto& got = std::get<std::vector<rows>>(r);
                if (got[0].size() == 0 && !all->empty())
                  return blame(db, std::move(all), last_try, tenant_leaves(), std::move(cb));
                return cb(read_upserted(got));
              }
              if (e->sqlstate == "23505" || e->sqlstate == "23503")
                return blame(db, std::move(all), last_try, e->what, std::move(cb));
              cb(e->what);
            });
}

} // namespace

void pg_store::upsert_devices(std::vector<device_record> all, answer<std::vector<upserted>> cb) {
  if (auto ok = check_records(all); !ok)
    return db_.post([cb = std::move(cb), why = ok.error()] { cb(why); });
  upsert(db_, std::make_shared<const std::vector<device_record>>(std::move(all)), false,
         std::move(cb));
}

void pg_store::update_device(device_change change, answer<device_record> cb) {
  device_record bounds;
  bounds.ref = change.ref;
  bounds.hostname = change.hostname.value_or("");
  bounds.friendly_name = change.friendly_name.value_or(std::nullopt);
  bounds.dns_suffix = change.dns_suffix.value_or(std::nullopt);
  bounds.tags = change.tags.value_or(std::vector<std::string>{});
  bounds.mps_username = change.mps_username.value_or("");
  bounds.amt_username = change.amt_username.value_or("");
  bounds.device_info = change.device_info.value_or("");
  auto ok = check_tenant(change.ref.tenant);
  if (ok && !change.ref.device.is_nil())
    ok = check_record(bounds, "");
  if (!ok)
    return db_.post([cb = std::move(cb), why = ok.error()] { cb(why); });
  params p;
  p.device(change.ref).text(change.hostname);
  p.flag(change.friendly_name.has_value()).text(change.friendly_name.value_or(std::nullopt));
  p.flag(change.dns_suffix.has_value()).text(change.dns_suffix.value_or(std::nullopt));
  if (change.tags)
    p.texts(*change.tags);
  else
    p.null();
  p.text(change.mps_username).text(change.amt_username).text(change.device_info);
  db_.submit(lane::durable, update_sql, std::move(p), true,
             answer_with<device_record>(
                 std::move(cb), [ref = change.ref](std::vector<rows>& r) -> result<device_record> {
                   if (r[0].size() == 0)
                     return no_device(ref);
                   return read_record(r[0], 0);
                 }));
}

void pg_store::get_device(device_ref ref, answer<device_record> cb) {
  params p;
  p.device(ref);
  db_.submit(lane::asked, get_sql, std::move(p), false,
             answer_with<device_record>(std::move(cb),
                                        [ref](std::vector<rows>& r) -> result<device_record> {
                                          if (r[0].size() == 0)
                                            return no_device(ref);
                                          return read_record(r[0], 0);
                                        }));
}

void pg_store::delete_device(device_ref ref, std::vector<bus::outgoing> publish,
                             answer<nothing> cb) {
  if (auto ok = check_messages(publish); !ok)
    return db_.post([cb = std::move(cb), why = ok.error()] { cb(why); });
  params p;
  p.device(ref);
  add_messages(p, publish, db_.token());
  db_.submit(lane::durable, delete_sql, std::move(p), true,
             [&db = db_, ref, cb = std::move(cb)](reply r) {
               db.wake();
               if (auto* e = std::get_if<reply_error>(&r))
                 return cb(e->what);
               if (std::get<std::vector<rows>>(r)[0].number(0, 0) == 0)
                 return cb(no_device(ref));
               cb(nothing{});
             });
}

} // namespace outband::store
