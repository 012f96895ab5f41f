#include "tests/support/rpc_amt_link.hpp"

#include "messages/http/parser.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <deque>
#include <utility>

namespace outband::test {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

} // namespace

class amt_link::state : public std::enable_shared_from_this<amt_link::state> {
public:
  state(asio::io_context& io, const rpc_timing& timing)
      : timing_(timing), socket_(io), window_(io) {}

  void ask(const tcp::endpoint& at, std::string request, amt_handler done) {
    handler_ = std::move(done);
    plain_ = true;
    octets_.push_back(std::move(request));
    connect(at);
  }

  void send(const tcp::endpoint& at, std::string octets, amt_handler on_event) {
    handler_ = std::move(on_event);
    silent_ = true;
    octets_.push_back(std::move(octets));
    if (!begun_)
      return connect(at);
    wait(timing_.tunnel_first_byte);
    if (octets_.size() == 1 && connected_)
      write();
  }

  void close() {
    handler_ = {};
    stop();
  }

  bool has_ended() const { return ended_; }

private:
  void connect(const tcp::endpoint& at) {
    begun_ = true;
    socket_.async_connect(at, [self = shared_from_this()](error_code ec) {
      if (ec)
        return self->tell_last(amt_event::unreachable, ec.message());
      self->connected_ = true;
      error_code ignored;
      self->socket_.set_option(tcp::no_delay(true), ignored);
      self->wait(self->plain_ ? self->timing_.first_byte : self->timing_.tunnel_first_byte);
      self->write();
      self->read();
    });
  }

  void write() {
    asio::async_write(socket_, asio::buffer(octets_.front()),
                      [self = shared_from_this()](error_code ec, std::size_t) {
                        if (ec)
                          return self->failed(ec);
                        self->octets_.pop_front();
                        if (!self->octets_.empty())
                          self->write();
                      });
  }

  void read() {
    socket_.async_read_some(asio::buffer(input_),
                            [self = shared_from_this()](error_code ec, std::size_t n) {
                              if (ec == asio::error::eof)
                                return self->end_of_input();
                              if (ec)
                                return self->failed(ec);
                              self->take({self->input_.data(), n});
                              if (self->socket_.is_open())
                                self->read();
                            });
  }

  void take(std::string_view octets) {
    collected_.append(octets);
    silent_ = false;
    if (!plain_)
      return timing_.tunnel_idle.count() == 0 ? deliver() : wait(timing_.tunnel_idle);
    if (timing_.whole_answers) {
      parser_.feed(octets);
      if (!std::holds_alternative<http::starved>(parser_.next()))
        return tell_last(amt_event::data, std::exchange(collected_, {}));
    }
    wait(timing_.idle);
  }

  void deliver() {
    window_.cancel();
    tell(amt_event::data, std::exchange(collected_, {}));
  }

  void wait(rpc_timing::ms window) {
    window_.expires_after(window);
    window_.async_wait([self = shared_from_this()](error_code ec) {
      if (!ec)
        self->window_passed();
    });
  }

  void window_passed() {
    if (!collected_.empty())
      return plain_ ? tell_last(amt_event::data, std::exchange(collected_, {})) : deliver();
    if (plain_)
      return tell_last(amt_event::quiet, {});
    if (std::exchange(silent_, false))
      tell(amt_event::quiet, {});
  }

  void end_of_input() {
    ended_ = true;
    if (!collected_.empty())
      return plain_ ? tell_last(amt_event::data, std::exchange(collected_, {})) : deliver();
    if (plain_ || silent_)
      tell_last(amt_event::ended, {});
  }

  void failed(error_code ec) {
    if (ec != asio::error::operation_aborted)
      tell_last(amt_event::broken, ec.message());
  }

  void tell(amt_event what, std::string with) {
    const auto handler = handler_; // it may close()
    if (handler)
      handler(what, std::move(with));
  }

  void tell_last(amt_event what, std::string with) {
    stop();
    const auto handler = std::exchange(handler_, {});
    if (handler)
      handler(what, std::move(with));
  }

  void stop() {
    error_code ignored;
    window_.cancel();
    socket_.close(ignored);
  }

  rpc_timing timing_;
  tcp::socket socket_;
  asio::steady_timer window_;
  amt_handler handler_;
  http::response_parser parser_;
  std::deque<std::string> octets_; ///< to be sent
  std::string collected_;
  std::array<char, 4096> input_{};
  bool plain_ = false;
  bool begun_ = false;
  bool connected_ = false;
  bool silent_ = true; ///< nothing came since the last send()
  bool ended_ = false;
};

amt_link::amt_link(asio::io_context& io, std::string host, const rpc_timing& timing)
    : io_(io), host_(std::move(host)), timing_(timing) {}

amt_link::~amt_link() {
  close();
}

void amt_link::close() {
  if (state_)
    state_->close();
  state_.reset();
}

void amt_link::renew() {
  close();
  state_ = std::make_shared<state>(io_, timing_);
}

void amt_link::ask(std::uint16_t port, std::string request, amt_handler done) {
  renew();
  state_->ask({asio::ip::make_address(host_), port}, std::move(request), std::move(done));
}

void amt_link::send(std::uint16_t port, std::string octets, amt_handler on_event) {
  if (!state_)
    renew();
  state_->send({asio::ip::make_address(host_), port}, std::move(octets), std::move(on_event));
}

bool amt_link::has_ended() const {
  return state_ && state_->has_ended();
}

} // namespace outband::test
