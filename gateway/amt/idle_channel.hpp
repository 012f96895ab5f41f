/// A channel that a finished call left open. Private to amt_client.
#pragma once

#include "gateway/amt/amt_client.hpp"
#include "gateway/net/timers.hpp"

#include <optional>

namespace outband::amt {

class amt_client::idle_channel final : public channel_user {
public:
  idle_channel(amt_client& o, carrier& w, std::uint32_t c) : owner(o), way(w), channel(c) {}
  ~idle_channel() override;

  void channel_opened() override {}
  void channel_refused(refusal) override {}
  /// Nothing was asked, so this belongs to nothing.
  void channel_data(std::string_view) override { gone(); }
  void channel_writable() override {}
  void channel_closed(bool) override {
    channel.reset();
    gone();
  }
  void gone();

  amt_client& owner;
  carrier& way;
  std::optional<std::uint32_t> channel;
  net::timer_wheel::time since = net::timer_wheel::clock::now();
  net::member_timer<idle_channel, &idle_channel::gone> timer{*this};
};

} // namespace outband::amt
