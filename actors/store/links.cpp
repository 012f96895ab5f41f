// Who has a device's tunnel. Calls that arrive while a statement is under way share the next one.
#include "actors/store/audit_rows.hpp"
#include "actors/store/batcher.hpp"
#include "actors/store/connections.hpp"
#include "actors/store/current_writes.hpp"
#include "actors/store/pg_store.hpp"
#include "actors/store/records.hpp"

#include <algorithm>
#include <utility>

namespace outband::store {

namespace {

constexpr std::size_t max_batch = 500;

// The rows are locked in the order of their keys, so that two nodes never wait for each other. The
// right-hand sides are evaluated again on the newest version of a row that was waited for, so the
// epoch always rises and prev_* is the owner before.
const statement take_epochs_sql{"take_epochs", R"(
with req as materialized (
  select * from unnest($1::text[], $2::uuid[], $3::text[], $4::uuid[], $5::text[])
    with ordinality as r (tenant, guid, instance, incarnation, peer, ord)
),
locked as materialized (
  select l.tenant, l.guid from link l join req on l.tenant = req.tenant and l.guid = req.guid
  order by l.tenant, l.guid for update of l
)
update link l set
  epoch = l.epoch + 1,
  prev_instance = case when l.state = 'up' then l.instance else '' end,
  prev_epoch = case when l.state = 'up' then l.epoch else 0 end,
  instance = req.instance, incarnation = req.incarnation, peer = req.peer, state = 'up', why = '',
  since = now_ms(), last_connected = now_ms(), last_seen = now_ms()
from req join locked on locked.tenant = req.tenant and locked.guid = req.guid
where l.tenant = req.tenant and l.guid = req.guid
returning req.ord, l.epoch, l.prev_instance, l.prev_epoch)"};

const statement links_down_sql{"links_down", R"(
with req as materialized (
  select * from unnest($1::text[], $2::uuid[], $3::bigint[], $4::text[])
    with ordinality as r (tenant, guid, epoch, why, ord)
),
locked as materialized (
  select l.tenant, l.guid from link l join req on l.tenant = req.tenant and l.guid = req.guid
  order by l.tenant, l.guid for update of l
),
closed as (
  update link l set
    state = 'down',
    why = case when l.state <> 'down' then req.why else l.why end,
    since = case when l.state <> 'down' then now_ms() else l.since end,
    last_disconnected = case when l.state = 'up' then now_ms() else l.last_disconnected end,
    -- Only these two were said by the machine; the others we decided without having heard of it.
    last_seen = case when l.state = 'up' and req.why in ('peer-closed', 'protocol') then now_ms()
      else l.last_seen end
  from req join locked on locked.tenant = req.tenant and locked.guid = req.guid
  where l.tenant = req.tenant and l.guid = req.guid and l.epoch = req.epoch and req.epoch > 0
  returning req.ord
)
select req.ord, locked.guid is not null, closed.ord is not null
from req
left join locked on locked.tenant = req.tenant and locked.guid = req.guid
left join closed on closed.ord = req.ord)"};

const statement note_seen_sql{"note_seen", R"(
with req as materialized (
  select * from unnest($1::text[], $2::uuid[], $3::bigint[]) as r (tenant, guid, seen)
),
locked as materialized (
  select l.tenant, l.guid from link l join req on l.tenant = req.tenant and l.guid = req.guid
  order by l.tenant, l.guid for update of l
)
update link l set last_seen = greatest(l.last_seen, req.seen)
from req join locked on locked.tenant = req.tenant and locked.guid = req.guid
where l.tenant = req.tenant and l.guid = req.guid)"};

// By GUID alone, which is unique on the site: the answer tells the tenant.
const statement cira_identities_sql{"cira_identities", R"(
select r.ord, d.tenant, d.mps_username,
  case when d.amt_username = '' then 'admin' else d.amt_username end
from unnest($1::uuid[]) with ordinality as r (guid, ord) join device d on d.guid = r.guid)"};

using device_key = std::pair<tenant_key, device_id>;

struct identity_item {
  device_id key;
  answer<cira_identity> cb;
};
struct epoch_item {
  device_key key;
  epoch_request request;
  answer<epoch_grant> cb;
};
struct down_item {
  device_key key;
  link_epoch epoch = 0;
  link_end why = link_end::peer_closed;
  answer<bool> cb;
};
struct sightings {
  std::map<device_key, time_ms> seen;
  std::vector<answer<nothing>> cbs;
};

} // namespace

struct link_batches : std::enable_shared_from_this<link_batches> {
  explicit link_batches(connections& to) : db(to) {}

  void pump_identities();
  void pump_epochs();
  void pump_down();
  void pump_seen();

  connections& db;
  std::atomic<std::size_t> queued{0};
  batcher<identity_item> identities{max_batch};
  batcher<epoch_item> epochs{max_batch};
  batcher<down_item> down{max_batch};
  sightings seen; ///< what arrived since the last statement
  bool seen_away = false;

  /// Callers may be faster than the database: false, and `cb` is told, when too many wait.
  template <class T> bool admit(const answer<T>& cb) {
    if (queued.fetch_add(1) < max_bulk)
      return true;
    --queued;
    db.post([cb] { cb(fail(problem::busy, "too many link changes are waiting")); });
    return false;
  }
};

pg_store::pg_store(database& db)
    : db_(db.inside()), batches_(std::make_shared<link_batches>(db.inside())),
      writes_(std::make_shared<current_writes>(db.inside())),
      broom_(std::make_shared<audit_broom>(db.inside(), db.inside().options().keep_audit)) {}
pg_store::~pg_store() = default;

void pg_store::find_cira_identity(device_id guid, answer<cira_identity> cb) {
  if (!batches_->admit(cb))
    return;
  db_.post([b = batches_, guid, cb = std::move(cb)]() mutable {
    b->identities.add({guid, std::move(cb)});
    b->pump_identities();
  });
}

void link_batches::pump_identities() {
  auto batch = identities.take();
  if (batch.empty())
    return;
  std::vector<uuid> guids;
  for (const auto& item : batch)
    guids.push_back(item.key);
  params p;
  p.ids(guids);
  db.submit(
      lane::relaxed, cira_identities_sql, std::move(p), false,
      [b = shared_from_this(), batch = std::move(batch)](reply r) {
        b->queued -= batch.size();
        b->identities.done();
        b->pump_identities();
        if (auto* e = std::get_if<reply_error>(&r)) {
          for (const auto& item : batch)
            item.cb(e->what);
          return;
        }
        const auto& found = std::get<std::vector<rows>>(r)[0];
        std::vector<int> row_of(batch.size(), -1);
        for (int i = 0; i < found.size(); ++i)
          row_of.at(static_cast<std::size_t>(found.number(i, 0) - 1)) = i;
        for (std::size_t i = 0; i < batch.size(); ++i) {
          const auto& guid = batch[i].key;
          if (auto at = row_of[i]; at < 0)
            batch[i].cb(fail(problem::not_found, "no device has the GUID " + to_string(guid)));
          else
            batch[i].cb(
                cira_identity{{found.text(at, 1), guid}, found.text(at, 2), found.text(at, 3)});
        }
      });
}

void pg_store::take_epoch(epoch_request req, answer<epoch_grant> cb) {
  // Checked one by one: in a shared statement one bad text would fail all.
  status ok = check_tenant(req.ref.tenant);
  if (ok && !valid_level(req.instance))
    ok = fail(problem::malformed, "must be 1 to 64 of a-z, 0-9 and -", "instance");
  if (ok)
    ok = check_text(req.peer, "peer", 128);
  if (ok && std::any_of(req.peer.begin(), req.peer.end(), [](char c) { return c < 32 || c > 126; }))
    ok = fail(problem::malformed, "must be printable ASCII", "peer");
  if (!ok)
    return db_.post([cb = std::move(cb), why = ok.error()] { cb(why); });
  if (!batches_->admit(cb))
    return;
  db_.post([b = batches_, req = std::move(req), cb = std::move(cb)]() mutable {
    device_key key{req.ref.tenant, req.ref.device};
    b->epochs.add({std::move(key), std::move(req), std::move(cb)});
    b->pump_epochs();
  });
}

void link_batches::pump_epochs() {
  auto batch = epochs.take();
  if (batch.empty())
    return;
  std::vector<std::string> tenants, instances, peers;
  std::vector<uuid> guids, incarnations;
  for (const auto& item : batch) {
    tenants.push_back(item.request.ref.tenant);
    guids.push_back(item.request.ref.device);
    instances.push_back(item.request.instance);
    incarnations.push_back(item.request.incarnation);
    peers.push_back(item.request.peer);
  }
  params p;
  p.texts(tenants).ids(guids).texts(instances).ids(incarnations).texts(peers);
  db.submit(lane::durable, take_epochs_sql, std::move(p), true,
            [b = shared_from_this(), batch = std::move(batch)](reply r) {
              b->queued -= batch.size();
              b->epochs.done();
              b->pump_epochs();
              if (auto* e = std::get_if<reply_error>(&r)) {
                for (const auto& item : batch)
                  item.cb(e->what);
                return;
              }
              const auto& granted = std::get<std::vector<rows>>(r)[0];
              std::vector<int> row_of(batch.size(), -1);
              for (int i = 0; i < granted.size(); ++i)
                row_of.at(static_cast<std::size_t>(granted.number(i, 0) - 1)) = i;
              for (std::size_t i = 0; i < batch.size(); ++i) {
                if (auto at = row_of[i]; at < 0)
                  batch[i].cb(no_device(batch[i].request.ref));
                else
                  batch[i].cb(
                      epoch_grant{granted.count(at, 1), granted.text(at, 2), granted.count(at, 3)});
              }
            });
}

void pg_store::link_down(device_ref ref, link_epoch epoch, link_end why, answer<bool> cb) {
  if (auto ok = check_tenant(ref.tenant); !ok)
    return db_.post([cb = std::move(cb), refusal = ok.error()] { cb(refusal); });
  if (!batches_->admit(cb))
    return;
  db_.post([b = batches_, ref = std::move(ref), epoch, why, cb = std::move(cb)]() mutable {
    b->down.add({{ref.tenant, ref.device}, epoch, why, std::move(cb)});
    b->pump_down();
  });
}

void link_batches::pump_down() {
  auto batch = down.take();
  if (batch.empty())
    return;
  std::vector<std::string> tenants;
  std::vector<uuid> guids;
  std::vector<std::int64_t> of_epochs;
  std::vector<std::string> ends;
  for (const auto& item : batch) {
    tenants.push_back(item.key.first);
    guids.push_back(item.key.second);
    of_epochs.push_back(static_cast<std::int64_t>(item.epoch));
    ends.emplace_back(to_string(item.why));
  }
  params p;
  p.texts(tenants).ids(guids).numbers(of_epochs).texts(ends);
  db.submit(lane::relaxed, links_down_sql, std::move(p), true,
            [b = shared_from_this(), batch = std::move(batch)](reply r) {
              b->queued -= batch.size();
              b->down.done();
              b->pump_down();
              if (auto* e = std::get_if<reply_error>(&r)) {
                for (const auto& item : batch)
                  item.cb(e->what);
                return;
              }
              const auto& told = std::get<std::vector<rows>>(r)[0];
              for (int i = 0; i < told.size(); ++i) {
                const auto& item = batch.at(static_cast<std::size_t>(told.number(i, 0) - 1));
                if (told.flag(i, 1))
                  item.cb(told.flag(i, 2));
                else
                  item.cb(no_device({item.key.first, item.key.second}));
              }
            });
}

void pg_store::note_seen(std::vector<std::pair<device_ref, time_ms>> seen, answer<nothing> cb) {
  status ok = success();
  if (seen.size() > max_bulk)
    ok = fail(problem::too_large, "at most 10,000 devices per call", "seen");
  for (const auto& s : seen)
    if (ok && !valid_tenant_key(s.first.tenant))
      ok = check_tenant(s.first.tenant);
  if (!ok)
    return db_.post([cb = std::move(cb), why = ok.error()] { cb(why); });
  if (!batches_->admit(cb))
    return;
  db_.post([b = batches_, seen = std::move(seen), cb = std::move(cb)]() mutable {
    for (auto& [ref, at] : seen) {
      auto& newest = b->seen.seen[{std::move(ref.tenant), ref.device}];
      newest = std::max(newest, at);
    }
    b->seen.cbs.push_back(std::move(cb));
    b->pump_seen();
  });
}

void link_batches::pump_seen() {
  if (seen_away || seen.cbs.empty())
    return;
  auto batch = std::exchange(seen, {});
  std::vector<std::string> tenants;
  std::vector<uuid> guids;
  std::vector<std::int64_t> times;
  for (const auto& [key, at] : batch.seen) {
    tenants.push_back(key.first);
    guids.push_back(key.second);
    times.push_back(at);
  }
  params p;
  p.texts(tenants).ids(guids).numbers(times);
  seen_away = true;
  db.submit(lane::relaxed, note_seen_sql, std::move(p), true,
            [b = shared_from_this(), cbs = std::move(batch.cbs)](reply r) {
              b->queued -= cbs.size();
              b->seen_away = false;
              b->pump_seen();
              auto* e = std::get_if<reply_error>(&r);
              for (const auto& cb : cbs) {
                if (e)
                  cb(e->what);
                else
                  cb(nothing{});
              }
            });
}

} // namespace outband::store
