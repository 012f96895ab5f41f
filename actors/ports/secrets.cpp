#include "actors/ports/secrets.hpp"

#include <openssl/crypto.h>

namespace outband {

std::string_view to_string(secret_name n) {
  switch (n) {
  case secret_name::amt_password:
    return "amt-password";
  case secret_name::mps_password:
    return "mps-password";
  case secret_name::mebx_password:
    return "mebx-password";
  }
  return "amt-password";
}

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
