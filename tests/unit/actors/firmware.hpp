/// A firmware's answers to WS-MAN, just enough to let decisions run their course: it reads requests
/// with the same parser the simulator uses and keeps a power state that follows what it is told.
#pragma once

#include "actors/ports/amt_link.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace outband::testing {

class fake_firmware {
public:
  soap_answer answer(const std::string& envelope);
  /// Lets a transition under way finish.
  void pass(std::chrono::milliseconds dt);

  int power = 2;
  bool ignores_graceful = false;
  std::chrono::milliseconds takes{3000};
  std::vector<int> asked; ///< RequestPowerStateChange, in order

private:
  void become(int code);
  int next_ = 0;
  std::chrono::milliseconds left_{0};
};

} // namespace outband::testing
