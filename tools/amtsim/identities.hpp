/// Who the simulated machines are: reproducible from a seed, and how a server is told about them.
/// Context: pure.
#pragma once

#include "tools/amtsim/device_model.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace outband::amtsim {

struct identity_rules {
  std::size_t count = 1;
  std::string seed = "1";
  std::vector<device_id> guids; ///< for the first machines, instead of those from the seed
  std::string hostname_prefix = "edge-";
  // Empty: every machine has its own, from the seed.
  std::string mps_user;
  std::string mps_password;
  std::string amt_password;
  std::vector<std::string> tags;
};

/// The same rules always give the same machines; machine 7 of 10 is machine 7 of 1000.
std::vector<identity> make_identities(const identity_rules& rules);
/// A number for the machine's own randomness.
std::uint64_t seed_of(const identity_rules& rules, std::size_t index);

/// A JSON array; each element is the body of POST /api/v1/devices, passwords in clear.
std::string devices_json(const std::vector<identity>& machines, const identity_rules& rules,
                         const firmware& kind);

} // namespace outband::amtsim
