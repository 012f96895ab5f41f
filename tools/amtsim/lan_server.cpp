#include "tools/amtsim/lan_server.hpp"

#include "tools/amtsim/activation_state.hpp"
#include "tools/amtsim/lan_certificate.hpp"
#include "tools/amtsim/tls_state.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <array>
#include <stdexcept>
#include <utility>
#include <vector>

namespace outband::amtsim {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::size_t max_connections = 8;

} // namespace

class lan_server::state : public std::enable_shared_from_this<lan_server::state> {
public:
  state(asio::io_context& io, const device_model& device, const lan_place& where, owner& to)
      : io_(io), device_(device), to_(&to), plain_(io), tls_(io) {
    if (where.plain)
      at_plain_ = tcp::endpoint(where.address, *where.plain);
    if (where.tls)
      at_tls_ = tcp::endpoint(where.address, *where.tls);
  }

  struct connection {
    virtual ~connection() = default;
    virtual void begin() = 0;
    virtual void end(bool with_reset) = 0;
  };
  template <class Stream> class connection_over;

  void open() {
    listen(plain_, at_plain_);
    listen(tls_, at_tls_);
    if (plain_.is_open())
      accept(plain_, false);
    if (tls_.is_open())
      accept(tls_, true);
  }

  void close(bool with_reset) {
    error_code ignored;
    plain_.close(ignored);
    tls_.close(ignored);
    end_all(with_reset);
  }

  void end_all(bool with_reset) {
    const auto all = std::move(connections_);
    connections_.clear();
    for (const auto& c : all)
      c->end(with_reset);
  }

  void forget(const connection* gone) {
    connections_.erase(std::remove_if(connections_.begin(), connections_.end(),
                                      [&](const auto& c) { return c.get() == gone; }),
                       connections_.end());
  }

  bool takes(bool over_tls) const {
    if (device_.control_mode == 0 || !device_.activation->amt_enabled ||
        connections_.size() >= max_connections)
      return false;
    const auto& now = device_.tls->in_force[0];
    return over_tls || !now.enabled || now.accept_plain;
  }

  asio::io_context& io_;
  const device_model& device_;
  owner* to_; ///< nullptr: gone
  lan_certificate certificate_;
  std::optional<tcp::endpoint> at_plain_, at_tls_;
  tcp::acceptor plain_, tls_;
  std::vector<std::shared_ptr<connection>> connections_;

private:
  /// The port that was found first stays.
  static void listen(tcp::acceptor& on, std::optional<tcp::endpoint>& at) {
    if (!at || on.is_open())
      return;
    try {
      on.open(at->protocol());
      on.set_option(asio::socket_base::reuse_address(true));
      on.bind(*at);
      on.listen();
      at->port(on.local_endpoint().port());
    } catch (const boost::system::system_error& e) {
      error_code ignored;
      on.close(ignored);
      throw std::runtime_error("cannot listen on " + at->address().to_string() + ":" +
                               std::to_string(at->port()) + ": " + e.code().message());
    }
  }
  void accept(tcp::acceptor& on, bool over_tls);
};

template <class Stream>
class lan_server::state::connection_over final
    : public connection,
      public std::enable_shared_from_this<connection_over<Stream>> {
  static constexpr bool is_tls = !std::is_same_v<Stream, tcp::socket>;

public:
  template <class... How>
  connection_over(std::shared_ptr<state> home, How&&... how)
      : home_(std::move(home)), stream_(std::forward<How>(how)...), later_(home_->io_) {}

  void begin() override {
    error_code ignored;
    stream_.lowest_layer().set_option(tcp::no_delay(true), ignored);
    if constexpr (is_tls)
      stream_.async_handshake(asio::ssl::stream_base::server,
                              [self = this->shared_from_this()](error_code ec) {
                                if (ec || self->home_->to_ == nullptr ||
                                    !self->home_->certificate_.client_is_trusted(
                                        self->home_->device_, self->stream_.native_handle()))
                                  return self->leave();
                                self->read();
                              });
    else
      read();
  }

  void end(bool with_reset) override {
    error_code ignored;
    later_.cancel();
    auto& socket = stream_.lowest_layer();
    if (with_reset)
      socket.set_option(asio::socket_base::linger(true, 0), ignored);
    else
      socket.shutdown(tcp::socket::shutdown_both, ignored);
    socket.close(ignored);
  }

private:
  void leave() {
    home_->forget(this);
    end(false);
  }

  void read() {
    stream_.async_read_some(asio::buffer(input_),
                            [self = this->shared_from_this()](error_code ec, std::size_t n) {
                              if (ec)
                                return self->leave();
                              self->http_.feed({self->input_.data(), n});
                              self->serve();
                            });
  }

  /// Reads on when there is nothing to answer: one request at a time, as firmware does.
  void serve() {
    while (home_->to_ != nullptr && stream_.lowest_layer().is_open()) {
      auto reply = home_->to_->next_reply(http_);
      if (!reply)
        return read();
      if (reply->silent)
        continue;
      if (reply->cut)
        return leave();
      reply_ = std::move(*reply);
      if (reply_.delay.count() == 0)
        return write();
      later_.expires_after(reply_.delay);
      later_.async_wait([self = this->shared_from_this()](error_code ec) {
        if (!ec)
          self->write();
      });
      return;
    }
  }

  void write() {
    asio::async_write(stream_, asio::buffer(reply_.octets),
                      [self = this->shared_from_this()](error_code ec, std::size_t) {
                        if (ec || (self->reply_.close && self->reply_.repeat.empty()))
                          return self->leave();
                        if (!self->reply_.repeat.empty()) { // a fault: it never ends
                          self->reply_.octets = self->reply_.repeat;
                          return self->write();
                        }
                        self->serve();
                      });
  }

  std::shared_ptr<state> home_;
  Stream stream_;
  asio::steady_timer later_;
  http_server http_;
  http_reply reply_;
  std::array<char, 4096> input_{};
};

void lan_server::state::accept(tcp::acceptor& on, bool over_tls) {
  on.async_accept([self = shared_from_this(), &on, over_tls](error_code ec, tcp::socket socket) {
    if (ec == asio::error::operation_aborted || !on.is_open())
      return;
    if (!ec && self->takes(over_tls)) {
      std::shared_ptr<connection> made;
      if (!over_tls) {
        made = std::make_shared<connection_over<tcp::socket>>(self, std::move(socket));
      } else if (auto* context = self->certificate_.context(self->device_)) {
        SSL_CTX_up_ref(context); // the wrapper frees it
        asio::ssl::context wrapped(context);
        made = std::make_shared<connection_over<asio::ssl::stream<tcp::socket>>>(
            self, std::move(socket), wrapped);
      }
      if (made) {
        self->connections_.push_back(made);
        made->begin();
      }
    }
    self->accept(on, over_tls);
  });
}

lan_server::lan_server(asio::io_context& io, const device_model& device, const lan_place& where,
                       owner& to)
    : state_(std::make_shared<state>(io, device, where, to)) {
  state_->open();
}

lan_server::~lan_server() {
  state_->to_ = nullptr;
  state_->close(false);
}

void lan_server::close(bool with_reset) {
  state_->close(with_reset);
}

void lan_server::open() {
  state_->open();
}

void lan_server::end_connections() {
  state_->end_all(false);
}

void lan_server::new_certificate() {
  state_->certificate_.renew();
}

std::uint16_t lan_server::plain_port() const {
  return state_->at_plain_ ? state_->at_plain_->port() : std::uint16_t{0};
}

std::uint16_t lan_server::tls_port() const {
  return state_->at_tls_ ? state_->at_tls_->port() : std::uint16_t{0};
}

std::size_t lan_server::connections() const {
  return state_->connections_.size();
}

} // namespace outband::amtsim
