#include "gateway/http/mqtt_proxy.hpp"

#include "gateway/net/lean_tls_stream.hpp"
#include "gateway/net/timers.hpp"
#include "messages/domain/text.hpp"
#include "messages/mqtt/connect_packet.hpp"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <map>
#include <mutex>

namespace outband::web {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

/// Shared by all connections.
struct proxy {
  mqtt_proxy_options options;
  std::shared_ptr<SSL_CTX> tls;
  std::mutex mutex;
  std::map<std::string, std::size_t> users;

  bool enter(const std::string& user) {
    std::lock_guard lock(mutex);
    auto& n = users[user];
    if (n >= options.per_user)
      return false;
    ++n;
    return true;
  }
  void leave(const std::string& user) {
    std::lock_guard lock(mutex);
    if (auto it = users.find(user); it != users.end() && --it->second == 0)
      users.erase(it);
  }
};

result<std::shared_ptr<SSL_CTX>> client_context(const std::string& ca_pem) {
  std::shared_ptr<SSL_CTX> ctx(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
  std::unique_ptr<BIO, decltype(&BIO_free)> bio(
      BIO_new_mem_buf(ca_pem.data(), static_cast<int>(ca_pem.size())), BIO_free);
  if (!ctx || !bio)
    return fail(problem::internal, "no TLS context");
  SSL_CTX_set_min_proto_version(ctx.get(), TLS1_2_VERSION);
  SSL_CTX_set_verify(ctx.get(), SSL_VERIFY_PEER, nullptr);
  int found = 0;
  while (X509* c = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)) {
    found += X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx.get()), c);
    X509_free(c);
  }
  ERR_clear_error();
  if (found == 0)
    return fail(problem::malformed, "no certificate in the broker's CA", "broker.ca_file");
  return ctx;
}

/// Lives as long as something is under way for it: until end() there always is.
class link : public std::enable_shared_from_this<link> {
public:
  link(std::shared_ptr<proxy> p, std::shared_ptr<websocket> ws)
      : proxy_(std::move(p)), ws_(std::move(ws)), wheel_(net::timers::of(ws_->context())),
        resolver_(ws_->context()), socket_(ws_->context()) {}
  ~link() {
    if (!user_.empty())
      proxy_->leave(user_);
  }

  void start() {
    wheel_.arm(deadline_, std::chrono::seconds(10));
    first();
  }

private:
  void first() {
    ws_->receive([me = shared_from_this()](result<websocket::message> m) {
      if (!m)
        return me->end(1001, "");
      if (!m->binary)
        return me->end(1003, "MQTT is binary");
      me->up_ += m->octets;
      auto got = mqtt::parse_connect(me->up_);
      if (!got)
        return me->end(1002, got.error().detail);
      if (!*got)
        return me->up_.size() > mqtt::max_connect ? me->end(1009, "CONNECT is too large")
                                                  : me->first();
      me->admit(**got);
    });
  }

  void admit(const mqtt::connect_packet& c) {
    auto pass = proxy_->options.verify(c.password);
    if (!pass || pass->username != c.username) {
      auto me = shared_from_this();
      return ws_->send({mqtt::refused_connack(c.version), true},
                       [me](bool) { me->end(1008, "the ticket is not valid"); });
    }
    if (!proxy_->enter(pass->username))
      return end(4429, "too many connections of this user");
    user_ = pass->username;
    expires_ms_ = pass->expires_s * 1000;
    resolver_.async_resolve(
        proxy_->options.host, std::to_string(proxy_->options.port),
        [me = shared_from_this()](error_code ec, const tcp::resolver::results_type& found) {
          if (ec || me->ended_)
            return me->end(4503, "the broker's name cannot be resolved");
          asio::async_connect(me->socket_, found, [me](error_code failed, const tcp::endpoint&) {
            me->connected(failed);
          });
        });
  }

  void connected(error_code ec) {
    if (ec || ended_)
      return end(4503, "the broker cannot be reached");
    error_code ignored;
    socket_.set_option(tcp::no_delay(true), ignored);
    if (!proxy_->tls)
      return joined({});
    tls_ = std::make_unique<net::lean_tls_stream>(std::move(socket_), proxy_->tls.get());
    auto* ssl = tls_->native_handle();
    const auto& o = proxy_->options;
    const auto& name = o.server_name.empty() ? o.host : o.server_name;
    if (asio::ip::make_address(name, ignored); !ignored) {
      X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name.c_str());
    } else {
      SSL_set1_host(ssl, name.c_str());
      SSL_set_tlsext_host_name(ssl, name.c_str());
    }
    tls_->async_connect_tls([me = shared_from_this()](error_code failed) { me->joined(failed); });
  }

  void joined(error_code ec) {
    if (ec || ended_)
      return end(4503, "the broker's certificate was refused");
    arm_expiry();
    upwards();
    downwards();
  }

  /// In steps, because the wheel's deadlines are relative and a ticket may last a day.
  void arm_expiry() {
    auto left = std::max<std::int64_t>(expires_ms_ - proxy_->options.now(), 0);
    wheel_.arm(deadline_, std::chrono::milliseconds(std::min<std::int64_t>(left, 3'600'000)));
  }

  void expired() {
    if (expires_ms_ == 0)
      return end(1002, "no CONNECT in time");
    if (proxy_->options.now() >= expires_ms_)
      return end(4401, "the ticket has ended");
    arm_expiry();
  }

  /// Writes what came from the browser, then asks for more.
  void upwards() {
    if (ended_)
      return;
    auto done = [me = shared_from_this()](error_code ec, std::size_t) {
      if (ec)
        return me->end(1001, "the broker has closed the connection");
      me->ws_->receive([me](result<websocket::message> m) {
        if (!m)
          return me->end(1001, "");
        if (!m->binary)
          return me->end(1003, "MQTT is binary");
        me->up_ = std::move(m->octets);
        me->upwards();
      });
    };
    if (tls_)
      asio::async_write(*tls_, asio::buffer(up_), done);
    else
      asio::async_write(socket_, asio::buffer(up_), done);
  }

  void downwards() {
    if (ended_)
      return;
    auto done = [me = shared_from_this()](error_code ec, std::size_t n) {
      if (ec)
        return me->end(1001, "the broker has closed the connection");
      me->ws_->send({std::string(me->down_.data(), n), true},
                    [me](bool ok) { ok ? me->downwards() : me->end(1001, ""); });
    };
    if (tls_)
      tls_->async_read_some(asio::buffer(down_), done);
    else
      socket_.async_read_some(asio::buffer(down_), done);
  }

  void end(std::uint16_t code, const std::string& why) {
    if (ended_)
      return;
    const auto self = shared_from_this(); // the timer refers to us without owning
    ended_ = true;
    deadline_.cancel();
    error_code ignored;
    resolver_.cancel();
    // Without DISCONNECT, so that the broker publishes the client's will, as after any lost link.
    (tls_ ? tls_->next_layer() : socket_).close(ignored);
    ws_->close(code, why);
  }

  std::shared_ptr<proxy> proxy_;
  std::shared_ptr<websocket> ws_;
  net::timers& wheel_;
  net::member_timer<link, &link::expired> deadline_{*this};
  tcp::resolver resolver_;
  tcp::socket socket_;
  std::unique_ptr<net::lean_tls_stream> tls_;
  std::string up_, user_;
  std::array<char, 8192> down_{};
  std::int64_t expires_ms_ = 0;
  bool ended_ = false;
};

bool offers(const request& q, std::string_view wanted) {
  const auto* list = q.header("Sec-WebSocket-Protocol");
  std::string_view rest = list ? std::string_view(*list) : std::string_view{};
  while (!rest.empty()) {
    auto comma = rest.find(',');
    auto one = rest.substr(0, comma);
    auto a = one.find_first_not_of(' '), b = one.find_last_not_of(' ');
    if (a != std::string_view::npos && one.substr(a, b - a + 1) == wanted)
      return true;
    rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
  }
  return false;
}

} // namespace

bool same_origin(std::string_view origin, std::string_view host, bool secure) {
  std::string_view scheme = secure ? "https://" : "http://";
  if (origin.substr(0, scheme.size()) != scheme)
    return false;
  auto strip = [&](std::string_view h) { // the scheme's own port may be written or not
    std::string_view port = secure ? ":443" : ":80";
    return h.size() > port.size() && h.substr(h.size() - port.size()) == port
               ? h.substr(0, h.size() - port.size())
               : h;
  };
  return same_text(strip(origin.substr(scheme.size())), strip(host));
}

result<ws_route> mqtt_route(mqtt_proxy_options options) {
  auto shared = std::make_shared<proxy>();
  if (options.tls) {
    auto ctx = client_context(options.ca_pem);
    if (!ctx)
      return ctx.error();
    shared->tls = *ctx;
  }
  shared->options = std::move(options);
  ws_route route;
  route.path = "/mqtt";
  route.max_message = 1 << 20;
  route.on_upgrade = [shared](const request& q, const upgrade& u) {
    const auto* origin = q.header("Origin");
    const auto* host = q.header("Host");
    const auto& also = shared->options.allowed_origins;
    if (origin && !(host && same_origin(*origin, *host, q.secure)) &&
        std::find(also.begin(), also.end(), *origin) == also.end())
      return u.refuse(json_response(
          403, R"({"code":"forbidden","message":"Pages of this origin may not open /mqtt."})"));
    if (!offers(q, "mqtt"))
      return u.refuse(
          json_response(400, R"({"code":"malformed","message":"The subprotocol must be mqtt."})"));
    u.accept({"mqtt", [shared](std::shared_ptr<websocket> ws) {
                std::make_shared<link>(shared, std::move(ws))->start();
              }});
  };
  return route;
}

} // namespace outband::web
