/// Hostile WWW-Authenticate and Authorization values: what is understood is written, read again
/// unchanged, and can be answered.
#include "messages/http/digest.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

namespace {

using namespace outband::http;

void check(bool holds) {
  if (!holds)
    std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view value{reinterpret_cast<const char*>(data), size};
  if (const auto c = parse_challenge(value); c.ok()) {
    // Escaping may make it longer than what a parser takes.
    if (const auto written = write_challenge(*c); written.size() <= 4096) {
      const auto again = parse_challenge(written);
      check(again.ok() && again->realm == c->realm && again->nonce == c->nonce &&
            again->opaque == c->opaque && again->auth == c->auth &&
            again->auth_int == c->auth_int && again->stale == c->stale);
    }
    digest_session s;
    check(s.learn(*c) && s.ready());
    const auto answer = s.authorize("admin", "P@ssw0rd", "POST", "/wsman", "c", "body");
    check(answer.ok() && s.used() == 1);
    if (answer->size() <= 4096) {
      const auto a = parse_authorization(*answer);
      check(a.ok());
      check(verify(*a, digest_ha1("admin", c->realm, "P@ssw0rd"), "POST", "body"));
    }
  }
  if (const auto a = parse_authorization(value); a.ok()) {
    const auto written = write_authorization(*a);
    if (written.size() <= 4096) {
      const auto again = parse_authorization(written);
      check(again.ok() && again->user == a->user && again->response == a->response &&
            again->qop == a->qop);
      if (!a->qop.empty())
        check(again->nc == a->nc && again->cnonce == a->cnonce);
    }
    verify(*a, digest_ha1(a->user, a->realm, "x"), "POST", "");
  }
  return 0;
}
