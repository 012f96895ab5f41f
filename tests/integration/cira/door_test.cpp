// Who stands at the door: TLS versions, plain text, slow and many connections.
#include "raw_device.hpp"
#include "site.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

using namespace outband;
using namespace outband::test;
using namespace std::chrono_literals;

namespace {

device_options tls(int version, std::string ciphers = {}, int level = 2) {
  device_options o;
  o.min_tls = o.max_tls = version;
  o.ciphers = std::move(ciphers);
  o.security_level = level;
  return o;
}

} // namespace

TEST_CASE("TLS 1.2 and 1.3 are served with the leaf and the root") {
  site s;
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    CAPTURE(version);
    auto o = tls(version);
    o.trust_pem = s.root_pem();
    raw_device device{s.port()};
    REQUIRE_MESSAGE(device.start_tls(o), device.tls_error());
    device.log_in(guid_a, "mpsuser", "Secr3t!A");
  }
}

TEST_CASE("the suites of AMT 11 and 12 are served") {
  site s;
  for (const char* suite :
       {"AES128-GCM-SHA256", "AES128-SHA", "AES256-SHA", "DHE-RSA-AES256-GCM-SHA384",
        "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-AES128-GCM-SHA256"}) {
    CAPTURE(suite);
    raw_device device{s.port()};
    REQUIRE_MESSAGE(device.start_tls(tls(TLS1_2_VERSION, suite)), device.tls_error());
    CHECK(device.cipher() == suite);
    device.log_in(guid_a, "mpsuser", "Secr3t!A");
  }
}

TEST_CASE("TLS 1.1 is refused on the modern listener and served on the legacy one") {
  site s{quick_options(), true};
  for (const int version : {TLS1_VERSION, TLS1_1_VERSION}) {
    CAPTURE(version);
    raw_device refused{s.port()};
    CHECK_FALSE(refused.start_tls(tls(version, "ALL:@SECLEVEL=0", 0)));
    raw_device served{s.legacy_port()};
    REQUIRE_MESSAGE(served.start_tls(tls(version, "ALL:@SECLEVEL=0", 0)), served.tls_error());
    served.log_in(guid_a, "mpsuser", "Secr3t!A");
  }
  CHECK(s.log.count({"refused", "TLS handshake failed", "legacy listener"}) == 2);
  CHECK(s.log.count({"refused"}) == 2);
  s.expect_service();
}

TEST_CASE("a machine that does not trust our certificate is named with what to do") {
  auto o = quick_options();
  site s{o};
  auto strict = tls(TLS1_2_VERSION);
  strict.trust_pem = "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"; // nothing usable
  raw_device device{s.port()};
  CHECK_FALSE(device.start_tls(strict));
  device.read_plain_to_end();
  CHECK(s.log.count({"refused", "configure CIRA again"}) == 1);
  CHECK(turned_away(s, cira::turned_away::tls) == 1);
}

TEST_CASE("plain HTTP on the port is told where to go") {
  site s;
  const auto ask = [&](const std::string& text, std::size_t step) {
    raw_device browser{s.port()};
    for (std::size_t at = 0; at < text.size(); at += step)
      browser.send_plain(text.substr(at, step));
    return browser.read_plain_to_end();
  };
  const auto got = ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n", 1000);
  CHECK(got.find("HTTP/1.1 200 OK\r\n") == 0);
  CHECK(got.find("CIRA") != std::string::npos);
  CHECK(ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n", 1) == got);
  const auto head = ask("HEAD / HTTP/1.0\r\n\r\n", 1000);
  CHECK(head.find("HTTP/1.1 200 OK\r\n") == 0);
  CHECK(head.find("<html>") == std::string::npos);
  ask("GET /" + std::string(100'000, 'x'), 10'000); // answered or reset, but not stored
  CHECK(ask("GETTING", 1).empty());
  CHECK(ask("SSH-2.0-x\r\n", 100).empty());
  CHECK(s.log.count({"refused", "neither TLS nor HTTP"}) == 2);
  CHECK(turned_away(s, cira::turned_away::not_tls) == 2);
  s.expect_service();
}

TEST_CASE("a probe that opens and closes is not worth a line") {
  site s;
  for (int i = 0; i < 5; ++i)
    raw_device probe{s.port()};
  s.expect_service();
  CHECK(s.log.count({"cira"}) == 0);
}

TEST_CASE("who is slow in the TLS handshake is cut off at the deadline") {
  auto o = quick_options();
  o.tls_deadline = 200ms;
  site s{o};
  raw_device silent{s.port()};
  raw_device slow{s.port()};
  slow.send_plain(std::string("\x16\x03\x01\x02\x00\x01", 6)); // the beginning of a ClientHello
  raw_device http{s.port()};
  http.send_plain("G");
  CHECK(silent.read_plain_to_end().empty());
  CHECK(slow.read_plain_to_end().empty());
  CHECK(http.read_plain_to_end().empty());
  CHECK(s.log.count({"refused", "it sent nothing"}) == 1);
  CHECK(s.log.count({"refused", "not complete in time"}) == 2);
  s.expect_service();
}

TEST_CASE("who is slow after TLS is cut off at the handshake deadline") {
  auto o = quick_options();
  o.handshake_deadline = 1s;
  site s{o};
  raw_device slow{s.port()};
  REQUIRE(slow.start_tls());
  slow.send(apf::encode(apf::protocol_version{}).substr(0, 40));
  CHECK(slow.expect<apf::disconnect>().reason == apf::disconnect_reason::connection_timed_out);
  slow.expect_end();
  CHECK(s.log.count({"refused", "not ready in time"}) == 1);
}

TEST_CASE("two hundred idle connections of one address do not keep a good machine out") {
  site s;
  std::vector<std::unique_ptr<raw_device>> crowd;
  for (int i = 0; i < 200; ++i)
    crowd.push_back(std::make_unique<raw_device>(s.port()));
  s.expect_service();
  CHECK(s.listener->now().pending >= 200);
  CHECK(s.log.count({"refused"}) == 0);
}

TEST_CASE("failures block an address and a machine that gets in forgives one") {
  auto o = quick_options();
  o.max_failures = 3;
  o.forgiven_per_minute = 0;
  site s{o};
  const auto fail_once = [&] {
    raw_device bad{s.port()};
    bad.send_plain("nonsense");
    return bad.read_plain_to_end();
  };
  fail_once();
  fail_once();
  s.expect_service();
  fail_once();
  s.expect_service();
  fail_once();
  fail_once();
  // Blocked: not even TLS begins.
  raw_device kept_out{s.port()};
  CHECK_FALSE(kept_out.start_tls());
  raw_device again{s.port()};
  CHECK_FALSE(again.start_tls());
  CHECK(s.log.count({"refused", "too many failed attempts"}) == 1);
}

TEST_CASE("an address that is never blocked may fail as often as it likes") {
  auto o = quick_options();
  o.max_failures = 1;
  o.forgiven_per_minute = 0;
  o.never_block = {"127.0.0.1"};
  site s{o};
  for (int i = 0; i < 5; ++i) {
    raw_device bad{s.port()};
    bad.send_plain("nonsense");
    CHECK(bad.read_plain_to_end().empty());
  }
  s.expect_service();
}

TEST_CASE("accepting pauses while too many are not authenticated and goes on when some left") {
  auto o = quick_options();
  o.max_pending = 8;
  site s{o};
  std::vector<std::unique_ptr<raw_device>> crowd;
  for (int i = 0; i < 12; ++i)
    crowd.push_back(std::make_unique<raw_device>(s.port())); // the last four wait in the backlog
  raw_device good{s.port()};
  REQUIRE(eventually([&] { return s.log.count({"accepting pauses"}) == 1; }));
  CHECK(s.listener->now().pending == 8);
  crowd.clear(); // and all of them leave
  REQUIRE(good.start_tls());
  good.log_in(guid_a, "mpsuser", "Secr3t!A");
}

TEST_CASE("more machines than are allowed are closed at once and counted until one leaves") {
  auto o = quick_options();
  o.max_tunnels = 2;
  site s{o};
  const auto first = s.good_device(guid_a);
  auto second = s.good_device(guid_b);
  for (int i = 0; i < 2; ++i) {
    raw_device third{s.port()};
    CHECK(third.read_plain_to_end().empty());
  }
  CHECK(turned_away(s, cira::turned_away::full) == 2);
  CHECK(s.log.count({"cira.max_tunnels"}) == 1);
  second.reset();
  REQUIRE(eventually([&] { return s.listener->now().connections == 1; }));
  CHECK(s.good_device(guid_b));
}

TEST_CASE("without a free descriptor accepting pauses and then goes on") {
  auto o = quick_options();
  o.accept_pause = 100ms;
  site s{o};
  s.expect_service();
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  raw_device waiting{s.port()};
  REQUIRE(waiting.start_tls());
  // Descriptors in use stay usable; only new ones are refused. The client's socket comes first.
  rlimit none{3, before.rlim_max};
  auto late = std::make_unique<raw_device>(s.port());
  REQUIRE(late->start_tls());
  {
    const int spare = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE(spare >= 0);
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(s.port());
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::connect(spare, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0);
    REQUIRE(eventually([&] { return s.log.count({"cannot accept"}) == 1; }));
    // The tunnels that exist are served meanwhile.
    late->log_in(guid_a, "mpsuser", "Secr3t!A");
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
    ::close(spare);
  }
  s.expect_service();
  CHECK(s.log.count({"cannot accept"}) == 1);
}

TEST_CASE("a renewed certificate serves new connections and leaves the old ones alone") {
  site s;
  const auto device = s.good_device();
  auto o = tls(TLS1_2_VERSION);
  o.trust_pem = s.renew();
  raw_device again{s.port()};
  REQUIRE_MESSAGE(again.start_tls(o), again.tls_error());
  again.log_in(guid_b, "mpsuser", "Secr3t!B");
  device->send(apf::keepalive_request{1});
  CHECK(device->expect<apf::keepalive_reply>().cookie == 1);
}

TEST_CASE("an address that cannot be bound is named") {
  site s;
  auto o = quick_options();
  o.listen = {{"127.0.0.1", s.port(), false}};
  // Built like the first, but on the port that is in use.
  o.never_block = {"not an address"};
  cira::listener second{s.pool, s.terminator, o, s.context()};
  CHECK(second.start().error().field == "cira.never_block");
  o.never_block.clear();
  cira::listener third{s.pool, s.terminator, o, s.context()};
  const auto why = third.start();
  REQUIRE_FALSE(why.ok());
  CHECK(why.error().detail.find(std::to_string(s.port())) != std::string::npos);
  o.listen = {{"localhost", 0, false}};
  cira::listener fourth{s.pool, s.terminator, o, s.context()};
  CHECK_FALSE(fourth.start().ok());
  o.listen = {{"127.0.0.1", 0, true}};
  cira::listener fifth{s.pool, s.terminator, o, s.context()};
  CHECK_FALSE(fifth.start().ok());
}
