/// What the simulated firmware answers to WS-MAN: composed once by outband-amtsim's own server for
/// each different request and power state, then only the message's number is filled in. The load
/// generator shares the machine with the server, so an answer may cost it only microseconds.
/// Every class of tools/amtsim is answered, in its size there; writes change nothing but power.
///
/// Context: the loop's thread.
#pragma once

#include "tools/amtsim/device_model.hpp"

#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace outband::bench {

class soap_answers {
public:
  soap_answers();
  ~soap_answers();

  /// The whole HTTP answer to the SOAP request `body` of a machine in that power state. A power
  /// change is carried out at once: `power` is the state afterwards.
  void answer(std::string_view body, power_state& power, std::string& out);

private:
  struct prepared {
    std::string head, tail; ///< around RelatesTo
    bool fault = false;
  };
  const prepared& prepare(std::string_view key, std::string_view body, power_state power);
  amtsim::device_model& model(power_state power);

  std::unique_ptr<amtsim::settings> settings_;
  std::map<power_state, std::unique_ptr<amtsim::device_model>> models_;
  std::map<std::string, prepared, std::less<>> prepared_;
  std::string key_; ///< of the request under way; kept for its room
};

/// The 401 that begins a conversation, and closes the channel.
std::string soap_challenge();

} // namespace outband::bench
