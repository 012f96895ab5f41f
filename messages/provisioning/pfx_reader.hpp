/// Takes a PKCS#12 file apart, bag by bag. Only for pfx.cpp.
///
/// Not PKCS12_parse(): it hides the order of the bags, takes the first key only, says "failed"
/// where people need a reason, and spends as many iterations as the file asks for.
/// Context: pure, any thread.
#pragma once

#include "messages/domain/result.hpp"
#include "messages/provisioning/openssl_raii.hpp"
#include "messages/provisioning/pfx.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace outband::provisioning {

class pfx_reader {
public:
  status read(std::string_view der, std::string_view password);

  std::vector<certificate> certificates;   ///< in the order of the file, each once
  std::vector<ossl::owned<EVP_PKEY>> keys; ///< in the order of the file; any type

  static private_key hide(ossl::owned<EVP_PKEY> key);

private:
  struct provider_free {
    void operator()(OSSL_PROVIDER* p) const;
  };
  struct context_free {
    void operator()(OSSL_LIB_CTX* c) const;
  };

  status check_mac(PKCS12* file);
  status take_safe(PKCS7* safe);
  status take_bags(const STACK_OF(PKCS12_SAFEBAG) * bags, int depth);
  status take_key(const PKCS8_PRIV_KEY_INFO* info);
  status take_certificate(const PKCS12_SAFEBAG* bag);
  /// Whether it can be decrypted here, and within the budget of iterations.
  status allow(const X509_ALGOR* encryption);
  status spend(const ASN1_INTEGER* iterations);
  status provide(int cipher);

  std::string_view password_;
  bool password_is_right_ = false; ///< the MAC said so
  std::int64_t iterations_left_ = 3'000'000;
  int bags_ = 0;
  // Declared in this order: providers go before the context they live in.
  std::unique_ptr<OSSL_LIB_CTX, context_free> legacy_;
  std::vector<std::unique_ptr<OSSL_PROVIDER, provider_free>> providers_;

  const char* password_octets() const;
};

} // namespace outband::provisioning
