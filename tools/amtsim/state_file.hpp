/// Power states and what firmware keeps in flash on disk, so that a restarted simulator continues
/// where it was.
///
///   {"version": 1, "machines": {"<guid>": {"power": 8, "boots": 3,
///                                          "flash": {"<topic>": {"<name>": "<text>"}}}}}
///
/// For the owner's eyes only: machines keep private keys.
/// Written to a temporary file, synchronised and renamed: a crash leaves the former content.
#pragma once

#include "tools/amtsim/flash.hpp"
#include "tools/amtsim/machine.hpp"

#include <string>
#include <unordered_map>
#include <vector>

namespace outband::amtsim {

struct kept_state {
  power_state power = power_state::on;
  std::uint64_t boots = 0;
  flash kept;
};

/// A file that does not exist is an empty result. Throws std::runtime_error if it cannot be used.
std::unordered_map<device_id, kept_state> read_state(const std::string& path);
/// Empty, or why it failed.
std::string write_state(const std::string& path, const std::vector<machine_report>& machines);
/// As write_state, for any content; `mode` as for chmod.
std::string write_file(const std::string& path, const std::string& content, unsigned mode);

} // namespace outband::amtsim
