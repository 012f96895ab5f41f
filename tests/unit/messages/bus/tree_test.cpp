// The two decoders: bounds, shapes, and what one encoding makes of the other's types.
#include "messages/bus/json.hpp"
#include "messages/bus/msgpack.hpp"
#include "messages/bus/value.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace outband;
using namespace outband::bus;

namespace {

const uuid some_id = *parse_uuid("01890a5d-ac96-774b-bcce-b302099a8057");

std::string octets(std::initializer_list<int> list) {
  std::string out;
  for (int i : list)
    out.push_back(static_cast<char>(i));
  return out;
}

std::string why(const result<value>& r) {
  return r.ok() ? "accepted" : to_string(r.error());
}

std::string repeated(const std::string& s, int n) {
  std::string out;
  for (int i = 0; i < n; ++i)
    out += s;
  return out;
}

} // namespace

TEST_CASE("scalars survive MessagePack") {
  for (const value& v :
       {value(), value(true), value(false), value(std::uint64_t{0}), value(std::uint64_t{127}),
        value(std::uint64_t{128}), value(std::uint64_t{65536}), value(UINT64_MAX),
        value(std::int64_t{-1}), value(std::int64_t{-33}), value(INT64_MIN), value(1.5),
        value(std::string()), value(std::string(4096, 'x')), value(octet_string{"\x00\xff"}),
        value(octet_string{std::string(32768, 'b')}), value(value::array{}), value(value::map{})}) {
    const auto back = from_msgpack(to_msgpack(v));
    INFO(why(back));
    REQUIRE(back.ok());
    CHECK(*back == v);
  }
}

TEST_CASE("MessagePack is written in its shortest form") {
  CHECK(to_msgpack(std::uint64_t{7}) == octets({0x07}));
  CHECK(to_msgpack(std::uint64_t{200}) == octets({0xcc, 200}));
  CHECK(to_msgpack(moment{7}) == octets({0x07}));
  CHECK(to_msgpack(some_id).substr(0, 2) == octets({0xc4, 0x10}));
  CHECK(to_msgpack(std::string("ab")) == octets({0xa2, 'a', 'b'}));
  CHECK(to_msgpack(value::map{{"a", value()}}) == octets({0x81, 0xa1, 'a', 0xc0}));
}

TEST_CASE("a positive number in a signed format is the same number") {
  for (const auto& wire : {octets({0xd0, 42}), octets({0xd1, 0, 42}), octets({0xd2, 0, 0, 0, 42}),
                           octets({0xd3, 0, 0, 0, 0, 0, 0, 0, 42}), octets({0xcd, 0, 42})}) {
    const auto got = from_msgpack(wire);
    REQUIRE(got.ok());
    CHECK(*got == value(std::uint64_t{42}));
  }
}

TEST_CASE("a floating number stays one even when it is whole or beyond integers") {
  for (double d : {1500.0, -3.0, 0.0, 18446744073709551616.0, 1e300, -1e300}) {
    const auto m = from_msgpack(to_msgpack(d));
    REQUIRE(m.ok());
    CHECK(*m == value(d));
    const auto j = from_json(to_json(d));
    REQUIRE(j.ok());
    CHECK(*j == value(d));
  }
}

TEST_CASE("a tree is written as compact JSON") {
  value::map m{{"n", value()},
               {"t", true},
               {"u", std::uint64_t{1} << 53},
               {"w", (std::uint64_t{1} << 53) + 1},
               {"i", std::int64_t{-5}},
               {"j", INT64_MIN},
               {"p", INT64_MAX},
               {"d", 0.5},
               {"s", std::string("a\"\\\n\x01\x7f\xC3\xA4")},
               {"b", octet_string{std::string("\xfb\xff\x00", 3)}},
               {"b1", octet_string{"\xfb"}},
               {"id", some_id},
               {"at", moment{1795235697123}},
               {"l", value::array{value(std::uint64_t{1}), value(value::array{})}},
               {"m", value::map{}}};
  CHECK(to_json(m) ==
        "{\"n\":null,\"t\":true,\"u\":9007199254740992,\"w\":\"9007199254740993\",\"i\":-5,"
        "\"j\":\"-9223372036854775808\",\"p\":\"9223372036854775807\",\"d\":0.5,\"s\":"
        "\"a\\\"\\\\\\n\\u0001\\u007f\xC3\xA4\","
        "\"b\":\"-_8A\",\"b1\":\"-w\",\"id\":\"01890a5d-ac96-774b-bcce-b302099a8057\","
        "\"at\":\"2026-11-21T04:34:57.123Z\",\"l\":[1,[]],\"m\":{}}");
}

TEST_CASE("JSON of plain types reads back as it was") {
  const value v(value::map{{"a", value::array{value(), value(false), value(std::uint64_t{3}),
                                              value(std::int64_t{-3}), value(2.5)}},
                           {"b", std::string("\xF0\x9F\x94\x8C \\ \" \n")},
                           {"", value::map{{"c", std::string()}}}});
  const auto back = from_json(to_json(v));
  INFO(why(back));
  REQUIRE(back.ok());
  CHECK(*back == v);
}

TEST_CASE("lists maps texts and octets at their limit are read and one more is refused") {
  tree_limits lim;
  lim.array = 3;
  lim.map = 2;
  lim.text = 4;
  lim.octets = 2;
  lim.depth = 2;
  const auto check = [&](const value& good, const value& bad) {
    CHECK(from_msgpack(to_msgpack(good), lim).ok());
    const auto m = from_msgpack(to_msgpack(bad), lim);
    REQUIRE_FALSE(m.ok());
    CHECK(m.error().what == problem::too_large);
    if (bad.get<octet_string>() != nullptr)
      return; // JSON has none
    CHECK(from_json(to_json(good), lim).ok());
    const auto j = from_json(to_json(bad), lim);
    REQUIRE_FALSE(j.ok());
    CHECK(j.error().what == problem::too_large);
  };
  const value x(true);
  check(value::array{x, x, x}, value::array{x, x, x, x});
  check(value::map{{"a", x}, {"b", x}}, value::map{{"a", x}, {"b", x}, {"c", x}});
  check(std::string("abcd"), std::string("abcde"));
  check(value::map{{"abcd", x}}, value::map{{"abcde", x}});
  check(octet_string{"ab"}, octet_string{"abc"});
  check(value::array{value(value::array{})},
        value::array{value(value::array{value(value::map{})})});
}

TEST_CASE("two hundred levels of nesting are refused without a deep stack") {
  for (const std::string& deep :
       {repeated("\x91", 200) + "\xc0", repeated("\x81\xa1k", 200) + "\xc0",
        repeated("\x91", 1000000) + "\xc0"})
    CHECK(why(from_msgpack(deep)) == "nested deeper than 16 levels (too-large)");
  for (const std::string& deep :
       {repeated("[", 200) + repeated("]", 200),
        repeated("{\"k\":", 200) + "1" + repeated("}", 200), repeated("[", 1000000)})
    CHECK(why(from_json(deep)) == "nested deeper than 16 levels (too-large)");
}

TEST_CASE("an announced size costs nothing before its elements arrive") {
  CHECK(why(from_msgpack(octets({0xdd, 0xff, 0xff, 0xff, 0xff}))) ==
        "a list of 4294967295 elements; at most 1024 are read (too-large)");
  CHECK(why(from_msgpack(octets({0xdf, 0xff, 0xff, 0xff, 0xff}))) ==
        "a map of 4294967295 members; at most 256 are read (too-large)");
  CHECK(why(from_msgpack(octets({0xdb, 0xff, 0xff, 0xff, 0xff, 'a'}))) ==
        "the MessagePack ends too early (malformed)");
  CHECK(why(from_msgpack(octets({0xc6, 0xff, 0xff, 0xff, 0xff, 'a'}))) ==
        "the MessagePack ends too early (malformed)");
  CHECK_FALSE(from_msgpack(octets({0xdc, 0x04, 0x00})).ok());
}

TEST_CASE("shapes that MessagePack allows and we do not") {
  struct row {
    std::string wire;
    const char* words;
  };
  for (const auto& r :
       {row{octets({0xc1}), "not MessagePack (malformed)"},
        row{octets({0xd4, 0x01, 0x00}), "an extension type; none is used here (malformed)"},
        row{octets({0xd6, 0xff, 0, 0, 0, 0}), "an extension type; none is used here (malformed)"},
        row{octets({0xca, 0x7f, 0xc0, 0x00, 0x00}), "a number that is not finite (malformed)"},
        row{octets({0xcb, 0x7f, 0xf0, 0, 0, 0, 0, 0, 0}),
            "a number that is not finite (malformed)"},
        row{octets({0x81, 0x01, 0x02}), "a map key that is not text (malformed)"},
        row{octets({0x81, 0xc0, 0x02}), "a map key that is not text (malformed)"},
        row{octets({0x81, 0x90, 0x02}), "a map key that is not text (malformed)"},
        row{octets({0x81, 0x80, 0x02}), "a map key that is not text (malformed)"},
        row{octets({0x81, 0xc4, 0x01, 'a', 0x02}), "a map key that is not text (malformed)"},
        row{octets({0x82, 0xa1, 'a', 0x01, 0xa1, 'a', 0x02}),
            "the key 'a' appears twice (malformed)"},
        row{octets({0xa1, 0xff}), "text that is not UTF-8 or holds a NUL (malformed)"},
        row{octets({0xa1, 0x00}), "text that is not UTF-8 or holds a NUL (malformed)"},
        row{octets({0xa2, 0xc0, 0x80}), "text that is not UTF-8 or holds a NUL (malformed)"},
        row{octets({0xa3, 0xed, 0xa0, 0x80}), "text that is not UTF-8 or holds a NUL (malformed)"},
        row{octets({0xa4, 0xf4, 0x90, 0x80, 0x80}),
            "text that is not UTF-8 or holds a NUL (malformed)"},
        row{octets({0x81, 0xa1, 0xff, 0x01}), "a key that is not UTF-8 or holds a NUL (malformed)"},
        row{octets({0x01, 0x02}), "1 octets follow the document (malformed)"},
        row{std::string(), "an empty payload (malformed)"},
        row{octets({0x92, 0x01}), "the MessagePack ends too early (malformed)"}}) {
    CAPTURE(r.words);
    CHECK(why(from_msgpack(r.wire)) == r.words);
  }
}

TEST_CASE("shapes that are not JSON or that we do not accept") {
  struct row {
    std::string text;
    const char* words;
  };
  for (const auto& r :
       {row{"", "an empty payload (malformed)"},
        row{"{\"a\":1,\"a\":2}", "the key 'a' appears twice (malformed)"},
        row{"1e999", "the number 1e999 is out of range (malformed)"},
        row{"18446744073709551616", "the number 18446744073709551616 is out of range (malformed)"},
        row{"-9223372036854775809", "the number -9223372036854775809 is out of range (malformed)"},
        row{"\"\\u0000\"", "text that is not UTF-8 or holds a NUL (malformed)"}}) {
    CAPTURE(r.text);
    CHECK(why(from_json(r.text)) == r.words);
  }
  for (const std::string& bad :
       {std::string("NaN"), std::string("Infinity"), std::string("-"), std::string("01"),
        std::string("{"), std::string("[1,]"), std::string("{\"a\":}"), std::string("{a:1}"),
        std::string("'a'"), std::string("1 2"), std::string("{} x"), std::string("\"\xff\""),
        std::string("\"\\ud800\""), std::string("\"a"), std::string("// c\n1"),
        std::string("\0", 1), std::string("tru"), std::string("\"\n\"")}) {
    CAPTURE(bad);
    const auto r = from_json(bad);
    REQUIRE_FALSE(r.ok());
    CHECK(r.error().what == problem::malformed);
  }
}

TEST_CASE("octets and ids of MessagePack become text in JSON") {
  const auto tree =
      from_msgpack(to_msgpack(value::array{value(some_id), value(octet_string{"hi"})}));
  REQUIRE(tree.ok());
  // MessagePack has no type of its own for a UUID, so sixteen octets are octets.
  CHECK(to_json(*tree) == "[\"AYkKXayWd0u8zrMCCZqAVw\",\"aGk\"]");
}

TEST_CASE("cleaning text keeps what is valid and cuts between characters") {
  CHECK(clean_text("abc", 10) == "abc");
  CHECK(clean_text("abc", 2) == "ab");
  CHECK(clean_text("a\xC3\xA4", 2) == "a");
  CHECK(clean_text("\xF0\x9F\x94\x8C", 4) == "\xF0\x9F\x94\x8C");
  CHECK(clean_text("\xF0\x9F\x94", 4) == "???");
  CHECK(clean_text(std::string_view("a\0b", 3), 9) == "a?b");
  CHECK(valid_text(clean_text("\xED\xA0\x80\xC0\x80\xFF", 99)));
}
