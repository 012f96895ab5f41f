#include "messages/domain/secret_text.hpp"

#include <openssl/crypto.h>

#include <utility>

namespace outband {

secret_text::~secret_text() {
  wipe();
}

secret_text& secret_text::operator=(const secret_text& other) {
  return *this = secret_text(other); // std::string would give its former memory back as it is
}

secret_text& secret_text::operator=(secret_text&& other) noexcept {
  if (this != &other) {
    wipe();
    value_ = std::move(other.value_);
  }
  return *this;
}

void secret_text::wipe() {
  value_.resize(value_.capacity()); // a moved-from string may hold more than its length
  OPENSSL_cleanse(value_.data(), value_.size());
}

bool equal(const secret_text& a, std::string_view b) {
  const auto& mine = a.reveal();
  return mine.size() == b.size() && CRYPTO_memcmp(mine.data(), b.data(), mine.size()) == 0;
}

} // namespace outband
