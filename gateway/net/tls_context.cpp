#include "gateway/net/tls_context.hpp"

#include "gateway/net/openssl_raii.hpp"
#include "gateway/net/x509.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

namespace outband::net {

namespace {

constexpr const char* modern_suites = "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
                                      "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
                                      "DHE-RSA-AES256-GCM-SHA384:DHE-RSA-AES128-GCM-SHA256";
/// 0x009C, 0x002F, 0x0035; the fourth of the issue, 0x009F, is among the modern ones.
constexpr const char* amt11_suites = ":AES128-GCM-SHA256:AES128-SHA:AES256-SHA";
/// mps src/utils/certificates.ts, without its MD5, PSK and CAMELLIA exclusions being needed twice.
constexpr const char* legacy_suites =
    "HIGH:!aNULL:!eNULL:!EXPORT:!DES:!RC4:!MD5:!PSK:!SRP:!CAMELLIA:@SECLEVEL=0";
constexpr const char* curves = "P-256:P-384:X25519";

int select_http11(SSL*, const unsigned char** out, unsigned char* out_size,
                  const unsigned char* offered, unsigned offered_size, void*) {
  static constexpr unsigned char ours[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, out_size, ours, sizeof ours, offered, offered_size) !=
      OPENSSL_NPN_NEGOTIATED)
    return SSL_TLSEXT_ERR_NOACK; // the client may still speak HTTP/1.1 without having said so
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

failure tls_failure(std::string what, std::string field) {
  const auto why = tls_error_text();
  return fail(problem::malformed, std::move(what) + (why.empty() ? "" : ": " + why),
              std::move(field));
}

bool use_chain(SSL_CTX* ctx, const std::string& pem) {
  const auto bio = read_from(pem);
  const x509_ptr leaf{PEM_read_bio_X509(bio.get(), nullptr, no_passphrase, nullptr)};
  if (!leaf || SSL_CTX_use_certificate(ctx, leaf.get()) != 1)
    return false;
  while (x509_ptr more{PEM_read_bio_X509(bio.get(), nullptr, no_passphrase, nullptr)}) {
    if (SSL_CTX_add0_chain_cert(ctx, more.get()) != 1)
      return false;
    (void)more.release();
  }
  ERR_clear_error(); // the end of the text is an error to PEM_read
  return true;
}

bool require_clients(SSL_CTX* ctx, const std::string& ca_pem) {
  const auto bio = read_from(ca_pem);
  int count = 0;
  while (const x509_ptr ca{PEM_read_bio_X509(bio.get(), nullptr, no_passphrase, nullptr)}) {
    if (X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), ca.get()) != 1 ||
        SSL_CTX_add_client_CA(ctx, ca.get()) != 1)
      return false;
    ++count;
  }
  ERR_clear_error();
  SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  return count > 0;
}

} // namespace

std::string tls_error_text() {
  const auto code = ERR_get_error();
  ERR_clear_error();
  if (code == 0)
    return {};
  if (const char* reason = ERR_reason_error_string(code))
    return reason;
  return "OpenSSL error " + std::to_string(code);
}

std::string peer_name(const ssl_st* connection) {
  const x509_ptr peer{SSL_get1_peer_certificate(connection)};
  const bio_ptr out{BIO_new(BIO_s_mem())};
  if (!peer || !out || PEM_write_bio_X509(out.get(), peer.get()) != 1)
    return {};
  char* text = nullptr;
  const auto size = BIO_get_mem_data(out.get(), &text);
  const auto facts = read_certificate(std::string(text, static_cast<std::size_t>(size)));
  if (!facts)
    return {};
  if (!facts->common_name.empty())
    return facts->common_name;
  return facts->alt_names.empty() ? std::string() : facts->alt_names.front();
}

result<tls_context> tls_context::make(tls_profile profile, const std::string& chain_pem,
                                      const std::string& key_pem,
                                      const std::string& client_ca_pem) {
  ERR_clear_error();
  std::shared_ptr<SSL_CTX> ctx{SSL_CTX_new(TLS_server_method()), SSL_CTX_free};
  if (!ctx)
    return fail(problem::internal, "OpenSSL gives no TLS context: " + tls_error_text());
  auto* const c = ctx.get();

  const bool legacy = profile == tls_profile::cira_legacy;
  const bool cira = legacy || profile == tls_profile::cira;
  // Both ends are set: the system's openssl.cnf may narrow or widen the defaults.
  bool ok = SSL_CTX_set_min_proto_version(c, legacy ? TLS1_VERSION : TLS1_2_VERSION) == 1 &&
            SSL_CTX_set_max_proto_version(c, legacy ? TLS1_2_VERSION : TLS1_3_VERSION) == 1 &&
            SSL_CTX_set1_curves_list(c, curves) == 1;
  if (legacy) {
    SSL_CTX_set_security_level(c, 0);
    ok = ok && SSL_CTX_set_cipher_list(c, legacy_suites) == 1;
  } else {
    SSL_CTX_set_security_level(c, 2);
    ok = ok && SSL_CTX_set_cipher_list(
                   c, (std::string{modern_suites} + (cira ? amt11_suites : "")).c_str()) == 1;
  }
  if (!ok)
    return fail(problem::internal, "OpenSSL refuses the TLS profile: " + tls_error_text());

  SSL_CTX_set_options(c, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                             SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_SINGLE_DH_USE |
                             // A FIN without close_notify is an end like any other here.
                             SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_dh_auto(c, 1);
  SSL_CTX_set_mode(c, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                          SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  // A record in one read(2) instead of two. What is read ahead stays in OpenSSL, so whoever waits
  // for the socket must have read until there was nothing more.
  SSL_CTX_set_read_ahead(c, 1);
  // The default cache keeps 20 480 sessions of 2 to 6 KB. TLS 1.2 clients may still resume with a
  // ticket, which costs nothing here; TLS 1.3 would write two of them into every connection.
  SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
  if (cira)
    SSL_CTX_set_num_tickets(c, 0);
  else {
    SSL_CTX_set_num_tickets(c, 1);
    SSL_CTX_set_alpn_select_cb(c, select_http11, nullptr);
  }

  if (!use_chain(c, chain_pem))
    return tls_failure("no usable certificate", "certificate");
  const auto bio = read_from(key_pem);
  const key_ptr key{PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr)};
  if (!key)
    return tls_failure("no usable private key (an encrypted one cannot be used)", "key");
  if (SSL_CTX_use_PrivateKey(c, key.get()) != 1 || SSL_CTX_check_private_key(c) != 1)
    return tls_failure("the private key does not belong to the certificate", "key");
  if (profile == tls_profile::https_mutual) {
    static constexpr unsigned char id[] = "outband";
    // Resumption with client certificates fails without a session id context.
    if (SSL_CTX_set_session_id_context(c, id, sizeof id - 1) != 1 ||
        !require_clients(c, client_ca_pem))
      return tls_failure("no usable CA for client certificates", "client_ca");
  }
  return tls_context{std::move(ctx)};
}

} // namespace outband::net
