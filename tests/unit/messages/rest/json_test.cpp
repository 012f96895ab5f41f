#include "messages/rest/json.hpp"

#include <doctest/doctest.h>

using namespace outband;

TEST_CASE("strict JSON keeps values and the order of members") {
  auto v = json::parse(R"({"b":[1,-2,true,null,"x\u00e9"],"a":{"c":2.5}})");
  REQUIRE(v.ok());
  CHECK(json::dump(*v) == "{\"b\":[1,-2,true,null,\"x\xC3\xA9\"],\"a\":{\"c\":2.5}}");
  CHECK(*v->find("a")->find("c")->real() == 2.5);
  CHECK(v->find("z") == nullptr);
}

TEST_CASE("what is not exactly one JSON document is refused") {
  for (auto text :
       {"", " ", "{", "[1,]", "{\"a\":1}x", "nul", "'a'", "{\"a\" 1}", "[1 2]", "01", "\"\xFF\"",
        "\"\xC0\x80\"", "\"\xED\xA0\x80\"", "1e999", "\"\\ud800\"", "// c\n1"}) {
    CAPTURE(text);
    CHECK_FALSE(json::parse(text).ok());
  }
}

TEST_CASE("a member that occurs twice is refused by name at any depth") {
  auto v = json::parse(R"({"a":[{"x":1,"y":2,"x":3}]})");
  REQUIRE_FALSE(v.ok());
  CHECK(v.error().what == problem::malformed);
  CHECK(v.error().field == "x");
}

TEST_CASE("depth, size and number of values are bounded") {
  CHECK(json::parse(std::string(16, '[') + std::string(16, ']')).ok());
  auto deep = json::parse(std::string(17, '[') + std::string(17, ']'));
  REQUIRE_FALSE(deep.ok());
  CHECK(deep.error().what == problem::too_large);
  CHECK(json::parse(std::string(100'000, '[')).error().what == problem::too_large);

  json::limits few;
  few.values = 3;
  CHECK(json::parse("[1,2]", few).ok());
  CHECK_FALSE(json::parse("[1,2,3]", few).ok());
  few.octets = 4;
  CHECK(json::parse("[1,2]", few).error().what == problem::too_large);
}

TEST_CASE("numbers are integers only when written as such and when they fit") {
  CHECK(*json::parse("9223372036854775807")->integer() == INT64_MAX);
  CHECK(json::parse("9223372036854775808")->integer() == nullptr);
  CHECK(json::parse("2.0")->integer() == nullptr);
  CHECK(json::parse("2e0")->integer() == nullptr);
}

TEST_CASE("written JSON escapes control characters and repairs what is not UTF-8") {
  CHECK(json::quoted("a\"\\\n\x01\x7F") == R"("a\"\\\n\u0001\u007f")");
  CHECK(json::quoted("a\xFFz") == "\"a\xEF\xBF\xBDz\"");
  CHECK(json::parse(json::quoted(std::string("\0\xF0\x9F\x92\xBB\xE2\x82", 7))).ok());
}
