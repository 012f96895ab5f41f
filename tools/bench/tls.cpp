#include "tools/bench/tls.hpp"

#include <arpa/inet.h>
#include <cerrno>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>

namespace outband::bench {

namespace {

constexpr const char* suites = "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
                               "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256";
constexpr const char* curves = "P-256:P-384:X25519";

void common(SSL_CTX* c) {
  SSL_CTX_set_options(c, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                             SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_mode(c, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                          SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_read_ahead(c, 1);
  SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
}

} // namespace

void free_context::operator()(SSL_CTX* c) const {
  SSL_CTX_free(c);
}

void tls_socket::free_ssl::operator()(SSL* s) const {
  SSL_free(s);
}

context_ptr client_context(int version) {
  context_ptr out(SSL_CTX_new(TLS_client_method()));
  const int number = version == 13 ? TLS1_3_VERSION : TLS1_2_VERSION;
  if (!out || SSL_CTX_set_min_proto_version(out.get(), number) != 1 ||
      SSL_CTX_set_max_proto_version(out.get(), number) != 1 ||
      SSL_CTX_set1_curves_list(out.get(), curves) != 1)
    throw std::runtime_error("OpenSSL gives no client context");
  common(out.get());
  SSL_CTX_set_options(out.get(), SSL_OP_NO_TICKET);
  SSL_CTX_set_verify(out.get(), SSL_VERIFY_NONE, nullptr);
  return out;
}

context_ptr server_context(const std::string& chain_file, const std::string& key_file) {
  context_ptr out(SSL_CTX_new(TLS_server_method()));
  if (!out || SSL_CTX_set_min_proto_version(out.get(), TLS1_2_VERSION) != 1 ||
      SSL_CTX_set1_curves_list(out.get(), curves) != 1 ||
      SSL_CTX_set_cipher_list(out.get(), suites) != 1 ||
      SSL_CTX_use_certificate_chain_file(out.get(), chain_file.c_str()) != 1 ||
      SSL_CTX_use_PrivateKey_file(out.get(), key_file.c_str(), SSL_FILETYPE_PEM) != 1)
    throw std::runtime_error("no usable certificate and key in " + chain_file + ", " + key_file);
  common(out.get());
  SSL_CTX_set_options(out.get(), SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_num_tickets(out.get(), 0);
  return out;
}

void tls_socket::begin(SSL_CTX* context, int fd) {
  close();
  fd_ = fd;
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ssl_.reset(SSL_new(context));
  if (!ssl_ || SSL_set_fd(ssl_.get(), fd) != 1)
    throw std::runtime_error("out of memory");
}

bool tls_socket::connect(SSL_CTX* context, std::uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0)
    return false;
  begin(context, fd);
  // Lest thousands of closed connections keep others from binding their ports for a minute.
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  SSL_set_connect_state(ssl_.get());
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  now_ = state::connecting;
  if (::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0 && errno != EINPROGRESS)
    now_ = state::over;
  return true;
}

void tls_socket::accept(SSL_CTX* context, int fd) {
  begin(context, fd);
  SSL_set_accept_state(ssl_.get());
  now_ = state::handshake;
}

bool tls_socket::waits(int rc) {
  const int error = SSL_get_error(ssl_.get(), rc);
  if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)
    return true;
  now_ = state::over;
  return false;
}

void tls_socket::handshake() {
  ERR_clear_error();
  const int rc = SSL_do_handshake(ssl_.get());
  if (rc == 1)
    now_ = state::up;
  else
    waits(rc);
}

tls_socket::state tls_socket::advance() {
  if (now_ == state::connecting) {
    int error = 0;
    socklen_t size = sizeof error;
    sockaddr_in peer{};
    socklen_t peer_size = sizeof peer;
    if (getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error != 0)
      now_ = state::over;
    else if (getpeername(fd_, reinterpret_cast<sockaddr*>(&peer), &peer_size) == 0)
      now_ = state::handshake;
  }
  if (now_ == state::handshake)
    handshake();
  if (now_ == state::up && !out_.empty())
    flush();
  return now_;
}

std::size_t tls_socket::read(char* to, std::size_t room) {
  if (now_ != state::up)
    return 0;
  ERR_clear_error();
  std::size_t got = 0;
  const int rc = SSL_read_ex(ssl_.get(), to, room, &got);
  if (rc == 1)
    return got;
  waits(rc);
  return 0;
}

void tls_socket::flush() {
  std::size_t done = 0;
  while (done < out_.size()) {
    ERR_clear_error();
    std::size_t put = 0;
    const int rc = SSL_write_ex(ssl_.get(), out_.data() + done, out_.size() - done, &put);
    if (rc != 1) {
      waits(rc);
      break;
    }
    done += put;
  }
  if (done == out_.size())
    std::string{}.swap(out_);
  else
    out_.erase(0, done);
}

void tls_socket::send(std::string_view octets) {
  if (now_ != state::up || octets.empty())
    return;
  if (out_.empty()) {
    ERR_clear_error();
    std::size_t put = 0;
    const int rc = SSL_write_ex(ssl_.get(), octets.data(), octets.size(), &put);
    if (rc != 1 && !waits(rc))
      return;
    octets.remove_prefix(put);
    if (octets.empty())
      return;
  }
  out_.append(octets);
}

void tls_socket::close() {
  if (ssl_ && now_ == state::up)
    SSL_shutdown(ssl_.get());
  cut();
}

void tls_socket::cut() {
  ssl_.reset();
  std::string{}.swap(out_);
  if (fd_ >= 0)
    ::close(fd_);
  fd_ = -1;
  now_ = state::none;
}

} // namespace outband::bench
