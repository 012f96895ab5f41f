// Built-in accounts and their roles.
#include "actors/store/connections.hpp"
#include "actors/store/pg_store.hpp"
#include "actors/store/records.hpp"

#include "messages/domain/roles.hpp"

namespace outband::store {

namespace {

const std::string account_columns = R"(
select a.name, a.password_hash, a.site_admin, a.created,
  array(select tenant from account_role where account = a.name order by tenant),
  array(select role from account_role where account = a.name order by tenant)
from account a )";
const statement get_sql{"get_account", account_columns + "where a.name = $1::text"};
const statement list_sql{"list_accounts", account_columns + "order by a.name limit 10000"};
// Three statements in one transaction: the first locks the account, the others then see what the
// writer before us has left.
const statement put_sql{"put_account", R"(
insert into account (name, password_hash, site_admin, created)
values ($1::text, $2::text, $3::boolean, case when $4::bigint > 0 then $4 else now_ms() end)
on conflict (name) do update set
  password_hash = excluded.password_hash, site_admin = excluded.site_admin)"};
const statement clear_roles_sql{"clear_roles", "delete from account_role where account = $1::text"};
const statement put_roles_sql{"put_roles", R"(
insert into account_role (account, tenant, role)
select $1::text, r.tenant, r.role from unnest($2::text[], $3::text[]) as r (tenant, role))"};
const statement delete_sql{"delete_account",
                           "delete from account where name = $1::text returning 1"};

account_row read_account(const rows& r, int i) {
  account_row a;
  a.name = r.text(i, 0);
  a.password_hash = r.text(i, 1);
  a.site_admin = r.flag(i, 2);
  a.created = r.number(i, 3);
  auto tenants = r.texts(i, 4);
  auto roles = r.texts(i, 5);
  for (std::size_t k = 0; k < tenants.size() && k < roles.size(); ++k)
    a.roles[tenants[k]] = roles[k];
  return a;
}

status check_account(const account_row& a) {
  if (!valid_level(a.name))
    return fail(problem::malformed, "must be 1 to 64 of a-z, 0-9 and -", "name");
  if (auto ok = check_text(a.password_hash, "password_hash", 512); !ok)
    return ok;
  if (a.roles.size() > max_bulk)
    return fail(problem::too_large, "too many roles", "roles");
  for (const auto& [tenant, held] : a.roles) {
    if (!valid_tenant_key(tenant))
      return fail(problem::not_found, "there is no such tenant", "roles." + tenant);
    auto parsed = parse_role(held);
    if (!parsed || *parsed == role::none || *parsed == role::site_admin)
      return fail(problem::malformed, "'" + held + "' is not one of viewer, operator, admin",
                  "roles." + tenant);
  }
  return success();
}

failure no_account(const std::string& name) {
  return fail(problem::not_found, "there is no account '" + name + "'");
}

} // namespace

void pg_store::get_account(std::string name, answer<account_row> cb) {
  params p;
  p.text(name);
  db_.submit(
      lane::asked, get_sql, std::move(p), false,
      answer_with<account_row>(std::move(cb), [name](std::vector<rows>& r) -> result<account_row> {
        if (r[0].size() == 0)
          return no_account(name);
        return read_account(r[0], 0);
      }));
}

void pg_store::put_account(account_row row, answer<nothing> cb) {
  if (auto ok = check_account(row); !ok)
    return db_.post([cb = std::move(cb), why = ok.error()] { cb(why); });
  std::vector<std::string> tenants, roles;
  for (const auto& [tenant, held] : row.roles) {
    tenants.push_back(tenant);
    roles.push_back(held);
  }
  params account, name, all;
  account.text(row.name).text(row.password_hash).flag(row.site_admin).number(row.created);
  name.text(row.name);
  all.text(row.name).texts(tenants).texts(roles);
  db_.submit(
      lane::durable,
      {{&put_sql, std::move(account)},
       {&clear_roles_sql, std::move(name)},
       {&put_roles_sql, std::move(all)}},
      true, [cb = std::move(cb)](reply r) {
        auto* e = std::get_if<reply_error>(&r);
        if (!e)
          return cb(nothing{});
        if (e->sqlstate == "23503")
          return cb(fail(problem::not_found, "a role names a tenant that does not exist", "roles"));
        cb(e->what);
      });
}

void pg_store::list_accounts(answer<std::vector<account_row>> cb) {
  db_.submit(lane::asked, list_sql, {}, false,
             answer_with<std::vector<account_row>>(std::move(cb), [](std::vector<rows>& r) {
               std::vector<account_row> out;
               out.reserve(static_cast<std::size_t>(r[0].size()));
               for (int i = 0; i < r[0].size(); ++i)
                 out.push_back(read_account(r[0], i));
               return out;
             }));
}

void pg_store::delete_account(std::string name, answer<nothing> cb) {
  params p;
  p.text(name);
  db_.submit(lane::durable, delete_sql, std::move(p), true,
             answer_with<nothing>(std::move(cb), [name](std::vector<rows>& r) -> result<nothing> {
               if (r[0].size() == 0)
                 return no_account(name);
               return nothing{};
             }));
}

} // namespace outband::store
