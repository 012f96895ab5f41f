#include "tools/cli/commands.hpp"

#include <doctest/doctest.h>

using namespace outband;
using namespace outband::cli;

namespace {

command_line good(std::vector<std::string> args) {
  auto got = parse_command_line(std::move(args));
  if (const auto* end = std::get_if<parse_end>(&got))
    FAIL("refused: " << end->text);
  return std::get<command_line>(got);
}

parse_end bad(std::vector<std::string> args) {
  auto got = parse_command_line(std::move(args));
  REQUIRE(std::holds_alternative<parse_end>(got));
  return std::get<parse_end>(got);
}

} // namespace

TEST_CASE("every power word becomes a level or something that happens once") {
  const std::pair<const char*, std::variant<power_target, power_once>> words[] = {
      {"on", power_target::on},       {"off", power_target::off},
      {"sleep", power_target::sleep}, {"hibernate", power_target::hibernate},
      {"reset", power_once::reset},   {"cycle", power_once::cycle}};
  for (const auto& [word, meaning] : words) {
    CAPTURE(word);
    auto c = std::get<set_host_command>(good({"set", "host", "press-7", "--power", word}).what);
    CHECK(c.host == "press-7");
    CHECK(c.power == meaning);
    CHECK(power_word(c.power) == word);
    CHECK(c.policy == power_policy::ordered);
    CHECK_FALSE(c.wait);
  }
}

TEST_CASE("waiting takes a time and defaults to two minutes") {
  auto c = std::get<set_host_command>(
      good({"set", "host", "a", "--power", "off", "--policy", "immediate", "--wait"}).what);
  CHECK(c.wait);
  CHECK(c.policy == power_policy::immediate);
  CHECK(c.timeout == std::chrono::seconds(120));
  c = std::get<set_host_command>(
      good({"set", "host", "a", "--power", "off", "--wait", "--timeout", "2m"}).what);
  CHECK(c.timeout == std::chrono::minutes(2));
}

TEST_CASE("a time needs a number and a known unit within a day") {
  CHECK(*parse_duration("500ms") == std::chrono::milliseconds(500));
  CHECK(*parse_duration("90") == std::chrono::seconds(90));
  CHECK(*parse_duration("24h") == std::chrono::hours(24));
  for (const char* text : {"", "s", "0", "-1s", "1d", "25h", "1 s", "9999999999", "1.5s"}) {
    CAPTURE(text);
    auto got = parse_duration(text);
    REQUIRE_FALSE(got.ok());
    CHECK(got.error().what == problem::malformed);
    CHECK(got.error().detail.find("'" + std::string(text) + "'") == 0);
  }
}

TEST_CASE("common options are taken before and after the verb") {
  for (const auto& args :
       {std::vector<std::string>{"-o", "json", "--tenant", "acme", "list", "hosts"},
        std::vector<std::string>{"list", "hosts", "--tenant", "acme", "-o", "json"}}) {
    auto line = good(args);
    CHECK(line.common.format == output::json);
    CHECK(line.common.tenant == "acme");
    CHECK(std::holds_alternative<list_hosts_command>(line.what));
  }
}

TEST_CASE("the list is filtered by text and by connection") {
  auto c = std::get<list_hosts_command>(
      good({"list", "hosts", "--filter", "hall-3", "--disconnected"}).what);
  CHECK(c.filter.text == "hall-3");
  CHECK(c.filter.connected == false);
  c = std::get<list_hosts_command>(good({"list", "hosts", "--connected"}).what);
  CHECK(c.filter.connected == true);
  c = std::get<list_hosts_command>(good({"list", "hosts"}).what);
  CHECK_FALSE(c.filter.connected.has_value());
}

TEST_CASE("watch follows one host or all") {
  auto c = std::get<watch_command>(good({"watch"}).what);
  CHECK(c.host.empty());
  CHECK_FALSE(c.events_only);
  c = std::get<watch_command>(good({"watch", "press-7", "--events-only"}).what);
  CHECK(c.host == "press-7");
  CHECK(c.events_only);
}

TEST_CASE("a wrong line exits with 2 and names what is wrong") {
  const std::pair<std::vector<std::string>, const char*> lines[] = {
      {{}, "subcommand"},
      {{"list"}, "subcommand"},
      {{"list", "planets"}, "subcommand"},
      {{"set", "host", "a"}, "--power"},
      {{"set", "host", "--power", "on"}, "ID"},
      {{"set", "host", "a", "--power", "up"}, "up"},
      {{"set", "host", "a", "--power", "keep"}, "keep"},
      {{"set", "host", "a", "--power", "on", "--policy", "gently"}, "gently"},
      {{"set", "host", "a", "--power", "on", "--timeout", "5s"}, "--wait"},
      {{"set", "host", "a", "--power", "on", "--wait", "--timeout", "soon"}, "'soon'"},
      {{"get", "host", ""}, "empty"},
      {{"get", "host", "a", "b"}, "b"},
      {{"list", "hosts", "--connected", "--disconnected"}, "excludes"},
      {{"list", "hosts", "-o", "yaml"}, "yaml"},
      {{"list", "hosts", "--tenant", "Not A Key"}, "Not A Key"},
      {{"login", "--insecure", "--ca", "x.pem"}, "excludes"},
      {{"login", "--password", "secret"}, "--password"}};
  for (const auto& [args, word] : lines) {
    CAPTURE(word);
    auto end = bad(args);
    CHECK(end.code == 2);
    CHECK(end.text.rfind("outband: ", 0) == 0);
    CHECK(end.text.find(word) != std::string::npos);
    CHECK(end.text.find("--help") != std::string::npos);
  }
}

TEST_CASE("help is no error and lists the exit codes") {
  auto end = bad({"--help"});
  CHECK(end.code == 0);
  CHECK(end.text.find("4 not observed in time") != std::string::npos);
}
