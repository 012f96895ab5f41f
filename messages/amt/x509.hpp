/// Certificates and private keys as people send them: DER or PEM, wrapped in base64 or not.
///
/// Source: MPS src/routes/amt/certificates/validator.ts; what the firmware wants: base64 of DER,
/// and of PKCS#1 for keys. Context: pure, any thread. Limits: 16 KiB of text.
#pragma once

#include "messages/domain/ids.hpp"
#include "messages/domain/result.hpp"

#include <string>
#include <string_view>

namespace outband::amt {

struct certificate_text {
  std::string der;       ///< base64, without line breaks
  time_ms not_after = 0; ///< ms UTC
};
/// Base64 of DER, base64 of PEM, or PEM. problem::malformed says what it must be.
result<certificate_text> read_certificate(std::string_view text);

struct key_text {
  std::string private_key; ///< base64 of the PKCS#1 private key
  std::string public_key;  ///< base64 of the PKCS#1 public key, as the firmware lists it (DERKey)
};
/// An RSA key: base64 of PKCS#1 or PKCS#8 DER, base64 of PEM, or PEM; not encrypted.
result<key_text> read_private_key(std::string_view text);

} // namespace outband::amt
