// A TLS session whose octets travel in frames, against OpenSSL as the firmware.
#include "gateway/activation/tls_session.hpp"
#include "gateway/activation/trust.hpp"
#include "messages/provisioning/certificate.hpp"
#include "tests/unit/gateway/activation/firmware.hpp"

#include <doctest/doctest.h>

#include <openssl/ssl.h>

using namespace outband;
using namespace outband::testing;
using activation::tls_session;

namespace {

const test::certificate_authority& site() {
  static const test::certificate_authority ca("this site");
  return ca;
}
const test::key_and_certificate& own() {
  static const auto c = site().issue_server();
  return c;
}
std::shared_ptr<ssl_ctx_st> context(bool legacy = true) {
  auto c = tls_session::context(legacy);
  REQUIRE(c.ok());
  return *c;
}
status anything(const std::vector<std::string>&) {
  return success();
}

/// Both ends until neither has more to say; the client's last turn.
tls_session::outcome converse(tls_session& client, tls_firmware& firmware,
                              tls_session::outcome turn, std::size_t split = 0) {
  tls_session::outcome all;
  for (;;) {
    all.plain += turn.plain;
    all.established = all.established || turn.established;
    all.closed = turn.closed;
    all.failed = turn.failed;
    if (turn.established && !turn.failed)
      turn.to_firmware += client.flush().to_firmware;
    if (turn.to_firmware.empty() || turn.failed)
      return all;
    const auto back = firmware.feed(turn.to_firmware);
    turn = {};
    for (std::size_t at = 0; at < back.size();) {
      const auto n = split == 0 ? back.size() : std::min(split, back.size() - at);
      auto o = client.feed(std::string_view(back).substr(at, n));
      at += n;
      turn.to_firmware += o.to_firmware;
      turn.plain += o.plain;
      turn.established = turn.established || o.established;
      turn.closed = o.closed;
      turn.failed = o.failed;
    }
  }
}

} // namespace

TEST_CASE("a session is established and carries both directions in any split") {
  for (const int newest : {TLS1_2_VERSION, TLS1_3_VERSION})
    for (const std::size_t split : {std::size_t{0}, std::size_t{1}, std::size_t{7}}) {
      CAPTURE(newest);
      CAPTURE(split);
      tls_firmware firmware(own(), {newest, false});
      const auto ctx = context();
      std::size_t shown = 0;
      tls_session client(ctx, [&](const std::vector<std::string>& chain) {
        shown = chain.size();
        return success();
      });
      auto done = converse(client, firmware, client.begin(), split);
      CHECK(done.established);
      CHECK(client.established());
      CHECK(firmware.ready());
      CHECK(shown == 1);
      const std::string request(40000, 'q');
      converse(client, firmware, client.write(request), split);
      CHECK(firmware.heard() == request);
      const auto octets = firmware.write(std::string(30000, 'a'));
      std::string plain;
      for (std::size_t at = 0; at < octets.size(); at += 1000)
        plain += client.feed(std::string_view(octets).substr(at, 1000)).plain;
      CHECK(plain == std::string(30000, 'a'));
      CHECK(client.feed(firmware.close()).closed);
      CHECK_FALSE(client.established());
      CHECK(client.write("x").failed.has_value());
    }
}

TEST_CASE("the last word of a handshake goes with the first request") {
  tls_firmware firmware(own(), {TLS1_3_VERSION, false});
  const auto ctx = context();
  tls_session client(ctx, anything);
  const auto done = client.feed(firmware.feed(client.begin().to_firmware));
  CHECK(done.established);
  CHECK(done.to_firmware.empty());
  firmware.feed(client.write("a request").to_firmware);
  CHECK(firmware.ready());
  CHECK(firmware.heard() == "a request");
  CHECK(client.flush().to_firmware.empty());
}

TEST_CASE("old firmware is spoken to only if the site allows it") {
  for (const bool legacy : {true, false}) {
    CAPTURE(legacy);
    tls_firmware firmware(site().issue({"old", {}, {"127.0.0.1"}, true, false, 2048}),
                          {TLS1_1_VERSION, true});
    const auto ctx = context(legacy);
    tls_session client(ctx, anything);
    const auto done = converse(client, firmware, client.begin());
    CHECK(done.established == legacy);
    CHECK(done.failed.has_value() == !legacy);
    if (legacy)
      CHECK(firmware.version() == "TLSv1.1");
  }
}

TEST_CASE("a certificate that is refused ends the handshake with the reason") {
  for (const int newest : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    tls_firmware firmware(own(), {newest, false});
    const auto ctx = context();
    tls_session client(ctx, [](const std::vector<std::string>&) {
      return status{fail(problem::unauthenticated, "a stranger")};
    });
    const auto done = converse(client, firmware, client.begin());
    CHECK_FALSE(done.established);
    REQUIRE(done.failed);
    CHECK(done.failed->what == problem::unauthenticated);
    CHECK(done.failed->detail == "the firmware's certificate was refused: a stranger");
    CHECK_FALSE(firmware.ready());
  }
}

TEST_CASE("records of an earlier session are dropped before the first of this one") {
  const auto ctx = context();
  const std::string stray = std::string("\x17\x03\x03\x00\x20", 5) + std::string(32, 'x');
  const std::string stray_alert = std::string("\x15\x03\x03\x00\x1a", 5) + std::string(26, 'y');
  for (const std::size_t split : {std::size_t{1}, std::size_t{4}, std::size_t{200}}) {
    CAPTURE(split);
    tls_firmware fresh(own());
    tls_session client(ctx, anything);
    const auto hello = client.begin().to_firmware;
    const auto octets = stray + stray_alert + stray + fresh.feed(hello);
    tls_session::outcome turn;
    for (std::size_t at = 0; at < octets.size(); at += split) {
      auto o = client.feed(std::string_view(octets).substr(at, split));
      REQUIRE_FALSE(o.failed);
      turn.to_firmware += o.to_firmware;
      turn.established = turn.established || o.established;
    }
    CHECK(converse(client, fresh, std::move(turn)).established);
  }
}

TEST_CASE("a refusal in clear is not dropped") {
  const auto ctx = context();
  tls_session client(ctx, anything);
  client.begin();
  const auto o = client.feed(std::string("\x15\x03\x03\x00\x02\x02\x28", 7)); // handshake_failure
  REQUIRE(o.failed);
  CHECK(o.failed->what == problem::device_protocol);
}

TEST_CASE("what is no TLS ends the session") {
  const auto ctx = context();
  tls_session client(ctx, anything);
  client.begin();
  const auto o = client.feed("HTTP/1.1 400 Bad Request\r\n\r\n");
  REQUIRE(o.failed);
  CHECK(o.failed->detail.find("TLS handshake") != std::string::npos);
  CHECK(client.feed("more").failed.has_value());
}

TEST_CASE("the site's own certificate is known by its issuer or exactly") {
  const auto leaf = provisioning::read_certificate(own().certificate_pem);
  REQUIRE(leaf.ok());
  const std::vector<std::string> chain{leaf->der};
  const auto now = leaf->not_before + 1000;
  const test::certificate_authority stranger("another site");
  firmware_pin pin;
  pin.how = firmware_trust::pinned;
  pin.ca_pem = site().certificate_pem();
  CHECK(activation::judge(pin, chain, "", now).ok());
  CHECK_FALSE(activation::judge(pin, chain, "", leaf->not_after + 1000).ok());
  CHECK_FALSE(activation::judge(pin, {}, "", now).ok());
  pin.ca_pem = stranger.certificate_pem();
  CHECK_FALSE(activation::judge(pin, chain, "", now).ok());
  pin.leaf_sha256 = leaf->prints.sha256;
  CHECK(activation::judge(pin, chain, "", now).ok());
  pin.ca_pem = site().certificate_pem();
  pin.leaf_sha256 = std::string(64, '0'); // the pin is exact: the issuer does not help
  CHECK_FALSE(activation::judge(pin, chain, "", now).ok());
}

TEST_CASE("only Intel's root or one that the site added makes a chip's certificate good") {
  const auto rcfg = provisioning::read_certificate(
      site().issue({"iAMT CSME IDevID RCFG", {}, {}}).certificate_pem);
  REQUIRE(rcfg.ok());
  const std::vector<std::string> chain{rcfg->der};
  const auto now = rcfg->not_before + 1000;
  const firmware_pin pin;
  CHECK_FALSE(activation::judge(pin, chain, "", now).ok());
  const auto named = provisioning::read_certificate(own().certificate_pem);
  CHECK_FALSE(activation::judge(pin, {named->der}, site().certificate_pem(), now).ok());
  CHECK(activation::judge(pin, chain, site().certificate_pem(), now).ok());
  firmware_pin loose;
  loose.how = firmware_trust::self_made;
  CHECK(activation::judge(loose, chain, "", now).ok());
  CHECK_FALSE(activation::judge(loose, {}, "", now).ok());
}
