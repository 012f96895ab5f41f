#include "messages/amt/base64.hpp"

#include <doctest/doctest.h>

namespace outband::amt {
namespace {

TEST_CASE("octets of every length survive base64") {
  const std::string all("\x00\xFFzA\x80\x01", 6);
  for (std::size_t n = 0; n <= all.size(); ++n) {
    const auto text = base64_encode(all.substr(0, n));
    CHECK(text.size() % 4 == 0);
    CHECK(base64_decode(text) == all.substr(0, n));
  }
  CHECK(base64_encode("Man") == "TWFu");
  CHECK(base64_encode("Ma") == "TWE=");
  CHECK(base64_encode("M") == "TQ==");
}

TEST_CASE("base64 may be broken into lines and lack its padding") {
  CHECK(base64_decode("TW\r\nFu") == "Man");
  CHECK(base64_decode("TWE") == "Ma");
  CHECK(base64_decode("TQ") == "M");
  CHECK(base64_decode("") == "");
}

TEST_CASE("what is no base64 is not decoded") {
  for (const auto* text :
       {"T", "TWFuT", "TQ=", "TQ===", "TWE==", "T=Q=", "TWFu=", "T!Fu", "T-_u"}) {
    CAPTURE(text);
    CHECK_FALSE(base64_decode(text).has_value());
  }
}

} // namespace
} // namespace outband::amt
