/// Whether the certificates that firmware shows in its TLS session are what the provisioner
/// expects. Context: pure, any thread.
#pragma once

#include "actors/ports/activation.hpp"
#include "messages/domain/ids.hpp"

#include <string>
#include <vector>

namespace outband::activation {

/// `chain`: DER, leaf first, as the firmware sent it. `more_roots_pem`: besides Intel's OnDie root.
status judge(const firmware_pin& pin, const std::vector<std::string>& chain,
             const std::string& more_roots_pem, time_ms now);

} // namespace outband::activation
