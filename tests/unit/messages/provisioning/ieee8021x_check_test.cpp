#include "messages/provisioning/ieee8021x_check.hpp"

#include <doctest/doctest.h>

namespace outband::provisioning {
namespace {

ieee8021x_config peap() {
  ieee8021x_config c;
  c.name = "corp";
  c.protocol = 2;
  c.username = "edge";
  return c;
}

TEST_CASE("PEAP with user name and password needs nobody's help") {
  CHECK(check_ieee8021x(peap(), true).ok());
}

TEST_CASE("a protocol that needs an Enterprise Assistant is refused and named") {
  for (int protocol : {0, 1, 3, 5, 10, -1}) {
    CAPTURE(protocol);
    auto c = peap();
    c.protocol = protocol;
    const auto told = check_ieee8021x(c, true);
    REQUIRE_FALSE(told.ok());
    CHECK(told.error().what == problem::unsupported);
    CHECK(told.error().field == "authenticationProtocol");
    CHECK(told.error().detail.find("'corp': authenticationProtocol " + std::to_string(protocol)) !=
          std::string::npos);
  }
}

TEST_CASE("PEAP without user name or password is refused and the field is named") {
  auto c = peap();
  const auto no_password = check_ieee8021x(c, false);
  REQUIRE_FALSE(no_password.ok());
  CHECK(no_password.error().what == problem::malformed);
  CHECK(no_password.error().field == "password");
  c.username.clear();
  const auto nobody = check_ieee8021x(c, true);
  REQUIRE_FALSE(nobody.ok());
  CHECK(nobody.error().field == "username");
  CHECK(nobody.error().detail.find("'corp': username is missing") != std::string::npos);
}

} // namespace
} // namespace outband::provisioning
