#include "tests/e2e/provisioning_site.hpp"

#include "messages/bus/topics.hpp"

#include <nlohmann/json.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

using namespace outband;
using namespace outband::e2e;

namespace {

device_ref ref_of(const machine& m) {
  return {"demo", *parse_uuid(m.guid)};
}

int mode_of(const provisioning_site& s, const machine& m) {
  return s.truth(m.guid).at("control_mode");
}

/// Power, to show that it is managed: by its own firmware's word.
void check_managed(provisioning_site& s, const machine& m, int mode) {
  CHECK(mode_of(s, m) == mode);
  // A tunnel of an earlier configuration may have to end first.
  reply state;
  CHECK_MESSAGE(s.until([&] {
    state = s.call(&s.admin(), "GET", "/api/v1/amt/power/state/" + m.guid);
    return state.status == 200;
  }),
                state.body, s.server_log());
}

} // namespace

TEST_CASE("a whole life: new and activated and managed and deactivated and new again") {
  auto& s = provisioning_site::get();
  for (auto version : {test::rpc_version::v2, test::rpc_version::v3}) {
    const auto& m = s.fresh();
    CHECK(mode_of(s, m) == 0);
    auto how = s.rpc(m, s.url("activate", "demo_ccm"));
    how.version = version;
    how.profile = "demo_ccm";
    const auto got = test::run_rpc(how);
    REQUIRE_MESSAGE(got.how == test::rpc_end::success, got.why, " ", got.message);
    CHECK(got.status == "Client control mode.");
    CHECK(got.complaints.empty());
    check_managed(s, m, 1);
    CHECK(s.activation(m).at("state") == "done");

    how = s.rpc(m, s.url("deactivate", {}, m.guid));
    how.version = version;
    how.command = test::rpc_command::deactivate;
    how.password = "Whatever1!";
    const auto gone = test::run_rpc(how);
    REQUIRE_MESSAGE(gone.how == test::rpc_end::success, gone.why, " ", gone.message);
    CHECK(gone.status == "Deactivated");
    CHECK(mode_of(s, m) == 0);
    CHECK(s.call(&s.admin(), "GET", "/api/v1/devices/" + m.guid).status == 404);

    how = s.rpc(m, s.url("activate", "demo_ccm"));
    how.version = version;
    how.profile = "demo_ccm";
    CHECK(test::run_rpc(how).how == test::rpc_end::success);
    check_managed(s, m, 1);
  }
}

TEST_CASE("a machine is activated in admin control mode and upgraded to it") {
  auto& s = provisioning_site::get();
  const auto& direct = s.fresh();
  auto how = s.rpc(direct, s.url("activate", "demo_acm"));
  how.profile = "demo_acm";
  auto got = test::run_rpc(how);
  REQUIRE_MESSAGE(got.how == test::rpc_end::success, got.why, " ", got.message);
  CHECK(got.status == "Activated to admin control mode.");
  check_managed(s, direct, 2);

  const auto& later = s.fresh();
  how = s.rpc(later, s.url("activate", "demo_ccm"));
  how.profile = "demo_ccm";
  REQUIRE(test::run_rpc(how).how == test::rpc_end::success);
  how = s.rpc(later, s.url("activate", "demo_acm", later.guid));
  how.profile = "demo_acm";
  how.password = "Whatever1!";
  got = test::run_rpc(how);
  REQUIRE_MESSAGE(got.how == test::rpc_end::success, got.why, " ", got.message);
  CHECK(got.status == "Upgraded to admin control mode.");
  check_managed(s, later, 2);
}

TEST_CASE("a machine has the 802.1x of its profile and says so itself") {
  auto& s = provisioning_site::get();
  const auto post = [&](const std::string& kind, const json& body) {
    const auto made = s.call(&s.admin(), "POST", "/api/v1/admin/" + kind, body.dump());
    REQUIRE_MESSAGE(made.status == 201, made.body);
  };
  json cable = {{"profileName", "e2ecable"},
                {"wiredInterface", true},
                {"authenticationProtocol", 2},
                {"pxeTimeout", 60},
                {"username", "cable-user"},
                {"password", "cable-secret"},
                {"domain", "CORP"},
                {"serverName", "radius.corp"},
                {"caCertificate", test::certificate_pem(s.pki().chain.back())}};
  json radio = cable;
  radio["profileName"] = "e2eradio";
  radio["wiredInterface"] = false;
  radio["username"] = "radio-user";
  post("ieee8021xconfigs", cable);
  post("ieee8021xconfigs", radio);
  cable["profileName"] = "e2etls";
  cable["authenticationProtocol"] = 0;
  post("ieee8021xconfigs", cable);
  post("wirelessconfigs", {{"profileName", "e2eair"},
                           {"authenticationMethod", 7},
                           {"encryptionMethod", 4},
                           {"ssid", "corp-net"},
                           {"ieee8021xProfileName", "e2eradio"}});
  const auto theirs = s.call(&s.admin(), "GET", "/api/v1/admin/profiles/demo_ccm").parsed();
  json profile = {{"profileName", "e2e_8021x"},
                  {"activation", "ccmactivate"},
                  {"generateRandomPassword", true},
                  {"dhcpEnabled", true},
                  {"userConsent", "All"},
                  {"ciraConfigName", theirs.at("ciraConfigName")},
                  {"ieee8021xProfileName", "e2ecable"},
                  {"wifiConfigs", {{{"profileName", "e2eair"}, {"priority", 1}}}}};
  post("profiles", profile);
  profile["profileName"] = "e2e_eaptls";
  profile["ieee8021xProfileName"] = "e2etls";
  post("profiles", profile);

  const auto& m = s.fresh();
  auto how = s.rpc(m, s.url("activate", "e2e_eaptls"));
  how.profile = "e2e_eaptls";
  auto got = test::run_rpc(how);
  CHECK(got.how == test::rpc_end::error);
  CHECK(got.status.find("authenticationProtocol 0 (EAP-TLS)") != std::string::npos);
  CHECK(mode_of(s, m) == 0);

  how = s.rpc(m, s.url("activate", "e2e_8021x"));
  how.profile = "e2e_8021x";
  got = test::run_rpc(how);
  REQUIRE_MESSAGE(got.how == test::rpc_end::success, got.why, " ", got.message);
  check_managed(s, m, 1);
  const auto ask = [&](const std::string& what) {
    return s.call(&s.admin(), "GET", "/api/v1/amt/" + what);
  };
  const auto wired = ask("explorer/" + m.guid + "/IPSIEEE8021xSettings");
  REQUIRE_MESSAGE(wired.status == 200, wired.body);
  for (const char* is : {"cable-user", "CORP", "radius.corp"})
    CHECK_MESSAGE(wired.body.find(is) != std::string::npos, wired.body);
  CHECK(wired.body.find("cable-secret") == std::string::npos);
  const auto ports = ask("networkSettings/" + m.guid);
  REQUIRE_MESSAGE(ports.status == 200, ports.body);
  const auto told = ports.parsed();
  CHECK(told.at("wired").at("ieee8021x").at("enabled") == "EnabledWithCertificates");
  CHECK(told.at("wired").at("ieee8021x").at("pxeTimeout") == 60);
  const auto& air = told.at("wireless").at("ieee8021xSettings");
  REQUIRE(air.size() == 1);
  CHECK(air[0].at("username") == "radio-user");
  CHECK(air[0].at("domain") == "CORP");
  CHECK(told.at("wireless").at("wifiNetworks")[0].at("ssid") == "corp-net");
}

TEST_CASE("EMF's agent finds the line that it looks for") {
  auto& s = provisioning_site::get();
  const auto& m = s.fresh();
  auto how = s.rpc(m, s.url("activate", "demo_ccm"));
  how.profile = "demo_ccm";
  const auto got = test::run_rpc(how);
  CHECK(std::find(got.said.begin(), got.said.end(), "CIRA: Configured") != got.said.end());
}

TEST_CASE("every step of an activation is an event on the bus") {
  auto& s = provisioning_site::get();
  const auto& m = s.fresh();
  auto on = s.connect(s.admin());
  watcher events(*on, bus::event_topic(ref_of(m), event_class::activation));
  auto how = s.rpc(m, s.url("activate", "demo_ccm"));
  how.profile = "demo_ccm";
  REQUIRE(test::run_rpc(how).how == test::rpc_end::success);
  CHECK(events.wait([](const auto& seen) {
    return std::any_of(seen.begin(), seen.end(), [](const bus::message& e) {
      return e.payload->find("activation.done") != std::string::npos;
    });
  }));
  std::set<std::string> steps;
  for (const auto& e : events.seen()) {
    auto decoded = bus::decode_event(*e.payload, bus::encoding::msgpack);
    REQUIRE(decoded);
    CHECK(!decoded->body.text.empty());
    steps.insert(decoded->body.from);
  }
  for (const char* wanted : {"reserve-passwords", "setup-client-mode", "confirm-client-mode",
                             "keep-passwords", "configure-cira"})
    CHECK_MESSAGE(steps.count(wanted) == 1, wanted);
}

TEST_CASE("a connection that is cut after any message leaves a machine that can be activated") {
  auto& s = provisioning_site::get();
  const auto& measured = s.fresh();
  auto how = s.rpc(measured, s.url("activate", "demo_ccm"));
  how.profile = "demo_ccm";
  const auto whole = test::run_rpc(how);
  REQUIRE(whole.how == test::rpc_end::success);
  const auto length = whole.sent + whole.received;
  REQUIRE(length > 20);
  // Each exchange is cut in tests/unit/activation; here the whole way of it, at six of them. None
  // is near the end: another run may have some messages less, as firmware is busy more or less
  // often.
  for (std::size_t n = 0; n < 6; ++n) {
    const auto at = 2 + n * length / 6;
    CAPTURE(at);
    const auto& m = s.fresh();
    how = s.rpc(m, s.url("activate", "demo_ccm", m.guid));
    how.profile = "demo_ccm";
    const auto cut = test::run_rpc(how, test::cut_after(at));
    CHECK(cut.how == test::rpc_end::cut);
    how = s.rpc(m, s.url("activate", "demo_ccm", m.guid));
    how.profile = "demo_ccm";
    how.password = "Whatever1!";
    test::rpc_outcome got;
    // The server may still be with the first connection when the second comes.
    REQUIRE(s.until([&] {
      how.url = s.url("activate", "demo_ccm", m.guid);
      got = test::run_rpc(how);
      return got.how == test::rpc_end::success;
    }));
    check_managed(s, m, 1);
  }
}

TEST_CASE("who has no good token gets nothing") {
  auto& s = provisioning_site::get();
  const auto& m = s.fresh();
  const auto used = s.url("activate", "demo_ccm");
  auto how = s.rpc(m, used);
  how.profile = "demo_ccm";
  REQUIRE(test::run_rpc(how).how == test::rpc_end::success);

  const auto& other = s.fresh();
  how = s.rpc(other, used); // replayed
  how.profile = "demo_ccm";
  auto got = test::run_rpc(how);
  CHECK(got.how == test::rpc_end::error);
  CHECK(got.status.find("token") != std::string::npos);

  how = s.rpc(other, s.url("activate", "demo_ccm", m.guid)); // for another machine
  how.profile = "demo_ccm";
  CHECK(test::run_rpc(how).how == test::rpc_end::error);

  how = s.rpc(other, s.url("activate", "demo_ccm")); // says another tenant
  how.profile = "demo_ccm";
  how.tenant = "acme";
  CHECK(test::run_rpc(how).how == test::rpc_end::error);

  how.url = s.url("activate", "demo_ccm");
  how.url = how.url.substr(0, how.url.rfind('/')); // the bare path
  how.tenant.clear();
  CHECK(test::run_rpc(how).how != test::rpc_end::success);
  CHECK(mode_of(s, other) == 0);
  CHECK(s.call(&s.admin(), "GET", "/api/v1/devices/" + other.guid).status == 404);
}
