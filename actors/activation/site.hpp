/// What all activations of a process share.
#pragma once

#include "actors/activation/password_guesses.hpp"
#include "actors/activation/plan.hpp"
#include "actors/ports/control.hpp"
#include "actors/ports/provisioning.hpp"
#include "actors/services.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <string>

namespace outband::activation {

struct site {
  const services& with;
  provisioning_port& rows;
  control_port& control;
  /// Runs a job that takes long (opening a PFX) on a thread of its own.
  std::function<void(std::function<void()>)> work;
  /// So many random octets.
  std::function<std::string(std::size_t)> random;
  /// Signs the certificates that machines get for TLS.
  std::string ca_certificate; ///< PEM
  secret_text ca_key;         ///< PEM
  bool bare = false;          ///< machines that are registered may come without a token
  std::chrono::milliseconds call_timeout{12'000}; ///< one exchange with the firmware
  std::chrono::milliseconds settle{3'000};        ///< after what restarts the firmware's ports
  attempt_times attempts{};
  /// An activation that has said nothing for so long does not keep another one out.
  std::chrono::milliseconds quiet{60'000};
  std::shared_ptr<password_guesses> guesses = std::make_shared<password_guesses>();
};

} // namespace outband::activation
