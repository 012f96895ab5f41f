#include "gateway/cira/greeting.hpp"

#include "gateway/cira/tunnel.hpp"

#include <spdlog/spdlog.h>

#include <openssl/sslerr.h>
#include <poll.h>

namespace outband::cira {

namespace asio = net::asio;
using net::error_code;

namespace {

constexpr char tls_handshake_record = 0x16;
constexpr std::size_t max_http = 8 << 10;

constexpr std::string_view http_body =
    "<!DOCTYPE html><html><body><p>This port is for Intel AMT machines (CIRA). The web page and "
    "the REST interface are on the HTTPS port.</p></body></html>\n";

/// What the person who reads the log can do about a failed handshake.
const char* advice_for(const error_code& ec) {
  if (ec.category() != asio::error::get_ssl_category())
    return "the machine broke off: does it trust our root, and is the configured name our "
           "certificate's common name? (configure CIRA again)";
  switch (ERR_GET_REASON(static_cast<unsigned long>(ec.value()))) {
  case SSL_R_UNSUPPORTED_PROTOCOL:
  case SSL_R_VERSION_TOO_LOW:
  case SSL_R_WRONG_VERSION_NUMBER:
    return "its TLS is too old: update the firmware, or open the legacy listener for it";
  case SSL_R_NO_SHARED_CIPHER:
    return "no suite in common: update the firmware, or open the legacy listener for it";
  case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
  case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
  case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    return "it does not accept our certificate: configure CIRA again with our root and our common "
           "name; AMT 12 also refuses 3072 bit keys";
  default:
    return "if it is a machine of yours, update its firmware and configure CIRA again";
  }
}

} // namespace

greeting::greeting(std::shared_ptr<lane> l, asio::ip::tcp::socket socket, endpoint peer,
                   bool legacy)
    : home_(std::move(l)), lane_(*home_), socket_(std::move(socket)), peer_(peer), legacy_(legacy) {
}

void greeting::start() {
  lane_.add(shared_from_this());
  lane_.timers.arm(deadline_, lane_.shared->opts.tls_deadline);
  error_code ignored;
  socket_->set_option(asio::ip::tcp::no_delay{true}, ignored);
  socket_->non_blocking(true, ignored);
  socket_->async_wait(asio::socket_base::wait_read, [self = shared_from_this()](error_code ec) {
    if (!self->gone() && !ec)
      self->look();
  });
}

void greeting::look() {
  char first = 0;
  error_code ec;
  const auto n = socket_->receive(asio::buffer(&first, 1), asio::socket_base::message_peek, ec);
  if (ec == asio::error::would_block) {
    socket_->async_wait(asio::socket_base::wait_read, [self = shared_from_this()](error_code e) {
      if (!self->gone() && !e)
        self->look();
    });
    return;
  }
  if (ec || n == 0) {
    leave(gate::outcome::neutral, {}); // a load balancer's probe
    return;
  }
  saw_octets_ = true;
  if (first == tls_handshake_record)
    wait_for_turn();
  else if (first == 'G' || first == 'H')
    read_http();
  else {
    not_tls_ = true;
    leave(gate::outcome::failed, "neither TLS nor HTTP",
          "only machines with CIRA belong on this port");
  }
}

/// It is not the machine's fault that it has to wait: no deadline meanwhile, and whoever gives up
/// is no failure of its address. A fleet behind one NAT would lock itself out in a storm.
void greeting::wait_for_turn() {
  deadline_.cancel();
  lane_.key_exchanges.take([self = shared_from_this()] {
    if (self->gone())
      return;
    if (self->peer_has_left())
      self->leave(gate::outcome::neutral, {});
    else
      self->greet_tls();
  });
}

/// Also when there are octets to be read before the end: a key exchange for nobody is too dear.
bool greeting::peer_has_left() {
  pollfd p{socket_->native_handle(), POLLRDHUP, 0};
  return ::poll(&p, 1, 0) == 1;
}

void greeting::greet_tls() {
  lane_.timers.arm(deadline_, lane_.shared->opts.tls_deadline);
  const auto contexts = std::atomic_load(&lane_.shared->tls);
  const auto& context = legacy_ && contexts->legacy ? *contexts->legacy : contexts->modern;
  stream_.emplace(std::move(*socket_), context.get());
  socket_.reset();
  stream_->async_accept_tls([self = shared_from_this()](error_code ec) { self->tls_done(ec); });
}

void greeting::tls_done(error_code ec) {
  if (gone())
    return;
  if (ec) {
    const bool left = ec == asio::error::eof || ec == asio::error::connection_reset ||
                      ec == asio::error::broken_pipe;
    leave(gate::outcome::failed,
          left ? "the connection ended during the TLS handshake"
               : "the TLS handshake failed: " + ec.message(),
          advice_for(ec));
    return;
  }
  const auto self = shared_from_this();
  deadline_.cancel();
  settled_ = true; // the tunnel settles with the gate from here on
  const auto next = std::make_shared<tunnel>(home_, std::move(*stream_), peer_);
  stream_.reset();
  lane_.remove(*this);
  next->start();
}

void greeting::read_http() {
  not_tls_ = true;
  auto& room = *lane_.buffer;
  error_code ec;
  while (true) {
    const auto n = socket_->receive(asio::buffer(room), 0, ec);
    if (ec == asio::error::would_block)
      break;
    if (ec || n == 0) {
      leave(gate::outcome::failed, "the connection ended in the middle of plain text",
            "only machines with CIRA belong on this port");
      return;
    }
    http_.append(room.data(), n);
    const auto shown = std::string_view{http_}.substr(0, 5);
    const std::string_view get{"GET /"};
    const std::string_view head{"HEAD "};
    if (shown != get.substr(0, shown.size()) && shown != head.substr(0, shown.size())) {
      leave(gate::outcome::failed, "neither TLS nor HTTP",
            "only machines with CIRA belong on this port");
      return;
    }
    if (http_.find("\r\n\r\n") != std::string::npos || http_.size() > max_http) {
      answer_http();
      return;
    }
  }
  socket_->async_wait(asio::socket_base::wait_read, [self = shared_from_this()](error_code e) {
    if (!self->gone() && !e)
      self->read_http();
  });
}

void greeting::answer_http() {
  std::string text = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: " +
                     std::to_string(http_body.size()) + "\r\nConnection: close\r\n\r\n";
  if (http_[0] == 'G')
    text += http_body;
  error_code ec;
  // A fresh connection's send buffer holds this; if not, the peer goes without.
  socket_->send(asio::buffer(text), 0, ec);
  socket_->shutdown(asio::socket_base::shutdown_send, ec);
  answered_ = true;
  std::string{}.swap(http_);
  drain_http();
}

void greeting::drain_http() {
  // Closing with octets unread would reset the connection and destroy the answer on its way.
  error_code ec;
  std::size_t n = 0;
  std::size_t total = 0;
  do {
    n = socket_->receive(asio::buffer(*lane_.buffer), 0, ec);
    total += n;
  } while (!ec && n > 0 && total <= 4 * max_http);
  if (ec != asio::error::would_block) {
    leave(gate::outcome::neutral, {});
    return;
  }
  socket_->async_wait(asio::socket_base::wait_read, [self = shared_from_this()](error_code e) {
    if (!self->gone() && !e)
      self->drain_http();
  });
}

void greeting::deadline_passed() {
  if (answered_)
    leave(gate::outcome::neutral, {});
  else
    leave(gate::outcome::failed,
          saw_octets_ ? "the TLS handshake was not complete in time" : "it sent nothing",
          "if it is a machine of yours, look at the network between; otherwise block its address");
}

void greeting::shut() {
  if (!gone())
    leave(gate::outcome::neutral, {});
}

void greeting::leave(gate::outcome how, const std::string& reason, const char* advice) {
  if (gone())
    return;
  const auto self = shared_from_this();
  settled_ = true;
  deadline_.cancel();
  auto& shared = *lane_.shared;
  if (answered_)
    spdlog::info("cira: peer={} asked plain HTTP on the CIRA port and was told where to go",
                 text_of(peer_));
  else if (reason.empty())
    spdlog::debug("cira: peer={} opened and closed without a word", text_of(peer_));
  else {
    shared.counts.refuse(not_tls_ ? turned_away::not_tls : turned_away::tls);
    spdlog::warn("cira: refused peer={} reason=\"{}\" next=\"{}\"", text_of(peer_), reason, advice);
  }
  shared.door.settle(address_of(peer_), how, std::chrono::steady_clock::now());
  error_code ignored;
  if (stream_)
    stream_->next_layer().close(ignored);
  else
    socket_->close(ignored);
  lane_.remove(*this);
}

} // namespace outband::cira
