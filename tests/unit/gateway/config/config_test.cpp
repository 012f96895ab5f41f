#include "gateway/config/config.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

using namespace outband;

namespace {

result<config::settings> load(const std::string& yaml, config::environment env = {}) {
  return config::load({yaml, "outband.yaml", std::move(env)});
}

/// The message of a load that must fail; "accepted" if it does not.
std::string error(const std::string& yaml, config::environment env = {}) {
  auto got = load(yaml, std::move(env));
  return got ? "accepted" : got.error().detail;
}
bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// A value that differs from the default and is allowed.
std::string other_value(const config::key_info& k) {
  switch (k.what) {
  case config::kind::flag:
    return k.fallback == "true" ? "false" : "true";
  case config::kind::integer:
    return std::to_string(std::to_string(k.min) == k.fallback ? k.max : k.min);
  case config::kind::duration:
    return std::to_string(k.max) + "ms";
  case config::kind::text:
  case config::kind::list:
    return k.allowed.empty() ? "other" : std::string(k.allowed.back());
  }
  return {};
}

std::string nested(std::string_view key, const std::string& value) {
  std::string out, indent;
  while (true) {
    auto dot = key.find('.');
    out += indent + std::string(key.substr(0, dot)) + ":";
    if (dot == std::string_view::npos)
      return out + " " + value + "\n";
    out += "\n";
    indent += "  ";
    key.remove_prefix(dot + 1);
  }
}

std::string shown(const config::settings& s, const config::key_info& k) {
  switch (k.what) {
  case config::kind::text:
    return s.text(k.name);
  case config::kind::flag:
    return s.flag(k.name) ? "true" : "false";
  case config::kind::integer:
    return std::to_string(s.integer(k.name));
  case config::kind::duration:
    return std::to_string(s.duration(k.name).count()) + "ms";
  case config::kind::list: {
    std::string out;
    for (const auto& i : s.list(k.name))
      out += (out.empty() ? "" : ",") + i;
    return out;
  }
  }
  return {};
}

} // namespace

TEST_CASE("every key has a default that its own rule allows") {
  auto s = load("");
  REQUIRE(s.ok());
  std::set<std::string> names, envs;
  for (const auto& k : config::keys()) {
    CAPTURE(std::string(k.name));
    CHECK(names.insert(std::string(k.name)).second);
    CHECK(envs.insert(config::env_name(k.name)).second);
    CHECK_FALSE(k.help.empty());
    CHECK_FALSE(s->given(k.name));
    // Given explicitly, the default passes its own check.
    CHECK(load("", {{config::env_name(k.name), std::string(k.fallback)}}).ok());
  }
}

TEST_CASE("every key can be set by the file and by the environment and the environment wins") {
  for (const auto& k : config::keys()) {
    CAPTURE(std::string(k.name));
    auto value = other_value(k);
    auto by_file = load(nested(k.name, "\"" + value + "\""));
    REQUIRE(by_file.ok());
    CHECK(shown(*by_file, k) == value);
    CHECK(contains(by_file->origin(k.name), "outband.yaml line"));
    auto by_env = load("", {{config::env_name(k.name), value}});
    REQUIRE(by_env.ok());
    CHECK(shown(*by_env, k) == value);
    CHECK(by_env->origin(k.name) == "environment " + config::env_name(k.name));
    auto both = load(nested(k.name, "\"" + value + "\""),
                     {{config::env_name(k.name), std::string(k.fallback)}});
    REQUIRE(both.ok());
    CHECK(shown(*both, k) != value);
  }
}

TEST_CASE("every typed key refuses a value of another type by name and says what is allowed") {
  for (const auto& k : config::keys()) {
    if (k.what == config::kind::text && k.allowed.empty())
      continue;
    if (k.what == config::kind::list && k.allowed.empty())
      continue;
    CAPTURE(std::string(k.name));
    for (auto wrong : {"zzz", "-99999999999999999999", "1.5x"}) {
      auto text = error("", {{config::env_name(k.name), wrong}});
      CHECK(contains(text, std::string(k.name)));
      CHECK((contains(text, "must be") || contains(text, "is not one of")));
    }
  }
}

TEST_CASE("an unknown key is an error that guesses what was meant") {
  CHECK(error("cira:\n  prot: 5\n") ==
        "outband.yaml line 2: there is no key 'cira.prot' (did you mean cira.port?)");
  CHECK(contains(error("htps:\n  port: 5\n"), "did you mean https.port?"));
  CHECK(error("entirely_else: 1\n") == "outband.yaml line 1: there is no key 'entirely_else'");
}

TEST_CASE("all mistakes are told at once") {
  auto text = error("cira:\n  port: 70000\n  keepalive: 30\nlog:\n  level: loud\n");
  CHECK(contains(text, "line 2: cira.port must be a whole number from 0 to 65535, not '70000'"));
  CHECK(contains(text, "line 3: cira.keepalive must be a number with a unit"));
  CHECK(contains(text, "log.level must be one of trace, debug, info, warn, error, not 'loud'"));
  CHECK(std::count(text.begin(), text.end(), '\n') == 2);
}

TEST_CASE("files that are no map of keys are refused with the line") {
  CHECK(contains(error("- a\n"), "must be a map"));
  CHECK(contains(error("just text"), "must be a map"));
  CHECK(contains(error("a: [1\n"), "outband.yaml line"));
  CHECK(contains(error("cira: 5\n"), "no key 'cira'"));
  CHECK(contains(error("cira:\n  port:\n    x: 1\n"), "cira.port must be one integer"));
  CHECK(contains(error("cira:\n  port: [1]\n"), "cira.port must be one integer"));
  CHECK(contains(error("roles: [controller, [x]]\n"), "roles must be one list"));
  CHECK(contains(error("roles: [controller, boss]\n"), "'boss' is not one of controller"));
  CHECK(contains(error("cira:\n  port: 1\ncira.port: 2\n"), "was set already at"));
  CHECK(load("# only a comment\n").ok());
}

TEST_CASE("durations have units") {
  auto ms = [](const std::string& v) {
    auto s = load("auth:\n  token_lifetime: " + v + "\n");
    return s ? s->duration("auth.token_lifetime").count() : -1;
  };
  CHECK(ms("90s") == 90'000);
  CHECK(ms("90000ms") == 90'000);
  CHECK(ms("2h") == 7'200'000);
  CHECK(ms("7d") == 604'800'000);
  for (auto bad : {"90", "s", "1.5h", "-1h", "1h30m", "1 h", "99999999999999999d", "31d"})
    CHECK(ms(bad) == -1);
}

TEST_CASE("printing shows where each value came from and no secret") {
  auto s = load(
      "cira:\n  port: 4444\nauth:\n  admin_password: hunter22\n",
      {{"OUTBAND_DATABASE_DSN", "host=db password=hunter33"}, {"OUTBAND_NODE_NAME", "a\"b: # c"}});
  REQUIRE(s.ok());
  auto text = s->print();
  CHECK(contains(text, "cira.port: 4444  # outband.yaml line 2\n"));
  CHECK(contains(text, "https.port: 8443  # default\n"));
  CHECK(contains(text, "auth.admin_password: \"***\"  # outband.yaml line 4\n"));
  CHECK(contains(text, "database.dsn: \"***\"  # environment OUTBAND_DATABASE_DSN\n"));
  CHECK_FALSE(contains(text, "hunter"));
  // What was printed can be read again.
  auto again = load(text);
  REQUIRE(again.ok());
  CHECK(again->text("node.name") == "a\"b: # c");
  CHECK(again->list("roles") == s->list("roles"));
}

TEST_CASE("a wrong secret is not repeated in the message") {
  CHECK_FALSE(contains(error("auth:\n  admin_password: [hunter22]\n"), "hunter"));
}

TEST_CASE("foreign variables are left alone and misspelt ones stop the start") {
  CHECK(load("", {{"PATH", "/bin"}, {"OUTBAND_TOKEN", "of the command line tool"}}).ok());
  CHECK(error("", {{"OUTBAND_CIRA_PROT", "1"}}) ==
        "environment: there is no variable 'OUTBAND_CIRA_PROT' (did you mean OUTBAND_CIRA_PORT?)");
}
