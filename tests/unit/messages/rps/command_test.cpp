#include "messages/rps/command.hpp"

#include <doctest/doctest.h>

using namespace outband;
using namespace outband::rps;

TEST_CASE("the commands of both generations of rpc are understood") {
  const auto activate = parse_command("activate --profile p1");
  REQUIRE(activate.ok());
  CHECK(activate->act == provisioning_act::activate);
  CHECK(activate->profile == "p1");
  CHECK_FALSE(activate->password);

  const auto deactivate = parse_command("deactivate --password P@ss=1 -f");
  REQUIRE(deactivate.ok());
  CHECK(deactivate->act == provisioning_act::deactivate);
  REQUIRE(deactivate->password);
  CHECK(deactivate->password->reveal() == "P@ss=1");

  const auto bare = parse_command("activate");
  REQUIRE(bare.ok());
  CHECK(bare->profile.empty());
}

TEST_CASE("maintenance is one task and its password stays the payload's") {
  const std::pair<const char*, maintenance_task> tasks[] = {
      {"--synctime", maintenance_task::sync_time},
      {"--syncip", maintenance_task::sync_ip},
      {"--synchostname", maintenance_task::sync_hostname},
      {"--syncdeviceinfo", maintenance_task::sync_device_info},
      {"--changepassword", maintenance_task::change_password}};
  for (const auto& [flag, task] : tasks) {
    CAPTURE(flag);
    const auto c = parse_command("maintenance -password PW " + std::string(flag) + " -f");
    REQUIRE(c.ok());
    CHECK(c->act == provisioning_act::maintain);
    CHECK(c->task == task);
    CHECK_FALSE(c->password);
    CHECK(c->task_argument.empty());
  }
  const auto change = parse_command("maintenance -password PW --changepassword NEW -f");
  REQUIRE(change.ok());
  CHECK(change->task_argument.reveal() == "NEW");
}

TEST_CASE("a blank in a password or a name is refused and not taken for less") {
  for (const char* text : {"deactivate --password my pw", "activate --profile my profile",
                           "maintenance -password my pw --changepassword",
                           "maintenance -password pw --changepassword new pw"}) {
    CAPTURE(text);
    const auto c = parse_command(text);
    REQUIRE_FALSE(c.ok());
    CHECK(c.error().field == "method");
    CHECK(c.error().detail.find("blank") != std::string::npos);
  }
}

TEST_CASE("a command that names no task or two or too much is refused") {
  CHECK(parse_command("maintenance -password pw").error().detail ==
        "Missing maintenance task in message.");
  CHECK_FALSE(parse_command("maintenance --synctime --syncip").ok());
  CHECK(parse_command("activate --profile " + std::string(129, 'x')).error().what ==
        problem::too_large);
  CHECK(parse_command("deactivate --password " + std::string(129, 'x')).error().what ==
        problem::too_large);
  std::string many = "activate";
  for (int i = 0; i < 40; ++i)
    many += " -f";
  CHECK(parse_command(many).error().what == problem::too_large);
}

TEST_CASE("a new password that looks like a flag is refused and not replaced by a random one") {
  for (const char* text : {"maintenance -password pw --changepassword -S3cret!pw -f",
                           "maintenance -password pw --changepassword --s3cret"}) {
    CAPTURE(text);
    const auto c = parse_command(text);
    REQUIRE_FALSE(c.ok());
    CHECK(c.error().field == "method");
    CHECK(c.error().detail.find("begins with '-'") != std::string::npos);
    CHECK(to_string(c.error()).find("3cret") == std::string::npos);
  }
  CHECK(parse_command("maintenance --changepassword --force").ok());
  CHECK_FALSE(parse_command("maintenance --changepassword " + std::string(129, 'p')).ok());
}

TEST_CASE("no failure repeats what stood in the command") {
  for (const char* text : {"deactivate --password s3cret s3cret", "maintenance -password s3cret",
                           "unknown --password s3cret"}) {
    CAPTURE(text);
    const auto c = parse_command(text);
    REQUIRE_FALSE(c.ok());
    CHECK(to_string(c.error()).find("s3cret") == std::string::npos);
  }
}

TEST_CASE("other methods are no commands") {
  CHECK(is_command("activate"));
  CHECK(is_command("maintenance -f"));
  CHECK_FALSE(is_command("response"));
  CHECK_FALSE(is_command("activated --profile x"));
  CHECK_FALSE(is_command(""));
}
