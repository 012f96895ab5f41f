#include "tests/unit/messages/amt/captured.hpp"

namespace outband::amt {
namespace {

using namespace test;

const std::string unprovision = "AMT_SetupAndConfigurationService Unprovision";

TEST_CASE("a machine is deactivated by one call") {
  firmware f;
  f.returns("AMT_SetupAndConfigurationService", "Unprovision", 0);
  CHECK(f.shown("deactivate") == R"({"status":"SUCCESS"})");
  CHECK(f.asked == questions{unprovision});
  CHECK(f.sent_text(unprovision, "ProvisioningMode") == "1");
  CHECK(f.changed);
}

TEST_CASE("a machine that stays active says why") {
  firmware f;
  f.returns("AMT_SetupAndConfigurationService", "Unprovision", 2076);
  auto told = f.carry_out("deactivate");
  REQUIRE(told.ok());
  CHECK(told->find("status") == nullptr);
  CHECK(*told->find("ReturnValue")->integer() == 2076);
  CHECK(*told->find("ReturnValueStr")->text() == "BLOCKING_COMPONENT");
  CHECK_FALSE(told->find("text")->text()->empty());
  firmware faulty;
  faulty.refuses(unprovision, "AccessDenied");
  CHECK(faulty.fails("deactivate") == problem::device_refused);
  firmware silly;
  silly.gives(unprovision, item("AMT_SetupAndConfigurationService", ""));
  CHECK(silly.fails("deactivate") == problem::device_protocol);
}

} // namespace
} // namespace outband::amt
