#include "gateway/http/mqtt_proxy.hpp"
#include "tests/integration/http/broker_stand_in.hpp"
#include "tests/integration/http/raw_client.hpp"
#include "tests/integration/http/running.hpp"

#include <atomic>

using namespace outband;
using namespace outband::test;

namespace {

std::string field(std::string_view s) {
  return std::string{static_cast<char>(s.size() >> 8), static_cast<char>(s.size() & 0xFF)} +
         std::string(s);
}

/// CONNECT of MQTT 5.
std::string connect(const std::string& user, const std::string& password) {
  auto rest = field("MQTT") + "\x05" + "\xC2" + std::string("\x00\x3C\x00", 3) + field("op-a-1") +
              field(user) + field(password);
  return std::string{'\x10', static_cast<char>(rest.size())} + rest;
}

const std::string mqtt = "Sec-WebSocket-Protocol: mqtt\r\n";

struct proxied : running {
  explicit proxied(broker_stand_in::manner m = broker_stand_in::manner::echo, bool trusted = true)
      : own(authority().issue_server()), stranger("somebody else"),
        foreign(stranger.issue_server()),
        broker(m, trusted ? own.certificate_pem : foreign.certificate_pem,
               trusted ? own.key_pem : foreign.key_pem) {
    proxy.port = broker.port();
    proxy.ca_pem = authority().certificate_pem();
    proxy.verify = [this](std::string_view t) -> result<web::mqtt_proxy_options::pass> {
      if (t != "good")
        return fail(problem::unauthenticated);
      return web::mqtt_proxy_options::pass{"acme/op/alice", expires_s};
    };
    proxy.now = [this] {
      return now.load();
    };
  }
  void begin() {
    auto route = web::mqtt_route(proxy);
    REQUIRE(route.ok());
    upgrades = {*route};
    start();
  }
  /// What the WebSocket is closed with; 0: without a close frame.
  static int close_code(raw_client& c) {
    while (auto f = c.receive_frame())
      if (f->opcode == 8)
        return f->close_code();
    return 0;
  }
  int refused(const std::string& first) {
    raw_client c(port());
    REQUIRE(c.upgrade("/mqtt", mqtt).find(" 101 ") != std::string::npos);
    c.send_frame(2, first);
    return close_code(c);
  }

  std::atomic<time_ms> now{1'800'000'000'000};
  std::atomic<std::int64_t> expires_s{1'800'000'900};
  key_and_certificate own;
  certificate_authority stranger;
  key_and_certificate foreign;
  broker_stand_in broker;
  web::mqtt_proxy_options proxy;
};

} // namespace

TEST_CASE("octets travel between the browser and the broker unchanged in both directions") {
  proxied s;
  s.begin();
  raw_client c(s.port());
  auto head = c.upgrade("/mqtt", mqtt + "Origin: https://localhost\r\n");
  CHECK(head.find(" 101 ") != std::string::npos);
  CHECK(head.find("Sec-WebSocket-Protocol: mqtt\r\n") != std::string::npos);
  auto first = connect("acme/op/alice", "good");
  c.send_frame(2, first.substr(0, 5)); // a packet may span frames
  c.send_frame(2, first.substr(5) + "and what follows");
  std::string back;
  while (back.size() < first.size() + 16) {
    auto f = c.receive_frame();
    REQUIRE(f.has_value());
    CHECK(f->opcode == 2);
    back += f->payload;
  }
  CHECK(back == first + "and what follows");
  std::string large(300'000, 'z');
  c.send_frame(2, large);
  back.clear();
  while (back.size() < large.size()) {
    auto f = c.receive_frame();
    REQUIRE(f.has_value());
    back += f->payload;
  }
  CHECK(back == large);
  CHECK(s.broker.accepted() == 1);
}

TEST_CASE("a wrong ticket is answered with CONNACK and never reaches the broker") {
  proxied s;
  s.begin();
  for (const auto& first :
       {connect("acme/op/alice", "bad"), connect("acme/op/root", "good"), connect("", "good")}) {
    raw_client c(s.port());
    c.upgrade("/mqtt", mqtt);
    c.send_frame(2, first);
    auto f = c.receive_frame();
    REQUIRE(f.has_value());
    CHECK(f->payload == std::string("\x20\x03\x00\x87\x00", 5));
    CHECK(proxied::close_code(c) == 1008);
  }
  CHECK(s.broker.accepted() == 0);
}

TEST_CASE("the connection ends with its ticket") {
  proxied s;
  s.expires_s = s.now / 1000 + 1;
  s.begin();
  raw_client c(s.port());
  c.upgrade("/mqtt", mqtt);
  c.send_frame(2, connect("acme/op/alice", "good"));
  REQUIRE(c.receive_frame().has_value());
  s.now += 2000;
  CHECK(proxied::close_code(c) == 4401);
}

TEST_CASE("what is no MQTT is closed with a reason") {
  proxied s;
  s.begin();
  CHECK(s.refused("GET / HTTP/1.1") == 1002);
  CHECK(s.refused(std::string("\x10\xFF\xFF\x7F", 4)) == 1002);
  CHECK(s.refused(connect("acme/op/alice", "good") + std::string(2u << 20, 'x')) == 1009);
  raw_client c(s.port());
  c.upgrade("/mqtt", mqtt);
  c.send_frame(1, "text");
  CHECK(proxied::close_code(c) == 1003);
  CHECK(s.broker.accepted() == 0);
}

TEST_CASE("pages of a foreign origin may not open the bus") {
  proxied s;
  s.proxy.allowed_origins = {"https://ui.example"};
  s.begin();
  auto status = [&](const std::string& headers) {
    raw_client c(s.port());
    auto head = c.upgrade("/mqtt", headers);
    return head.substr(9, 3);
  };
  CHECK(status(mqtt) == "101"); // no browser
  CHECK(status(mqtt + "Origin: https://localhost\r\n") == "101");
  CHECK(status(mqtt + "Origin: https://ui.example\r\n") == "101");
  CHECK(status(mqtt + "Origin: https://evil.example\r\n") == "403");
  CHECK(status(mqtt + "Origin: http://localhost\r\n") == "403");
  CHECK(status(mqtt + "Origin: null\r\n") == "403");
  CHECK(status("") == "400");
  CHECK(status("Sec-WebSocket-Protocol: other, mqttish\r\n") == "400");
  CHECK(status("Sec-WebSocket-Protocol: other, mqtt\r\n") == "101");
  CHECK(s.client()->get("/mqtt").status == 426);
  CHECK(s.client()->get("/MQTT/").status == 426);
}

TEST_CASE("one user has a bounded number of connections and gets them back") {
  proxied s;
  s.proxy.per_user = 2;
  s.begin();
  auto open = [&] {
    auto c = std::make_unique<raw_client>(s.port());
    c->upgrade("/mqtt", mqtt);
    c->send_frame(2, connect("acme/op/alice", "good"));
    return c;
  };
  auto a = open(), b = open();
  REQUIRE(a->receive_frame().has_value());
  REQUIRE(b->receive_frame().has_value());
  auto third = open();
  CHECK(proxied::close_code(*third) == 4429);
  third.reset();
  a.reset();
  while (s.server->count().websockets > 1)
    std::this_thread::yield();
  auto again = open();
  auto f = again->receive_frame();
  REQUIRE(f.has_value());
  CHECK(f->opcode == 2);
}

TEST_CASE("a broker that is away or not ours is told as such") {
  {
    proxied s(broker_stand_in::manner::echo, false);
    s.begin();
    CHECK(s.refused(connect("acme/op/alice", "good")) == 4503);
    CHECK(s.broker.accepted() == 0);
  }
  {
    proxied s;
    s.proxy.server_name = "other.example";
    s.begin();
    CHECK(s.refused(connect("acme/op/alice", "good")) == 4503);
  }
  proxied s;
  s.proxy.port = 1;
  s.begin();
  CHECK(s.refused(connect("acme/op/alice", "good")) == 4503);
}

TEST_CASE("a broker that hangs up ends the WebSocket") {
  proxied s(broker_stand_in::manner::hang_up);
  s.begin();
  CHECK(s.refused(connect("acme/op/alice", "good")) == 1001);
}

TEST_CASE("when the broker does not read the browser is not read either") {
  proxied s(broker_stand_in::manner::never_read);
  s.begin();
  raw_client c(s.port());
  c.upgrade("/mqtt", mqtt);
  c.send_frame(2, connect("acme/op/alice", "good"));
  const auto frame = raw_client::frame_octets(2, std::string(64 << 10, 'x'));
  constexpr std::size_t plenty = 256u << 20;
  CHECK(c.send_until_full(frame, plenty) < plenty);
  // Somebody else is served all the while.
  CHECK(s.client()->get("/a").status == 200);
}

TEST_CASE("broken frames end their own connection only") {
  proxied s;
  s.begin();
  const std::string bad[] = {
      std::string("\x82\x05hello", 7),                    // not masked
      std::string("\xF2\x80\x00\x00\x00\x00", 6),         // reserved bits
      std::string("\x8F\x80\x00\x00\x00\x00", 6),         // unknown opcode
      std::string("\x89\xFE\x01\x00\x00\x00\x00\x00", 8), // a ping of 256 octets
      std::string("\x82\xFF\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x00\x00\x00\x00", 14),
  };
  for (const auto& b : bad) {
    raw_client c(s.port());
    c.upgrade("/mqtt", mqtt);
    c.send(b);
    auto code = proxied::close_code(c);
    CHECK((code == 1002 || code == 1009));
  }
  CHECK(s.client()->get("/a").status == 200);
}

TEST_CASE("stopping the server ends open WebSockets") {
  proxied s;
  s.begin();
  raw_client c(s.port());
  c.upgrade("/mqtt", mqtt);
  c.send_frame(2, connect("acme/op/alice", "good"));
  REQUIRE(c.receive_frame().has_value());
  s.server->stop();
  while (c.receive_frame().has_value()) {
  }
  s.server.reset();
  CHECK(true); // reached: nothing hangs
}

TEST_CASE("a CA that is no PEM stops the start") {
  web::mqtt_proxy_options o;
  o.ca_pem = "nonsense";
  auto r = web::mqtt_route(o);
  REQUIRE_FALSE(r.ok());
  CHECK(r.error().field == "broker.ca_file");
}
