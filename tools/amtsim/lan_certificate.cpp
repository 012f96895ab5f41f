#include "tools/amtsim/lan_certificate.hpp"

#include "tools/amtsim/activation_state.hpp"
#include "tools/amtsim/certificate_state.hpp"
#include "tools/amtsim/device_model.hpp"
#include "tools/amtsim/on_die.hpp"
#include "tools/amtsim/provisioning_chain.hpp"
#include "tools/amtsim/tls_state.hpp"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <algorithm>
#include <utility>

namespace outband::amtsim {

namespace {

constexpr long years_10 = 10L * 365 * 86400;

struct closer {
  void operator()(X509* p) const { X509_free(p); }
  void operator()(EVP_PKEY* p) const { EVP_PKEY_free(p); }
};
template <class T> using owned = std::unique_ptr<T, closer>;

template <class T> std::string der_of(int (*write)(const T*, unsigned char**), const T* what) {
  unsigned char* octets = nullptr;
  const int n = write(what, &octets);
  std::string out;
  if (n > 0)
    out.assign(reinterpret_cast<const char*>(octets), static_cast<std::size_t>(n));
  OPENSSL_free(octets);
  return out;
}

const unsigned char* start_of(const std::string& octets) {
  return reinterpret_cast<const unsigned char*>(octets.data());
}

bool use(SSL_CTX* context, const std::string& certificate_der, const std::string& key_der) {
  const auto* at = start_of(key_der);
  const owned<EVP_PKEY> key{d2i_AutoPrivateKey(nullptr, &at, static_cast<long>(key_der.size()))};
  return key &&
         SSL_CTX_use_certificate_ASN1(context, static_cast<int>(certificate_der.size()),
                                      start_of(certificate_der)) == 1 &&
         SSL_CTX_use_PrivateKey(context, key.get()) == 1;
}

void add_issuers(SSL_CTX* context, const std::vector<std::string>& issuers) {
  for (const auto& der : issuers) {
    const auto* at = start_of(der);
    const owned<X509> issuer{d2i_X509(nullptr, &at, static_cast<long>(der.size()))};
    if (issuer)
      SSL_CTX_add1_chain_cert(context, issuer.get());
  }
}

void trust_roots(SSL_CTX* context, const certificate_state& store) {
  for (const auto& c : store.certificates) {
    if (!c.trusted_root)
      continue;
    const auto* at = start_of(c.der);
    const owned<X509> root{d2i_X509(nullptr, &at, static_cast<long>(c.der.size()))};
    if (!root)
      continue;
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context), root.get());
    SSL_CTX_add_client_CA(context, root.get());
  }
}

/// The certificate that was chosen, with its key; nullptrs if there is none.
std::pair<const certificate*, const key_pair*> chosen(const device_model& d) {
  const auto handle = d.tls->certificate;
  const auto* c = handle ? find_certificate(d, *handle) : nullptr;
  if (c == nullptr)
    return {nullptr, nullptr};
  for (const auto& k : d.certificates->keys)
    if (k.public_key == c->public_key)
      return {c, &k};
  return {nullptr, nullptr};
}

} // namespace

bool make_self_signed(const std::string& name, std::string& certificate_der, std::string& key_der) {
  const owned<EVP_PKEY> key{EVP_EC_gen("P-256")};
  const owned<X509> cert{X509_new()};
  if (!key || !cert)
    return false;
  X509_set_version(cert.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(cert.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(cert.get()), -86400);
  X509_gmtime_adj(X509_getm_notAfter(cert.get()), years_10);
  auto* subject = X509_get_subject_name(cert.get());
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  X509_set_issuer_name(cert.get(), subject);
  X509_set_pubkey(cert.get(), key.get());
  if (X509_sign(cert.get(), key.get(), EVP_sha256()) == 0)
    return false;
  certificate_der = der_of<X509>(i2d_X509, cert.get());
  key_der = der_of<EVP_PKEY>(i2d_PrivateKey, key.get());
  return !certificate_der.empty() && !key_der.empty();
}

void lan_certificate::free_context::operator()(SSL_CTX* c) const {
  SSL_CTX_free(c);
}

void lan_certificate::renew() {
  own_certificate_.clear();
  made_for_.clear();
}

bool lan_certificate::make_own(const device_model& device) {
  own_is_rcfg_ = shows_rcfg(device);
  return own_is_rcfg_ ? make_rcfg_certificate(device, own_certificate_, own_key_)
                      : make_self_signed(device.who().hostname, own_certificate_, own_key_);
}

// From the first CommitChanges on, the local port shows a self-signed one until it is given
// another: RPS 2.40 takes the on-die chain before, and nothing else after, until it has installed
// its own.
bool lan_certificate::shows_rcfg(const device_model& device) const {
  return interface_ == 1 && (device.control_mode == 0 || device.activation->in_provisioning);
}

SSL_CTX* lan_certificate::context(const device_model& device) {
  const auto [shown, key] = chosen(device);
  const auto& setup = *device.activation;
  const bool secure = interface_ == 1 && setup.secure.has_value();
  const bool fits = !own_certificate_.empty() && own_is_rcfg_ == shows_rcfg(device);
  if (!secure && shown == nullptr && !fits && !make_own(device))
    return nullptr;
  const bool mutual = device.tls->in_force.at(interface_).mutual;
  const auto& der = secure             ? setup.rcfg_certificate
                    : shown != nullptr ? shown->der
                                       : own_certificate_;
  auto wanted = der + (secure ? "secure" : "") + (mutual ? "mutual" : "");
  if (mutual)
    for (const auto& c : device.certificates->certificates)
      wanted += c.trusted_root ? c.der : "";
  if (context_ && made_for_ == wanted)
    return context_.get();
  context_.reset(SSL_CTX_new(TLS_server_method()));
  if (!context_)
    return nullptr;
  auto* c = context_.get();
  SSL_CTX_set_min_proto_version(c, TLS1_2_VERSION);
  SSL_CTX_set_options(c, SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(c, SSL_MODE_RELEASE_BUFFERS);
  if (!use(c, der, secure ? setup.rcfg_key : shown != nullptr ? key->private_key : own_key_)) {
    context_.reset();
    return nullptr;
  }
  if ((secure || (shown == nullptr && own_is_rcfg_)) && device.shared().on_die)
    add_issuers(c, device.shared().on_die->issuers());
  if (secure) {
    // Anybody may show anything; who it must be is decided after the handshake.
    SSL_CTX_set_verify(c, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                       [](int, X509_STORE_CTX*) { return 1; });
  } else if (mutual) {
    trust_roots(c, *device.certificates);
    SSL_CTX_set_verify(c, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  }
  made_for_ = std::move(wanted);
  return c;
}

bool lan_certificate::client_is_trusted(const device_model& device, SSL* connection) const {
  const auto& now = device.tls->in_force.at(interface_);
  if (!now.mutual || now.trusted_names.empty())
    return true;
  const owned<X509> peer{SSL_get1_peer_certificate(connection)};
  if (!peer)
    return false;
  char name[256] = {};
  X509_NAME_get_text_by_NID(X509_get_subject_name(peer.get()), NID_commonName, name, sizeof name);
  return std::find(now.trusted_names.begin(), now.trusted_names.end(), name) !=
         now.trusted_names.end();
}

} // namespace outband::amtsim
