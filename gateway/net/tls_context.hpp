/// What TLS a listener speaks: protocol versions, suites, our certificate.
///
/// Source for the suites: AMT 11 and 12 offer four that modern defaults leave out
///   (device-management-toolkit/console issue 445); old firmware needs TLS 1.0 and 1.1 at OpenSSL's
///   security level 0 (mps changelog v2.13.17).
/// Context: any thread; a context is immutable and shared. Connections keep what they need of it,
/// so
///   a renewed certificate is a new tls_context for new connections.
#pragma once

#include "messages/domain/result.hpp"

#include <memory>
#include <string>
#include <string_view>

struct ssl_ctx_st;
struct ssl_st;

namespace outband::net {

enum class tls_profile : std::uint8_t {
  cira,         ///< TLS 1.2 and 1.3; ECDHE and DHE with AES-GCM, and AMT 11/12's four suites
  cira_legacy,  ///< TLS 1.0 to 1.2, security level 0; only for an explicit opt-in listener
  https,        ///< TLS 1.2 and 1.3, ALPN http/1.1
  https_mutual, ///< https, and a client certificate of `client_ca_pem` is required
};

class tls_context {
public:
  /// `chain_pem`: our certificate first, then what the peer needs up to (or including) the root.
  static result<tls_context> make(tls_profile profile, const std::string& chain_pem,
                                  const std::string& key_pem,
                                  const std::string& client_ca_pem = {});

  ssl_ctx_st* get() const { return context_.get(); }

private:
  explicit tls_context(std::shared_ptr<ssl_ctx_st> c) : context_(std::move(c)) {}
  std::shared_ptr<ssl_ctx_st> context_;
};

/// Whom the peer's certificate names: its common name, else its first DNS name or address; empty if
/// there is none of these, or no certificate. It was verified during the handshake or not at all.
std::string peer_name(const ssl_st* connection);

/// The oldest entry of this thread's OpenSSL error queue in words, for a log line; empties the
/// queue.
std::string tls_error_text();

} // namespace outband::net
