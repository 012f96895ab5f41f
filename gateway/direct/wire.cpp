#include "gateway/direct/wire.hpp"

#include "gateway/direct/client_tls.hpp"
#include "gateway/net/tls_context.hpp"

#include <boost/asio/post.hpp>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace outband::direct {

namespace asio = net::asio;
using net::error_code;

namespace {

constexpr std::size_t read_per_turn = 64 << 10;

void set(int socket, int level, int name, int value) {
  // What the kernel does not know it does not do; silence() then judges by what there is.
  (void)setsockopt(socket, level, name, &value, sizeof value);
}

} // namespace

wire::wire(asio::io_context& context, net::timers& timers, read_buffer& buffer, const options& o,
           wire_owner& owner, ssl_ctx_st* tls)
    : context_(context), timers_(timers), buffer_(buffer), opts_(o), owner_(&owner),
      tls_context_(tls), socket_(context) {}

wire::~wire() = default;

void wire::connect(const endpoint& to) {
  timers_.arm(deadline_, opts_.connect);
  socket_.async_connect(to, [self = shared_from_this()](const error_code& ec) {
    if (self->state_ == state::connecting)
      self->connected(ec);
  });
}

void wire::connected(const error_code& ec) {
  if (ec) {
    failed(false, ec.message());
    return;
  }
  watch();
  if (tls_context_ == nullptr) {
    error_code ignored;
    socket_.non_blocking(true, ignored);
    opened();
    return;
  }
  state_ = state::shaking;
  timers_.arm(deadline_, opts_.tls);
  tls_.emplace(std::move(socket_), tls_context_);
  tls_->async_connect_tls([self = shared_from_this()](const error_code& e) {
    if (self->state_ != state::shaking)
      return;
    if (!e) {
      self->opened();
      return;
    }
    const bool left = e == asio::error::eof || e == asio::error::connection_reset ||
                      e == asio::error::broken_pipe;
    self->failed(true, left ? "it closed the connection during the TLS handshake"
                            : "the TLS handshake failed: " + e.message());
  });
}

/// Two missed probes make a machine late, `down_after` ends the connection; the kernel does it.
void wire::watch() {
  error_code ignored;
  socket_.set_option(asio::ip::tcp::no_delay{true}, ignored);
  const auto fd = socket_.native_handle();
  set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  set(fd, IPPROTO_TCP, TCP_KEEPIDLE, static_cast<int>(opts_.probe_after.count()));
  set(fd, IPPROTO_TCP, TCP_KEEPINTVL, static_cast<int>(opts_.probe_again.count()));
  const auto down = std::chrono::duration_cast<std::chrono::seconds>(opts_.down_after);
  const auto left = std::max<std::int64_t>(0, (down - opts_.probe_after).count());
  const auto probes = left / std::max<std::int64_t>(1, opts_.probe_again.count()) + 1;
  set(fd, IPPROTO_TCP, TCP_KEEPCNT, static_cast<int>(std::min<std::int64_t>(probes, 100)));
  set(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, static_cast<int>(opts_.down_after.count()));
}

void wire::opened() {
  deadline_.cancel();
  state_ = state::open;
  opened_ = heard_ = clock::now();
  owner_->wire_open(*this);
  if (state_ == state::open)
    pump();
}

void wire::too_slow() {
  failed(state_ == state::shaking,
         state_ == state::shaking ? "the TLS handshake took too long" : "it does not answer");
}

void wire::failed(bool spoke, std::string why) {
  auto* const owner = owner_;
  const auto self = shared_from_this();
  close();
  if (owner != nullptr)
    owner->wire_failed(*this, spoke, why);
}

void wire::lost(bool orderly, std::string why) {
  auto* const owner = owner_;
  const auto self = shared_from_this();
  close();
  if (owner != nullptr)
    owner->wire_lost(*this, orderly, why);
}

void wire::close() {
  if (state_ == state::closed)
    return;
  const bool was_open = std::exchange(state_, state::closed) == state::open;
  owner_ = nullptr;
  deadline_.cancel();
  if (was_open && tls_) {
    ERR_clear_error();
    SSL_shutdown(tls_->native_handle()); // close_notify; the answer is not waited for
  }
  error_code ignored;
  socket().close(ignored);
  std::string{}.swap(out_);
  sent_ = 0;
}

std::string wire::certificate() const {
  return tls_ ? fingerprint(const_cast<net::lean_tls_stream&>(*tls_).native_handle())
              : std::string{};
}

std::chrono::milliseconds wire::silence() const {
  const auto fd = const_cast<wire*>(this)->socket().native_handle();
  if (opts_.silence)
    return opts_.silence(fd);
  tcp_info info{};
  socklen_t size = sizeof info;
  if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0)
    return std::chrono::duration_cast<std::chrono::milliseconds>(clock::now() - heard_);
  return std::chrono::milliseconds(std::min(info.tcpi_last_ack_recv, info.tcpi_last_data_recv));
}

// -- reading ----------------------------------------------------------------------------------

wire::got wire::read(std::size_t& n, std::string& why) {
  if (!tls_) {
    error_code ec;
    n = socket_.receive(asio::buffer(buffer_), 0, ec);
    if (!ec && n > 0)
      return got::octets;
    if (ec == asio::error::would_block || ec == asio::error::interrupted)
      return got::later;
    if (!ec || ec == asio::error::eof)
      return got::end;
    why = ec.message();
    return got::broken;
  }
  ERR_clear_error();
  errno = 0;
  const int rc = SSL_read_ex(tls_->native_handle(), buffer_.data(), buffer_.size(), &n);
  if (rc == 1)
    return got::octets;
  const int error = SSL_get_error(tls_->native_handle(), rc);
  const int system_error = errno;
  if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) // renegotiation is off
    return got::later;
  if (error == SSL_ERROR_ZERO_RETURN || (error == SSL_ERROR_SYSCALL && system_error == 0))
    return got::end;
  if (error == SSL_ERROR_SSL &&
      ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING)
    return got::end; // a FIN without a close_notify, as firmware does it
  why = error == SSL_ERROR_SYSCALL ? std::strerror(system_error) : "TLS: " + net::tls_error_text();
  return got::broken;
}

void wire::pump() {
  if (pumping_)
    return; // consumed() from inside wire_data()
  pumping_ = true;
  const auto self = shared_from_this();
  std::size_t budget = read_per_turn;
  while (state_ == state::open && unconsumed_ < opts_.receive_window) {
    if (budget == 0) {
      asio::post(context_, [self] { self->pump(); }); // others first
      break;
    }
    std::size_t n = 0;
    std::string why;
    const auto what = read(n, why);
    if (what == got::octets) {
      heard_ = clock::now();
      used_ = true;
      unconsumed_ += n;
      budget -= std::min(budget, n);
      owner_->wire_data(*this, {buffer_.data(), n});
      continue;
    }
    if (what == got::later)
      wait_readable();
    else if (what == got::end)
      lost(true, "The machine closed the connection.");
    else
      lost(clock::now() - heard_ < opts_.own_reset, std::move(why));
    break;
  }
  pumping_ = false;
}

void wire::wait_readable() {
  if (waiting_to_read_)
    return;
  waiting_to_read_ = true;
  socket().async_wait(asio::socket_base::wait_read,
                      [self = shared_from_this()](const error_code& ec) {
                        self->waiting_to_read_ = false;
                        if (!ec && self->state_ == state::open)
                          self->pump();
                      });
}

void wire::consumed(std::size_t octets) {
  unconsumed_ -= std::min(unconsumed_, octets);
  if (state_ == state::open && !waiting_to_read_ && unconsumed_ < opts_.receive_window)
    pump();
}

// -- writing ----------------------------------------------------------------------------------

std::size_t wire::write(std::string_view octets) {
  std::size_t taken = 0;
  while (taken < octets.size() && state_ == state::open) {
    const auto room = opts_.max_unsent - std::min(out_.size() - sent_, opts_.max_unsent);
    if (room == 0) {
      starved_ = true;
      break;
    }
    const auto n = std::min(octets.size() - taken, room);
    out_.append(octets.substr(taken, n));
    taken += n;
    flush();
  }
  return taken;
}

void wire::flush() {
  if (waiting_to_write_ || state_ != state::open)
    return;
  while (sent_ < out_.size()) {
    std::size_t n = 0;
    bool later = false;
    if (tls_) {
      ERR_clear_error();
      const int rc =
          SSL_write_ex(tls_->native_handle(), out_.data() + sent_, out_.size() - sent_, &n);
      later = rc != 1;
      if (later && SSL_get_error(tls_->native_handle(), rc) != SSL_ERROR_WANT_WRITE)
        return; // broken; reading tells how, and who asked is told by it
    } else {
      error_code ec;
      n = socket_.send(asio::buffer(out_.data() + sent_, out_.size() - sent_), MSG_NOSIGNAL, ec);
      later = !!ec;
      if (ec && ec != asio::error::would_block && ec != asio::error::interrupted)
        return; // as above
    }
    if (later) {
      wait_writable();
      return;
    }
    sent_ += n;
  }
  std::string{}.swap(out_); // an idle connection keeps no buffer
  sent_ = 0;
}

void wire::wait_writable() {
  waiting_to_write_ = true;
  socket().async_wait(
      asio::socket_base::wait_write, [self = shared_from_this()](const error_code& ec) {
        self->waiting_to_write_ = false;
        if (ec || self->state_ != state::open)
          return;
        self->flush();
        if (self->starved_ && self->out_.size() - self->sent_ <= self->opts_.max_unsent / 2) {
          self->starved_ = false;
          if (self->owner_ != nullptr)
            self->owner_->wire_writable(*self);
        }
      });
}

} // namespace outband::direct
