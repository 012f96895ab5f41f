// Waiting for one's turn at the key exchange, when a whole fleet calls at once.
#include "gateway/cira/greeting.hpp"
#include "raw_device.hpp"
#include "site.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <memory>

using namespace outband;
using namespace outband::test;
using namespace std::chrono_literals;

namespace {

namespace asio = boost::asio;
using clock_type = std::chrono::steady_clock;

/// One lane with a greeting in it, on the test's own thread.
struct queue {
  explicit queue(cira::options o)
      : hub(std::make_shared<cira::hub>(std::move(o), around.terminator,
                                        cira::tls_contexts{around.context(), {}},
                                        std::set<cira::peer_address>{})),
        lane(std::make_shared<cira::lane>(context, hub)),
        acceptor(context, {asio::ip::make_address("127.0.0.1"), 0}),
        device(std::make_unique<raw_device>(acceptor.local_endpoint().port())) {
    cira::endpoint peer;
    auto socket = acceptor.accept(peer);
    hub->door.knock(cira::address_of(peer), clock_type::now());
    address = cira::address_of(peer);
    greeting = std::make_shared<cira::greeting>(lane, std::move(socket), peer, false);
    device->send_plain(std::string("\x16\x03\x01\x02\x00\x01", 6)); // begins a ClientHello
    greeting->start();
  }
  ~queue() {
    lane->shut_all();
    greeting.reset();
    context.poll();
  }

  /// Before it is the turn of what comes from now on.
  void others(int how_many, std::chrono::milliseconds each) {
    for (waiting = how_many; how_many > 0; --how_many)
      lane->key_exchanges.take([this, each] {
        --waiting;
        for (const auto from = clock_type::now(); clock_type::now() - from < each;)
          ; // a key exchange keeps its thread
      });
  }
  void run_until(const std::function<bool()>& holds) {
    const auto latest = clock_type::now() + patience; // only a defect gets there
    while (!holds() && clock_type::now() < latest)
      context.poll_one();
    REQUIRE(holds());
  }
  std::uint64_t refused() const {
    return hub->counts.refused[static_cast<std::size_t>(cira::turned_away::tls)];
  }
  double failures() const { return hub->door.failures(address, clock_type::now()); }

  site around;
  asio::io_context context;
  std::shared_ptr<cira::hub> hub;
  std::shared_ptr<cira::lane> lane;
  asio::ip::tcp::acceptor acceptor;
  std::unique_ptr<raw_device> device;
  cira::peer_address address{};
  std::shared_ptr<cira::greeting> greeting;
  int waiting = 0;
};

} // namespace

TEST_CASE("the time for TLS begins when it is a machine's turn") {
  auto o = quick_options();
  o.tls_deadline = 100ms;
  queue q{o};
  q.others(500, 2ms);
  q.run_until([&] { return q.waiting == 0; });
  CHECK(q.refused() == 0);
  CHECK(q.hub->open == 1);
  // Now it is its turn, and it says no more.
  q.run_until([&] { return q.hub->open == 0; });
  CHECK(q.refused() == 1);
  CHECK(q.failures() > 0);
}

TEST_CASE("who gives up before its turn costs no key exchange and is no failure of its address") {
  queue q{quick_options()};
  q.others(10'000, 0ms);
  q.run_until([&] { return q.waiting < 5'000; }); // it is seen, and waits
  CHECK(q.hub->open == 1);
  q.device.reset();
  q.run_until([&] { return q.hub->open == 0; });
  CHECK(q.refused() == 0);
  CHECK(q.failures() == 0);
}
