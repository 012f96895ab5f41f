#include "messages/rest/host.hpp"

#include <doctest/doctest.h>

using namespace outband;

namespace {

result<rest::host_patch> read(const std::string& text) {
  auto v = json::parse(text);
  REQUIRE(v.ok());
  return rest::parse_host_patch(*v);
}

rest::host_status status_of(power_state state, std::string code, std::string reason,
                            power_target wanted = power_target::off) {
  desired_state d;
  d.power.target = wanted;
  current_state c;
  c.power.state = state;
  c.power.since = 1'000;
  if (!code.empty())
    c.conditions.push_back({"power", false, std::move(code), std::move(reason), 2'000});
  return rest::power_status(d, c);
}

} // namespace

TEST_CASE("a host id is derived from the GUID and nothing else") {
  auto a = *parse_uuid("12345678-9abc-def0-1234-56789abcdef0");
  auto b = *parse_uuid("12345678-9abc-def0-1234-56789abcdef1");
  // A constant: stored bookmarks and EMF's references must survive every release.
  CHECK(rest::host_id(a) == "host-fc8c2788");
  CHECK(rest::host_id(a) != rest::host_id(b));
  CHECK(rest::is_host_id(rest::host_id(b)));
  for (auto text : {"host-", "host-1234567", "host-123456789", "host-1234567G", "HOST-12345678"})
    CHECK_FALSE(rest::is_host_id(text));
}

TEST_CASE("status texts are EMF's word for word") {
  CHECK(status_of(power_state::on, "", "").text == "Powered on");
  CHECK(status_of(power_state::off_soft, "", "").text == "Powered off");
  CHECK(status_of(power_state::sleep_deep, "", "").text == "Sleep state");
  CHECK(status_of(power_state::hibernate, "", "").text == "Hibernate state");
  CHECK(status_of(power_state::unknown, "", "").text == "Unknown");
  CHECK(status_of(power_state::on, "in-progress", "x").text == "Powering off");
  CHECK(status_of(power_state::off_soft, "in-progress", "x", power_target::on).text ==
        "Powering on");
  CHECK(status_of(power_state::on, "in-progress", "x", power_target::sleep).text == "Sleeping");
  CHECK(status_of(power_state::on, "in-progress", "x", power_target::hibernate).text ==
        "Hibernating");
  CHECK(status_of(power_state::on, "waiting", "x").text == "Device not found/connected");
  CHECK(status_of(power_state::on, "device-timeout", "x").text == "timeout while waiting response");
  CHECK(status_of(power_state::off_soft, "device-refused", "NOT_READY (2)").text ==
        "Device must be powered on first");
  CHECK(status_of(power_state::on, "transition-refused", "x").text ==
        "mismatch between desired and current power state");
  CHECK(status_of(power_state::on, "internal", "x").text ==
        "Unknown error occurred. Check logs for more details.");
}

TEST_CASE("the indicator and its time follow the condition") {
  CHECK(status_of(power_state::on, "", "").indicator == "STATUS_INDICATION_IDLE");
  CHECK(status_of(power_state::on, "", "").since == 1'000);
  CHECK(status_of(power_state::on, "in-progress", "").indicator == "STATUS_INDICATION_IN_PROGRESS");
  CHECK(status_of(power_state::on, "waiting", "").indicator == "STATUS_INDICATION_ERROR");
  CHECK(status_of(power_state::on, "waiting", "").since == 2'000);
}

TEST_CASE("a patch tells levels from what happens once") {
  auto off = read(
      R"({"name":"n","desiredPowerState":"POWER_STATE_OFF","powerCommandPolicy":"POWER_COMMAND_POLICY_IMMEDIATE"})");
  REQUIRE(off.ok());
  CHECK(off->target == power_target::off);
  CHECK(off->policy == power_policy::immediate);
  CHECK(off->name == "n");
  CHECK_FALSE(off->once.has_value());
  CHECK(read(R"({"desiredPowerState":"POWER_STATE_RESET"})")->once == power_once::reset);
  CHECK(read(R"({"desiredPowerState":"POWER_STATE_RESET_REPEAT"})")->once == power_once::reset);
  CHECK(read(R"({"desiredPowerState":"POWER_STATE_POWER_CYCLE"})")->once == power_once::cycle);
  // Never "on", as EMF's dm-manager takes it.
  CHECK(read(R"({"desiredPowerState":"POWER_STATE_UNSPECIFIED"})")->target == power_target::keep);
  auto nothing = read("{}");
  REQUIRE(nothing.ok());
  CHECK_FALSE((nothing->target || nothing->once || nothing->policy || nothing->name));
}

TEST_CASE("what a patch may not say is refused by the member's name") {
  auto field = [](const std::string& text) {
    auto got = read(text);
    return got.ok() ? "accepted" : got.error().field;
  };
  CHECK(field(R"({"desiredPowerState":"ON"})") == "desiredPowerState");
  CHECK(field(R"({"desiredPowerState":2})") == "desiredPowerState");
  CHECK(field(R"({"desiredPowerState":null})") == "desiredPowerState");
  CHECK(field(R"({"powerCommandPolicy":"ORDERED"})") == "powerCommandPolicy");
  CHECK(field(R"({"name":""})") == "name");
  CHECK(field(R"({"name":"a\nb"})") == "name");
  CHECK(field(R"({"desiredAmtState":"AMT_STATE_PROVISIONED"})") == "desiredAmtState");
  CHECK(field(R"({"powerState":"x"})") == "powerState");
  CHECK(field(R"([])") == "body");
  CHECK(field(R"("x")") == "body");
}
