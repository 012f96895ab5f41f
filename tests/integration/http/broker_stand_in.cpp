#include "tests/integration/http/broker_stand_in.hpp"

#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <arpa/inet.h>
#include <list>
#include <mutex>
#include <netinet/in.h>
#include <stdexcept>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

namespace outband::test {

struct broker_stand_in::state {
  manner how = manner::echo;
  int listener = -1;
  SSL_CTX* ctx = nullptr;
  std::atomic<int> accepted{0};
  std::atomic<bool> ending{false};
  std::mutex mutex;
  std::list<std::thread> threads;
  std::list<int> sockets;
  std::thread loop;

  void serve(int fd) {
    SSL* ssl = nullptr;
    bool ok = true;
    if (ctx) {
      ssl = SSL_new(ctx);
      SSL_set_fd(ssl, fd);
      ok = SSL_accept(ssl) == 1;
    }
    if (ok) {
      ++accepted;
      char buffer[8192];
      while (how == manner::echo && !ending) {
        auto n = ssl ? SSL_read(ssl, buffer, sizeof buffer) : ::recv(fd, buffer, sizeof buffer, 0);
        if (n <= 0)
          break;
        if ((ssl ? SSL_write(ssl, buffer, static_cast<int>(n))
                 : ::send(fd, buffer, static_cast<std::size_t>(n), MSG_NOSIGNAL)) <= 0)
          break;
      }
      char one;
      while (how == manner::never_read && !ending && ::recv(fd, &one, 1, MSG_PEEK) > 0)
        std::this_thread::yield(); // alive, but nothing is ever taken
    }
    if (ssl)
      SSL_free(ssl);
    ::shutdown(fd, SHUT_RDWR);
  }
};

broker_stand_in::broker_stand_in(manner m, const std::string& chain_pem, const std::string& key_pem)
    : state_(new state) {
  auto& s = *state_;
  s.how = m;
  if (!chain_pem.empty()) {
    s.ctx = SSL_CTX_new(TLS_server_method());
    auto* cert = BIO_new_mem_buf(chain_pem.data(), static_cast<int>(chain_pem.size()));
    auto* key = BIO_new_mem_buf(key_pem.data(), static_cast<int>(key_pem.size()));
    auto* x = PEM_read_bio_X509(cert, nullptr, nullptr, nullptr);
    auto* k = PEM_read_bio_PrivateKey(key, nullptr, nullptr, nullptr);
    if (SSL_CTX_use_certificate(s.ctx, x) != 1 || SSL_CTX_use_PrivateKey(s.ctx, k) != 1)
      throw std::runtime_error("the stand-in's certificate does not work");
    X509_free(x);
    EVP_PKEY_free(k);
    BIO_free(cert);
    BIO_free(key);
  }
  s.listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof at;
  if (::bind(s.listener, reinterpret_cast<sockaddr*>(&at), size) != 0 ||
      ::listen(s.listener, 16) != 0)
    throw std::runtime_error("the stand-in cannot listen");
  ::getsockname(s.listener, reinterpret_cast<sockaddr*>(&at), &size);
  port_ = ntohs(at.sin_port);
  s.loop = std::thread([&s] {
    while (true) {
      int fd = ::accept(s.listener, nullptr, nullptr);
      if (fd < 0)
        return;
      std::lock_guard lock(s.mutex);
      s.sockets.push_back(fd);
      s.threads.emplace_back([&s, fd] { s.serve(fd); });
    }
  });
}

broker_stand_in::~broker_stand_in() {
  auto& s = *state_;
  s.ending = true;
  ::shutdown(s.listener, SHUT_RDWR);
  s.loop.join();
  for (int fd : s.sockets)
    ::shutdown(fd, SHUT_RDWR);
  for (auto& t : s.threads)
    t.join();
  for (int fd : s.sockets)
    ::close(fd);
  ::close(s.listener);
  if (s.ctx)
    SSL_CTX_free(s.ctx);
}

int broker_stand_in::accepted() const {
  return state_->accepted;
}

} // namespace outband::test
