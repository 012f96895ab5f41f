#include "messages/rest/target.hpp"

#include <doctest/doctest.h>

using namespace outband;

TEST_CASE("a target is split before it is decoded") {
  auto t = rest::parse_target("/api/v1/dev%2Fices/a%20b/?$top=5&name=a+b%26c&empty=&flag");
  REQUIRE(t.ok());
  CHECK(t->segments == std::vector<std::string>{"api", "v1", "dev/ices", "a b"});
  CHECK(t->trailing_slash);
  CHECK(*t->parameter("$top") == "5");
  CHECK(*t->parameter("name") == "a b&c");
  CHECK(t->parameter("empty")->empty());
  CHECK(t->parameter("flag")->empty());
  CHECK(t->parameter("none") == nullptr);
  CHECK(t->path == "/api/v1/dev%2Fices/a%20b/");
}

TEST_CASE("the root has no segments") {
  CHECK(rest::parse_target("/")->segments.empty());
  CHECK(rest::parse_target("/?x=1")->segments.empty());
}

TEST_CASE("targets that no honest client sends are refused") {
  for (auto text :
       {"", "*", "api", "http://h/x", "//x", "/a//b", "/%", "/%4", "/%zz", "/%00", "/a%0d%0ab",
        "/%ff", "/%c0%af", "/a#b", "/?a=%", "/?a=1&a=2", "/?a=%00", "/\x01"}) {
    CAPTURE(text);
    CHECK_FALSE(rest::parse_target(text).ok());
  }
}

TEST_CASE("length, segments and parameters of a target are bounded") {
  CHECK(rest::parse_target("/" + std::string(8191, 'a')).ok());
  CHECK(rest::parse_target("/" + std::string(8192, 'a')).error().what == problem::too_large);
  std::string deep, many = "/?";
  for (int i = 0; i < 33; ++i)
    deep += "/a";
  for (int i = 0; i < 65; ++i)
    many += "p" + std::to_string(i) + "=1&";
  CHECK(rest::parse_target(deep).error().what == problem::too_large);
  CHECK(rest::parse_target(many).error().what == problem::too_large);
}

TEST_CASE("dots in a path stay what they are") {
  auto t = rest::parse_target("/a/../%2e%2e/b");
  REQUIRE(t.ok());
  CHECK(t->segments == std::vector<std::string>{"a", "..", "..", "b"});
}
