/// How a machine on a trusted network is reached: by connecting to it, instead of waiting until it
/// calls home (CIRA).
/// Context: pure.
#pragma once

#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

namespace outband {

struct direct_connection {
  std::string host;           ///< a name, or a numeric address without brackets
  std::uint16_t port = 16993; ///< WS-MAN; redirection is two above it, as 16994 and 16995 are
  bool tls = true;
  bool legacy_tls = false; ///< TLS 1.0 and 1.1 too, for firmware that has nothing better
  /// SHA-256 of the certificate's DER, lower-case hex; one of them must match. None, with TLS: the
  /// first certificate of a machine that passes the login and has the right GUID is pinned.
  std::vector<std::string> pins;

  static constexpr std::size_t max_pins = 4;
};

inline bool operator==(const direct_connection& a, const direct_connection& b) {
  return std::tie(a.host, a.port, a.tls, a.legacy_tls, a.pins) ==
         std::tie(b.host, b.port, b.tls, b.legacy_tls, b.pins);
}

} // namespace outband
