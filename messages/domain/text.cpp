#include "messages/domain/text.hpp"

#include <algorithm>
#include <cstdint>

namespace outband {

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), ascii_lower);
  return out;
}

bool same_text(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return ascii_lower(x) == ascii_lower(y); });
}

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

std::string text_fingerprint(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3U;
  }
  unsigned char octets[8];
  for (int i = 7; i >= 0; --i, hash >>= 8)
    octets[i] = static_cast<unsigned char>(hash & 0xff);
  return to_hex(octets, sizeof octets);
}

} // namespace outband
