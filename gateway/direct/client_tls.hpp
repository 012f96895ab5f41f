/// TLS towards a machine: its certificate is signed by itself or by a site's CA that we do not
/// know, so nothing is verified but its fingerprint.
/// Context: any thread; a context is immutable and shared.
#pragma once

#include "messages/domain/result.hpp"

#include <memory>
#include <string>

struct ssl_ctx_st;
struct ssl_st;

namespace outband::direct {

class client_tls {
public:
  /// `legacy`: TLS 1.0 to 1.2 at OpenSSL's security level 0, for firmware before AMT 12.
  static result<client_tls> make(bool legacy);
  ssl_ctx_st* get() const { return context_.get(); }

private:
  explicit client_tls(std::shared_ptr<ssl_ctx_st> c) : context_(std::move(c)) {}
  std::shared_ptr<ssl_ctx_st> context_;
};

/// SHA-256 of the DER of the peer's certificate, lower-case hex; empty if it has shown none.
std::string fingerprint(ssl_st* of);

} // namespace outband::direct
