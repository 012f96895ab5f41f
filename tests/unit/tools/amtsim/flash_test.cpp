#include "tools/amtsim/flash.hpp"

#include "tests/unit/tools/amtsim/bench_client.hpp"
#include "tools/amtsim/account_state.hpp"
#include "tools/amtsim/alarm_state.hpp"
#include "tools/amtsim/audit_state.hpp"
#include "tools/amtsim/event_log_state.hpp"
#include "tools/amtsim/hardware_state.hpp"
#include "tools/amtsim/setup_state.hpp"

namespace outband::amtsim {
namespace {

using namespace test;

TEST_CASE("a fresh machine has nothing to keep") {
  bench_machine m;
  CHECK(read_flash(m.model).empty());
}

TEST_CASE("what firmware keeps in flash survives a restart of the simulator") {
  bench_machine before;
  REQUIRE(put(before, "AMT_BootSettingData",
              wsman::property("UseIDER", "1") + wsman::property("IDERBootDevice", "1"))
              .http_status == 200);
  REQUIRE(put(before, "AMT_GeneralSettings", wsman::property("HostName", "desk 7")).http_status ==
          200);
  before.model.control_mode = 1;
  before.model.feature.redirection = 32769;
  before.model.feature.opt_in_required = 1;
  before.model.alarms.change().alarms = {{"a b", "nightly c", 1900000000, 90, true, false}};
  before.model.hardware.change().set["CIM_Card.Model"] = "M";
  before.model.hardware.change().disk_kilobytes = {5, 6, 7};
  before.model.accounts.change().users[1].realms = {3, 4};
  append_event(before.model, {6, 5, 16, 38, {}}, 1700000000);
  const auto kept = read_flash(before.model);

  bench_machine after;
  write_flash(kept, after.model);
  CHECK(read_flash(after.model) == kept);
  CHECK(after.model.control_mode == 1);
  CHECK(after.model.boot.use_ider);
  CHECK_FALSE(after.model.boot_options_cleared);
  CHECK(after.model.feature.redirection == 32769);
  CHECK(after.model.setup->host_name == "desk 7");
  REQUIRE(after.model.alarms->alarms.size() == 1);
  CHECK(after.model.alarms->alarms[0].id == "a b");
  CHECK(after.model.alarms->alarms[0].every_min == 90);
  CHECK(after.model.hardware->disk_kilobytes == std::vector<std::uint64_t>{5, 6, 7});
  CHECK(after.model.accounts->users[1].realms == std::vector<std::uint32_t>{3, 4});
  CHECK(after.model.events->records == before.model.events->records);
  CHECK(after.model.audit->records == before.model.audit->records);
}

TEST_CASE("flash that does not fit is skipped") {
  bench_machine m;
  write_flash({{"toaster", {{"bread", "2"}}},
               {"alarms", {{"!", "1 2"}, {"QQ==", "x x x x x"}}},
               {"events", {{"records", "%%"}}},
               {"features", {{"redirection", "many"}}}},
              m.model);
  CHECK(m.model.alarms->alarms.empty());
  CHECK(m.model.feature.redirection == 32771);
}

} // namespace
} // namespace outband::amtsim
