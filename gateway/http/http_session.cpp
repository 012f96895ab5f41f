#include "gateway/http/connections.hpp"
#include "gateway/http/respond.hpp"
#include "gateway/net/timers.hpp"
#include "messages/domain/text.hpp"
#include "messages/http/message.hpp"

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/websocket/rfc6455.hpp>

#include <optional>

namespace outband::web {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace bhttp = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;
using std::chrono::seconds;

tcp::socket& raw(tcp::socket& s) {
  return s;
}
tcp::socket& raw(net::lean_tls_stream& s) {
  return s.next_layer();
}
void say_goodbye(tcp::socket&) {}
void say_goodbye(net::lean_tls_stream& s) {
  ERR_clear_error();
  SSL_shutdown(s.native_handle()); // sends close_notify; the peer's is not waited for
}

verb verb_of(bhttp::verb v) {
  switch (v) {
  case bhttp::verb::get:
  case bhttp::verb::head:
    return verb::get;
  case bhttp::verb::post:
    return verb::post;
  case bhttp::verb::put:
    return verb::put;
  case bhttp::verb::patch:
    return verb::patch;
  case bhttp::verb::delete_:
    return verb::delete_;
  case bhttp::verb::options:
    return verb::options;
  default:
    return verb::other;
  }
}

response problem_response(int status, std::string_view code, const std::string& text) {
  auto phrase = std::string(http::reason_phrase(status));
  // MPS's shape of errors, plus our stable code. `text` is ours and needs no escaping.
  return json_response(status, "{\"error\":\"" + phrase + "\",\"errorDescription\":\"" + text +
                                   "\",\"message\":\"" + text + "\",\"code\":\"" +
                                   std::string(code) + "\"}");
}

constexpr std::size_t max_buffered = 64 << 10; // also bounds what a client may pipeline
constexpr std::size_t min_progress = 64 << 10; // per `write` deadline: about 2 KiB/s by default
constexpr std::size_t max_drained = 1 << 20;   // discarded of a request that was refused
constexpr seconds answer_within{120};          // beyond every deadline of the ports

template <class Stream>
class session final : public connection, public std::enable_shared_from_this<session<Stream>> {
public:
  session(Stream stream, session_start s)
      : stream_(std::move(stream)), core_(std::move(s.core)), home_(std::move(s.home)),
        place_(std::move(s.place)), peer_(std::move(s.peer)),
        wheel_(net::timers::of(home_->context)) {}

  void start() {
    home_->http.insert(this->shared_from_this());
    if constexpr (std::is_same_v<Stream, net::lean_tls_stream>) {
      wait(phase::handshake, core_->options.handshake);
      stream_.async_accept_tls([me = this->shared_from_this()](error_code ec) {
        if (ec)
          return me->end();
        if (me->core_->options.client_certificates)
          me->certificate_name_ = net::peer_name(me->stream_.native_handle());
        me->next_request();
      });
    } else {
      next_request();
    }
  }

  void abort() override { end(); }

private:
  enum class phase { handshake, idle, header, body, answer, write, part, drain };

  void wait(phase p, std::chrono::milliseconds limit) {
    phase_ = p;
    wheel_.arm(deadline_, limit);
  }

  void expired() {
    switch (phase_) {
    case phase::header:
    case phase::body: {
      timed_out_ = true;
      error_code ignored;
      raw(stream_).cancel(ignored); // the pending read fails and answers 408
      return;
    }
    case phase::answer:
      return answer(problem_response(503, "internal", "The answer did not come in time."),
                    requests_);
    case phase::write: {
      // Reset, lest the kernel keeps what it has for a reader that does not read.
      error_code ignored;
      raw(stream_).set_option(asio::socket_base::linger(true, 0), ignored);
      return end();
    }
    default:
      end();
    }
  }

  void end() {
    if (ended_)
      return;
    ended_ = true;
    deadline_.cancel();
    error_code ignored;
    raw(stream_).close(ignored);
    home_->http.erase(this->shared_from_this());
  }

  void next_request() {
    if (ended_)
      return;
    parser_.reset();
    current_.reset();
    out_ = {};
    if (buffer_.size() > 0)
      return read_header();
    if (buffer_.capacity() > 4096)
      buffer_.shrink_to_fit();
    wait(phase::idle, core_->options.idle);
    stream_.async_read_some(buffer_.prepare(2048),
                            [me = this->shared_from_this()](error_code ec, std::size_t n) {
                              if (ec)
                                return me->end();
                              me->buffer_.commit(n);
                              me->read_header();
                            });
  }

  void read_header() {
    parser_.emplace();
    parser_->header_limit(static_cast<std::uint32_t>(core_->options.max_header));
    parser_->body_limit(UINT64_MAX); // the real limit is set when the request is known
    wait(phase::header, core_->options.header);
    bhttp::async_read_header(
        stream_, buffer_, *parser_,
        [me = this->shared_from_this()](error_code ec, std::size_t) { me->on_header(ec); });
  }

  void on_header(error_code ec) {
    if (ended_)
      return;
    if (timed_out_)
      return refuse(408, "expired", "The request's header did not arrive in time.");
    if (ec == bhttp::error::header_limit || ec == bhttp::error::buffer_overflow)
      return refuse(431, "too-large", "The request's header is too large.");
    if (ec == bhttp::error::end_of_stream || ec == bhttp::error::partial_message)
      return end();
    if (ec.category() == make_error_code(bhttp::error::bad_method).category())
      return refuse(400, "malformed", "This is not HTTP/1.1.");
    if (ec)
      return end();
    ++core_->requests;
    const auto& m = parser_->get();
    if (m.version() != 10 && m.version() != 11)
      return refuse(505, "malformed", "Only HTTP/1.1 is spoken here.");
    request q;
    q.method = verb_of(m.method());
    q.head = m.method() == bhttp::verb::head;
    q.peer = peer_;
    q.certificate_name = certificate_name_;
    q.secure = std::is_same_v<Stream, net::lean_tls_stream>;
    std::size_t hosts = 0;
    for (const auto& f : m) {
      q.headers.push_back({std::string(f.name_string()), std::string(f.value())});
      hosts += f.name() == bhttp::field::host ? 1 : 0;
    }
    if (hosts > 1 || (hosts == 0 && m.version() == 11))
      return refuse(400, "malformed", "There must be one Host header.");
    auto target = rest::parse_target(std::string(m.target()));
    if (!target) {
      const bool large = target.error().what == problem::too_large;
      return refuse(large ? 414 : 400, large ? "too-large" : "malformed",
                    "The request's target is not acceptable: " + target.error().detail + ".");
    }
    q.target = std::move(*target);
    current_ = std::make_shared<request>(std::move(q));
    const auto& limit = core_->options.max_body;
    auto max = limit ? limit(*current_) : std::size_t{1} << 20;
    if (auto n = parser_->content_length(); n && *n > max)
      return refuse(413, "too-large",
                    "The request's body exceeds " + std::to_string(max) + " octets.");
    parser_->body_limit(max);
    if (const auto* expect = current_->header("Expect")) {
      if (!http::same_token(*expect, "100-continue"))
        return refuse(417, "malformed", "Only 100-continue can be expected.");
      if (!parser_->is_done() && buffer_.size() == 0)
        return say_continue();
    }
    read_body();
  }

  void say_continue() {
    wait(phase::write, core_->options.write);
    static constexpr std::string_view text = "HTTP/1.1 100 Continue\r\n\r\n";
    asio::async_write(stream_, asio::buffer(text),
                      [me = this->shared_from_this()](error_code ec, std::size_t) {
                        ec ? me->end() : me->read_body();
                      });
  }

  void read_body() {
    if (ended_)
      return;
    if (parser_->is_done())
      return dispatch();
    wait(phase::body, core_->options.body);
    bhttp::async_read(
        stream_, buffer_, *parser_, [me = this->shared_from_this()](error_code ec, std::size_t) {
          if (me->ended_)
            return;
          if (me->timed_out_)
            return me->refuse(408, "expired", "The request's body did not arrive in time.");
          if (ec == bhttp::error::body_limit)
            return me->refuse(413, "too-large", "The request's body is too large.");
          if (ec.category() == make_error_code(bhttp::error::bad_method).category() &&
              ec != bhttp::error::partial_message)
            return me->refuse(400, "malformed", "The request's body is malformed.");
          if (ec)
            return me->end();
          me->dispatch();
        });
  }

  void dispatch() {
    wait(phase::answer, answer_within);
    keep_alive_ = parser_->keep_alive();
    chunked_ = parser_->get().version() == 11;
    const bool ws = beast::websocket::is_upgrade(parser_->get());
    request q = *current_; // the session keeps the head: the answer depends on it
    q.body = std::move(parser_->get().body());
    parser_.reset();
    auto number = ++requests_;
    responder respond([weak = this->weak_from_this(), home = home_, number](response r) {
      asio::post(home->context, [weak, number, r = std::move(r)]() mutable {
        if (auto me = weak.lock())
          me->answer(std::move(r), number);
      });
    });
    for (const auto& route : core_->upgrades) {
      auto path = std::string_view(current_->target.path);
      while (path.size() > 1 && path.back() == '/')
        path.remove_suffix(1);
      const auto& at = route.path;
      const bool below = route.below && path.size() > at.size() && path[at.size()] == '/' &&
                         same_text(path.substr(0, at.size()), at);
      if (!below && !same_text(path, at))
        continue;
      if (!ws) {
        auto r = problem_response(426, "malformed", "This path is for WebSockets.");
        r.headers.emplace_back("Upgrade", "websocket");
        return respond(std::move(r));
      }
      auto accept = [weak = this->weak_from_this(), home = home_, number,
                     max = route.max_message](upgrade::accepted a) {
        asio::post(home->context, [weak, number, max, a = std::move(a)]() mutable {
          if (auto me = weak.lock())
            me->change_over(std::move(a), max, number);
        });
      };
      return guarded([&] { route.on_upgrade(std::move(q), upgrade(std::move(accept), respond)); });
    }
    guarded([&] { core_->on_request(std::move(q), respond); });
  }

  /// A handler's exception is a defect of ours; the responder it dropped answers 500.
  template <class F> void guarded(F&& f) {
    try {
      f();
    } catch (const std::exception&) {
    }
  }

  void refuse(int status, std::string_view code, const std::string& text) {
    keep_alive_ = false;
    drain_ = true;
    send(problem_response(status, code, text));
  }

  void answer(response r, std::uint64_t number) {
    if (ended_ || phase_ != phase::answer || number != requests_)
      return; // too late
    send(std::move(r));
  }

  void send(response r) {
    const bool bodyless = r.status == 204 || r.status == 304 || (current_ && current_->head);
    more_ = bodyless ? nullptr : std::move(r.more);
    r.more = more_;
    if (core_->stopping || (more_ && !chunked_))
      keep_alive_ = false;
    out_ = wire(current_.get(), std::move(r),
                {&core_->options.allowed_origins, keep_alive_, std::time(nullptr), chunked_});
    sent_ = armed_at_ = 0;
    wait(phase::write, core_->options.write);
    write_some();
  }

  void write_some() {
    if (sent_ - armed_at_ >= min_progress) { // trickling, octet by octet, is no progress
      armed_at_ = sent_;
      wait(phase::write, core_->options.write);
    }
    stream_.async_write_some(asio::buffer(out_.data() + sent_, out_.size() - sent_),
                             [me = this->shared_from_this()](error_code ec, std::size_t n) {
                               if (ec || me->ended_)
                                 return me->end();
                               me->sent_ += n;
                               if (me->sent_ < me->out_.size())
                                 return me->write_some();
                               if (me->more_)
                                 return me->next_part();
                               me->keep_alive_ ? me->next_request() : me->linger();
                             });
  }

  void next_part() {
    wait(phase::part, answer_within);
    out_ = {};
    auto next = [weak = this->weak_from_this(), home = home_,
                 number = requests_](result<std::string> part) {
      asio::post(home->context, [weak, number, part = std::move(part)]() mutable {
        if (auto me = weak.lock())
          me->add_part(std::move(part), number);
      });
    };
    guarded([&] { more_(std::move(next)); });
  }

  void add_part(result<std::string> part, std::uint64_t number) {
    if (ended_ || phase_ != phase::part || number != requests_)
      return; // too late
    if (!part)
      return end();
    if (part->empty())
      more_ = nullptr;
    out_ = chunked_ ? chunk(*part) : std::move(*part);
    if (out_.empty())
      return linger();
    sent_ = armed_at_ = 0;
    wait(phase::write, core_->options.write);
    write_some();
  }

  /// Closing while the client still sends would reset the connection and could destroy the answer
  /// before it is read: say goodbye and discard for a moment.
  void linger() {
    say_goodbye(stream_);
    error_code ignored;
    raw(stream_).shutdown(tcp::socket::shutdown_send, ignored);
    out_.assign(4096, '\0');
    wait(phase::drain, seconds(drain_ ? 5 : 2));
    discard();
  }

  void discard() {
    raw(stream_).async_read_some(asio::buffer(out_),
                                 [me = this->shared_from_this()](error_code ec, std::size_t n) {
                                   me->drained_ += n;
                                   if (ec || me->ended_ || me->drained_ > max_drained)
                                     return me->end();
                                   me->discard();
                                 });
  }

  void change_over(upgrade::accepted a, std::size_t max_message, std::uint64_t number) {
    if (ended_ || phase_ != phase::answer || number != requests_)
      return;
    if (buffer_.size() > 0) // nothing may follow the request before our 101
      return refuse(400, "malformed", "Octets follow the upgrade request.");
    deadline_.cancel();
    ended_ = true;
    auto me = this->shared_from_this();
    home_->http.erase(me);
    open_websocket(std::move(stream_),
                   {core_, home_, std::move(place_), *current_, std::move(a), max_message});
  }

  Stream stream_;
  std::shared_ptr<web::shared> core_;
  std::shared_ptr<web::shard> home_;
  counted place_;
  std::string peer_;
  std::optional<std::string> certificate_name_;
  net::timers& wheel_;
  net::member_timer<session, &session::expired> deadline_{*this};
  phase phase_ = phase::idle;
  beast::flat_buffer buffer_{max_buffered};
  std::optional<bhttp::request_parser<bhttp::string_body>> parser_;
  std::shared_ptr<request> current_;
  std::string out_;
  std::size_t sent_ = 0, armed_at_ = 0, drained_ = 0;
  std::uint64_t requests_ = 0;
  part_reader more_;
  bool chunked_ = true;
  bool keep_alive_ = true, timed_out_ = false, ended_ = false, drain_ = false;
};

} // namespace

void start_session(tcp::socket socket, session_start s) {
  if (s.core->options.tls)
    std::make_shared<session<net::lean_tls_stream>>(
        net::lean_tls_stream(std::move(socket), s.core->options.tls->get()), std::move(s))
        ->start();
  else
    std::make_shared<session<tcp::socket>>(std::move(socket), std::move(s))->start();
}

} // namespace outband::web
