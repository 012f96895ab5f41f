#include "tools/amtsim/lms_server.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <doctest/doctest.h>

#include <optional>
#include <stdexcept>
#include <string>
#include <sys/resource.h>
#include <unistd.h>
#include <vector>

namespace outband::amtsim {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

/// Firmware that records, and says what the test wants.
struct bench_lms final : lms_server::owner {
  struct port final : local_connection {
    port(bench_lms& home, local_peer& who) : bench(home), peer(who) {}
    ~port() override {
      if (bench.open == this)
        bench.open = nullptr;
      ++bench.closed;
    }
    void feed(std::string_view octets) override { bench.heard.append(octets); }
    bench_lms& bench;
    local_peer& peer;
  };

  std::unique_ptr<local_connection> open_local(std::uint16_t number, local_peer& peer) override {
    asked.push_back(number);
    if (refuses)
      return nullptr;
    auto made = std::make_unique<port>(*this, peer);
    open = made.get();
    return made;
  }

  template <class F> void run_until(F done) {
    while (!done())
      io.run_one();
  }
  std::uint16_t port_of(bool tls) const { return tls ? server->tls_port() : server->plain_port(); }

  bool refuses = false;
  std::vector<std::uint16_t> asked;
  std::string heard;
  port* open = nullptr;
  int closed = 0;
  asio::io_context io;
  std::optional<lms_server> server{
      std::in_place, io,
      lms_place{asio::ip::address_v4::loopback(), std::uint16_t{0}, std::uint16_t{0}}, *this};
};

/// A program on the host.
struct program {
  explicit program(bench_lms& to, bool tls = false) : bench(to), socket(to.io) {
    socket.connect({asio::ip::address_v4::loopback(), to.port_of(tls)});
  }
  void send(const std::string& octets) { asio::write(socket, asio::buffer(octets)); }
  /// Everything until the end; how it ended in `why`.
  std::string read_all() {
    std::string out;
    bool over = false;
    asio::async_read(socket, asio::dynamic_buffer(out), [&](error_code ec, std::size_t) {
      why = ec;
      over = true;
    });
    bench.run_until([&] { return over; });
    return out;
  }

  bench_lms& bench;
  tcp::socket socket;
  error_code why;
};

} // namespace

TEST_CASE("what a program says goes to the port it asked for and the answer comes back") {
  bench_lms lms;
  program curl(lms);
  curl.send("POST /wsman");
  lms.run_until([&] { return lms.heard == "POST /wsman"; });
  CHECK(lms.asked == std::vector<std::uint16_t>{16992});
  lms.open->peer.local_data("HTTP/1.1 ");
  lms.open->peer.local_data("200 OK");
  lms.open->peer.local_closed(false);
  CHECK(curl.read_all() == "HTTP/1.1 200 OK");
  CHECK(curl.why == asio::error::eof);
  CHECK(lms.closed == 1);

  program browser(lms, true);
  lms.run_until([&] { return lms.asked.size() == 2; });
  CHECK(lms.asked.back() == 16993);
}

TEST_CASE("a port that restarts ends the program's connection in order after its last answer") {
  bench_lms lms;
  program curl(lms);
  lms.run_until([&] { return lms.open != nullptr; });
  lms.open->peer.local_data("HTTP/1.1 200 OK");
  lms.open->peer.local_closed(true);
  CHECK(curl.read_all() == "HTTP/1.1 200 OK");
  CHECK(curl.why == asio::error::eof);
}

TEST_CASE("a port that the firmware does not serve accepts and closes") {
  bench_lms lms;
  lms.refuses = true;
  program curl(lms);
  CHECK(curl.read_all().empty());
  CHECK(curl.why == asio::error::eof);
  lms.refuses = false;
  program again(lms);
  lms.run_until([&] { return lms.open != nullptr; });
}

TEST_CASE("a program that leaves closes the firmware's connection") {
  bench_lms lms;
  {
    program curl(lms);
    curl.send("x");
    lms.run_until([&] { return lms.heard == "x"; });
  }
  lms.run_until([&] { return lms.closed == 1; });
  CHECK(lms.open == nullptr);
}

TEST_CASE("a program that does not read is given up at four megabytes") {
  bench_lms lms;
  program curl(lms);
  lms.run_until([&] { return lms.open != nullptr; });
  const std::string much(1U << 20, 'm');
  int said = 0;
  while (lms.open != nullptr && said < 100) {
    lms.open->peer.local_data(much);
    ++said;
  }
  CHECK(lms.open == nullptr);
  CHECK(said <= 6);
}

TEST_CASE("without the server nobody is connected any more") {
  bench_lms lms;
  program curl(lms);
  lms.run_until([&] { return lms.open != nullptr; });
  const auto port = lms.port_of(false);
  lms.server.reset();
  CHECK(lms.closed == 1);
  CHECK(curl.read_all().empty());
  tcp::socket late(lms.io);
  error_code ec;
  late.connect({asio::ip::address_v4::loopback(), port}, ec);
  CHECK(ec);
}

TEST_CASE("a process without descriptors waits for one instead of asking on and on") {
  bench_lms lms;
  tcp::socket curl(lms.io, tcp::v4());
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  const int next = ::dup(0);
  ::close(next);
  const rlimit none{static_cast<rlim_t>(next), before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
  curl.connect({asio::ip::address_v4::loopback(), lms.port_of(false)});
  int done = 0;
  while (done < 1000 && lms.io.poll_one() != 0)
    ++done;
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
  CHECK(done < 1000);
  lms.run_until([&] { return lms.open != nullptr; });
}

TEST_CASE("a port that is taken is told") {
  bench_lms lms;
  const lms_place taken{asio::ip::address_v4::loopback(), lms.port_of(false), std::nullopt};
  CHECK_THROWS_AS(lms_server(lms.io, taken, lms), std::runtime_error);
}

} // namespace outband::amtsim
