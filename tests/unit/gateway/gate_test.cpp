#include "gateway/cira/gate.hpp"

#include <doctest/doctest.h>

using namespace outband::cira;
using namespace std::chrono_literals;
using decision = gate::decision;
using outcome = gate::outcome;

namespace {

const gate::time zero{1h};

peer_address v4(std::uint8_t last) {
  return {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 192, 0, 2, last};
}

peer_address v6(std::uint8_t network, std::uint8_t host) {
  return {0x20, 1, 0x0D, 0xB8, 0, 0, 0, network, 0, 0, 0, 0, 0, 0, 0, host};
}

/// Each counts by itself.
peer_address network(std::size_t i) {
  auto a = v6(0, 0);
  a[4] = static_cast<std::uint8_t>(i >> 8);
  a[5] = static_cast<std::uint8_t>(i);
  return a;
}

std::size_t remembered(const gate& g, std::size_t networks) {
  std::size_t n = 0;
  for (std::size_t i = 0; i < networks; ++i)
    n += g.failures(network(i), zero) > 0 ? 1 : 0;
  return n;
}

void fail_times(gate& g, const peer_address& from, int times, gate::time now = zero) {
  for (int i = 0; i < times; ++i) {
    REQUIRE(g.knock(from, now) == decision::come_in);
    g.settle(from, outcome::failed, now);
  }
}

} // namespace

TEST_CASE("an address is blocked by its failures and nobody else is") {
  gate g{1000, 3, 60, {}};
  fail_times(g, v4(1), 3);
  CHECK(g.knock(v4(1), zero) == decision::blocked);
  CHECK(g.knock(v4(1), zero) == decision::still_blocked);
  CHECK(g.knock(v4(2), zero) == decision::come_in);
  CHECK(g.pending() == 1); // who is blocked does not count
}

TEST_CASE("failures are forgiven with time and the next blocking is told again") {
  gate g{1000, 3, 60, {}};
  fail_times(g, v4(1), 3);
  CHECK(g.knock(v4(1), zero) == decision::blocked);
  fail_times(g, v4(1), 1, zero + 1s);
  CHECK(g.knock(v4(1), zero + 1s) == decision::blocked);
  CHECK(g.failures(v4(1), zero + 1s) == doctest::Approx(3));
  CHECK(g.failures(v4(1), zero + 3s) == doctest::Approx(1));
  CHECK(g.failures(v4(1), zero + 1h) == 0);
}

TEST_CASE("connections that neither fail nor get in do not block") {
  gate g{1000, 3, 0, {}};
  for (int i = 0; i < 500; ++i) {
    REQUIRE(g.knock(v4(1), zero) == decision::come_in);
    g.settle(v4(1), outcome::neutral, zero);
  }
  CHECK(g.failures(v4(1), zero) == 0);
}

TEST_CASE("a machine that gets in forgives one failure of its address") {
  gate g{1000, 3, 0, {}};
  fail_times(g, v4(1), 2);
  REQUIRE(g.knock(v4(1), zero) == decision::come_in);
  g.settle(v4(1), outcome::authenticated, zero);
  CHECK(g.failures(v4(1), zero) == doctest::Approx(1));
  fail_times(g, v4(1), 2);
  CHECK(g.knock(v4(1), zero) == decision::blocked);
}

TEST_CASE("a blocking has an end however many connections failed at once") {
  gate g{100'000, 10, 60, {}};
  for (int i = 0; i < 5000; ++i)
    REQUIRE(g.knock(v4(1), zero) == decision::come_in);
  for (int i = 0; i < 5000; ++i)
    g.settle(v4(1), outcome::failed, zero);
  CHECK(g.failures(v4(1), zero) == doctest::Approx(20));
  CHECK(g.knock(v4(1), zero + 9s) == decision::blocked);
  CHECK(g.knock(v4(1), zero + 11s) == decision::come_in);
}

TEST_CASE("IPv6 addresses of one network count together") {
  gate g{1000, 2, 0, {}};
  fail_times(g, v6(1, 1), 1);
  fail_times(g, v6(1, 2), 1);
  CHECK(g.knock(v6(1, 3), zero) == decision::blocked);
  CHECK(g.knock(v6(2, 1), zero) == decision::come_in);
}

TEST_CASE("an exempt address is never blocked") {
  gate g{1000, 1, 0, {v4(9)}};
  fail_times(g, v4(9), 50);
  CHECK(g.failures(v4(9), zero) == 0);
}

TEST_CASE("a full door says so and tells once when there is room again") {
  gate g{8, 100, 0, {}};
  int told = 0;
  g.on_room([&] {
    ++told;
    CHECK(g.pending() < 8); // without the lock: this would hang otherwise
  });
  for (int i = 0; i < 7; ++i)
    CHECK(g.knock(v4(1), zero) == decision::come_in);
  CHECK(g.knock(v4(1), zero) == decision::come_in_last);
  g.settle(v4(1), outcome::neutral, zero);
  CHECK(told == 0); // not at the first free place
  g.settle(v4(1), outcome::neutral, zero);
  CHECK(told == 1);
  for (int i = 0; i < 6; ++i)
    g.settle(v4(1), outcome::neutral, zero);
  CHECK(told == 1);
  CHECK(g.pending() == 0);
}

TEST_CASE("a door for one connection works too") {
  gate g{0, 100, 0, {}};
  int told = 0;
  g.on_room([&] { ++told; });
  CHECK(g.knock(v4(1), zero) == decision::come_in_last);
  g.settle(v4(1), outcome::authenticated, zero);
  CHECK(told == 1);
}

TEST_CASE("very many failing addresses do not push out one that is blocked") {
  gate g{1000, 3, 0, {}};
  fail_times(g, v4(1), 3);
  CHECK(g.knock(v4(1), zero) == decision::blocked);
  for (std::size_t i = 0; i < 40'000; ++i)
    fail_times(g, network(i), 1);
  CHECK(g.knock(v4(1), zero) == decision::still_blocked);
}

TEST_CASE("the newcomer for whom there is no room makes room for many") {
  for (const int failures : {1, 3}) { // nobody is blocked and everybody
    CAPTURE(failures);
    gate g{1000, 3, 0, {}};
    for (std::size_t i = 0; i < gate::max_addresses; ++i)
      fail_times(g, network(i), failures);
    REQUIRE(remembered(g, gate::max_addresses) == gate::max_addresses);
    fail_times(g, network(gate::max_addresses), 1);
    const auto left = remembered(g, gate::max_addresses);
    CHECK(left <= gate::max_addresses - gate::max_addresses / 8);
    CHECK(left >= gate::max_addresses / 2);
    CHECK(g.failures(network(gate::max_addresses), zero) == doctest::Approx(1));
  }
}
