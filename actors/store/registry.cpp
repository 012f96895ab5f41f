// Tenants, and what concerns the database as a whole.
#include "actors/store/connections.hpp"
#include "actors/store/pg_store.hpp"
#include "actors/store/records.hpp"

namespace outband::store {

namespace {

const statement create_tenant_sql{"create_tenant", R"(
insert into tenant (key, display_name, project_id, created)
values ($1::text, $2::text, $3::text, case when $4::bigint > 0 then $4 else now_ms() end)
returning key, display_name, project_id, created)"};
const statement list_tenants_sql{"list_tenants", R"(
select key, display_name, project_id, created from tenant order by key limit 10000)"};
const statement ping_sql{"ping", "select count(*) from tenant where key = ''"};

tenant_row read_tenant(const rows& r, int i) {
  return {r.text(i, 0), r.text(i, 1), r.text(i, 2), r.number(i, 3)};
}

} // namespace

void pg_store::create_tenant(tenant_row row, answer<tenant_row> cb) {
  status ok = success();
  if (!valid_tenant_key(row.key))
    ok = fail(problem::malformed,
              "must be 1 to 20 of a-z, 0-9 and -, neither first nor last being -", "key");
  if (ok)
    ok = check_text(row.display_name, "display_name", 128);
  if (ok)
    ok = check_text(row.project_id, "project_id", 64);
  if (!ok)
    return db_.post([cb = std::move(cb), why = ok.error()] { cb(why); });
  params p;
  p.text(row.key).text(row.display_name).text(row.project_id).number(row.created);
  db_.submit(
      lane::durable, create_tenant_sql, std::move(p), true, [cb = std::move(cb), row](reply r) {
        if (auto* e = std::get_if<reply_error>(&r)) {
          if (e->sqlstate != "23505")
            return cb(e->what);
          if (e->constraint == "tenant_project")
            return cb(
                fail(problem::already_exists, "another tenant has this project", "project_id"));
          return cb(fail(problem::already_exists, "there is a tenant '" + row.key + "'", "key"));
        }
        cb(read_tenant(std::get<std::vector<rows>>(r)[0], 0));
      });
}

void pg_store::list_tenants(answer<std::vector<tenant_row>> cb) {
  db_.submit(lane::asked, list_tenants_sql, {}, false,
             answer_with<std::vector<tenant_row>>(std::move(cb), [](std::vector<rows>& r) {
               std::vector<tenant_row> out;
               out.reserve(static_cast<std::size_t>(r[0].size()));
               for (int i = 0; i < r[0].size(); ++i)
                 out.push_back(read_tenant(r[0], i));
               return out;
             }));
}

void pg_store::ping(answer<nothing> cb) {
  // Reads a table, so that a database without our schema does not pass for a good one; over the
  // connection that wishes take.
  db_.submit(lane::durable, ping_sql, {}, false,
             answer_with<nothing>(std::move(cb), [](std::vector<rows>&) { return nothing{}; }));
}

} // namespace outband::store
