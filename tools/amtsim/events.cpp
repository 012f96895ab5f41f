#include "tools/amtsim/events.hpp"

#include <array>
#include <cstdio>

namespace outband::amtsim {

namespace {

std::string verb(const power_change& c) {
  if (c.from == c.to && c.boot)
    return "was reset";
  switch (level_of(c.to)) {
  case power_level::on:
    return c.boot ? "powered on" : "woke up";
  case power_level::off:
    return "powered off";
  case power_level::sleep:
    return "went to sleep";
  case power_level::hibernate:
    return "hibernated";
  case power_level::unknown:
    break;
  }
  return "is in power state " + std::to_string(static_cast<int>(c.to));
}

} // namespace

std::string sentence(const machine_event& e) {
  const auto subject = "machine " + e.hostname + " ";
  if (const auto* link = std::get_if<link_event>(&e.what))
    return subject + (link->up ? "is connected" : "lost its tunnel: " + link->why);
  const auto& change = std::get<power_change>(e.what);
  std::array<char, 48> took{};
  std::snprintf(took.data(), took.size(), ", took %.1f s)",
                static_cast<double>(change.took.count()) / 1000.0);
  return subject + verb(change) + " (" + std::string(to_string(change.why)) + took.data();
}

} // namespace outband::amtsim
