#include "tests/support/websocket_client.hpp"

#include "messages/amt/base64.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <cstdint>
#include <deque>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <utility>

namespace outband::test {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::size_t max_message = 16U << 20;
constexpr std::size_t max_head = 16U << 10;
constexpr int text_frame = 1;
constexpr int close_frame = 8;
constexpr int ping_frame = 9;
constexpr int pong_frame = 10;

std::string random_octets(std::size_t count) {
  std::string out(count, '\0');
  RAND_bytes(reinterpret_cast<unsigned char*>(out.data()), static_cast<int>(count));
  return out;
}

std::string accept_for(const std::string& key) {
  const auto text = key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha1(), nullptr);
  return amt::base64_encode({reinterpret_cast<const char*>(digest.data()), size});
}

std::string masked_frame(int opcode, const std::string& payload) {
  std::string out;
  out += static_cast<char>(0x80 | opcode);
  if (payload.size() < 126) {
    out += static_cast<char>(0x80 | payload.size());
  } else {
    const int width = payload.size() < 65536 ? 2 : 8;
    out += static_cast<char>(0x80 | (width == 2 ? 126 : 127));
    for (int i = width - 1; i >= 0; --i)
      out += static_cast<char>(static_cast<std::uint64_t>(payload.size()) >> (8 * i));
  }
  const auto mask = random_octets(4);
  out += mask;
  for (std::size_t i = 0; i < payload.size(); ++i)
    out += static_cast<char>(payload[i] ^ mask[i % 4]);
  return out;
}

} // namespace

bool parse_websocket_url(const std::string& url, websocket_target& out) {
  const auto scheme = url.find("://");
  if (scheme == std::string::npos)
    return false;
  const auto name = url.substr(0, scheme);
  if (name != "ws" && name != "wss")
    return false;
  out.tls = name == "wss";
  auto rest = url.substr(scheme + 3);
  const auto slash = rest.find('/');
  out.path = slash == std::string::npos ? "/" : rest.substr(slash);
  rest = rest.substr(0, slash);
  const auto colon = rest.rfind(':');
  out.host = rest.substr(0, colon);
  out.port = colon == std::string::npos ? (out.tls ? "443" : "80") : rest.substr(colon + 1);
  return !out.host.empty() && !out.port.empty();
}

class websocket_client::state : public std::enable_shared_from_this<websocket_client::state> {
public:
  state(asio::io_context& io, websocket_target to, const std::string& ca_pem, handlers h)
      : to_(std::move(to)), handlers_(std::move(h)), resolver_(io), context_(make_context(ca_pem)),
        stream_(io, context_) {}

  void connect() {
    resolver_.async_resolve(
        to_.host, to_.port, [self = shared_from_this()](error_code ec, const auto& found) {
          if (self->failed(ec, "resolve"))
            return;
          asio::async_connect(self->socket(), found, [self](error_code no, const tcp::endpoint&) {
            if (!self->failed(no, "connect"))
              self->connected();
          });
        });
  }

  void send_frame(int opcode, const std::string& payload, std::function<void()> sent) {
    if (over_)
      return;
    queue_.push_back({masked_frame(opcode, payload), std::move(sent)});
    if (queue_.size() == 1)
      write();
  }

  void close(bool with_reset) {
    over_ = true;
    handlers_ = {};
    error_code ignored;
    resolver_.cancel();
    if (with_reset)
      socket().set_option(asio::socket_base::linger(true, 0), ignored);
    socket().close(ignored);
  }

private:
  static asio::ssl::context make_context(const std::string& ca_pem) {
    asio::ssl::context out(asio::ssl::context::tls_client);
    out.set_verify_mode(ca_pem.empty() ? asio::ssl::verify_none : asio::ssl::verify_peer);
    if (!ca_pem.empty())
      out.add_certificate_authority(asio::buffer(ca_pem));
    return out;
  }

  tcp::socket& socket() { return stream_.next_layer(); }

  bool failed(error_code ec, const char* what) {
    if (over_)
      return true;
    if (!ec)
      return false;
    fail(std::string(what) + ": " + ec.message(), 0);
    return true;
  }

  void fail(const std::string& why, int status) {
    if (over_)
      return;
    over_ = true;
    error_code ignored;
    socket().close(ignored);
    const auto h = std::exchange(handlers_, {});
    if (h.down)
      h.down(why, status);
  }

  void connected() {
    error_code ignored;
    socket().set_option(tcp::no_delay(true), ignored);
    if (!to_.tls)
      return upgrade();
    stream_.async_handshake(asio::ssl::stream_base::client,
                            [self = shared_from_this()](error_code ec) {
                              if (!self->failed(ec, "TLS"))
                                self->upgrade();
                            });
  }

  void upgrade() {
    key_ = amt::base64_encode(random_octets(16));
    auto request = "GET " + to_.path + " HTTP/1.1\r\nHost: " + to_.host + ":" + to_.port +
                   "\r\nUser-Agent: Go-http-client/1.1\r\nConnection: Upgrade\r\n"
                   "Sec-WebSocket-Key: " +
                   key_ + "\r\nSec-WebSocket-Version: 13\r\nUpgrade: websocket\r\n\r\n";
    queue_.push_back({std::move(request), {}});
    write();
    read();
  }

  void write() {
    const auto done = [self = shared_from_this()](error_code ec, std::size_t) {
      if (self->failed(ec, "send"))
        return;
      const auto sent = std::move(self->queue_.front().sent);
      self->queue_.pop_front();
      if (!self->queue_.empty())
        self->write();
      if (sent)
        sent();
    };
    const auto octets = asio::buffer(queue_.front().octets);
    if (to_.tls)
      asio::async_write(stream_, octets, done);
    else
      asio::async_write(socket(), octets, done);
  }

  void read() {
    const auto done = [self = shared_from_this()](error_code ec, std::size_t n) {
      if (self->failed(ec, "the server ended the connection"))
        return;
      self->unread_.append(self->input_.data(), n);
      self->take();
      if (!self->over_)
        self->read();
    };
    if (to_.tls)
      stream_.async_read_some(asio::buffer(input_), done);
    else
      socket().async_read_some(asio::buffer(input_), done);
  }

  void take() {
    if (!up_ && !take_head())
      return;
    while (!over_ && take_frame()) {
    }
  }

  bool take_head() {
    const auto end = unread_.find("\r\n\r\n");
    if (end == std::string::npos) {
      if (unread_.size() > max_head)
        fail("a response head without an end", 0);
      return false;
    }
    const auto head = unread_.substr(0, end + 2);
    unread_.erase(0, end + 4);
    const int status = head.size() > 12 ? std::atoi(head.c_str() + 9) : 0;
    if (status != 101) {
      fail(head.substr(0, head.find('\r')), status);
      return false;
    }
    if (head.find(accept_for(key_)) == std::string::npos) {
      fail("Sec-WebSocket-Accept is wrong", 0);
      return false;
    }
    up_ = true;
    const auto handler = handlers_.up; // it may close(), which forgets handlers_
    if (handler)
      handler();
    return !over_;
  }

  /// False: there is none whole.
  bool take_frame() {
    if (unread_.size() < 2)
      return false;
    const auto octet = [this](std::size_t i) {
      return static_cast<unsigned char>(unread_[i]);
    };
    std::uint64_t size = octet(1) & 0x7F;
    std::size_t at = 2;
    if (size >= 126) {
      const std::size_t width = size == 126 ? 2 : 8;
      if (unread_.size() < at + width)
        return false;
      size = 0;
      for (std::size_t i = 0; i < width; ++i)
        size = size << 8 | octet(at + i);
      at += width;
    }
    if (size > max_message || (octet(1) & 0x80) != 0) {
      fail("a frame that no server may send", 0);
      return false;
    }
    if (unread_.size() < at + size)
      return false;
    const bool last = (octet(0) & 0x80) != 0;
    const int opcode = octet(0) & 0x0F;
    auto payload = unread_.substr(at, static_cast<std::size_t>(size));
    unread_.erase(0, at + static_cast<std::size_t>(size));
    take_payload(opcode, last, std::move(payload));
    return true;
  }

  void take_payload(int opcode, bool last, std::string payload) {
    if (opcode == ping_frame)
      return send_frame(pong_frame, payload, {});
    if (opcode == pong_frame)
      return;
    if (opcode == close_frame)
      return fail("the server closed the WebSocket", 0);
    if (opcode > 2 || message_.size() + payload.size() > max_message)
      return fail("a frame that no server may send", 0);
    message_ += payload;
    if (!last)
      return;
    auto whole = std::exchange(message_, {});
    const auto handler = handlers_.message; // as with `up`
    if (handler)
      handler(std::move(whole));
  }

  struct outgoing {
    std::string octets;
    std::function<void()> sent;
  };

  websocket_target to_;
  handlers handlers_;
  tcp::resolver resolver_;
  asio::ssl::context context_;
  asio::ssl::stream<tcp::socket> stream_;
  std::string key_, unread_, message_;
  std::deque<outgoing> queue_;
  std::array<char, 8192> input_{};
  bool up_ = false;
  bool over_ = false;
};

websocket_client::websocket_client(asio::io_context& io, websocket_target to,
                                   const std::string& ca_pem, handlers h)
    : state_(std::make_shared<state>(io, std::move(to), ca_pem, std::move(h))) {}

websocket_client::~websocket_client() {
  state_->close(false);
}

void websocket_client::connect() {
  state_->connect();
}

void websocket_client::send(const std::string& text, std::function<void()> sent) {
  state_->send_frame(text_frame, text, std::move(sent));
}

void websocket_client::close(bool with_reset) {
  state_->close(with_reset);
}

} // namespace outband::test
