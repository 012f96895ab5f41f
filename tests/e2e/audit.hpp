/// After the chaos: is every promise kept, and does everybody tell the same?
#pragma once

#include "tests/e2e/chaos_clients.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace outband::e2e {

/// Clients at work on disjoint machines of a stage, and what they were promised.
struct crowd {
  /// Half of the machines have wishes, the other half one-shot commands.
  crowd(const stage& s, std::uint64_t seed);

  progress at;
  std::vector<std::unique_ptr<wisher>> wishers;
  std::vector<std::unique_ptr<commander>> commanders;

  /// Lets everybody finish; the whole site must run again. What was complained of.
  std::vector<std::string> finish();
  std::string summary() const;
};

/// Waits for a condition, and may do more meanwhile.
using waiter = std::function<bool(const std::function<bool()>&)>;

/// All machines connected, every wish reached, nothing carried out more often than ordered, the
/// broker's retained documents equal to what REST says. What is not so; empty: all is well.
std::vector<std::string> broken_promises(const stage& s, const crowd& c, const waiter& wait);

} // namespace outband::e2e
