#include "messages/domain/text.hpp"

#include <doctest/doctest.h>

using namespace outband;

TEST_CASE("octets become two lower-case digits each") {
  const unsigned char octets[] = {0x00, 0x0f, 0x7f, 0x80, 0xab, 0xff};
  CHECK(to_hex(octets, sizeof octets) == "000f7f80abff");
  CHECK(to_hex(octets, 0).empty());
}

TEST_CASE("a hexadecimal digit of either case has a value and nothing else has one") {
  int digits = 0;
  for (int c = 0; c < 256; ++c)
    digits += hex_digit(static_cast<char>(c)) >= 0;
  CHECK(digits == 22);
  CHECK(hex_digit('0') == 0);
  CHECK(hex_digit('9') == 9);
  CHECK(hex_digit('a') == 10);
  CHECK(hex_digit('f') == 15);
  CHECK(hex_digit('A') == 10);
  CHECK(hex_digit('F') == 15);
}

TEST_CASE("only the 26 capital letters have a lower form") {
  for (int i = 0; i < 256; ++i) {
    const auto c = static_cast<char>(i);
    CAPTURE(i);
    CHECK(ascii_lower(c) == (i >= 'A' && i <= 'Z' ? static_cast<char>(i + 32) : c));
  }
}

TEST_CASE("texts are the same but for case where only ASCII letters differ by it") {
  CHECK(lower("WiFi_\xC3\x84-9Z") == "wifi_\xC3\x84-9z");
  CHECK(lower("").empty());
  CHECK(same_text("WiFi", "wIfI"));
  CHECK(same_text("", ""));
  CHECK_FALSE(same_text("WiFi", "WiFi2"));
  CHECK_FALSE(same_text("WiFi2", "WiFi"));
  CHECK_FALSE(same_text("\xC3\x84", "\xC3\xA4"));
  CHECK_FALSE(same_text("@", "`"));
}
