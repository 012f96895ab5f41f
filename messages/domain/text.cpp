#include "messages/domain/text.hpp"

namespace outband {

std::string to_hex(const unsigned char* octets, std::size_t count) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string out;
  out.reserve(2 * count);
  for (std::size_t i = 0; i < count; ++i) {
    out.push_back(digits[octets[i] >> 4]);
    out.push_back(digits[octets[i] & 15]);
  }
  return out;
}

} // namespace outband
