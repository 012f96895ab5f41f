// One-time tokens of the activation WebSocket.
#include "actors/store/connections.hpp"
#include "actors/store/pg_provisioning.hpp"
#include "actors/store/provisioning_rows.hpp"

#include <algorithm>

namespace outband::store {

namespace {

// As many a tenant may have, and so long they are shown after they have ended.
constexpr std::int64_t max_tokens = 100'000, keep_ms = std::int64_t{30} * 24 * 3600 * 1000;

const std::string columns = "t.tenant, t.id, t.act, t.profile, t.guid, t.made_by, t.created, "
                            "t.expires, t.used, t.used_by";

// In a tenant that is to go machines are deactivated, and nothing else.
const statement create_sql{"create_token", R"(
with old as (
  delete from activation_token where tenant = $1::text and expires < now_ms() - $11::bigint
),
home as materialized (
  select t.key, t.leaving and $4::text <> 'deactivate' as shut from tenant t
  where t.key = $1::text for share
),
made as (
  insert into activation_token (tenant, id, hash, act, profile, guid, made_by, created, expires)
  select h.key, $2::uuid, $3::text, $4::text, $5::text, $6::uuid, $7::text,
    case when $8::bigint > 0 then $8 else now_ms() end, $9::bigint
  from home h
  where not h.shut
    and (select count(*) from activation_token where tenant = $1::text) < $10::bigint
  returning 1
)
select (select count(*) from made), (select count(*) from home),
  (select count(*) from home h where h.shut))"};
const statement list_sql{"list_tokens", "select " + columns + R"( from activation_token t
where t.tenant = $1::text order by t.created desc, t.id limit $2::bigint offset $3::bigint)"};
const statement count_sql{"count_tokens",
                          "select count(*) from activation_token where tenant = $1::text"};
const statement remove_sql{"remove_token", "delete from activation_token where tenant = $1::text "
                                           "and id = $2::uuid returning 1"};
const statement find_sql{"find_token",
                         "select " + columns + " from activation_token t where t.hash = $1::text"};

// The second select sees the token as it was before: it tells why it was not taken. One that seems
// to be good there was taken by somebody else at this moment.
const statement use_sql{"use_token", R"(
with taken as (
  update activation_token t set used = now_ms(), used_by = $2::uuid
  where t.hash = $1::text and t.used = 0 and t.expires > now_ms()
    and (t.guid is null or t.guid = $2::uuid)
  returning )" + columns + R"(
)
select 'taken', )" + columns + R"( from taken t
union all
select case when t.guid <> $2::uuid then 'other' when t.used <> 0 then 'used'
  when t.expires <= now_ms() then 'late' else 'used' end, )" +
                                         columns + R"(
from activation_token t where t.hash = $1::text and not exists (select from taken))"};

activation_token read_token(const rows& r, int row, int first) {
  activation_token t;
  t.tenant = r.text(row, first);
  t.id = r.id(row, first + 1);
  t.act = parse_provisioning_act(r.view(row, first + 2)).value_or(provisioning_act::activate);
  t.profile = r.maybe_text(row, first + 3);
  if (!r.is_null(row, first + 4))
    t.device = r.id(row, first + 4);
  t.by = r.text(row, first + 5);
  t.created = r.number(row, first + 6);
  t.expires = r.number(row, first + 7);
  t.used = r.number(row, first + 8);
  if (!r.is_null(row, first + 9))
    t.used_by = r.id(row, first + 9);
  return t;
}

failure unknown() {
  return fail(problem::not_found, "there is no such activation token");
}

bool is_hash(const std::string& h) {
  return h.size() == 64 && std::all_of(h.begin(), h.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

} // namespace

void pg_provisioning::create_token(activation_token token, std::string hash, answer<nothing> cb) {
  auto ok = check_tenant(token.tenant);
  if (ok && !is_hash(hash))
    ok = fail(problem::malformed, "must be 64 hexadecimal digits", "hash");
  if (ok && token.id.is_nil())
    ok = fail(problem::malformed, "must not be nil", "id");
  if (ok)
    ok = check_text(token.profile.value_or(""), "profile");
  if (ok)
    ok = check_text(token.by, "by");
  if (!ok)
    return db_.post([cb = std::move(cb), why = ok.error()] { cb(why); });
  params p;
  p.text(token.tenant).id(token.id).text(std::move(hash)).text(std::string(to_string(token.act)));
  p.text(token.profile);
  if (token.device)
    p.id(*token.device);
  else
    p.null();
  p.text(token.by).number(token.created).number(token.expires).number(max_tokens).number(keep_ms);
  db_.submit(lane::durable, create_sql, std::move(p), true, [cb = std::move(cb)](reply r) {
    if (auto* e = std::get_if<reply_error>(&r)) {
      if (e->sqlstate == "23505")
        return cb(fail(problem::already_exists, "there is such a token already", "id"));
      return cb(e->what);
    }
    const auto& got = std::get<std::vector<rows>>(r)[0];
    if (got.number(0, 1) == 0)
      return cb(fail(problem::not_found, "there is no such tenant", "tenant"));
    if (got.number(0, 2) != 0)
      return cb(tenant_leaves());
    if (got.number(0, 0) == 0)
      return cb(fail(problem::too_large, "a tenant may have at most 100,000 activation tokens"));
    cb(nothing{});
  });
}

void pg_provisioning::list_tokens(tenant_key tenant, page_wish page,
                                  answer<page_of<activation_token>> cb) {
  if (auto ok = check_page(page); !ok)
    return db_.post([cb = std::move(cb), why = ok.error()] { cb(why); });
  params p, t;
  t.text(tenant);
  p.text(std::move(tenant)).number(static_cast<std::int64_t>(page.top));
  p.number(static_cast<std::int64_t>(page.skip));
  db_.submit(lane::asked, {{&list_sql, std::move(p)}, {&count_sql, std::move(t)}}, false,
             answer_with<page_of<activation_token>>(std::move(cb), [](std::vector<rows>& r) {
               page_of<activation_token> out;
               for (int i = 0; i < r[0].size(); ++i)
                 out.rows.push_back(read_token(r[0], i, 0));
               out.total = static_cast<std::size_t>(r[1].number(0, 0));
               return out;
             }));
}

void pg_provisioning::remove_token(tenant_key tenant, uuid id, answer<nothing> cb) {
  params p;
  p.text(std::move(tenant)).id(id);
  db_.submit(lane::durable, remove_sql, std::move(p), true,
             answer_with<nothing>(std::move(cb), [](std::vector<rows>& r) -> result<nothing> {
               if (r[0].size() == 0)
                 return unknown();
               return nothing{};
             }));
}

void pg_provisioning::find_token(std::string hash, answer<activation_token> cb) {
  params p;
  p.text(std::move(hash));
  db_.submit(lane::asked, find_sql, std::move(p), false,
             answer_with<activation_token>(std::move(cb),
                                           [](std::vector<rows>& r) -> result<activation_token> {
                                             if (r[0].size() == 0)
                                               return unknown();
                                             return read_token(r[0], 0, 0);
                                           }));
}

void pg_provisioning::use_token(std::string hash, device_id device, answer<activation_token> cb) {
  params p;
  p.text(std::move(hash)).id(device);
  db_.submit(lane::durable, use_sql, std::move(p), true,
             answer_with<activation_token>(
                 std::move(cb), [](std::vector<rows>& r) -> result<activation_token> {
                   if (r[0].size() == 0)
                     return unknown();
                   const auto what = r[0].view(0, 0);
                   if (what == "taken")
                     return read_token(r[0], 0, 1);
                   if (what == "other")
                     return fail(problem::forbidden, "this activation token is another machine's");
                   if (what == "late")
                     return fail(problem::expired, "this activation token has expired");
                   return fail(problem::cancelled, "this activation token has been used");
                 }));
}

} // namespace outband::store
