#include "tools/amtsim/lms_server.hpp"

#include "tools/amtsim/accept_pause.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <array>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace outband::amtsim {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::size_t max_unread = 4U << 20;

} // namespace

class lms_server::state : public std::enable_shared_from_this<lms_server::state> {
public:
  state(asio::io_context& io, owner& to) : to_(&to), plain_(io), tls_(io) {}

  class relay;

  void open(const lms_place& where) {
    listen(plain_, where.address, where.plain, amt_http_port);
    listen(tls_, where.address, where.tls, amt_https_port);
  }
  void close();
  void forget(const relay* gone);

  static std::uint16_t port_of(const tcp::acceptor& a) {
    error_code ec;
    const auto at = a.local_endpoint(ec);
    return ec ? std::uint16_t{0} : at.port();
  }

  owner* to_; ///< nullptr: gone
  tcp::acceptor plain_, tls_;

private:
  void listen(tcp::acceptor& on, const asio::ip::address& address,
              const std::optional<std::uint16_t>& port, std::uint16_t amt_port) {
    if (!port)
      return;
    try {
      const tcp::endpoint at(address, *port);
      on.open(at.protocol());
      on.set_option(asio::socket_base::reuse_address(true));
      on.bind(at);
      on.listen();
    } catch (const boost::system::system_error& e) {
      error_code ignored;
      on.close(ignored);
      throw std::runtime_error("cannot listen on " + address.to_string() + ":" +
                               std::to_string(*port) + ": " + e.code().message());
    }
    accept(on, amt_port);
  }
  void accept(tcp::acceptor& on, std::uint16_t amt_port);

  std::vector<std::shared_ptr<relay>> relays_;
};

class lms_server::state::relay final : public local_peer,
                                       public std::enable_shared_from_this<relay> {
public:
  relay(std::shared_ptr<state> home, tcp::socket socket)
      : home_(std::move(home)), socket_(std::move(socket)) {}
  virtual ~relay() = default;

  /// False: the firmware does not want it.
  bool begin(std::uint16_t amt_port) {
    error_code ignored;
    socket_.set_option(tcp::no_delay(true), ignored);
    firmware_ = home_->to_->open_local(amt_port, *this);
    if (!firmware_)
      return false;
    read();
    return true;
  }

  void end(bool with_reset) {
    firmware_.reset();
    error_code ignored;
    if (with_reset)
      socket_.set_option(asio::socket_base::linger(true, 0), ignored);
    else
      socket_.shutdown(tcp::socket::shutdown_both, ignored);
    socket_.close(ignored);
  }

private:
  void local_data(std::string_view octets) override {
    waiting_.append(octets);
    if (waiting_.size() > max_unread)
      return leave(true);
    write();
  }

  // However the firmware ended it, LMS tells it in order and after the last octet: its way to the
  // firmware is a channel over MEI, which knows no reset. rpc 2.52 and 3.0 lose the answer that a
  // reset follows.
  void local_closed(bool) override {
    if (!writing_)
      return leave(false);
    ends_when_written_ = true;
    firmware_.reset();
  }

  /// May destroy *this, unless a handler holds it.
  void leave(bool with_reset) {
    const auto self = shared_from_this();
    end(with_reset);
    home_->forget(this);
  }

  void read() {
    socket_.async_read_some(asio::buffer(input_),
                            [self = shared_from_this()](error_code ec, std::size_t n) {
                              if (!self->firmware_)
                                return; // it ended; what it said may still be on its way
                              if (ec || self->home_->to_ == nullptr)
                                return self->leave(false);
                              self->firmware_->feed({self->input_.data(), n});
                              if (self->firmware_)
                                self->read();
                            });
  }

  void write() {
    if (writing_ || waiting_.empty())
      return;
    writing_ = true;
    under_way_.clear();
    under_way_.swap(waiting_);
    asio::async_write(socket_, asio::buffer(under_way_),
                      [self = shared_from_this()](error_code ec, std::size_t) {
                        self->writing_ = false;
                        if (!self->socket_.is_open())
                          return;
                        if (ec)
                          return self->leave(false);
                        if (!self->waiting_.empty())
                          return self->write();
                        if (self->ends_when_written_)
                          self->leave(false);
                      });
  }

  std::shared_ptr<state> home_;
  tcp::socket socket_;
  std::unique_ptr<local_connection> firmware_; ///< nullptr: it ended
  std::string waiting_, under_way_;
  std::array<char, 4096> input_{};
  bool writing_ = false;
  bool ends_when_written_ = false;
};

void lms_server::state::close() {
  error_code ignored;
  plain_.close(ignored);
  tls_.close(ignored);
  const auto all = std::move(relays_);
  relays_.clear();
  for (const auto& r : all)
    r->end(false);
}

void lms_server::state::forget(const relay* gone) {
  relays_.erase(std::remove_if(relays_.begin(), relays_.end(),
                               [&](const auto& r) { return r.get() == gone; }),
                relays_.end());
}

void lms_server::state::accept(tcp::acceptor& on, std::uint16_t amt_port) {
  on.async_accept([self = shared_from_this(), &on, amt_port](error_code ec, tcp::socket socket) {
    if (ec == asio::error::operation_aborted || !on.is_open())
      return;
    if (ec)
      return after_accept_pause(on.get_executor(), [self, &on, amt_port] {
        if (on.is_open())
          self->accept(on, amt_port);
      });
    if (self->to_ != nullptr) {
      auto made = std::make_shared<relay>(self, std::move(socket));
      if (made->begin(amt_port))
        self->relays_.push_back(std::move(made));
      else
        made->end(false);
    }
    self->accept(on, amt_port);
  });
}

lms_server::lms_server(asio::io_context& io, const lms_place& where, owner& to)
    : state_(std::make_shared<state>(io, to)) {
  state_->open(where);
}

lms_server::~lms_server() {
  state_->to_ = nullptr;
  state_->close();
}

std::uint16_t lms_server::plain_port() const {
  return state::port_of(state_->plain_);
}

std::uint16_t lms_server::tls_port() const {
  return state::port_of(state_->tls_);
}

} // namespace outband::amtsim
