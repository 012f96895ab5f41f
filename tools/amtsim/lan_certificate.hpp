/// What a machine's TLS port shows and demands. Context: the machine's thread; OpenSSL inside.
#pragma once

#include <memory>
#include <string>

using SSL_CTX = struct ssl_ctx_st;
using SSL = struct ssl_st;

namespace outband::amtsim {

class device_model;

/// A certificate with that common name and its key, both DER. On P-256, though firmware has RSA: a
/// crowd of machines makes thousands.
bool make_self_signed(const std::string& name, std::string& certificate_der, std::string& key_der);

class lan_certificate {
public:
  /// interface: 0 the network, 1 the local port (tls_state.hpp).
  explicit lan_certificate(std::size_t interface = 0) : interface_(interface) {}
  /// The context for the next connection; nullptr if OpenSSL refuses.
  SSL_CTX* context(const device_model& device);
  /// After the handshake: is the client's name among TrustedCN, where that is demanded?
  bool client_is_trusted(const device_model& device, SSL* connection) const;
  /// Forgets the self-signed one.
  void renew();

private:
  struct free_context {
    void operator()(SSL_CTX* c) const;
  };
  bool make_own(const device_model& device);
  bool shows_rcfg(const device_model& device) const;

  std::size_t interface_;
  std::string made_for_;                  ///< what context_ was made from
  std::string own_certificate_, own_key_; ///< DER
  bool own_is_rcfg_ = false;              ///< else self-signed
  std::unique_ptr<SSL_CTX, free_context> context_;
};

} // namespace outband::amtsim
