#include "tests/integration/rpc/bench_rpc.hpp"

#include <doctest/doctest.h>

namespace outband::test {
namespace {

const std::string hello{"\x16\x03\x01\x00\x05\x01more", 10};
const std::string data{"\x17\x03\x03\x00\x01x", 6};
const std::string good = R"({"Status":"Admin control mode."})";

rpc_options tunnel_to(const scripted_peer& server, const scripted_peer& amt) {
  auto how = options_for(server);
  how.facts->tls_enforced = true;
  how.lms_tls_port = amt.port();
  return how;
}

/// Greets, then says everything twice.
void echo(connection& c) {
  for (auto octets = c.receive(); !octets.empty(); octets = c.receive())
    c.send(octets + octets);
}

} // namespace

TEST_CASE("TLS octets go both ways over one connection until a new ClientHello") {
  std::vector<std::string> heard;
  {
    scripted_peer amt(echo);
    scripted_peer server([&](connection& c) {
      c.upgrade();
      c.receive_text();
      for (const auto& octets : {hello, data, hello}) {
        c.send_text(octets_from_server("tls_data", octets));
        std::string all;
        while (all.size() < 2 * octets.size()) {
          const auto text = c.receive_text();
          heard.push_back(parsed(text).value("method", ""));
          all += payload_of(text);
        }
        if (all != octets + octets)
          return;
      }
      c.send_text(from_server("success", nullptr, good));
      c.receive_text();
    });
    CHECK(run_rpc(tunnel_to(server, amt)).how == rpc_end::success);
    CHECK(amt.connections() == 2);
  }
  for (const auto& method : heard)
    CHECK(method == "tls_data");
}

TEST_CASE("a connection that AMT ends without a word is told as a reset") {
  std::vector<std::string> heard;
  {
    int number = 0;
    scripted_peer amt([&](connection& c) {
      c.receive();
      if (++number == 2)
        c.reset();
    });
    scripted_peer server([&](connection& c) {
      c.upgrade();
      c.receive_text();
      for (int i = 0; i < 2; ++i) {
        c.send_text(octets_from_server("tls_data", hello));
        const auto text = c.receive_text();
        heard.push_back(parsed(text).value("method", "") + " " + payload_of(text));
      }
      c.send_text(from_server("error", nullptr, "gone"));
      c.receive_text();
    });
    CHECK(run_rpc(tunnel_to(server, amt)).how == rpc_end::error);
  }
  CHECK(heard == std::vector<std::string>{"connection_reset connection_closed",
                                          "connection_reset lms_error"});
}

TEST_CASE("octets for a connection that AMT ended after its answer are lost with a reset") {
  std::vector<std::string> heard;
  {
    scripted_peer amt([](connection& c) {
      c.receive();
      c.send("last words");
    });
    scripted_peer server([&](connection& c) {
      c.upgrade();
      c.receive_text();
      c.send_text(octets_from_server("tls_data", hello));
      heard.push_back(payload_of(c.receive_text()));
      c.send_text(octets_from_server("tls_data", data));
      heard.push_back(payload_of(c.receive_text()));
      c.send_text(octets_from_server("tls_data", hello));
      heard.push_back(payload_of(c.receive_text()));
      c.send_text(from_server("success", nullptr, good));
      c.receive_text();
    });
    auto how = tunnel_to(server, amt);
    how.timing.tunnel_idle = std::chrono::minutes(1); // longer than the end takes to come
    CHECK(run_rpc(how).how == rpc_end::success);
  }
  CHECK(heard == std::vector<std::string>{"last words", "connection_closed", "last words"});
}

TEST_CASE("after a port switch everything is TLS octets") {
  std::string ack;
  {
    scripted_peer plain([](connection& c) {
      c.receive_until("0\r\n\r\n");
      c.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    });
    scripted_peer tls(echo);
    scripted_peer server([&](connection& c) {
      c.upgrade();
      c.receive_text();
      c.send_text(octets_from_server("wsman", "POST 0\r\n\r\n"));
      c.receive_text();
      c.send_text(from_server("port_switch", R"({"port":"16993","delay":15})"));
      ack = c.receive_text();
      c.send_text(octets_from_server("tls_data", hello));
      if (parsed(c.receive_text()).value("method", "") != "tls_data")
        return;
      c.send_text(from_server("success", nullptr, good));
      c.receive_text();
    });
    auto how = options_for(server);
    how.tls_tunnel = true;
    how.lms_port = plain.port();
    how.lms_tls_port = tls.port();
    const auto got = run_rpc(how);
    CHECK(got.how == rpc_end::success);
    CHECK(got.complaints.empty());
  }
  CHECK(parsed(ack).value("method", "") == "port_switch_ack");
  CHECK(payload_of(ack) == "ok");
}

TEST_CASE("a port switch to a port that stays closed ends the run") {
  std::uint16_t closed = 0;
  {
    scripted_peer gone([](connection&) {});
    closed = gone.port();
  }
  scripted_peer server([&](connection& c) {
    c.upgrade();
    c.receive_text();
    c.send_text(from_server("port_switch", R"({"port":"16993","delay":0})"));
    c.receive_text();
  });
  auto how = options_for(server);
  how.lms_tls_port = closed;
  how.timing.port_switch_attempts = 3;
  how.timing.port_switch_retry = std::chrono::milliseconds(1);
  CHECK(run_rpc(how).how == rpc_end::lms);
}

} // namespace outband::test
