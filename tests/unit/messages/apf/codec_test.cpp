#include "messages/apf/decoder.hpp"
#include "messages/apf/encoder.hpp"
#include "tests/unit/messages/apf/vectors.hpp"

#include <doctest/doctest.h>

#include <memory>

namespace outband::apf::test {
namespace {

decoder make(side reader, const vector& v) {
  decoder d{reader};
  if (v.before == asked::forward)
    REQUIRE(d.asked_forward());
  if (v.before == asked::cancel)
    REQUIRE(d.asked_cancel());
  return d;
}

/// The one message that `d` must yield now, written again.
std::string again(decoder& d) {
  auto got = d.next();
  REQUIRE(std::holds_alternative<message>(got));
  return hex(encode(std::get<message>(got)));
}

void must_starve(decoder& d) {
  REQUIRE(std::holds_alternative<starved>(d.next()));
}

defect must_fail(decoder d, std::string_view octets) {
  d.feed(octets);
  auto got = d.next();
  while (std::holds_alternative<message>(got))
    got = d.next();
  REQUIRE(std::holds_alternative<defect>(got));
  d.feed(unhex("d0000000ff"));
  CHECK(std::holds_alternative<defect>(d.next()));
  CHECK(d.memory() == 0);
  return std::get<defect>(got);
}

template <class F> void each_vector(F f) {
  for (const auto& v : from_device) {
    CAPTURE(v.name);
    f(side::server, v);
  }
  for (const auto& v : from_server) {
    CAPTURE(v.name);
    f(side::device, v);
  }
}

std::string big_endian(std::uint32_t v) {
  return {static_cast<char>(v >> 24), static_cast<char>(v >> 16), static_cast<char>(v >> 8),
          static_cast<char>(v)};
}

} // namespace

TEST_CASE("every vector is decoded and written again unchanged") {
  each_vector([](side reader, const vector& v) {
    auto d = make(reader, v);
    d.feed(unhex(v.hex));
    auto got = d.next();
    REQUIRE(std::holds_alternative<message>(got));
    CHECK(type_of(std::get<message>(got)) == v.first);
    CHECK(hex(encode(std::get<message>(got))) == v.hex);
    must_starve(d);
    CHECK(d.memory() == 0);
  });
}

TEST_CASE("every cut of every vector gives the same message") {
  each_vector([](side reader, const vector& v) {
    const auto wire = unhex(v.hex);
    for (std::size_t cut = 1; cut < wire.size(); ++cut) {
      CAPTURE(cut);
      auto d = make(reader, v);
      d.feed(wire.substr(0, cut));
      must_starve(d);
      CHECK(d.pending() == cut);
      d.feed(wire.substr(cut));
      CHECK(again(d) == v.hex);
      must_starve(d);
      CHECK(d.memory() == 0);
    }
  });
}

TEST_CASE("every vector may come octet by octet") {
  each_vector([](side reader, const vector& v) {
    const auto wire = unhex(v.hex);
    auto d = make(reader, v);
    for (std::size_t i = 0; i + 1 < wire.size(); ++i) {
      d.feed(wire.substr(i, 1));
      must_starve(d);
    }
    d.feed(wire.substr(wire.size() - 1));
    CHECK(again(d) == v.hex);
  });
}

TEST_CASE("octets after a message stay for the next one") {
  each_vector([](side reader, const vector& v) {
    const std::string tail = "d00000002a";
    auto d = make(reader, v);
    d.feed(unhex(v.hex) + unhex(tail) + unhex(tail).substr(0, 3));
    CHECK(again(d) == v.hex);
    CHECK(again(d) == tail);
    must_starve(d);
    CHECK(d.pending() == 3);
    d.feed(unhex(tail).substr(3));
    CHECK(again(d) == tail);
  });
}

TEST_CASE("all vectors in one stream survive every chunk size") {
  std::string wire;
  for (const auto& v : from_device)
    wire += unhex(v.hex);
  for (std::size_t chunk = 1; chunk <= wire.size(); ++chunk) {
    CAPTURE(chunk);
    decoder d{side::server};
    std::string back;
    for (std::size_t at = 0; at < wire.size(); at += chunk) {
      auto octets = std::string_view{wire}.substr(at, chunk);
      for (auto got = d.next(octets); !std::holds_alternative<starved>(got); got = d.next(octets)) {
        REQUIRE(std::holds_alternative<message>(got));
        encode(std::get<message>(got), back);
      }
      CHECK(octets.empty());
    }
    CHECK(back == wire);
    CHECK(d.memory() == 0);
  }
}

TEST_CASE("fields arrive where they belong") {
  const auto get = [](side reader, std::string_view hex_text) {
    decoder d{reader};
    d.asked_forward();
    d.feed(unhex(hex_text));
    auto got = d.next();
    REQUIRE(std::holds_alternative<message>(got));
    return std::get<message>(got);
  };
  const auto version = std::get<protocol_version>(get(side::server, from_device[0].hex));
  CHECK(version.major == 1);
  CHECK(version.minor == 0);
  CHECK(version.why == trigger::periodic);
  CHECK(to_string(to_uuid(version.guid)) == "12345678-9abc-def0-1234-56789abcdef0");
  CHECK(to_wire(to_uuid(version.guid)) == version.guid);

  const auto login = std::get<userauth_request>(get(side::server, from_device[2].hex));
  CHECK(login.user == "admin");
  CHECK(login.service == "pfwd@amt.intel.com");
  CHECK(login.method == "password");
  CHECK(login.password == "P@ssw0rd");

  const auto udp = std::get<udp_send_to>(get(side::server, from_device[10].hex));
  CHECK(udp.address == "192.168.1.9");
  CHECK(udp.port == 16992);
  CHECK(udp.originator == "10.0.0.2");
  CHECK(udp.originator_port == 623);
  CHECK(udp.data == "\x01\x02\x03");

  const auto open = std::get<channel_open>(get(side::device, from_server[12].hex));
  CHECK(open.channel_type == "forwarded-tcpip");
  CHECK(open.sender == 5);
  CHECK(open.window == 32768);
  CHECK(open.connected_address == "::1");
  CHECK(open.connected_port == 16994);
  CHECK(open.originator_address == "1.2.3.4");
  CHECK(open.originator_port == 1025);

  const auto adjust = std::get<channel_window_adjust>(get(side::device, from_server[16].hex));
  CHECK(adjust.recipient == 1);
  CHECK(adjust.add == 40961);
  CHECK(std::get<request_success>(get(side::device, "5100004260")).port == 16992U);
  CHECK(std::get<disconnect>(get(side::server, "010000000b0000")).reason ==
        disconnect_reason::by_application);
}

TEST_CASE("the login failure of MPS may be one octet longer") {
  const auto wire = unhex(mps_userauth_failure) + unhex("d000000001");
  for (std::size_t cut = 0; cut <= wire.size(); ++cut) {
    CAPTURE(cut);
    decoder d{side::device};
    std::string back;
    for (const auto& part : {wire.substr(0, cut), wire.substr(cut)}) {
      d.feed(part);
      for (auto got = d.next(); !std::holds_alternative<starved>(got); got = d.next()) {
        REQUIRE(std::holds_alternative<message>(got));
        encode(std::get<message>(got), back);
      }
    }
    CHECK(hex(back) == "330000000870617373776f726400d000000001");
  }
}

TEST_CASE("answers are matched with requests in order") {
  decoder d{side::device};
  d.asked_forward();
  d.asked_cancel();
  d.asked_forward();
  d.asked_forward();
  d.feed(unhex("5100004260"
               "51"
               "52"
               "510000170c"));
  CHECK(again(d) == "5100004260");
  CHECK(again(d) == "51");
  CHECK(again(d) == "52");
  CHECK(again(d) == "510000170c");
  d.feed(unhex("51"));
  auto got = d.next();
  REQUIRE(std::holds_alternative<defect>(got));
  CHECK(to_string(std::get<defect>(got)) ==
        "REQUEST_SUCCESS (81) type 81: answers no request of ours");
}

TEST_CASE("a device may not have more than 64 requests unanswered") {
  decoder d{side::device};
  for (int i = 0; i < 64; ++i)
    CHECK(d.asked_cancel());
  CHECK_FALSE(d.asked_cancel());
}

TEST_CASE("data that arrived whole is not copied") {
  const auto wire = unhex("5e0000000400000008485454502f312e31");
  decoder d{side::server};
  std::string_view octets = wire;
  auto got = d.next(octets);
  REQUIRE(std::holds_alternative<message>(got));
  CHECK(std::get<channel_data>(std::get<message>(got)).data.data() == wire.data() + 9);
  CHECK(d.memory() == 0);
}

TEST_CASE("an announced length above the limit is refused before anything is stored") {
  const std::string data_head{"\x5E\x00\x00\x00\x04", 5};
  const auto d = must_fail(decoder{side::server}, data_head + big_endian(81921));
  CHECK(to_string(d) == "CHANNEL_DATA (94) length 81921: longer than the limit");
  CHECK(must_fail(decoder{side::server}, data_head + big_endian(0xFFFFFFFF)).field == "length");

  decoder edge{side::server};
  edge.feed(data_head + big_endian(81920) + std::string(81919, 'x'));
  must_starve(edge);
  edge.feed("y");
  auto whole = edge.next();
  REQUIRE(std::holds_alternative<message>(whole));
  CHECK(std::get<channel_data>(std::get<message>(whole)).data == std::string(81919, 'x') + "y");

  CHECK(must_fail(decoder{side::server}, "\x05" + big_endian(2049)).field == "service");
  const auto login = "\x32" + big_endian(5) + "admin" + big_endian(2049);
  CHECK(must_fail(decoder{side::server}, login).field == "service");
  CHECK(must_fail(decoder{side::server}, "\x50" + big_endian(2049)).field == "request name");
}

TEST_CASE("before authentication there is no room for data and little for anything") {
  auto limits = decoder_limits::before_authentication();
  CHECK(must_fail(decoder{side::server, limits}, unhex("5e0000000400000001aa")).field == "length");

  limits = decoder_limits::after_authentication(4096);
  decoder d{side::server, decoder_limits::before_authentication()};
  d.set_limits(limits);
  d.feed(unhex("5e0000000400000001aa"));
  CHECK(again(d) == "5e0000000400000001aa");

  limits.max_message = 40;
  CHECK(must_fail(decoder{side::server, limits}, unhex(from_device[0].hex)).field == "message");
}

TEST_CASE("a limit holds the same whether a message arrives whole or in parts") {
  decoder_limits limits;
  limits.max_message = 92; // PROTOCOLVERSION has 93
  const auto wire = unhex(from_device[0].hex);
  for (const std::size_t cut : {std::size_t{1}, std::size_t{50}, std::size_t{92}, wire.size()}) {
    CAPTURE(cut);
    decoder d{side::server, limits};
    bool failed = false;
    for (const auto& part : {wire.substr(0, cut), wire.substr(cut)}) {
      d.feed(part);
      failed = failed || std::holds_alternative<defect>(d.next());
    }
    CHECK(failed);
  }
}

TEST_CASE("a type that the other side may not send is a defect") {
  for (const auto* octets : {"06", "33", "34", "51", "52", "d2"}) {
    CAPTURE(octets);
    CHECK(must_fail(decoder{side::server}, unhex(octets)).what == "this side may not send it");
  }
  for (const auto* octets : {"05", "32", "50", "d3"}) {
    CAPTURE(octets);
    CHECK(must_fail(decoder{side::device}, unhex(octets)).what == "this side may not send it");
  }
}

TEST_CASE("every other first octet is a defect on both sides") {
  int known = 0;
  for (int octet = 0; octet < 256; ++octet) {
    const std::string wire(1, static_cast<char>(octet));
    if (to_string(static_cast<type>(octet)) != "unknown type") {
      ++known;
      continue;
    }
    CAPTURE(octet);
    CHECK(must_fail(decoder{side::server}, wire).what == "no such message");
    CHECK(must_fail(decoder{side::device}, wire).what == "no such message");
  }
  CHECK(known == 20);
}

TEST_CASE("a login whose length cannot be known is a defect") {
  const std::string head = "320000000561646d696e000000127066776440616d742e696e74656c2e636f6d";
  CHECK(must_fail(decoder{side::server}, unhex(head + "000000036b6579")).field == "method length");
  CHECK(must_fail(decoder{side::server}, unhex(head + "0000000870617373776f726401")).field ==
        "password change");
}

TEST_CASE("of an unknown request only name and flag are taken") {
  decoder d{side::server};
  d.feed(unhex("5000000003666f6f01"
               "d000000001"));
  CHECK(again(d) == "5000000003666f6f01");
  CHECK(again(d) == "d000000001");
}

TEST_CASE("ten thousand idle decoders hold no heap") {
  std::vector<decoder> many(10000, decoder{side::server});
  const auto keepalive = unhex("d0000000ff");
  for (auto& d : many) {
    d.feed(keepalive.substr(0, 2));
    must_starve(d);
    d.feed(keepalive.substr(2));
    CHECK(again(d) == "d0000000ff");
    must_starve(d);
    CHECK(d.memory() == 0);
  }
}

TEST_CASE("the hot path writes what the message would") {
  std::string out;
  encode_data(1, "\xAB", out);
  CHECK(hex(out) == "5e0000000100000001ab");
  out.clear();
  encode_data_header(1, 1, out);
  CHECK(out.size() == data_header_size);
  CHECK(hex(out) == "5e0000000100000001");
  out.clear();
  encode_adjust(1, 40961, out);
  CHECK(hex(out) == "5d000000010000a001");
  out.clear();
  encode_close(1, out);
  CHECK(hex(out) == "6100000001");
}

TEST_CASE("codes have words and unknown ones are kept") {
  CHECK(to_string(open_failure_reason::resource_shortage) == "resource shortage");
  CHECK(to_string(static_cast<open_failure_reason>(77)) == "unknown reason");
  for (std::uint32_t code = 1; code <= 18; ++code)
    CHECK(to_string(static_cast<disconnect_reason>(code)) != "unknown reason");
  CHECK(to_string(static_cast<disconnect_reason>(19)) == "unknown reason");
  decoder d{side::server};
  d.feed(unhex("5c00000004000000630000000000000000"));
  auto got = d.next();
  REQUIRE(std::holds_alternative<message>(got));
  CHECK(static_cast<std::uint32_t>(std::get<channel_open_failure>(std::get<message>(got)).reason) ==
        99);
}

} // namespace outband::apf::test
