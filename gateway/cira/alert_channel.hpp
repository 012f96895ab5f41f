/// A channel that a machine opened to deliver an event: a small HTTP server for one client that the
/// tunnel has authenticated already.
///
/// POSTs are answered 200 when their body was an event, 400 when it was not, 503 when the machine
/// tells too much; everything that is no POST of HTTP/1.1 ends the channel.
/// Context: the tunnel's thread; alive until the channel is closed on both sides, so that a machine
///   cannot have more of them than the tunnel allows. Private to gateway/cira.
/// Limits: 64 KiB of body, 4 KiB of head, `patience` without a complete request.
#pragma once

#include "gateway/amt/carrier.hpp"
#include "gateway/net/timer_wheel.hpp"
#include "messages/http/parser.hpp"

#include <functional>
#include <string>

namespace outband::cira {

class alert_channel final : public amt::channel_user {
public:
  /// Takes an event as JSON; false: too many, the machine may repeat it later.
  using taker = std::function<bool(std::string json)>;

  static constexpr std::chrono::milliseconds patience{10'000};

  alert_channel(amt::carrier& on, std::uint32_t number, taker take);

  std::uint32_t number() const { return number_; }

  void channel_opened() override {}
  void channel_refused(amt::refusal) override {}
  void channel_data(std::string_view octets) override;
  void channel_writable() override { write(); }
  void channel_closed(bool) override { end(); }

private:
  void write();
  void close();
  void end();
  /// Of one request: its answer.
  void answer(int status_code, bool keep_alive);

  amt::carrier& carrier_;
  std::uint32_t number_;
  taker take_;
  http::request_parser parser_;
  std::string out_;
  bool closing_ = false; ///< when out_ is written
  bool over_ = false;
  net::member_timer<alert_channel, &alert_channel::close> deadline_{*this};
};

} // namespace outband::cira
