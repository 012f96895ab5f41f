#include "gateway/rest/device_json.hpp"
#include "gateway/rest/router.hpp"
#include "messages/rest/target.hpp"

#include <charconv>

namespace outband::rest {

namespace {

constexpr std::chrono::milliseconds read_deadline{10'000}, change_deadline{30'000};

/// MPS does not validate the GUID of /amt routes: what is none is not connected.
std::optional<device_ref> ref_of(const call_ptr& c) {
  if (auto id = parse_uuid(c->params.at(0)))
    return device_ref{c->tenant, *id};
  c->answer(device_not_connected(c->params.at(0)));
  return std::nullopt;
}

/// How a failed read or action looks to MPS's clients. `last_known`: see device_not_connected.
void refuse(const call_ptr& c, const failure& why, const char* what, json::value last_known = {}) {
  if (why.what == problem::not_found || why.what == problem::link_down ||
      why.what == problem::stale_epoch)
    return c->answer(device_not_connected(c->params.at(0), std::move(last_known)));
  const auto words = explain(why.what);
  // What is our own trouble or the caller's MPS does not know: the same words on every route.
  const bool ours = words.status == 503 || words.status == 429;
  if ((ours && last_known.is_null()) || why.what == problem::forbidden ||
      why.what == problem::malformed)
    return c->refuse(why);
  // MPS: 404 when the firmware is mute, 500 for the rest; ours keeps the precise code in the body.
  const int status = ours ? words.status
                     : why.what == problem::device_timeout || why.what == problem::expired ? 404
                     : why.what == problem::transition_refused                             ? 409
                     : why.what == problem::unsupported                                    ? 422
                                                                                           : 500;
  json::object body{{"error", status == 404   ? "Timeout Error"
                              : status == 500 ? "Internal Server Error"
                                              : words.what},
                    {"errorDescription", status == 500 ? std::string(what) : why.detail},
                    {"message", why.detail.empty() ? std::string(words.what) : why.detail},
                    {"code", words.code},
                    {"next", words.next},
                    {"retry", words.retry}};
  if (!last_known.is_null())
    body.push_back({"lastKnown", std::move(last_known)});
  if (why.what == problem::transition_refused) {
    // What the firmware would have said; EMF's dm-manager looks for these words.
    body.push_back({"Body", json::object{{"ReturnValue", 2}, {"ReturnValueStr", "NOT_READY"}}});
  }
  auto r = web::json_response(status, json::dump(std::move(body)));
  if (ours && words.retry)
    r.headers.emplace_back("Retry-After", "5");
  c->answer(std::move(r));
}

/// The machine could not be asked: what was last seen of it, marked as such, beside the refusal.
void refuse_reading(const call_ptr& c, const device_ref& ref, const failure& why,
                    const char* what) {
  c->with().store->show_device(ref, [c, why, what](result<device_row> row) {
    if (!row || row->current.power.observed == 0)
      return refuse(c, why, what);
    const auto& p = row->current.power;
    refuse(c, why, what,
           json::object{{"powerstate", static_cast<int>(p.state)},
                        {"observedAt", iso_time(p.observed)},
                        {"link", to_string(row->link.epoch != 0 ? row->link.state
                                                                : row->current.link.state)}});
  });
}

void state(const call_ptr& c) {
  auto ref = ref_of(c);
  if (!ref)
    return;
  c->with().control->ask(*ref, amt::read_power{}, read_deadline, [c, ref](result<amt_outcome> got) {
    if (!got)
      return refuse_reading(c, *ref, got.error(), "Exception during Power state request");
    const auto* power = std::get_if<amt::power_reading>(&*got);
    if (!power)
      return refuse(c, fail(problem::internal), "Exception during Power state request");
    if (power->state == power_state::unknown)
      return c->answer(400, json::object{{"error", "Incorrect URI or Bad Request"},
                                         {"errorDescription", "The firmware told no power state."},
                                         {"code", "device-protocol"}});
    // Console's UI reads the lower-case member.
    c->answer(200, json::object{{"powerstate", static_cast<int>(power->state)},
                                {"OSPowerSavingState", power->os_power_saving},
                                {"osPowerSavingState", power->os_power_saving}});
  });
}

/// Labels and their order: MPS src/routes/amt/powerCapabilities.ts.
json::value capabilities_json(const power_capabilities& can) {
  json::object o{{"Power up", 2}, {"Power cycle", 5}, {"Power down", 8}, {"Reset", 10}};
  auto add = [&](const char* label, int code) {
    o.push_back({label, code});
  };
  if (can.graceful()) {
    add("Soft-off", 12);
    add("Soft-reset", 14);
    add("Sleep", 4);
    add("Hibernate", 7);
  }
  if (can.bios_setup) {
    add("Power up to BIOS", 100);
    add("Reset to BIOS", 101);
  }
  if (can.secure_erase)
    add("Reset to Secure Erase", 104);
  add("Reset to IDE-R Floppy", 200);
  add("Power on to IDE-R Floppy", 201);
  add("Reset to IDE-R CDROM", 202);
  add("Power on to IDE-R CDROM", 203);
  if (can.force_diagnostic_boot) {
    add("Power on to diagnostic", 300);
    add("Reset to diagnostic", 301);
  }
  add("Reset to PXE", 400);
  add("Power on to PXE", 401);
  return o;
}

void capabilities(const call_ptr& c) {
  auto ref = ref_of(c);
  if (!ref)
    return;
  c->with().control->ask(
      *ref, amt::read_capabilities{}, read_deadline, [c](result<amt_outcome> got) {
        if (!got)
          return refuse(c, got.error(), "Exception during Power capabilities request");
        const auto* can = std::get_if<power_capabilities>(&*got);
        if (!can)
          return refuse(c, fail(problem::internal), "Exception during Power capabilities request");
        c->answer(200, capabilities_json(*can));
      });
}

/// What MPS's validator accepts (src/routes/amt/amtValidator.ts), as a number or as its text.
bool known_to_mps(std::int64_t n) {
  return (n >= 2 && n <= 17 && n != 9) || n == 100 || n == 101 || (n >= 104 && n <= 110) ||
         (n >= 200 && n <= 203) || n == 300 || n == 301 || n == 400 || n == 401 || n == 500 ||
         n == 501;
}

std::optional<std::int64_t> action_of(const json::value& body) {
  const auto* v = body.find("action");
  if (v && v->integer())
    return *v->integer();
  if (!v || !v->text())
    return std::nullopt;
  std::int64_t n = 0;
  const auto& s = *v->text();
  auto [end, ec] = std::from_chars(s.data(), s.data() + s.size(), n);
  if (s.empty() || ec != std::errc{} || end != s.data() + s.size())
    return std::nullopt;
  return n;
}

void acknowledge(const call_ptr& c, const response& r) {
  if (!r.result.empty()) // an operation's, in MPS's shape already
    return c->answer(web::json_response(200, r.result));
  const auto value = r.return_value.value_or(0);
  const auto name = pt_status_name(value);
  // Under Body for MPS's clients, at the top for Console's.
  c->answer(200,
            json::object{{"Header", json::object{{"RelatesTo", to_string(r.id)}}},
                         {"Body", json::object{{"ReturnValue", value}, {"ReturnValueStr", name}}},
                         {"ReturnValue", value},
                         {"requestId", to_string(r.id)},
                         {"text", r.text}});
}

void submit(const call_ptr& c, const uuid& id, const device_ref& ref, request_body what) {
  request r;
  r.id = id;
  r.target = ref;
  r.body = std::move(what);
  r.deadline = c->with().clock->now() + change_deadline.count();
  r.by = c->by();
  r.channel = "rest";
  r.address = c->req.peer;
  c->with().control->submit(std::move(r), c->held, [c](const response& answer) {
    switch (answer.status) {
    case request_status::accepted:
    case request_status::running:
      return; // the firmware's word follows
    case request_status::done:
      return acknowledge(c, answer);
    case request_status::failed:
      if (!answer.result.empty() || answer.return_value.value_or(0) != 0)
        return acknowledge(c, answer); // MPS answers 200 with the firmware's refusal
      break;
    case request_status::rejected:
    case request_status::expired:
    case request_status::unknown:
      break;
    }
    refuse(c, answer.why.value_or(fail(problem::internal)),
           "Exception during Power Action request");
  });
}

void action(const call_ptr& c) {
  auto body = c->body();
  if (!body)
    return;
  // Other members (useSOL, method, bootDetails) are ignored, as MPS does: its UI sends them.
  auto n = action_of(*body);
  if (!n || !known_to_mps(*n)) {
    const auto* v = body->find("action");
    return c->refuse({field_error{v ? std::optional(*v) : std::nullopt, "action", "body",
                                  "must be a power action: 2 to 8, 10 to 16, 500 or 501"}});
  }
  auto code = *n <= 16 ? power_action_from_code(static_cast<int>(*n)) : std::nullopt;
  std::optional<request_body> what;
  if (code)
    what = ask_action{*code};
  else if (*n == 500 || *n == 501) // the operating system's: to full power, to saving
    what = ask_operation{"amt.power.os", json::dump(json::object{{"action", *n}})};
  if (!what)
    return c->refuse(fail(problem::unsupported,
                          *n == 17 ? "The action 17 (INIT) is not carried out."
                                   : "This boots in a special way: POST it to power/bootOptions.",
                          "action"));
  auto id = c->request_id();
  if (!id)
    return;
  auto ref = ref_of(c);
  if (!ref)
    return;
  // An order for a machine without a tunnel is refused at once, as MPS does, not kept: who wants it
  // kept sets the desired power state of the host.
  c->with().store->get_device(*ref, [c, id, ref, what](result<device_record> d) {
    if (!d)
      return refuse(c, d.error(), "");
    if (!d->connected)
      return c->answer(device_not_connected(c->params.at(0)));
    submit(c, *id, *ref, *what);
  });
}

} // namespace

void add_power_routes(router& r) {
  r.add("GET /api/v1/amt/power/state/{guid}", dialect::mps, state);
  r.add("GET /api/v1/amt/power/capabilities/{guid}", dialect::mps, capabilities);
  r.add("POST /api/v1/amt/power/action/{guid}", dialect::mps, action);
}

} // namespace outband::rest
