#include "gateway/http/connections.hpp"
#include "gateway/net/lean_tls_beast.hpp"

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/websocket/stream.hpp>

namespace outband::web {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace ws = boost::beast::websocket;
using boost::system::error_code;

template <class Stream>
class session final : public websocket,
                      public connection,
                      public std::enable_shared_from_this<session<Stream>> {
public:
  session(Stream stream, ws_start s)
      : ws_(std::move(stream)), core_(std::move(s.core)), home_(std::move(s.home)),
        place_(std::move(s.place)), how_(std::move(s.how)) {
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
        me->ended_ = true;
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
    error_code ignored;
    beast::get_lowest_layer(ws_).close(ignored);
  }

private:
  void say_close() {
    if (ended_ || saying_)
      return;
    saying_ = true;
    ws_.async_close(why_, [me = this->shared_from_this()](error_code) { me->abort(); });
  }

  ws::stream<Stream> ws_;
  std::shared_ptr<web::shared> core_;
  std::shared_ptr<web::shard> home_;
  counted place_;
  upgrade::accepted how_;
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
  std::make_shared<session<asio::ip::tcp::socket>>(std::move(stream), std::move(s))->start();
}

} // namespace outband::web
