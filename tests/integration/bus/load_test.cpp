// Much at once: limits at which a broker or a consumer loses something, and how that is seen.
#include "tests/integration/bus/outbox_stage.hpp"

#include "bus/broker_figures.hpp"
#include "messages/bus/topics.hpp"
#include "tests/support/ports.hpp"
#include "tests/support/relay.hpp"

#include <arpa/inet.h>
#include <cstdlib>
#include <doctest/doctest.h>
#include <fstream>
#include <memory>
#include <netinet/in.h>
#include <ostream>
#include <set>
#include <sys/resource.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

namespace {

using namespace outband;
using namespace outband::test;

/// ./tools/test --full takes the numbers of a large site.
bool full() {
  return std::getenv("OUTBAND_FULL") != nullptr;
}

std::string field(const std::string& octets) {
  return std::string{static_cast<char>(octets.size() >> 8),
                     static_cast<char>(octets.size() & 0xff)} +
         octets;
}

/// An MQTT client that is nothing but a socket: connected, with a will.
class will_client {
public:
  will_client(std::uint16_t port, const std::string& id, const std::string& will_topic) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd_ < 0 || ::connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0)
      return;
    // MQTT 5 section 3.1: a retained will of QoS 1, clean start; keep-alive 60 s.
    std::string body = field("MQTT") + std::string("\x05\x2e\x00\x3c\x00", 5) + field(id) +
                       std::string(1, '\0') + field(will_topic) + field("gone");
    std::string packet = "\x10";
    for (auto left = body.size();; left >>= 7) {
      packet += static_cast<char>((left & 0x7f) | (left > 0x7f ? 0x80 : 0));
      if (left <= 0x7f)
        break;
    }
    packet += body;
    ::send(fd_, packet.data(), packet.size(), MSG_NOSIGNAL);
  }
  ~will_client() {
    if (fd_ >= 0)
      cut();
  }
  will_client(const will_client&) = delete;
  will_client& operator=(const will_client&) = delete;

  /// CONNACK with success.
  bool accepted() const {
    timeval limit{60, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    unsigned char head[4] = {};
    return ::recv(fd_, head, sizeof head, MSG_WAITALL) == 4 && head[0] == 0x20 && head[3] == 0;
  }
  void cut() {
    linger now{1, 0}; // RST, as from a network that has gone
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    ::close(fd_);
    fd_ = -1;
  }

private:
  int fd_ = -1;
};

/// Outband's broker without its door: the limits are the same, and four thousand handshakes and
/// certificates would measure something else.
void open_door(broker& b) {
  const auto file = b.folder().file("mosquitto.conf");
  std::ifstream in(file);
  std::string text, line;
  while (std::getline(in, line))
    if (line.rfind("plugin", 0) != 0)
      text += (line == "allow_anonymous false" ? "allow_anonymous true" : line) + "\n";
  b.process().stop();
  b.folder().write("mosquitto.conf", text);
  b.process().start();
}

/// Patience is for each step: so much takes long where the machine is slow.
template <class Count, class F> bool while_it_grows(gate& g, Count count, F holds) {
  decltype(count()) seen{};
  bool done = false;
  while (!done)
    if (!until(g, [&] {
          done = holds();
          const bool more = count() > seen;
          seen = count();
          return done || more;
        }))
      return false;
  return true;
}

TEST_CASE("fault 10: of four thousand clients that are cut at once every will is heard") {
  constexpr std::size_t count = 4000;
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max; // the broker inherits it
  ::setrlimit(RLIMIT_NOFILE, &files);
  REQUIRE(files.rlim_max > count + 200);
  broker b([](bus::broker_options& o) { o.plain_port = free_port(); });
  open_door(b);
  std::set<std::string> wills;
  gate g;
  auto plain = b.machine("-/inst/n1", "inst-n1");
  plain.host = "127.0.0.1";
  plain.port = b.plain_port();
  plain.tls = false;
  bus::mqtt_endpoint e(plain);
  auto sub = e.subscribe(bus::node_presence_filter(), {},
                         [&](const bus::message& m) { g.with([&] { wills.insert(m.topic); }); });
  REQUIRE(wait_connected(e));
  std::vector<std::unique_ptr<will_client>> clients;
  std::set<std::string> expected;
  for (std::size_t i = 0; i < count; ++i) {
    const auto name = "w" + std::to_string(i);
    expected.insert(bus::node_presence_topic(name));
    clients.push_back(std::make_unique<will_client>(b.plain_port(), "inst-" + name,
                                                    bus::node_presence_topic(name)));
    REQUIRE(clients.back()->accepted()); // one by one: the broker's backlog is short
  }
  for (const auto& c : clients)
    c->cut();
  CHECK(while_it_grows(
      g, [&] { return wills.size(); }, [&] { return wills.size() == count; }));
  CHECK(wills == expected);
}

/// Publishes `total` messages as fast as the window allows.
struct publishing : std::enable_shared_from_this<publishing> {
  gate g;
  bus::endpoint& e;
  const int total;
  const std::function<bus::message(int)> make;
  int next = 0, acked = 0, failed = 0;

  publishing(bus::endpoint& to, int count, std::function<bus::message(int)> what)
      : e(to), total(count), make(std::move(what)) {}

  void one() {
    if (next == total || failed > 0)
      return;
    // Who gave up waiting leaves completions behind, which still need the gate.
    e.publish(make(next++), [self = shared_from_this()](status s) {
      self->g.with([&] {
        ++(s ? self->acked : self->failed);
        self->one();
      });
    });
  }
};

bool publish_all(bus::endpoint& e, int total, std::function<bus::message(int)> make) {
  const auto p = std::make_shared<publishing>(e, total, std::move(make));
  p->g.with([&] {
    for (int i = 0; i < 100; ++i)
      p->one();
  });
  return while_it_grows(
             p->g, [&] { return p->acked + p->failed; },
             [&] { return p->acked + p->failed == p->next; }) &&
         p->failed == 0;
}

/// The broker's word, from after this moment, that nothing was dropped. Needs sys_interval 1.
bool nothing_dropped(bus::endpoint& e, bus::broker_figures& figures) {
  struct heard {
    gate g;
    int updates = 0;
    bool round = false;
  };
  const auto h = std::make_shared<heard>(); // a handler may be under way when this ends
  auto clock = e.subscribe("$SYS/broker/uptime", {},
                           [h](const bus::message&) { h->g.with([&] { ++h->updates; }); });
  // The retained one, the next, and one more: the figures of the next have come with it.
  const bool seen = until(h->g, [&] { return h->updates >= 3; });
  clock.reset();
  // A round trip on the endpoint's own thread is behind what it had to do.
  e.publish(text("oob/v1/-/t/x", "x"), [h](status) { h->g.with([&] { h->round = true; }); });
  return until(h->g, [&] { return h->round; }) && seen && figures.now().known &&
         figures.now().dropped == 0 && figures.now().drops_seen == 0;
}

TEST_CASE("fault 11: everything retained reaches a slow reader at QoS 1") {
  const int count = full() ? 100'000 : 20'000;
  broker b([](bus::broker_options& o) { o.sys_interval_s = 1; });
  relay slow(b.machine_port());
  bus::mqtt_endpoint writer(b.machine("-/inst/n1", "inst-n1"));
  bus::broker_figures figures(writer);
  REQUIRE(wait_connected(writer));
  REQUIRE(publish_all(writer, count, [](int i) {
    return text(topic_of(i), std::string(200, 'x') + std::to_string(i), true);
  }));
  gate g;
  std::vector<bool> seen(static_cast<std::size_t>(count), false);
  int distinct = 0;
  auto through = b.machine("-/inst/n2", "inst-n2");
  through.port = slow.port();
  slow.throttle(relay::direction::to_client, full() ? 8'000'000 : 3'000'000);
  bus::mqtt_endpoint reader(through);
  auto sub = reader.subscribe(current, {}, [&](const bus::message& m) {
    const auto i = std::stoul(m.payload->substr(200));
    g.with([&] {
      distinct += seen[i] ? 0 : 1;
      seen[i] = true;
    });
  });
  CHECK(while_it_grows(
      g, [&] { return distinct; }, [&] { return distinct == count; }));
  CHECK(reader.counters().connections_lost == 0);
  CHECK(nothing_dropped(writer, figures));
}

TEST_CASE("fault 22: the broker drops nothing of a burst within our windows") {
  broker b([](bus::broker_options& o) { o.sys_interval_s = 1; });
  gate g;
  std::size_t got = 0;
  bus::mqtt_endpoint reader(b.machine("-/inst/n1", "inst-n1"));
  bus::broker_figures figures(reader);
  auto sub = reader.subscribe("oob/v1/-/inst/+/node/obs", {},
                              [&](const bus::message&) { g.with([&] { ++got; }); });
  REQUIRE(wait_connected(reader));
  constexpr int writers = 4, each = 3000;
  std::vector<std::unique_ptr<bus::mqtt_endpoint>> from;
  for (int w = 0; w < writers; ++w) {
    const auto name = "w" + std::to_string(w);
    from.push_back(
        std::make_unique<bus::mqtt_endpoint>(b.machine("-/inst/" + name, "inst-" + name)));
    REQUIRE(wait_connected(*from.back()));
  }
  std::vector<std::thread> threads;
  std::atomic<int> complete{0};
  for (int w = 0; w < writers; ++w)
    threads.emplace_back([&, w] {
      const auto topic = bus::node_observations_topic("w" + std::to_string(w));
      complete += publish_all(*from[static_cast<std::size_t>(w)], each,
                              [&](int i) { return text(topic, std::to_string(i)); })
                      ? 1
                      : 0;
    });
  for (auto& t : threads)
    t.join();
  CHECK(complete == writers);
  CHECK(while_it_grows(
      g, [&] { return got; }, [&] { return got == writers * each; }));
  CHECK(nothing_dropped(reader, figures));
}

/// A consumer of events as ours are meant to be consumed: per device the next number is applied,
/// a lower one is a duplicate, a gap asks for a snapshot.
struct consumer {
  struct state {
    std::uint64_t n = 0;
    std::string value;
  };
  std::map<std::string, state> devices; ///< by topic
  int gaps = 0, snapshots = 0, duplicates = 0, backwards = 0;

  /// The truth as a GET gives it.
  std::function<state(const std::string& topic)> ask;

  void event(const std::string& topic, const std::string& payload) {
    const auto bar = payload.find('|');
    const auto n = std::stoull(payload.substr(0, bar));
    auto& d = devices[topic];
    if (n <= d.n) {
      ++duplicates;
    } else if (n == d.n + 1) {
      d = {n, payload.substr(bar + 1)};
    } else {
      ++gaps;
      snapshot(topic);
    }
  }
  void snapshot(const std::string& topic) {
    ++snapshots;
    auto truth = ask(topic);
    backwards += truth.n < devices[topic].n ? 1 : 0;
    devices[topic] = truth;
  }
};

TEST_CASE("fault 12: a consumer that cannot follow sees the gap and ends with the right state") {
  auto& b = shared_broker();
  constexpr int devices = 50, burst = 10'000;
  auto o = b.machine("-/inst/n1", "inst-n1-follower");
  o.max_inbound = 1000;
  gate g; // also of what the consumer believes
  bool entered = false, let_go = false;
  int ups = 0;
  std::map<std::string, consumer::state> truth;
  consumer c;
  c.ask = [&](const std::string& topic) {
    return truth[topic]; // under the gate's mutex, as all of it
  };
  bus::mqtt_endpoint slow(o), fast(b.machine("-/inst/n2", "inst-n2-burst"));
  auto sub = slow.subscribe("oob/v1/acme/dev/+/event/power", {}, [&](const bus::message& m) {
    std::unique_lock<std::mutex> lock(g.mutex);
    entered = true;
    g.changed.notify_all();
    g.changed.wait_for(lock, patience, [&] { return let_go; });
    c.event(m.topic, *m.payload);
    g.changed.notify_all();
  });
  // A new connection may hide the last events: everything is looked at again.
  auto state = slow.on_connection([&](bool up) {
    g.with([&] {
      ups += up ? 1 : 0;
      if (up && ups > 1)
        for (const auto& [topic, value] : truth)
          c.snapshot(topic);
    });
  });
  REQUIRE(until(g, [&] { return ups == 1; }));
  REQUIRE(wait_connected(fast));
  auto make = [&](int i) {
    const auto topic = topic_of(i % devices, "event/power");
    auto& t = truth[topic];
    ++t.n;
    t.value = "value " + std::to_string(i);
    return text(topic, std::to_string(t.n) + "|" + t.value);
  };
  // Some before the handler hangs, so that every device is known and the gap lies in between.
  g.with([&] { let_go = true; });
  REQUIRE(publish_all(fast, 2 * devices, [&](int i) {
    std::lock_guard<std::mutex> lock(g.mutex);
    return make(i);
  }));
  auto right = [&] {
    return c.devices.size() == truth.size() &&
           std::all_of(truth.begin(), truth.end(), [&](const auto& t) {
             const auto& d = c.devices[t.first];
             return d.n == t.second.n && d.value == t.second.value;
           });
  };
  REQUIRE(until(g, right));
  CHECK(c.gaps == 0);
  g.with([&] {
    let_go = false;
    entered = false;
  });
  // The handler blocks under no lock of the publisher's thread.
  std::vector<bus::message> messages;
  g.with([&] {
    for (int i = 0; i < burst; ++i)
      messages.push_back(make(i));
  });
  REQUIRE(publish_all(fast, burst, [&](int i) { return messages[static_cast<std::size_t>(i)]; }));
  REQUIRE(until(g, [&] { return entered; }));
  // It hangs until its bound is reached, which is what a burst does to a handler of 3 ms.
  REQUIRE(publish_all(fast, 1, [&](int) { return text("oob/v1/-/t/x", "x"); }));
  for (int i = 0; slow.counters().inbound_overflows == 0 && i < 10'000; ++i)
    REQUIRE(publish_all(fast, 1, [&](int) { return text("oob/v1/-/t/x", "x"); }));
  REQUIRE(slow.counters().inbound_overflows == 1);
  g.with([&] { let_go = true; });
  REQUIRE(until(g, [&] { return ups >= 2 && right(); }));
  // One more per device shows that it follows again.
  REQUIRE(publish_all(fast, devices, [&](int i) {
    std::lock_guard<std::mutex> lock(g.mutex);
    return make(i);
  }));
  CHECK(until(g, right));
  CHECK(c.snapshots >= devices);
  CHECK(c.backwards == 0);
  CHECK(slow.counters().inbound_dropped >= 1);
}

} // namespace
