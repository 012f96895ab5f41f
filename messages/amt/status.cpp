#include "messages/amt/status.hpp"

#include "messages/amt/pass_through.hpp"
#include "messages/domain/amt.hpp"

#include <string>

namespace outband::amt {

namespace {

constexpr std::uint32_t job_started = 4096;

} // namespace

std::string_view status_text(std::uint32_t value) {
  switch (value) {
  case 0:
    return {};
  case 1:
    return "the firmware failed inside; try again, and if it stays so, update the firmware";
  case 2:
    return "the machine is not in a state for this; wait for what is going on to end, then try "
           "again";
  case 3:
  case 32:
    return "the machine's provisioning mode does not allow this; see how it was activated";
  case 11:
  case 4100:
    return "the firmware has no room left; remove what is no longer needed";
  case 16:
    return "the machine's settings or its control mode do not permit this; enable the feature, or "
           "activate the machine in admin control mode";
  case 23:
    return "the machine already holds as many as it can; remove one first";
  case 25:
  case 2069:
    return "the credentials given are wrong";
  case 34:
    return "the time given is not one that the firmware accepts";
  case 36:
  case 4099:
    return "this firmware does not accept one of the values; see what the machine supports";
  case 38:
    return "the firmware's memory was written too often lately; wait some minutes";
  case 47:
  case 48:
  case 2061:
    return "the firmware is generating keys or random numbers; wait a minute and try again";
  case 1024:
    return "a policy of the machine forbids this; it is changed in its management BIOS extension";
  case 2050:
    return "this machine's BIOS does not support that boot option; see what the machine supports";
  case 2053:
  case 2068:
    return "the firmware knows no such thing; read the list again";
  case 2054:
    return "the firmware does not accept the password: 8 to 32 characters of all four kinds";
  case 2057:
    return "something that must be set up first is missing";
  case 2058:
    return "there is one of that name already; remove it or choose another name";
  case 2063:
    return "the certificate is not one that the firmware accepts";
  case 2066:
    return "this firmware does not support it";
  case 2075:
    return "the firmware's audit log is full and locks this function; the auditor has to clear it";
  case 2076:
    return "another component blocks this; wait, then try again";
  case 2081:
    return "the user at the machine has to consent first: request a consent code";
  case 2082:
    return "another operation is going on in the firmware; wait until it ends";
  default:
    return "the firmware gives no further reason; its event log may";
  }
}

failure status_failure(std::string_view method, std::uint32_t value) {
  return fail(problem::device_refused,
              std::string(method) + " was refused with " + std::string(pt_status_name(value)) +
                  " (" + std::to_string(value) + "): " + std::string(status_text(value)));
}

status done(const result<wsman::returned>& told, std::string_view method) {
  if (!told)
    return told.error();
  if (told->value != 0)
    return status_failure(method, told->value);
  return success();
}

status request_state(wsman::talk& t, std::string_view cls, std::uint32_t state) {
  auto told =
      t.invoke(cls, "RequestStateChange", wsman::property("RequestedState", std::to_string(state)));
  if (told && told->value == job_started)
    return success();
  return done(told, std::string(cls) + ".RequestStateChange");
}

json::value acknowledgement(const wsman::talk& t, std::uint32_t value, std::string_view text,
                            relates_to how) {
  json::object body{{"ReturnValue", value}, {"ReturnValueStr", pt_status_name(value)}};
  if (value != 0)
    body.push_back({"text", text});
  json::object out;
  if (const auto* answer = t.last())
    out.push_back({"Header", header_as_json(*answer, how)});
  out.push_back({"Body", std::move(body)});
  out.push_back({"ReturnValue", value});
  return out;
}

} // namespace outband::amt
