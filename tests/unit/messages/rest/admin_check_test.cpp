// RPS's patterns: what must fit and what must not.
#include "messages/rest/admin_body.hpp"
#include "messages/rest/admin_check.hpp"

#include <doctest/doctest.h>

using namespace outband;
using namespace outband::rest;

namespace {
void all(bool (*fits)(std::string_view), bool expected, std::initializer_list<const char*> texts) {
  for (const char* t : texts) {
    CAPTURE(t);
    CHECK(fits(t) == expected);
  }
}
} // namespace

TEST_CASE("names and addresses of provisioning are taken exactly where RPS takes them") {
  all(profile_name_like, true, {"p", "Profile-1", "a/b", "a~b!#$%&'()*+,-./:;<=>?@[\\]^_"});
  all(profile_name_like, false, {"", "a b", "a\"b", "a`b", "a{b", "\xC3\xA4", "a\tb"});
  all(amt_password_like, true, {"P@ssw0rd", "Aa1!Aa1!", "Aa1!Aa1!Aa1!Aa1!Aa1!Aa1!Aa1!Aa1!"});
  all(amt_password_like, false,
      {"", "P@ssw0r", "password", "P@SSW0RD", "p@ssw0rd", "P@ssword", "Passw0rd", "P@ssw0rd ",
       "Aa1!Aa1!Aa1!Aa1!Aa1!Aa1!Aa1!Aa1!x"});
  all(ipv4_like, true, {"0.0.0.0", "192.0.2.1", "255.255.255.255", "010.1.1.1"});
  all(ipv4_like, false, {"", "1.2.3", "1.2.3.4.5", "256.1.1.1", "1.2.3.x", "1.2.3.", "1.2.3.1000"});
  all(ipv6_like, true,
      {"::1", "2001:db8::7", "fe80::1", "1:2:3:4:5:6:7:8",
       "::", "1::", "1:2:3:4:5:6:7::", "::ffff:192.0.2.1", "1:2:3:4:5:6:1.2.3.4"});
  all(ipv6_like, false,
      {"", "1", "1:2:3", "2001:db8::7::1", "g::1", "192.0.2.1", ":", ":::", "1:", ":1",
       "1:2:3:4:5:6:7:8:9", "1::2:3:4:5:6:7:8", "12345::", "1.2.3.4::1", "::1%eth0"});
  all(server_name_like, true, {"a.example.com", "xn--bcher-kva.example", "a-b.c-d.org"});
  all(server_name_like, false,
      {"", "localhost", "A.example.com", "a..com", ".a.com", "a.com.", "-a.com", "a-.com", "a.c",
       "a.c0m", "a--b.com", "a_b.com"});
  all(proxy_name_like, true, {"web.example.com", "Pro_xy.Example.COM", "ab.com"});
  all(proxy_name_like, false, {"", "a.com", "proxy", "proxy.example.c", "pro xy.com", "a..bc.com"});
  all(network_name_like, true, {"example.com", "a.b-c.org"});
  all(network_name_like, false, {"", "example", "a_b.com", "-a.com", "a.c", "a.1234"});
}

TEST_CASE("a version is a number in a body or a header and anything else matches nothing") {
  for (const char* text : {"17", "\"17\"", "W/\"17\""})
    CHECK(version_of(std::string_view(text)) == 17);
  for (const char* text : {"", "*", "x", "17x", "-1", "99999999999999999999", "\"\"", "\""})
    CHECK(version_of(std::string_view(text)) == 0);
  const json::value number(17), text("17"), other(true), negative(-3);
  CHECK(version_of(&number) == 17);
  CHECK(version_of(&text) == 17);
  CHECK(version_of(&other) == 0);
  CHECK(version_of(&negative) == 0);
  CHECK(version_of(static_cast<const json::value*>(nullptr)) == 0);
}

TEST_CASE("no error about a body of provisioning repeats what may be a secret") {
  const json::value body(json::object{{"profileName", "p"},
                                      {"activation", "acmactivate"},
                                      {"amtPassword", "not-strong-enough"},
                                      {"mebxPassword", json::array{"mebx-in-a-list"}},
                                      {"dhcpEnabled", true}});
  const auto errors = admin_body<profile>::check(body, {});
  REQUIRE(errors.size() == 2);
  CHECK(errors_body(errors).find("strong-enough") == std::string::npos);
  CHECK(errors_body(errors).find("mebx-in-a-list") == std::string::npos);
}
