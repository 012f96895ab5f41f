#include "tools/amtsim/local_port.hpp"

#include "tools/amtsim/provisioning_chain.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <array>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace outband::amtsim {

namespace {

namespace asio = boost::asio;

struct free_ssl {
  void operator()(SSL* s) const { SSL_free(s); }
};

std::string der_of(X509* c) {
  unsigned char* octets = nullptr;
  const int n = i2d_X509(c, &octets);
  if (n <= 0)
    return {};
  std::string out(reinterpret_cast<const char*>(octets), static_cast<std::size_t>(n));
  OPENSSL_free(octets);
  return out;
}

sim_time machine_now() {
  return std::chrono::duration_cast<sim_time>(std::chrono::steady_clock::now().time_since_epoch());
}

/// What a client showed, its leaf first.
std::vector<std::string> shown_chain(const SSL* s) {
  std::vector<std::string> out;
  if (X509* leaf = SSL_get0_peer_certificate(s))
    out.push_back(der_of(leaf));
  const auto* more = SSL_get_peer_cert_chain(s);
  for (int i = 0; more != nullptr && i < sk_X509_num(more); ++i)
    out.push_back(der_of(sk_X509_value(more, i)));
  return out;
}

} // namespace

class local_port::state : public std::enable_shared_from_this<local_port::state> {
public:
  state(asio::io_context& io, const device_model& device, SSL_CTX* tls, owner& to, local_peer& peer)
      : io_(io), device_(device), owner_(&to), peer_(&peer), http_(origin::local), later_(io) {
    if (tls == nullptr)
      return;
    ssl_.reset(SSL_new(tls));
    if (!ssl_)
      return;
    SSL_set_bio(ssl_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_accept_state(ssl_.get());
  }

  void feed(std::string_view octets) {
    if (closing_)
      return;
    if (!ssl_) {
      http_.feed(octets);
    } else {
      BIO_write(SSL_get_rbio(ssl_.get()), octets.data(), static_cast<int>(octets.size()));
      if (!decrypt())
        return end(false);
    }
    serve();
  }

  void end(bool with_reset) {
    if (std::exchange(closing_, true))
      return;
    owner_ = nullptr;
    later_.cancel();
    if (with_reset)
      out_.clear();
    reset_ = with_reset;
    deliver();
  }

  void host_left() {
    peer_ = nullptr;
    end(true);
  }
  bool ended() const { return closing_; }

private:
  /// False: TLS has failed; what it says about that is in out_.
  bool decrypt() {
    ERR_clear_error();
    if (SSL_is_init_finished(ssl_.get()) == 0) {
      const int rc = SSL_do_handshake(ssl_.get());
      take_records();
      if (rc != 1)
        return SSL_get_error(ssl_.get(), rc) == SSL_ERROR_WANT_READ;
      if (!meet_peer())
        return false;
    }
    std::array<char, 4096> plain{};
    for (;;) {
      const int n = SSL_read(ssl_.get(), plain.data(), static_cast<int>(plain.size()));
      take_records();
      if (n <= 0)
        return SSL_get_error(ssl_.get(), n) == SSL_ERROR_WANT_READ;
      http_.feed({plain.data(), static_cast<std::size_t>(n)});
    }
  }

  /// During a secure configuration only the announced certificate comes in.
  bool meet_peer() {
    const auto& secure = device_.activation->secure;
    if (!secure)
      return true;
    const auto chain = shown_chain(ssl_.get());
    if (chain.empty() || hash_of(chain.front(), secure->algorithm) != secure->client_hash ||
        check_chain(chain, device_, machine_now()) != chain_problem::none ||
        !belongs_to_domain(chain.front(), device_))
      return false;
    http_.peer_is_configuration_server(secure->client_hash);
    return true;
  }

  void take_records() {
    std::array<char, 4096> octets{};
    for (int n = 0; (n = BIO_read(SSL_get_wbio(ssl_.get()), octets.data(),
                                  static_cast<int>(octets.size()))) > 0;)
      out_.append(octets.data(), static_cast<std::size_t>(n));
    if (!out_.empty())
      deliver();
  }

  void say(const std::string& octets) {
    if (!ssl_) {
      out_ += octets;
      return deliver();
    }
    if (!octets.empty())
      SSL_write(ssl_.get(), octets.data(), static_cast<int>(octets.size()));
    take_records();
  }

  /// One request at a time, as firmware does.
  void serve() {
    while (!replying_ && owner_ != nullptr) {
      auto reply = owner_->next_reply(http_);
      if (!reply)
        return;
      if (reply->cut)
        return end(true);
      if (reply->silent)
        continue;
      if (reply->delay.count() == 0) {
        say(reply->octets);
        if (reply->close)
          return end(false);
        continue;
      }
      replying_ = true;
      later_.expires_after(reply->delay);
      later_.async_wait(
          [self = shared_from_this(), r = std::move(*reply)](boost::system::error_code ec) {
            if (ec || self->closing_)
              return;
            self->replying_ = false;
            self->say(r.octets);
            if (r.close)
              return self->end(false);
            self->serve();
          });
    }
  }

  void deliver() {
    if (std::exchange(posted_, true))
      return;
    asio::post(io_, [self = shared_from_this()] {
      self->posted_ = false;
      const auto octets = std::exchange(self->out_, {});
      if (!octets.empty() && self->peer_ != nullptr)
        self->peer_->local_data(octets);
      if (self->closing_ && self->peer_ != nullptr)
        std::exchange(self->peer_, nullptr)->local_closed(self->reset_);
    });
  }

  asio::io_context& io_;
  const device_model& device_;
  owner* owner_;     ///< nullptr: ended
  local_peer* peer_; ///< nullptr: it knows
  http_server http_;
  std::unique_ptr<SSL, free_ssl> ssl_;
  asio::steady_timer later_;
  std::string out_;
  bool posted_ = false;
  bool replying_ = false;
  bool closing_ = false;
  bool reset_ = false;
};

local_port::local_port(asio::io_context& io, const device_model& device, SSL_CTX* tls, owner& to,
                       local_peer& peer)
    : state_(std::make_shared<state>(io, device, tls, to, peer)) {}

std::unique_ptr<local_connection> local_port::handle() const {
  class connection final : public local_connection {
  public:
    explicit connection(std::shared_ptr<state> to) : to_(std::move(to)) {}
    ~connection() override { to_->host_left(); }
    void feed(std::string_view octets) override { to_->feed(octets); }

  private:
    std::shared_ptr<state> to_;
  };
  return std::make_unique<connection>(state_);
}

void local_port::end(bool with_reset) {
  state_->end(with_reset);
}

bool local_port::ended() const {
  return state_->ended();
}

} // namespace outband::amtsim
