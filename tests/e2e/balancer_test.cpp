// The harness's own balancer: a test that relies on it must be able to.
#include "tests/e2e/people.hpp"
#include "tests/support/balancer.hpp"

#include <doctest/doctest.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string>
#include <sys/socket.h>
#include <unistd.h>

using namespace outband;

namespace {

struct socket_guard {
  explicit socket_guard(int n = -1) : fd(n) {}
  ~socket_guard() { shut(); }
  socket_guard(const socket_guard&) = delete;
  socket_guard& operator=(const socket_guard&) = delete;
  void shut() {
    if (fd >= 0)
      ::close(fd);
    fd = -1;
  }
  int fd;
};

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in a{};
  a.sin_family = AF_INET;
  a.sin_port = htons(port);
  a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return a;
}

struct listener : socket_guard {
  listener() : socket_guard(socket(AF_INET, SOCK_STREAM, 0)) {
    auto a = loopback(0);
    socklen_t size = sizeof a;
    REQUIRE(bind(fd, reinterpret_cast<sockaddr*>(&a), size) == 0);
    REQUIRE(listen(fd, 8) == 0);
    REQUIRE(getsockname(fd, reinterpret_cast<sockaddr*>(&a), &size) == 0);
    port = ntohs(a.sin_port);
  }
  std::uint16_t port = 0;
  std::string from; ///< address of the last one accepted
  int accepted() {
    sockaddr_in peer{};
    socklen_t size = sizeof peer;
    const int got = accept(fd, reinterpret_cast<sockaddr*>(&peer), &size);
    char text[INET_ADDRSTRLEN] = {};
    inet_ntop(AF_INET, &peer.sin_addr, text, sizeof text);
    from = text;
    return got;
  }
};

int dial(std::uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  const timeval limit{60, 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  auto a = loopback(port);
  REQUIRE(connect(fd, reinterpret_cast<sockaddr*>(&a), sizeof a) == 0);
  return fd;
}

void say(const socket_guard& s, const std::string& text) {
  REQUIRE(send(s.fd, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size()));
}

/// Empty: the peer has ended.
std::string hear(const socket_guard& s) {
  char buffer[64];
  const auto n = recv(s.fd, buffer, sizeof buffer, 0);
  return n > 0 ? std::string(buffer, static_cast<std::size_t>(n)) : std::string();
}

} // namespace

TEST_CASE("the balancer goes on to the next target when one takes nothing") {
  listener first, second;
  test::balancer b({first.port, second.port}, "127.0.0.3");
  const socket_guard one(dial(b.port())), there(first.accepted());
  CHECK(first.from == "127.0.0.3");
  say(one, "hello");
  CHECK(hear(there) == "hello");
  first.shut();
  socket_guard two(dial(b.port()));
  const socket_guard elsewhere(second.accepted());
  say(elsewhere, "welcome");
  CHECK(hear(two) == "welcome");
  CHECK(b.open(second.port) == 1);
  two.shut();
  CHECK(hear(elsewhere).empty());
  second.shut();
  const socket_guard three(dial(b.port()));
  CHECK(hear(three).empty());
}

TEST_CASE("what the balancer holds is kept over the end of the client and comes late") {
  listener target;
  test::balancer b({target.port});
  socket_guard client(dial(b.port()));
  const socket_guard there(target.accepted());
  CHECK(e2e::until([&] { return b.open(target.port) == 1; }));
  b.hold(target.port);
  say(there, "question");
  CHECK(hear(client) == "question");
  say(client, "late answer");
  CHECK(e2e::until([&] { return b.kept(target.port) == 11; }));
  client.shut();
  char none = 0;
  CHECK(recv(there.fd, &none, 1, MSG_DONTWAIT) == -1);
  CHECK(b.open(target.port) == 1);
  b.release(target.port);
  CHECK(hear(there) == "late answer");
  CHECK(hear(there).empty());
}

TEST_CASE("what the balancer cuts is reset on both sides") {
  listener target;
  test::balancer b({target.port});
  const socket_guard client(dial(b.port())), there(target.accepted());
  CHECK(e2e::until([&] { return b.open(target.port) == 1; }));
  b.cut(target.port);
  CHECK(hear(client).empty());
  CHECK(hear(there).empty());
  CHECK(b.open(target.port) == 0);
}
