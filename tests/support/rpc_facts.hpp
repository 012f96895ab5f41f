/// What `rpc` learns from a machine before it connects to a provisioning server.
///
/// Source: rpc-go internal/rps/message.go (createPayload), v2.52.4 and v3.0.0-beta.50.
/// Context: read_facts() blocks, see mei_client.hpp.
#pragma once

#include "messages/domain/result.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace outband::test {

struct rpc_facts {
  std::string version, build, sku; ///< code versions "AMT", "Build Number", "Sku"
  std::string uuid;                ///< dashed, lower case
  int control_mode = 0;
  std::string local_user, local_password; ///< the local system account
  std::vector<std::string> hashes;        ///< hexadecimal, active or not
  std::string pki_suffix;                 ///< trimmed as rpc does
  bool tls_enforced = false;              ///< the watchdog's bit 6
  bool link_up = false;
};

/// In rpc's order. A failure says which step; rpc gives up then, before it connects.
result<rpc_facts> read_facts(const std::string& mei_path);

} // namespace outband::test
