#include "gateway/http/connections.hpp"
#include "gateway/net/lean_tls_beast.hpp"
#include "gateway/net/timers.hpp"

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/websocket/stream.hpp>

#include <array>

namespace outband::web {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace ws = boost::beast::websocket;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::size_t max_drained = 1 << 20; // discarded after the WebSocket has ended

/// As net::lean_tls_stream: Beast's own teardown of a socket waits for the peer as long as it
/// likes.
class plain_stream final : public tcp::socket {
public:
  explicit plain_stream(tcp::socket s) : tcp::socket(std::move(s)) {}
};
template <class Handler> void async_teardown(beast::role_type, plain_stream& s, Handler&& h) {
  asio::post(s.get_executor(), [h = std::forward<Handler>(h)]() mutable { h(error_code{}); });
}

tcp::socket& raw(plain_stream& s) {
  return s;
}
tcp::socket& raw(net::lean_tls_stream& s) {
  return s.next_layer();
}
void say_goodbye(plain_stream&) {}
void say_goodbye(net::lean_tls_stream& s) {
  ERR_clear_error();
  SSL_shutdown(s.native_handle()); // sends close_notify; the peer's is not waited for
}

template <class Stream>
class session final : public websocket,
                      public connection,
                      public std::enable_shared_from_this<session<Stream>> {
public:
  session(Stream stream, ws_start s)
      : ws_(std::move(stream)), core_(std::move(s.core)), home_(std::move(s.home)),
        place_(std::move(s.place)), how_(std::move(s.how)),
        wheel_(net::timers::of(home_->context)) {
    ++core_->websockets;
    head_.method(beast::http::verb::get);
    head_.target(s.head.target.path);
    head_.version(11);
    for (const auto& h : s.head.headers)
      head_.insert(h.name, h.value);
    ws_.read_message_max(s.max_message);
    ws_.auto_fragment(false);
    ws::stream_base::timeout t{};
    t.handshake_timeout = std::chrono::seconds(10);
    t.idle_timeout = std::chrono::seconds(60); // a ping after half of it; then it is dead
    t.keep_alive_pings = true;
    ws_.set_option(t);
    ws_.set_option(ws::stream_base::decorator([p = how_.subprotocol](ws::response_type& r) {
      r.set(beast::http::field::server, "Outband");
      if (!p.empty())
        r.set(beast::http::field::sec_websocket_protocol, p);
    }));
  }

  ~session() override {
    --core_->websockets;
    home_->websockets.erase(this);
  }

  void start() {
    home_->websockets.emplace(this, this->weak_from_this());
    ws_.async_accept(head_, [me = this->shared_from_this()](error_code ec) {
      me->head_ = {};
      auto open = std::move(me->how_.open);
      if (!ec && !me->ended_)
        open(me);
    });
  }

  void receive(std::function<void(result<message>)> cb) override {
    if (ended_)
      return asio::post(home_->context, [cb] { cb(fail(problem::cancelled, "closed")); });
    ws_.async_read(in_, [me = this->shared_from_this(), cb](error_code ec, std::size_t) {
      if (ec) {
        me->linger();
        return cb(fail(problem::cancelled, ec.message()));
      }
      message m;
      m.binary = me->ws_.got_binary();
      m.octets.assign(static_cast<const char*>(me->in_.data().data()), me->in_.size());
      me->in_.consume(me->in_.size());
      cb(std::move(m));
    });
  }

  void send(message m, std::function<void(bool)> sent) override {
    if (ended_ || closing_)
      return asio::post(home_->context, [sent] { sent(false); });
    out_ = std::move(m.octets);
    ws_.binary(m.binary);
    sending_ = true;
    ws_.async_write(asio::buffer(out_),
                    [me = this->shared_from_this(), sent](error_code ec, std::size_t) {
                      me->sending_ = false;
                      if (me->closing_)
                        me->say_close();
                      sent(!ec);
                    });
  }

  void close(std::uint16_t code, std::string reason) override {
    if (ended_ || closing_)
      return;
    closing_ = true;
    // A control frame carries at most 125 octets: two of them are the code.
    why_ = ws::close_reason(static_cast<ws::close_code>(code),
                            reason.substr(0, std::min<std::size_t>(reason.size(), 123)));
    if (!sending_)
      say_close();
  }

  asio::io_context& context() override { return home_->context; }

  void abort() override {
    ended_ = true;
    lingering_.cancel();
    error_code ignored;
    beast::get_lowest_layer(ws_).close(ignored);
  }

private:
  void say_close() {
    if (ended_ || saying_)
      return;
    saying_ = true;
    ws_.async_close(why_, [me = this->shared_from_this()](error_code) { me->linger(); });
  }

  /// The WebSocket is over. Closing while the peer's last octets are unread would reset the
  /// connection and could destroy our close frame before it is read; waiting for the peer to close
  /// would let it keep its place. So: say goodbye and discard for a moment.
  void linger() {
    if (std::exchange(ended_, true))
      return;
    say_goodbye(ws_.next_layer());
    error_code ignored;
    raw(ws_.next_layer()).shutdown(tcp::socket::shutdown_send, ignored);
    wheel_.arm(lingering_, core_->options.linger);
    discard(std::make_shared<std::array<char, 2048>>(), 0);
  }

  void discard(const std::shared_ptr<std::array<char, 2048>>& into, std::size_t so_far) {
    raw(ws_.next_layer())
        .async_read_some(asio::buffer(*into), [me = this->shared_from_this(), into,
                                               so_far](error_code ec, std::size_t n) {
          ec || so_far + n > max_drained ? me->abort() : me->discard(into, so_far + n);
        });
  }

  ws::stream<Stream> ws_;
  std::shared_ptr<web::shared> core_;
  std::shared_ptr<web::shard> home_;
  counted place_;
  upgrade::accepted how_;
  net::timers& wheel_;
  net::member_timer<session, &session::abort> lingering_{*this};
  beast::http::request<beast::http::empty_body> head_;
  beast::flat_buffer in_;
  std::string out_;
  ws::close_reason why_;
  bool sending_ = false, closing_ = false, saying_ = false, ended_ = false;
};

} // namespace

void open_websocket(net::lean_tls_stream stream, ws_start s) {
  std::make_shared<session<net::lean_tls_stream>>(std::move(stream), std::move(s))->start();
}
void open_websocket(asio::ip::tcp::socket stream, ws_start s) {
  std::make_shared<session<plain_stream>>(plain_stream(std::move(stream)), std::move(s))->start();
}

} // namespace outband::web
