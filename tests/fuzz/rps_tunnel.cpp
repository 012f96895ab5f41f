/// What may come out of `tls_data`: octets of firmware, or of whoever plays it, for the client's
/// end of a TLS session. First octet: how large the pieces are; even: a real server's first flight
/// comes before the input, so that it meets a session that is under way.
#include "gateway/activation/tls_session.hpp"

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>

namespace {

using outband::activation::tls_session;

void require(bool holds) {
  if (!holds)
    std::abort();
}

SSL_CTX* server() {
  static SSL_CTX* const ctx = [] {
    SSL_CTX* c = SSL_CTX_new(TLS_server_method());
    EVP_PKEY* key = EVP_EC_gen("P-256");
    X509* cert = X509_new();
    X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
    X509_gmtime_adj(X509_getm_notAfter(cert), 86400);
    X509_set_pubkey(cert, key);
    X509_sign(cert, key, EVP_sha256());
    require(SSL_CTX_use_certificate(c, cert) == 1 && SSL_CTX_use_PrivateKey(c, key) == 1);
    X509_free(cert);
    EVP_PKEY_free(key);
    return c;
  }();
  return ctx;
}

std::string first_flight(const std::string& hello) {
  SSL* ssl = SSL_new(server());
  BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
  BIO_set_mem_eof_return(in, -1);
  SSL_set_bio(ssl, in, out);
  SSL_set_accept_state(ssl);
  BIO_write(in, hello.data(), static_cast<int>(hello.size()));
  SSL_do_handshake(ssl);
  std::string flight(static_cast<std::size_t>(BIO_pending(out)), '\0');
  if (!flight.empty())
    BIO_read(out, flight.data(), static_cast<int>(flight.size()));
  SSL_free(ssl);
  return flight;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0)
    return 0;
  static const auto context = *tls_session::context(true);
  tls_session client(context, [](const std::vector<std::string>& chain) {
    return chain.size() < 8 ? outband::success() : outband::fail(outband::problem::malformed);
  });
  auto turn = client.begin();
  require(!turn.to_firmware.empty() && !turn.failed);
  bool over = false;
  if (data[0] % 2 == 0) {
    const auto o = client.feed(first_flight(turn.to_firmware));
    over = o.closed || o.failed;
  }
  const std::string_view octets{reinterpret_cast<const char*>(data) + 1, size - 1};
  const std::size_t piece = data[0] / 2 == 0 ? octets.size() + 1 : data[0] / 2;
  for (std::size_t at = 0; at < octets.size(); at += piece) {
    const auto o = client.feed(octets.substr(at, piece));
    require(!over || o.failed); // an end is final
    require(!(o.established && over));
    over = over || o.closed || o.failed;
    require(!over || !client.established());
  }
  if (client.established())
    require(!client.write("POST /wsman").to_firmware.empty());
  else
    require(client.write("POST /wsman").failed.has_value());
  return 0;
}
