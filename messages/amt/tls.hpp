/// How the firmware's web server speaks TLS: on the network (802.3) and to the host (LMS).
///
/// MPS 2.34 has no such function; Console has (internal/usecase/devices/connections.go) and its
/// shape is taken. Nobody's REST interface sets it: RPS does, while a machine is activated.
/// Context: pure, see wsman/talk.hpp.
#pragma once

#include "messages/wsman/talk.hpp"

#include <optional>
#include <string>
#include <vector>

namespace outband::amt {

/// AMT_TLSSettingData.
struct tls_setting {
  std::string element_name;
  std::string instance_id; ///< "Intel(r) AMT 802.3 TLS Settings", "Intel(r) AMT LMS TLS Settings"
  bool mutual_authentication = false;
  bool enabled = false;
  std::vector<std::string> trusted_names; ///< of clients, where authentication is mutual
  bool accepts_plain = false;
  std::optional<bool> plain_may_be_changed; ///< NonSecureConnectionsSupported, from CSME 16.1
};
result<std::vector<tls_setting>> get_tls_settings(wsman::talk& t);

} // namespace outband::amt
