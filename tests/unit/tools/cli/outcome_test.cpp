#include "tools/cli/outcome.hpp"

#include "tools/cli/text.hpp"

#include <doctest/doctest.h>

using namespace outband;
using namespace outband::cli;

TEST_CASE("exit codes follow the documented table") {
  const std::pair<problem, int> table[] = {
      {problem::unauthenticated, 5},    {problem::not_found, 6},
      {problem::transition_refused, 3}, {problem::unsupported, 3},
      {problem::device_refused, 3},     {problem::expired, 4},
      {problem::device_timeout, 4},     {problem::forbidden, 1},
      {problem::malformed, 1},          {problem::link_down, 1},
      {problem::outcome_unknown, 1},    {problem::bus_unavailable, 1}};
  for (const auto& [p, code] : table) {
    CAPTURE(explain(p).code);
    CHECK(static_cast<int>(exit_of(fail(p))) == code);
  }
  CHECK(exit_of(fail(problem::malformed, "x", usage_field)) == exit_code::usage);
}

TEST_CASE("trouble on the way to the server is not mistaken for the server's word") {
  // A certificate that fails is no reason to sign in again, a slow network no slow machine.
  CHECK(exit_of(fail(problem::unauthenticated, "x", "https.certificate")) == exit_code::other);
  CHECK(exit_of(fail(problem::expired, "x", "https.timeout")) == exit_code::other);
  CHECK(code_of(fail(problem::unauthenticated, "x", "https.certificate")) == "server-certificate");
  CHECK(code_of(fail(problem::link_down, "x", "https.connect")) == "server-unreachable");
  CHECK(code_of(fail(problem::transition_refused)) == "transition-refused");
}

TEST_CASE("every error says what happened and what to do") {
  const std::string server = "https://outband.example:8443";
  auto words = words_of(fail(problem::link_down, "no route", "https.connect"), server);
  CHECK(words.find("https://outband.example:8443 cannot be reached: no route") !=
        std::string::npos);
  CHECK(words.find("firewall") != std::string::npos);

  words = words_of(fail(problem::unauthenticated, "self-signed", "https.certificate"), server);
  CHECK(words.find("cannot be verified") != std::string::npos);
  CHECK(words.find("--ca FILE") != std::string::npos);
  CHECK(words.find("-fingerprint -sha256") != std::string::npos);
  CHECK(words.find("proves nothing until it is compared") != std::string::npos);

  words = words_of(fail(problem::unauthenticated, "token expired"), server);
  CHECK(words.find("token expired") != std::string::npos);
  CHECK(words.find("outband login --server " + server) != std::string::npos);

  words = words_of(fail(problem::malformed, "must be a string", "name"), server);
  CHECK(words.find("name: must be a string") != std::string::npos);

  for (int i = 0; i <= static_cast<int>(problem::duplicate_guid); ++i) {
    words = words_of(fail(static_cast<problem>(i)), server);
    CHECK(words.rfind("outband: ", 0) == 0);
    CHECK(words.find("\n  ") != std::string::npos);
  }
}

TEST_CASE("what a server says cannot steer the terminal") {
  CHECK(printable("a\x1b[2Jb\r\nc") == "a?[2Jb??c");
  CHECK(printable("M\xc3\xbcnchen") == "M\xc3\xbcnchen");
  CHECK(printable("\xc2\x9b"
                  "31m") == "?31m"); // CSI as one C1 control
  CHECK(printable("\xff\xfe") == "??");
  auto words = words_of(fail(problem::internal, "\x1b]0;title\x07"), "");
  CHECK(words.find('\x1b') == std::string::npos);
}

TEST_CASE("columns are aligned by characters and not by octets") {
  CHECK(table({{"NAME", "POWER"}, {"M\xc3\xbc", "on"}, {"sim-10", "off"}}) ==
        "NAME    POWER\nM\xc3\xbc      on\nsim-10  off\n");
}

TEST_CASE("an unknown time is a dash") {
  CHECK(local_time(0) == "-");
  CHECK(local_time(1'780'000'000'000) == "2026-05-28 20:26:40");
  CHECK(utc(1'780'000'000'000) == "2026-05-28T20:26:40Z");
}
