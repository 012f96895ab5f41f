// The octets of a tunnel: TLS in and out, channels, and the last words of a connection.
#include "gateway/cira/tunnel.hpp"

#include "gateway/cira/tunnel_handle.hpp"
#include "gateway/net/tls_context.hpp"
#include "messages/amt/events.hpp"
#include "messages/apf/encoder.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace outband::cira {

namespace asio = net::asio;
using net::error_code;

namespace {

amt::refusal refusal_of(apf::open_failure_reason why) {
  switch (why) {
  case apf::open_failure_reason::connect_failed:
    return amt::refusal::no_service;
  case apf::open_failure_reason::resource_shortage:
    return amt::refusal::shortage;
  case apf::open_failure_reason::administratively_prohibited:
  case apf::open_failure_reason::unknown_channel_type:
    break;
  }
  return amt::refusal::prohibited;
}

} // namespace

// -- reading ----------------------------------------------------------------------------------

bool tunnel::may_read() const {
  // A peer that does not read our answers is not read either: out_ stays bounded.
  return phase_ == phase::speaking && !asking_ && unsent() < lane_.shared->opts.max_unsent;
}

void tunnel::pump() {
  auto& buffer = *lane_.buffer;
  std::size_t budget = lane_.shared->opts.read_per_turn;
  while (may_read()) {
    std::size_t n = 0;
    ERR_clear_error();
    errno = 0;
    const int rc = SSL_read_ex(stream_.native_handle(), buffer.data(), buffer.size(), &n);
    if (rc == 1) {
      heard();
      take({buffer.data(), n});
      if (n < budget) {
        budget -= n;
        // Nothing is left of what the socket gave. To wait is cheaper than to be told so: waiting
        // looks at the socket again.
        if (may_read() && SSL_has_pending(stream_.native_handle()) == 0) {
          wait_readable();
          return;
        }
        continue;
      }
      resume_later(); // others first
      return;
    }
    switch (const int error = SSL_get_error(stream_.native_handle(), rc)) {
    case SSL_ERROR_WANT_READ:
      wait_readable();
      return;
    case SSL_ERROR_WANT_WRITE:
      wait_writable();
      return;
    default:
      broken(error, true);
      return;
    }
  }
}

void tunnel::wait_readable() {
  if (waiting_to_read_)
    return;
  waiting_to_read_ = true;
  stream_.next_layer().async_wait(asio::socket_base::wait_read,
                                  [self = shared_from_this()](error_code ec) {
                                    self->waiting_to_read_ = false;
                                    if (ec)
                                      return; // we closed the socket
                                    if (self->phase_ == phase::speaking)
                                      self->pump();
                                    else if (self->phase_ == phase::draining)
                                      self->drain();
                                  });
}

void tunnel::resume_later() {
  if (resuming_ || phase_ != phase::speaking)
    return;
  resuming_ = true;
  asio::post(lane_.context, [self = shared_from_this()] {
    self->resuming_ = false;
    self->pump();
  });
}

void tunnel::take(std::string_view octets) {
  taking_ = true;
  while (phase_ == phase::speaking) {
    if (asking_) {
      held_.assign(octets); // at most what one read gave
      break;
    }
    auto item = decoder_.next(octets);
    if (std::holds_alternative<apf::starved>(item))
      break;
    if (const auto* d = std::get_if<apf::defect>(&item)) {
      refusal_ = "not APF: " + to_string(*d);
      violation(refusal_);
      break;
    }
    on_message(std::move(std::get<apf::message>(item)));
  }
  taking_ = false;
  flush();
  wake_writers();
}

void tunnel::on_message(apf::message m) {
  if (handshake_.now == apf::stage::ready && apf::is_channel_traffic(m)) {
    on_channel_event(channels_.on(m, out_));
    return;
  }
  by_peer_ = std::holds_alternative<apf::disconnect>(m);
  decide(apf::received{std::move(m)});
  by_peer_ = false;
}

void tunnel::on_channel_event(const apf::channel_event& e) {
  if (const auto* data = std::get_if<apf::data_arrived>(&e)) {
    if (auto* user = user_of(data->channel))
      user->channel_data(data->data);
  } else if (const auto* w = std::get_if<apf::writable>(&e)) {
    if (auto* user = user_of(w->channel))
      user->channel_writable();
  } else if (const auto* o = std::get_if<apf::opened>(&e)) {
    if (auto* user = user_of(o->channel))
      user->channel_opened();
  } else if (const auto* r = std::get_if<apf::open_refused>(&e)) {
    auto* user = user_of(r->channel);
    forget(r->channel);
    if (user != nullptr)
      user->channel_refused(refusal_of(r->reason));
  } else if (const auto* c = std::get_if<apf::channel_closed>(&e)) {
    auto* user = user_of(c->channel);
    forget(c->channel);
    if (user != nullptr)
      user->channel_closed(false);
    alerts_.erase(std::remove_if(alerts_.begin(), alerts_.end(),
                                 [&](const auto& a) { return a->number() == c->channel; }),
                  alerts_.end());
  } else if (const auto* asked = std::get_if<apf::open_asked>(&e)) {
    opening(*asked);
  } else if (const auto* v = std::get_if<apf::violation>(&e)) {
    violation("channel " + std::to_string(v->channel) + ": " + std::string{v->what});
  }
  // apf::ignored is meant so.
}

// -- channels ---------------------------------------------------------------------------------

void tunnel::opening(const apf::open_asked& asked) {
  using why = apf::open_failure_reason;
  const auto& to = asked.what;
  if (to.connected_address != amt::delivery::host || to.connected_port != amt::delivery::port) {
    channels_.refuse(asked.channel, why::administratively_prohibited, out_);
    return;
  }
  if (alerts_.size() >= lane_.shared->opts.alert_channels) {
    channels_.refuse(asked.channel, why::resource_shortage, out_);
    return;
  }
  auto next = std::make_unique<alert_channel>(
      *this, asked.channel, [this](std::string json) { return take_alert(std::move(json)); });
  users_.push_back({asked.channel, next.get()});
  alerts_.push_back(std::move(next));
  channels_.accept(asked.channel, out_);
}

bool tunnel::take_alert(std::string json) {
  const auto now = net::timer_wheel::clock::now();
  if (now - alerts_since_ >= std::chrono::minutes(1)) {
    alerts_since_ = now;
    alerts_told_ = 0;
  }
  if (alerts_told_ >= lane_.shared->opts.alerts_per_minute)
    return false;
  ++alerts_told_;
  lane_.shared->port.alert(ref_, epoch_, std::move(json));
  return true;
}

amt::channel_user* tunnel::user_of(std::uint32_t channel) const {
  for (const auto& used : users_)
    if (used.number == channel)
      return used.user;
  return nullptr;
}

void tunnel::forget(std::uint32_t channel) {
  const auto at = std::find_if(users_.begin(), users_.end(),
                               [&](const auto& used) { return used.number == channel; });
  if (at == users_.end())
    return;
  users_.erase(at);
  if (users_.empty())
    std::vector<used_channel>{}.swap(users_);
}

result<std::uint32_t> tunnel::open(std::uint16_t port, amt::channel_user& user) {
  if (phase_ != phase::speaking)
    return fail(problem::link_down, "the tunnel is ending");
  auto channel = channels_.open(port, out_);
  if (channel)
    users_.push_back({*channel, &user});
  touched();
  return channel;
}

void tunnel::hand_over(std::uint32_t channel, amt::channel_user& user) {
  for (auto& used : users_)
    if (used.number == channel)
      used.user = &user;
}

std::size_t tunnel::write(std::uint32_t channel, std::string_view octets) {
  if (phase_ != phase::speaking)
    return 0;
  const auto limit = lane_.shared->opts.max_unsent;
  std::size_t total = 0;
  while (total < octets.size()) {
    const auto room = limit - std::min(unsent(), limit);
    const auto n = channels_.write(channel, octets.substr(total, room), out_);
    total += n;
    touched();
    if (n == 0) { // the machine's window is used up, or the socket takes no more
      starved_writer_ = starved_writer_ || room == 0;
      break;
    }
  }
  return total;
}

void tunnel::consumed(std::uint32_t channel, std::size_t octets) {
  channels_.consumed(channel, octets, out_);
  touched();
}

void tunnel::close(std::uint32_t channel) {
  forget(channel);
  if (phase_ != phase::speaking)
    return;
  channels_.close(channel, out_);
  touched();
}

bool tunnel::announced(std::uint16_t port) const {
  return std::binary_search(handshake_.ports.begin(), handshake_.ports.end(), port);
}

void tunnel::wake_writers() {
  if (!starved_writer_ || phase_ != phase::speaking || unsent() > lane_.shared->opts.max_unsent / 2)
    return;
  starved_writer_ = false;
  std::vector<std::uint32_t> numbers;
  for (const auto& used : users_)
    numbers.push_back(used.number);
  for (const auto number : numbers)
    if (channels_.credit(number) > 0)
      if (auto* user = user_of(number))
        user->channel_writable();
}

// -- writing ----------------------------------------------------------------------------------

void tunnel::touched() {
  if (!taking_)
    flush();
}

void tunnel::flush() {
  if (phase_ == phase::draining || phase_ == phase::closed || waiting_to_write_)
    return;
  while (unsent() > 0) {
    std::size_t n = 0;
    ERR_clear_error();
    errno = 0;
    const int rc = SSL_write_ex(stream_.native_handle(), out_.data() + sent_, unsent(), &n);
    if (rc == 1) {
      sent_ += n;
      continue;
    }
    const int error = SSL_get_error(stream_.native_handle(), rc);
    if (error == SSL_ERROR_WANT_WRITE)
      wait_writable();
    else if (error != SSL_ERROR_WANT_READ) // cannot be: renegotiation is off
      broken(error, false);
    return;
  }
  std::string{}.swap(out_); // an idle tunnel keeps no buffer
  sent_ = 0;
  if (phase_ == phase::flushing)
    flushed();
}

void tunnel::wait_writable() {
  if (waiting_to_write_)
    return;
  waiting_to_write_ = true;
  stream_.next_layer().async_wait(asio::socket_base::wait_write,
                                  [self = shared_from_this()](error_code ec) {
                                    self->waiting_to_write_ = false;
                                    if (ec)
                                      return;
                                    self->flush();
                                    self->wake_writers();
                                    if (!self->waiting_to_read_)
                                      self->pump();
                                  });
}

// -- the end ----------------------------------------------------------------------------------

void tunnel::broken(int ssl_error, bool reading) {
  const int system_error = errno;
  std::string text;
  auto why = link_end::peer_closed;
  if (ssl_error == SSL_ERROR_ZERO_RETURN)
    text = "The machine closed its tunnel.";
  else if (ssl_error == SSL_ERROR_SYSCALL)
    text = system_error != 0 ? std::strerror(system_error) : "The machine closed its tunnel.";
  else {
    text = "TLS: " + net::tls_error_text();
    why = link_end::protocol;
  }
  if (phase_ == phase::speaking) {
    if (!reading || ssl_error != SSL_ERROR_ZERO_RETURN) {
      std::string{}.swap(out_); // nothing can be sent any more
      sent_ = 0;
    }
    end(why, std::move(text));
  } else if (phase_ == phase::flushing || phase_ == phase::ending) {
    std::string{}.swap(out_);
    sent_ = 0;
    if (phase_ == phase::flushing)
      close_socket();
  }
}

void tunnel::flushed() {
  ERR_clear_error();
  SSL_shutdown(stream_.native_handle()); // close_notify; the answer is not waited for
  error_code ec;
  stream_.next_layer().shutdown(asio::socket_base::shutdown_send, ec);
  if (ec) {
    close_socket();
    return;
  }
  phase_ = phase::draining;
  drain();
}

void tunnel::drain() {
  // Closing with octets unread would reset the connection and destroy our last words on their way.
  error_code ec;
  for (int i = 0; i < 16; ++i) {
    const auto n = stream_.next_layer().receive(asio::buffer(*lane_.buffer), 0, ec);
    if (ec == asio::error::would_block) {
      wait_readable();
      return;
    }
    if (ec || n == 0)
      break;
  }
  close_socket(); // their FIN, an error, or somebody who will not stop
}

void tunnel::close_socket() {
  if (phase_ == phase::closed)
    return;
  phase_ = phase::closed;
  step_.cancel();
  error_code ignored;
  stream_.next_layer().close(ignored);
  if (!asking_)
    lane_.remove(*this); // otherwise answered() does
}

} // namespace outband::cira
