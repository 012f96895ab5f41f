// The audit trail: acts that are begun and finished here, records of what is over, and reading.
#include "actors/store/audit_rows.hpp"
#include "actors/store/pg_store.hpp"
#include "actors/store/records.hpp"
#include "messages/domain/result.hpp"

#include <algorithm>
#include <set>

namespace outband::store {

namespace {

/// A redelivered request finds the row; both statements see the same transaction.
std::string begin_text(bool fenced) {
  return std::string("with") + (fenced ? fence_cte(12) : "") + R"(
put as (
  insert into audit (tenant, id, at, act, guid, asked_by, channel, node, address, argument,
    argument_hash, deadline, status)
  select $1::text, $2::uuid, now_ms(), $3::text, $4::uuid, $5::text, $6::text, $7::text, $8::text,
    $9::text, $10::text, $11::bigint, 'asked')" +
         (fenced ? " from fence" : "") + R"(
  on conflict (tenant, id) do nothing
  returning at
)
select (select count(*) from put), (select max(at) from put), )" +
         (fenced ? "(select count(*) from fence)" : "1");
}
const statement begin_sql{"begin_audit", begin_text(false)};
const statement begin_fenced_sql{"begin_audit_fenced", begin_text(true)};

const statement get_sql{"get_audit", "select " + audit_columns(true) +
                                         " from audit a where a.tenant = $1::text and "
                                         "a.id = $2::uuid"};

// What has ended stays as it ended, also if the word comes after the deadline.
const statement finish_sql{"finish_audit", R"(
with ended as (
  update audit a set status = $3::text, code = $4::text, words = $5::text,
    return_value = $6::bigint, document = $7::bytea, finished_at = now_ms()
  where a.tenant = $1::text and a.id = $2::uuid and a.status = 'asked'
  returning a.tenant
),)" + publish_ctes("ended", 8) + R"(
select (select count(*) from audit where tenant = $1::text and id = $2::uuid),
  (select count(*) from published))"};

const statement record_sql{"record_audit", R"(
with put as (
  insert into audit (tenant, id, at, act, guid, asked_by, channel, node, address, argument,
    argument_hash, deadline, status, code, words, return_value, finished_at, count)
  select r.tenant, r.id, t.now, r.act, r.guid, r.asked_by, r.channel, r.node, r.address,
    r.argument, r.argument_hash, 0, r.status, r.code, r.words, r.return_value, t.now, r.count
  from (select now_ms() as now) t, unnest($1::text[], $2::uuid[], $3::text[], $4::text[]::uuid[],
    $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[],
    $12::text[], $13::text[], $14::bigint[], $15::bigint[])
    as r (tenant, id, act, guid, asked_by, channel, node, address, argument, argument_hash, status,
          code, words, return_value, count)
  returning at
),
noted as (select max(at) as at from put having count(*) > 0),)" +
                                               publish_ctes("noted", 16) +
                                               R"(
select at, (select count(*) from published) from noted)"};

// -- lists ----------------------------------------------------------------------------------------

// Which conditions a list has decides its plan, so each combination is a statement of its own.
struct list_shape {
  bool device = false, by = false, act = false;
  std::optional<audit_status> status;
  std::size_t index() const {
    auto s = status ? 1 + static_cast<std::size_t>(*status) : 0;
    return (device ? 1u : 0u) + (by ? 2u : 0u) + (act ? 4u : 0u) + 8 * s;
  }
};
constexpr std::size_t statuses = 6, shapes = 8 * (statuses + 1);

const std::string overdue =
    "(a.deadline > 0 and a.deadline + " + std::to_string(audit_grace) + " < (select now_ms()))";

/// The literal lets the planner see that the partial index of what is not done serves.
std::string status_condition(audit_status s) {
  switch (s) {
  case audit_status::asked:
    return " and a.status = 'asked' and not " + overdue;
  case audit_status::unknown:
    return " and a.status <> 'done' and (a.status = 'unknown' or (a.status = 'asked' and " +
           overdue + "))";
  case audit_status::done:
  case audit_status::failed:
  case audit_status::rejected:
  case audit_status::expired:
    return " and a.status = '" + std::string(to_string(s)) + "'";
  }
  return {};
}

statement list_statement(const list_shape& s) {
  std::string where = " where a.tenant = $1::text and a.at >= $5::bigint and a.at < $6::bigint"
                      " and (a.at, a.id) < ($7::bigint, $8::uuid)";
  if (s.device)
    where += " and a.guid = $2::uuid";
  if (s.by)
    where += " and a.asked_by = $3::text";
  if (s.act)
    where += " and a.act = $4::text";
  if (s.status)
    where += status_condition(*s.status);
  // A parameter that no condition mentions must still have a type.
  return {"list_audit_" + std::to_string(s.index()),
          "with typed as (select $2::uuid, $3::text, $4::text) select " + audit_columns(false) +
              " from audit a" + where +
              " order by a.at desc, a.id desc limit $9::bigint offset $10::bigint"};
}

const statement& list_sql(const list_shape& wanted) {
  static const auto all = [] {
    std::vector<statement> out(shapes);
    for (std::size_t flags = 0; flags < 8; ++flags)
      for (std::size_t st = 0; st <= statuses; ++st) {
        list_shape s{(flags & 1) != 0, (flags & 2) != 0, (flags & 4) != 0, {}};
        if (st != 0)
          s.status = static_cast<audit_status>(st - 1);
        out[s.index()] = list_statement(s);
      }
    return out;
  }();
  return all[wanted.index()];
}

struct cursor {
  std::int64_t at = INT64_MAX;
  uuid id;
};
result<cursor> parse_cursor(const std::string& text) {
  cursor c;
  c.id.bytes.fill(0xFF);
  if (text.empty())
    return c;
  const auto dot = text.find('.');
  const auto id =
      dot == std::string::npos ? std::nullopt : parse_uuid(std::string_view(text).substr(dot + 1));
  const bool digits = dot != std::string::npos && dot > 0 && dot <= 16 &&
                      std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(dot),
                                  [](char ch) { return ch >= '0' && ch <= '9'; });
  if (!id || !digits)
    return fail(problem::malformed, "must be the `next` of a page", "after");
  c.at = std::strtoll(text.c_str(), nullptr, 10);
  c.id = *id;
  return c;
}

// -- writing --------------------------------------------------------------------------------------

status check_entry(const audit_entry& e, const std::string& at) {
  if (e.tenant != site_tenant && !valid_tenant_key(e.tenant))
    return fail(problem::not_found, "there is no such tenant", at + "tenant");
  if (e.id.is_nil())
    return fail(problem::malformed, "must not be nil", at + "id");
  if (auto ok = check_text(e.act, at + "act", 64); !ok || e.act.empty())
    return fail(problem::malformed, "must be 1 to 64 octets", at + "act");
  return check_text(e.argument, at + "argument", max_audit_argument);
}

audit_entry storable(audit_entry e) {
  e.act = store::storable(e.act, 64);
  for (auto* text : {&e.by, &e.channel, &e.node, &e.address, &e.argument_hash})
    *text = store::storable(*text, max_text);
  e.argument = store::storable(e.argument, max_audit_argument);
  return e;
}

std::optional<std::int64_t> number_of(const std::optional<std::uint32_t>& n) {
  return n ? std::optional<std::int64_t>(*n) : std::nullopt;
}

params begin_params(const audit_entry& e) {
  params p;
  p.text(e.tenant).id(e.id).text(e.act);
  e.device ? p.id(*e.device) : p.null();
  p.text(e.by).text(e.channel).text(e.node).text(e.address).text(e.argument);
  p.text(e.argument_hash).number(e.deadline);
  return p;
}

params record_params(const std::vector<audit_record>& all) {
  std::vector<std::string> tenants, acts, by, channels, nodes, addresses, arguments, hashes,
      status_names, codes, words;
  std::vector<uuid> ids;
  std::vector<std::optional<std::string>> guids;
  std::vector<std::optional<std::int64_t>> values;
  std::vector<std::int64_t> counts;
  for (const auto& r : all) {
    auto e = storable(r.entry);
    tenants.push_back(e.tenant);
    ids.push_back(e.id);
    acts.push_back(e.act);
    guids.push_back(e.device ? std::optional(to_string(*e.device)) : std::nullopt);
    by.push_back(e.by);
    channels.push_back(e.channel);
    nodes.push_back(e.node);
    addresses.push_back(e.address);
    arguments.push_back(e.argument);
    hashes.push_back(e.argument_hash);
    status_names.emplace_back(to_string(r.outcome.status));
    codes.push_back(store::storable(r.outcome.code, 64));
    words.push_back(store::storable(r.outcome.text, max_audit_words));
    values.push_back(number_of(r.outcome.return_value));
    counts.push_back(static_cast<std::int64_t>(r.count));
  }
  params p;
  p.texts(tenants).ids(ids).texts(acts).texts(guids).texts(by).texts(channels).texts(nodes);
  p.texts(addresses).texts(arguments).texts(hashes).texts(status_names).texts(codes).texts(words);
  p.numbers(values).numbers(counts);
  return p;
}

} // namespace

void pg_store::begin_audit(audit_begin what, answer<audit_begun> cb) {
  const auto e = storable(std::move(what.entry));
  auto ok = check_entry(e, "");
  if (ok && e.deadline <= 0)
    ok = fail(problem::malformed, "an act that is begun needs one", "deadline");
  if (!ok)
    return db_.post([cb = std::move(cb), why = ok.error()] { cb(why); });
  auto p = begin_params(e);
  if (what.fence != 0)
    p.number(what.fence);
  params key;
  key.text(e.tenant).id(e.id);
  db_.submit(lane::durable,
             {{what.fence != 0 ? &begin_fenced_sql : &begin_sql, std::move(p)},
              {&get_sql, std::move(key)}},
             true, [broom = broom_, fence = what.fence, cb = std::move(cb)](reply r) {
               if (auto* e2 = std::get_if<reply_error>(&r))
                 return cb(e2->what);
               const auto& got = std::get<std::vector<rows>>(r);
               if (got[0].number(0, 2) == 0)
                 return cb(not_controller(fence));
               if (got[1].size() == 0) // the broom took the other one between the two statements
                 return cb(
                     fail(problem::store_unavailable, "the row has gone; nothing was written"));
               const bool ours = got[0].number(0, 0) == 1;
               if (ours)
                 broom->written(got[0].number(0, 1));
               cb(audit_begun{!ours, read_audit(got[1], 0, 0)});
             });
}

void pg_store::finish_audit(audit_end what, answer<nothing> cb) {
  auto ok = check_messages(what.publish);
  if (ok && what.outcome.status == audit_status::asked)
    ok = fail(problem::malformed, "must be a final status", "status");
  // A trail keeps no large answers: who asks again is told that it is done, not with which words.
  if (what.outcome.document.size() > max_audit_document)
    what.outcome.document.clear();
  if (!ok)
    return db_.post([cb = std::move(cb), why = ok.error()] { cb(why); });
  params p;
  p.text(what.tenant).id(what.id).text(std::string(to_string(what.outcome.status)));
  p.text(store::storable(what.outcome.code, 64));
  p.text(store::storable(what.outcome.text, max_audit_words));
  if (what.outcome.return_value)
    p.number(static_cast<std::int64_t>(*what.outcome.return_value));
  else
    p.null();
  p.octets(what.outcome.document);
  add_messages(p, what.publish, db_.token());
  // Relaxed: an outcome that a crash of the database loses reads as `unknown`, which is true.
  db_.submit(lane::relaxed, finish_sql, std::move(p), true,
             [&db = db_, tells = !what.publish.empty(), cb = std::move(cb)](reply r) {
               auto* e = std::get_if<reply_error>(&r);
               if (tells && (!e || e->what.what == problem::outcome_unknown))
                 db.wake();
               if (e)
                 return cb(e->what);
               if (std::get<std::vector<rows>>(r)[0].number(0, 0) == 0)
                 return cb(fail(problem::not_found, "there is no such act", "id"));
               cb(nothing{});
             });
}

void pg_store::record_audit(std::vector<audit_record> what, std::vector<bus::outgoing> publish,
                            answer<nothing> cb) {
  auto ok = check_messages(publish);
  if (ok && what.size() > max_bulk)
    ok = fail(problem::too_large, "at most 10,000 records per call");
  for (std::size_t i = 0; ok && i < what.size(); ++i) {
    const auto at = "[" + std::to_string(i) + "].";
    ok = check_entry(what[i].entry, at);
    if (ok && what[i].outcome.status == audit_status::asked)
      ok = fail(problem::malformed, "must be a final status", at + "status");
  }
  if (!ok)
    return db_.post([cb = std::move(cb), why = ok.error()] { cb(why); });
  if (what.empty())
    return db_.post([cb = std::move(cb)] { cb(nothing{}); });
  auto p = record_params(what);
  add_messages(p, publish, db_.token());
  db_.submit(lane::relaxed, record_sql, std::move(p), true,
             [&db = db_, broom = broom_, tells = !publish.empty(), cb = std::move(cb)](reply r) {
               auto* e = std::get_if<reply_error>(&r);
               if (tells && (!e || e->what.what == problem::outcome_unknown))
                 db.wake();
               if (e && e->sqlstate == "23505")
                 return cb(fail(problem::already_exists, "an id is not new", "id"));
               if (e)
                 return cb(e->what);
               broom->written(std::get<std::vector<rows>>(r)[0].number(0, 0));
               cb(nothing{});
             });
}

// -- reading --------------------------------------------------------------------------------------

void pg_store::get_audit(tenant_key tenant, uuid id, answer<audit_row> cb) {
  params p;
  p.text(std::move(tenant)).id(id);
  db_.submit(lane::asked, get_sql, std::move(p), false,
             answer_with<audit_row>(std::move(cb), [](std::vector<rows>& r) -> result<audit_row> {
               if (r[0].size() == 0)
                 return fail(problem::not_found, "there is no such act", "id");
               return read_audit(r[0], 0, 0);
             }));
}

void pg_store::list_audit(audit_filter f, answer<audit_page> cb) {
  status ok = success();
  if (f.top == 0 || f.top > max_page)
    ok = fail(problem::too_large, "1 to 10,000 rows per page", "top");
  if (ok && f.skip > 1'000'000'000)
    ok = fail(problem::too_large, "more rows than any tenant has", "skip");
  auto from = parse_cursor(f.after);
  if (ok && !from)
    ok = from.error();
  if (!ok)
    return db_.post([cb = std::move(cb), why = ok.error()] { cb(why); });
  params p;
  p.text(f.tenant);
  f.device ? p.id(*f.device) : p.null();
  p.text(f.by).text(f.act).number(f.from).number(f.to != 0 ? f.to : INT64_MAX);
  p.number(from->at).id(from->id);
  p.number(static_cast<std::int64_t>(f.top + 1)).number(static_cast<std::int64_t>(f.skip));
  const list_shape shape{f.device.has_value(), f.by.has_value(), f.act.has_value(), f.status};
  db_.submit(lane::asked, list_sql(shape), std::move(p), false,
             answer_with<audit_page>(std::move(cb), [top = f.top](std::vector<rows>& r) {
               audit_page page;
               const auto found = static_cast<std::size_t>(r[0].size());
               for (std::size_t i = 0; i < std::min(found, top); ++i)
                 page.rows.push_back(read_audit(r[0], static_cast<int>(i), 0));
               if (found > top) {
                 const auto& last = page.rows.back();
                 page.next = std::to_string(last.at) + "." + to_string(last.entry.id);
               }
               return page;
             }));
}

} // namespace outband::store
