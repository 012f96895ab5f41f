#include "actors/activation/passwords.hpp"

#include <openssl/rand.h>

#include <algorithm>
#include <stdexcept>
#include <string_view>

namespace outband::activation {

namespace {

constexpr std::string_view alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!@#$%^*()";
constexpr std::size_t length = 16;

bool has(const std::string& text, char from, char to) {
  return std::any_of(text.begin(), text.end(), [&](char c) { return c >= from && c <= to; });
}

bool all_kinds(const std::string& text) {
  return has(text, 'A', 'Z') && has(text, 'a', 'z') && has(text, '0', '9') &&
         std::any_of(text.begin(), text.end(), [](char c) {
           return c > ' ' && c < 0x7f && !(c >= 'A' && c <= 'Z') && !(c >= 'a' && c <= 'z') &&
                  !(c >= '0' && c <= '9');
         });
}

} // namespace

std::string random_octets(std::size_t n) {
  std::string out(n, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(out.data()), static_cast<int>(n)) != 1)
    throw std::runtime_error("the system has no random numbers");
  return out;
}

secret_text make_password(const std::function<std::string(std::size_t)>& random) {
  // Octets beyond the last multiple are dropped, or the first letters would come more often.
  constexpr unsigned usable = 256 / alphabet.size() * alphabet.size();
  std::string out;
  do {
    out.clear();
    while (out.size() < length)
      for (unsigned char octet : random(length))
        if (octet < usable && out.size() < length)
          out.push_back(alphabet[octet % alphabet.size()]);
  } while (!all_kinds(out));
  return secret_text(std::move(out));
}

bool acceptable_password(const std::string& text) {
  return text.size() >= 8 && text.size() <= 32 && all_kinds(text) &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; }) &&
         text.find_first_of(":,\"") == std::string::npos;
}

} // namespace outband::activation
