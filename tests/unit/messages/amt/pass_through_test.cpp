#include "messages/amt/pass_through.hpp"

#include <doctest/doctest.h>

namespace outband::amt {
namespace {

std::string shown(const char* xml) {
  auto n = wsman::parse_xml(xml);
  REQUIRE(n.ok());
  return json::dump(as_json(*n));
}

TEST_CASE("elements become members as MPS has them") {
  CHECK(shown("<x:A xmlns:x=\"urn:x\" k=\"v\"><x:B>1</x:B><x:C>true</x:C><x:D></x:D></x:A>") ==
        R"({"B":1,"C":true,"D":""})");
}
TEST_CASE("what occurs twice is an array and what occurs once is not") {
  CHECK(shown("<A><B>1</B><C>x</C><B>2</B><B>3</B></A>") == R"({"B":[1,2,3],"C":"x"})");
}
TEST_CASE("versions stay text and numbers become numbers") {
  CHECK(shown("<A><V>16.1.25</V><V>16392</V><V>-3</V><V>1.5</V></A>") ==
        R"({"V":["16.1.25",16392,-3,1.5]})");
}
TEST_CASE("booleans are booleans in any case") {
  CHECK(shown("<A><V>False</V><V>TRUE</V><V>Falsely</V></A>") == R"({"V":[false,true,"Falsely"]})");
}
TEST_CASE("names with a leading zero stay text") {
  CHECK(shown("<A><ElementName>0815</ElementName><InstanceID>01</InstanceID></A>") ==
        R"({"ElementName":"0815","InstanceID":"01"})");
  CHECK(shown("<A><X>0815</X></A>") == R"({"X":815})");
}
TEST_CASE("nested elements are objects") {
  CHECK(shown("<A><T><Datetime>2020-08-10T00:00:00Z</Datetime></T></A>") ==
        R"({"T":{"Datetime":"2020-08-10T00:00:00Z"}})");
}

TEST_CASE("an endpoint reference is told to its selectors and absurd nesting is not") {
  CHECK(shown("<A><R><P><S><X N=\"a\">1</X><X>2</X></S></P></R></A>") ==
        R"({"R":{"P":{"S":{"X":[1,2]}}}})");
  std::string deep = "<A>";
  for (int i = 0; i < 40; ++i)
    deep += "<B>";
  for (int i = 0; i < 40; ++i)
    deep += "</B>";
  CHECK(json::parse(shown((deep + "</A>").c_str())).ok());
}

} // namespace
} // namespace outband::amt
