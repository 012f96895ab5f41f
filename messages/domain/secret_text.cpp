#include "messages/domain/secret_text.hpp"

#include <openssl/crypto.h>

namespace outband {

secret_text::~secret_text() {
  // capacity: a shorter value assigned later leaves the tail of the former one behind.
  value_.resize(value_.capacity());
  OPENSSL_cleanse(value_.data(), value_.size());
}

bool equal(const secret_text& a, std::string_view b) {
  const auto& mine = a.reveal();
  return mine.size() == b.size() && CRYPTO_memcmp(mine.data(), b.data(), mine.size()) == 0;
}

} // namespace outband
