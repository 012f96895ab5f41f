// A device that lies in HTTP: whatever it answers, a call ends after at most three attempts, and a
// password that was refused is not sent again by itself.
//
// First octet: bit 0 a change instead of a read, bit 1 the password is empty, bit 2 a challenge is
// known from before, the rest the piece size. What follows are its answers, one a connection, with
// 0x01 between them.
#include "gateway/amt/http_exchange.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>

using namespace outband;

namespace {

constexpr std::string_view read = "<Header><Action>http://schemas.xmlsoap.org/ws/2004/09/transfer/"
                                  "Get</Action></Header><Body></Body>";
constexpr std::string_view change = "<Header><Action>RequestPowerStateChange</Action></Header>"
                                    "<Body>http://schemas.xmlsoap.org/ws/2004/09/transfer/Get<"
                                    "/Body>";

void check(bool holds) {
  if (!holds)
    std::abort();
}

/// What the exchange makes of one connection's octets.
amt::http_exchange::verdict hear(amt::http_exchange& x, std::string_view octets,
                                 std::size_t piece) {
  while (!octets.empty()) {
    const auto n = std::min(piece, octets.size());
    auto v = x.on_data(octets.substr(0, n));
    octets.remove_prefix(n);
    if (!std::holds_alternative<amt::http_exchange::more>(v))
      return v;
  }
  auto v = x.on_closed();
  check(!std::holds_alternative<amt::http_exchange::more>(v));
  return v;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0)
    return 0;
  const auto mood = data[0];
  std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  amt::login who{"admin", secret_text((mood & 2) != 0 ? "" : "P@ssw0rd")};
  if ((mood & 4) != 0) {
    auto known = http::parse_challenge("Digest realm=\"r\", nonce=\"n\", qop=\"auth\"");
    check(known.ok() && who.digest.learn(*known));
    who.challenges = 1;
  }
  amt::http_exchange x{who, "10.0.0.1:16992", std::string((mood & 1) != 0 ? change : read)};
  check(x.reads() == ((mood & 1) == 0));
  for (int attempt = 1;; ++attempt) {
    check(attempt <= 3);
    const auto octets = x.request("0123456789abcdef");
    if (!octets) {
      check(octets.error().what == problem::device_protocol && !octets.error().detail.empty());
      return 0; // its realm cannot be written into a header
    }
    check(x.authorized() == (octets->find("\r\nAuthorization: Digest ") != std::string::npos));
    const auto end = text.find('\x01');
    const auto verdict = hear(x, text.substr(0, end), 1 + mood / 8);
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    if (const auto* d = std::get_if<amt::http_exchange::done>(&verdict))
      check(d->answer.status >= 100 && d->answer.status <= 999 && d->answer.status != 401 &&
            d->answer.body.size() <= 1U << 20);
    if (const auto* why = std::get_if<failure>(&verdict)) {
      check(!why->detail.empty());
      // Begins without credentials next time, lest every call cost one failed logon more.
      if (why->detail.find("refused the user") != std::string::npos)
        check(!who.digest.ready());
    }
    if (!std::holds_alternative<amt::http_exchange::again>(verdict))
      return 0;
  }
}
