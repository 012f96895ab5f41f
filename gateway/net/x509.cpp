#include "gateway/net/x509.hpp"

#include "gateway/net/openssl_raii.hpp"
#include "gateway/net/tls_context.hpp"
#include "messages/domain/text.hpp"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509_vfy.h>

#include <arpa/inet.h>
#include <ctime>

namespace outband::net {

namespace {

failure crypto_failure(std::string what) {
  const auto why = tls_error_text();
  return fail(problem::internal, std::move(what) + (why.empty() ? "" : ": " + why));
}

failure unreadable(std::string what, std::string field) {
  const auto why = tls_error_text();
  return fail(problem::malformed, std::move(what) + (why.empty() ? "" : ": " + why),
              std::move(field));
}

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const auto size = BIO_get_mem_data(bio, &data);
  return size > 0 ? std::string(data, static_cast<std::size_t>(size)) : std::string{};
}

key_ptr parse_key(const std::string& pem) {
  return key_ptr{PEM_read_bio_PrivateKey(read_from(pem).get(), nullptr, no_passphrase, nullptr)};
}

x509_ptr parse_certificate(const std::string& pem) {
  return x509_ptr{PEM_read_bio_X509(read_from(pem).get(), nullptr, no_passphrase, nullptr)};
}

bool is_address(const std::string& name) {
  unsigned char buffer[16];
  return inet_pton(AF_INET, name.c_str(), buffer) == 1 ||
         inet_pton(AF_INET6, name.c_str(), buffer) == 1;
}

status check_name(const std::string& name) {
  if (name.empty() || name.size() > 64)
    return fail(problem::malformed, "must have 1 to 64 octets", "common_name");
  for (const unsigned char c : name)
    if (c < 0x20 || c == 0x7F)
      return fail(problem::malformed, "contains a control character", "common_name");
  return success();
}

status check_alt_name(const std::string& name) {
  // No comma, colon (but in addresses) or blank: the extension is written in OpenSSL's syntax.
  if (is_address(name))
    return success();
  if (name.empty() || name.size() > 253)
    return fail(problem::malformed, "a host name has 1 to 253 octets", "alt_names");
  for (const char c : name)
    if ((c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' &&
        c != '.' && c != '*' && c != '_')
      return fail(problem::malformed, "'" + name + "' is neither a host name nor an address",
                  "alt_names");
  return success();
}

bool add(X509* subject, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, subject, nullptr, nullptr, 0);
  const extension_ptr extension{X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str())};
  return extension && X509_add_ext(subject, extension.get(), -1) == 1;
}

bool add_extensions(X509* c, X509* issuer, const certificate_spec& spec, bool rsa) {
  using usage = certificate_spec::usage;
  bool ok = add(c, issuer, NID_subject_key_identifier, "hash");
  if (spec.what == usage::authority)
    return ok && add(c, issuer, NID_basic_constraints, "critical,CA:TRUE") &&
           add(c, issuer, NID_key_usage, "critical,keyCertSign,cRLSign");
  ok = ok && add(c, issuer, NID_authority_key_identifier, "keyid") &&
       add(c, issuer, NID_basic_constraints, "CA:FALSE") &&
       // AMT 11 and 12 may choose an RSA key exchange.
       add(c, issuer, NID_key_usage, rsa ? "digitalSignature,keyEncipherment" : "digitalSignature");
  ok = ok &&
       add(c, issuer, NID_ext_key_usage, spec.what == usage::client ? "clientAuth" : "serverAuth");
  if (spec.what == usage::cira_server)
    ok = ok && add(c, issuer, NID_netscape_cert_type, "server");
  std::string names;
  for (const auto& name : spec.alt_names)
    names += (names.empty() ? "" : ",") + std::string{is_address(name) ? "IP:" : "DNS:"} + name;
  return ok && (names.empty() || add(c, issuer, NID_subject_alt_name, names));
}

/// `issuer_certificate` null: self-signed with `signer`.
result<std::string> build(const certificate_spec& spec, EVP_PKEY* subject_key,
                          X509* issuer_certificate, EVP_PKEY* signer) {
  if (auto ok = check_name(spec.common_name); !ok)
    return ok.error();
  for (const auto& name : spec.alt_names)
    if (auto ok = check_alt_name(name); !ok)
      return ok.error();

  const x509_ptr c{X509_new()};
  std::uint64_t serial = 0;
  if (!c || RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial) != 1)
    return crypto_failure("no random serial number");
  serial = (serial >> 1) | 1; // positive and not zero
  auto* const name = X509_get_subject_name(c.get());
  const auto* cn = reinterpret_cast<const unsigned char*>(spec.common_name.data());
  bool ok = X509_set_version(c.get(), X509_VERSION_3) == 1 &&
            ASN1_INTEGER_set_uint64(X509_get_serialNumber(c.get()), serial) == 1 &&
            ASN1_TIME_set(X509_getm_notBefore(c.get()), spec.not_before) != nullptr &&
            ASN1_TIME_set(X509_getm_notAfter(c.get()), spec.not_after) != nullptr &&
            X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8, cn,
                                       static_cast<int>(spec.common_name.size()), -1, 0) == 1 &&
            X509_set_pubkey(c.get(), subject_key) == 1;
  auto* const issuer_x509 = issuer_certificate != nullptr ? issuer_certificate : c.get();
  ok = ok && X509_set_issuer_name(c.get(), X509_get_subject_name(issuer_x509)) == 1 &&
       add_extensions(c.get(), issuer_x509, spec, EVP_PKEY_is_a(subject_key, "RSA") == 1);
  const auto* hash = EVP_PKEY_is_a(signer, "RSA") == 1 ? EVP_sha384() : EVP_sha256();
  if (!ok || X509_sign(c.get(), signer, hash) == 0)
    return crypto_failure("the certificate cannot be made");
  const bio_ptr out{BIO_new(BIO_s_mem())};
  if (!out || PEM_write_bio_X509(out.get(), c.get()) != 1)
    return crypto_failure("the certificate cannot be written");
  return text_of(out.get());
}

result<std::string> build_signed(const certificate_spec& spec, EVP_PKEY* subject_key,
                                 const issuer& by) {
  const auto ca = parse_certificate(by.certificate_pem);
  const auto ca_key = parse_key(by.key_pem);
  if (!ca || !ca_key)
    return crypto_failure("the issuer's certificate or key is unreadable");
  return build(spec, subject_key, ca.get(), ca_key.get());
}

std::int64_t seconds_of(const ASN1_TIME* t) {
  std::tm parts{};
  return ASN1_TIME_to_tm(t, &parts) == 1 ? static_cast<std::int64_t>(timegm(&parts)) : 0;
}

std::vector<std::string> alt_names_of(X509* c) {
  std::vector<std::string> names;
  auto* all =
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(c, NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; i < sk_GENERAL_NAME_num(all); ++i) {
    const auto* one = sk_GENERAL_NAME_value(all, i);
    if (one->type == GEN_DNS) {
      const auto* text = one->d.dNSName;
      names.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                         static_cast<std::size_t>(ASN1_STRING_length(text)));
    } else if (one->type == GEN_IPADD) {
      const auto* raw = one->d.iPAddress;
      char text[INET6_ADDRSTRLEN]{};
      const int family = ASN1_STRING_length(raw) == 4 ? AF_INET : AF_INET6;
      if (inet_ntop(family, ASN1_STRING_get0_data(raw), text, sizeof text) != nullptr)
        names.emplace_back(text);
    }
  }
  GENERAL_NAMES_free(all);
  return names;
}

} // namespace

result<std::string> make_key(key_kind kind) {
  ERR_clear_error();
  const key_ptr key{kind == key_kind::p256
                        ? EVP_EC_gen("P-256")
                        : EVP_RSA_gen(kind == key_kind::rsa2048 ? 2048U : 3072U)};
  const bio_ptr out{BIO_new(BIO_s_secmem())};
  if (!key || !out ||
      PEM_write_bio_PKCS8PrivateKey(out.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) !=
          1)
    return crypto_failure("no key can be made");
  return text_of(out.get());
}

result<std::string> make_self_signed(const certificate_spec& spec, const std::string& key_pem) {
  ERR_clear_error();
  const auto key = parse_key(key_pem);
  if (!key)
    return unreadable("not a PEM private key", "key");
  return build(spec, key.get(), nullptr, key.get());
}

result<std::string> make_certificate(const certificate_spec& spec, const std::string& key_pem,
                                     const issuer& by) {
  ERR_clear_error();
  const auto key = parse_key(key_pem);
  if (!key)
    return unreadable("not a PEM private key", "key");
  return build_signed(spec, key.get(), by);
}

result<std::string> sign_request(const certificate_spec& spec, const std::string& request_pem,
                                 const issuer& by) {
  ERR_clear_error();
  if (request_pem.size() > 16 << 10)
    return fail(problem::too_large, "more than 16 KiB", "csr");
  const request_ptr request{
      PEM_read_bio_X509_REQ(read_from(request_pem).get(), nullptr, no_passphrase, nullptr)};
  if (!request)
    return unreadable("not a PEM certificate request", "csr");
  auto* const key = X509_REQ_get0_pubkey(request.get());
  if (key == nullptr || X509_REQ_verify(request.get(), key) != 1)
    return unreadable("the request's signature is wrong", "csr");
  const int bits = EVP_PKEY_get_bits(key);
  const bool good_rsa = EVP_PKEY_is_a(key, "RSA") == 1 && bits >= 2048 && bits <= 4096;
  char group[32]{};
  const bool good_ec =
      EVP_PKEY_is_a(key, "EC") == 1 &&
      EVP_PKEY_get_group_name(key, group, sizeof group, nullptr) == 1 &&
      (std::string_view{group} == SN_X9_62_prime256v1 || std::string_view{group} == SN_secp384r1);
  if (!good_rsa && !good_ec)
    return fail(problem::malformed, "the key must be P-256, P-384 or RSA of 2048 to 4096 bits",
                "csr");
  return build_signed(spec, key, by);
}

result<std::string> make_request(const std::string& common_name, const std::string& key_pem) {
  ERR_clear_error();
  if (auto ok = check_name(common_name); !ok)
    return ok.error();
  const auto key = parse_key(key_pem);
  if (!key)
    return unreadable("not a PEM private key", "key");
  const request_ptr request{X509_REQ_new()};
  const auto* cn = reinterpret_cast<const unsigned char*>(common_name.data());
  const bio_ptr out{BIO_new(BIO_s_mem())};
  const auto* hash = EVP_PKEY_is_a(key.get(), "RSA") == 1 ? EVP_sha384() : EVP_sha256();
  if (!request || !out ||
      X509_NAME_add_entry_by_NID(X509_REQ_get_subject_name(request.get()), NID_commonName,
                                 MBSTRING_UTF8, cn, static_cast<int>(common_name.size()), -1,
                                 0) != 1 ||
      X509_REQ_set_pubkey(request.get(), key.get()) != 1 ||
      X509_REQ_sign(request.get(), key.get(), hash) == 0 ||
      PEM_write_bio_X509_REQ(out.get(), request.get()) != 1)
    return crypto_failure("the request cannot be made");
  return text_of(out.get());
}

result<certificate_facts> read_certificate(const std::string& pem) {
  ERR_clear_error();
  const auto c = parse_certificate(pem);
  if (!c)
    return unreadable("not a PEM certificate", "certificate");
  certificate_facts facts;
  auto* const subject = X509_get_subject_name(c.get());
  if (const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1); at >= 0) {
    unsigned char* utf8 = nullptr;
    const auto* entry = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
    if (const int size = ASN1_STRING_to_UTF8(&utf8, entry); size >= 0) {
      facts.common_name.assign(reinterpret_cast<char*>(utf8), static_cast<std::size_t>(size));
      OPENSSL_free(utf8);
    }
  }
  facts.alt_names = alt_names_of(c.get());
  facts.not_before = seconds_of(X509_get0_notBefore(c.get()));
  facts.not_after = seconds_of(X509_get0_notAfter(c.get()));
  if (const auto* key = X509_get0_pubkey(c.get()))
    facts.key_bits = EVP_PKEY_get_bits(key);
  facts.self_signed = X509_self_signed(c.get(), 0) == 1;
  unsigned char hash[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (X509_digest(c.get(), EVP_sha256(), hash, &size) == 1)
    facts.sha256 = to_hex(hash, size);
  ERR_clear_error();
  return facts;
}

std::vector<std::string> split_pem(const std::string& pem) {
  static constexpr std::string_view begin = "-----BEGIN CERTIFICATE-----";
  static constexpr std::string_view end = "-----END CERTIFICATE-----";
  std::vector<std::string> all;
  for (auto at = pem.find(begin); at != std::string::npos; at = pem.find(begin, at)) {
    const auto stop = pem.find(end, at);
    if (stop == std::string::npos)
      break;
    all.push_back(pem.substr(at, stop + end.size() - at) + "\n");
    at = stop + end.size();
  }
  return all;
}

status check_pair(const std::string& certificate_pem, const std::string& key_pem) {
  ERR_clear_error();
  const auto c = parse_certificate(certificate_pem);
  if (!c)
    return unreadable("not a PEM certificate", "certificate");
  const auto key = parse_key(key_pem);
  if (!key)
    return unreadable("not a PEM private key, or one with a passphrase", "key");
  if (X509_check_private_key(c.get(), key.get()) != 1) {
    ERR_clear_error();
    return fail(problem::malformed, "the key does not belong to the certificate", "key");
  }
  return success();
}

status check_chain(const std::string& chain_pem, const std::string& roots_pem, std::int64_t now) {
  ERR_clear_error();
  const store_ptr trusted{X509_STORE_new()};
  const store_context_ptr context{X509_STORE_CTX_new()};
  std::vector<x509_ptr> keep;
  for (const auto& pem : split_pem(roots_pem)) {
    keep.push_back(parse_certificate(pem));
    if (!keep.back() || X509_STORE_add_cert(trusted.get(), keep.back().get()) != 1)
      return unreadable("not a PEM certificate", "ca");
  }
  const auto chain = split_pem(chain_pem);
  if (chain.empty())
    return fail(problem::malformed, "not a PEM certificate", "certificate");
  STACK_OF(X509)* between = sk_X509_new_null();
  x509_ptr leaf = parse_certificate(chain[0]);
  bool readable = leaf != nullptr;
  for (std::size_t i = 1; i < chain.size(); ++i) {
    keep.push_back(parse_certificate(chain[i]));
    readable = readable && keep.back() && sk_X509_push(between, keep.back().get()) > 0;
  }
  status outcome = success();
  if (!readable || X509_STORE_CTX_init(context.get(), trusted.get(), leaf.get(), between) != 1)
    outcome = unreadable("not a PEM certificate", "certificate");
  else {
    X509_STORE_CTX_set_time(context.get(), 0, static_cast<std::time_t>(now));
    // Trust ends at whatever the roots are, be it an intermediate.
    X509_VERIFY_PARAM_set_flags(X509_STORE_CTX_get0_param(context.get()),
                                X509_V_FLAG_PARTIAL_CHAIN);
    if (X509_verify_cert(context.get()) != 1)
      outcome = fail(
          problem::malformed,
          std::string{X509_verify_cert_error_string(X509_STORE_CTX_get_error(context.get()))} +
              " (certificate " + std::to_string(X509_STORE_CTX_get_error_depth(context.get())) +
              " of the chain, counted from 0)",
          "certificate");
  }
  sk_X509_free(between);
  ERR_clear_error();
  return outcome;
}

} // namespace outband::net
