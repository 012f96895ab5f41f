#include "actors/store/pg_removals.hpp"

#include "actors/store/audit_rows.hpp"
#include "actors/store/connections.hpp"
#include "actors/store/records.hpp"

#include <algorithm>

namespace outband::store {

namespace {

constexpr std::size_t max_words = 2048, max_batch = 1000;

const std::string columns =
    "r.tenant, r.guid, r.kind, r.state, r.code, r.words, r.by, r.asked, r.updated";

// Of a row of `removal r`. Secrets outweigh `clean`: who has some was activated again.
const std::string managed = R"(
  (exists (select from secret s where s.tenant = r.tenant and s.guid = r.guid)
   or not r.clean
   and (exists (select from link l where l.tenant = r.tenant and l.guid = r.guid and l.epoch > 0)
        or exists (select from activation a where a.tenant = r.tenant and a.guid = r.guid
                   and a.mode > 0)))::integer )";

// To remove outweighs to deauthorize, and what is done begins anew.
const statement begin_sql{"begin_removal", R"(
with r as (
  insert into removal as r (tenant, guid, kind, state, code, words, by, asked, updated)
  select d.tenant, d.guid, $3::text, 'waiting', '', $4::text, $5::text, now_ms(), now_ms()
  from device d where d.tenant = $1::text and d.guid = $2::uuid
  on conflict (tenant, guid) do update set
    kind = case when r.kind = 'remove' then r.kind else excluded.kind end,
    state = case when r.state = 'done' then 'waiting' else r.state end,
    words = case when r.state = 'done' then excluded.words else r.words end,
    updated = excluded.updated
  returning r.*
)
select )" + columns + "," + managed + "from r"};
// What is to be removed is never done: its row goes with it.
const statement note_sql{"note_removal", R"(
update removal set state = $3::text, code = $4::text, words = $5::text, updated = now_ms()
where tenant = $1::text and guid = $2::uuid and ($3::text <> 'done' or kind = 'deauthorize')
returning 1)"};
const statement withdraw_sql{"withdraw_removal", R"(
delete from removal where tenant = $1::text and guid = $2::uuid returning 1)"};
const statement get_sql{"get_removal", "select " + columns + "," + managed + R"(from removal r
where r.tenant = $1::text and r.guid = $2::uuid)"};
const statement of_sql{"removals_of", "select " + columns + R"( from removal r
where r.tenant = $1::text and r.guid = any($2::uuid[]))"};
const statement open_sql{"open_removals", "select " + columns + R"( from removal r
where r.state <> 'done' and (r.tenant, r.guid) > ($1::text collate "C", $2::uuid)
order by r.tenant, r.guid limit $3::bigint)"};
const statement forget_sql{"forget_secrets", R"(
with gone as (delete from secret where tenant = $1::text and guid = $2::uuid),
cleaned as (update removal set clean = true where tenant = $1::text and guid = $2::uuid)
select count(*) from device where tenant = $1::text and guid = $2::uuid)"};
// Two statements of one transaction: the second sees what was added until the first had the lock,
// and nothing is added afterwards.
const statement tenant_leaves_sql{"tenant_leaves", R"(
update tenant set leaving = true where key = $1::text returning 1)"};
const statement tenant_sql{"begin_tenant_removal", R"(
with tokens as (
  delete from activation_token where tenant = $1::text and act <> 'deactivate'
),
all_of_them as (
  insert into removal as r (tenant, guid, kind, state, code, words, by, asked, updated)
  select d.tenant, d.guid, 'remove', 'waiting', '', 'Its tenant is being removed.', $2::text,
    now_ms(), now_ms()
  from device d where d.tenant = $1::text
  on conflict (tenant, guid) do update set kind = 'remove',
    state = case when r.state = 'done' then 'waiting' else r.state end
  returning 1
)
select count(*) from all_of_them)"};
const statement empty_sql{"empty_tenants", R"(
select t.key from tenant t
where t.leaving and not exists (select from device d where d.tenant = t.key) order by t.key)"};

removal read_removal(const rows& r, int row) {
  removal out;
  out.device = {r.text(row, 0), r.id(row, 1)};
  out.kind = parse_removal_kind(r.view(row, 2)).value_or(removal_kind::remove);
  out.state = parse_removal_state(r.view(row, 3)).value_or(removal_state::waiting);
  out.code = r.text(row, 4);
  out.text = r.text(row, 5);
  out.by = r.text(row, 6);
  out.asked = r.number(row, 7);
  out.updated = r.number(row, 8);
  return out;
}

result<std::vector<removal>> read_all(const rows& got) {
  std::vector<removal> out;
  out.reserve(static_cast<std::size_t>(got.size()));
  for (int i = 0; i < got.size(); ++i)
    out.push_back(read_removal(got, i));
  return out;
}

status check_removal(const removal& what) {
  auto ok = check_tenant(what.device.tenant);
  if (ok)
    ok = check_text(what.code, "code", 64);
  if (ok)
    ok = check_text(what.by, "by");
  return ok;
}

template <class T> bool refused(connections& db, const status& ok, const answer<T>& cb) {
  if (ok)
    return false;
  db.post([cb, why = ok.error()] { cb(why); });
  return true;
}

/// The answer to a statement with one row set.
template <class T, class F> std::function<void(reply)> with_rows(answer<T> cb, F read) {
  return [cb = std::move(cb), read = std::move(read)](reply r) {
    if (auto* e = std::get_if<reply_error>(&r))
      return cb(e->what);
    cb(read(std::get<std::vector<rows>>(r)[0]));
  };
}

result<nothing> one_row(const rows& got, const device_ref& ref) {
  if (got.size() == 0)
    return no_device(ref);
  return nothing{};
}

} // namespace

void pg_removals::begin(removal what, answer<kept_removal> cb) {
  if (refused(db_, check_removal(what), cb))
    return;
  params p;
  p.device(what.device).text(std::string(to_string(what.kind)));
  p.text(storable(what.text, max_words)).text(what.by);
  db_.submit(lane::durable, begin_sql, std::move(p), true,
             with_rows(std::move(cb), [ref = what.device](const rows& got) -> result<kept_removal> {
               if (got.size() == 0)
                 return no_device(ref);
               return kept_removal{read_removal(got, 0), got.number(0, 9) != 0};
             }));
}

void pg_removals::note(removal what, answer<nothing> cb) {
  if (refused(db_, check_removal(what), cb))
    return;
  params p;
  // The words may be the firmware's own.
  p.device(what.device).text(std::string(to_string(what.state))).text(what.code);
  p.text(storable(what.text, max_words));
  db_.submit(
      lane::durable, note_sql, std::move(p), true,
      with_rows(std::move(cb), [ref = what.device](const rows& got) { return one_row(got, ref); }));
}

void pg_removals::withdraw(device_ref device, answer<nothing> cb) {
  if (refused(db_, check_tenant(device.tenant), cb))
    return;
  params p;
  p.device(device);
  db_.submit(lane::durable, withdraw_sql, std::move(p), true,
             with_rows(std::move(cb), [device](const rows& got) { return one_row(got, device); }));
}

void pg_removals::get(device_ref device, answer<kept_removal> cb) {
  if (refused(db_, check_tenant(device.tenant), cb))
    return;
  params p;
  p.device(device);
  db_.submit(lane::durable, get_sql, std::move(p), true,
             with_rows(std::move(cb), [device](const rows& got) -> result<kept_removal> {
               if (got.size() == 0)
                 return no_device(device);
               return kept_removal{read_removal(got, 0), got.number(0, 9) != 0};
             }));
}

void pg_removals::of(tenant_key tenant, std::vector<device_id> devices,
                     answer<std::vector<removal>> cb) {
  if (refused(db_, check_tenant(tenant), cb))
    return;
  if (devices.size() > max_batch)
    devices.resize(max_batch);
  params p;
  p.text(tenant).ids(devices);
  db_.submit(lane::relaxed, of_sql, std::move(p), false, with_rows(std::move(cb), read_all));
}

void pg_removals::open(device_ref after, std::size_t limit, answer<std::vector<removal>> cb) {
  params p;
  p.text(after.tenant)
      .id(after.device)
      .number(static_cast<std::int64_t>(std::min(limit, max_batch)));
  db_.submit(lane::durable, open_sql, std::move(p), true, with_rows(std::move(cb), read_all));
}

void pg_removals::forget_secrets(device_ref device, answer<nothing> cb) {
  if (refused(db_, check_tenant(device.tenant), cb))
    return;
  params p;
  p.device(device);
  db_.submit(lane::durable, forget_sql, std::move(p), true,
             with_rows(std::move(cb), [device](const rows& got) -> result<nothing> {
               if (got.number(0, 0) == 0)
                 return no_device(device);
               return nothing{};
             }));
}

void pg_removals::begin_tenant(tenant_key tenant, std::string by, answer<std::size_t> cb) {
  if (refused(db_, check_tenant(tenant), cb))
    return;
  params one, all;
  one.text(tenant);
  all.text(tenant).text(std::move(by));
  db_.submit(lane::durable, {{&tenant_leaves_sql, std::move(one)}, {&tenant_sql, std::move(all)}},
             true, [cb = std::move(cb)](reply r) {
               if (auto* e = std::get_if<reply_error>(&r))
                 return cb(e->what);
               const auto& got = std::get<std::vector<rows>>(r);
               if (got[0].size() == 0)
                 return cb(fail(problem::not_found, "There is no such tenant."));
               cb(static_cast<std::size_t>(got[1].number(0, 0)));
             });
}

void pg_removals::empty_tenants(answer<std::vector<tenant_key>> cb) {
  db_.submit(lane::durable, empty_sql, params{}, true,
             with_rows(std::move(cb), [](const rows& got) -> result<std::vector<tenant_key>> {
               std::vector<tenant_key> out;
               out.reserve(static_cast<std::size_t>(got.size()));
               for (int i = 0; i < got.size(); ++i)
                 out.push_back(got.text(i, 0));
               return out;
             }));
}

} // namespace outband::store
