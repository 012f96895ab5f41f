// The last activation of each machine, written by whoever carries it out.
#include "actors/store/audit_rows.hpp"
#include "actors/store/connections.hpp"
#include "actors/store/pg_provisioning.hpp"
#include "actors/store/provisioning_rows.hpp"

namespace outband::store {

namespace {

constexpr std::size_t max_words = 2048;

const std::string columns = "a.tenant, a.guid, a.id, a.act, a.profile, a.state, a.step, a.code, "
                            "a.words, a.mode, a.node, a.started, a.updated";

// Parameters 1 to 11: tenant, guid, id, act, profile, state, step, code, words, mode, node.
//
// A node without a row in `instance` (it has none while the lease is not used) is taken to be
// alive: then only silence ends its activation. The conflict clause looks at the newest version of
// the row, so of two that begin at once one finds the other running. What is to go, or has been
// deauthorized, is not activated; nor is anything of a tenant that is to go.
const statement begin_sql{"begin_activation", R"(
with begun as (
  insert into activation as a (tenant, guid, id, act, profile, state, step, code, words, mode, node,
    incarnation, started, updated)
  select d.tenant, d.guid, $3::uuid, $4::text, $5::text, $6::text, $7::text, $8::text, $9::text,
    $10::integer, $11::text, (select i.incarnation from instance i where i.name = $11::text),
    now_ms(), now_ms()
  from device d where d.tenant = $1::text and d.guid = $2::uuid
    and ($4::text <> 'activate'
      or not exists (select from removal r where r.tenant = d.tenant and r.guid = d.guid)
        and not exists (select from tenant t where t.key = d.tenant and t.leaving))
  on conflict (tenant, guid) do update set
    id = excluded.id, act = excluded.act, profile = excluded.profile, state = excluded.state,
    step = excluded.step, code = excluded.code, words = excluded.words,
    mode = case when excluded.mode < 0 then a.mode else excluded.mode end, node = excluded.node,
    incarnation = excluded.incarnation,
    started = case when a.id = excluded.id then a.started else excluded.started end,
    updated = excluded.updated
  where a.id = excluded.id or a.state <> 'running' or a.updated <= now_ms() - $12::bigint
    or (a.incarnation is not null and not exists (select from instance i
      where i.name = a.node and i.incarnation = a.incarnation and not i.buried))
  returning a.tenant
),)" + publish_ctes("begun", 13) +
                                                  R"(
select (select count(*) from begun),
  (select count(*) from device d where d.tenant = $1::text and d.guid = $2::uuid),
  (select count(*) from published),
  (select case when t.leaving then 'tenant' when r.guid is not null then 'removal' else '' end
    from tenant t left join removal r on r.tenant = t.key and r.guid = $2::uuid
    where $4::text = 'activate' and t.key = $1::text))"};

// What has ended stays so: a step that arrives late opens nothing again. On the lane that does not
// wait for the disk, so that notes stay in order; an end commits synchronously all the same.
const statement note_sql{"note_activation", R"(
with noted as (
  update activation a set act = $4::text, profile = $5::text, state = $6::text, step = $7::text,
    code = $8::text, words = $9::text,
    mode = case when $10::integer < 0 then a.mode else $10::integer end, node = $11::text,
    updated = now_ms()
  where a.tenant = $1::text and a.guid = $2::uuid and a.id = $3::uuid
    and (a.state = 'running' or $6::text <> 'running')
  returning a.tenant
),)" + publish_ctes("noted", 12) +
                                                R"(
select (select count(*) from noted),
  (select count(*) from activation a where a.tenant = $1::text and a.guid = $2::uuid),
  (select count(*) from published),
  case when $6::text <> 'running' then set_config('synchronous_commit', 'on', true) end)"};

const statement get_sql{"get_activation", "select " + columns +
                                              " from activation a where a.tenant = $1::text and "
                                              "a.guid = $2::uuid"};
const statement list_sql{"list_activations", "select " + columns + R"( from activation a
where a.tenant = $1::text order by a.started desc, a.guid limit $2::bigint offset $3::bigint)"};
const statement count_sql{"count_activations",
                          "select count(*) from activation where tenant = $1::text"};

activation_row read_activation(const rows& r, int row) {
  activation_row a;
  a.device = {r.text(row, 0), r.id(row, 1)};
  a.id = r.id(row, 2);
  a.act = parse_provisioning_act(r.view(row, 3)).value_or(provisioning_act::activate);
  a.profile = r.text(row, 4);
  a.state = parse_activation_state(r.view(row, 5)).value_or(activation_state::interrupted);
  a.step = r.text(row, 6);
  a.code = r.text(row, 7);
  a.text = r.text(row, 8);
  a.mode = static_cast<int>(r.number(row, 9));
  a.node = r.text(row, 10);
  a.started = r.number(row, 11);
  a.updated = r.number(row, 12);
  return a;
}

status check_note(const activation_note& n) {
  auto ok = check_tenant(n.row.device.tenant);
  if (ok && n.row.id.is_nil())
    ok = fail(problem::malformed, "must not be nil", "id");
  if (ok)
    ok = check_text(n.row.profile, "profile");
  if (ok)
    ok = check_text(n.row.step, "step", 64);
  if (ok)
    ok = check_text(n.row.code, "code", 64);
  if (ok)
    ok = check_text(n.row.node, "node", 64);
  if (ok)
    ok = check_messages(n.publish);
  return ok;
}

params note_params(const activation_row& a) {
  params p;
  p.device(a.device).id(a.id).text(std::string(to_string(a.act))).text(a.profile);
  // The words may be the firmware's own; how an activation stands must not get lost by them.
  p.text(std::string(to_string(a.state))).text(a.step).text(a.code);
  p.text(storable(a.text, max_words));
  p.number(std::int64_t{a.mode}).text(a.node);
  return p;
}

} // namespace

void pg_provisioning::begin_activation(activation_note note, std::chrono::milliseconds quiet,
                                       answer<nothing> cb) {
  auto ok = check_note(note);
  if (ok && note.row.state != activation_state::running)
    ok = fail(problem::malformed, "what begins is running", "state");
  if (!ok)
    return db_.post([cb = std::move(cb), why = ok.error()] { cb(why); });
  auto p = note_params(note.row);
  p.number(std::int64_t{quiet.count()});
  add_messages(p, note.publish, db_.token());
  db_.submit(lane::durable, begin_sql, std::move(p), true,
             [&db = db_, ref = note.row.device, tells = !note.publish.empty(),
              cb = std::move(cb)](reply r) {
               auto* e = std::get_if<reply_error>(&r);
               if (tells && (!e || e->what.what == problem::outcome_unknown))
                 db.wake();
               if (e)
                 return cb(e->what);
               const auto& got = std::get<std::vector<rows>>(r)[0];
               if (got.number(0, 0) != 0)
                 return cb(nothing{});
               if (got.number(0, 1) == 0)
                 return cb(no_device(ref));
               if (got.view(0, 3) == "tenant")
                 return cb(tenant_leaves());
               if (got.view(0, 3) == "removal")
                 return cb(fail(problem::transition_refused,
                                "the machine is to go, or was deauthorized", "uuid"));
               cb(fail(problem::busy, "another activation of this machine is running"));
             });
}

void pg_provisioning::note_activation(activation_note note, answer<nothing> cb) {
  if (auto ok = check_note(note); !ok)
    return db_.post([cb = std::move(cb), why = ok.error()] { cb(why); });
  auto p = note_params(note.row);
  add_messages(p, note.publish, db_.token());
  db_.submit(lane::relaxed, note_sql, std::move(p), true,
             [&db = db_, ref = note.row.device, tells = !note.publish.empty(),
              cb = std::move(cb)](reply r) {
               auto* e = std::get_if<reply_error>(&r);
               if (tells && (!e || e->what.what == problem::outcome_unknown))
                 db.wake();
               if (e)
                 return cb(e->what);
               const auto& got = std::get<std::vector<rows>>(r)[0];
               if (got.number(0, 0) != 0)
                 return cb(nothing{});
               if (got.number(0, 1) == 0)
                 return cb(fail(problem::not_found, "there is no activation of " +
                                                        to_string(ref.device) + " in tenant '" +
                                                        ref.tenant + "'"));
               cb(fail(problem::stale_epoch,
                       "this activation has ended, or another one has begun meanwhile"));
             });
}

void pg_provisioning::get_activation(device_ref device, answer<activation_row> cb) {
  params p;
  p.device(device);
  db_.submit(lane::asked, get_sql, std::move(p), false,
             answer_with<activation_row>(
                 std::move(cb), [device](std::vector<rows>& r) -> result<activation_row> {
                   if (r[0].size() == 0)
                     return fail(problem::not_found,
                                 "there has been no activation of " + to_string(device.device));
                   return read_activation(r[0], 0);
                 }));
}

void pg_provisioning::list_activations(tenant_key tenant, page_wish page,
                                       answer<page_of<activation_row>> cb) {
  if (auto ok = check_page(page); !ok)
    return db_.post([cb = std::move(cb), why = ok.error()] { cb(why); });
  params p, t;
  t.text(tenant);
  p.text(std::move(tenant)).number(static_cast<std::int64_t>(page.top));
  p.number(static_cast<std::int64_t>(page.skip));
  db_.submit(lane::asked, {{&list_sql, std::move(p)}, {&count_sql, std::move(t)}}, false,
             answer_with<page_of<activation_row>>(std::move(cb), [](std::vector<rows>& r) {
               page_of<activation_row> out;
               for (int i = 0; i < r[0].size(); ++i)
                 out.rows.push_back(read_activation(r[0], i));
               out.total = static_cast<std::size_t>(r[1].number(0, 0));
               return out;
             }));
}

} // namespace outband::store
