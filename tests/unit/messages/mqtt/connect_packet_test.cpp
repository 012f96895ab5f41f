#include "messages/mqtt/connect_packet.hpp"

#include <doctest/doctest.h>

using namespace outband;

namespace {

std::string field(std::string_view s) {
  std::string out;
  out += static_cast<char>(s.size() >> 8);
  out += static_cast<char>(s.size() & 0xFF);
  out += s;
  return out;
}

std::string packet(const std::string& rest) {
  std::string out = "\x10";
  auto n = rest.size();
  do {
    auto b = static_cast<unsigned char>(n & 0x7F);
    n >>= 7;
    out += static_cast<char>(n ? b | 0x80 : b);
  } while (n);
  return out + rest;
}

/// MQTT 5 with a will, properties of both, user name and password.
std::string full() {
  return packet(field("MQTT") + "\x05" + "\xCE" + std::string("\x00\x3C", 2) +
                std::string("\x05\x11\x00\x00\x00\x0A", 6) + field("op-alice-1") +
                std::string("\x05\x02\x00\x00\x00\x1E", 6) + field("a/b") + field("gone") +
                field("acme/op/alice") + field("the.ticket"));
}

} // namespace

TEST_CASE("CONNECT of MQTT 5 tells who connects, however the octets are split") {
  const auto wire = full();
  for (std::size_t cut = 0; cut <= wire.size(); ++cut) {
    CAPTURE(cut);
    auto got = mqtt::parse_connect(wire.substr(0, cut));
    REQUIRE(got.ok());
    CHECK(got->has_value() == (cut == wire.size()));
  }
  auto got = mqtt::parse_connect(wire + "more");
  REQUIRE(got.ok());
  REQUIRE(got->has_value());
  const auto& c = **got;
  CHECK(c.version == 5);
  CHECK(c.client_id == "op-alice-1");
  CHECK(c.username == "acme/op/alice");
  CHECK(c.password == "the.ticket");
  CHECK(c.clean);
  CHECK(c.keep_alive_s == 60);
  CHECK(c.size == wire.size());
}

TEST_CASE("CONNECT of MQTT 3.1.1 without a user name is understood") {
  auto got = mqtt::parse_connect(
      packet(field("MQTT") + "\x04" + std::string("\x02\x00\x00", 3) + field("x")));
  REQUIRE(got.ok());
  REQUIRE(got->has_value());
  CHECK((*got)->version == 4);
  CHECK((*got)->username.empty());
}

TEST_CASE("what is no CONNECT is refused at its first octet") {
  CHECK_FALSE(mqtt::parse_connect("\x30").ok());
  CHECK_FALSE(mqtt::parse_connect("GET / HTTP/1.1\r\n").ok());
}

TEST_CASE("broken CONNECT packets are refused") {
  const std::string head = field("MQTT") + "\x05";
  const std::string bad[] = {
      packet(field("MQIsdp") + "\x03" + std::string("\x02\x00\x00", 3) + field("x")),
      packet(field("MQTT") + "\x06" + std::string("\x02\x00\x00\x00", 4) + field("x")),
      packet(head + std::string("\x03\x00\x00\x00", 4) + field("x")),       // reserved flag
      packet(head + std::string("\x12\x00\x00\x00", 4) + field("x")),       // will QoS, no will
      packet(head + std::string("\x82\x00\x00\x00", 4) + field("x")),       // user name missing
      packet(head + std::string("\x02\x00\x00\x7F", 4) + field("x")),       // properties too long
      packet(head + std::string("\x02\x00\x00\x00", 4) + field("x") + "!"), // something follows
      packet(head + std::string("\x02\x00\x00\x00\xFF\xFF", 6)),            // client id too long
      std::string("\x10\xFF\xFF\xFF\xFF\x01", 6),                           // five length octets
  };
  for (const auto& b : bad)
    CHECK_FALSE(mqtt::parse_connect(b).ok());
}

TEST_CASE("a CONNECT larger than the limit is refused before it has arrived") {
  auto got = mqtt::parse_connect(std::string("\x10\xFF\xFF\x7F", 4));
  REQUIRE_FALSE(got.ok());
  CHECK(got.error().what == problem::too_large);
}

TEST_CASE("the refusal is a CONNACK in the client's own version") {
  CHECK(mqtt::refused_connack(5) == std::string("\x20\x03\x00\x87\x00", 5));
  CHECK(mqtt::refused_connack(4) == std::string("\x20\x02\x00\x05", 4));
}
