#include "messages/rps/client_frame.hpp"

#include "tests/unit/messages/rps/frames.hpp"

#include <doctest/doctest.h>

using namespace outband;
using namespace outband::rps;
using test::claim_text;
using test::frame_with;
using test::with;

namespace {

failure refused(const std::string& text) {
  const auto f = parse_client_frame(text);
  REQUIRE_FALSE(f.ok());
  return f.error();
}

} // namespace

TEST_CASE("the first message is a wish about a machine") {
  const auto f = parse_client_frame(
      with(frame_with("activate --profile p1", claim_text), "tenantId", R"("acme")"));
  REQUIRE(f.ok());
  const auto* wish = std::get_if<provisioning_wish>(&*f);
  REQUIRE(wish);
  CHECK(wish->act == provisioning_act::activate);
  CHECK(wish->profile == "p1");
  CHECK(wish->tenant == "acme");
  CHECK(wish->machine.hostname == "edge-01");
  CHECK(wish->machine.password.reveal() == "lsa pw");
}

TEST_CASE("the password of a deactivation is the command's") {
  const auto f = parse_client_frame(frame_with("deactivate --password P@ssw0rd -f", claim_text));
  REQUIRE(f.ok());
  const auto& wish = std::get<provisioning_wish>(*f);
  CHECK(wish.machine.password.reveal() == "P@ssw0rd");
}

TEST_CASE("an activation without a password is refused in RPS's words") {
  const auto why =
      refused(frame_with("activate --profile p", with(claim_text, "password", R"("")")));
  CHECK(why.detail ==
        "Device 4c4c4544-004d-4d10-8050-b2c04f325133 activation failed. Missing password.");
  CHECK(why.field == "payload.password");
}

TEST_CASE("later messages carry octets or nothing") {
  const std::string octets("HTTP/1.1 200 OK\r\n\r\n\0\xff", 21);
  auto f = parse_client_frame(frame_with("response", octets));
  REQUIRE(f.ok());
  CHECK(std::get<firmware_response>(*f).octets == octets);
  f = parse_client_frame(frame_with("tls_data", octets));
  REQUIRE(f.ok());
  CHECK(std::get<tls_octets>(*f).octets == octets);
  f = parse_client_frame(frame_with("connection_reset", "lms_error"));
  REQUIRE(f.ok());
  CHECK(std::holds_alternative<connection_reset>(*f));
  f = parse_client_frame(frame_with("port_switch_ack", "ok"));
  REQUIRE(f.ok());
  CHECK(std::holds_alternative<port_switched>(*f));
  f = parse_client_frame(R"({"method":"heartbeat_response","payload":""})");
  REQUIRE(f.ok());
  CHECK(std::holds_alternative<heartbeat>(*f));
  f = parse_client_frame(R"({"method":"response","payload":null})");
  REQUIRE(f.ok());
  CHECK(std::get<firmware_response>(*f).octets.empty());
}

TEST_CASE("the protocol's version may be absent or ours but not newer") {
  const auto frame = frame_with("response", "x");
  CHECK(parse_client_frame(with(frame, "protocolVersion", "")).ok());
  CHECK(parse_client_frame(with(frame, "protocolVersion", R"("")")).ok());
  for (const char* v : {"4.0.1", "4.1.0", "3.0.0", "5.0.0"}) {
    CAPTURE(v);
    const auto why = refused(with(frame, "protocolVersion", '"' + std::string(v) + '"'));
    CHECK(why.detail == "protocol version NOT supported: " + std::string(v));
    CHECK(why.field == "protocolVersion");
  }
  CHECK(refused(with(frame, "protocolVersion", R"("four")")).what == problem::unsupported);
  CHECK(refused(with(frame, "protocolVersion", R"("4.0.0.0")")).what == problem::unsupported);
  CHECK(refused(with(frame, "protocolVersion", "4")).field == "protocolVersion");
}

TEST_CASE("what is no message is refused with the member's name") {
  CHECK(refused("").what == problem::malformed);
  CHECK(refused("[]").what == problem::malformed);
  CHECK(refused("{}").field == "method");
  CHECK(refused(R"({"method":7})").field == "method");
  CHECK(refused(R"({"method":"hello"})").detail ==
        "Not a supported method received from AMT device.");
  CHECK(refused(R"({"method":"response","payload":"%%"})").field == "payload");
  CHECK(refused(R"({"method":"activate","payload":"%%"})").field == "payload");
  CHECK(refused(R"({"method":"response","payload":{}})").field == "payload");
  CHECK(refused(
            with(frame_with("activate", claim_text), "tenantId", '"' + std::string(65, 't') + '"'))
            .field == "tenantId");
}

TEST_CASE("a message of more than 102400 octets is refused before it is read") {
  const auto why = refused(std::string(max_message + 1, ' '));
  CHECK(why.what == problem::too_large);
  CHECK(why.detail.find("102400") != std::string::npos);
  const auto head = std::string(R"({"method":"response","payload":")");
  const auto full = head + std::string((max_message - head.size() - 2) / 4 * 4, 'A') + "\"}";
  REQUIRE(full.size() <= max_message);
  CHECK(parse_client_frame(full).ok());
}

TEST_CASE("a refusal never repeats the method") {
  const auto why = refused(R"({"method":"upgrade --password s3cret","payload":""})");
  CHECK(to_string(why).find("s3cret") == std::string::npos);
}
