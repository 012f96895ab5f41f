/// The five functions that every kind of object below /api/v1/admin has, with RPS's answers.
///
/// Source: rps src/routes/admin, src/utils/handleError.ts. Internal to gateway/rest. A kind that
/// needs more than reading its body gives a `preparation`, which runs when the body is good and,
/// for PATCH, the stored object is known.
#pragma once

#include "actors/ports/provisioning.hpp"
#include "gateway/rest/router.hpp"
#include "messages/rest/admin_body.hpp"
#include "messages/rest/admin_check.hpp"

namespace outband::rest {

/// What a request makes of an object. An empty secret is removed.
template <class T> struct draft {
  T what;
  plain_secrets secrets;
  stored<T> old; ///< of PATCH
  json::value body;
};
/// Calls `next` once, or answers the request itself.
template <class T>
using preparation =
    std::function<void(const call_ptr& c, std::shared_ptr<draft<T>> d, std::function<void()> next)>;

template <class T> struct admin_kind;
#define OUTBAND_ADMIN_KIND(type, kind_, rows_)                                                     \
  template <> struct admin_kind<type> {                                                            \
    static constexpr object_kind kind = object_kind::kind_;                                        \
    static object_rows<type>& rows(const call_ptr& c) { return c->with().provisioning->rows_(); }  \
  }
OUTBAND_ADMIN_KIND(profile, profile, profiles);
OUTBAND_ADMIN_KIND(cira_config, cira_config, cira_configs);
OUTBAND_ADMIN_KIND(wireless_config, wireless_config, wireless_configs);
OUTBAND_ADMIN_KIND(ieee8021x_config, ieee8021x_config, ieee8021x_configs);
OUTBAND_ADMIN_KIND(proxy_config, proxy_config, proxy_configs);
OUTBAND_ADMIN_KIND(domain, domain, domains);
#undef OUTBAND_ADMIN_KIND

/// {"error": ..., "message": ...} and our code.
void rps_refuse(const call_ptr& c, int status, std::string error, std::string message,
                problem code);
/// "CIRA profile X Not Found"
void rps_not_found(const call_ptr& c, object_kind kind, const std::string& name);
/// The refusals of a write that are alike for all kinds; false: not one of them.
bool rps_refused_write(const call_ptr& c, object_kind kind, const std::string& name,
                       const failure& why);
void rps_refuse_removal(const call_ptr& c, object_kind kind, const std::string& name,
                        const failure& why);
/// A name in the body that does not exist, in RPS's words; asks the store which one.
void refuse_missing(const call_ptr& c, const profile& p, bool fresh, const failure& why);
void refuse_missing(const call_ptr& c, const wireless_config& w, bool fresh, const failure& why);
template <class T> void refuse_missing(const call_ptr& c, const T&, bool, const failure& why) {
  c->refuse(why);
}

/// "profile.add"
std::string admin_act(object_kind kind, std::string_view verb);
/// "profileName"
const char* name_member(object_kind kind);

/// $top, $skip, $count; answers 400 itself.
struct admin_page {
  page_wish wish;
  bool count = false;
};
std::optional<admin_page> page_asked(const call_ptr& c);
void answer_page(const call_ptr& c, bool count, json::array rows, std::size_t total);
/// With the version as ETag unless it is 0.
void answer_object(const call_ptr& c, int status, const json::value& body, row_version version);
/// False, and the request is answered: this node has no provisioning.
bool provisions(const call_ptr& c);
/// Sealed for the store; an empty text stays empty.
result<sealed_fields> sealed(const call_ptr& c, object_kind kind, const std::string& name,
                             const plain_secrets& secrets);

inline row_version version_in(const proxy_config&) {
  return 0;
}
template <class T> row_version version_in(const T& what) {
  return what.version;
}

namespace admin {

template <class T> void list(const call_ptr& c) {
  auto page = provisions(c) ? page_asked(c) : std::nullopt;
  if (!page)
    return;
  admin_kind<T>::rows(c).list(c->tenant, page->wish,
                              [c, count = page->count](result<page_of<T>> all) {
                                if (!all)
                                  return c->refuse(all.error());
                                json::array rows;
                                for (const auto& one : all->rows)
                                  rows.push_back(admin_body<T>::show(one, c->tenant));
                                answer_page(c, count, std::move(rows), all->total);
                              });
}

template <class T> void get(const call_ptr& c) {
  if (!provisions(c))
    return;
  const auto name = c->params.at(0);
  admin_kind<T>::rows(c).get(c->tenant, name, [c, name](result<stored<T>> one) {
    if (!one && one.error().what == problem::not_found)
      return rps_not_found(c, admin_kind<T>::kind, name);
    if (!one)
      return c->refuse(one.error());
    answer_object(c, 200, admin_body<T>::show(one->what, c->tenant), version_in(one->what));
  });
}

template <class T> void remove(const call_ptr& c) {
  if (!provisions(c))
    return;
  const auto name = c->params.at(0);
  admin_kind<T>::rows(c).remove(c->tenant, name, [c, name](result<nothing> done) {
    constexpr auto kind = admin_kind<T>::kind;
    if (!done && done.error().what == problem::not_found)
      return rps_not_found(c, kind, name);
    if (!done && done.error().what == problem::transition_refused)
      return rps_refuse_removal(c, kind, name, done.error());
    if (!done)
      return c->refuse(done.error());
    c->record(admin_act(kind, "delete"), {}, json::object{{name_member(kind), name}});
    c->empty(204);
  });
}

template <class T> void create(const call_ptr& c, const preparation<T>& prepare = {}) {
  if (!provisions(c))
    return;
  auto body = c->body();
  if (!body)
    return;
  if (auto errors = admin_body<T>::check(*body, {true, false}); !errors.empty())
    return c->refuse(errors);
  auto d = std::make_shared<draft<T>>();
  d->what = admin_body<T>::read(*body, {}, true);
  d->secrets = admin_body<T>::secrets(*body, d->what);
  d->body = std::move(*body);
  auto store = [c, d] {
    constexpr auto kind = admin_kind<T>::kind;
    auto secrets = sealed(c, kind, d->what.name, d->secrets);
    if (!secrets)
      return c->refuse(secrets.error());
    admin_kind<T>::rows(c).create(c->tenant, d->what, *secrets, [c, d](result<T> made) {
      if (!made && made.error().what == problem::not_found)
        return refuse_missing(c, d->what, true, made.error());
      if (!made && rps_refused_write(c, kind, d->what.name, made.error()))
        return;
      if (!made)
        return c->refuse(made.error());
      c->record(admin_act(kind, "add"), {}, d->body);
      answer_object(c, 201, admin_body<T>::show(*made, c->tenant), version_in(*made));
    });
  };
  prepare ? prepare(c, d, std::move(store)) : store();
}

/// 409, or 412 where a header told the version: with the object as it is now.
template <class T> void answer_conflict(const call_ptr& c, const std::string& name) {
  admin_kind<T>::rows(c).get(c->tenant, name, [c, name](result<stored<T>> now) {
    if (!now && now.error().what == problem::not_found)
      return rps_not_found(c, admin_kind<T>::kind, name);
    if (!now)
      return c->refuse(now.error());
    answer_object(c, c->req.header("If-Match") ? 412 : 409,
                  admin_body<T>::show(now->what, c->tenant), version_in(now->what));
  });
}

template <class T> void store_change(const call_ptr& c, const std::shared_ptr<draft<T>>& d) {
  constexpr auto kind = admin_kind<T>::kind;
  auto secrets = sealed(c, kind, d->what.name, d->secrets);
  if (!secrets)
    return c->refuse(secrets.error());
  admin_kind<T>::rows(c).update(c->tenant, d->what, *secrets, [c, d](result<T> done) {
    if (!done && done.error().what == problem::revision_conflict)
      return answer_conflict<T>(c, d->what.name);
    if (!done && done.error().what == problem::not_found && done.error().field == name_member(kind))
      return rps_not_found(c, kind, d->what.name);
    if (!done && done.error().what == problem::not_found)
      return refuse_missing(c, d->what, false, done.error());
    if (!done && rps_refused_write(c, kind, d->what.name, done.error()))
      return;
    if (!done)
      return c->refuse(done.error());
    c->record(admin_act(kind, "change"), {}, d->body);
    answer_object(c, 200, admin_body<T>::show(*done, c->tenant), version_in(*done));
  });
}

/// RPS's PATCH names the object in its body.
template <class T> void change(const call_ptr& c, const preparation<T>& prepare = {}) {
  if (!provisions(c))
    return;
  auto body = c->body();
  if (!body)
    return;
  const auto* header = c->req.header("If-Match");
  if (auto errors = admin_body<T>::check(*body, {false, header != nullptr}); !errors.empty())
    return c->refuse(errors);
  const auto name = *body->find(name_member(admin_kind<T>::kind))->text();
  admin_kind<T>::rows(c).get(c->tenant, name,
                             [c, name, body = *body, header, prepare](result<stored<T>> old) {
                               if (!old && old.error().what == problem::not_found)
                                 return rps_not_found(c, admin_kind<T>::kind, name);
                               if (!old)
                                 return c->refuse(old.error());
                               auto d = std::make_shared<draft<T>>();
                               d->old = std::move(*old);
                               d->what = admin_body<T>::read(body, d->old.what, false);
                               if constexpr (!std::is_same_v<T, proxy_config>)
                                 if (header)
                                   d->what.version = version_of(std::string_view(*header));
                               d->secrets = admin_body<T>::secrets(body, d->what);
                               d->body = body;
                               auto store = [c, d] {
                                 store_change<T>(c, d);
                               };
                               prepare ? prepare(c, d, std::move(store)) : store();
                             });
}

} // namespace admin

/// The routes of one kind below /api/v1/admin/{path}.
template <class T>
void add_admin_kind(router& r, const std::string& path, preparation<T> fresh = {},
                    preparation<T> changed = {}) {
  const auto base = "/api/v1/admin/" + path;
  r.add("GET " + base, dialect::mps, admin::list<T>);
  r.add("GET " + base + "/{name}", dialect::mps, admin::get<T>);
  r.add("POST " + base, dialect::mps,
        [fresh = std::move(fresh)](const call_ptr& c) { admin::create<T>(c, fresh); });
  r.add("PATCH " + base, dialect::mps,
        [changed = std::move(changed)](const call_ptr& c) { admin::change<T>(c, changed); });
  r.add("DELETE " + base + "/{name}", dialect::mps, admin::remove<T>);
}

} // namespace outband::rest
