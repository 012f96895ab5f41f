/// TLS of a machine's own web server: settings per interface, pending and in force, and which
/// certificate it shows.
///
/// What a Put stores is shown at once but takes effect with CommitChanges only.
/// Context: pure.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace outband::amtsim {

struct context;
class device_model;

struct tls_settings {
  bool enabled = false;
  bool accept_plain = false; ///< AcceptNonSecureConnections
  bool mutual = false;
  std::vector<std::string> trusted_names; ///< TrustedCN
};

/// [0] is the network (802.3), [1] the local interface (LMS).
using tls_interfaces = std::array<tls_settings, 2>;

struct tls_state {
  tls_interfaces stored{{{}, {false, true, false, {}}}};
  tls_interfaces in_force{{{}, {false, true, false, {}}}};
  std::optional<std::uint32_t> certificate; ///< handle of AMT_TLSCredentialContext
};

/// What CommitChanges does for TLS; gives its ReturnValue: 2057 (data missing) if TLS is to be
/// switched on without a certificate, and then nothing takes effect.
std::uint32_t commit_tls(context& c);

} // namespace outband::amtsim
