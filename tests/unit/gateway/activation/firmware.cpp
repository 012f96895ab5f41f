#include "tests/unit/gateway/activation/firmware.hpp"

#include <doctest/doctest.h>

#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <utility>

namespace outband::testing {

struct tls_firmware::state {
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> ctx{SSL_CTX_new(TLS_server_method()),
                                                        SSL_CTX_free};
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl{nullptr, SSL_free};
  BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
  std::string plain;

  std::string taken() {
    std::string o(static_cast<std::size_t>(BIO_pending(out)), '\0');
    if (!o.empty())
      BIO_read(out, o.data(), static_cast<int>(o.size()));
    return o;
  }
};

tls_firmware::tls_firmware(const test::key_and_certificate& own, manner how)
    : state_(std::make_unique<state>()) {
  auto& s = *state_;
  const auto bio = [](const std::string& pem) {
    return std::unique_ptr<BIO, decltype(&BIO_free)>(
        BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free);
  };
  if (how.weak)
    SSL_CTX_set_cipher_list(s.ctx.get(), "DEFAULT:@SECLEVEL=0");
  if (how.newest != 0)
    SSL_CTX_set_max_proto_version(s.ctx.get(), how.newest);
  SSL_CTX_set_min_proto_version(s.ctx.get(), TLS1_1_VERSION);
  std::unique_ptr<X509, decltype(&X509_free)> cert(
      PEM_read_bio_X509(bio(own.certificate_pem).get(), nullptr, nullptr, nullptr), X509_free);
  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
      PEM_read_bio_PrivateKey(bio(own.key_pem).get(), nullptr, nullptr, nullptr), EVP_PKEY_free);
  REQUIRE(SSL_CTX_use_certificate(s.ctx.get(), cert.get()) == 1);
  REQUIRE(SSL_CTX_use_PrivateKey(s.ctx.get(), key.get()) == 1);
  s.ssl.reset(SSL_new(s.ctx.get()));
  BIO_set_mem_eof_return(s.in, -1);
  SSL_set_bio(s.ssl.get(), s.in, s.out);
  SSL_set_accept_state(s.ssl.get());
}

tls_firmware::~tls_firmware() = default;

std::string tls_firmware::feed(const std::string& octets) {
  auto& s = *state_;
  BIO_write(s.in, octets.data(), static_cast<int>(octets.size()));
  char piece[4096];
  for (int n = 0; (n = SSL_read(s.ssl.get(), piece, sizeof piece)) > 0;)
    s.plain.append(piece, static_cast<std::size_t>(n));
  return s.taken();
}

std::string tls_firmware::write(const std::string& plain) {
  auto& s = *state_;
  REQUIRE(SSL_write(s.ssl.get(), plain.data(), static_cast<int>(plain.size())) ==
          static_cast<int>(plain.size()));
  return s.taken();
}

std::string tls_firmware::close() {
  SSL_shutdown(state_->ssl.get());
  return state_->taken();
}

std::string tls_firmware::heard() {
  return std::exchange(state_->plain, {});
}

bool tls_firmware::ready() const {
  return SSL_is_init_finished(state_->ssl.get()) == 1;
}

std::string tls_firmware::version() const {
  return SSL_get_version(state_->ssl.get());
}

} // namespace outband::testing
