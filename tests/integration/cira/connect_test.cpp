// How a machine gets in, and how it is kept out.
#include "raw_device.hpp"
#include "site.hpp"

#include <doctest/doctest.h>

using namespace outband;
using namespace outband::test;
using namespace std::chrono_literals;

namespace {

std::string login_octets(const char* guid, const char* user, const char* password) {
  apf::protocol_version v;
  v.guid = wire_guid_of(guid);
  apf::userauth_request a;
  a.user = user;
  a.password = password;
  return apf::encode(v) + apf::encode(apf::service_request{std::string{apf::auth_service_name}}) +
         apf::encode(a);
}

std::string ready_octets() {
  std::string out = apf::encode(apf::service_request{std::string{apf::pfwd_service_name}});
  for (const std::uint32_t port : {16993U, 16992U, 664U, 623U, 16995U, 16994U, 5900U})
    out += apf::encode(apf::tcpip_forward{true, "machine", port});
  return out;
}

const device_ref ref_a{"acme", *parse_uuid(guid_a)};

} // namespace

TEST_CASE("a machine gets in and is announced once with its epoch and its address") {
  site s;
  const auto device = s.good_device();
  REQUIRE(s.terminator.wait([](auto& t) { return t.ups.size() == 1; }));
  const auto& up = s.terminator.ups[0];
  CHECK(up.ref == ref_a);
  CHECK(up.epoch == 1);
  CHECK(up.trigger == 4);
  CHECK(up.peer.find("127.0.0.1:") == 0);
  CHECK(s.listener->find(ref_a).has_value());
  CHECK(s.listener->now().pending == 0);
  device->fin();
  REQUIRE(s.terminator.wait([](auto& t) { return t.downs.size() == 1; }));
  CHECK(s.terminator.downs[0].why == link_end::peer_closed);
  CHECK(s.terminator.downs[0].epoch == 1);
  device->expect_end();
  CHECK_FALSE(s.listener->find(ref_a).has_value());
}

TEST_CASE("the exchange is the same however its octets are cut") {
  site s;
  const auto octets = login_octets(guid_a, "mpsuser", "Secr3t!A") + ready_octets();
  std::vector<std::size_t> steps{1, 2, 3, 5, 7, 64, 93, 100, octets.size()};
  std::string first;
  for (const auto step : steps) {
    CAPTURE(step);
    raw_device device{s.port()};
    REQUIRE(device.start_tls());
    for (std::size_t at = 0; at < octets.size(); at += step)
      device.send(octets.substr(at, step));
    for (int i = 0; i < 7; ++i)
      REQUIRE(device.decoder().asked_forward());
    device.expect<apf::service_accept>();
    device.expect<apf::userauth_success>();
    device.expect<apf::service_accept>();
    for (int i = 0; i < 7; ++i)
      device.expect<apf::request_success>();
    device.polite = false;
    CHECK(device.expect<apf::keepalive_options_request>().interval_s == 30);
    if (first.empty())
      first = device.transcript();
    CHECK(device.transcript() == first);
    device.fin();
    device.expect_end();
  }
  REQUIRE(s.terminator.wait([&](auto& t) { return t.downs.size() == steps.size(); }));
  CHECK(s.terminator.ups.size() == steps.size());
}

TEST_CASE("a cut at every offset of the login changes nothing") {
  site s;
  const auto octets = login_octets(guid_a, "mpsuser", "Secr3t!A");
  std::size_t tried = 0;
  for (std::size_t cut = 1; cut < octets.size(); cut += 9, ++tried) {
    CAPTURE(cut);
    raw_device device{s.port()};
    REQUIRE(device.start_tls());
    device.send(octets.substr(0, cut));
    device.send(octets.substr(cut));
    device.expect<apf::service_accept>();
    device.expect<apf::userauth_success>();
  }
  REQUIRE(s.terminator.wait([&](auto& t) { return t.downs.size() == tried; }));
}

TEST_CASE("a wrong password and an unknown machine look alike on the wire") {
  site s;
  const auto wire_of = [&](const char* guid, const char* user, const char* password) {
    raw_device device{s.port()};
    REQUIRE(device.start_tls());
    device.send(login_octets(guid, user, password));
    device.expect<apf::service_accept>();
    device.expect<apf::userauth_failure>();
    device.expect_end();
    return device.transcript();
  };
  const auto unknown = wire_of("00000000-0000-0000-0000-00000000beef", "mpsuser", "Secr3t!A");
  CHECK(wire_of(guid_a, "mpsuser", "wrong") == unknown);
  CHECK(wire_of(guid_a, "nobody", "Secr3t!A") == unknown);
  CHECK(wire_of(guid_a, "mpsuser", "") == unknown);
  CHECK(s.terminator.wait([](auto& t) { return t.ups.empty(); }));
  CHECK(s.terminator.wait([](auto& t) { return t.downs.empty(); }));
  CHECK(s.log.count({"refused", "guid=00000000-0000-0000-0000-00000000beef", "unknown GUID",
                     "next="}) == 1);
  CHECK(s.log.count({"refused", guid_a, "wrong MPS user or password"}) == 3);
  CHECK(turned_away(s, cira::turned_away::credentials) == 4);
  CHECK_FALSE(s.log.contains("Secr3t"));
  s.expect_service();
}

TEST_CASE("a store that is away is not told as a wrong password") {
  site s;
  s.terminator.store_down(true);
  raw_device device{s.port()};
  REQUIRE(device.start_tls());
  device.send(login_octets(guid_a, "mpsuser", "Secr3t!A"));
  device.expect<apf::service_accept>();
  device.expect_end();
  CHECK(device.transcript() ==
        apf::encode(apf::service_accept{std::string{apf::auth_service_name}}));
  CHECK(s.log.count({"refused", "store"}) == 1);
  CHECK(turned_away(s, cira::turned_away::store) == 1);
  s.terminator.store_down(false);
  s.expect_service();
}

TEST_CASE("frames sent before admission wait and then are handled in order") {
  site s;
  s.terminator.hold();
  raw_device device{s.port()};
  REQUIRE(device.start_tls());
  device.send(login_octets(guid_a, "mpsuser", "Secr3t!A") + ready_octets());
  device.expect<apf::service_accept>();
  REQUIRE(s.terminator.wait([](auto& t) { return t.asked.size() == 1; }));
  for (int i = 0; i < 7; ++i)
    REQUIRE(device.decoder().asked_forward());
  s.terminator.release();
  device.expect<apf::userauth_success>();
  device.expect<apf::service_accept>();
  for (int i = 0; i < 7; ++i)
    device.expect<apf::request_success>();
  REQUIRE(s.terminator.wait([](auto& t) { return t.ups.size() == 1; }));
}

TEST_CASE("a machine that left while it was looked up is down without having been up") {
  site s;
  s.terminator.hold();
  {
    raw_device device{s.port()};
    REQUIRE(device.start_tls());
    device.send(login_octets(guid_a, "mpsuser", "Secr3t!A"));
    REQUIRE(s.terminator.wait([](auto& t) { return t.asked.size() == 1; }));
    device.reset();
  }
  s.terminator.release();
  REQUIRE(s.terminator.wait([](auto& t) { return t.downs.size() == 1; }));
  CHECK(s.terminator.wait([](auto& t) { return t.ups.empty(); }));
  CHECK(s.terminator.downs[0].epoch == 1);
}

TEST_CASE("an admission that comes after the deadline is taken back") {
  auto o = quick_options();
  o.handshake_deadline = 1s;
  site s{o};
  s.terminator.hold();
  raw_device device{s.port()};
  REQUIRE(device.start_tls());
  device.send(login_octets(guid_a, "mpsuser", "Secr3t!A"));
  device.expect<apf::service_accept>();
  CHECK(device.expect<apf::disconnect>().reason == apf::disconnect_reason::connection_timed_out);
  device.expect_end();
  s.terminator.release();
  REQUIRE(s.terminator.wait([](auto& t) { return t.downs.size() == 1; }));
  CHECK(s.terminator.wait([](auto& t) { return t.ups.empty(); }));
}

TEST_CASE("messages out of order end the connection with a protocol error") {
  site s;
  const auto login = login_octets(guid_a, "mpsuser", "Secr3t!A");
  const auto version = login.substr(0, 93);
  const auto auth = apf::encode(apf::service_request{std::string{apf::auth_service_name}});
  const auto pfwd = apf::encode(apf::service_request{std::string{apf::pfwd_service_name}});
  const std::vector<std::string> wrong{
      auth,
      pfwd,
      version + version,
      version + pfwd,
      version + auth + auth,
      version + auth + apf::encode(apf::tcpip_forward{true, "", 16992}),
      version + apf::encode(apf::channel_close{0}),
      version + auth + apf::encode(apf::channel_open{}),
      apf::encode(apf::keepalive_request{1}),
      login + auth,
      login + apf::encode(apf::tcpip_forward{true, "", 16992}),
  };
  for (const auto& octets : wrong) {
    CAPTURE(&octets - wrong.data());
    raw_device device{s.port()};
    REQUIRE(device.start_tls());
    device.send(octets);
    apf::message last;
    do
      last = device.next();
    while (!std::holds_alternative<apf::disconnect>(last));
    CHECK(device.transcript().size() >= 7);
    device.expect_end();
  }
  REQUIRE(s.terminator.wait([](auto& t) { return t.downs.size() == 2; }));
  CHECK(s.terminator.wait([](auto& t) { return t.ups.empty(); }));
  CHECK(s.log.count({"refused", "has no place in stage"}) + s.log.count({"service is not"}) == 9);
  s.expect_service();
}

TEST_CASE("what is not APF ends the connection before it is stored") {
  site s;
  const auto version = login_octets(guid_a, "a", "b").substr(0, 93);
  const std::vector<std::string> wrong{
      std::string("\x07", 1),                                         // no such message
      std::string("\x06\0\0\0\1x", 6),                                // a server's message
      version + std::string("\x05\xFF\xFF\xFF\xFF", 5),               // a name of 4 GiB
      version + std::string("\x05\0\0\x08\x01", 5),                   // 2049 octets
      version + std::string("\x32\0\0\0\0\0\0\0\0\0\0\0\x03xyz", 16), // unknown method
      version + std::string("\x5E\0\0\0\1\0\0\0\1x", 10),             // data before authentication
      std::string(64, '\n'),
  };
  for (const auto& octets : wrong) {
    CAPTURE(&octets - wrong.data());
    raw_device device{s.port()};
    REQUIRE(device.start_tls());
    device.send(octets);
    CHECK(device.expect<apf::disconnect>().reason == apf::disconnect_reason::protocol_error);
    device.expect_end();
  }
  CHECK(s.log.count({"refused", "not APF"}) == static_cast<int>(wrong.size()));
  s.expect_service();
}

TEST_CASE("a truncated message and then the end is no tunnel") {
  site s;
  const auto octets = login_octets(guid_a, "mpsuser", "Secr3t!A");
  for (const std::size_t cut :
       {std::size_t{0}, std::size_t{1}, std::size_t{50}, std::size_t{100}}) {
    CAPTURE(cut);
    raw_device device{s.port()};
    REQUIRE(device.start_tls());
    device.send(octets.substr(0, cut));
    device.fin();
    device.expect_end();
  }
  CHECK(s.terminator.wait([](auto& t) { return t.asked.empty(); }));
  s.expect_service();
}

TEST_CASE("a machine that disconnects in words is closed by the peer") {
  site s;
  const auto device = s.good_device();
  device->send(apf::disconnect{apf::disconnect_reason::by_application});
  REQUIRE(s.terminator.wait([](auto& t) { return t.downs.size() == 1; }));
  CHECK(s.terminator.downs[0].why == link_end::peer_closed);
  device->expect_end();
}

TEST_CASE("the newer of two tunnels of one machine stays when the older is closed") {
  site s;
  const auto older = s.good_device();
  const auto newer = s.good_device();
  REQUIRE(s.terminator.wait([](auto& t) { return t.ups.size() == 2; }));
  CHECK(s.listener->find(ref_a)->epoch == 2);
  s.terminator.link(0)->close(link_end::evicted, "a newer tunnel of this machine");
  older->expect_end();
  REQUIRE(s.terminator.wait([](auto& t) { return t.downs.size() == 1; }));
  CHECK(s.terminator.downs[0].epoch == 1);
  CHECK(s.terminator.downs[0].why == link_end::evicted);
  CHECK(s.listener->find(ref_a)->epoch == 2);
  // Closing twice, or what is gone, does nothing.
  s.terminator.link(0)->close(link_end::requested, "again");
  newer->send(apf::keepalive_request{7});
  CHECK(newer->expect<apf::keepalive_reply>().cookie == 7);
}

TEST_CASE("shutting down ends every tunnel and every connection on its way in") {
  auto o = quick_options();
  o.close_patience = 200ms; // nobody reads the last octets while this thread waits
  site s{o};
  const auto in = s.good_device();
  raw_device halfway{s.port()};
  REQUIRE(halfway.start_tls());
  raw_device silent{s.port()};
  REQUIRE(s.terminator.wait([](auto& t) { return t.ups.size() == 1; }));
  CHECK(s.listener->stop(20s));
  in->expect_end();
  halfway.expect_end();
  CHECK(silent.read_plain_to_end().empty());
  REQUIRE(s.terminator.downs.size() == 1);
  CHECK(s.terminator.downs[0].why == link_end::shutdown);
  CHECK(s.listener->now().connections == 0);
  awaited_call late;
  s.terminator.link()->post("x", 20s, late.cb());
  CHECK(late.get().error().what == problem::link_down);
}
