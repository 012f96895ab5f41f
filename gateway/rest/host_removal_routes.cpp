/// Machines and tenants that are to go: their AMT is deactivated first (actors/removals.hpp).
/// DELETE and invalidate are EMF's; that they wait for AMT is what EMF only designed.
#include "actors/ports/removal.hpp"
#include "gateway/rest/host_find.hpp"
#include "gateway/rest/host_removal.hpp"
#include "gateway/rest/router.hpp"
#include "messages/rest/host.hpp"

namespace outband::rest {

namespace {

bool forced(const call_ptr& c) {
  const auto* text = c->req.target.parameter("force");
  return text != nullptr && *text == "true";
}

/// Nobody who means to force something is left believing that he did.
bool odd_force(const call_ptr& c, bool possible) {
  const auto* text = c->req.target.parameter("force");
  if (text == nullptr || *text == "false" || (possible && *text == "true"))
    return false;
  c->refuse(fail(problem::malformed,
                 possible ? "must be true or false"
                          : "only a removal can be forced: DELETE the host with force=true",
                 "force"));
  return true;
}

json::object wish(const call_ptr& c) {
  json::object out;
  if (forced(c))
    out.push_back({"force", true});
  if (const auto* note = c->req.target.parameter("note"); note != nullptr && !note->empty())
    out.push_back({"note", note->substr(0, 256)});
  return out;
}

void no_such_host(const call_ptr& c, const failure& why) {
  c->refuse(why.what == problem::not_found ? fail(problem::not_found, "There is no such host.")
                                           : why);
}

void begin(const call_ptr& c, removal_kind kind) {
  if (c->with().removals == nullptr)
    return c->refuse(fail(problem::unsupported, "Removals are not served by this node."));
  if (odd_force(c, kind == removal_kind::remove))
    return;
  find_host(c, c->params.at(0), [c, kind](result<device_id> id) {
    if (!id)
      return no_such_host(c, id.error());
    const device_ref ref{c->tenant, *id};
    const auto* act = kind == removal_kind::remove ? "host.remove" : "host.deauthorize";
    if (forced(c) && kind == removal_kind::remove)
      return c->with().control->remove_device(ref, [c, ref, act](result<nothing> r) {
        if (!r)
          return no_such_host(c, r.error());
        c->record(act, ref.device, wish(c));
        c->empty(204);
      });
    removal what;
    what.device = ref;
    what.kind = kind;
    what.by = to_string(c->by());
    what.text = "It was asked for just now.";
    c->with().removals->begin(std::move(what), [c, ref, act](result<kept_removal> begun) {
      if (!begun)
        return no_such_host(c, begun.error());
      c->with().control->removal_changed(ref);
      c->record(act, ref.device, wish(c));
      c->answer(202, removal_json(begun->what));
    });
  });
}

void remove_host(const call_ptr& c) {
  begin(c, removal_kind::remove);
}
void invalidate_host(const call_ptr& c) {
  begin(c, removal_kind::deauthorize);
}

/// Nobody is to go any more. What has been done stays done.
void keep_host(const call_ptr& c) {
  if (c->with().removals == nullptr)
    return c->refuse(fail(problem::unsupported, "Removals are not served by this node."));
  find_host(c, c->params.at(0), [c](result<device_id> id) {
    if (!id)
      return no_such_host(c, id.error());
    const device_ref ref{c->tenant, *id};
    c->with().removals->withdraw(ref, [c, ref](result<nothing> r) {
      if (!r)
        return c->refuse(r.error().what == problem::not_found
                             ? fail(problem::not_found, "This host is not to be removed.")
                             : r.error());
      c->with().control->removal_changed(ref);
      c->record("host.keep", ref.device);
      c->empty(204);
    });
  });
}

void remove_tenant(const call_ptr& c) {
  if (c->with().removals == nullptr)
    return c->refuse(fail(problem::unsupported, "Removals are not served by this node."));
  if (odd_force(c, true))
    return;
  const auto key = c->params.at(0);
  if (!valid_tenant_key(key))
    return c->refuse(fail(problem::not_found, "There is no such tenant."));
  if (forced(c))
    return c->with().store->delete_tenant(key, true, {}, [c, key](result<nothing> r) {
      if (!r)
        return c->refuse(r.error());
      c->record("tenant.remove", {}, json::object{{"key", key}, {"force", true}});
      forget_tenants(c);
      c->with().control->tenant_gone(key); // its tunnels, wherever they are
      c->empty(204);
    });
  c->with().removals->begin_tenant(key, to_string(c->by()), [c, key](result<std::size_t> machines) {
    if (!machines)
      return c->refuse(machines.error());
    c->with().control->removal_changed({key, {}});
    c->record("tenant.remove", {}, json::object{{"key", key}});
    forget_tenants(c);
    c->answer(202, json::object{{"key", key},
                                {"state", "leaving"},
                                {"machines", static_cast<std::int64_t>(*machines)}});
  });
}

} // namespace

json::value removal_json(const removal& r) {
  return json::object{{"resourceId", host_id(r.device.device)},
                      {"uuid", to_string(r.device.device)},
                      {"kind", to_string(r.kind)},
                      {"state", to_string(r.state)},
                      {"code", r.code},
                      {"reason", r.text},
                      {"by", r.by},
                      {"asked", iso_time(r.asked)},
                      {"updated", iso_time(r.updated)}};
}

void add_host_removal_routes(router& r) {
  r.add("DELETE /compute/hosts/{id}", dialect::emf, remove_host);
  r.add("DELETE /v1/projects/{project}/compute/hosts/{id}", dialect::emf, remove_host);
  r.add("PUT /compute/hosts/{id}/invalidate", dialect::emf, invalidate_host);
  r.add("PUT /v1/projects/{project}/compute/hosts/{id}/invalidate", dialect::emf, invalidate_host);
  r.add("DELETE /compute/hosts/{id}/invalidate", dialect::emf, keep_host);
  r.add("DELETE /v1/projects/{project}/compute/hosts/{id}/invalidate", dialect::emf, keep_host);
  r.add("DELETE /api/v1/tenants/{key}", dialect::mps, remove_tenant);
}

} // namespace outband::rest
