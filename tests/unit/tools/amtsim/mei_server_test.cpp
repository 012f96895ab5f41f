#include "tools/amtsim/mei_server.hpp"

#include "messages/pthi/codec.hpp"
#include "tests/unit/tools/amtsim/temporary_folder.hpp"

#include <boost/asio/io_context.hpp>
#include <doctest/doctest.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <stdexcept>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <vector>

namespace outband::amtsim {
namespace {

/// A machine's MEI whose answers the test decides.
struct bench_mei final : mei_server::owner {
  int mei_connect(pthi::mei_client client) override {
    return client == pthi::mei_client::lme ? ENOTTY : std::exchange(refusal, 0);
  }
  std::string mei_answer(pthi::mei_client client, std::string_view octets) override {
    heard.emplace_back(octets);
    return answers ? std::string(to_string(client)) + " heard " + std::to_string(octets.size())
                   : std::string{};
  }

  int refusal = 0;
  bool answers = true;
  std::vector<std::string> heard;
  test::temporary_folder folder;
  std::string path = folder.path() + "/m.mei";
  boost::asio::io_context io;
  std::optional<mei_server> server{std::in_place, io, path, *this};
};

/// A host's descriptor; the loop runs while it waits.
class host_end {
public:
  explicit host_end(bench_mei& to) : bench_(to) {
    sockaddr_un at{};
    at.sun_family = AF_UNIX;
    std::strncpy(at.sun_path, to.path.c_str(), sizeof at.sun_path - 1);
    fd_ = ::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0);
    connected_ = ::connect(fd_, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0;
  }
  ~host_end() { ::close(fd_); }
  host_end(const host_end&) = delete;
  host_end& operator=(const host_end&) = delete;

  bool connected() const { return connected_; }
  void send(std::string_view octets) {
    REQUIRE(::send(fd_, octets.data(), octets.size(), MSG_NOSIGNAL) ==
            static_cast<ssize_t>(octets.size()));
  }
  /// nullopt: the server closed.
  std::optional<std::string> receive() {
    std::string out(8192, '\0');
    for (;;) {
      const auto n = ::recv(fd_, out.data(), out.size(), 0);
      if (n > 0)
        return out.substr(0, static_cast<std::size_t>(n));
      if (n == 0 || errno != EAGAIN)
        return std::nullopt;
      bench_.io.run_one();
    }
  }
  std::string ask(std::string_view octets) {
    send(octets);
    return receive().value_or("closed");
  }

private:
  bench_mei& bench_;
  int fd_;
  bool connected_;
};

const std::string connected{"\x00\x14\x00\x00\x01\x00\x00\x00", 8};

std::string code(int value) {
  return {static_cast<char>(value), 0, 0, 0};
}

} // namespace

TEST_CASE("a host connects to a client of the engine and has its messages answered one by one") {
  bench_mei mei;
  host_end host(mei);
  REQUIRE(host.connected());
  CHECK(host.ask(pthi::connect_octets(pthi::mei_client::amthi)) == connected);
  CHECK(host.ask("0123456789ab") == "AMTHI heard 12");
  CHECK(host.ask("x") == "AMTHI heard 1");
  host.send("two");
  host.send("three");
  CHECK(host.receive() == "AMTHI heard 3");
  CHECK(host.receive() == "AMTHI heard 5");
}

TEST_CASE("what the ioctl would refuse is refused with its errno and may be tried again") {
  bench_mei mei;
  mei.refusal = EBUSY;
  host_end host(mei);
  CHECK(host.ask(pthi::connect_octets(pthi::mei_client::watchdog)) == code(EBUSY));
  CHECK(host.ask(pthi::connect_octets(pthi::mei_client::lme)) == code(ENOTTY));
  CHECK(host.ask("sixteen octets!!") == code(ENOTTY));
  CHECK(host.ask("") == "closed");
  host_end again(mei);
  CHECK(again.ask(pthi::connect_octets(pthi::mei_client::watchdog)) == connected);
  CHECK(again.ask("hi") == "watchdog heard 2");
}

TEST_CASE("a message that is too long ends the connection") {
  bench_mei mei;
  host_end host(mei);
  CHECK(host.ask(pthi::connect_octets(pthi::mei_client::amthi)) == connected);
  CHECK(host.ask(std::string(pthi::max_message, 'x')) == "AMTHI heard 5120");
  CHECK(host.ask(std::string(pthi::max_message + 1, 'x')) == "closed");
  CHECK(mei.heard.size() == 1);
}

TEST_CASE("firmware may keep silent and goes on with the next message") {
  bench_mei mei;
  host_end host(mei);
  CHECK(host.ask(pthi::connect_octets(pthi::mei_client::amthi)) == connected);
  mei.answers = false;
  host.send("lost");
  while (mei.heard.empty())
    mei.io.run_one();
  mei.answers = true;
  CHECK(host.ask("found") == "AMTHI heard 5");
}

TEST_CASE("eight hosts may be connected and the ninth is not served") {
  bench_mei mei;
  std::vector<std::unique_ptr<host_end>> hosts;
  for (int i = 0; i < 8; ++i) {
    hosts.push_back(std::make_unique<host_end>(mei));
    CHECK(hosts.back()->ask(pthi::connect_octets(pthi::mei_client::amthi)) == connected);
  }
  host_end ninth(mei);
  CHECK_FALSE(ninth.receive());
  hosts.pop_back();
  while (mei.io.poll_one() != 0) {
  }
  host_end tenth(mei);
  CHECK(tenth.ask(pthi::connect_octets(pthi::mei_client::amthi)) == connected);
}

TEST_CASE("the socket is the owner's alone and goes with the server") {
  bench_mei mei;
  struct stat found {};
  REQUIRE(::stat(mei.path.c_str(), &found) == 0);
  CHECK((found.st_mode & 0777) == 0600);
  CHECK_THROWS_AS(mei_server(mei.io, mei.folder.path() + "/none/m.mei", mei), std::runtime_error);
  CHECK_THROWS_AS(mei_server(mei.io, mei.folder.path() + std::string(120, 'x'), mei),
                  std::runtime_error);
  host_end host(mei);
  CHECK(host.ask(pthi::connect_octets(pthi::mei_client::amthi)) == connected);
  mei.server.reset();
  CHECK_FALSE(host.receive());
  CHECK(::stat(mei.path.c_str(), &found) != 0);
}

TEST_CASE("what a former run left behind is replaced") {
  bench_mei mei;
  mei_server other(mei.io, mei.path, mei);
  host_end host(mei);
  CHECK(host.ask(pthi::connect_octets(pthi::mei_client::amthi)) == connected);
}

} // namespace outband::amtsim
