#include "actors/store/current_writes.hpp"

#include "actors/store/connections.hpp"
#include "actors/store/records.hpp"
#include "messages/bus/stored.hpp"

#include <algorithm>

namespace outband::store {

namespace {

constexpr std::size_t largest_shared = 64 * 1024; ///< octets of one device's messages

// As the statement for one device (device_rows.cpp), which says why. `may` is materialized, so that
// the lease is locked and compared before the first row is touched; its order is that of the keys,
// so that two of these lock rows in the same order.
const statement save_many_sql{"save_current_many", R"(
with req as materialized (
  select * from unnest($1::text[], $2::uuid[], $3::bigint[], $4::bytea[], $5::bigint[],
                       $6::boolean[], $7::text[], $8::bigint[], $9::text[], $10::bigint[])
    with ordinality as r (tenant, guid, rev, current, settled, power_ok, seq, told_epoch,
                          told_state, fence, ord)
),
fence as materialized (
  select c.epoch from controller c
  where c.id = 1 and c.epoch = any ($10::bigint[]) and c.epoch <> 0 for key share
),
may as materialized (
  select r.* from req r left join fence f on f.epoch = r.fence
  where r.fence = 0 or f.epoch is not null order by r.ord
),
changed as (
  update device d set current = r.current, current_rev = d.current_rev + 1,
    settled_rev = r.settled, power_ok = r.power_ok, event_seq = r.seq::jsonb
  from may r
  where d.tenant = r.tenant and d.guid = r.guid and d.current_rev = r.rev
  returning r.ord
),
told as (
  update link l set told_epoch = r.told_epoch, told_state = r.told_state
  from may r join changed on changed.ord = r.ord
  where l.tenant = r.tenant and l.guid = r.guid
    and (l.told_epoch <> r.told_epoch or l.told_state <> r.told_state)
),
msg as materialized (
  select m.* from unnest($11::bigint[], $12::text[], $13::bytea[], $14::text[], $15::boolean[],
                         $16::bigint[])
    with ordinality as m (owner, topic, payload, content_type, retain, expiry_s, ord)
  join changed on changed.ord = m.owner
),)" + publish_ctes_of_msg(17) + R"(
select r.ord, changed.ord is not null,
  changed.ord is not null or exists (
    select 1 from device d where d.tenant = r.tenant and d.guid = r.guid),
  r.fence = 0 or exists (select 1 from fence f where f.epoch = r.fence),
  (select count(*) from published)
from req r left join changed on changed.ord = r.ord)"};

/// Classes are levels of a topic (check_save): nothing in them has to be escaped.
std::string json_of(const std::map<std::string, std::uint64_t>& event_seq) {
  std::string out = "{";
  for (const auto& [name, n] : event_seq)
    out += (out.size() > 1 ? ",\"" : "\"") + name + "\":" + std::to_string(n);
  return out + "}";
}

} // namespace

bool current_writes::shares(const current_write& w) {
  std::size_t size = 0;
  for (const auto& m : w.publish)
    size += m.topic.size() + m.payload.size();
  return !w.durable && w.commands.empty() && size <= largest_shared;
}

void current_writes::save(current_write w, answer<current_written> cb) {
  if (queued_.fetch_add(1) >= max_bulk) {
    --queued_;
    return db_.post(
        [cb = std::move(cb)] { cb(fail(problem::busy, "too many changes are waiting")); });
  }
  db_.post([me = shared_from_this(), w = std::move(w), cb = std::move(cb)]() mutable {
    std::pair key{w.ref.tenant, w.ref.device};
    me->waiting_.add({std::move(key), std::move(w), std::move(cb)});
    me->pump();
  });
}

void current_writes::pump() {
  auto batch = waiting_.take();
  if (batch.empty())
    return;
  std::sort(batch.begin(), batch.end(), [](const item& a, const item& b) { return a.key < b.key; });
  std::vector<std::string> tenants, currents, seqs, told_states, topics, payloads, types;
  std::vector<uuid> guids;
  std::vector<std::int64_t> revs, settled, told_epochs, fences, owners;
  std::vector<bool> power_ok, retain;
  std::vector<std::optional<std::int64_t>> expiry;
  for (const auto& i : batch) {
    const auto& w = i.write;
    tenants.push_back(w.ref.tenant);
    guids.push_back(w.ref.device);
    revs.push_back(static_cast<std::int64_t>(w.expected_rev));
    currents.push_back(bus::pack(w.next));
    settled.push_back(static_cast<std::int64_t>(w.next.desired_rev));
    power_ok.push_back(power_satisfied(w.next));
    seqs.push_back(json_of(w.event_seq));
    told_epochs.push_back(static_cast<std::int64_t>(w.next.link.epoch));
    told_states.emplace_back(told_state(w.next.link.state));
    fences.push_back(static_cast<std::int64_t>(w.fence));
    for (const auto& m : w.publish) {
      owners.push_back(static_cast<std::int64_t>(guids.size()));
      topics.push_back(m.topic);
      payloads.push_back(m.payload);
      types.push_back(m.content_type);
      retain.push_back(m.retain);
      expiry.push_back(m.expiry ? std::optional<std::int64_t>(m.expiry->count()) : std::nullopt);
    }
  }
  params p;
  p.texts(tenants).ids(guids).numbers(revs).octets_list(currents).numbers(settled);
  p.flags(power_ok).texts(seqs).numbers(told_epochs).texts(told_states).numbers(fences);
  p.numbers(owners).texts(topics).octets_list(payloads).texts(types).flags(retain);
  p.numbers(expiry).text(db_.token());
  db_.submit(lane::relaxed, save_many_sql, std::move(p), true,
             [me = shared_from_this(), batch = std::move(batch)](reply r) mutable {
               me->queued_ -= batch.size();
               me->waiting_.done();
               me->pump();
               auto* e = std::get_if<reply_error>(&r);
               if (!e)
                 return me->written(std::move(batch), std::get<std::vector<rows>>(r)[0]);
               const auto what = e->what.what;
               if (what == problem::outcome_unknown)
                 me->db_.wake();
               // One of them the database does not take: the others shall not suffer for it.
               if (what != problem::outcome_unknown && what != problem::store_unavailable &&
                   what != problem::busy && batch.size() > 1)
                 return me->one_by_one(std::move(batch));
               for (const auto& i : batch)
                 i.cb(e->what);
             });
}

void current_writes::written(std::vector<item> batch, const rows& told) {
  db_.wake();
  for (int row = 0; row < told.size(); ++row) {
    const auto& i = batch.at(static_cast<std::size_t>(told.number(row, 0) - 1));
    if (!told.flag(row, 3))
      i.cb(not_controller(i.write.fence));
    else if (!told.flag(row, 2))
      i.cb(no_device(i.write.ref));
    else
      i.cb(current_written{!told.flag(row, 1)});
  }
}

void current_writes::one_by_one(std::vector<item> batch) {
  for (auto& i : batch)
    save_one(db_, std::move(i.write), std::move(i.cb));
}

} // namespace outband::store
