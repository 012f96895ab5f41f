#include "tools/common/https_client.hpp"

#include <doctest/doctest.h>

using namespace outband;

TEST_CASE("a server's name has one spelling") {
  const std::pair<const char*, const char*> names[] = {
      {"https://a.example:8443", "https://a.example:8443"},
      {"https://a.example:8443/", "https://a.example:8443"},
      {"a.example", "https://a.example"},
      {"https://[::1]:8443", "https://[::1]:8443"},
      {"http://localhost:8080", "http://localhost:8080"}};
  for (const auto& [text, url] : names) {
    CAPTURE(text);
    auto got = https::parse_server(text);
    REQUIRE(got.ok());
    CHECK(got->url == url);
  }
  auto six = *https::parse_server("[2001:db8::1]:444");
  CHECK(six.host == "2001:db8::1");
  CHECK(six.port == 444);
  CHECK_FALSE(six.loopback);
  CHECK(https::parse_server("a.example")->port == 443);
  CHECK(https::parse_server("http://127.0.0.1")->loopback);
}

TEST_CASE("what could send a password elsewhere is no server's name") {
  for (const char* text :
       {"", "https://", "http://a.example", "ftp://a.example", "https://a.example/path",
        "https://user:secret@a.example", "https://a.example?x", "https://a.example:0",
        "https://a.example:65536", "https://a.example:", "https://a.example:84x", "::1",
        "https://[::1", "a b", "a\r\nHost: b", "http://localhost.evil.example"}) {
    CAPTURE(text);
    auto got = https::parse_server(text);
    REQUIRE_FALSE(got.ok());
    CHECK(got.error().what == problem::malformed);
  }
}

TEST_CASE("a path segment keeps only unreserved characters") {
  CHECK(https::encoded("a-b_c.d~9") == "a-b_c.d~9");
  CHECK(https::encoded("a/b c%") == "a%2Fb%20c%25");
}

TEST_CASE("nobody listening is a failure to connect") {
  // Port 1 of loopback: reserved and never used.
  auto t = https::make_transport({"https://127.0.0.1:1", "", false});
  REQUIRE(t.ok());
  auto got = (*t)->exchange({});
  REQUIRE_FALSE(got.ok());
  CHECK(got.error().field == "https.connect");
}

TEST_CASE("a header with a line break is not sent") {
  auto t = https::make_transport({"https://127.0.0.1:1", "", false});
  REQUIRE(t.ok());
  https::request q;
  q.headers.emplace_back("Authorization", "Bearer a\r\nX-Evil: 1");
  auto got = (*t)->exchange(q);
  REQUIRE_FALSE(got.ok());
  CHECK(got.error().what == problem::malformed);
}
