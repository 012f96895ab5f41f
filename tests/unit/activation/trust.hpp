/// A new machine whose owner has entered the suffix and the root of the stage's domain.
#pragma once

#include "tests/unit/activation/stage.hpp"

#include <string>

namespace outband::testing {

inline void trust(bench& m, const activation_stage& s, const std::string& suffix = "example.com") {
  amtsim::trusted_hash h;
  h.handle = 99;
  h.name = "Outband test";
  h.is_default = false;
  h.algorithm = amtsim::hash_algorithm::sha256;
  for (std::size_t i = 0; i + 1 < s.pki.root_sha256.size(); i += 2)
    h.hash.push_back(static_cast<char>(std::stoi(s.pki.root_sha256.substr(i, 2), nullptr, 16)));
  amtsim::change_trusted_hashes(m.model).push_back(h);
  m.model.activation.change().pki_suffix = suffix;
}

} // namespace outband::testing
