#include "messages/amt/argument.hpp"

#include <doctest/doctest.h>

namespace outband::amt {
namespace {

TEST_CASE("booleans and numbers may come as text") {
  CHECK(as_boolean("true") == true);
  CHECK(as_boolean("0") == false);
  CHECK(as_boolean(1) == true);
  CHECK_FALSE(as_boolean("yes").has_value());
  CHECK_FALSE(as_boolean(2).has_value());
  CHECK_FALSE(as_boolean(nullptr).has_value());
  CHECK(as_integer("105") == 105);
  CHECK(as_integer(-3) == -3);
  for (const auto* bad : {"", "1.0", " 1", "1 ", "0x1", "9999999999999999", "one"})
    CHECK_FALSE_MESSAGE(as_integer(bad).has_value(), std::string(bad));
  CHECK_FALSE(as_integer(1.0).has_value());
}

TEST_CASE("a number is what validator.js takes for one") {
  for (const auto* good : {"0", "-1", "+1", "1.5", ".5"})
    CHECK_MESSAGE(is_numeric(good), std::string(good));
  for (const auto* bad : {"", "-", "1.", "1e3", "1,5", "a", "."})
    CHECK_FALSE_MESSAGE(is_numeric(bad), std::string(bad));
  CHECK(is_numeric(1.5));
  CHECK_FALSE(is_numeric(true));
}

TEST_CASE("URLs are what validator.js takes for one") {
  for (const auto* good :
       {"https://a.example/x", "a.example", "http://1.2.3.4", "https://u:p@a.example:1/?q#f"})
    CHECK_MESSAGE(is_url(good), std::string(good));
  for (const auto* bad : {"", "x", "https://", "https://a", "https://a..example",
                          "mailto:a@b.example", "https://-a.example", "https://a.e", "https://a.1x",
                          "https://[::1", "https://1.2.3.256", "https://a.example:x"})
    CHECK_FALSE_MESSAGE(is_url(bad), std::string(bad));
}

TEST_CASE("a path leads into objects and nowhere else") {
  auto v = json::parse(R"({"a":{"b":"text","n":"7"},"c":[1]})");
  REQUIRE(v.ok());
  CHECK(text_at(*v, "a.b") == "text");
  CHECK(integer_at(*v, "a.n") == 7);
  CHECK(text_at(*v, "a.n.x").empty());
  CHECK(at_path(*v, "c.b") == nullptr);
  CHECK(at_path(*v, "d") == nullptr);
  CHECK_FALSE(boolean_at(*v, "a.b").has_value());
}

TEST_CASE("every mistake is reported at once and secrets are not repeated") {
  auto v = json::parse(R"({"a":"\u0001","s":"123","n":"x"})");
  REQUIRE(v.ok());
  argument_reader r(*v);
  r.text("a", 10);
  r.text("s", 2, false);
  r.text("missing", 1);
  r.boolean("missing", argument_reader::must::may_miss);
  r.number_of("n", {1, 2});
  const auto errors = std::move(r).errors();
  REQUIRE(errors.size() == 4);
  CHECK(errors[0].path == "a");
  CHECK(errors[0].value.has_value());
  CHECK(errors[1].path == "s");
  CHECK_FALSE(errors[1].value.has_value());
  CHECK(errors[2].why == "must be one of 1, 2");
  CHECK(errors[3].why == "must be a number");
}

} // namespace
} // namespace outband::amt
