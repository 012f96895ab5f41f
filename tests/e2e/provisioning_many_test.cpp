#include "tests/e2e/crowd.hpp"

#include <nlohmann/json.hpp>

#include <doctest/doctest.h>

#include <algorithm>

using namespace outband;
using namespace outband::e2e;

TEST_CASE("many machines at once are all activated and none twice") {
  // tests/e2e/activations.cpp does the same with 500, and measures.
  constexpr std::size_t in_each_mode = 20;
  provisioning_site::options o;
  o.count = 2 * in_each_mode;
  provisioning_site s(o);
  for (const auto& [profile, mode] : {std::pair{"demo_ccm", 1}, {"demo_acm", 2}}) {
    CAPTURE(profile);
    const auto got = activate_at_once(s, in_each_mode, profile);
    REQUIRE_MESSAGE(got.succeeded() == in_each_mode, got.complaints(), s.server_log());
    for (const auto& one : got.all) {
      CAPTURE(one.who.hostname);
      CHECK(activations_of(s, one.who) == 1);
      CHECK(s.truth(one.who.guid).at("control_mode") == mode);
      CHECK(s.activation(one.who).at("state") == "done");
    }
  }
  CHECK(s.until([&] { return s.fleet().connected() == o.count; }));
  // With the passwords that the server keeps, in the tunnel and in AMT.
  for (const auto& m : s.machines()) {
    reply state;
    CHECK_MESSAGE(s.until([&] {
      state = s.call(&s.admin(), "GET", "/api/v1/amt/power/state/" + m.guid);
      return state.status == 200;
    }),
                  m.hostname, ": ", state.body);
  }
}
