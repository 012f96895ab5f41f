#include "gateway/auth/password.hpp"

#include "messages/ticket/base64url.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <array>
#include <charconv>

namespace outband::auth {

namespace {

constexpr std::size_t salt_octets = 16, hash_octets = 32;
constexpr std::uint64_t max_memory = 128u << 20;

std::optional<std::string> derive(const secret_text& password, std::string_view salt,
                                  const scrypt_cost& c) {
  std::string out(hash_octets, '\0');
  const auto& p = password.reveal();
  // The limit is for OpenSSL's own bookkeeping too, so a little more than 128 * n * r.
  if (EVP_PBE_scrypt(p.data(), p.size(), reinterpret_cast<const unsigned char*>(salt.data()),
                     salt.size(), c.n, c.r, c.p, max_memory + (1u << 20),
                     reinterpret_cast<unsigned char*>(out.data()), out.size()) != 1)
    return std::nullopt;
  return out;
}

template <class T> bool number(std::string_view s, T& out) {
  auto [end, ec] = std::from_chars(s.data(), s.data() + s.size(), out);
  return ec == std::errc{} && end == s.data() + s.size();
}

} // namespace

result<std::string> hash_password(const secret_text& password, const scrypt_cost& cost) {
  const auto size = password.reveal().size();
  if (size < min_password || size > max_password)
    return fail(problem::malformed,
                "must have " + std::to_string(min_password) + " to " +
                    std::to_string(max_password) + " octets",
                "password");
  std::string salt(salt_octets, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(salt.data()), static_cast<int>(salt.size())) != 1)
    return fail(problem::internal, "no random numbers");
  auto hash = derive(password, salt, cost);
  if (!hash)
    return fail(problem::internal, "scrypt failed");
  return "scrypt$" + std::to_string(cost.n) + "$" + std::to_string(cost.r) + "$" +
         std::to_string(cost.p) + "$" + ticket::base64url_encode(salt) + "$" +
         ticket::base64url_encode(*hash);
}

bool password_matches(const secret_text& password, std::string_view stored) {
  std::array<std::string_view, 6> part;
  for (std::size_t i = 0; i < part.size(); ++i) {
    auto cut = stored.find('$');
    if ((cut == std::string_view::npos) != (i + 1 == part.size()))
      return false;
    part[i] = stored.substr(0, cut);
    stored = cut == std::string_view::npos ? std::string_view{} : stored.substr(cut + 1);
  }
  scrypt_cost c;
  if (part[0] != "scrypt" || !number(part[1], c.n) || !number(part[2], c.r) ||
      !number(part[3], c.p) || c.n < 2 || c.n > (1u << 20) || c.r == 0 || c.r > 64 || c.p == 0 ||
      c.p > 16 || 128 * c.n * c.r > max_memory)
    return false;
  auto salt = ticket::base64url_decode(part[4]);
  auto hash = ticket::base64url_decode(part[5]);
  if (!salt || !hash || hash->size() != hash_octets || password.reveal().size() > max_password)
    return false;
  auto got = derive(password, *salt, c);
  return got && CRYPTO_memcmp(got->data(), hash->data(), hash_octets) == 0;
}

} // namespace outband::auth
