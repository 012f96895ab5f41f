/// Many machines of a site that are activated at the same time, each by an rpc of its own.
#pragma once

#include "tests/e2e/provisioning_site.hpp"

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace outband::e2e {

struct crowd {
  struct one {
    machine who;
    test::rpc_outcome got;
    double seconds = 0; ///< until its end
  };
  std::vector<one> all;
  double seconds = 0; ///< from the first one's begin to the last one's end

  std::size_t succeeded() const;
  std::string complaints() const; ///< of those who failed, a line each; at most ten
};

/// `count` fresh machines with that profile. Tokens are made and the machines' facts are read
/// before, so that all begin in one moment; `begin` is called right before it.
crowd activate_at_once(provisioning_site& s, std::size_t count, const std::string& profile,
                       const std::function<void()>& begin = {});

/// How often the firmware accepted Setup or AdminSetup; an upgrade counts too.
int activations_of(const provisioning_site& s, const machine& m);

} // namespace outband::e2e
