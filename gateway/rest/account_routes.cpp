#include "gateway/auth/auth.hpp"
#include "gateway/rest/host_removal.hpp"
#include "gateway/rest/router.hpp"
#include "gateway/rest/tenant_directory.hpp"

#include <algorithm>

namespace outband::rest {

namespace {

failure bad(std::string why, std::string field) {
  return fail(problem::malformed, std::move(why), std::move(field));
}

/// A string member; empty if absent. Anything else refuses.
result<std::string> text_member(const json::value& body, const char* name, std::size_t limit) {
  const auto* v = body.find(name);
  if (!v || v->is_null())
    return std::string();
  if (!v->text() || v->text()->size() > limit)
    return bad("must be a string of at most " + std::to_string(limit) + " octets", name);
  return *v->text();
}

status only(const json::value& body, std::initializer_list<std::string_view> names) {
  if (!body.members())
    return bad("must be an object, not " + std::string(json::type_name(body)), "body");
  for (const auto& m : *body.members())
    if (std::find(names.begin(), names.end(), m.name) == names.end())
      return bad("is not a member of this request", m.name.substr(0, 64));
  return success();
}

// -- tenants ----------------------------------------------------------------------------------

json::value tenant_json(const tenant_row& t) {
  return json::object{{"key", t.key},
                      {"displayName", t.display_name},
                      {"projectId", t.project_id},
                      {"created", iso_time(t.created)}};
}

void list_tenants(const call_ptr& c) {
  c->with().store->list_tenants([c](result<std::vector<tenant_row>> all) {
    if (!all)
      return c->refuse(all.error());
    json::array out;
    for (const auto& t : *all)
      if (auto held = auth::held_in(c->who, t.key); held != role::none) {
        auto row = tenant_json(t);
        row.members()->push_back({"role", to_string(held)});
        out.push_back(std::move(row));
      }
    c->answer(200, std::move(out));
  });
}

result<tenant_row> parse_tenant(const json::value& body) {
  if (auto ok = only(body, {"key", "displayName", "projectId"}); !ok)
    return ok.error();
  tenant_row t;
  auto key = text_member(body, "key", 20);
  auto name = text_member(body, "displayName", 128);
  auto project = text_member(body, "projectId", 36);
  for (const auto* m : {&key, &name, &project})
    if (!*m)
      return m->error();
  if (!valid_tenant_key(*key))
    return bad("must be 1 to 20 of [a-z0-9-], not starting or ending with '-'", "key");
  if (!project->empty()) {
    auto id = parse_uuid(*project);
    if (!id)
      return bad("must be a UUID", "projectId");
    t.project_id = to_string(*id);
  }
  t.key = *key;
  t.display_name = name->empty() ? *key : *name;
  return t;
}

void create_tenant(const call_ptr& c) {
  auto body = c->body();
  if (!body)
    return;
  auto t = parse_tenant(*body);
  if (!t)
    return c->refuse(t.error());
  t->created = c->with().clock->now();
  c->with().store->create_tenant(*t, [c](result<tenant_row> made) {
    if (!made)
      return c->refuse(made.error());
    c->api->tenants->forget();
    c->with().control->tenant_added(made->key);
    c->record("tenant.add", {},
              json::object{{"key", made->key},
                           {"displayName", made->display_name},
                           {"projectId", made->project_id}});
    c->answer(201, tenant_json(*made));
  });
}

// -- accounts ---------------------------------------------------------------------------------

/// A tenant's admin sees and changes only what lies within the tenants it administers.
bool administers(const call_ptr& c, const tenant_key& tenant) {
  return auth::held_in(c->who, tenant) >= role::admin;
}
bool within_reach(const call_ptr& c, const account_row& a) {
  return c->who.site_admin ||
         (!a.site_admin && std::all_of(a.roles.begin(), a.roles.end(),
                                       [&](const auto& r) { return administers(c, r.first); }));
}

json::value account_json(const call_ptr& c, const account_row& a) {
  json::object roles;
  for (const auto& [tenant, held] : a.roles)
    if (administers(c, tenant))
      roles.push_back({tenant, held});
  return json::object{{"name", a.name},
                      {"siteAdmin", a.site_admin},
                      {"roles", std::move(roles)},
                      {"created", iso_time(a.created)}};
}

void list_accounts(const call_ptr& c) {
  c->with().store->list_accounts([c](result<std::vector<account_row>> all) {
    if (!all)
      return c->refuse(all.error());
    json::array out;
    for (const auto& a : *all) {
      const bool seen =
          c->who.site_admin || std::any_of(a.roles.begin(), a.roles.end(),
                                           [&](const auto& r) { return administers(c, r.first); });
      if (seen)
        out.push_back(account_json(c, a));
    }
    c->answer(200, std::move(out));
  });
}

struct new_account {
  account_row row;
  secret_text password;
};

result<new_account> parse_account(const call_ptr& c, const json::value& body) {
  if (auto ok = only(body, {"name", "password", "role", "roles", "siteAdmin"}); !ok)
    return ok.error();
  new_account out;
  auto name = text_member(body, "name", 64);
  if (!name)
    return name.error();
  if (!valid_level(*name))
    return bad("must be 1 to 64 of [a-z0-9-]", "name");
  out.row.name = *name;
  const auto* password = body.find("password");
  if (!password || !password->text() || password->text()->size() < 8 ||
      password->text()->size() > 256)
    return bad("must be a string of 8 to 256 octets", "password");
  out.password = secret_text(*password->text());
  auto grant = [&](const std::string& tenant, const json::value& v,
                   const std::string& field) -> status {
    auto held = v.text() ? parse_role(*v.text()) : std::nullopt;
    if (!held || *held == role::none || *held == role::site_admin)
      return bad("must be viewer, operator or admin", field);
    if (!valid_tenant_key(tenant) || !administers(c, tenant))
      return fail(problem::forbidden, "There is no such tenant for this account.", field);
    out.row.roles[tenant] = std::string(to_string(*held));
    return success();
  };
  if (const auto* one = body.find("role"))
    if (auto ok = grant(c->tenant, *one, "role"); !ok)
      return ok.error();
  if (const auto* many = body.find("roles")) {
    if (!many->members() || many->members()->size() > 64)
      return bad("must be an object of at most 64 tenants and roles", "roles");
    for (const auto& m : *many->members())
      if (auto ok = grant(m.name, m.val, "roles." + m.name.substr(0, 32)); !ok)
        return ok.error();
  }
  if (const auto* site = body.find("siteAdmin")) {
    if (!site->boolean())
      return bad("must be true or false", "siteAdmin");
    if (*site->boolean() && !c->who.site_admin)
      return fail(problem::forbidden, "Only a site admin can make another one.", "siteAdmin");
    out.row.site_admin = *site->boolean();
  }
  if (out.row.roles.empty() && !out.row.site_admin)
    return bad("an account needs a role in a tenant", "role");
  return out;
}

/// Creates, or, within the caller's reach, replaces (a new password, other roles).
void put_account(const call_ptr& c) {
  auto body = c->body();
  if (!body)
    return;
  auto parsed = parse_account(c, *body);
  if (!parsed)
    return c->refuse(parsed.error());
  auto wanted = std::make_shared<new_account>(std::move(*parsed));
  c->with().store->get_account(wanted->row.name, [c, wanted](result<account_row> old) {
    if (!old && old.error().what != problem::not_found)
      return c->refuse(old.error());
    if (old && !within_reach(c, *old))
      return c->refuse(fail(problem::already_exists, "This name is taken.", "name"));
    wanted->row.created = old ? old->created : c->with().clock->now();
    const bool fresh = !old;
    c->with().auth->hash(wanted->password, [c, wanted, fresh](result<std::string> hash) {
      if (!hash)
        return c->refuse(hash.error());
      wanted->row.password_hash = *hash;
      c->with().store->put_account(wanted->row, [c, wanted, fresh](result<nothing> done) {
        if (!done)
          return c->refuse(done.error());
        json::array roles;
        for (const auto& [tenant, held] : wanted->row.roles)
          roles.push_back(tenant + "=" + held);
        c->record(fresh ? "account.add" : "account.change", {},
                  json::object{{"name", wanted->row.name},
                               {"siteAdmin", wanted->row.site_admin},
                               {"roles", std::move(roles)},
                               {"passwordSet", true}});
        c->answer(fresh ? 201 : 200, account_json(c, wanted->row));
      });
    });
  });
}

void delete_account(const call_ptr& c) {
  const auto name = c->params.at(0);
  c->with().store->list_accounts([c, name](result<std::vector<account_row>> all) {
    if (!all)
      return c->refuse(all.error());
    auto it = std::find_if(all->begin(), all->end(),
                           [&](const account_row& a) { return a.name == name; });
    // One that shares no tenant with the caller does not exist for it.
    const bool seen =
        it != all->end() &&
        (c->who.site_admin || std::any_of(it->roles.begin(), it->roles.end(),
                                          [&](const auto& r) { return administers(c, r.first); }));
    if (!seen)
      return c->refuse(fail(problem::not_found, "There is no such account.", "name"));
    if (!within_reach(c, *it))
      return c->refuse(fail(problem::forbidden,
                            "The account also belongs to tenants of other administrators.",
                            "name"));
    const auto admins =
        std::count_if(all->begin(), all->end(), [](const account_row& a) { return a.site_admin; });
    if (it->site_admin && admins == 1)
      return c->refuse(fail(problem::forbidden, "The last site admin cannot be deleted.", "name"));
    c->with().store->delete_account(name, [c, name](result<nothing> done) {
      if (!done)
        return c->refuse(done.error());
      c->record("account.delete", {}, json::object{{"name", name}});
      c->empty(204);
    });
  });
}

} // namespace

void forget_tenants(const call_ptr& c) {
  c->api->tenants->forget();
}

void add_account_routes(router& r) {
  r.add("GET /api/v1/tenants", dialect::mps, list_tenants);
  r.add("POST /api/v1/tenants", dialect::mps, create_tenant);
  r.add("GET /api/v1/accounts", dialect::mps, list_accounts);
  r.add("POST /api/v1/accounts", dialect::mps, put_account);
  r.add("DELETE /api/v1/accounts/{name}", dialect::mps, delete_account);
}

} // namespace outband::rest
