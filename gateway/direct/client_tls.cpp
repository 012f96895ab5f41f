#include "gateway/direct/client_tls.hpp"

#include "gateway/net/openssl_raii.hpp"
#include "gateway/net/tls_context.hpp"
#include "messages/domain/text.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

namespace outband::direct {

namespace {

/// AMT 11 and 12 offer no more than the RSA key exchanges at the end
/// (device-management-toolkit/console issue 445).
constexpr const char* suites = "ECDHE+AESGCM:DHE+AESGCM:AES256-GCM-SHA384:AES128-GCM-SHA256:"
                               "AES256-SHA256:AES128-SHA256:AES256-SHA:AES128-SHA:!aNULL";
constexpr const char* legacy_suites =
    "HIGH:!aNULL:!eNULL:!EXPORT:!DES:!RC4:!MD5:!PSK:!SRP:!CAMELLIA:@SECLEVEL=0";

} // namespace

result<client_tls> client_tls::make(bool legacy) {
  std::shared_ptr<ssl_ctx_st> ctx(SSL_CTX_new(TLS_client_method()), &SSL_CTX_free);
  if (!ctx)
    return fail(problem::internal, "no TLS context: " + net::tls_error_text());
  SSL_CTX_set_verify(ctx.get(), SSL_VERIFY_NONE, nullptr); // the fingerprint is compared
  SSL_CTX_set_session_cache_mode(ctx.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options(ctx.get(), SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
  if (legacy)
    SSL_CTX_set_options(ctx.get(), SSL_OP_LEGACY_SERVER_CONNECT);
  const bool ok =
      SSL_CTX_set_min_proto_version(ctx.get(), legacy ? TLS1_VERSION : TLS1_2_VERSION) == 1 &&
      SSL_CTX_set_max_proto_version(ctx.get(), legacy ? TLS1_2_VERSION : TLS1_3_VERSION) == 1 &&
      SSL_CTX_set_cipher_list(ctx.get(), legacy ? legacy_suites : suites) == 1;
  if (!ok)
    return fail(problem::internal, "no TLS context: " + net::tls_error_text());
  return client_tls{std::move(ctx)};
}

std::string fingerprint(ssl_st* of) {
  const net::x509_ptr leaf{SSL_get1_peer_certificate(of)};
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (!leaf || X509_digest(leaf.get(), EVP_sha256(), digest, &size) != 1)
    return {};
  return to_hex(digest, size);
}

} // namespace outband::direct
