#include "actors/ports/secrets.hpp"

#include <doctest/doctest.h>

#include <new>

using namespace outband;

TEST_CASE("secrets are equal in full or not at all") {
  secret_text s("abc");
  CHECK(equal(s, "abc"));
  CHECK(!equal(s, "abd"));
  CHECK(!equal(s, "ab"));
  CHECK(!equal(s, "abcd"));
  CHECK(equal(secret_text{}, ""));
  CHECK(!equal(secret_text{}, "x"));
  CHECK(equal(secret_text(std::string("a\0b", 3)), std::string_view("a\0b", 3)));
  CHECK(!equal(secret_text(std::string("a\0b", 3)), std::string_view("a\0c", 3)));
}

TEST_CASE("a secret leaves nothing behind in its place") {
  // Short: kept inside the object, which we can look at after its end.
  alignas(secret_text) unsigned char place[sizeof(secret_text)];
  auto* s = new (place) secret_text("hunter2-hunter2");
  REQUIRE(s->reveal() == "hunter2-hunter2");
  *s = secret_text("x"); // the tail of the former one would still be there
  s->~secret_text();
  std::string left(reinterpret_cast<char*>(place), sizeof place);
  CHECK(left.find("hunter") == std::string::npos);
  CHECK(left.find("unter2") == std::string::npos);
}

TEST_CASE("a longer secret leaves nothing of the short one that it replaces") {
  const secret_text longer(std::string(40, 'l'));
  alignas(secret_text) unsigned char place[sizeof(secret_text)];
  for (const bool moved : {false, true}) {
    auto* s = new (place) secret_text("hunter2-hunter2");
    if (moved)
      *s = secret_text(longer);
    else
      *s = longer;
    CHECK(s->reveal() == longer.reveal());
    const std::string left(reinterpret_cast<char*>(place), sizeof place);
    s->~secret_text();
    CHECK(left.find("hunter") == std::string::npos);
  }
  auto self = longer;
  auto& same = self;
  self = same;
  CHECK(self.reveal() == longer.reveal());
}

TEST_CASE("names of secrets are what the table holds") {
  CHECK(to_string(secret_name::amt_password) == "amt-password");
  CHECK(to_string(secret_name::mps_password) == "mps-password");
  CHECK(to_string(secret_name::mebx_password) == "mebx-password");
}
