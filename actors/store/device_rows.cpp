// A device's documents: loading, observed state, what is unfinished.
#include "actors/store/audit_rows.hpp"
#include "actors/store/connections.hpp"
#include "actors/store/current_writes.hpp"
#include "actors/store/pg_store.hpp"
#include "actors/store/records.hpp"
#include "messages/bus/stored.hpp"

#include <algorithm>

namespace outband::store {

namespace {

constexpr int max_open_commands = 1000;

// One row per open command, one if there is none. One statement, so that all is of one moment.
const statement load_sql{"load_device", "select " + std::string(record_columns) + R"(,
  d.desired, d.desired_rev, d.current, d.current_rev,
  array(select key from jsonb_each_text(d.event_seq) order by key),
  array(select value from jsonb_each_text(d.event_seq) order by key),
  l.epoch, l.state, l.instance, l.incarnation, l.peer, l.why, l.since,
  )" + command_columns("c.") +
                                            R"(
from device d
join link l on l.tenant = d.tenant and l.guid = d.guid
left join lateral (
  select * from command
  where tenant = d.tenant and guid = d.guid and status = 'accepted'
  order by created, id limit )" + std::to_string(max_open_commands) +
                                            R"(
) c on true
where d.tenant = $1::text and d.guid = $2::uuid
order by c.created, c.id)"};

const statement read_desired_sql{"read_desired", R"(
select desired, desired_rev from device where tenant = $1::text and guid = $2::uuid)"};

// Whoever waits for the row's lock compares the revision again on the newest version. A command
// once marked dispatched stays so, and one that has ended stays ended; so does its audit row. What
// is now told of the link is noted beside the link itself. Most writes concern no command: those do
// not look for any.
std::string save_text(bool fenced, bool commands) {
  const std::string gate = fenced ? " from fence " : " ";
  const int first = fenced ? 18 : 17; // of the commands' parameters
  auto p = [first](int i) {
    return "$" + std::to_string(first + i);
  };
  const std::string marked = R"(
marked as (
  update command c set status = u.status, dispatched = c.dispatched or u.dispatched,
    outcome = u.outcome, updated_at = now_ms()
  from changed, unnest()" + p(0) +
                             "::uuid[], " + p(1) + "::text[], " + p(2) + "::boolean[], " + p(3) +
                             "::bytea[], " + p(4) + "::text[], " + p(5) + "::text[], " + p(6) +
                             R"(::bigint[])
    as u (id, status, dispatched, outcome, code, words, return_value)
  where c.tenant = changed.tenant and c.guid = changed.guid and c.id = u.id
    and (c.status = 'accepted' or c.status = u.status)
  returning c.tenant, u.*
),
ended as (
  update audit a set status = m.status, code = m.code, words = m.words,
    return_value = m.return_value, document = m.outcome, finished_at = now_ms()
  from marked m
  where a.tenant = m.tenant and a.id = m.id and a.status = 'asked' and m.status <> 'accepted'
),)";
  return "with" + (fenced ? fence_cte(17) : std::string()) + R"(
changed as (
  update device d set current = $4::bytea, current_rev = d.current_rev + 1, settled_rev = $5::bigint,
    power_ok = $6::boolean,
    event_seq = coalesce((select jsonb_object_agg(k, n) from unnest($7::text[], $8::bigint[])
                          as s (k, n)), '{}'))" +
         gate + R"(
  where d.tenant = $1::text and d.guid = $2::uuid and d.current_rev = $3::bigint
  returning d.tenant, d.guid
),)" + (commands ? marked : std::string()) +
         R"(
told as (
  update link l set told_epoch = $9::bigint, told_state = $10::text
  from changed where l.tenant = changed.tenant and l.guid = changed.guid
    and (l.told_epoch <> $9::bigint or l.told_state <> $10::text)
),)" + publish_ctes("changed", 11) +
         R"(
select (select count(*) from changed), (select count(*) from published),
  (select count(*) from device where tenant = $1::text and guid = $2::uuid), )" +
         (fenced ? "(select count(*) from fence)" : "1");
}
const statement save_sql{"save_current", save_text(false, false)};
const statement save_fenced_sql{"save_current_fenced", save_text(true, false)};
const statement save_commands_sql{"save_current_commands", save_text(false, true)};
const statement save_commands_fenced_sql{"save_current_commands_fenced", save_text(true, true)};

const statement& save_statement(bool fenced, bool commands) {
  if (commands)
    return fenced ? save_commands_fenced_sql : save_commands_sql;
  return fenced ? save_fenced_sql : save_sql;
}

// Two short walks along partial indexes instead of one over all devices.
const statement unsettled_sql{"unsettled", R"(
select tenant, guid from (
  (select tenant, guid from device
   where (desired_rev <> settled_rev or not power_ok) and (tenant, guid) > ($1::text, $2::uuid)
   order by tenant, guid limit $3::bigint)
  union
  (select distinct tenant, guid from command
   where status = 'accepted' and (tenant, guid) > ($1::text, $2::uuid)
   order by tenant, guid limit $3::bigint)
) u order by tenant, guid limit $3::bigint)"};

result<device_row> read_row(const device_ref& ref, const rows& r) {
  if (r.size() == 0)
    return no_device(ref);
  device_row out;
  out.record = read_record(r, 0);
  const int at = record_column_count;
  if (auto octets = r.octets(0, at); !octets.empty()) {
    auto desired = bus::unpack_desired(octets);
    if (!desired)
      return unreadable(ref, "desired state", desired.error());
    out.desired = std::move(*desired);
  }
  out.desired_rev = r.count(0, at + 1);
  if (auto octets = r.octets(0, at + 2); !octets.empty()) {
    auto current = bus::unpack_current(octets);
    if (!current)
      return unreadable(ref, "current state", current.error());
    out.current = std::move(*current);
  }
  out.current_rev = r.count(0, at + 3);
  auto classes = r.texts(0, at + 4);
  auto numbers = r.texts(0, at + 5);
  for (std::size_t i = 0; i < classes.size() && i < numbers.size(); ++i)
    out.event_seq[classes[i]] = std::strtoull(numbers[i].c_str(), nullptr, 10);
  out.link = {
      r.count(0, at + 6),  parse_link_state(r.view(0, at + 7)).value_or(link_state::unknown),
      r.text(0, at + 8),   r.id(0, at + 9),
      r.text(0, at + 10),  r.text(0, at + 11),
      r.number(0, at + 12)};
  const int commands = at + 13;
  for (int i = 0; i < r.size(); ++i)
    if (!r.is_null(i, commands))
      out.open_commands.push_back(read_command(r, i, commands));
  return out;
}

status check_save(const current_write& w) {
  if (auto ok = check_messages(w.publish); !ok)
    return ok;
  if (w.commands.size() > max_bulk)
    return fail(problem::too_large, "too many commands", "commands");
  if (w.event_seq.size() > 64)
    return fail(problem::too_large, "too many event classes", "event_seq");
  for (const auto& c : w.commands)
    if (auto ok = check_text(c.outcome, "commands.outcome", max_document); !ok)
      return ok;
  for (const auto& s : w.event_seq)
    if (!valid_level(s.first))
      return fail(problem::malformed, "an event class is a level of a topic", "event_seq");
  return success();
}

/// One update per id: the last one given.
std::vector<const command_row*> distinct(const std::vector<command_row>& commands) {
  std::map<uuid, const command_row*> last;
  for (const auto& c : commands)
    last[c.id] = &c;
  std::vector<const command_row*> out;
  out.reserve(last.size());
  for (const auto& [id, c] : last)
    out.push_back(c);
  return out;
}

void add_commands(params& to, const std::vector<command_row>& commands) {
  std::vector<std::string> statuses, outcomes, codes, words;
  std::vector<uuid> ids;
  std::vector<bool> dispatched;
  std::vector<std::optional<std::int64_t>> values;
  for (const auto* c : distinct(commands)) {
    const auto outcome = stored_outcome(*c);
    ids.push_back(c->id);
    statuses.emplace_back(to_string(c->status));
    dispatched.push_back(c->dispatched);
    outcomes.push_back(c->outcome);
    codes.push_back(outcome.code);
    words.push_back(outcome.text);
    values.push_back(outcome.return_value ? std::optional<std::int64_t>(*outcome.return_value)
                                          : std::nullopt);
  }
  to.ids(ids).texts(statuses).flags(dispatched).octets_list(outcomes).texts(codes).texts(words);
  to.numbers(values);
}

} // namespace

std::string_view told_state(link_state s) {
  return to_string(s == link_state::late ? link_state::up : s);
}

bool power_satisfied(const current_state& s) {
  return std::none_of(s.conditions.begin(), s.conditions.end(),
                      [](const condition& c) { return c.type == "power" && !c.ok; });
}

void pg_store::load_device(device_ref ref, answer<device_row> cb) {
  load(lane::relaxed, std::move(ref), std::move(cb));
}

void pg_store::load(lane where, device_ref ref, answer<device_row> cb) {
  params p;
  p.device(ref);
  db_.submit(where, load_sql, std::move(p), false,
             answer_with<device_row>(std::move(cb),
                                     [ref](std::vector<rows>& r) { return read_row(ref, r[0]); }));
}

void pg_store::show_device(device_ref ref, answer<device_row> cb) {
  load(lane::asked, std::move(ref), std::move(cb));
}

void pg_store::read_desired(device_ref ref, answer<desired_row> cb) {
  params p;
  p.device(ref);
  db_.submit(
      lane::asked, read_desired_sql, std::move(p), false,
      answer_with<desired_row>(std::move(cb), [ref](std::vector<rows>& r) -> result<desired_row> {
        if (r[0].size() == 0)
          return no_device(ref);
        desired_row out;
        out.desired_rev = r[0].count(0, 1);
        auto octets = r[0].octets(0, 0);
        if (octets.empty())
          return out;
        auto desired = bus::unpack_desired(octets);
        if (!desired)
          return unreadable(ref, "desired state", desired.error());
        out.desired = std::move(*desired);
        return out;
      }));
}

void pg_store::save_current(current_write w, answer<current_written> cb) {
  if (auto ok = check_save(w); !ok)
    return db_.post([cb = std::move(cb), why = ok.error()] { cb(why); });
  if (current_writes::shares(w))
    return writes_->save(std::move(w), std::move(cb));
  save_one(db_, std::move(w), std::move(cb));
}

void save_one(connections& db, current_write w, answer<current_written> cb) {
  std::vector<std::string> classes;
  std::vector<std::int64_t> numbers;
  for (const auto& [name, n] : w.event_seq) {
    classes.push_back(name);
    numbers.push_back(static_cast<std::int64_t>(n));
  }
  params p;
  p.device(w.ref).number(w.expected_rev).octets(bus::pack(w.next)).number(w.next.desired_rev);
  p.flag(power_satisfied(w.next)).texts(classes).numbers(numbers);
  p.number(w.next.link.epoch).text(std::string(told_state(w.next.link.state)));
  add_messages(p, w.publish, db.token());
  if (w.fence != 0)
    p.number(w.fence);
  if (!w.commands.empty())
    add_commands(p, w.commands);
  db.submit(
      w.durable ? lane::durable : lane::relaxed, save_statement(w.fence != 0, !w.commands.empty()),
      std::move(p), true,
      [&db, ref = w.ref, fence = w.fence, tells = !w.publish.empty(), cb = std::move(cb)](reply r) {
        auto* e = std::get_if<reply_error>(&r);
        if (tells && (!e || e->what.what == problem::outcome_unknown))
          db.wake();
        if (e)
          return cb(e->what);
        const auto& told = std::get<std::vector<rows>>(r)[0];
        if (told.number(0, 3) == 0)
          return cb(not_controller(fence));
        if (told.number(0, 0) == 0 && told.number(0, 2) == 0)
          return cb(no_device(ref));
        cb(current_written{told.number(0, 0) == 0});
      });
}

void pg_store::unsettled(std::string after, std::size_t limit, answer<std::vector<device_ref>> cb) {
  auto from = page_after(after, limit);
  if (!from)
    return db_.post([cb = std::move(cb), why = from.error()] { cb(why); });
  db_.submit(lane::relaxed, unsettled_sql, std::move(*from), false,
             answer_with<std::vector<device_ref>>(
                 std::move(cb), [](std::vector<rows>& r) { return read_refs(r[0]); }));
}

} // namespace outband::store
