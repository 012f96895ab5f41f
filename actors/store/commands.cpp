// What a person asked for: wishes and commands, each recorded under its id exactly once.
#include "actors/store/audit_rows.hpp"
#include "actors/store/connections.hpp"
#include "actors/store/pg_store.hpp"
#include "actors/store/records.hpp"
#include "messages/bus/stored.hpp"
#include "messages/rest/audit.hpp"

namespace outband::store {

namespace {

using kind = write_outcome::kind;

// $14 to $19 are the audit row's own: argument, channel, node, address, code, words; $20 what the
// firmware returned.
const std::string insert_command = R"(
  insert into command (tenant, guid, id, act, argument_hash, argument, asked_by, channel, status,
    dispatched, outcome, deadline, created, updated_at)
  select g.tenant, g.guid, $3::uuid, $4::text, $5::text, $6::bytea, $7::text, $8::text, $9::text,
    $10::boolean, $11::bytea, $12::bigint,
    case when $13::bigint > 0 then $13 else now_ms() end, now_ms() )";
const std::string insert_audit = R"(
  insert into audit (tenant, guid, id, at, act, asked_by, channel, node, address, argument,
    argument_hash, deadline, status, code, words, return_value, document, finished_at)
  select r.tenant, r.guid, $3::uuid, now_ms(), $4::text, $7::text, $15::text, $16::text, $17::text,
    $14::text, $5::text, $12::bigint, case $9::text when 'accepted' then 'asked' else $9::text end,
    $18::text, $19::text, $20::bigint, $11::bytea,
    case $9::text when 'accepted' then 0 else now_ms() end
  from recorded r )";
constexpr int after_command = 21; ///< the first parameter that is free

std::string free_parameter(int i) {
  return "$" + std::to_string(after_command + i);
}

const std::string is_new = R"(
    and not exists (select from command c where c.tenant = $1::text and c.id = $3::uuid)
    and not exists (select from audit a where a.tenant = $1::text and a.id = $3::uuid))";

// The id decides who is a duplicate, the revision who is late. A duplicate from another transaction
// that committed after this statement began violates the primary key of `command` or `audit`: the
// whole statement is undone, and classify() sees the other one.
std::string wish_text(bool fenced) {
  return "with" + (fenced ? fence_cte(after_command + 8) : std::string()) + R"(
gate as (
  update device d set desired = )" +
         free_parameter(0) + "::bytea, desired_rev = d.desired_rev + 1" +
         (fenced ? " from fence" : "") + R"(
  where d.tenant = $1::text and d.guid = $2::uuid and d.desired_rev = )" +
         free_parameter(1) + "::bigint" + is_new + R"(
  returning d.tenant, d.guid
),
recorded as ()" +
         insert_command + R"( from gate g returning tenant, guid),
noted as ()" +
         insert_audit + ")," + publish_ctes("recorded", after_command + 2) + R"(
select (select count(*) from recorded), (select count(*) from published), )" +
         (fenced ? "(select count(*) from fence)" : "1");
}

// The device's row is locked although it does not change: outbox ids of one device shall ascend in
// the order of commits.
std::string command_text(bool fenced) {
  return "with" + (fenced ? fence_cte(after_command + 6) : std::string()) + R"(
gate as (
  select d.tenant, d.guid from device d
  where d.tenant = $1::text and d.guid = $2::uuid)" +
         (fenced ? " and exists (select from fence)" : "") + is_new + R"(
  for no key update of d
),
recorded as ()" +
         insert_command + R"( from gate g returning tenant, guid),
noted as ()" +
         insert_audit + ")," + publish_ctes("recorded", after_command) + R"(
select (select count(*) from recorded), (select count(*) from published), )" +
         (fenced ? "(select count(*) from fence)" : "1");
}

const statement write_wish_sql{"write_wish", wish_text(false)};
const statement write_wish_fenced_sql{"write_wish_fenced", wish_text(true)};
const statement write_command_sql{"write_command", command_text(false)};
const statement write_command_fenced_sql{"write_command_fenced", command_text(true)};

const std::string command_list = command_columns("c.");
// Nothing was written: why? The device's revision, and what has that id if anything has: a command,
// or an act that is no command, or whose command is past its time.
const statement classify_sql{"classify_write", "select d.desired_rev, " + command_list + ", " +
                                                   audit_columns(true) + R"(
from (select 1) one
left join device d on d.tenant = $1::text and d.guid = $2::uuid
left join command c on c.tenant = $1::text and c.id = $3::uuid
left join audit a on a.tenant = $1::text and a.id = $3::uuid)"};

const statement get_command_sql{"get_command", "select " + command_list + R"(
from command c where c.tenant = $1::text and c.id = $2::uuid)"};

struct write {
  device_ref ref;
  uuid command;
  std::optional<revision> expected;
  const statement* sql = nullptr;
  params with;
  bool tells = false;
  std::uint64_t fence = 0;
};

void attempt(connections& db, std::shared_ptr<const write> w, bool last_try,
             answer<write_outcome> cb);

request_status status_of(audit_status s) {
  switch (s) {
  case audit_status::asked:
    return request_status::accepted;
  case audit_status::done:
    return request_status::done;
  case audit_status::failed:
    return request_status::failed;
  case audit_status::rejected:
    return request_status::rejected;
  case audit_status::expired:
    return request_status::expired;
  case audit_status::unknown:
    return request_status::unknown;
  }
  return request_status::unknown;
}

/// As much of a command as its audit row keeps.
command_row command_of(audit_row a) {
  command_row c;
  c.ref = {std::move(a.entry.tenant), a.entry.device.value_or(device_id{})};
  c.id = a.entry.id;
  c.act = std::move(a.entry.act);
  c.argument_hash = std::move(a.entry.argument_hash);
  c.by = std::move(a.entry.by);
  c.channel = std::move(a.entry.channel);
  c.status = status_of(a.outcome.status);
  c.outcome = std::move(a.outcome.document);
  c.deadline = a.entry.deadline;
  c.created = a.at;
  return c;
}

/// A snapshot taken after the failed attempt tells what it ran into.
void classify(connections& db, std::shared_ptr<const write> w, bool last_try,
              answer<write_outcome> cb) {
  params p;
  p.device(w->ref).id(w->command);
  db.submit(
      lane::durable, classify_sql, std::move(p), false,
      [&db, w, last_try, cb = std::move(cb)](reply r) mutable {
        if (auto* e = std::get_if<reply_error>(&r))
          return cb(e->what);
        const auto& found = std::get<std::vector<rows>>(r)[0];
        if (!found.is_null(0, 1))
          return cb(write_outcome{kind::duplicate, read_command(found, 0, 1)});
        constexpr int audit_at = 1 + command_column_count;
        if (!found.is_null(0, audit_at))
          return cb(write_outcome{kind::duplicate, command_of(read_audit(found, 0, audit_at))});
        if (found.is_null(0, 0))
          return cb(no_device(w->ref));
        if (w->expected && *w->expected != found.count(0, 0))
          return cb(write_outcome{kind::conflict, {}});
        // What stood in the way has gone again (a command removed, a device registered).
        if (!last_try)
          return attempt(db, std::move(w), true, std::move(cb));
        cb(fail(problem::store_unavailable,
                "other writers were in the way twice; nothing was written"));
      });
}

void attempt(connections& db, std::shared_ptr<const write> w, bool last_try,
             answer<write_outcome> cb) {
  db.submit(lane::durable, *w->sql, w->with, true,
            [&db, w, last_try, cb = std::move(cb)](reply r) mutable {
              auto* e = std::get_if<reply_error>(&r);
              if (e && e->sqlstate != "23505") {
                if (w->tells && e->what.what == problem::outcome_unknown)
                  db.wake();
                // The device was deleted while its command was being recorded.
                if (e->sqlstate == "23503")
                  return cb(no_device(w->ref));
                return cb(e->what);
              }
              if (!e && std::get<std::vector<rows>>(r)[0].number(0, 2) == 0)
                return cb(not_controller(w->fence));
              if (e || std::get<std::vector<rows>>(r)[0].number(0, 0) == 0)
                return classify(db, std::move(w), last_try, std::move(cb));
              if (w->tells)
                db.wake();
              cb(write_outcome{kind::written, {}});
            });
}

/// The request's own words, which hold no secret.
std::string argument_of(const command_row& c) {
  if (!c.kept_argument.empty())
    return storable(c.kept_argument, max_audit_argument);
  auto body = bus::unpack_request_body(c.argument);
  return body ? audit_argument(*body) : std::string();
}

void add_command(params& to, const command_row& c) {
  to.id(c.id).text(c.act).text(c.argument_hash).octets(c.argument).text(c.by).text(c.channel);
  to.text(std::string(to_string(c.status))).flag(c.dispatched).octets(c.outcome);
  to.number(c.deadline).number(c.created);
  // The desk's "rest:n1": who waits, and where.
  const auto colon = c.channel.find(':');
  const auto outcome = stored_outcome(c);
  to.text(argument_of(c)).text(storable(c.channel.substr(0, colon), max_text));
  to.text(colon == std::string::npos ? std::string()
                                     : storable(c.channel.substr(colon + 1), max_text));
  to.text(storable(c.address, max_text)).text(outcome.code).text(outcome.text);
  if (outcome.return_value)
    to.number(static_cast<std::int64_t>(*outcome.return_value));
  else
    to.null();
}

status check_command(const command_row& c) {
  auto ok = check_tenant(c.ref.tenant);
  if (ok)
    ok = check_text(c.act, "act");
  if (ok)
    ok = check_text(c.argument_hash, "argument_hash");
  if (ok)
    ok = check_text(c.by, "by");
  if (ok)
    ok = check_text(c.channel, "channel");
  if (ok)
    ok = check_text(c.argument, "argument", max_document);
  if (ok)
    ok = check_text(c.outcome, "outcome", max_document);
  return ok;
}

std::shared_ptr<const write> wish_write(const device_ref& ref, const command_row& command,
                                        revision expected, const desired_state& next,
                                        const std::vector<bus::outgoing>& publish,
                                        const std::string& token, std::uint64_t fence) {
  auto w = std::make_shared<write>();
  w->ref = ref;
  w->command = command.id;
  w->expected = expected;
  w->sql = fence != 0 ? &write_wish_fenced_sql : &write_wish_sql;
  w->fence = fence;
  w->with.device(ref);
  add_command(w->with, command);
  w->with.octets(bus::pack(next)).number(expected);
  add_messages(w->with, publish, token);
  if (fence != 0)
    w->with.number(fence);
  w->tells = !publish.empty();
  return w;
}

} // namespace

void pg_store::write_desired(desired_write w, answer<write_outcome> cb) {
  w.command.ref = w.ref;
  auto ok = check_command(w.command);
  if (ok)
    ok = check_messages(w.publish);
  if (!ok)
    return db_.post([cb = std::move(cb), why = ok.error()] { cb(why); });
  attempt(db_,
          wish_write(w.ref, w.command, w.expected_rev, w.next, w.publish, db_.token(), w.fence),
          false, std::move(cb));
}

void pg_store::write_command(command_write w, answer<write_outcome> cb) {
  const auto& ref = w.command.ref;
  auto publish = std::move(w.publish);
  if (w.wish)
    publish.insert(publish.end(), w.wish->publish.begin(), w.wish->publish.end());
  auto ok = check_command(w.command);
  if (ok)
    ok = check_messages(publish);
  if (ok && w.wish && w.wish->ref != ref)
    ok = fail(problem::malformed, "the wish is for another device than the command", "wish.ref");
  if (!ok)
    return db_.post([cb = std::move(cb), why = ok.error()] { cb(why); });
  if (w.wish)
    return attempt(db_,
                   wish_write(ref, w.command, w.wish->expected_rev, w.wish->next, publish,
                              db_.token(), w.fence),
                   false, std::move(cb));
  auto plain = std::make_shared<write>();
  plain->ref = ref;
  plain->command = w.command.id;
  plain->sql = w.fence != 0 ? &write_command_fenced_sql : &write_command_sql;
  plain->fence = w.fence;
  plain->with.device(ref);
  add_command(plain->with, w.command);
  add_messages(plain->with, publish, db_.token());
  if (w.fence != 0)
    plain->with.number(w.fence);
  plain->tells = !publish.empty();
  attempt(db_, std::move(plain), false, std::move(cb));
}

void pg_store::get_command(tenant_key tenant, uuid id, answer<command_row> cb) {
  params p;
  p.text(tenant).id(id);
  db_.submit(
      lane::asked, get_command_sql, std::move(p), false,
      answer_with<command_row>(std::move(cb), [id](std::vector<rows>& r) -> result<command_row> {
        if (r[0].size() == 0)
          return fail(problem::not_found, "there is no command " + to_string(id));
        return read_command(r[0], 0, 0);
      }));
}

} // namespace outband::store
