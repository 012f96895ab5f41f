#include "messages/apf/handshake.hpp"

#include "messages/apf/decoder.hpp"
#include "messages/apf/encoder.hpp"
#include "tests/unit/messages/apf/vectors.hpp"

#include <doctest/doctest.h>

#include <algorithm>

namespace outband::apf::test {
namespace {

/// Drives the machine and keeps what it wanted.
struct tunnel {
  handshake_state state{};
  std::vector<handshake_effect> effects{}; ///< of the last event

  void on(handshake_event e) {
    auto step = decide(std::move(state), std::move(e));
    state = std::move(step.next);
    effects = std::move(step.effects);
  }
  void say(message m) { on(received{std::move(m)}); }

  template <class T> const T* find() const {
    for (const auto& e : effects)
      if (const auto* found = std::get_if<T>(&e))
        return found;
    return nullptr;
  }
  std::string sent() const {
    std::string out;
    for (const auto& e : effects)
      if (const auto* s = std::get_if<send>(&e))
        encode(s->what, out);
    return hex(out);
  }
  bool armed(timer which) const {
    return std::any_of(effects.begin(), effects.end(), [which](const handshake_effect& e) {
      const auto* a = std::get_if<arm_timer>(&e);
      return a != nullptr && a->which == which;
    });
  }
  bool cancelled(timer which) const {
    return std::any_of(effects.begin(), effects.end(), [which](const handshake_effect& e) {
      const auto* c = std::get_if<cancel_timer>(&e);
      return c != nullptr && c->which == which;
    });
  }
};

protocol_version hello() {
  protocol_version v;
  v.guid = {0x78, 0x56, 0x34, 0x12, 0xbc, 0x9a, 0xf0, 0xde,
            0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf0};
  return v;
}

userauth_request login() {
  userauth_request r;
  r.user = "admin";
  r.password = "P@ssw0rd";
  return r;
}

tunnel at(stage goal) {
  tunnel t;
  const auto arrived = [&] {
    return t.state.now == goal;
  };
  if (arrived())
    return t;
  if (goal == stage::closed) {
    t.on(peer_gone{});
    return t;
  }
  t.on(tls_complete{});
  if (arrived())
    return t;
  t.say(hello());
  if (arrived())
    return t;
  t.say(service_request{std::string{auth_service_name}});
  if (arrived())
    return t;
  t.say(login());
  if (arrived())
    return t;
  if (goal == stage::refusing) {
    t.on(credentials_rejected{});
    return t;
  }
  t.on(credentials_accepted{});
  if (arrived())
    return t;
  t.say(service_request{std::string{pfwd_service_name}});
  return t;
}

constexpr stage all_stages[] = {stage::tls,   stage::version,  stage::auth_service,
                                stage::auth,  stage::checking, stage::pfwd_service,
                                stage::ready, stage::refusing, stage::closed};

} // namespace

TEST_CASE("a device connects as MPS's simulated client does") {
  tunnel t;
  t.on(tls_complete{});
  CHECK(t.armed(timer::handshake));
  t.say(hello());
  CHECK(t.sent().empty());
  CHECK(t.find<identified>() != nullptr);
  t.say(service_request{std::string{auth_service_name}});
  CHECK(t.sent() == "06000000126175746840616d742e696e74656c2e636f6d");
  t.say(login());
  REQUIRE(t.find<look_up_credentials>() != nullptr);
  CHECK(t.find<look_up_credentials>()->guid == hello().guid);
  CHECK(t.find<look_up_credentials>()->user == "admin");
  CHECK(t.find<look_up_credentials>()->password == "P@ssw0rd");
  CHECK(t.sent().empty());
  t.on(credentials_accepted{});
  CHECK(t.sent() == "34");
  t.say(service_request{std::string{pfwd_service_name}});
  CHECK(t.sent() == "06000000127066776440616d742e696e74656c2e636f6d");
  CHECK(t.find<became_ready>() != nullptr);
  CHECK(t.cancelled(timer::handshake));
  CHECK(t.armed(timer::options_latest));
  CHECK(t.state.now == stage::ready);
  t.say(tcpip_forward{true, "", 16992});
  CHECK(t.sent() == "5100004260");
  REQUIRE(t.find<port_announced>() != nullptr);
  CHECK(t.find<port_announced>()->port == 16992);
  CHECK(t.armed(timer::options_quiet));
  t.say(tcpip_forward{true, "amtdev", 5900});
  CHECK(t.sent() == "510000170cd20000001e0000005a");
  CHECK(t.cancelled(timer::options_quiet));
  CHECK(t.cancelled(timer::options_latest));
  t.say(keepalive_options_reply{30, 90});
  REQUIRE(t.find<keepalive_agreed>() != nullptr);
  CHECK(t.find<keepalive_agreed>()->interval_s == 30);
  t.say(keepalive_request{255});
  CHECK(t.sent() == "d1000000ff");
}

TEST_CASE("every stage has an answer to every message and event") {
  std::vector<handshake_event> events{tls_complete{},
                                      credentials_accepted{},
                                      credentials_rejected{},
                                      peer_gone{},
                                      timer_fired{timer::handshake},
                                      timer_fired{timer::options_quiet},
                                      timer_fired{timer::options_latest},
                                      timer_fired{timer::refusal}};
  for (const auto* list : {&from_device, &from_server})
    for (const auto& v : *list) {
      decoder d{list == &from_device ? side::server : side::device};
      if (v.before != asked::nothing)
        v.before == asked::forward ? d.asked_forward() : d.asked_cancel();
      const auto wire = unhex(v.hex);
      std::string_view octets = wire;
      auto got = d.next(octets);
      REQUIRE(std::holds_alternative<message>(got));
      // Channel data looks at octets that are gone; order is all that is judged here.
      if (auto* data = std::get_if<channel_data>(&std::get<message>(got)))
        data->data = "data";
      events.emplace_back(received{std::get<message>(got)});
    }
  events.emplace_back(received{unknown_request{"x", true}});

  for (const auto from : all_stages)
    for (std::size_t i = 0; i < events.size(); ++i) {
      CAPTURE(to_string(from));
      CAPTURE(i);
      auto t = at(from);
      REQUIRE(t.state.now == from);
      t.on(events[i]);
      const bool closes = t.find<close_tunnel>() != nullptr;
      // Closing is said once, last, and is final.
      CHECK(closes == (t.state.now == stage::closed && from != stage::closed));
      if (closes)
        CHECK(std::holds_alternative<close_tunnel>(t.effects.back()));
      // Nothing reaches the channels, no port counts and nothing is ready before authentication.
      if (from != stage::ready) {
        CHECK(t.find<channel_traffic>() == nullptr);
        CHECK(t.find<port_announced>() == nullptr);
        CHECK(t.find<datagram>() == nullptr);
      }
      if (t.find<became_ready>() != nullptr)
        CHECK(from == stage::pfwd_service);
      // Credentials count only while they are looked up.
      if (t.state.now == stage::pfwd_service && from != stage::pfwd_service)
        CHECK(from == stage::checking);
      // Nothing more is said to a device that was refused, nor after closing.
      if (from == stage::closed || from == stage::refusing)
        CHECK(t.sent().empty());
      if (from == stage::closed)
        CHECK(t.effects.empty());
      // A stage that waits for the device has a deadline running since TLS.
      if (t.state.now == stage::version && from == stage::tls)
        CHECK(t.armed(timer::handshake));
      if (t.state.now == stage::refusing && from != stage::refusing)
        CHECK(t.armed(timer::refusal));
    }
}

TEST_CASE("a message out of order is a protocol error") {
  const struct {
    stage from;
    message what;
  } cases[] = {
      {stage::version, service_request{std::string{auth_service_name}}},
      {stage::version, login()},
      {stage::version, keepalive_request{1}},
      {stage::auth_service, hello()},
      {stage::auth_service, login()},
      {stage::auth_service, tcpip_forward{true, "", 16992}},
      {stage::auth, service_request{std::string{auth_service_name}}},
      {stage::auth, tcpip_forward{true, "", 16992}},
      {stage::auth, channel_data{1, "x"}},
      {stage::checking, login()},
      {stage::pfwd_service, tcpip_forward{true, "", 16992}},
      {stage::pfwd_service, channel_open{}},
      {stage::ready, hello()},
      {stage::ready, login()},
      {stage::ready, service_request{std::string{pfwd_service_name}}},
      {stage::ready, keepalive_options_reply{30, 90}}, // nobody asked
  };
  for (const auto& c : cases) {
    CAPTURE(to_string(c.from));
    CAPTURE(to_string(type_of(c.what)));
    auto t = at(c.from);
    t.say(c.what);
    CHECK(t.sent() == "01000000020000");
    REQUIRE(t.find<refuse>() != nullptr);
    CHECK(t.find<refuse>()->code == disconnect_reason::protocol_error);
    CHECK(t.state.now == stage::closed);
  }
}

TEST_CASE("a service that is not due is refused") {
  for (const auto from : {stage::auth_service, stage::pfwd_service}) {
    auto t = at(from);
    t.say(service_request{from == stage::auth_service ? "pfwd@amt.intel.com" : "shell"});
    CHECK(t.sent() == "01000000070000");
    CHECK(t.state.now == stage::closed);
  }
}

TEST_CASE("another protocol version is refused") {
  auto t = at(stage::version);
  auto v = hello();
  v.major = 2;
  t.say(v);
  CHECK(t.sent() == "01000000080000");
  CHECK(t.state.now == stage::closed);
}

TEST_CASE("an unknown device and a wrong password look the same") {
  auto t = at(stage::checking);
  t.on(credentials_rejected{});
  CHECK(t.sent() == "330000000870617373776f726400");
  CHECK(t.armed(timer::refusal));
  CHECK(t.cancelled(timer::handshake));
  CHECK(t.find<close_tunnel>() == nullptr);
  t.say(login()); // a second try on the same connection is not heard
  CHECK(t.effects.empty());
  t.on(timer_fired{timer::refusal});
  CHECK(t.sent().empty());
  CHECK(t.find<close_tunnel>() != nullptr);
}

TEST_CASE("only a password for port forwarding is looked up") {
  for (const auto& wrong : {userauth_request{"admin", std::string{pfwd_service_name}, "none", ""},
                            userauth_request{"admin", "ssh-connection", "password", "x"}}) {
    auto t = at(stage::auth);
    t.say(wrong);
    CHECK(t.find<look_up_credentials>() == nullptr);
    CHECK(t.sent() == "330000000870617373776f726400");
    CHECK(t.state.now == stage::refusing);
  }
}

TEST_CASE("a late answer about credentials revives nothing") {
  auto t = at(stage::checking);
  t.on(timer_fired{timer::handshake});
  CHECK(t.state.now == stage::closed);
  t.on(credentials_accepted{});
  CHECK(t.effects.empty());
  CHECK(t.state.now == stage::closed);
}

TEST_CASE("who does not get ready in time is disconnected") {
  for (const auto from :
       {stage::version, stage::auth_service, stage::auth, stage::checking, stage::pfwd_service}) {
    CAPTURE(to_string(from));
    auto t = at(from);
    t.on(timer_fired{timer::handshake});
    CHECK(t.sent() == "01000000100000");
    CHECK(t.state.now == stage::closed);
  }
  auto t = at(stage::ready);
  t.on(timer_fired{timer::handshake});
  CHECK(t.effects.empty());
}

TEST_CASE("keep-alive options are sent once by whichever comes first") {
  SUBCASE("silence after a forward") {
    auto t = at(stage::ready);
    t.say(tcpip_forward{true, "", 16992});
    t.on(timer_fired{timer::options_quiet});
    CHECK(t.sent() == "d20000001e0000005a");
    t.on(timer_fired{timer::options_latest});
    CHECK(t.effects.empty());
    t.say(tcpip_forward{true, "", 5900});
    CHECK(t.sent() == "510000170c");
    t.say(tcpip_forward{true, "", 623});
    CHECK(t.sent() == "510000026f");
    CHECK_FALSE(t.armed(timer::options_quiet));
  }
  SUBCASE("no forward at all") {
    auto t = at(stage::ready);
    t.on(timer_fired{timer::options_latest});
    CHECK(t.sent() == "d20000001e0000005a");
  }
  SUBCASE("not before ready") {
    auto t = at(stage::pfwd_service);
    t.on(timer_fired{timer::options_latest});
    CHECK(t.effects.empty());
  }
}

TEST_CASE("ports may be cancelled and announced again at any time") {
  auto t = at(stage::ready);
  t.say(tcpip_forward{true, "", 16993});
  t.say(tcpip_forward{true, "", 16992});
  CHECK(t.state.ports == std::vector<std::uint16_t>{16992, 16993});
  t.say(tcpip_forward{true, "", 16992});
  CHECK(t.sent() == "5100004260");
  CHECK(t.state.ports.size() == 2);
  t.say(cancel_tcpip_forward{true, "", 16992});
  CHECK(t.sent() == "51");
  REQUIRE(t.find<port_cancelled>() != nullptr);
  CHECK(t.state.ports == std::vector<std::uint16_t>{16993});
  t.say(cancel_tcpip_forward{true, "", 16992});
  CHECK(t.sent() == "51");
  CHECK(t.find<port_cancelled>() == nullptr);
  t.say(tcpip_forward{true, "", 16992});
  CHECK(t.find<port_announced>() != nullptr);
}

TEST_CASE("impossible ports and too many ports are refused") {
  auto t = at(stage::ready);
  for (const std::uint32_t port : {0U, 65536U, 0xFFFFFFFFU}) {
    t.say(tcpip_forward{true, "", port});
    CHECK(t.sent() == "52");
    CHECK(t.find<port_announced>() == nullptr);
  }
  for (std::uint32_t port = 1; port <= 32; ++port) {
    t.say(tcpip_forward{true, "", port});
    CHECK(t.find<port_announced>() != nullptr);
  }
  t.say(tcpip_forward{true, "", 33});
  CHECK(t.sent() == "52");
  CHECK(t.state.ports.size() == 32);
}

TEST_CASE("requests other than forwards keep the tunnel") {
  auto t = at(stage::ready);
  t.say(udp_send_to{false, "a", 1, "b", 2, "xyz"});
  CHECK(t.sent().empty());
  REQUIRE(t.find<datagram>() != nullptr);
  CHECK(t.find<datagram>()->what.data == "xyz");
  t.say(unknown_request{"x", true});
  CHECK(t.sent() == "52");
  t.say(unknown_request{"x", false});
  CHECK(t.sent().empty());
  CHECK(t.state.now == stage::ready);
}

TEST_CASE("a device that says goodbye is let go without a word") {
  auto t = at(stage::ready);
  t.say(disconnect{disconnect_reason::by_policy});
  CHECK(t.sent().empty());
  REQUIRE(t.find<refuse>() != nullptr);
  CHECK(t.find<refuse>()->why == "the device disconnected: by policy");
  CHECK(t.state.now == stage::closed);
}

TEST_CASE("channel messages of a ready tunnel go to the channels") {
  for (const message& m : {message{channel_open{}}, message{channel_open_confirmation{}},
                           message{channel_open_failure{}}, message{channel_window_adjust{}},
                           message{channel_data{4, "x"}}, message{channel_close{}}}) {
    CHECK(is_channel_traffic(m));
    auto t = at(stage::ready);
    t.say(m);
    REQUIRE(t.find<channel_traffic>() != nullptr);
    CHECK(type_of(t.find<channel_traffic>()->what) == type_of(m));
    CHECK(t.effects.size() == 1);
  }
  CHECK_FALSE(is_channel_traffic(message{keepalive_request{}}));
}

} // namespace outband::apf::test
