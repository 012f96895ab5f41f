#include "tools/amtsim/faults.hpp"

#include <doctest/doctest.h>

namespace outband::amtsim {
namespace {

TEST_CASE("a counted fault happens as often as ordered") {
  fault_set f;
  CHECK(f.add(fault_kind::slow, sim_time{500}, 2, sim_time{10}));
  CHECK_FALSE(f.take(fault_kind::truncate).has_value());
  CHECK(f.take(fault_kind::slow) == sim_time{500});
  CHECK(f.take(fault_kind::slow) == sim_time{500});
  CHECK_FALSE(f.take(fault_kind::slow).has_value());
  CHECK(f.empty());
}

TEST_CASE("a fault without a count happens until it is cleared") {
  fault_set f;
  CHECK(f.add(fault_kind::bad_digest, sim_time{0}, 0, sim_time{10}));
  for (int i = 0; i < 1000; ++i)
    CHECK(f.take(fault_kind::bad_digest).has_value());
  f.clear();
  CHECK_FALSE(f.take(fault_kind::bad_digest).has_value());
}

TEST_CASE("a lasting fault ends by itself") {
  fault_set f;
  CHECK(f.add(fault_kind::stall, sim_time{100}, 1, sim_time{50}));
  CHECK(f.lasts(fault_kind::stall, sim_time{149}));
  CHECK(f.next_end(sim_time{60}) == sim_time{150});
  CHECK_FALSE(f.lasts(fault_kind::stall, sim_time{150}));
  CHECK_FALSE(f.next_end(sim_time{150}).has_value());
  CHECK(f.add(fault_kind::silent_keepalive, sim_time{0}, 1, sim_time{200}));
  CHECK(f.lasts(fault_kind::silent_keepalive, sim_time{999999}));
}

TEST_CASE("orders are bounded and those that are over make room") {
  fault_set f;
  for (int i = 0; i < 16; ++i)
    CHECK(f.add(fault_kind::stall, sim_time{10}, 1, sim_time{100}));
  CHECK_FALSE(f.add(fault_kind::slow, sim_time{1}, 1, sim_time{105}));
  CHECK(f.add(fault_kind::slow, sim_time{1}, 1, sim_time{110}));
}

TEST_CASE("every fault has a name of its own") {
  for (int i = 0; i <= static_cast<int>(fault_kind::unknown_return_value); ++i) {
    const auto kind = static_cast<fault_kind>(i);
    CAPTURE(i);
    REQUIRE_FALSE(to_string(kind).empty());
    CHECK(parse_fault_kind(to_string(kind)) == kind);
  }
  CHECK_FALSE(parse_fault_kind("").has_value());
}

} // namespace
} // namespace outband::amtsim
