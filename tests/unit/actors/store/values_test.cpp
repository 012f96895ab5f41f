#include "actors/store/values.hpp"

#include <doctest/doctest.h>

using namespace outband;
using namespace outband::store;

TEST_CASE("array literals come back as they went") {
  for (const auto& values : std::vector<std::vector<std::string>>{
           {},
           {""},
           {"a"},
           {"a", "", "b c", "d,e", "{f}", "NULL", "\"", "\\", "\\\"", "\n", "\xc3\xbc"}}) {
    auto literal = array_literal({values.begin(), values.end()});
    CHECK(parse_array(literal) == values);
  }
  CHECK(array_literal({std::nullopt, "NULL"}) == "{NULL,\"NULL\"}");
}

TEST_CASE("the server's own spelling of arrays is read") {
  using list = std::vector<std::string>;
  CHECK(parse_array("{}") == list{});
  CHECK(parse_array("{a,b}") == list{"a", "b"});
  CHECK(parse_array("{a,\"b c\",NULL,\"NULL\"}") == list{"a", "b c", "NULL"});
  for (auto broken : {"", "{", "a", "{\"", "{\"a", "{\"\\", "{a,", "{\"a\"b"})
    CHECK_NOTHROW(parse_array(broken));
}

TEST_CASE("parameters are spelled as PostgreSQL reads them") {
  params p;
  uuid id;
  id.bytes[0] = 0xab;
  p.texts(std::vector<std::string>{"a\"b", "c"})
      .numbers(std::vector<std::int64_t>{1, -2})
      .flags({true, false})
      .ids({id});
  p.octets_list({std::string("\x00\xff", 2), ""}).null().flag(true);
  p.numbers(std::vector<std::optional<std::int64_t>>{3, std::nullopt});
  const auto& i = p.items();
  CHECK(i[0].value == "{\"a\\\"b\",\"c\"}");
  CHECK(i[1].value == "{1,-2}");
  CHECK(i[2].value == "{t,f}");
  CHECK(i[3].value == "{ab000000-0000-0000-0000-000000000000}");
  CHECK(i[4].value == "{\"\\\\x00ff\",\"\\\\x\"}");
  CHECK(i[5].null);
  CHECK(i[6].value == "t");
  CHECK(i[7].value == "{3,NULL}");
}

TEST_CASE("a zero octet is noticed in texts and allowed in octets") {
  params good, bad, list;
  good.octets(std::string("\0", 1)).text(std::string("a"));
  bad.text(std::string("a\0b", 3));
  list.texts(std::vector<std::string>{"a", std::string("\0", 1)});
  CHECK(!good.has_zero_in_text());
  CHECK(bad.has_zero_in_text());
  CHECK(list.has_zero_in_text());
}
