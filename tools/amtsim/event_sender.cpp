#include "tools/amtsim/event_sender.hpp"

#include "tools/amtsim/subscription_state.hpp"

#include <boost/asio/write.hpp>

#include <utility>

namespace outband::amtsim {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::chrono::seconds patience{10};

} // namespace

/// One POST over TCP. `to` is nullptr once nobody waits for it.
class event_sender::lan_post : public std::enable_shared_from_this<lan_post> {
public:
  lan_post(asio::io_context& io, event_sender& to) : socket_(io), resolver_(io), to_(&to) {}

  void begin(const outgoing_event& what) {
    request_ = what.request;
    resolver_.async_resolve(
        what.host, std::to_string(what.port),
        [self = shared_from_this()](error_code ec, const tcp::resolver::results_type& found) {
          if (ec || found.empty())
            return self->done(false);
          self->socket_.async_connect(found.begin()->endpoint(), [self](error_code failed) {
            if (failed)
              return self->done(false);
            self->write();
          });
        });
  }

  void end() {
    to_ = nullptr;
    error_code ignored;
    resolver_.cancel();
    socket_.close(ignored);
  }

private:
  void write() {
    asio::async_write(socket_, asio::buffer(request_),
                      [self = shared_from_this()](error_code ec, std::size_t) {
                        if (ec)
                          return self->done(false);
                        self->read();
                      });
  }
  void read() {
    socket_.async_read_some(asio::buffer(input_),
                            [self = shared_from_this()](error_code ec, std::size_t n) {
                              if (ec)
                                return self->done(false);
                              if (self->to_ == nullptr)
                                return;
                              self->to_->data({self->input_.data(), n});
                              if (self->to_ != nullptr)
                                self->read();
                            });
  }
  void done(bool well) {
    if (to_ != nullptr)
      to_->finish(well);
  }

  tcp::socket socket_;
  tcp::resolver resolver_;
  event_sender* to_;
  std::string request_;
  std::array<char, 512> input_{};
};

event_sender::event_sender(asio::io_context& io, cira_client& tunnel, device_model& device,
                           bool on_lan)
    : io_(io), tunnel_(tunnel), device_(device), on_lan_(on_lan), deadline_(io) {}

event_sender::~event_sender() {
  if (lan_)
    lan_->end();
}

void event_sender::poke() {
  if (channel_ || lan_ || device_.subscriptions->waiting.empty())
    return;
  if (!tunnel_.up() && !on_lan_)
    return; // until there is one
  auto& waiting = device_.subscriptions.change().waiting;
  const auto next = std::move(waiting.front());
  waiting.pop_front();
  answer_ = http::response_parser();
  finish_after(patience);
  if (!tunnel_.up()) {
    lan_ = std::make_shared<lan_post>(io_, *this);
    return lan_->begin(next);
  }
  out_ = next.request;
  channel_ = tunnel_.open_to(next.host, next.port);
  if (!channel_) // not at once: that would be a recursion
    finish_after(std::chrono::milliseconds(100));
}

void event_sender::opened(bool accepted) {
  if (!accepted) {
    channel_.reset();
    return finish(false);
  }
  open_ = true;
  writable();
}

void event_sender::writable() {
  if (open_ && channel_)
    out_.erase(0, tunnel_.write(*channel_, out_));
}

void event_sender::data(std::string_view octets) {
  answer_.feed(octets);
  auto item = answer_.next();
  if (std::holds_alternative<http::starved>(item))
    return;
  const auto* answer = std::get_if<http::response>(&item);
  finish(answer != nullptr && answer->status / 100 == 2);
}

void event_sender::closed() {
  channel_.reset();
  finish(false);
}

void event_sender::tunnel_lost() {
  if (!channel_)
    return;
  channel_.reset();
  finish(false);
}

void event_sender::finish(bool well) {
  ++*turn_;
  deadline_.cancel();
  ++(well ? delivered_ : lost_);
  open_ = false;
  out_.clear();
  if (channel_) {
    const auto channel = *std::exchange(channel_, std::nullopt);
    tunnel_.close_channel(channel);
  }
  if (lan_)
    std::exchange(lan_, nullptr)->end();
  poke();
}

void event_sender::finish_after(std::chrono::milliseconds time) {
  deadline_.expires_after(time);
  deadline_.async_wait(
      [this, mine = *turn_, turn = std::weak_ptr<std::uint64_t>(turn_)](error_code ec) {
        const auto now = turn.lock();
        if (!ec && now && *now == mine)
          finish(false);
      });
}

} // namespace outband::amtsim
