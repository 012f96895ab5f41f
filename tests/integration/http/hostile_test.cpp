#include "tests/integration/http/raw_client.hpp"
#include "tests/integration/http/running.hpp"

#include <random>

using namespace outband;
using namespace outband::test;

namespace {
std::string first_line(const std::string& text) {
  return text.substr(0, text.find("\r\n"));
}
std::string ask(std::uint16_t port, const std::string& octets) {
  raw_client c(port);
  c.send(octets);
  return first_line(c.receive_all());
}
} // namespace

TEST_CASE("a header that trickles in is cut off while others are served") {
  running s;
  s.options.header = std::chrono::seconds(1);
  s.start();
  std::vector<std::unique_ptr<raw_client>> slow;
  for (int i = 0; i < 50; ++i) {
    slow.push_back(std::make_unique<raw_client>(s.port()));
    slow.back()->send("GET / HTTP/1.1\r\nHost: h\r\nX-Slow: ");
  }
  CHECK(s.client()->get("/a").status == 200);
  for (auto& c : slow)
    CHECK(first_line(c->receive_all()) == "HTTP/1.1 408 Request Timeout");
  CHECK(s.client()->get("/a").status == 200);
}

TEST_CASE("a body that does not come is cut off") {
  running s;
  s.options.body = std::chrono::seconds(1);
  s.start();
  CHECK(ask(s.port(), "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nabc") ==
        "HTTP/1.1 408 Request Timeout");
}

TEST_CASE("silence after connecting and between requests ends the connection") {
  running s;
  s.options.idle = std::chrono::seconds(1);
  s.options.handshake = std::chrono::seconds(1);
  s.start();
  raw_client mute(s.port(), false); // not even a TLS hello
  CHECK(mute.receive_all().empty());
  raw_client idle(s.port());
  idle.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  CHECK(idle.receive_until("}").find("200 OK") != std::string::npos);
  CHECK(idle.receive_all().empty());
}

TEST_CASE("a reader that stops reading is cut off") {
  running s;
  s.options.write = std::chrono::seconds(1);
  s.start();
  raw_client c(s.port());
  c.small_window();
  c.send("GET /big HTTP/1.1\r\nHost: h\r\n\r\n");
  while (s.server->count().requests == 0)
    std::this_thread::yield();
  while (s.server->count().connections > 0)
    std::this_thread::yield();
  CHECK(c.receive_all().size() < 32u << 20);
}

TEST_CASE("a reader that reads octet by octet is cut off") {
  running s;
  s.options.tls.reset(); // so that an octet read is an octet of room for the server
  s.options.send_buffer = 4096;
  s.options.idle = std::chrono::milliseconds(200);
  s.options.write = std::chrono::milliseconds(700);
  s.start();
  auto c = raw_client::narrow(s.port());
  REQUIRE(c.send("GET /big HTTP/1.1\r\nHost: h\r\n\r\n"));
  // Its pace: 8 KiB for every idle connection that the server gives up, that is, at most 32 KiB for
  // each `write` deadline, and always some.
  constexpr std::size_t sips = 8 << 10, plenty = 1 << 20;
  std::size_t got = 0;
  while (got < plenty) {
    const auto n = c.sip(sips);
    got += n;
    if (n < sips)
      break;
    CHECK(raw_client(s.port(), false).receive_all().empty());
  }
  CHECK(got < plenty);
  while (s.server->count().connections > 0)
    std::this_thread::yield();
}

TEST_CASE("oversized heads and targets are refused with their own codes") {
  running s;
  s.start();
  CHECK(ask(s.port(), "GET / HTTP/1.1\r\nHost: h\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n") ==
        "HTTP/1.1 431 Request Header Fields Too Large");
  std::string many = "GET / HTTP/1.1\r\nHost: h\r\n";
  for (int i = 0; i < 3000; ++i)
    many += "X" + std::to_string(i) + ": y\r\n";
  CHECK(ask(s.port(), many + "\r\n") == "HTTP/1.1 431 Request Header Fields Too Large");
  CHECK(ask(s.port(), "GET /" + std::string(9000, 'a') + " HTTP/1.1\r\nHost: h\r\n\r\n") ==
        "HTTP/1.1 414 URI Too Long");
}

TEST_CASE("requests that two servers could read differently are refused") {
  running s;
  s.start();
  const std::string bad[] = {
      "GET / HTTP/1.1\r\n\r\n",                       // no Host
      "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", // two
      "GET /a b HTTP/1.1\r\nHost: h\r\n\r\n",         // a space in the target
      "GET / HTTP/1.1\r\nHost : h\r\n\r\n",           // a space before the colon
      "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
      "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: "
      "chunked\r\n\r\n0\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
      "GET http://h/ HTTP/1.1\r\nHost: h\r\n\r\n",
      "GET /%zz HTTP/1.1\r\nHost: h\r\n\r\n",
      "GET /a?x=1&x=2 HTTP/1.1\r\nHost: h\r\n\r\n",
      "\x16\x03\x01\x02",
      "hello\r\n\r\n",
  };
  for (const auto& b : bad) {
    CAPTURE(b);
    CHECK(ask(s.port(), b + std::string(64, '\n')) == "HTTP/1.1 400 Bad Request");
  }
  CHECK(s.server->count().connections <= 1);
  CHECK(s.client()->get("/a").status == 200);
}

TEST_CASE("other versions and expectations are refused") {
  running s;
  s.start();
  CHECK(ask(s.port(), "POST / HTTP/1.1\r\nHost: h\r\nExpect: magic\r\nContent-Length: 1\r\n\r\n") ==
        "HTTP/1.1 417 Expectation Failed");
}

TEST_CASE("random octets inside and outside TLS leave the server serving") {
  running s;
  s.start();
  std::mt19937 random(20261121);
  for (int i = 0; i < 60; ++i) {
    std::string noise(random() % 4000 + 1, '\0');
    for (auto& ch : noise)
      ch = static_cast<char>(random());
    raw_client c(s.port(), i % 2 == 0);
    c.send(i % 3 == 0 ? "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" + noise
                      : noise);
  }
  CHECK(s.client()->get("/a").status == 200);
}

TEST_CASE("connections beyond the limit are closed at once") {
  running s;
  s.options.max_connections = 3;
  s.options.idle = std::chrono::seconds(60);
  s.start();
  std::vector<std::unique_ptr<raw_client>> held;
  for (int i = 0; i < 3; ++i) {
    held.push_back(std::make_unique<raw_client>(s.port()));
    held.back()->send("GET /a HTTP/1.1\r\nHost: h\r\n\r\n");
    REQUIRE(held.back()->receive_until("}").find("200 OK") != std::string::npos);
  }
  raw_client fourth(s.port(), false);
  CHECK(fourth.receive_all().empty());
  CHECK(s.server->count().refused == 1);
  held.clear();
  while (s.server->count().connections > 0)
    std::this_thread::yield();
  CHECK(s.client()->get("/a").status == 200);
}
