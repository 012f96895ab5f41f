// MPS's routes about a machine's live tunnel: disconnect, refresh, redirectstatus.
#include "gateway/rest/device_json.hpp"
#include "gateway/rest/router.hpp"

namespace outband::rest {

namespace {

bool nobody_there(const failure& why) {
  return why.what == problem::not_found || why.what == problem::link_down ||
         why.what == problem::stale_epoch;
}

/// Ends the tunnel of the path's device and answers `description` with its GUID.
void end_tunnel(const call_ptr& c, const char* act, const std::string& description) {
  auto ref = registry_ref(c);
  if (!ref)
    return;
  c->with().control->disconnect(*ref, [c, ref, act, description](result<bool> closed) {
    const auto guid = to_string(ref->device);
    if (closed ? !*closed : nobody_there(closed.error()))
      return c->answer(device_not_connected(guid));
    if (!closed)
      return c->refuse(closed.error());
    c->record(act, ref->device);
    c->answer(200, json::object{{"success", 200}, {"description", description + guid}});
  });
}

void disconnect(const call_ptr& c) {
  end_tunnel(c, "device.disconnect", "Device CIRA connection disconnected : ");
}

/// MPS reads user name, password and tenant again behind the open tunnel. Here they belong to the
/// tunnel's admission, so the machine is let go: it calls back within seconds and is admitted with
/// what is stored then, also if its tenant or MPS password has changed, which MPS would not notice.
void refresh(const call_ptr& c) {
  end_tunnel(c, "device.refresh", "Device info refreshed : ");
}

/// No session can be open where no relay is served (gateway/rest/prefixes.cpp), so the answer for
/// a connected machine is known without asking anybody.
void redirect_status(const call_ptr& c) {
  auto ref = registry_ref(c);
  if (!ref)
    return;
  c->with().store->get_device(*ref, [c, ref](result<device_record> d) {
    if (d ? !d->connected : nobody_there(d.error()))
      return c->answer(device_not_connected(to_string(ref->device)));
    if (!d)
      return c->refuse(d.error());
    c->answer(200, json::object{{"isKVMConnected", false},
                                {"isSOLConnected", false},
                                {"isIDERConnected", false}});
  });
}

} // namespace

void add_device_link_routes(router& r) {
  r.add("DELETE /api/v1/devices/disconnect/{guid}", dialect::mps, disconnect);
  r.add("DELETE /api/v1/devices/refresh/{guid}", dialect::mps, refresh);
  r.add("GET /api/v1/devices/redirectstatus/{guid}", dialect::mps, redirect_status);
}

} // namespace outband::rest
