/// Any octets as a token: never accepted, unless they were signed, and never a crash.
///
/// The first octet decides whether the rest is taken as the token itself or as a payload that is
/// signed first, so that what lies behind the signature is reached as well.
#include "messages/ticket/base64url.hpp"
#include "messages/ticket/claims.hpp"

#include <cstdlib>

using namespace outband;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto key = *ticket::signing_key::generate();
  static const auto keys = *ticket::verifying_keys::of(key);
  if (size == 0)
    return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  ticket::expectations e;
  e.issuer = ticket::default_issuer;
  e.audience = ticket::bus_audience;
  constexpr std::int64_t now = 1'800'000'000;
  if (data[0] % 2 == 0) {
    // The key is new in each run: nothing in a corpus can have its signature.
    if (ticket::verify(rest, keys, e, now))
      std::abort();
    if (auto octets = ticket::base64url_decode(rest);
        octets && ticket::base64url_encode(*octets) != rest)
      std::abort();
    return 0;
  }
  auto token = ticket::sign(rest, key);
  if (!token)
    return 0;
  auto claims = ticket::verify_claims(*token, keys, e, now);
  if (!claims)
    return 0;
  // What is accepted can be signed again and is accepted again.
  auto again = ticket::sign_claims(*claims, key);
  if (again && !ticket::verify_claims(*again, keys, e, now))
    std::abort();
  (void)ticket::identity_of(*claims);
  return 0;
}
