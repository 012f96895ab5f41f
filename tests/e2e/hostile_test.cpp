// What a hostile or broken peer sends to the open ports; afterwards everything still works.
#include "tests/e2e/site.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <openssl/ssl.h>

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace outband;
using namespace outband::e2e;

namespace {

/// Speaks TLS without checking anything, sends octets, and reads until the server closes.
std::string tls_talk(std::uint16_t port, const std::string& octets) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  timeval limit{45, 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
  std::string got;
  if (connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0) {
    SSL_CTX* ctx = SSL_CTX_new(TLS_client_method());
    SSL* ssl = SSL_new(ctx);
    SSL_set_fd(ssl, fd);
    if (SSL_connect(ssl) == 1) {
      SSL_write(ssl, octets.data(), static_cast<int>(octets.size()));
      char buffer[4096];
      int n = 0;
      while ((n = SSL_read(ssl, buffer, sizeof buffer)) > 0)
        got.append(buffer, static_cast<std::size_t>(n));
    }
    SSL_free(ssl);
    SSL_CTX_free(ctx);
  }
  close(fd);
  return got;
}

std::string hello(const std::string& tail) {
  // PROTOCOLVERSION of an unknown GUID.
  std::string m("\xC0\0\0\0\1\0\0\0\0\0\0\0\4", 13);
  m.append(16, '\x5A').append(64, '\0');
  return m + tail;
}

} // namespace

TEST_CASE("garbage on the port for machines is refused and machines go on") {
  auto& s = site::get();
  const std::string auth("\x05\0\0\0\x12"
                         "auth@amt.intel.com",
                         23);
  const std::string login(
      "\x32\0\0\0\5admin\0\0\0\x12pfwd@amt.intel.com\0\0\0\x08password\0\0\0\0\x08P@ssw0rd", 57);
  const std::string cases[] = {
      std::string("\xFF\xFF\xFF\xFF", 4),                   // no such type
      std::string("\x5E\0\0\0\1\xFF\xFF\xFF\xFF", 9),       // data before anything
      hello(std::string("\x05\xFF\xFF\xFF\xFF", 5)),        // absurd length
      hello(auth + std::string("\x32\x7F\xFF\xFF\xFF", 5)), // absurd user name
      hello(auth + login),                                  // unknown machine
      std::string(70000, '\xC0'),                           // nothing but versions
  };
  for (const auto& c : cases) {
    CAPTURE(c.size());
    auto got = tls_talk(s.cira_port(), c);
    CHECK(got.find('\x34') == std::string::npos); // never USERAUTH_SUCCESS
  }
  const auto m = s.fresh();
  CHECK(s.call(&s.admin(), "GET", "/api/v1/amt/power/state/" + m.guid).status == 200);
}

TEST_CASE("malformed REST input gets an answer that names what was wrong") {
  auto& s = site::get();
  const auto& who = s.admin();
  auto post = [&](const std::string& path, const std::string& body) {
    return s.call(&who, "POST", path, body);
  };
  CHECK(post("/api/v1/devices", "{").status == 400);
  CHECK(post("/api/v1/devices", R"({"guid":"not-a-guid"})").body.find("guid") != std::string::npos);
  CHECK(post("/api/v1/devices", R"({"guid":7})").status == 400);
  const auto deep = post("/api/v1/devices", std::string(5000, '['));
  CHECK((deep.status == 400 || deep.status == 413));
  CHECK(post("/api/v1/authorize", R"({"username":"admin"})").status == 400);
  CHECK(post("/api/v1/authorize", R"({"username":"admin","password":"wrong-one"})").status == 401);
  CHECK(s.call(&who, "GET", "/api/v1/devices?$top=-1").status == 400);
  CHECK(s.call(&who, "GET", "/api/v1/devices?$top=99999999999999999999").status == 400);
  CHECK(s.call(&who, "GET", "/api/v1/nothing-here").status == 404);
  CHECK(
      s.call(&who, "GET", "/api/v1/amt/power/state/00000000-0000-0000-0000-000000000001").status ==
      404);
  const auto m = s.machines().front();
  auto unknown = s.call(&who, "PATCH", "/compute/hosts/" + m.guid,
                        R"({"name":"x","desiredPowerStat":"POWER_STATE_OFF"})");
  CHECK(unknown.status == 400);
  CHECK(unknown.body.find("desiredPowerStat") != std::string::npos);
  auto value = s.call(&who, "PATCH", "/compute/hosts/" + m.guid,
                      R"({"desiredPowerState":"POWER_STATE_SIDEWAYS"})");
  CHECK(value.status == 400);
  CHECK(value.body.find("desiredPowerState") != std::string::npos);
  person forged = who;
  forged.token[forged.token.size() - 6] ^= 1;
  CHECK(s.call(&forged, "GET", "/api/v1/devices").status == 401);
  CHECK(s.call(nullptr, "GET", "/healthz").status == 200);
}
