/// Firmware's end of a TLS session, in memory: OpenSSL as the server, its octets in strings.
#pragma once

#include "tests/support/certs.hpp"

#include <memory>
#include <string>

namespace outband::testing {

class tls_firmware {
public:
  struct manner {
    int newest = 0;    ///< TLS1_2_VERSION ...; 0: as OpenSSL likes
    bool weak = false; ///< security level 0, so that TLS 1.1 is spoken
  };
  explicit tls_firmware(const test::key_and_certificate& own) : tls_firmware(own, manner{}) {}
  tls_firmware(const test::key_and_certificate& own, manner how);
  ~tls_firmware();

  /// Octets from the client; what goes back to it.
  std::string feed(const std::string& octets);
  std::string write(const std::string& plain);
  std::string close(); ///< close_notify
  /// What the client said inside, taken.
  std::string heard();
  bool ready() const;
  std::string version() const;

private:
  struct state;
  std::unique_ptr<state> state_;
};

} // namespace outband::testing
