// The machine's conversations: WS-MAN on channels and on the LAN, events the other way.
#include "tools/amtsim/activation_state.hpp"
#include "tools/amtsim/cira_state.hpp"
#include "tools/amtsim/machine.hpp"
#include "tools/amtsim/subscription_state.hpp"
#include "tools/amtsim/tls_state.hpp"

#include <algorithm>
#include <ctime>
#include <utility>

namespace outband::amtsim {

namespace {

constexpr sim_time ports_down_after{100};
constexpr std::size_t max_local = 8;
constexpr std::uint16_t plain_port = 16992;
constexpr std::uint16_t tls_port = 16993;

std::string http_date() {
  // The same second for all machines of a thread is formatted once.
  thread_local std::time_t last = 0;
  thread_local std::string text;
  const auto t = std::time(nullptr);
  if (t != last) {
    std::tm utc{};
    gmtime_r(&t, &utc);
    char buffer[64];
    std::strftime(buffer, sizeof buffer, "%a, %d %b %Y %H:%M:%S GMT", &utc);
    text = buffer;
    last = t;
  }
  return text;
}

} // namespace

machine::wsman_channel* machine::find(std::uint32_t channel) {
  for (const auto& c : channels_)
    if (c->id == channel)
      return c.get();
  return nullptr;
}

void machine::channel_opened(std::uint32_t channel, std::uint32_t) {
  channels_.push_back(std::make_unique<wsman_channel>());
  channels_.back()->id = channel;
}

void machine::channel_answered(std::uint32_t channel, bool accepted) {
  if (events_ && events_->owns(channel))
    events_->opened(accepted);
}

void machine::send_events() {
  if (model_.subscriptions->waiting.empty())
    return;
  if (!events_)
    events_ = std::make_unique<event_sender>(io_, tunnel_, model_, lan_ != nullptr);
  events_->poke();
}

void machine::channel_data(std::uint32_t channel, std::string_view octets) {
  if (events_ && events_->owns(channel)) {
    tunnel_.consumed(channel, octets.size());
    return events_->data(octets);
  }
  auto* c = find(channel);
  if (c == nullptr)
    return;
  c->http.feed(octets);
  tunnel_.consumed(channel, octets.size());
  if (!c->replying)
    serve(*c);
}

void machine::channel_writable(std::uint32_t channel) {
  if (events_ && events_->owns(channel))
    return events_->writable();
  auto* c = find(channel);
  if (c != nullptr && c->replying && push(*c))
    serve(*c);
}

void machine::channel_closed(std::uint32_t channel) {
  if (events_ && events_->owns(channel))
    return events_->closed();
  channels_.erase(std::remove_if(channels_.begin(), channels_.end(),
                                 [&](const auto& c) { return c->id == channel; }),
                  channels_.end());
  if (channels_.empty())
    std::vector<std::unique_ptr<wsman_channel>>{}.swap(channels_);
}

std::optional<http_reply> machine::next_reply(http_server& http) {
  auto reply = http.next(model_, faults_, now(), http_date());
  if (!reply)
    return reply;
  if (reply->status == 401)
    ++challenges_;
  if (!reply->what.empty()) {
    ++requests_[reply->what];
    const auto verb = std::string_view(reply->what).substr(reply->what.find('/') + 1);
    if (verb != "Get" && verb != "Enumerate" && verb != "Pull")
      changed_by_request();
  }
  schedule(); // it may have set power going
  return reply;
}

void machine::changed_by_request() {
  around_.changed();
  send_events();
  if (model_.activation->port_restarts != port_restarts_) {
    port_restarts_ = model_.activation->port_restarts;
    ports_down_at_ = now() + ports_down_after;
  }
  settle();
}

void machine::serve(wsman_channel& c) {
  while (!c.replying) {
    auto reply = next_reply(c.http);
    if (!reply)
      return;
    if (reply->silent)
      continue;
    if (reply->cut) {
      const auto id = c.id;
      channel_closed(id);
      return tunnel_.close_channel(id);
    }
    c.out = std::move(reply->octets);
    c.repeat = std::move(reply->repeat);
    c.close_after = reply->close;
    c.replying = true;
    c.send_at = reply->delay.count() > 0 ? now() + reply->delay : sim_time{0};
    if (c.send_at.count() != 0)
      schedule();
    if (!push(c))
      return;
  }
}

std::unique_ptr<local_connection> machine::open_local(std::uint16_t port, local_peer& peer) {
  const auto& setup = *model_.activation;
  const auto& tls = model_.tls->in_force[1];
  const bool serves = port == tls_port ? tls_enforced(model_) || tls.enabled
                      : port == plain_port
                          ? !tls_enforced(model_) && (!tls.enabled || tls.accept_plain)
                          : false;
  local_.erase(
      std::remove_if(local_.begin(), local_.end(), [](const auto& c) { return c.ended(); }),
      local_.end());
  if (!serves || !setup.amt_enabled || now() < setup.ports_back_at || local_.size() >= max_local)
    return nullptr;
  auto* context = port == tls_port ? local_certificate_.context(model_) : nullptr;
  if (port == tls_port && context == nullptr)
    return nullptr;
  local_port::owner& me = *this;
  local_.emplace_back(io_, model_, context, me, peer);
  return local_.back().handle();
}

void machine::end_local(bool with_reset) {
  for (auto& c : local_)
    c.end(with_reset);
  local_.clear();
  leaving_.clear();
}

void machine::lan_down(sim_time back_after, bool with_reset) {
  if (!lan_)
    return;
  lan_->close(with_reset);
  lan_open_at_ = now() + back_after;
}

bool machine::push(wsman_channel& c) {
  if (c.send_at.count() != 0)
    return true; // not yet
  for (;;) {
    const auto done = tunnel_.write(c.id, c.out);
    c.out.erase(0, done);
    if (!c.out.empty())
      return true; // goes on when the server opens its window
    if (c.repeat.empty())
      break;
    c.out = c.repeat; // the window ends this
  }
  std::string{}.swap(c.out);
  c.replying = false;
  if (!c.close_after)
    return true;
  const auto id = c.id;
  channel_closed(id); // nothing more is served on it
  tunnel_.close_channel(id);
  return false;
}

} // namespace outband::amtsim
