#include "messages/domain/text.hpp"
#include "messages/http/digest.hpp"
#include "tests/unit/tools/amtsim/bench_client.hpp"
#include "tools/amtsim/account_state.hpp"
#include "tools/amtsim/audit_state.hpp"
#include "tools/amtsim/classes.hpp"
#include "tools/amtsim/hardware_state.hpp"

namespace outband::amtsim {
namespace {

using namespace test;

constexpr auto setup_name = "AMT_SetupAndConfigurationService";

TEST_CASE("all places that name the machine name the same") {
  bench_machine m;
  const auto plain = std::string(get(m, "CIM_ComputerSystemPackage").child_text("PlatformGUID"));
  CHECK(plain == "78563412BC9AF0DE123456789ABCDEF0");
  CHECK(list(m, "CIM_SystemPackaging").at(0).child_text("PlatformGUID") == plain);
  const auto uuid = from_base64(invoke(m, setup_name, "GetUuid").child_text("UUID")).value();
  CHECK(to_hex(reinterpret_cast<const unsigned char*>(uuid.data()), uuid.size()) ==
        "78563412bc9af0de123456789abcdef0");
}

TEST_CASE("general settings are stored and names are audited") {
  bench_machine m;
  const auto before = m.model.audit->records.size();
  CHECK(put(m, "AMT_GeneralSettings",
            wsman::property("HostName", "desk-7") + wsman::property("SharedFQDN", "false") +
                wsman::property("IdleWakeTimeout", "120") + wsman::property("DigestRealm", "x"))
            .http_status == 200);
  const auto now = get(m, "AMT_GeneralSettings");
  CHECK(now.child_text("HostName") == "desk-7");
  CHECK(now.child_text("SharedFQDN") == "false");
  CHECK(now.child_text("IdleWakeTimeout") == "120");
  CHECK(now.child_text("DigestRealm") == who().realm); // read-only
  CHECK(m.model.audit->records.size() == before + 1);
  CHECK(refused(put(m, "AMT_GeneralSettings", wsman::property("IdleWakeTimeout", "65536"))) ==
        "InvalidRepresentation");
}

TEST_CASE("unprovisioning forgets what was configured and changes the realm") {
  bench_machine m;
  REQUIRE(put(m, "AMT_GeneralSettings", wsman::property("HostName", "desk-7")).http_status == 200);
  m.model.feature.opt_in_required = 1;
  CHECK(returned(invoke(m, setup_name, "Unprovision", wsman::property("ProvisioningMode", "7"))) ==
        "36");
  CHECK(returned(invoke(m, setup_name, "Unprovision", wsman::property("ProvisioningMode", "1"))) ==
        "0");
  const auto now = get(m, setup_name);
  CHECK(now.child_text("ProvisioningState") == "0");
  CHECK(get(m, "IPS_HostBasedSetupService").child_text("CurrentControlMode") == "0");
  CHECK(get(m, "AMT_GeneralSettings").child_text("HostName") == who().hostname);
  const std::string realm(get(m, "AMT_GeneralSettings").child_text("DigestRealm"));
  CHECK(realm.size() == who().realm.size());
  CHECK(realm != who().realm);
  CHECK(m.model.feature.opt_in_required == 0);
}

TEST_CASE("a password for the BIOS extension has a length and needs admin control mode") {
  bench_machine m;
  const auto set = [&](const char* password) {
    return returned(
        invoke(m, setup_name, "SetMEBxPassword", wsman::property("Password", password)));
  };
  CHECK(set("P@ssw0rd") == "0");
  CHECK(set("short") == "2054");
  CHECK(set("123456789012345678901234567890123") == "2054");
  m.model.control_mode = 1;
  CHECK(set("P@ssw0rd") == "16");
}

TEST_CASE("the clock is read and set") {
  bench_machine m;
  constexpr auto clock = "AMT_TimeSynchronizationService";
  const auto before = m.model.clock_s(m.now);
  CHECK(invoke(m, clock, "GetLowAccuracyTimeSynch").child_text("Ta0") == std::to_string(before));
  const auto set = [&](std::int64_t ta0, std::int64_t tm1, std::int64_t tm2) {
    return returned(invoke(m, clock, "SetHighAccuracyTimeSynch",
                           wsman::property("Ta0", std::to_string(ta0)) +
                               wsman::property("Tm1", std::to_string(tm1)) +
                               wsman::property("Tm2", std::to_string(tm2))));
  };
  CHECK(set(before, before + 1000, before + 1002) == "0");
  CHECK(m.model.clock_s(m.now) == before + 1001);
  CHECK(set(before, 0, 0) == "36");
}

TEST_CASE("an administrator whose secret was changed signs in with the new one") {
  bench_machine m;
  const auto old = http::digest_ha1("admin", who().realm, who().amt_password);
  CHECK(network_ha1(m.model, "admin") == old);
  const auto secret = http::md5("admin:" + who().realm + ":new").value();
  const std::string octets(secret.begin(), secret.end());
  CHECK(returned(invoke(m, "AMT_AuthorizationService", "SetAdminAclEntryEx",
                        wsman::property("Username", "admin") +
                            wsman::property("DigestPassword", base64(octets)))) == "0");
  CHECK(network_ha1(m.model, "admin") == http::digest_ha1("admin", who().realm, "new"));
  CHECK(network_ha1(m.model, "nobody").empty());
  CHECK(returned(invoke(m, "AMT_AuthorizationService", "SetAdminAclEntryEx",
                        wsman::property("Username", "admin") +
                            wsman::property("DigestPassword", "c2hvcnQ="))) == "36");
}

TEST_CASE("users are added shown changed disabled and removed") {
  bench_machine m;
  constexpr auto acl = "AMT_AuthorizationService";
  const auto entry = [](const std::string& name) {
    return wsman::property("DigestUsername", name) +
           wsman::property("DigestPassword", base64(std::string(16, 'x'))) +
           wsman::property("AccessPermission", "2") + wsman::property("Realms", "5") +
           wsman::property("Realms", "7");
  };
  const auto made = invoke(m, acl, "AddUserAclEntryEx", entry("operator"));
  REQUIRE(returned(made) == "0");
  const auto handle = wsman::property("Handle", std::string(made.child_text("Handle")));
  CHECK(returned(invoke(m, acl, "AddUserAclEntryEx", entry("operator"))) == "2058");
  CHECK(all_texts(invoke(m, acl, "EnumerateUserAclEntries", wsman::property("StartIndex", "1")),
                  "Handles") == std::vector<std::string>{"1", "2", "3"});
  const auto shown = invoke(m, acl, "GetUserAclEntryEx", handle);
  CHECK(shown.child_text("DigestUsername") == "operator");
  CHECK(all_texts(shown, "Realms") == std::vector<std::string>{"5", "7"});
  CHECK_FALSE(network_ha1(m.model, "operator").empty());
  CHECK(returned(invoke(m, acl, "SetAclEnabledState",
                        handle + wsman::property("Enabled", "false"))) == "0");
  CHECK(network_ha1(m.model, "operator").empty());
  CHECK(invoke(m, acl, "GetAclEnabledState", handle).child_text("Enabled") == "false");
  CHECK(returned(invoke(m, acl, "UpdateUserAclEntryEx", handle + entry("clerk"))) == "0");
  CHECK(returned(invoke(m, acl, "RemoveUserAclEntry", handle)) == "0");
  CHECK(returned(invoke(m, acl, "GetUserAclEntryEx", handle)) == "2053");
}

TEST_CASE("hardware is different from machine to machine and can be exchanged") {
  bench_machine m;
  identity another = who();
  another.guid.bytes[15] ^= 1;
  device_model other(another, &exact(), 7);
  const auto serial = [](const device_model& d) {
    return text_of(instances_of("CIM_Chassis", d)->front(), "SerialNumber");
  };
  CHECK(serial(m.model) != serial(other));
  m.model.hardware.change().set["CIM_Chassis.SerialNumber"] = "SN-1";
  m.model.hardware.change().memory_octets = {8589934592};
  CHECK(serial(m.model) == "SN-1");
  CHECK(list(m, "CIM_PhysicalMemory").size() == 1);
  CHECK(get(m, "CIM_PhysicalMemory").child_text("Capacity") == "8589934592");
  CHECK(list(m, "CIM_PhysicalPackage").at(0).name == "CIM_Card");
  CHECK(list(m, "CIM_MediaAccessDevice").size() == 2);
}

} // namespace
} // namespace outband::amtsim
