#include "tools/amtsim/control_wishes.hpp"

#include "tests/unit/tools/amtsim/bench_client.hpp"
#include "tools/amtsim/account_state.hpp"
#include "tools/amtsim/activation_state.hpp"
#include "tools/amtsim/audit_state.hpp"
#include "tools/amtsim/event_log_state.hpp"
#include "tools/amtsim/subscription_state.hpp"

#include <nlohmann/json.hpp>

namespace outband::amtsim {
namespace {

using namespace test;
using nlohmann::json;

/// What is wrong with it; otherwise it was carried out.
std::string wish(bench_machine& m, const std::string& op, const json& asked) {
  std::string why;
  const auto done = read_wish(op, asked, why);
  CHECK(static_cast<bool>(done) == why.empty());
  if (done)
    done(m.model, m.now);
  return why;
}

TEST_CASE("a controller exchanges parts and what is not named stays") {
  bench_machine m;
  CHECK(
      wish(m, "set",
           {{"hardware", {{"CIM_Chassis.SerialNumber", "SN-1"}, {"CIM_BIOSElement.Version", "9"}}},
            {"memory", {4294967296, 4294967296, 8589934592}},
            {"screens", {{{"width", 800}, {"height", 600}}}}})
          .empty());
  CHECK(get(m, "CIM_Chassis").child_text("SerialNumber") == "SN-1");
  CHECK(get(m, "CIM_BIOSElement").child_text("Version") == "9");
  CHECK(list(m, "CIM_PhysicalMemory").size() == 3);
  CHECK(list(m, "CIM_MediaAccessDevice").size() == 2);
  CHECK(all_texts(get(m, "IPS_ScreenSettingData"), "ResolutionX") ==
        std::vector<std::string>{"800", "0", "0", "0"});
  CHECK(m.model.control_mode == 2);
  CHECK(wish(m, "set", {{"control_mode", 1}, {"os_power_saving", 3}}).empty());
  CHECK(m.model.control_mode == 1);
  CHECK(m.model.os_power_saving == 3);
}

TEST_CASE("a controller moves the clock of the firmware") {
  bench_machine m;
  const auto before = m.model.clock_s(m.now);
  CHECK(wish(m, "set", {{"clock_offset_s", -3600}}).empty());
  CHECK(m.model.clock_s(m.now) == before - 3600);
}

TEST_CASE("a controller writes into the logs") {
  bench_machine m;
  CHECK(wish(m, "add_event",
             {{"sensor", 6}, {"offset", 5}, {"severity", 16}, {"entity", 38}, {"data", {170, 10}}})
            .empty());
  const auto& event = m.model.events->records.back();
  CHECK(event[5] == 6);
  CHECK(event.substr(13, 3) == std::string("\xAA\x0A\0", 3));
  CHECK(
      wish(m, "add_audit", {{"app", 16}, {"event", 1}, {"user", "eve"}, {"data", {1, 2}}}).empty());
  CHECK(m.model.audit->records.back().find("eve") != std::string::npos);
}

TEST_CASE("an alert that nobody subscribed to goes nowhere") {
  bench_machine m;
  CHECK(wish(m, "alert", {{"message", "iAMT0055"}, {"argument", "3"}}).empty());
  CHECK(m.model.subscriptions->waiting.empty());
  CHECK(wish(m, "alert", json::object()).find("'message'") != std::string::npos);
}

TEST_CASE("a controller decides what a machine is before its activation") {
  bench_machine m;
  CHECK(wish(m, "set",
             {{"admin_password", "of somebody else"},
              {"wired_link", false},
              {"dhcp_suffix", "a.example"},
              {"pki_suffix", "corp.example"},
              {"tls_enforced", true},
              {"account_lock_ms", 50},
              {"hashes",
               {{{"name", "X"}, {"hash", std::string(64, 'a')}, {"default", true}},
                {{"name", "Y"}, {"hash", std::string(96, 'b')}, {"active", false}}}}})
            .empty());
  CHECK(is_admin_password(m.model, "of somebody else"));
  CHECK_FALSE(is_admin_password(m.model, who().amt_password));
  CHECK(dhcp_suffix(m.model).empty()); // without a link nobody says it
  CHECK(pki_suffix(m.model) == "corp.example");
  CHECK(tls_enforced(m.model));
  CHECK(m.model.activation->lock == sim_time{50});
  const auto hashes = trusted_hashes(m.model);
  REQUIRE(hashes.size() == 2);
  CHECK(hashes[0].hash == std::string(32, '\xAA'));
  CHECK(hashes[1].algorithm == hash_algorithm::sha384);
  CHECK_FALSE(hashes[1].active);
  CHECK(wish(m, "set", {{"hash_active", {{"name", "Y"}, {"active", true}}}}).empty());
  CHECK(trusted_hashes(m.model)[1].active);
  CHECK(wish(m, "set", {{"factory", true}}).empty());
  CHECK(m.model.control_mode == 0);
  CHECK(wish(m, "set", {{"hashes", {{{"name", "Z"}, {"hash", "zz"}}}}}).find("'hashes.hash'") !=
        std::string::npos);
  CHECK(wish(m, "set", {{"hashes", {{{"pem", "none"}}}}}).find("'hashes.pem'") !=
        std::string::npos);
}

TEST_CASE("wishes of the wrong form are refused with the name of the member") {
  bench_machine m;
  const std::pair<const char*, json> wrong[] = {
      {"control_mode", {{"control_mode", 3}}},
      {"memory", {{"memory", "much"}}},
      {"memory", {{"memory", {-1}}}},
      {"hardware", {{"hardware", json::array()}}},
      {"hardware.X", {{"hardware", {{"X", 1}}}}},
      {"screens", {{"screens", {{}, {}, {}, {}, {}}}}},
      {"width", {{"screens", {{{"width", 0}}}}}},
      {"clock_offset_s", {{"clock_offset_s", 0.5}}},
  };
  for (const auto& [name, asked] : wrong) {
    CAPTURE(name);
    CHECK(wish(m, "set", asked).find("'" + std::string(name)) != std::string::npos);
  }
  CHECK(wish(m, "add_event", {{"data", {256}}}).find("'data'") != std::string::npos);
  CHECK(wish(m, "add_audit", {{"app", -1}}).find("'app'") != std::string::npos);
  CHECK(wish(m, "alert", {{"message", "x"}, {"platform", 1}}).find("'platform'") !=
        std::string::npos);
}

} // namespace
} // namespace outband::amtsim
