#include "messages/bus/legacy.hpp"

#include "messages/amt/catalogue.hpp"

#include <doctest/doctest.h>
#include <ostream>
#include <set>

namespace {

using namespace outband;
using namespace outband::bus;

const device_ref machine{"acme", *parse_uuid("12345678-9abc-def0-1234-56789abcdef0")};

result<std::int64_t> done(std::int64_t value = 0) {
  return value;
}

/// "success AMT_GetFeatures: AMT Features retrieved", or "" where MPS is silent.
std::string text(const std::optional<mps_event>& e) {
  if (!e)
    return {};
  const char* type = e->type == mps_event::kind::request   ? "request "
                     : e->type == mps_event::kind::success ? "success "
                                                           : "fail ";
  return type + e->method + ": " + e->message;
}
std::string ended(std::string_view operation, const result<std::int64_t>& outcome,
                  const json::value& argument = {}) {
  return text(mps_ended(operation, argument, outcome));
}

} // namespace

TEST_CASE("an event of MPS has its members and never lacks the GUID") {
  CHECK(
      mps_payload(mps_connected(), machine, 1'767'322'245'000) ==
      R"({"type":"success","message":"CIRA Connection Established","methods":["CIRA_Connected"],"guid":"12345678-9abc-def0-1234-56789abcdef0","tenantId":"acme","timestamp":1767322245000})");
}

TEST_CASE("what an activation comes to is told in RPS's words") {
  CHECK(
      rps_payload("Client control mode.", machine, 1'767'322'245'000) ==
      R"({"type":"success","message":"Device activated in Client control mode.","methods":["Activator","execute"],"guid":"12345678-9abc-def0-1234-56789abcdef0","tenantId":"acme","timestamp":1767322245000})");
  CHECK(
      rps_payload("", machine, 1) ==
      R"({"type":"fail","message":"Failed to activate","methods":["Activator"],"guid":"12345678-9abc-def0-1234-56789abcdef0","tenantId":"acme","timestamp":1})");
}

TEST_CASE("an operation is told in MPS's words at its begin and end") {
  CHECK(text(mps_begun("features.get")) == "request AMT_GetFeatures: AMT Features requested");
  CHECK(ended("features.get", done()) == "success AMT_GetFeatures: AMT Features retrieved");
  CHECK(ended("features.get", fail(problem::device_timeout)) ==
        "fail AMT_GetFeatures: Internal Service Error");
  CHECK(ended("log.event", fail(problem::device_protocol)) ==
        "fail AMT_EventLog: Event Log request failed");
}

TEST_CASE("where MPS is silent so are we") {
  CHECK(text(mps_begun("power.action")).empty());
  CHECK(ended("power.action", done()) == "success AMT_PowerAction: Power Action requested");
  CHECK(ended("power.state", done()).empty());
  CHECK(text(mps_begun("deactivate")).empty());
  CHECK(ended("deactivate", done()).empty());
  CHECK(ended("deactivate", fail(problem::device_refused)) ==
        "fail AMT_Unprovision: Internal Service Error");
  CHECK(text(mps_begun("no.such.operation")).empty());
  CHECK(ended("no.such.operation", fail(problem::internal)).empty());
}

TEST_CASE("the firmware's own refusal in an answer is a failure") {
  CHECK(ended("consent.send", done(2066)) ==
        "fail Send_User_Consent_Code: User Consent Sent failed");
  CHECK(ended("consent.send", done(0)) == "success Send_User_Consent_Code: User Consent code sent");
}

TEST_CASE("an operation on a machine without a tunnel is MPS's Device Not Found") {
  for (auto why : {problem::link_down, problem::not_found, problem::stale_epoch})
    CHECK(ended("power.state", fail(why)) == "fail CIRA_Connection: Device Not Found");
}

TEST_CASE("the link preference is told by name and its failure with the reason") {
  const json::value me(json::object{{"linkPreference", 1}});
  const json::value host(json::object{{"linkPreference", 2}});
  CHECK(ended("link_preference.set", done(), me) ==
        "success AMT_LinkPreference: Link Preference set to ME");
  CHECK(ended("link_preference.set", done(), host) ==
        "success AMT_LinkPreference: Link Preference set to HOST");
  CHECK(ended("link_preference.set", done(5), me) ==
        "fail AMT_LinkPreference: Set Link Preference failed: ReturnValue 5");
  CHECK(ended("link_preference.set", fail(problem::unsupported, "no WiFi port"), me) ==
        "fail AMT_LinkPreference: Set Link Preference failed: no WiFi port (unsupported)");
}

TEST_CASE("each operation has one row of words and can fail") {
  std::set<std::string_view> seen;
  for (auto name : mps_operations()) {
    CAPTURE(name);
    // A power action is a command of the device and no operation of the catalogue.
    CHECK((name == "power.action" || amt::find_operation(name) != nullptr));
    CHECK(seen.insert(name).second);
    CHECK(ended(name, fail(problem::device_refused)).substr(0, 5) == "fail ");
  }
  CHECK(seen.size() > 30);
}
