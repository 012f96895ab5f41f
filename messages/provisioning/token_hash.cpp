#include "messages/provisioning/token_hash.hpp"

#include "messages/domain/text.hpp"

#include <openssl/sha.h>

namespace outband::provisioning {

std::string token_hash(const std::string& text) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
  return to_hex(digest, sizeof digest);
}

} // namespace outband::provisioning
