// The six kinds of objects: listing, reading, and writing each with its secrets.
#include "actors/store/connections.hpp"
#include "actors/store/pg_provisioning.hpp"
#include "actors/store/provisioning_rows.hpp"

namespace outband::store {

namespace {

std::string nth(std::size_t n) {
  return "$" + std::to_string(n);
}

// Parameters of create and update: $1 tenant, $2 key, $3 secrets' fields, $4 sealed, then the
// columns, of a profile the four lists of its links, and last the name (create) or the version that
// must be the row's (update).
constexpr std::size_t first_column = 5;

std::string put_secrets(const object_shape& s) {
  const auto kind = "'" + std::string(to_string(s.kind)) + "'";
  return R"(
given as materialized (
  select m.tenant, m.key, r.field, r.sealed
  from made m, unnest($3::text[], $4::text[]) as r (field, sealed)
),
unsealed as (
  delete from object_secret s using given g
  where s.tenant = g.tenant and s.kind = )" +
         kind + R"( and s.key = g.key and s.field = g.field and g.sealed = ''
),
resealed as (
  insert into object_secret (tenant, kind, key, field, sealed)
  select tenant, )" +
         kind + R"(, key, field, sealed from given where sealed <> ''
  on conflict (tenant, kind, key, field) do update set sealed = excluded.sealed
))";
}

/// What is named stays or comes, the rest goes: no row is touched twice in the statement.
std::string put_links(const std::string& table, const std::string& column, std::size_t keys) {
  const auto names = nth(keys) + "::text[]", priorities = nth(keys + 1) + "::bigint[]";
  return R"(,
un)" + table +
         " as (delete from " + table +
         " w using made m where w.tenant = m.tenant and w.profile = m.key and w." + column +
         " <> all (" + names + R"()),
re)" + table +
         " as (insert into " + table + " (tenant, profile, " + column +
         ", priority) select m.tenant, m.key, r.name, r.priority from made m, unnest(" + names +
         ", " + priorities + ") as r (name, priority) on conflict (tenant, profile, " + column +
         ") do update set priority = excluded.priority)";
}

std::string writes(const object_shape& s) {
  auto out = put_secrets(s);
  const auto links = first_column + s.columns.size();
  if (s.links)
    out +=
        put_links("profile_wifi", "wifi", links) + put_links("profile_proxy", "proxy", links + 2);
  return out;
}

std::size_t last_parameter(const object_shape& s) {
  return first_column + s.columns.size() + (s.links ? 4 : 0);
}

statement create_statement(const object_shape& s) {
  std::string names, values;
  for (std::size_t i = 0; i < s.columns.size(); ++i) {
    names += std::string(", ") + s.columns[i].name;
    values += ", " + nth(first_column + i) + "::" + s.columns[i].type;
  }
  return {std::string("create_") + s.table,
          std::string("with made as (insert into ") + s.table + " (tenant, key, name, version" +
              names + ") values ($1::text, $2::text, " + nth(last_parameter(s)) +
              "::text, nextval('provisioning_version')" + values + ") returning tenant, key)," +
              writes(s) + " select count(*), 1 from made"};
}

// The outer count looks at the state before: it only tells why nothing was updated.
statement update_statement(const object_shape& s) {
  std::string sets = "version = nextval('provisioning_version')";
  for (std::size_t i = 0; i < s.columns.size(); ++i)
    sets += std::string(", ") + s.columns[i].name + " = " + nth(first_column + i) +
            "::" + s.columns[i].type;
  const auto version = nth(last_parameter(s)) + "::bigint";
  const auto guard = s.versioned ? "o.version = " + version : version + " is not null";
  return {std::string("update_") + s.table,
          std::string("with made as (update ") + s.table + " o set " + sets +
              " where o.tenant = $1::text and o.key = $2::text and " + guard +
              " returning o.tenant, o.key)," + writes(s) +
              " select (select count(*) from made), (select count(*) from " + s.table +
              " o where o.tenant = $1::text and o.key = $2::text)"};
}

struct object_statements {
  statement list, count, get, create, update, remove, referrers;
};

object_statements statements_of(const object_shape& s) {
  const std::string table = s.table;
  object_statements out;
  out.list = {"list_" + table, "select " + cell_list(s, "", false) + " from " + table +
                                   " o where o.tenant = $1::text order by o.key "
                                   "limit $2::bigint offset $3::bigint"};
  out.count = {"count_" + table, "select count(*) from " + table + " where tenant = $1::text"};
  out.get = {"get_" + table, "select " + cell_list(s, "", true) + " from " + table +
                                 " o where o.tenant = $1::text and o.key = $2::text"};
  out.create = create_statement(s);
  out.update = update_statement(s);
  out.remove = {"remove_" + table,
                "with gone as (delete from " + table +
                    " where tenant = $1::text and key = $2::text returning tenant, key), "
                    "unsealed as (delete from object_secret s using gone g where "
                    "s.tenant = g.tenant and s.key = g.key and s.kind = '" +
                    std::string(to_string(s.kind)) + "') select count(*) from gone"};
  out.referrers = {"referrers_" + table, std::string(s.referrers) + " limit 8"};
  return out;
}

template <class T> const object_statements& sql() {
  static const auto all = statements_of(object_rule<T>::shape());
  return all;
}

/// What people call the kind.
const char* words(object_kind k) {
  switch (k) {
  case object_kind::profile:
    return "profile";
  case object_kind::cira_config:
    return "CIRA configuration";
  case object_kind::wireless_config:
    return "wireless configuration";
  case object_kind::ieee8021x_config:
    return "802.1x configuration";
  case object_kind::proxy_config:
    return "proxy configuration";
  case object_kind::domain:
    return "domain";
  }
  return "object";
}

failure no_object(const object_shape& s, const std::string& name) {
  return fail(problem::not_found, std::string("there is no ") + words(s.kind) + " '" + name + "'",
              s.name_field);
}

params key_params(const tenant_key& tenant, const std::string& name) {
  params p;
  p.text(tenant).text(object_key(name));
  return p;
}

void add_links(params& to, const profile& p) {
  for (const auto* list : {&p.wifi, &p.proxies}) {
    std::vector<std::int64_t> priorities;
    for (const auto& r : *list)
      priorities.push_back(r.priority);
    to.texts(keys_of(*list)).numbers(priorities);
  }
}
template <class T> void add_links(params&, const T&) {}

template <class T>
params write_params(const tenant_key& tenant, const T& what, const sealed_fields& secrets) {
  auto p = key_params(tenant, what.name);
  std::vector<std::string> fields, sealed;
  for (const auto& [field, text] : secrets) {
    fields.push_back(field);
    sealed.push_back(text);
  }
  p.texts(fields).texts(sealed);
  object_rule<T>::bind(p, what);
  add_links(p, what);
  return p;
}

template <class T>
status check_write(const tenant_key& tenant, const T& what, const sealed_fields& secrets) {
  auto ok = check_tenant(tenant);
  if (ok)
    ok = object_rule<T>::check(what);
  if (ok && secrets.size() > 8)
    ok = fail(problem::too_large, "there may be at most 8 secrets", "secrets");
  for (const auto& [field, sealed] : secrets)
    if (ok)
      ok = check_text(sealed, field, max_sealed);
  return ok;
}

/// Which field named something that does not exist, or is taken.
failure violation(const object_shape& s, const std::string& name, const reply_error& e) {
  const auto missing = [](const char* what, const char* field) {
    return fail(problem::not_found, std::string("there is no such ") + what, field);
  };
  const auto taken = [](std::string detail, const char* field) {
    return fail(problem::already_exists, std::move(detail), field);
  };
  const auto& c = e.constraint;
  if (e.sqlstate == "23505") {
    if (c == "domain_suffix")
      return taken("another domain has this suffix", "domainSuffix");
    if (c == "proxy_config_address")
      return taken("another proxy configuration has this address and port", "address");
    return taken(std::string("there is a ") + words(s.kind) + " '" + name + "' already",
                 s.name_field);
  }
  if (e.sqlstate == "23503") {
    if (s.kind == object_kind::ieee8021x_config && c != "ieee8021x_config_tenant_fkey")
      return fail(problem::transition_refused, "it is in use as what it is", "wiredInterface");
    if (c == "profile_cira_config")
      return missing("CIRA configuration", "ciraConfigName");
    if (c == "profile_ieee8021x")
      return missing("wired 802.1x configuration", "ieee8021xProfileName");
    if (c == "wireless_config_ieee8021x")
      return missing("wireless 802.1x configuration", "ieee8021xProfileName");
    if (c == "profile_wifi_config")
      return missing("wireless configuration", "wifiConfigs");
    if (c == "profile_proxy_config")
      return missing("proxy configuration", "proxyConfigs");
    return missing("tenant", "tenant");
  }
  if (e.sqlstate == "23514")
    return fail(problem::malformed, "a value is out of bounds (" + c + ")");
  return e.what;
}

template <class T>
void write(connections& db, const statement& how, const tenant_key& tenant, const T& what,
           params with, answer<T> cb) {
  db.submit(lane::durable,
            {{&how, std::move(with)}, {&sql<T>().get, key_params(tenant, what.name)}}, true,
            [name = what.name, cb = std::move(cb)](reply r) {
              const auto& s = object_rule<T>::shape();
              if (auto* e = std::get_if<reply_error>(&r))
                return cb(violation(s, name, *e));
              const auto& got = std::get<std::vector<rows>>(r);
              if (got[0].number(0, 0) == 0 && got[0].number(0, 1) == 0)
                return cb(no_object(s, name));
              if (got[0].number(0, 0) == 0)
                return cb(fail(problem::revision_conflict, "somebody else has changed it meanwhile",
                               "version"));
              cb(object_rule<T>::read(got[1], 0, 0));
            });
}

/// It is still referred to: by whom?
void refuse_removal(connections& db, const object_shape& s, const statement& referrers,
                    const tenant_key& tenant, const std::string& name, answer<nothing> cb) {
  db.submit(lane::asked, referrers, key_params(tenant, name), false,
            [&s, name, cb = std::move(cb)](reply r) {
              std::string detail = std::string(words(s.kind)) + " '" + name + "' is in use";
              std::string field;
              if (auto* got = std::get_if<std::vector<rows>>(&r); got && (*got)[0].size() > 0) {
                field = (*got)[0].text(0, 0);
                detail += " by";
                for (int i = 0; i < (*got)[0].size(); ++i)
                  detail += (i == 0 ? " " : ", ") + (*got)[0].text(i, 0) + " '" +
                            (*got)[0].text(i, 1) + "'";
              }
              cb(fail(problem::transition_refused, std::move(detail), std::move(field)));
            });
}

} // namespace

template <class T>
void pg_objects<T>::list(tenant_key tenant, page_wish page, answer<page_of<T>> cb) {
  if (auto ok = check_page(page); !ok)
    return db_.post([cb = std::move(cb), why = ok.error()] { cb(why); });
  params p, t;
  t.text(tenant);
  p.text(std::move(tenant)).number(static_cast<std::int64_t>(page.top));
  p.number(static_cast<std::int64_t>(page.skip));
  db_.submit(lane::asked, {{&sql<T>().list, std::move(p)}, {&sql<T>().count, std::move(t)}}, false,
             answer_with<page_of<T>>(std::move(cb), [](std::vector<rows>& r) {
               page_of<T> out;
               for (int i = 0; i < r[0].size(); ++i)
                 out.rows.push_back(object_rule<T>::read(r[0], i, 0));
               out.total = static_cast<std::size_t>(r[1].number(0, 0));
               return out;
             }));
}

template <class T>
void pg_objects<T>::get(tenant_key tenant, std::string name, answer<stored<T>> cb) {
  db_.submit(
      lane::asked, sql<T>().get, key_params(tenant, name), false,
      answer_with<stored<T>>(std::move(cb), [name](std::vector<rows>& r) -> result<stored<T>> {
        const auto& s = object_rule<T>::shape();
        if (r[0].size() == 0)
          return no_object(s, name);
        return stored<T>{object_rule<T>::read(r[0], 0, 0),
                         read_secrets(r[0], 0, static_cast<int>(2 + s.cells.size()))};
      }));
}

template <class T>
void pg_objects<T>::create(tenant_key tenant, T what, sealed_fields secrets, answer<T> cb) {
  if (auto ok = check_write(tenant, what, secrets); !ok)
    return db_.post([cb = std::move(cb), why = ok.error()] { cb(why); });
  auto p = write_params(tenant, what, secrets);
  p.text(what.name);
  write(db_, sql<T>().create, tenant, what, std::move(p), std::move(cb));
}

template <class T>
void pg_objects<T>::update(tenant_key tenant, T what, sealed_fields secrets, answer<T> cb) {
  if (auto ok = check_write(tenant, what, secrets); !ok)
    return db_.post([cb = std::move(cb), why = ok.error()] { cb(why); });
  auto p = write_params(tenant, what, secrets);
  if constexpr (std::is_same_v<T, proxy_config>)
    p.number(std::int64_t{0});
  else
    p.number(what.version);
  write(db_, sql<T>().update, tenant, what, std::move(p), std::move(cb));
}

template <class T>
void pg_objects<T>::remove(tenant_key tenant, std::string name, answer<nothing> cb) {
  db_.submit(lane::durable, sql<T>().remove, key_params(tenant, name), true,
             [&db = db_, tenant, name, cb = std::move(cb)](reply r) mutable {
               const auto& s = object_rule<T>::shape();
               if (auto* e = std::get_if<reply_error>(&r)) {
                 if (e->sqlstate == "23503" && *s.referrers != '\0')
                   return refuse_removal(db, s, sql<T>().referrers, tenant, name, std::move(cb));
                 return cb(e->what);
               }
               if (std::get<std::vector<rows>>(r)[0].number(0, 0) == 0)
                 return cb(no_object(s, name));
               cb(nothing{});
             });
}

template class pg_objects<profile>;
template class pg_objects<cira_config>;
template class pg_objects<wireless_config>;
template class pg_objects<ieee8021x_config>;
template class pg_objects<proxy_config>;
template class pg_objects<domain>;

} // namespace outband::store
