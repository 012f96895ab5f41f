#include "tests/e2e/provisioning_site.hpp"

#include <nlohmann/json.hpp>

#include <doctest/doctest.h>

#include <algorithm>

using namespace outband;
using namespace outband::e2e;

namespace {

void check_managed(provisioning_site& s, const machine& m, int mode) {
  CHECK(s.truth(m.guid).at("control_mode") == mode);
  reply state;
  CHECK_MESSAGE(s.until([&] {
    state = s.call(&s.admin(), "GET", "/api/v1/amt/power/state/" + m.guid);
    return state.status == 200;
  }),
                state.body, s.server_log());
}

/// A profile of the tenant like its own, with TLS.
void make_tls_profile(provisioning_site& s, const char* name, const char* activation) {
  const auto made =
      s.call(&s.admin(), "POST", "/api/v1/admin/profiles",
             json{{"profileName", name},
                  {"activation", activation},
                  {"generateRandomPassword", true},
                  {"generateRandomMEBxPassword", true},
                  {"tlsMode", 2},
                  {"tlsSigningAuthority", "SelfSigned"},
                  {"dhcpEnabled", true},
                  {"userConsent", activation == std::string("ccmactivate") ? "All" : "None"},
                  {"kvmEnabled", true}}
                 .dump());
  REQUIRE_MESSAGE((made.status == 201 || made.status == 400), made.body);
}

} // namespace

TEST_CASE("a machine whose local ports speak TLS only is activated in client control mode") {
  auto& s = provisioning_site::behind_tls();
  for (auto version : {test::rpc_version::v2, test::rpc_version::v3}) {
    const auto& m = s.fresh();
    auto how = s.rpc(m, s.url("activate", "demo_ccm"));
    how.version = version;
    how.profile = "demo_ccm";
    const auto got = test::run_rpc(how);
    REQUIRE_MESSAGE(got.how == test::rpc_end::success, got.why, " ", got.message, s.server_log());
    check_managed(s, m, 1);
  }
}

TEST_CASE("a machine whose local ports speak TLS only is activated in admin control mode") {
  auto& s = provisioning_site::behind_tls();
  const auto& m = s.fresh();
  auto how = s.rpc(m, s.url("activate", "demo_acm"));
  how.profile = "demo_acm";
  const auto got = test::run_rpc(how);
  REQUIRE_MESSAGE(got.how == test::rpc_end::success, got.why, " ", got.message, s.server_log());
  check_managed(s, m, 2);
  // And deactivated again, through the same TLS.
  how = s.rpc(m, s.url("deactivate", {}, m.guid));
  how.command = test::rpc_command::deactivate;
  how.password = "Whatever1!";
  const auto gone = test::run_rpc(how);
  CHECK_MESSAGE(gone.how == test::rpc_end::success, gone.why, " ", gone.message);
  CHECK(s.truth(m.guid).at("control_mode") == 0);
}

TEST_CASE("rpc's TLS tunnel brings a machine to its TLS port on the way") {
  auto& s = provisioning_site::get();
  make_tls_profile(s, "tunnel", "acmactivate");
  const auto& m = s.fresh();
  auto how = s.rpc(m, s.url("activate", "tunnel"));
  how.profile = "tunnel";
  how.tls_tunnel = true;
  const auto got = test::run_rpc(how);
  REQUIRE_MESSAGE(got.how == test::rpc_end::success, got.why, " ", got.message, s.server_log());
  CHECK(s.truth(m.guid).at("control_mode") == 2);
  CHECK(std::find(got.conversation.begin(), got.conversation.end(), "< port_switch") !=
        got.conversation.end());
}

TEST_CASE("a profile with TLS gives a machine a certificate of this site") {
  auto& s = provisioning_site::get();
  make_tls_profile(s, "withtls", "acmactivate");
  const auto& m = s.fresh();
  auto how = s.rpc(m, s.url("activate", "withtls"));
  how.profile = "withtls";
  const auto got = test::run_rpc(how);
  REQUIRE_MESSAGE(got.how == test::rpc_end::success, got.why, " ", got.message, s.server_log());
  CHECK(s.truth(m.guid).at("control_mode") == 2);
}

TEST_CASE("maintenance of rpc v2 sets clock and name and password") {
  auto& s = provisioning_site::get();
  const auto& m = s.fresh();
  auto how = s.rpc(m, s.url("activate", "demo_ccm"));
  how.profile = "demo_ccm";
  REQUIRE(test::run_rpc(how).how == test::rpc_end::success);
  for (const char* task : {"synctime", "synchostname", "changepassword", "syncdeviceinfo"}) {
    CAPTURE(task);
    how = s.rpc(m, s.url("maintenance", {}, m.guid));
    how.command = test::rpc_command::maintenance;
    how.task = task;
    how.password = "Whatever1!";
    const auto got = test::run_rpc(how);
    CHECK_MESSAGE(got.how == test::rpc_end::success, got.why, " ", got.message);
  }
  check_managed(s, m, 1);
}

TEST_CASE("machines that cannot be activated say why") {
  auto& s = provisioning_site::get();
  // Setup by the host is switched off in the BIOS.
  const auto& off = s.fresh();
  s.sim({{"op", "set"}, {"guid", off.guid}, {"host_based", false}});
  auto how = s.rpc(off, s.url("activate", "demo_ccm"));
  how.profile = "demo_ccm";
  auto got = test::run_rpc(how);
  CHECK(got.how == test::rpc_end::error);
  CHECK_MESSAGE(got.status.find("Failed to activate in client control mode.") == 0, got.status);
  // Somebody else activated it.
  const auto& theirs = s.fresh();
  s.sim({{"op", "set"},
         {"guid", theirs.guid},
         {"control_mode", 2},
         {"admin_password", "Theirs123!"}});
  how = s.rpc(theirs, s.url("activate", "demo_acm"));
  how.profile = "demo_acm";
  how.password = "Wrong123!";
  got = test::run_rpc(how);
  CHECK(got.how == test::rpc_end::error);
  CHECK(got.status == "Unable to authenticate with AMT");
  // The suffix of its network is nobody's.
  const auto& lost = s.fresh();
  s.sim({{"op", "set"}, {"guid", lost.guid}, {"pki_suffix", "elsewhere.net"}});
  how = s.rpc(lost, s.url("activate", "demo_acm"));
  how.profile = "demo_acm";
  got = test::run_rpc(how);
  CHECK(got.how == test::rpc_end::error);
  CHECK_MESSAGE(got.status.find("elsewhere.net") != std::string::npos, got.status);
  CHECK(s.truth(lost.guid).at("control_mode") == 0);
  // AMT is switched off in the BIOS: rpc itself does not begin, or the firmware refuses.
  const auto& dead = s.fresh();
  s.sim({{"op", "set"}, {"guid", dead.guid}, {"amt_enabled", false}, {"may_be_enabled", false}});
  how = s.rpc(dead, s.url("activate", "demo_ccm"));
  how.profile = "demo_ccm";
  got = test::run_rpc(how);
  CHECK(got.how != test::rpc_end::success);
  CHECK(s.truth(dead.guid).at("control_mode") == 0);
}
