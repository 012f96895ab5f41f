#include "raw_device.hpp"

#include "messages/domain/ids.hpp"
#include "tests/support/process.hpp"

#include <doctest/doctest.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <arpa/inet.h>
#include <chrono>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>

namespace outband::test {

namespace {

/// Long beyond anything that should happen; only so that a defect fails instead of hanging.
constexpr int patience_ms = static_cast<int>(std::chrono::milliseconds(patience).count());

bool wait_for(int fd, short what) {
  pollfd p{fd, what, 0};
  return ::poll(&p, 1, patience_ms) == 1;
}

} // namespace

apf::wire_guid wire_guid_of(std::string_view text) {
  return swap_smbios(*parse_uuid(text)).bytes;
}

raw_device::raw_device(std::uint16_t port) {
  fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int on = 1;
  ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  REQUIRE(::connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0);
}

raw_device::~raw_device() {
  ssl_.reset();
  if (fd_ >= 0)
    ::close(fd_);
}

bool raw_device::start_tls(const device_options& o) {
  if (o.receive_buffer > 0) {
    const int size = static_cast<int>(o.receive_buffer);
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  }
  context_.reset(SSL_CTX_new(TLS_client_method()));
  auto* c = context_.get();
  SSL_CTX_set_security_level(c, o.security_level);
  SSL_CTX_set_options(c, SSL_OP_IGNORE_UNEXPECTED_EOF);
  REQUIRE(SSL_CTX_set_min_proto_version(c, o.min_tls) == 1);
  REQUIRE(SSL_CTX_set_max_proto_version(c, o.max_tls) == 1);
  if (!o.ciphers.empty())
    REQUIRE(SSL_CTX_set_cipher_list(c, o.ciphers.c_str()) == 1);
  if (!o.trust_pem.empty()) {
    BIO* bio = BIO_new_mem_buf(o.trust_pem.data(), static_cast<int>(o.trust_pem.size()));
    X509* root = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
    X509_STORE_add_cert(SSL_CTX_get_cert_store(c), root);
    X509_free(root);
    BIO_free(bio);
    SSL_CTX_set_verify(c, SSL_VERIFY_PEER, nullptr);
  }
  ssl_.reset(SSL_new(c));
  SSL_set_fd(ssl_.get(), fd_);
  timeval limit{patience_ms / 1000, 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  ERR_clear_error();
  if (SSL_connect(ssl_.get()) == 1)
    return true;
  const auto code = ERR_get_error();
  const char* text = code != 0 ? ERR_reason_error_string(code) : nullptr;
  tls_error_ = text != nullptr ? text : "no reason";
  return false;
}

void raw_device::send_plain(std::string_view octets) {
  while (!octets.empty()) {
    const auto n = ::send(fd_, octets.data(), octets.size(), MSG_NOSIGNAL);
    if (n <= 0)
      return;
    octets.remove_prefix(static_cast<std::size_t>(n));
  }
}

std::string raw_device::read_plain_to_end() {
  std::string all;
  char room[4096];
  while (true) {
    REQUIRE(wait_for(fd_, POLLIN));
    const auto n = ::recv(fd_, room, sizeof room, 0);
    if (n <= 0)
      return all;
    all.append(room, static_cast<std::size_t>(n));
  }
}

void raw_device::send(std::string_view octets) {
  while (!octets.empty()) {
    std::size_t n = 0;
    if (SSL_write_ex(ssl_.get(), octets.data(), octets.size(), &n) != 1)
      return; // the server has closed: what the test expects next will tell
    octets.remove_prefix(n);
  }
}

bool raw_device::try_send(std::string_view octets) {
  if (pollfd p{fd_, POLLOUT, 0}; ::poll(&p, 1, 0) != 1)
    return false;
  send(octets);
  return true;
}

bool raw_device::fill() {
  char room[16384];
  std::size_t n = 0;
  ERR_clear_error();
  if (SSL_read_ex(ssl_.get(), room, sizeof room, &n) != 1) {
    const int why = SSL_get_error(ssl_.get(), 0);
    if (why == SSL_ERROR_WANT_READ || (why == SSL_ERROR_SYSCALL && errno == EAGAIN))
      throw std::runtime_error{"the server says nothing"};
    return false;
  }
  transcript_.append(room, n);
  in_.erase(0, at_);
  at_ = 0;
  in_.append(room, n);
  return true;
}

apf::message raw_device::next() {
  while (true) {
    std::string_view rest = std::string_view{in_}.substr(at_);
    auto item = decoder_.next(rest);
    at_ = in_.size() - rest.size();
    if (auto* m = std::get_if<apf::message>(&item)) {
      if (const auto* k = std::get_if<apf::keepalive_request>(m); k != nullptr && polite) {
        send(apf::keepalive_reply{k->cookie});
        continue;
      }
      if (const auto* k = std::get_if<apf::keepalive_options_request>(m); k != nullptr && polite) {
        send(apf::keepalive_options_reply{k->interval_s, k->timeout_s});
        continue;
      }
      if (auto* d = std::get_if<apf::channel_data>(m)) {
        kept_.assign(d->data);
        d->data = kept_;
      }
      return std::move(*m);
    }
    if (const auto* d = std::get_if<apf::defect>(&item))
      throw std::runtime_error{"the server does not speak APF: " + apf::to_string(*d)};
    if (!fill())
      throw std::runtime_error{"the server has closed the connection"};
  }
}

void raw_device::surprised(const apf::message& m) {
  throw std::runtime_error{"unexpected " + std::string{apf::to_string(apf::type_of(m))}};
}

void raw_device::expect_end() {
  while (fill())
    at_ = in_.size();
}

void raw_device::log_in(std::string_view guid, std::string_view user, std::string_view password) {
  apf::protocol_version v;
  v.guid = wire_guid_of(guid);
  send(v);
  send(apf::service_request{std::string{apf::auth_service_name}});
  expect<apf::service_accept>();
  apf::userauth_request a;
  a.user = user;
  a.password = password;
  send(a);
  expect<apf::userauth_success>();
  send(apf::service_request{std::string{apf::pfwd_service_name}});
  expect<apf::service_accept>();
}

void raw_device::announce(std::uint32_t port) {
  REQUIRE(decoder_.asked_forward());
  send(apf::tcpip_forward{true, "machine", port});
  CHECK(expect<apf::request_success>().port == port);
}

void raw_device::fin() {
  SSL_shutdown(ssl_.get());
  ::shutdown(fd_, SHUT_WR);
}

void raw_device::reset() {
  const linger now{1, 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  ::close(fd_);
  fd_ = -1;
}

} // namespace outband::test
