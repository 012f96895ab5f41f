#include "messages/wsman/node.hpp"

#include <doctest/doctest.h>

#include <string>

namespace outband::wsman {
namespace {

std::string nested(std::size_t depth) {
  std::string out;
  for (std::size_t i = 0; i < depth; ++i)
    out += "<x>";
  for (std::size_t i = 0; i < depth; ++i)
    out += "</x>";
  return out;
}

TEST_CASE("XML: elements are known by namespace and local name whatever the prefix") {
  auto doc = parse_xml("<p:a xmlns:p='urn:1'><p:b xmlns:p='urn:2' p:k='v'> t </p:b>"
                       "<c xmlns='urn:3'/><p:d/></p:a>");
  REQUIRE(doc.ok());
  CHECK(doc->ns == "urn:1");
  REQUIRE(doc->children.size() == 3);
  CHECK(doc->children[0].ns == "urn:2");
  CHECK(doc->children[0].value() == "t");
  REQUIRE(doc->children[0].attribute_value("k") != nullptr);
  CHECK(*doc->children[0].attribute_value("k") == "v");
  CHECK(doc->children[1].ns == "urn:3");
  CHECK(doc->children[2].ns == "urn:1"); // the inner binding of p is over
  CHECK(doc->find({"b"}) == &doc->children[0]);
  CHECK(doc->find({"b", "none"}) == nullptr);
}

TEST_CASE("XML: text is unescaped and CDATA joins it") {
  auto doc = parse_xml("\r\n<a>1 &lt; 2 &amp; <![CDATA[<3>]]>&#x41;</a>");
  REQUIRE(doc.ok());
  CHECK(doc->text == "1 < 2 & <3>A");
}

TEST_CASE("XML: what is written escaped is read back") {
  const std::string nasty = "a&b<c>\"d'\r\n\te \xC3\xBC";
  auto doc = parse_xml("<a k=\"" + escaped(nasty) + "\">" + escaped(nasty) + "</a>");
  REQUIRE(doc.ok());
  CHECK(doc->text == nasty);
  CHECK(escaped(std::string("a\0\x01z", 4)) == "az");
}

TEST_CASE("XML: hostile documents are refused with a reason") {
  struct row {
    std::string xml;
    problem what;
    std::string says;
  };
  const row rows[] = {
      {"", problem::malformed, "empty"},
      {"<a>", problem::malformed, "octet"},
      {"<a/><b/>", problem::malformed, "more than one"},
      {"<!-- nothing -->", problem::malformed, "ocument element"},
      {"<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>", problem::malformed, "document type"},
      {"<p:a/>", problem::malformed, "'p' is not declared"},
      {std::string("<a>\0</a>", 8), problem::malformed, "zero octet"},
      {"<a>\xFF</a>", problem::malformed, "UTF-8"},
      {"<a>\xC0\xAF</a>", problem::malformed, "UTF-8"},
      {"<a>\xED\xA0\x80</a>", problem::malformed, "UTF-8"},
      {"<a>\xC3", problem::malformed, "UTF-8"},
      {nested(65), problem::too_large, "64 levels"},
      {"<a>" + std::string(max_document, ' ') + "</a>", problem::too_large, "1 MiB"},
      {"<a xmlns='" + std::string(257, 'x') + "'/>", problem::too_large, "namespace name"},
  };
  for (const auto& r : rows) {
    CAPTURE(r.xml.substr(0, 60));
    auto doc = parse_xml(r.xml);
    REQUIRE_FALSE(doc.ok());
    CHECK(doc.error().what == r.what);
    CHECK(doc.error().detail.find(r.says) != std::string::npos);
  }
  CHECK(parse_xml(nested(64)).ok());
}

TEST_CASE("XML: the number of elements and of bindings in scope is bounded") {
  std::string many = "<a>";
  for (std::size_t i = 0; i < max_elements; ++i)
    many += "<b/>";
  CHECK_FALSE(parse_xml(many + "</a>").ok());
  std::string bound = "<a";
  for (int i = 0; i < 300; ++i)
    bound += " xmlns:n" + std::to_string(i) + "='u'";
  CHECK_FALSE(parse_xml(bound + "/>").ok());
}

TEST_CASE("XML: numbers and booleans are taken whole or not at all") {
  CHECK(to_number(" 4294967295\n") == 4294967295U);
  CHECK_FALSE(to_number("4294967296"));
  CHECK_FALSE(to_number("-1"));
  CHECK_FALSE(to_number("2x"));
  CHECK_FALSE(to_number(""));
  CHECK(to_bool("true") == true);
  CHECK(to_bool("0") == false);
  CHECK_FALSE(to_bool("TRUE"));
}

} // namespace
} // namespace outband::wsman
