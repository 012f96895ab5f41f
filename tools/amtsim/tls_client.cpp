#include "tools/amtsim/tls_client.hpp"

#include <boost/asio/post.hpp>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <array>
#include <cerrno>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace outband::amtsim {

namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr std::size_t max_queued = 256 << 10;
constexpr int max_reads_in_a_row = 8; ///< then others on this thread have their turn

std::string ssl_error_text() {
  const auto code = ERR_get_error();
  if (code == 0)
    return "TLS failed";
  std::array<char, 256> text{};
  ERR_error_string_n(code, text.data(), text.size());
  return text.data();
}

std::string system_text(int code) {
  return std::system_category().message(code);
}

} // namespace

tls_context::tls_context(const std::string& root_file, std::string common_name, int highest)
    : context_(SSL_CTX_new(TLS_client_method())), common_name_(std::move(common_name)) {
  if (context_ == nullptr ||
      (!root_file.empty() && SSL_CTX_load_verify_file(context_, root_file.c_str()) != 1)) {
    SSL_CTX_free(context_);
    throw std::runtime_error("no certificate could be read from '" + root_file + "'");
  }
  configure(highest);
}

tls_context::tls_context(const std::vector<std::string>& roots, std::string common_name,
                         int highest)
    : context_(SSL_CTX_new(TLS_client_method())), common_name_(std::move(common_name)) {
  if (context_ == nullptr)
    throw std::runtime_error("out of memory");
  for (const auto& der : roots) {
    const auto* at = reinterpret_cast<const unsigned char*>(der.data());
    X509* root = d2i_X509(nullptr, &at, static_cast<long>(der.size()));
    if (root != nullptr)
      X509_STORE_add_cert(SSL_CTX_get_cert_store(context_), root);
    X509_free(root);
  }
  configure(highest);
}

void tls_context::configure(int highest) {
  SSL_CTX_set_min_proto_version(context_, TLS1_2_VERSION);
  SSL_CTX_set_max_proto_version(context_, highest == 13 ? TLS1_3_VERSION : TLS1_2_VERSION);
  SSL_CTX_set_verify(context_, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_options(context_, SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_session_cache_mode(context_, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(context_, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  // The extensions of what is trusted are read now. OpenSSL would do it at the first handshake, in
  // whatever thread that runs, and tell the others by an atomic that ThreadSanitizer does not see.
  const auto* trusted = X509_STORE_get0_objects(SSL_CTX_get_cert_store(context_));
  for (int i = 0; i < sk_X509_OBJECT_num(trusted); ++i)
    if (auto* root = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(trusted, i)))
      X509_check_purpose(root, -1, 0);
}

shared_tls tls_contexts::trusting(const std::vector<std::string>& roots,
                                  const std::string& common_name) {
  std::string key = common_name;
  for (const auto& r : roots)
    key += '\0' + r;
  const std::lock_guard lock(mutex_);
  auto& known = known_[key];
  auto out = known.lock();
  if (!out) {
    out = std::make_shared<const tls_context>(roots, common_name, highest_);
    known = out;
  }
  return out;
}

tls_context::~tls_context() {
  SSL_CTX_free(context_);
}

void tls_client::free_ssl::operator()(SSL* s) const {
  SSL_free(s);
}

tls_client::tls_client(asio::io_context& io, listener& to) : socket_(io), to_(to) {}

tls_client::~tls_client() = default;

void tls_client::connect(const asio::ip::tcp::endpoint& to, shared_tls trust) {
  close();
  context_ = std::move(trust);
  state_ = state::connecting;
  socket_.async_connect(to, [this, mine = generation_](error_code ec) {
    if (mine != generation_)
      return;
    if (ec)
      return fail("connect: " + ec.message());
    socket_.non_blocking(true, ec);
    socket_.set_option(asio::ip::tcp::no_delay(true), ec);
    ssl_.reset(SSL_new(context_->native()));
    if (!ssl_ || SSL_set_fd(ssl_.get(), static_cast<int>(socket_.native_handle())) != 1)
      return fail("out of memory");
    SSL_set_connect_state(ssl_.get());
    state_ = state::handshake;
    handshake();
  });
}

void tls_client::handshake() {
  ERR_clear_error();
  const int rc = SSL_do_handshake(ssl_.get());
  if (rc == 1) {
    std::string why;
    if (!peer_is_right(why))
      return fail(why);
    state_ = state::up;
    const auto mine = generation_;
    to_.tls_up();
    if (mine == generation_)
      read(); // what came together with the handshake's last message
    return;
  }
  const int error = SSL_get_error(ssl_.get(), rc);
  if (error == SSL_ERROR_WANT_READ)
    return wait_readable();
  if (error == SSL_ERROR_WANT_WRITE)
    return wait_writable();
  const auto verified = SSL_get_verify_result(ssl_.get());
  if (verified != X509_V_OK)
    return fail(std::string("the server's certificate is not trusted: ") +
                X509_verify_cert_error_string(verified));
  fail(error == SSL_ERROR_SYSCALL ? "the server ended the TLS handshake" : ssl_error_text());
}

bool tls_client::peer_is_right(std::string& why) const {
  X509* leaf = SSL_get0_peer_certificate(ssl_.get());
  std::array<char, 256> name{};
  if (leaf == nullptr || X509_NAME_get_text_by_NID(X509_get_subject_name(leaf), NID_commonName,
                                                   name.data(), name.size()) < 0) {
    why = "the server's certificate has no common name";
    return false;
  }
  if (context_->common_name() == name.data())
    return true;
  why = std::string("the server's certificate is for '") + name.data() + "', not for '" +
        context_->common_name() + "'";
  return false;
}

void tls_client::wait_readable() {
  if (reading_)
    return;
  reading_ = true;
  socket_.async_wait(asio::socket_base::wait_read, [this, mine = generation_](error_code ec) {
    if (mine != generation_)
      return;
    reading_ = false;
    if (ec)
      return fail(ec.message());
    if (state_ == state::handshake)
      handshake();
    else
      read();
  });
}

void tls_client::wait_writable() {
  if (writing_)
    return;
  writing_ = true;
  socket_.async_wait(asio::socket_base::wait_write, [this, mine = generation_](error_code ec) {
    if (mine != generation_)
      return;
    writing_ = false;
    if (ec)
      return fail(ec.message());
    if (state_ == state::handshake)
      handshake();
    else
      flush();
  });
}

void tls_client::read() {
  if (paused_ || state_ != state::up)
    return;
  // One buffer per thread: whoever gets octets is done with them when tls_data() returns.
  thread_local std::array<char, 16384> buffer;
  const auto mine = generation_;
  for (int i = 0; i < max_reads_in_a_row; ++i) {
    ERR_clear_error();
    std::size_t got = 0;
    if (SSL_read_ex(ssl_.get(), buffer.data(), buffer.size(), &got) == 1) {
      to_.tls_data({buffer.data(), got});
      if (mine != generation_ || paused_)
        return;
      continue;
    }
    const int saved = errno;
    switch (SSL_get_error(ssl_.get(), 0)) {
    case SSL_ERROR_WANT_READ:
      return wait_readable();
    case SSL_ERROR_WANT_WRITE:
      return wait_writable();
    case SSL_ERROR_ZERO_RETURN:
      return fail("the server closed the connection");
    case SSL_ERROR_SYSCALL:
      return fail(saved == 0 ? "the server closed the connection" : system_text(saved));
    default:
      return fail(ssl_error_text());
    }
  }
  asio::post(socket_.get_executor(), [this, mine] {
    if (mine == generation_)
      read();
  });
}

bool tls_client::send(std::string_view record) {
  if (state_ != state::up)
    return false;
  std::size_t queued = record.size();
  for (const auto& q : queue_)
    queued += q.size();
  if (queued > max_queued) {
    asio::post(socket_.get_executor(), [this, mine = generation_] {
      if (mine == generation_)
        fail("the server does not read");
    });
    return false;
  }
  queue_.emplace_back(record);
  if (queue_.size() == 1 && !writing_)
    flush();
  return true;
}

void tls_client::flush() {
  if (paused_ || state_ != state::up)
    return;
  std::size_t done = 0;
  for (; done < queue_.size(); ++done) {
    ERR_clear_error();
    std::size_t put = 0;
    const auto& record = queue_[done];
    if (SSL_write_ex(ssl_.get(), record.data(), record.size(), &put) == 1)
      continue;
    const int error = SSL_get_error(ssl_.get(), 0);
    queue_.erase(queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(done));
    if (error == SSL_ERROR_WANT_WRITE)
      return wait_writable();
    if (error == SSL_ERROR_WANT_READ)
      return wait_readable();
    // Said later: send() must not call back.
    asio::post(socket_.get_executor(), [this, mine = generation_] {
      if (mine == generation_)
        fail("the server closed the connection");
    });
    return;
  }
  std::vector<std::string>{}.swap(queue_);
}

void tls_client::pause(bool on) {
  if (paused_ == on)
    return;
  paused_ = on;
  if (on || state_ != state::up)
    return;
  asio::post(socket_.get_executor(), [this, mine = generation_] {
    if (mine != generation_)
      return;
    flush();
    read();
  });
}

void tls_client::fail(const std::string& why) {
  close();
  to_.tls_down(why);
}

void tls_client::close() {
  ++generation_;
  if (ssl_ && state_ == state::up && !paused_)
    SSL_shutdown(ssl_.get()); // close_notify, if the kernel takes it at once
  ssl_.reset();
  error_code ignored;
  socket_.close(ignored);
  std::vector<std::string>{}.swap(queue_);
  state_ = state::down;
  paused_ = reading_ = writing_ = false;
}

void tls_client::reset() {
  error_code ignored;
  socket_.set_option(asio::socket_base::linger(true, 0), ignored);
  paused_ = true; // no close_notify
  close();
}

} // namespace outband::amtsim
