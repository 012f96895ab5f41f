#include "messages/pthi/watchdog.hpp"
#include "tests/unit/messages/pthi/octets.hpp"

#include <doctest/doctest.h>

namespace outband::pthi::test {

TEST_CASE("the watchdog is asked as rpc asks it") {
  CHECK(hex(encode(watchdog_request{ask_change_enabled{}})) == "05025110");
  CHECK(hex(encode(watchdog_request{set_operational_state{true}})) == "0503531001");
  const auto asked = decode_watchdog_request(unhex("05025110"));
  REQUIRE(asked.ok());
  CHECK(std::holds_alternative<ask_change_enabled>(*asked));
  const auto padded = decode_watchdog_request(unhex("05025110") + std::string(28, '\0'));
  CHECK(padded.ok());
  const auto set = decode_watchdog_request(unhex("0503531000"));
  REQUIRE(set.ok());
  CHECK_FALSE(std::get<set_operational_state>(*set).enabled);
}

TEST_CASE("what the watchdog does not know is refused") {
  CHECK_FALSE(decode_watchdog_request("").ok());
  CHECK_FALSE(decode_watchdog_request(unhex("050251")).ok());
  CHECK_FALSE(decode_watchdog_request(unhex("06025110")).ok());
  CHECK_FALSE(decode_watchdog_request(unhex("05035310")).ok());
  CHECK_FALSE(decode_watchdog_request(unhex("0503531002")).ok());
  const auto other = decode_watchdog_request(unhex("05025210"));
  REQUIRE_FALSE(other.ok());
  CHECK(other.error().what == problem::unsupported);
}

TEST_CASE("each bit of the answer has its meaning") {
  CHECK(hex(encode(change_enabled{true, true, false, false, false, false})) == "03");
  CHECK(hex(encode(change_enabled{false, false, false, true, true, true})) == "e0");
  CHECK(hex(encode(change_enabled{false, false, true, false, false, false})) == "10");
  const auto all = decode_change_enabled(unhex("c3000000"));
  REQUIRE(all.ok());
  CHECK(all->change_allowed);
  CHECK(all->amt_enabled);
  CHECK_FALSE(all->hardened);
  CHECK_FALSE(all->restricted);
  CHECK(all->tls_enforced);
  CHECK(all->new_interface);
  CHECK_FALSE(decode_change_enabled("").ok());
}

TEST_CASE("the answer to a change of the operational state carries its status") {
  const auto octets = encode_operational_state_answer(16);
  CHECK(hex(octets) == "0503531010000000");
  const auto read = decode_operational_state_answer(octets);
  REQUIRE(read.ok());
  CHECK(*read == 16);
  CHECK_FALSE(decode_operational_state_answer(octets.substr(0, 7)).ok());
  CHECK_FALSE(decode_operational_state_answer(unhex("0502511010000000")).ok());
}

} // namespace outband::pthi::test
