// When an endpoint may connect, what it counts, and what it does when too much comes.
#include "tests/integration/bus/broker.hpp"
#include "tests/integration/bus/client.hpp"

#include "tests/support/relay.hpp"
#include "tests/unit/bus/gate.hpp"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <ostream>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

namespace {

using namespace outband;
using namespace outband::test;
using bus::contract::gate;
using bus::contract::text;

constexpr int not_authorized = 0x87;

template <class F> bool until(gate& g, F holds) {
  std::unique_lock<std::mutex> lock(g.mutex);
  return g.changed.wait_for(lock, patience, holds);
}

/// Who holds the lease, and how often each asked.
struct lease {
  gate g;
  std::string holder;
  std::map<std::string, int> asked;

  std::function<void(std::function<void(bool)>)> of(const std::string& node) {
    return [this, node](const std::function<void(bool)>& answer) {
      bool may = false;
      g.with([&] {
        ++asked[node];
        may = holder == node;
      });
      answer(may);
    };
  }
  void give(const std::string& node) {
    g.with([&] { holder = node; });
  }
  bool wait_asked(const std::string& node, int more) {
    int from = 0;
    g.with([&] { from = asked[node]; });
    return until(g, [&] { return asked[node] >= from + more; });
  }
};

TEST_CASE("of two controllers the broker keeps the one with the lease and the other stays away") {
  auto& b = shared_broker();
  lease l;
  l.give("n1");
  const std::string shared_id(controller_client_id);
  auto first = b.machine("-/inst/n1", shared_id), second = b.machine("-/inst/n2", shared_id);
  first.may_connect = l.of("n1");
  second.may_connect = l.of("n2");
  bus::mqtt_endpoint one(first), two(second);
  REQUIRE(wait_connected(one));
  REQUIRE(l.wait_asked("n2", 4));
  CHECK(two.counters().connects == 0);
  CHECK(two.counters().connects_failed == 0); // being told to wait is no failure
  CHECK(two.last_error().empty());

  const auto before = one.counters();
  CHECK(before.connects == 2);
  l.give("n2");
  REQUIRE(wait_connected(two));
  REQUIRE(wait_connected(one, false));
  REQUIRE(l.wait_asked("n1", 6)); // both of its connections are gone, and it does not come back
  CHECK(one.counters().connections_lost == before.connections_lost + 2);
  CHECK(one.counters().connects == before.connects);
  CHECK(two.counters().connects == 2);
  CHECK(two.counters().connections_lost == 0);

  // What the loser still had to say goes nowhere.
  gate g;
  std::optional<status> outcome;
  one.publish(text("oob/v1/-/t/late", "stale", true),
              [&](status s) { g.with([&] { outcome = std::move(s); }); });
  REQUIRE(until(g, [&] { return outcome.has_value(); }));
  REQUIRE_FALSE(outcome->ok());
  CHECK(outcome->error().what == problem::bus_unavailable);
  // And the lease may come back.
  l.give("n1");
  REQUIRE(wait_connected(one));
  REQUIRE(wait_connected(two, false));
}

TEST_CASE("a gate that answers late is not asked again meanwhile") {
  auto& b = shared_broker();
  gate g;
  std::vector<std::function<void(bool)>> waiting;
  auto o = b.machine("-/inst/n1", "inst-n1-gate");
  o.may_connect = [&](std::function<void(bool)> answer) {
    g.with([&] { waiting.push_back(std::move(answer)); });
  };
  bus::mqtt_endpoint e(o);
  REQUIRE(until(g, [&] { return waiting.size() == 2; })); // one for each connection
  std::vector<std::function<void(bool)>> answers;
  g.with([&] { answers = waiting; });
  for (const auto& answer : answers)
    answer(true);
  REQUIRE(wait_connected(e));
  answers[0](true); // a second answer means nothing
  g.with([&] { CHECK(waiting.size() == 2); });
  CHECK(e.counters().connects == 2);
}

TEST_CASE("refusals are counted by the broker's reason") {
  auto& b = shared_broker();
  auto alice = identity(principal::kind::person, "acme", "alice", role::viewer);
  auto good = b.person("acme/op/alice", b.ticket_for(alice), "op-alice-counts");
  bus::mqtt_endpoint e(good);
  REQUIRE(wait_connected(e));
  CHECK(e.counters().by_reason.empty());
  gate g;
  std::optional<status> outcome;
  e.publish(text("oob/v1/acme/dev/4c4c4544-004b-3510-8052-b4c04f564433/desired", "x"),
            [&](status s) { g.with([&] { outcome = std::move(s); }); });
  REQUIRE(until(g, [&] { return outcome.has_value(); }));
  CHECK(outcome->error().what == problem::forbidden);
  CHECK(e.counters().by_reason == std::map<int, std::uint64_t>{{not_authorized, 1}});

  std::atomic<int> tries{0};
  auto bad = good;
  bad.client_id = "op-alice-bad";
  bad.credentials = [&](const std::function<void(result<bus::credentials>)>& answer) {
    g.with([&] { ++tries; });
    answer(bus::credentials{"acme/op/alice", "no ticket"});
  };
  bus::mqtt_endpoint refused(bad);
  REQUIRE(until(g, [&] { return tries >= 4; }));
  CHECK(refused.counters().by_reason[not_authorized] >= 2);
}

/// Takes connections one after the other, says CONNACK and then that the session is taken over
/// (MQTT 5 section 3.14.2.1), as brokers newer than Mosquitto 2.0 do.
class taken_over_broker {
public:
  taken_over_broker() {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    listening_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE(::bind(listening_, reinterpret_cast<sockaddr*>(&at), size) == 0);
    REQUIRE(::listen(listening_, 16) == 0);
    REQUIRE(::getsockname(listening_, reinterpret_cast<sockaddr*>(&at), &size) == 0);
    port = ntohs(at.sin_port);
    thread_ = std::thread([this] {
      for (int fd = 0; (fd = ::accept(listening_, nullptr, nullptr)) >= 0; ::close(fd)) {
        char connect[1024];
        if (::recv(fd, connect, sizeof connect, 0) <= 0)
          continue;
        const unsigned char words[] = {0x20, 3, 0, 0, 0, 0xe0, 2, 0x8e, 0};
        ::send(fd, words, sizeof words, MSG_NOSIGNAL);
        while (::recv(fd, connect, sizeof connect, 0) > 0) {
        }
      }
    });
  }
  ~taken_over_broker() {
    ::shutdown(listening_, SHUT_RDWR);
    thread_.join();
    ::close(listening_);
  }
  std::uint16_t port = 0;

private:
  int listening_ = -1;
  std::thread thread_;
};

TEST_CASE("being taken over by another connection is counted when the broker says so") {
  taken_over_broker b;
  gate g;
  int attempts = 0;
  bus::mqtt_options o;
  o.host = "127.0.0.1";
  o.port = b.port;
  o.tls = false;
  o.client_id = "x";
  o.reconnect_base = std::chrono::milliseconds(10);
  o.reconnect_cap = std::chrono::milliseconds(20);
  o.may_connect = [&](const std::function<void(bool)>& answer) {
    g.with([&] { ++attempts; });
    answer(true);
  };
  bus::mqtt_endpoint e(o);
  // The third attempt follows a loss of one of the two first connections.
  REQUIRE(until(g, [&] { return attempts >= 3; }));
  CHECK(e.counters().takeovers >= 1);
  CHECK(e.counters().by_reason[0x8e] == e.counters().takeovers);
}

TEST_CASE("more than the handlers can take ends the connection and everything is read again") {
  auto& b = shared_broker();
  auto o = b.machine("-/inst/n1", "inst-n1-slow");
  o.max_inbound = 100; // the 60 topics fit, what follows does not
  gate g;
  bool entered = false, let_go = false;
  std::map<std::string, std::string> documents;
  int ups = 0;
  bus::mqtt_endpoint slow(o), fast(b.machine("-/inst/n1", "inst-n1-fast"));
  REQUIRE(wait_connected(slow));
  REQUIRE(wait_connected(fast));
  auto state = slow.on_connection([&](bool up) { g.with([&] { ups += up ? 1 : 0; }); });
  auto sub = slow.subscribe("oob/v1/-/t/slow/+", {}, [&](const bus::message& m) {
    std::unique_lock<std::mutex> lock(g.mutex);
    entered = true;
    g.changed.notify_all();
    g.changed.wait_for(lock, patience, [&] { return let_go; });
    documents[m.topic] = *m.payload;
    g.changed.notify_all();
  });
  auto ready = slow.subscribe("oob/v1/-/t/ready", {}, [&](const bus::message&) {});
  REQUIRE(until(g, [&] { return ups == 1; }));
  int acked = 0;
  std::map<std::string, std::string> wanted;
  for (int round = 0; round < 5; ++round) {
    for (int i = 0; i < 60; ++i) {
      auto topic = "oob/v1/-/t/slow/" + std::to_string(i);
      wanted[topic] = std::to_string(round);
      fast.publish(text(topic, wanted[topic], true),
                   [&](status s) { g.with([&] { acked += s ? 1 : 0; }); });
    }
    REQUIRE(until(g, [&] { return acked == 60 * (round + 1); }));
  }
  REQUIRE(until(g, [&] { return entered; }));
  // The broker has delivered far more than 100 when its window to us has turned over.
  for (int i = 0; slow.counters().inbound_overflows == 0 && i < 10'000; ++i) {
    const int before = acked;
    fast.publish(text("oob/v1/-/t/slow/0", wanted["oob/v1/-/t/slow/0"], true),
                 [&](status s) { g.with([&] { acked += s ? 1 : 0; }); });
    REQUIRE(until(g, [&] { return acked > before; }));
  }
  CHECK(slow.counters().inbound_overflows == 1);
  CHECK(slow.counters().inbound_waiting <= 100);
  g.with([&] { let_go = true; });
  REQUIRE(until(g, [&] { return ups >= 2; }));
  CHECK(until(g, [&] { return documents == wanted; }));
  CHECK(slow.counters().inbound_dropped >= 1);
  // Removes what would be in the way of others.
  for (const auto& [topic, payload] : wanted)
    fast.publish(text(topic, "", true));
}

TEST_CASE("overlapping filters of one endpoint each get a message once") {
  auto& b = shared_broker();
  bus::mqtt_endpoint e(b.machine("-/inst/n1", "inst-n1-overlap"));
  gate g;
  std::vector<std::string> all, one, end;
  auto into = [&](std::vector<std::string>& where) {
    return [&](const bus::message& m) {
      g.with([&] { where.push_back(*m.payload); });
    };
  };
  auto wide = e.subscribe("oob/v1/-/t/overlap/+", {}, into(all));
  auto narrow = e.subscribe("oob/v1/-/t/overlap/n1", {}, into(one));
  auto last = e.subscribe("oob/v1/-/t/overlap-end", {}, into(end));
  REQUIRE(wait_connected(e));
  for (auto topic : {"overlap/n1", "overlap/n2", "overlap-end"})
    e.publish(text(std::string("oob/v1/-/t/") + topic, topic));
  REQUIRE(until(g, [&] { return end.size() == 1 && all.size() >= 2; }));
  CHECK(all == std::vector<std::string>{"overlap/n1", "overlap/n2"});
  CHECK(one == std::vector<std::string>{"overlap/n1"});
}

} // namespace
