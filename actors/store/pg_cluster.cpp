#include "actors/store/pg_cluster.hpp"

#include "actors/store/connections.hpp"
#include "actors/store/records.hpp"

#include <map>
#include <mutex>

namespace outband::store {

namespace {

// Links of instance $1 for which `which` holds become unknown, after `gate` has had its locks.
std::string lose_links(const std::string& which, const std::string& gate) {
  return R"(
found as materialized (
  select l.tenant, l.guid from link l
  where l.state = 'up' and l.instance = $1::text and )" +
         which + " and " + gate + R"(
  order by l.tenant, l.guid for update of l
),
lost as (
  update link l set state = 'unknown', since = now_ms(), last_disconnected = now_ms()
  from found where l.tenant = found.tenant and l.guid = found.guid
  returning l.guid
))";
}

// A lease of our former life is free at once: it cannot be used by anybody who is alive, and if
// that process should live after all, the next epoch fences it off.
const statement enrol_sql{"enrol", R"(
with freed as (
  update controller c set instance = '', incarnation = null, expires_at = 0
  where c.id = 1 and c.instance = $1::text and c.incarnation is distinct from $2::uuid
  returning c.id
),
me as (
  insert into instance (name, incarnation, seen_at)
  select $1::text, $2::uuid, now_ms() from (select count(*) from freed) after_it
  on conflict (name) do update set
    incarnation = excluded.incarnation, seen_at = excluded.seen_at, buried = false, burials = 0
  returning name
),)" + lose_links("l.incarnation is distinct from $2::uuid", "(select count(*) from me) > 0") +
                                       R"(
select count(*) from lost)"};

// One statement for all that a beat does. The update of `controller` decides again on the newest
// version of the row when it had to wait, by the clock of that moment; a renewal leaves the epoch,
// so it waits for no fenced write, and a taker, who changes it, waits for all that are running.
// The new epoch is also above the one the caller knows: a database that was set back to an older
// state hands none out again.
//
// Durability: beats and renewals need none. If they are lost with a crash, the lease runs out a
// little earlier and somebody takes the next epoch. An epoch that was handed out must not be lost,
// so a statement that takes the lease commits synchronously, although it runs on a lane that
// does not: there it queues neither behind the fsyncs nor behind the machines.
const statement beat_sql{"beat", R"(
with recursive rightful as materialized (
  select not exists (
    select from instance where name = $1::text and incarnation <> $2::uuid) as ok
),
lease as (
  update controller c set
    epoch = case when not $3::boolean or
      (c.instance = $1::text and c.incarnation = $2::uuid and c.epoch = $4::bigint)
      then c.epoch else greatest(c.epoch, $4::bigint) + 1 end,
    instance = case when $3::boolean then $1::text else '' end,
    incarnation = case when $3::boolean then $2::uuid end,
    expires_at = case when $3::boolean then now_ms() + $5::bigint else 0 end
  from rightful
  where c.id = 1 and rightful.ok and case when $3::boolean
    then c.instance = '' or c.expires_at <= now_ms()
      or (c.instance = $1::text and c.incarnation = $2::uuid)
      or ($7::bigint > 0 and c.epoch = $7::bigint)
    else c.instance = $1::text and c.incarnation = $2::uuid and c.epoch = $4::bigint end
  returning c.epoch, c.instance
),
me as (
  insert into instance as i (name, incarnation, seen_at, buried, burials)
  select $1::text, $2::uuid, now_ms(), true, $8::bigint + 1
  from (select count(*) from lease) after_it
  on conflict (name) do update set
    seen_at = excluded.seen_at, buried = i.buried and i.burials > $8::bigint
  where i.incarnation = $2::uuid
  returning i.buried, i.burials
),
holding as materialized (select epoch from lease where instance <> ''),
owner as (
  (select l.instance, l.incarnation from link l
   where l.state = 'up' and exists (select from holding)
   order by l.instance, l.incarnation limit 1)
  union all
  select n.instance, n.incarnation from owner o cross join lateral (
    select l.instance, l.incarnation from link l
    where l.state = 'up' and (l.instance, l.incarnation) > (o.instance, o.incarnation)
    order by l.instance, l.incarnation limit 1) n
),
suspect as (
  select instance, incarnation from owner
  union
  select name, incarnation from instance where not buried and exists (select from holding)
)
select
  (select count(*) from me) = 0,
  coalesce((select buried from me), false),
  coalesce((select burials from me), 0),
  coalesce((select epoch from holding), 0),
  case when exists (select from lease) then (select instance from lease)
    when $3::boolean and c.instance = $1::text and c.incarnation = $2::uuid then ''
    else c.instance end,
  coalesce((select epoch from lease), c.epoch),
  array(select s.instance || '/' || s.incarnation from suspect s
        where (s.instance <> $1::text or s.incarnation <> $2::uuid)
          and not exists (select from instance i where i.name = s.instance
            and i.incarnation = s.incarnation and i.seen_at > now_ms() - $6::bigint)
        order by s.instance, s.incarnation),
  case when (select epoch from holding) <> $4::bigint
    then set_config('synchronous_commit', 'on', true) end
from controller c where c.id = 1)"};

const statement confirm_sql{"confirm", R"(
select count(*) = 1 from controller
where id = 1 and instance = $1::text and incarnation = $2::uuid and epoch = $3::bigint
  and expires_at > now_ms())"};

const statement retire_sql{"retire", R"(
with freed as (
  update controller c set instance = '', incarnation = null, expires_at = 0
  where c.id = 1 and c.instance = $1::text and c.incarnation = $2::uuid
  returning c.id
),
gone as (
  delete from instance where name = $1::text and incarnation = $2::uuid
    and (select count(*) from freed) >= 0
  returning name
),)" + lose_links("l.incarnation = $2::uuid", "(select count(*) from gone) >= 0") +
                                         R"(
select count(*) from lost)"};

// Instances that were buried and have not been seen for a week are forgotten on this occasion:
// names need not come back.
const statement bury_sql{
    "bury", R"(
with fence as materialized (
  select c.epoch from controller c where c.id = 1 and c.epoch = $3::bigint for key share
),
marked as (
  update instance i set buried = true, burials = i.burials + 1
  from fence where i.name = $1::text and i.incarnation = $2::uuid
  returning i.name
),
forgotten as (
  delete from instance i using fence
  where i.buried and i.seen_at < now_ms() - 604800000 and i.name <> $1::text
),)" +
                lose_links("l.incarnation = $2::uuid",
                           "exists (select from fence) and (select count(*) from marked) >= 0") +
                R"(
select (select count(*) from fence), (select count(*) from lost))"};

// A former life of this instance has nothing to reclaim. The share lock makes a new life that
// enrols in this moment wait, or this one see it.
const statement reclaim_sql{"reclaim", R"(
with me as materialized (
  select 1 from instance where name = $1::text and incarnation = $2::uuid for share
),
req as materialized (
  select * from unnest($3::text[], $4::uuid[], $5::bigint[])
    with ordinality as r (tenant, guid, epoch, ord)
),
ours as materialized (
  select req.ord, l.tenant, l.guid
  from link l join req on l.tenant = req.tenant and l.guid = req.guid
  where l.epoch = req.epoch and l.instance = $1::text and l.incarnation = $2::uuid
    and l.state <> 'down'
    and ((select count(*) from me) > 0
      or not exists (select from instance where name = $1::text))
  order by l.tenant, l.guid for update of l
),
again as (
  update link l set state = 'up', since = now_ms()
  from ours where l.tenant = ours.tenant and l.guid = ours.guid and l.state = 'unknown'
)
select req.ord from req left join ours on ours.ord = req.ord where ours.ord is null)"};

const statement out_of_step_sql{"out_of_step", R"(
select tenant, guid from link
where (told_epoch <> epoch or told_state <> state) and (tenant, guid) > ($1::text, $2::uuid)
  and (state <> 'unknown' or since <= now_ms() - $4::bigint)
order by tenant, guid limit $3::bigint)"};

status check_instance(const instance_ref& who) {
  if (valid_level(who.instance))
    return success();
  return fail(problem::malformed, "must be 1 to 64 of a-z, 0-9 and -", "instance");
}

params of(const instance_ref& who) {
  params p;
  p.text(who.instance).id(who.incarnation);
  return p;
}

heartbeat_answer read_beat(const rows& from) {
  heartbeat_answer a;
  a.superseded = from.flag(0, 0);
  a.buried = from.flag(0, 1);
  a.held = from.count(0, 3);
  a.holder = from.text(0, 4);
  a.holder_epoch = from.count(0, 5);
  for (const auto& s : from.texts(0, 6)) {
    auto slash = s.find('/');
    if (auto incarnation = parse_uuid(std::string_view(s).substr(slash + 1)))
      a.silent.push_back({s.substr(0, slash), *incarnation});
  }
  return a;
}

} // namespace

/// The last burial of each life that its caller has been told of. Said with the next beat, so that
/// an answer that was lost with its connection is given again.
struct pg_cluster::known_burials {
  std::mutex mutex;
  std::map<uuid, std::uint64_t> of;
};

pg_cluster::pg_cluster(database& db)
    : db_(db.inside()), known_(std::make_shared<known_burials>()) {}
pg_cluster::~pg_cluster() = default;

void pg_cluster::enrol(instance_ref self, answer<nothing> cb) {
  if (auto ok = check_instance(self); !ok)
    return db_.post([cb = std::move(cb), why = ok.error()] { cb(why); });
  db_.submit(lane::durable, enrol_sql, of(self), true,
             answer_with<nothing>(std::move(cb), [](std::vector<rows>&) { return nothing{}; }));
}

void pg_cluster::beat(heartbeat h, answer<heartbeat_answer> cb) {
  if (auto ok = check_instance(h.self); !ok)
    return db_.post([cb = std::move(cb), why = ok.error()] { cb(why); });
  std::uint64_t told = 0;
  {
    std::lock_guard<std::mutex> lock(known_->mutex);
    if (auto at = known_->of.find(h.self.incarnation); at != known_->of.end())
      told = at->second;
  }
  auto p = of(h.self);
  p.flag(h.candidate).number(h.held).number(std::int64_t{h.lease.count()});
  p.number(std::int64_t{h.silent_after.count()}).number(h.usurp).number(told);
  db_.submit(lane::asked, beat_sql, std::move(p), true,
             answer_with<heartbeat_answer>(
                 std::move(cb),
                 [known = known_,
                  life = h.self.incarnation](std::vector<rows>& r) -> result<heartbeat_answer> {
                   if (r[0].size() == 0)
                     return fail(problem::internal, "the lease's row is missing from the database");
                   auto a = read_beat(r[0]);
                   if (a.buried) {
                     std::lock_guard<std::mutex> lock(known->mutex);
                     known->of[life] = r[0].count(0, 2);
                   }
                   return a;
                 }));
}

void pg_cluster::retire(instance_ref self, answer<nothing> cb) {
  if (auto ok = check_instance(self); !ok)
    return db_.post([cb = std::move(cb), why = ok.error()] { cb(why); });
  db_.submit(lane::durable, retire_sql, of(self), true,
             answer_with<nothing>(std::move(cb), [](std::vector<rows>&) { return nothing{}; }));
}

void pg_cluster::confirm(instance_ref self, controller_epoch held, answer<bool> cb) {
  params p;
  p.text(std::move(self.instance)).id(self.incarnation).number(held);
  db_.submit(
      lane::asked, confirm_sql, std::move(p), false,
      answer_with<bool>(std::move(cb), [](std::vector<rows>& r) { return r[0].flag(0, 0); }));
}

void pg_cluster::bury(controller_epoch fence, instance_ref dead, answer<std::size_t> cb) {
  auto ok = check_instance(dead);
  if (ok && fence == 0)
    ok = fail(problem::stale_controller, "only the holder of the lease may bury");
  if (!ok)
    return db_.post([cb = std::move(cb), why = ok.error()] { cb(why); });
  auto p = of(dead);
  p.number(fence);
  db_.submit(
      lane::durable, bury_sql, std::move(p), true,
      answer_with<std::size_t>(std::move(cb), [fence](std::vector<rows>& r) -> result<std::size_t> {
        if (r[0].number(0, 0) == 0)
          return not_controller(fence);
        return static_cast<std::size_t>(r[0].number(0, 1));
      }));
}

void pg_cluster::reclaim(instance_ref self, std::vector<std::pair<device_ref, link_epoch>> links,
                         answer<reclaim_answer> cb) {
  auto ok = check_instance(self);
  if (ok && links.size() > max_bulk)
    ok = fail(problem::too_large, "at most 10,000 links per call", "links");
  if (!ok)
    return db_.post([cb = std::move(cb), why = ok.error()] { cb(why); });
  std::vector<std::string> tenants;
  std::vector<uuid> guids;
  std::vector<std::int64_t> epochs;
  for (const auto& [ref, epoch] : links) {
    // A key that cannot be in the table: an empty one is not there either.
    tenants.push_back(valid_tenant_key(ref.tenant) ? ref.tenant : "");
    guids.push_back(ref.device);
    epochs.push_back(static_cast<std::int64_t>(epoch));
  }
  auto p = of(self);
  p.texts(tenants).ids(guids).numbers(epochs);
  db_.submit(
      lane::relaxed, reclaim_sql, std::move(p), true,
      answer_with<reclaim_answer>(std::move(cb), [links = std::move(links)](std::vector<rows>& r) {
        reclaim_answer out;
        for (int i = 0; i < r[0].size(); ++i)
          out.stale.push_back(links.at(static_cast<std::size_t>(r[0].number(i, 0) - 1)));
        return out;
      }));
}

void pg_cluster::out_of_step(std::string after, std::size_t limit, std::chrono::milliseconds grace,
                             answer<std::vector<device_ref>> cb) {
  auto p = page_after(after, limit);
  if (!p)
    return db_.post([cb = std::move(cb), why = p.error()] { cb(why); });
  p->number(std::int64_t{grace.count()});
  db_.submit(lane::relaxed, out_of_step_sql, std::move(*p), false,
             answer_with<std::vector<device_ref>>(
                 std::move(cb), [](std::vector<rows>& r) { return read_refs(r[0]); }));
}

} // namespace outband::store
