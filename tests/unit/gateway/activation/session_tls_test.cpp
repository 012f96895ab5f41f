// Calls inside a TLS session with the firmware, which travels in tls_data.
#include "tests/unit/gateway/activation/firmware.hpp"
#include "tests/unit/gateway/activation/stage.hpp"
#include "tests/unit/messages/rps/frames.hpp"

#include <doctest/doctest.h>

using namespace outband;
using namespace outband::testing;
using namespace std::chrono_literals;
using test::frame_with;

namespace {

const test::certificate_authority& site() {
  static const test::certificate_authority ca("this site");
  return ca;
}
firmware_pin pinned() {
  firmware_pin pin;
  pin.how = firmware_trust::pinned;
  pin.ca_pem = site().certificate_pem();
  return pin;
}

/// The client as rpc: a ClientHello begins a new connection to the firmware, all else goes to it.
struct tunnel : activation_stage {
  explicit tunnel(std::chrono::milliseconds reuse = 1h, std::chrono::milliseconds withhold = 1h)
      : own(site().issue_server()) {
    opts.tls_reuse = reuse;
    opts.tls_withhold = withhold;
    begin();
  }

  /// Everything that we sent goes to the firmware and its answers back.
  void carry() {
    for (poll(); !ws->sent.empty(); poll()) {
      const auto octets = next_payload("tls_data");
      ++frames;
      if (octets.size() > 5 && octets[0] == 0x16 && octets[5] == 1) {
        firmware = std::make_unique<tls_firmware>(own);
        ++sessions;
      }
      REQUIRE(firmware);
      tell(firmware->feed(octets));
    }
  }
  void tell(const std::string& octets) {
    if (!octets.empty())
      REQUIRE(ws->say(frame_with("tls_data", octets)));
    poll();
  }
  /// The firmware answers the request that it has heard.
  std::string answer(const std::string& response) {
    auto request = firmware->heard();
    tell(firmware->write(response));
    carry();
    return request;
  }
  answer_box<nothing> use(firmware_pin pin = pinned()) {
    answer_box<nothing> box;
    who->wire->use_tls(std::move(pin), box.cb());
    return box;
  }
  /// A finished reading, so that there is a nonce.
  void warm() {
    use();
    carry();
    auto got = post(reading);
    carry();
    answer(kept_challenge());
    answer(kept("<ok/>"));
    REQUIRE(got.ok());
  }
  static std::string kept(const std::string& body) {
    return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }
  static std::string kept_challenge() {
    auto text = challenge;
    text.replace(text.find("Connection: close"), 17, "Connection: keep-alive");
    return text;
  }

  test::key_and_certificate own;
  std::unique_ptr<tls_firmware> firmware;
  int sessions = 0, frames = 0;
};

} // namespace

TEST_CASE("calls go through one TLS session as long as it lasts") {
  tunnel t;
  auto up = t.use();
  t.carry();
  REQUIRE(up.ok());
  auto got = t.post(reading);
  t.carry();
  const auto request = t.firmware->heard();
  CHECK(request.find("Host: 4c4c4544-004d-4d10-8050-b2c04f325133:16993\r\n") != std::string::npos);
  CHECK(request.find("Connection: close") == std::string::npos);
  t.tell(t.firmware->write(tunnel::kept_challenge()));
  t.carry();
  CHECK(t.answer(tunnel::kept("<ok/>")).find("Authorization: Digest") != std::string::npos);
  REQUIRE(got.ok());
  CHECK(got.value().body == "<ok/>");
  auto change = t.post(changing);
  t.carry();
  t.answer(tunnel::kept("<done/>"));
  REQUIRE(change.ok());
  CHECK(t.sessions == 1);
  CHECK(t.counts.tls_sessions == 1);
}

TEST_CASE("a handshake takes one message and its last word comes with the first call") {
  tunnel t;
  auto up = t.use();
  t.carry();
  REQUIRE(up.ok());
  CHECK(t.frames == 1);
  CHECK_FALSE(t.firmware->ready());
  auto got = t.post(reading);
  t.carry();
  CHECK(t.frames == 2);
  CHECK(t.firmware->ready());
  CHECK(t.answer(tunnel::kept_challenge()).find("POST /wsman") == 0);
}

TEST_CASE("the last word of a handshake goes alone if no call comes") {
  tunnel t(1h, 0ms);
  auto up = t.use();
  t.carry();
  REQUIRE(up.ok());
  t.until([&] {
    t.carry();
    return t.firmware->ready();
  });
  CHECK(t.frames == 2);
}

TEST_CASE("a large request is one message") {
  tunnel t;
  t.warm();
  t.frames = 0;
  t.post(changing + std::string(60000, ' '));
  t.carry();
  CHECK(t.frames == 1);
  CHECK(t.firmware->heard().size() > 60000);
}

TEST_CASE("a firmware that closes with its answer is given a new session for the next call") {
  tunnel t;
  auto up = t.use();
  t.carry();
  auto got = t.post(reading);
  t.carry();
  t.answer(challenge); // Connection: close
  CHECK(t.sessions == 2);
  t.answer(answer_of("<ok/>"));
  t.tell(t.firmware->close());
  REQUIRE(got.ok());
  auto more = t.post(reading);
  t.carry();
  t.answer(tunnel::kept("<more/>"));
  REQUIRE(more.ok());
  CHECK(t.sessions >= 3);
}

TEST_CASE("a change goes to a fresh session if the last one was quiet for long") {
  tunnel t(0ms);
  t.warm();
  auto read = t.post(reading);
  t.carry();
  CHECK(t.sessions == 1);
  t.answer(tunnel::kept("<ok/>"));
  REQUIRE(read.ok());
  auto change = t.post(changing);
  t.carry();
  CHECK(t.sessions == 2);
  CHECK(t.answer(tunnel::kept("<done/>")).find("Authorization") != std::string::npos);
  CHECK(change.ok());
}

TEST_CASE("a certificate that is not the expected one ends use_tls with the reason") {
  tunnel t;
  const test::certificate_authority stranger("somebody else");
  t.own = stranger.issue_server();
  auto up = t.use();
  t.carry();
  CHECK(up.why() == problem::unauthenticated);
  CHECK(up.text().find("not issued by this site") != std::string::npos);
  CHECK(t.counts.tls_failures == 1);
  firmware_pin on_die;
  auto chip = t.use(on_die);
  t.carry();
  CHECK(chip.why() == problem::unauthenticated);
  firmware_pin any;
  any.how = firmware_trust::self_made;
  auto loose = t.use(any);
  t.carry();
  CHECK(loose.ok());
}

TEST_CASE("a reset during the handshake fails it and the next attempt begins anew") {
  tunnel t;
  auto up = t.use();
  t.next_payload("tls_data");
  REQUIRE(t.ws->say(frame_with("connection_reset", "connection_closed")));
  CHECK(up.why() == problem::device_timeout);
  auto again = t.use();
  t.carry();
  CHECK(again.ok());
}

TEST_CASE("a reset during a call leaves a change unknown and a reading failed") {
  tunnel t;
  t.warm();
  auto change = t.post(changing);
  t.carry();
  REQUIRE(t.ws->say(frame_with("connection_reset", "lms_error")));
  t.poll();
  CHECK(change.why() == problem::outcome_unknown);
  auto read = t.post(reading); // with a session of its own, not a repeated one
  t.carry();
  CHECK(t.sessions == 2);
  REQUIRE(t.ws->say(frame_with("connection_reset", "lms_error")));
  t.poll();
  CHECK(read.why() == problem::device_timeout);
}

TEST_CASE("a reading on a session that the firmware had left is repeated on a new one") {
  tunnel t;
  t.warm();
  auto read = t.post(reading);
  t.carry();
  t.firmware->heard();
  t.tell(t.firmware->close()); // without an answer
  t.carry();
  CHECK(t.sessions == 2);
  t.answer(tunnel::kept("<ok/>"));
  CHECK(read.ok());
}

TEST_CASE("a change on a session that breaks without an answer is unknown") {
  tunnel t;
  t.warm();
  auto change = t.post(changing);
  t.carry();
  t.tell(std::string("\x17\x03\x03\x00\x20", 5) + std::string(32, 'x'));
  CHECK(change.why() == problem::outcome_unknown);
}

TEST_CASE("a handshake that does not go on is given up") {
  activation_stage s;
  s.opts.tls_handshake = 1ms;
  s.begin();
  answer_box<nothing> up;
  s.who->wire->use_tls(pinned(), up.cb());
  s.until([&] { return up.has(); });
  CHECK(up.why() == problem::device_timeout);
  CHECK(s.counts.tls_failures == 1);
}

TEST_CASE("a call that is given up takes its session along") {
  tunnel t;
  t.warm();
  auto late = t.post(reading, 1ms);
  t.carry();
  t.until([&] { return late.has(); });
  CHECK(late.why() == problem::device_timeout);
  // What the firmware still says belongs to nothing.
  t.tell(t.firmware->write(tunnel::kept("<late/>")));
  CHECK(t.counts.stray == 1);
  auto next = t.post(reading);
  t.carry();
  CHECK(t.sessions == 2);
  t.answer(tunnel::kept("<ok/>"));
  REQUIRE(next.ok());
  CHECK(next.value().body == "<ok/>");
}

TEST_CASE("an end of the connection ends what waits for TLS") {
  tunnel t;
  auto up = t.use();
  t.next_payload("tls_data");
  CHECK(t.post(reading).why() == problem::busy);
  t.ws->hang_up();
  t.poll();
  CHECK(up.why() == problem::link_down);
  CHECK(up.times() == 1);
  CHECK(t.ended.size() == 1);
}

TEST_CASE("octets of TLS in plain mode belong to nothing") {
  activation_stage s;
  s.begin();
  REQUIRE(s.ws->say(frame_with("tls_data", "\x17\x03\x03")));
  CHECK(s.counts.stray == 1);
}
