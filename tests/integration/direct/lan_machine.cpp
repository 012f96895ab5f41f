#include "lan_machine.hpp"

#include "gateway/net/openssl_raii.hpp"
#include "gateway/net/x509.hpp"

#include <doctest/doctest.h>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <ctime>

namespace outband::test {

certificate make_certificate() {
  using usage = net::certificate_spec::usage;
  const std::int64_t now = std::time(nullptr);
  const auto key = *net::make_key(net::key_kind::p256);
  const auto pem =
      *net::make_self_signed({"amt", {}, usage::authority, now - 86400, now + 86400}, key);
  return {pem, key, net::read_certificate(pem)->sha256};
}

lan_machine::lan_machine(bool tls) : tls_(tls) {
  if (tls_)
    show(make_certificate());
  listen(true);
}

lan_machine::~lan_machine() {
  listen(false);
  {
    const std::lock_guard lock{mutex_};
    for (auto& s : sessions_)
      if (!s.over)
        ::shutdown(s.fd, SHUT_RDWR);
  }
  for (auto& s : sessions_)
    s.thread.join();
}

void lan_machine::show(const certificate& c) {
  auto context = std::shared_ptr<SSL_CTX>(SSL_CTX_new(TLS_server_method()), &SSL_CTX_free);
  const auto cert_bio = net::read_from(c.pem), key_bio = net::read_from(c.key_pem);
  const net::x509_ptr leaf{PEM_read_bio_X509(cert_bio.get(), nullptr, nullptr, nullptr)};
  const net::key_ptr key{PEM_read_bio_PrivateKey(key_bio.get(), nullptr, nullptr, nullptr)};
  REQUIRE(SSL_CTX_use_certificate(context.get(), leaf.get()) == 1);
  REQUIRE(SSL_CTX_use_PrivateKey(context.get(), key.get()) == 1);
  const std::lock_guard lock{mutex_};
  context_ = std::move(context);
  shown_ = c;
}

void lan_machine::listen(bool on) {
  if (!on) {
    {
      const std::lock_guard lock{mutex_};
      stopping_ = true;
      ::shutdown(listener_, SHUT_RDWR); // wakes accept()
    }
    if (acceptor_.joinable())
      acceptor_.join();
    ::close(listener_);
    listener_ = -1;
    return;
  }
  stopping_ = false;
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int yes = 1;
  REQUIRE(setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  at.sin_port = htons(port_);
  socklen_t size = sizeof at;
  REQUIRE(::bind(listener_, reinterpret_cast<sockaddr*>(&at), size) == 0);
  REQUIRE(::listen(listener_, 64) == 0);
  REQUIRE(getsockname(listener_, reinterpret_cast<sockaddr*>(&at), &size) == 0);
  port_ = ntohs(at.sin_port);
  acceptor_ = std::thread{[this] {
    accept_all();
  }};
}

void lan_machine::accept_all() {
  while (true) {
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    const std::lock_guard lock{mutex_};
    if (fd < 0 || stopping_) {
      if (fd >= 0)
        ::close(fd);
      if (stopping_)
        return;
      continue;
    }
    ++accepted_;
    if (refusing_) {
      ::close(fd);
      continue;
    }
    auto& s = sessions_.emplace_back();
    s.fd = fd;
    s.thread = std::thread{[this, &s] {
      serve(s);
    }};
    changed_.notify_all();
  }
}

void lan_machine::serve(session& s) {
  std::shared_ptr<SSL_CTX> context;
  {
    const std::lock_guard lock{mutex_};
    context = context_;
  }
  std::unique_ptr<SSL, net::openssl_free<SSL_free>> ssl;
  bool good = true;
  if (tls_) {
    ssl.reset(SSL_new(context.get()));
    SSL_set_fd(ssl.get(), s.fd);
    good = SSL_accept(ssl.get()) == 1;
  }
  firmware::connection http{fw};
  char buffer[16384];
  while (good) {
    const auto n = ssl ? SSL_read(ssl.get(), buffer, sizeof buffer)
                       : static_cast<int>(::recv(s.fd, buffer, sizeof buffer, 0));
    if (n <= 0)
      break;
    const auto reply = http.take({buffer, static_cast<std::size_t>(n)});
    for (std::size_t at = 0; at < reply.octets.size();) {
      const auto left = reply.octets.size() - at;
      const auto sent =
          ssl ? SSL_write(ssl.get(), reply.octets.data() + at, static_cast<int>(left))
              : static_cast<int>(::send(s.fd, reply.octets.data() + at, left, MSG_NOSIGNAL));
      if (sent <= 0)
        break;
      at += static_cast<std::size_t>(sent);
    }
    if (reply.close)
      break;
  }
  const std::lock_guard lock{mutex_};
  if (s.reset) {
    const linger hard{1, 0};
    setsockopt(s.fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  }
  ::close(s.fd);
  s.over = true;
  changed_.notify_all();
}

void lan_machine::fin_all() {
  const std::lock_guard lock{mutex_};
  for (auto& s : sessions_)
    if (!s.over)
      ::shutdown(s.fd, SHUT_RDWR);
}

void lan_machine::reset_all() {
  const std::lock_guard lock{mutex_};
  for (auto& s : sessions_)
    if (!s.over) {
      s.reset = true;
      ::shutdown(s.fd, SHUT_RD);
    }
}

void lan_machine::refuse(bool refused) {
  const std::lock_guard lock{mutex_};
  refusing_ = refused;
}

bool lan_machine::wait_connections(std::size_t n) {
  std::unique_lock lock{mutex_};
  return changed_.wait_for(lock, std::chrono::seconds{20}, [&] {
    std::size_t open = 0;
    for (const auto& s : sessions_)
      open += s.over ? 0 : 1;
    return open == n;
  });
}

} // namespace outband::test
