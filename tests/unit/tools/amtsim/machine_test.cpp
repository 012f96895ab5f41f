#include "tools/amtsim/machine.hpp"

#include "messages/http/digest.hpp"
#include "messages/http/writer.hpp"
#include "messages/wsman/envelope.hpp"
#include "tests/unit/tools/amtsim/bench_machine.hpp"
#include "tools/amtsim/subscription_state.hpp"

#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <string>

namespace outband::amtsim {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

/// A machine on the LAN of this process, without a server to call.
struct bench_fleet final : surroundings {
  void happened(const machine_event& e) override {
    if (std::holds_alternative<power_change>(e.what))
      ++power_changes;
  }
  void changed() override {}

  /// Until the condition holds; the loop has something to wait for as long as it does not.
  void until(const std::function<bool()>& holds) {
    io.restart();
    while (!holds())
      REQUIRE(io.run_one() == 1);
  }

  asio::io_context io;
  int power_changes = 0;
  known_server no_server{
      {}, std::make_shared<const tls_context>("", "", 12), std::make_shared<tls_contexts>(12)};
  settings times = [] {
    auto s = test::exact();
    s.times.power = sim_time{1};
    s.times.link_drop_min = s.times.link_drop_max = sim_time{0};
    return s;
  }();
  machine m{io, no_server, test::who(), &times, 7, *this};
};

/// A client that stays connected, one request at a time.
class client {
public:
  explicit client(bench_fleet& f) : fleet_(f) {
    if (f.m.report().lan_port == 0)
      f.m.listen({asio::ip::address_v4::loopback(), std::uint16_t{0}, std::nullopt});
  }

  /// The Body's element, after signing in.
  wsman::node ask(const std::string& soap) {
    for (int tries = 0; tries < 2; ++tries) {
      std::string authorization;
      if (session_)
        authorization = *session_->authorize("admin", "P@ssw0rd", "POST", "/wsman", "c0ffee", soap);
      std::string octets;
      REQUIRE(http::write_wsman("m:16992", authorization, soap, octets).ok());
      const auto answer = exchange(octets);
      if (answer.status == 401) {
        session_.emplace();
        session_->learn(*http::find_challenge(answer.fields));
        socket_.reset();
        continue;
      }
      const auto read = wsman::parse_response(answer.body);
      REQUIRE(read.ok());
      REQUIRE_FALSE(read->refused.has_value());
      return read->body.children.front();
    }
    FAIL("refused twice");
    return {};
  }

  /// Has the machine ended the connection?
  bool ended() {
    bool over = false;
    char octet = 0;
    socket_->async_read_some(asio::buffer(&octet, 1),
                             [&](error_code ec, std::size_t) { over = static_cast<bool>(ec); });
    fleet_.until([&] { return over; });
    return over;
  }
  /// Connects anew and is left again without a word.
  bool turned_away() {
    socket_.reset();
    connect();
    return ended();
  }

private:
  void connect() {
    socket_.emplace(fleet_.io);
    socket_->connect({asio::ip::address_v4::loopback(), fleet_.m.report().lan_port});
  }
  http::response exchange(const std::string& octets) {
    if (!socket_)
      connect();
    http::response_parser parser;
    std::optional<http::response> out;
    std::array<char, 4096> input{};
    std::function<void()> read = [&] {
      socket_->async_read_some(asio::buffer(input), [&](error_code ec, std::size_t n) {
        REQUIRE_FALSE(ec);
        parser.feed({input.data(), n});
        auto item = parser.next();
        if (auto* answer = std::get_if<http::response>(&item))
          out = *answer;
        else
          read();
      });
    };
    asio::async_write(*socket_, asio::buffer(octets), [&](error_code ec, std::size_t) {
      REQUIRE_FALSE(ec);
      read();
    });
    fleet_.until([&] { return out.has_value(); });
    return *out;
  }

  bench_fleet& fleet_;
  std::optional<tcp::socket> socket_;
  std::optional<http::digest_session> session_;
};

std::string method(const char* class_name, const std::string& name, const std::string& inner) {
  const auto uri = wsman::class_uri(class_name);
  return wsman::write_request({uri + "/" + name, uri, 5},
                              wsman::class_body(name + "_INPUT", uri, inner));
}

TEST_CASE("an unprovisioned machine answers and then serves nobody") {
  bench_fleet f;
  client c(f);
  const auto done = c.ask(method("AMT_SetupAndConfigurationService", "Unprovision",
                                 wsman::property("ProvisioningMode", "1")));
  CHECK(done.child_text("ReturnValue") == "0");
  CHECK(c.ended());
  CHECK(c.turned_away());
  CHECK(f.m.report().control_mode == 0);
}

TEST_CASE("power that was asked for over the LAN happens") {
  bench_fleet f;
  client c(f);
  const auto done = c.ask(method("CIM_PowerManagementService", "RequestPowerStateChange",
                                 wsman::property("PowerState", "8") +
                                     wsman::endpoint_parameter("ManagedElement", {"x", {}})));
  CHECK(done.child_text("ReturnValue") == "0");
  f.until([&] { return f.power_changes == 1; });
  CHECK(f.m.report().power == power_state::off_soft);
}

/// Takes one connection, reads one request, answers.
struct listener {
  explicit listener(asio::io_context& io, std::string with)
      : at(io, {asio::ip::address_v4::loopback(), 0}), socket(io), answer(std::move(with)) {
    at.async_accept(socket, [this](error_code ec) {
      REQUIRE_FALSE(ec);
      asio::async_read_until(socket, asio::dynamic_buffer(got), "</a:Envelope>",
                             [this](error_code failed, std::size_t) {
                               REQUIRE_FALSE(failed);
                               asio::async_write(socket, asio::buffer(answer),
                                                 [](error_code, std::size_t) {});
                             });
    });
  }
  std::string url() const { return "127.0.0.1:" + std::to_string(at.local_endpoint().port()); }

  tcp::acceptor at;
  tcp::socket socket;
  std::string answer;
  std::string got;
};

void subscribe_and_alert(bench_fleet& f, const listener& to) {
  f.m.change([&](device_model& d, sim_time now) {
    d.subscriptions.change().subscriptions.push_back({0, "Intel(r) AMT:All", to.url(), true, {}});
    raise_alert(d, {"iAMT0055", "2"}, d.clock_s(now));
  });
}

TEST_CASE("a machine without a tunnel delivers its events over the LAN") {
  bench_fleet f;
  client c(f); // listens, so it is on a LAN
  listener l(f.io, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  subscribe_and_alert(f, l);
  f.until([&] { return f.m.report().events_delivered + f.m.report().events_lost > 0; });
  CHECK(f.m.report().events_delivered == 1);
  CHECK(l.got.find("iAMT0055") != std::string::npos);
}

TEST_CASE("an event that its listener refuses is lost and the next is sent") {
  bench_fleet f;
  client c(f);
  listener l(f.io, "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n");
  subscribe_and_alert(f, l);
  f.until([&] { return f.m.report().events_lost == 1; });
  listener again(f.io, "HTTP/1.1 204 OK\r\n\r\n");
  f.m.change([&](device_model& d, sim_time) { d.subscriptions.change().subscriptions.clear(); });
  subscribe_and_alert(f, again);
  f.until([&] { return f.m.report().events_delivered == 1; });
}

} // namespace
} // namespace outband::amtsim
