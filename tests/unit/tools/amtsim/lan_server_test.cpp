#include "tools/amtsim/lan_server.hpp"

#include "tests/unit/tools/amtsim/bench_machine.hpp"
#include "tools/amtsim/tls_state.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <doctest/doctest.h>

#include <openssl/x509.h>

#include <memory>
#include <stdexcept>
#include <string>

namespace outband::amtsim {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

/// A machine on loopback, on ports that were free.
struct bench_lan final : lan_server::owner {
  std::optional<http_reply> next_reply(http_server& http) override {
    return http.next(machine.model, machine.faults, machine.now, "Sat, 21 Nov 2026 11:00:00 GMT");
  }

  test::bench_machine machine;
  asio::io_context io;
  lan_place where{asio::ip::address_v4::loopback(), std::uint16_t{0}, std::uint16_t{0}};
  lan_server server{io, machine.model, where, *this};

  tcp::endpoint plain() const { return {where.address, server.plain_port()}; }
  tcp::endpoint tls() const { return {where.address, server.tls_port()}; }
};

const std::string unsigned_request = "POST /wsman HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n";

/// Sends the request; everything that comes until the machine closes. The loop runs until then.
template <class Stream> std::string answer(asio::io_context& io, Stream& stream) {
  std::string out;
  asio::async_write(stream, asio::buffer(unsigned_request), [&](error_code ec, std::size_t) {
    if (ec)
      return io.stop();
    asio::async_read(stream, asio::dynamic_buffer(out),
                     [&](error_code, std::size_t) { io.stop(); });
  });
  io.restart();
  io.run();
  return out;
}

std::string over_plain(bench_lan& lan) {
  tcp::socket socket(lan.io);
  socket.connect(lan.plain());
  return answer(lan.io, socket);
}

/// The certificate's DER, and the answer.
std::pair<std::string, std::string> over_tls(bench_lan& lan) {
  asio::ssl::context trust(asio::ssl::context::tls_client);
  asio::ssl::stream<tcp::socket> stream(lan.io, trust);
  stream.lowest_layer().connect(lan.tls());
  bool done = false;
  stream.async_handshake(asio::ssl::stream_base::client, [&](error_code ec) {
    done = !ec;
    lan.io.stop();
  });
  lan.io.restart();
  lan.io.run();
  if (!done)
    return {};
  X509* shown = SSL_get1_peer_certificate(stream.native_handle());
  unsigned char* der = nullptr;
  const int size = i2d_X509(shown, &der);
  const std::string certificate(reinterpret_cast<char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  X509_free(shown);
  return {certificate, answer(lan.io, stream)};
}

TEST_CASE("the plain port asks who is there") {
  bench_lan lan;
  CHECK(over_plain(lan).find("401 Unauthorized") != std::string::npos);
}

TEST_CASE("the TLS port shows one certificate until it is told to make another") {
  bench_lan lan;
  const auto [first, reply] = over_tls(lan);
  CHECK(reply.find("401 Unauthorized") != std::string::npos);
  CHECK_FALSE(first.empty());
  CHECK(over_tls(lan).first == first);
  lan.server.new_certificate();
  CHECK(over_tls(lan).first != first);
}

TEST_CASE("with TLS enabled the plain port is closed to all unless it is said otherwise") {
  bench_lan lan;
  lan.machine.model.tls.change().in_force[0].enabled = true;
  CHECK(over_plain(lan).empty());
  CHECK_FALSE(over_tls(lan).second.empty());
  lan.machine.model.tls.change().in_force[0].accept_plain = true;
  CHECK_FALSE(over_plain(lan).empty());
}

TEST_CASE("with mutual authentication a client without a certificate gets no answer") {
  bench_lan lan;
  auto& tls = lan.machine.model.tls.change().in_force[0];
  tls.enabled = tls.mutual = true;
  CHECK(over_tls(lan).second.empty());
}

TEST_CASE("a machine that is not provisioned serves nobody") {
  bench_lan lan;
  lan.machine.model.control_mode = 0;
  CHECK(over_plain(lan).empty());
}

TEST_CASE("a closed network refuses and opens again on the same port") {
  bench_lan lan;
  const auto port = lan.server.plain_port();
  lan.server.close(false);
  tcp::socket socket(lan.io);
  error_code ec;
  socket.connect(lan.plain(), ec);
  CHECK(ec == asio::error::connection_refused);
  lan.server.open();
  CHECK(lan.server.plain_port() == port);
  CHECK_FALSE(over_plain(lan).empty());
}

TEST_CASE("a port that is taken is an error with words") {
  bench_lan lan;
  bench_lan other;
  const lan_place taken{lan.where.address, lan.server.plain_port(), std::nullopt};
  CHECK_THROWS_AS(lan_server(other.io, other.machine.model, taken, other), std::runtime_error);
}

} // namespace
} // namespace outband::amtsim
