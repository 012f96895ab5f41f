// A whole machine from inside: MEI and LMS as a program on its operating system finds them.
#include "tools/amtsim/host.hpp"

#include "messages/pthi/codec.hpp"
#include "tests/unit/tools/amtsim/bench_machine.hpp"
#include "tests/unit/tools/amtsim/temporary_folder.hpp"
#include "tools/amtsim/activation_state.hpp"
#include "tools/amtsim/machine.hpp"
#include "tools/amtsim/on_die.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <doctest/doctest.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace outband::amtsim {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

struct quiet_surroundings final : surroundings {
  void happened(const machine_event&) override {}
  void changed() override { ++changes; }
  int changes = 0;
};

settings with_tls() {
  settings s = test::exact();
  s.kind.tls_enforced = true;
  s.on_die = std::make_shared<const on_die_authority>();
  return s;
}

struct bench_host {
  explicit bench_host(const settings& s = test::exact())
      : shared(s), m(io, nowhere, test::who(), &shared, 7, around) {
    m.change([](device_model& d, sim_time) { leave_factory(d); });
    m.boot_host({folder.path() + "/m.mei",
                 {asio::ip::address_v4::loopback(), std::uint16_t{0}, std::uint16_t{0}}});
  }
  ~bench_host() { m.stop(); }
  bench_host(const bench_host&) = delete;
  bench_host& operator=(const bench_host&) = delete;

  settings shared;
  asio::io_context io;
  known_server nowhere{
      {}, std::make_shared<const tls_context>("", "", 12), std::make_shared<tls_contexts>(12)};
  quiet_surroundings around;
  test::temporary_folder folder;
  machine m;
};

/// A program with /dev/mei0 open; the loop runs while it waits.
class mei_program {
public:
  explicit mei_program(bench_host& to) : host_(to) {
    sockaddr_un at{};
    at.sun_family = AF_UNIX;
    std::strncpy(at.sun_path, to.m.report().mei_path.c_str(), sizeof at.sun_path - 1);
    fd_ = ::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0);
    REQUIRE(::connect(fd_, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0);
  }
  ~mei_program() { ::close(fd_); }
  mei_program(const mei_program&) = delete;
  mei_program& operator=(const mei_program&) = delete;

  void send(const std::string& octets) {
    REQUIRE(::send(fd_, octets.data(), octets.size(), MSG_NOSIGNAL) > 0);
  }
  std::string ask(const std::string& octets) {
    send(octets);
    return receive();
  }
  /// Empty: the machine ended it.
  std::string receive() {
    std::string out(8192, '\0');
    for (;;) {
      const auto n = ::recv(fd_, out.data(), out.size(), 0);
      if (n >= 0)
        return out.substr(0, static_cast<std::size_t>(n));
      REQUIRE(errno == EAGAIN);
      host_.io.run_one();
    }
  }
  std::size_t connect() { return ask(pthi::connect_octets(pthi::mei_client::amthi)).size(); }

private:
  bench_host& host_;
  int fd_;
};

const std::string request = "POST /wsman HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n"
                            "Connection: close\r\n\r\n";

template <class Stream> std::string answer_of(bench_host& host, Stream& stream) {
  std::string out;
  bool over = false;
  asio::async_write(stream, asio::buffer(request), [&](error_code, std::size_t) {});
  asio::async_read(stream, asio::dynamic_buffer(out),
                   [&](error_code, std::size_t) { over = true; });
  while (!over)
    host.io.run_one();
  return out;
}

const std::string ask_mode = pthi::encode(pthi::plain_request{pthi::command::get_control_mode});

} // namespace

TEST_CASE("a program reads the control mode by MEI and is asked who it is by LMS") {
  bench_host host;
  mei_program rpc(host);
  CHECK(rpc.connect() == 8);
  const auto mode = pthi::decode_response(pthi::command::get_control_mode, rpc.ask(ask_mode));
  REQUIRE(mode.ok());
  CHECK(std::get<pthi::number_body>(mode->content).value == 0);

  tcp::socket lms(host.io);
  lms.connect({asio::ip::address_v4::loopback(), host.m.report().lms_port});
  CHECK(answer_of(host, lms).find("401 Unauthorized") != std::string::npos);
}

TEST_CASE("where local ports insist on TLS they show a chain of the process's own root") {
  bench_host host(with_tls());
  tcp::socket plain(host.io);
  plain.connect({asio::ip::address_v4::loopback(), host.m.report().lms_port});
  CHECK(answer_of(host, plain).empty());

  asio::ssl::context trust(asio::ssl::context::tls_client);
  trust.add_certificate_authority(asio::buffer(host.shared.on_die->root_pem()));
  trust.set_verify_mode(asio::ssl::verify_peer);
  asio::ssl::stream<tcp::socket> stream(host.io, trust);
  stream.next_layer().connect({asio::ip::address_v4::loopback(), host.m.report().lms_tls_port});
  error_code how = asio::error::would_block;
  stream.async_handshake(asio::ssl::stream_base::client, [&](error_code ec) { how = ec; });
  while (how == asio::error::would_block)
    host.io.run_one();
  CHECK_FALSE(how);
  CHECK(sk_X509_num(SSL_get_peer_cert_chain(stream.native_handle())) == 4);
  CHECK(answer_of(host, stream).find("401 Unauthorized") != std::string::npos);
}

TEST_CASE("the engine is busy or not ready or confused as often as a test ordered") {
  bench_host host;
  REQUIRE(host.m.order(fault_kind::mei_busy, sim_time{0}, 2).empty());
  mei_program rpc(host);
  CHECK(rpc.connect() == 4);
  CHECK(rpc.connect() == 4);
  CHECK(rpc.connect() == 8);

  REQUIRE(host.m.order(fault_kind::mei_not_ready, sim_time{0}, 1).empty());
  CHECK(pthi::decode_response(pthi::command::get_control_mode, rpc.ask(ask_mode))->status ==
        pthi::answer_status::not_ready);
  REQUIRE(host.m.order(fault_kind::mei_garbage, sim_time{0}, 1).empty());
  CHECK_FALSE(pthi::decode_response(pthi::command::get_control_mode, rpc.ask(ask_mode)).ok());
  REQUIRE(host.m.order(fault_kind::mei_silent, sim_time{0}, 1).empty());
  rpc.send(ask_mode);
  CHECK(pthi::decode_response(pthi::command::get_control_mode, rpc.ask(ask_mode)).ok());
}

TEST_CASE("a machine that is stopped has no host any more") {
  bench_host host;
  mei_program rpc(host);
  CHECK(rpc.connect() == 8);
  const auto path = host.m.report().mei_path;
  host.m.stop();
  CHECK(rpc.receive().empty());
  CHECK(::access(path.c_str(), F_OK) != 0);
  CHECK(host.m.report().lms_port == 0);
}

} // namespace outband::amtsim
