#include "tools/cli/session.hpp"

#include "tests/unit/tools/cli/fakes.hpp"
#include "tools/cli/outcome.hpp"

#include <doctest/doctest.h>
#include <fstream>
#include <sys/stat.h>

using namespace outband;
using namespace outband::cli;
using outband::cli::test::temporary_folder;

namespace {

get_env nothing_set() {
  return [](const char*) {
    return std::nullopt;
  };
}
get_env set(std::map<std::string, std::string> vars) {
  return [vars](const char* name) -> std::optional<std::string> {
    auto at = vars.find(name);
    return at == vars.end() ? std::nullopt : std::optional(at->second);
  };
}
session stored() {
  session s;
  s.server = "https://a.example:8443";
  s.tenant = "acme";
  s.ca_file = "/etc/roots.pem";
  s.broker = "b.example:18883";
  s.token = "t0ken";
  s.user = "alice";
  return s;
}

} // namespace

TEST_CASE("what is saved is read again and nobody else may read it") {
  temporary_folder home;
  const auto path = (home.path / "deep" / "outband" / "config.json").string();
  REQUIRE(save_session(path, stored()).ok());
  struct stat st {};
  REQUIRE(::stat(path.c_str(), &st) == 0);
  CHECK((st.st_mode & 0777) == 0600);
  auto got = load_session(path);
  REQUIRE(got.ok());
  CHECK(got->server == "https://a.example:8443");
  CHECK(got->tenant == "acme");
  CHECK(got->ca_file == "/etc/roots.pem");
  CHECK(got->broker == "b.example:18883");
  CHECK(got->token == "t0ken");
  CHECK(got->user == "alice");
  CHECK_FALSE(got->insecure);
}

TEST_CASE("no file is an empty session and a readable one is refused") {
  temporary_folder home;
  const auto path = (home.path / "config.json").string();
  auto none = load_session(path);
  REQUIRE(none.ok());
  CHECK(none->token.empty());
  REQUIRE(save_session(path, stored()).ok());
  REQUIRE(::chmod(path.c_str(), 0644) == 0);
  auto open = load_session(path);
  REQUIRE_FALSE(open.ok());
  CHECK(open.error().detail.find("chmod 600") != std::string::npos);
}

TEST_CASE("a damaged file says how to get rid of it") {
  temporary_folder home;
  const auto path = (home.path / "config.json").string();
  for (const char* text : {"", "{", "[]", "{\"token\":\"a\",\"token\":\"b\"}"}) {
    CAPTURE(text);
    std::ofstream(path) << text;
    REQUIRE(::chmod(path.c_str(), 0600) == 0);
    auto got = load_session(path);
    REQUIRE_FALSE(got.ok());
    CHECK(got.error().detail.find("remove it") != std::string::npos);
  }
}

TEST_CASE("the folder is that of the environment") {
  CHECK(config_path(set({{"XDG_CONFIG_HOME", "/x"}, {"HOME", "/h"}})) == "/x/outband/config.json");
  CHECK(config_path(set({{"HOME", "/h"}})) == "/h/.config/outband/config.json");
  CHECK(config_path(nothing_set()).empty());
}

TEST_CASE("options win over the environment and that over the file") {
  common_options given;
  auto as = merged_session(stored(), given, nothing_set());
  REQUIRE(as.ok());
  CHECK(as->tenant == "acme");
  as = merged_session(stored(), given, set({{"OUTBAND_TENANT", "beta"}, {"OUTBAND_TOKEN", "env"}}));
  REQUIRE(as.ok());
  CHECK(as->tenant == "beta");
  CHECK(as->token == "env");
  given.tenant = "gamma";
  as = merged_session(stored(), given, set({{"OUTBAND_TENANT", "beta"}}));
  REQUIRE(as.ok());
  CHECK(as->tenant == "gamma");
  CHECK(as->token == "t0ken");
}

TEST_CASE("a stored token is not shown to another server") {
  common_options given;
  given.server = "https://evil.example";
  auto as = merged_session(stored(), given, nothing_set());
  REQUIRE(as.ok());
  CHECK(as->server == "https://evil.example");
  CHECK(as->token.empty());
  CHECK(as->ca_file.empty());
  as = merged_session(stored(), {}, set({{"OUTBAND_SERVER", "https://evil.example"}}));
  REQUIRE(as.ok());
  CHECK(as->token.empty());
  // The same server in another spelling keeps it.
  given.server = "a.example:8443/";
  as = merged_session(stored(), given, nothing_set());
  REQUIRE(as.ok());
  CHECK(as->token == "t0ken");
}

TEST_CASE("wrong values of environment and options are usage errors") {
  common_options given;
  given.server = "http://a.example";
  auto as = merged_session({}, given, nothing_set());
  REQUIRE_FALSE(as.ok());
  CHECK(exit_of(as.error()) == exit_code::usage);
  as = merged_session({}, {}, set({{"OUTBAND_TENANT", "A B"}}));
  REQUIRE_FALSE(as.ok());
  CHECK(as.error().detail.find("OUTBAND_TENANT") != std::string::npos);
  as = merged_session({}, {}, set({{"OUTBAND_BROKER", "mqtts://b.example"}}));
  REQUIRE_FALSE(as.ok());
  CHECK(as.error().detail.find("HOST:PORT") != std::string::npos);
  as = merged_session({}, {}, set({{"OUTBAND_CA", "/does/not/exist.pem"}}));
  REQUIRE_FALSE(as.ok());
  CHECK(as.error().detail.find("/does/not/exist.pem") != std::string::npos);
}

TEST_CASE("no verification is chosen once and undone by naming roots") {
  temporary_folder home;
  const auto roots = (home.path / "roots.pem").string();
  std::ofstream(roots) << "x";
  common_options given;
  given.insecure = true;
  auto as = merged_session(stored(), given, nothing_set());
  REQUIRE(as.ok());
  CHECK(as->insecure);
  CHECK(as->ca_file.empty());
  given = {};
  given.ca_file = roots;
  auto safe = merged_session(*as, given, nothing_set());
  REQUIRE(safe.ok());
  CHECK_FALSE(safe->insecure);
  CHECK(safe->ca_file == roots);
}
