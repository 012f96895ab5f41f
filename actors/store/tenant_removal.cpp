// A tenant goes, with everything that is its own; of its devices the revisions stay, as when one
// of them is deleted.
#include "actors/store/connections.hpp"
#include "actors/store/pg_store.hpp"
#include "actors/store/records.hpp"

namespace outband::store {

namespace {

// The tenant's row is locked first: whoever adds something to it meanwhile waits and then fails.
// What was added between the look and the lock makes this statement fail instead, as a violation
// of a foreign key, and nothing is removed. Children are deleted here and not by cascades, which
// run too late for the checks of the others. Topics are compared in the order of octets: '0' is
// what follows '/'.
const statement delete_sql{"delete_tenant", R"(
with here as materialized (
  select t.key from tenant t where t.key = $1::text for update
),
go as materialized (
  select h.key from here h
  where $2::boolean or not exists (select from device d where d.tenant = $1::text)
),
removed as (
  delete from device d using go where d.tenant = go.key
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
),
no_wifi as (delete from profile_wifi w using go where w.tenant = go.key),
no_proxies as (delete from profile_proxy w using go where w.tenant = go.key),
no_profiles as (delete from profile o using go where o.tenant = go.key),
no_cira as (delete from cira_config o using go where o.tenant = go.key),
no_wireless as (delete from wireless_config o using go where o.tenant = go.key),
no_ieee8021x as (delete from ieee8021x_config o using go where o.tenant = go.key),
no_proxy as (delete from proxy_config o using go where o.tenant = go.key),
no_domains as (delete from domain o using go where o.tenant = go.key),
no_secrets as (delete from object_secret o using go where o.tenant = go.key),
no_tokens as (delete from activation_token o using go where o.tenant = go.key),
no_roles as (delete from account_role r using go where r.tenant = go.key),
gone_tenant as (delete from tenant t using go where t.key = go.key returning t.key),
withdrawn as (
  delete from retained r using go
  where (r.topic > 'oob/v1/' || go.key || '/' and r.topic < 'oob/v1/' || go.key || '0')
    or (r.topic > 'oobx/v1/' || go.key || '/' and r.topic < 'oobx/v1/' || go.key || '0')
  returning r.topic
),
silenced as (
  insert into outbox (topic, payload, content_type, retain, expiry_s, created)
  select w.topic, '', '', true, null, now_ms() from withdrawn w order by w.topic
),)" + publish_ctes("gone_tenant", 3) + R"(
select (select count(*) from gone_tenant), (select count(*) from here),
  (select count(*) from published), pg_notify('outband_outbox', $8::text))"};

failure has_devices() {
  return fail(problem::transition_refused,
              "the tenant still has devices: remove them first, or force it");
}

} // namespace

void pg_store::delete_tenant(tenant_key key, bool forced, std::vector<bus::outgoing> publish,
                             answer<nothing> cb) {
  auto ok = check_tenant(key);
  if (ok)
    ok = check_messages(publish);
  if (!ok)
    return db_.post([cb = std::move(cb), why = ok.error()] { cb(why); });
  params p;
  p.text(key).flag(forced);
  add_messages(p, publish, db_.token());
  db_.submit(lane::durable, delete_sql, std::move(p), true,
             [&db = db_, key, cb = std::move(cb)](reply r) {
               db.wake();
               if (auto* e = std::get_if<reply_error>(&r)) {
                 if (e->sqlstate == "23503")
                   return cb(fail(problem::transition_refused,
                                  "something was being added to the tenant at this moment"));
                 return cb(e->what);
               }
               const auto& got = std::get<std::vector<rows>>(r)[0];
               if (got.number(0, 1) == 0)
                 return cb(fail(problem::not_found, "there is no tenant '" + key + "'", "key"));
               if (got.number(0, 0) == 0)
                 return cb(has_devices());
               cb(nothing{});
             });
}

} // namespace outband::store
