/// MPS's /amt routes: each is an operation of messages/amt/catalogue.hpp, its argument taken from
/// the request, its result MPS's body. Power state and actions are in power_routes.cpp.
#include "gateway/rest/device_json.hpp"
#include "gateway/rest/router.hpp"
#include "messages/amt/catalogue.hpp"
#include "messages/rest/target.hpp"

#include <algorithm>
#include <iterator>

namespace outband::rest {

namespace {

/// Where the argument comes from.
enum class from : std::uint8_t {
  nothing,
  body,
  query,     ///< parameter `member`, a whole number as text
  path,      ///< the parameter behind the GUID becomes `member`
  path_body, ///< as path, and the body's members besides
};

struct amt_route {
  std::string_view rule;
  std::string_view operation;
  const char* what; ///< "Exception during {what}", MPS's words for a failure
  from argument = from::nothing;
  std::string_view member = {};
  /// MPS answers 400 with the firmware's own words when its ReturnValue is not 0; else 200.
  bool refusal_is_400 = false;
};

/// What MPS answers 400 for when the firmware refuses it; 500 elsewhere.
bool is_400_when_refused(std::string_view operation) {
  static constexpr std::string_view all[] = {
      "wired.set",         "link_preference.set",  "wifi.state.set",      "wifi.sync.set",
      "wifi.profiles.add", "wifi.profiles.update", "wifi.profiles.remove"};
  return std::find(std::begin(all), std::end(all), operation) != std::end(all);
}

constexpr amt_route routes[] = {
    {"GET /api/v1/amt/version/{guid}", "version.get", "AMT Version request"},
    {"GET /api/v1/amt/generalSettings/{guid}", "general.get", "AMT General Settings request"},
    {"GET /api/v1/amt/hardwareInfo/{guid}", "hardware.get", "AMT Hardware Information request"},
    {"GET /api/v1/amt/diskInfo/{guid}", "disk.get", "AMT Disk Information request"},
    {"GET /api/v1/amt/features/{guid}", "features.get", "AMT Features request"},
    {"POST /api/v1/amt/features/{guid}", "features.set", "AMT Features Set request", from::body},
    {"GET /api/v1/amt/power/bootSources/{guid}", "boot.sources", "Boot Sources request"},
    {"GET /api/v1/amt/power/bootState/{guid}", "boot.state", "Boot State request"},
    {"POST /api/v1/amt/power/bootOptions/{guid}", "boot.set", "Boot Setting request", from::body},
    {"GET /api/v1/amt/boot/remoteErase/{guid}", "erase.capabilities", "Remote Erase request"},
    {"POST /api/v1/amt/boot/remoteErase/{guid}", "erase.set", "Remote Erase request", from::body},
    {"GET /api/v1/amt/userConsentCode/{guid}",
     "consent.request",
     "User Consent Request",
     from::nothing,
     {},
     true},
    {"POST /api/v1/amt/userConsentCode/{guid}",
     "consent.send",
     "User Consent Sent",
     from::body,
     {},
     true},
    {"GET /api/v1/amt/userConsentCode/cancel/{guid}",
     "consent.cancel",
     "User Consent Cancel",
     from::nothing,
     {},
     true},
    {"GET /api/v1/amt/log/audit/{guid}", "log.audit", "AMT AuditLog request", from::query,
     "startIndex"},
    {"GET /api/v1/amt/log/event/{guid}", "log.event", "AMT Event Log request"},
    {"GET /api/v1/amt/alarmOccurrences/{guid}", "alarms.list", "alarm occurrences request"},
    {"POST /api/v1/amt/alarmOccurrences/{guid}", "alarms.add", "alarm occurrences request",
     from::body},
    {"DELETE /api/v1/amt/alarmOccurrences/{guid}", "alarms.remove", "alarm occurrences request",
     from::body},
    // Ours: whether the firmware tells what it notices.
    {"POST /api/v1/amt/events/{guid}", "events.subscribe", "Subscribe To AMT Events"},
    {"DELETE /api/v1/amt/events/{guid}", "events.unsubscribe", "Unsubscribe From AMT Events"},
    {"GET /api/v1/amt/certificates/{guid}", "certificates.list", "AMT Certificates request"},
    {"POST /api/v1/amt/certificates/{guid}", "certificates.add", "AMT Certificates request",
     from::body},
    {"DELETE /api/v1/amt/certificates/{guid}/{instanceId}", "certificates.remove",
     "AMT Certificates request", from::path, "instanceId"},
    {"GET /api/v1/amt/kvm/displays/{guid}", "displays.get", "get KVM display setting data"},
    {"PUT /api/v1/amt/kvm/displays/{guid}", "displays.set", "set KVM display setting data",
     from::body},
    {"POST /api/v1/amt/network/linkPreference/{guid}", "link_preference.set", "Set Link Preference",
     from::body},
    {"GET /api/v1/amt/networkSettings/{guid}", "network.get", "AMT Network Settings request"},
    {"GET /api/v1/amt/networkSettings/wired/{guid}", "wired.get", "AMT Network Settings request"},
    {"PATCH /api/v1/amt/networkSettings/wired/{guid}", "wired.set", "AMT Network Settings request",
     from::body},
    {"GET /api/v1/amt/networkSettings/wireless/state/{guid}", "wifi.state.get",
     "AMT Network Settings request"},
    {"POST /api/v1/amt/networkSettings/wireless/state/{guid}", "wifi.state.set",
     "AMT Network Settings request", from::body},
    {"GET /api/v1/amt/networkSettings/wireless/profileSync/{guid}", "wifi.sync.get",
     "AMT Network Settings request"},
    {"POST /api/v1/amt/networkSettings/wireless/profileSync/{guid}", "wifi.sync.set",
     "AMT Network Settings request", from::body},
    {"GET /api/v1/amt/networkSettings/wireless/profile/{guid}", "wifi.profiles.list",
     "AMT Network Settings request"},
    {"POST /api/v1/amt/networkSettings/wireless/profile/{guid}", "wifi.profiles.add",
     "AMT Network Settings request", from::body},
    {"PATCH /api/v1/amt/networkSettings/wireless/profile/{guid}", "wifi.profiles.update",
     "AMT Network Settings request", from::body},
    {"DELETE /api/v1/amt/networkSettings/wireless/profile/{guid}/{profileName}",
     "wifi.profiles.remove", "AMT Network Settings request", from::path, "profileName"},
    {"GET /api/v1/amt/tls/{guid}", "tls.settings.get", "TLS Settings request"},
    {"GET /api/v1/amt/explorer/{guid}/{call}", "explorer.get", "Explorer request", from::path,
     "class"},
    {"DELETE /api/v1/amt/deactivate/{guid}", "deactivate", "unprovision request"},
};

/// The argument, or an answer of its own and nullopt.
std::optional<json::value> argument_of(const call_ptr& c, const amt_route& r) {
  json::object out;
  if (r.argument == from::body || r.argument == from::path_body) {
    if (r.argument == from::path_body && c->req.body.empty())
      return json::value(std::move(out));
    auto body = c->body();
    if (!body)
      return std::nullopt;
    if (body->members() == nullptr) {
      c->refuse({field_error{std::nullopt, "", "body", "must be a JSON object"}});
      return std::nullopt;
    }
    out = std::move(*body->members());
  }
  if (r.argument == from::query) {
    if (const auto* text = c->req.target.parameter(r.member))
      out.push_back({std::string(r.member), *text});
  }
  if (r.argument == from::path || r.argument == from::path_body)
    out.push_back({std::string(r.member), c->params.at(1)});
  return json::value(std::move(out));
}

std::vector<field_error> wrong_fields(const amt::operation& o, const amt_route& r,
                                      const json::value& argument, time_ms now) {
  auto wrong = amt::mistakes(o, argument, now);
  for (auto& w : wrong)
    if (w.path == r.member)
      w.location = r.argument == from::query ? "query" : "params";
  return wrong;
}

void tell(const call_ptr& c, const amt_route& r, const json::value& told) {
  if (told.is_null())
    return c->empty(204);
  if (r.refusal_is_400 && amt::return_value_in(json::dump(told)).value_or(0) != 0)
    return c->answer(400, told);
  c->answer(200, told);
}

void tell(const call_ptr& c, const amt_route& r, const std::string& text) {
  auto told = json::parse(text);
  if (!told)
    return c->refuse(fail(problem::internal, "an operation told no JSON"));
  tell(c, r, *told);
}

/// MPS's words and codes for what went wrong; ours besides.
void refuse(const call_ptr& c, const amt_route& r, const failure& why) {
  if (why.what == problem::link_down || why.what == problem::stale_epoch)
    return c->answer(device_not_connected(c->params.at(0)));
  const auto words = explain(why.what);
  const auto detail = why.detail.empty() ? std::string(words.what) : why.detail;
  int status = words.status;
  std::string error = "Internal Server Error";
  switch (why.what) {
  case problem::malformed:
  case problem::too_large:
    status = 400;
    error = "Incorrect URI or Bad Request";
    break;
  case problem::not_found:
    error = detail.substr(0, detail.find(':')); // "Wireless Profile not found: office."
    break;
  case problem::already_exists:
  case problem::transition_refused:
    status = 409;
    error = r.operation == "wifi.sync.set" ? detail : "Conflict"; // MPS has none elsewhere
    break;
  case problem::unsupported:
    status = 501;
    error = "Not Implemented";
    break;
  case problem::device_timeout:
  case problem::expired:
  case problem::outcome_unknown:
    status = 504;
    error = "Timeout Error";
    break;
  case problem::device_refused:
    status = is_400_when_refused(r.operation) ? 400 : 500;
    if (status == 400)
      error = "Incorrect URI or Bad Request";
    break;
  case problem::device_protocol:
  case problem::device_auth:
  case problem::internal:
    status = 500;
    break;
  default: // our own trouble and the caller's: the same words on every route
    return c->refuse(why);
  }
  json::object body{
      {"error", error},
      {"errorDescription", status == 500 ? "Exception during " + std::string(r.what) : detail},
      {"message", detail},
      {"code", words.code},
      {"next", words.next},
      {"retry", words.retry}};
  if (status == 500 && r.operation == "boot.sources") { // MPS: of this route alone
    body.front().val = "Failed to get boot source settings";
    body.push_back({"details", detail});
  }
  c->answer(status, std::move(body));
}

/// MPS does not tell a machine that is unknown from one without a tunnel; what the firmware lacks
/// is something else.
void refuse_look(const call_ptr& c, const amt_route& r, const device_ref& ref, const failure& why) {
  if (why.what != problem::not_found)
    return refuse(c, r, why);
  c->with().store->get_device(ref, [c, &r, why](result<device_record> d) {
    const bool unknown = !d && d.error().what == problem::not_found;
    refuse(c, r, unknown ? fail(problem::link_down) : why);
  });
}

void look(const call_ptr& c, const amt_route& r, const amt::operation& o, const device_ref& ref,
          const json::value& argument) {
  c->with().control->ask(ref, amt::perform{std::string(o.name), json::dump(argument)}, o.deadline,
                         [c, &r, ref](result<amt_outcome> got) {
                           if (!got)
                             return refuse_look(c, r, ref, got.error());
                           const auto* told = std::get_if<amt::document>(&*got);
                           if (!told)
                             return refuse(c, r, fail(problem::internal));
                           tell(c, r, told->json);
                         });
}

void change(const call_ptr& c, const amt_route& r, const amt::operation& o, const device_ref& ref,
            const json::value& argument) {
  auto id = c->request_id();
  if (!id)
    return;
  request q;
  q.id = *id;
  q.target = ref;
  q.body = ask_operation{"amt." + std::string(o.name), json::dump(argument)};
  q.deadline = c->with().clock->now() + o.deadline.count();
  q.by = c->by();
  q.channel = "rest";
  q.address = c->req.peer;
  c->with().control->submit(std::move(q), c->held, [c, &r](const response& answer) {
    if (!is_final(answer.status))
      return;
    if (!answer.result.empty()) // the firmware's refusal has MPS's body, too
      return tell(c, r, answer.result);
    if (answer.return_value) { // an order for power: of that only the value is told
      const auto value = *answer.return_value;
      return tell(c, r,
                  json::object{{"Body", json::object{{"ReturnValue", value},
                                                     {"ReturnValueStr", pt_status_name(value)}}}});
    }
    refuse(c, r, answer.why.value_or(fail(problem::internal)));
  });
}

/// MPS's boot option 104 wipes the disks: an operation of its own, for who may do that.
std::string_view operation_for(const amt_route& r, const json::value& argument) {
  const auto* action = r.operation == "boot.set" ? argument.find("action") : nullptr;
  const bool wipes = action != nullptr && ((action->integer() && *action->integer() == 104) ||
                                           (action->text() && *action->text() == "104"));
  return wipes ? "erase.secure" : r.operation;
}

void serve(const call_ptr& c, const amt_route& r) {
  auto argument = argument_of(c, r);
  if (!argument)
    return;
  const auto* operation = amt::find_operation(operation_for(r, *argument));
  if (operation == nullptr)
    return c->refuse(fail(problem::internal, "a route without its operation"));
  // Before anybody looks whether the machine is connected, as MPS does.
  if (auto wrong = wrong_fields(*operation, r, *argument, c->with().clock->now()); !wrong.empty())
    return c->refuse(wrong);
  // MPS does not validate the GUID of /amt routes: what is none is not connected.
  auto guid = parse_uuid(c->params.at(0));
  if (!guid)
    return c->answer(device_not_connected(c->params.at(0)));
  const device_ref ref{c->tenant, *guid};
  if (operation->effect == wsman::effect::none)
    return look(c, r, *operation, ref, *argument);
  // An order for a machine without a tunnel is refused at once and not noted as one.
  c->with().store->get_device(ref, [c, &r, operation, ref,
                                    argument = std::move(*argument)](result<device_record> d) {
    if (!d)
      return refuse(c, r,
                    d.error().what == problem::not_found ? fail(problem::link_down) : d.error());
    if (!d->connected)
      return refuse(c, r, fail(problem::link_down));
    change(c, r, *operation, ref, argument);
  });
}

} // namespace

std::string_view operation_of(std::string_view rule) {
  for (const auto& r : routes)
    if (r.rule == rule)
      return r.operation;
  return {};
}

void add_amt_routes(router& to) {
  for (const auto& r : routes)
    to.add(r.rule, dialect::mps, [&r](call_ptr c) { serve(c, r); });
}

} // namespace outband::rest
