/// One CIRA tunnel: TLS below, APF above, from the end of the TLS handshake to the last octet.
///
/// The order of speaking is apf::handshake's, the channels are apf::channels'; here are the socket,
/// the times and who is told. admit() is asked before the machine hears that it is in; meanwhile
/// nothing is read. After up(), down() follows exactly once.
/// Context: the lane's thread. Alive while the lane lists it.
/// Limits: an idle tunnel holds no buffer and three timer entries; at most options.max_unsent
/// octets
///   wait for the socket before reading stops (one message and the channels' replies more), and of
///   what was read at most one TLS record waits for admit().
#pragma once

#include "gateway/amt/amt_client.hpp"
#include "gateway/cira/alert_channel.hpp"
#include "gateway/cira/lane.hpp"
#include "gateway/net/lean_tls_stream.hpp"
#include "messages/apf/channels.hpp"
#include "messages/apf/decoder.hpp"
#include "messages/apf/handshake.hpp"

#include <memory>
#include <string>
#include <vector>

namespace outband::cira {

class tunnel final : public connection,
                     public amt::carrier,
                     public std::enable_shared_from_this<tunnel> {
public:
  tunnel(std::shared_ptr<lane> l, net::lean_tls_stream stream, endpoint peer);
  ~tunnel() override;
  void start();

  void shut() override;
  void abandon() override;

  // amt::carrier
  result<std::uint32_t> open(std::uint16_t port, amt::channel_user& user) override;
  void hand_over(std::uint32_t channel, amt::channel_user& user) override;
  std::size_t write(std::uint32_t channel, std::string_view octets) override;
  void consumed(std::uint32_t channel, std::size_t octets) override;
  void close(std::uint32_t channel) override;
  bool announced(std::uint16_t port) const override;
  net::timers& timers() override { return lane_.timers; }
  void end(link_end why, std::string text) override;

private:
  class handle;
  enum class phase : std::uint8_t {
    speaking,
    ending,   ///< finish() is on its way; nothing is read or handled any more
    flushing, ///< everyone has been told; the last octets leave
    draining, ///< our FIN is sent; what still comes is thrown away until the peer's
    closed,
  };
  /// What step_ waits for.
  enum class step : std::uint8_t { handshake, refusal, options_latest, closing };
  struct used_channel {
    std::uint32_t number;
    amt::channel_user* user;
  };

  // Reading
  void pump();
  void wait_readable();
  void resume_later();
  bool may_read() const;
  void heard();
  void take(std::string_view octets);
  void on_message(apf::message m);
  void on_channel_event(const apf::channel_event& e);

  // The handshake
  void decide(apf::handshake_event what);
  void carry_out(apf::handshake_effect& effect);
  void ask_admission(apf::look_up_credentials& who);
  void answered(result<admission> outcome);
  void ready();
  void arm(const apf::arm_timer& what);
  void cancel(apf::timer which);
  void step_passed();
  void quiet_passed() { decide(apf::timer_fired{apf::timer::options_quiet}); }
  void live_passed();

  // Writing
  void flush();
  void wait_writable();
  std::size_t unsent() const { return out_.size() - sent_; }
  /// After callbacks that may have written; outside of take(), which flushes once at its end.
  void touched();
  void wake_writers();

  // Ending
  void violation(std::string text);
  void broken(int ssl_error, bool reading);
  void finish(link_end why, const std::string& text);
  void report(link_end why, const std::string& text);
  void flushed();
  void drain();
  void close_socket();

  // Channels that the machine opens
  void opening(const apf::open_asked& asked);
  bool take_alert(std::string json);

  amt::channel_user* user_of(std::uint32_t channel) const;
  void forget(std::uint32_t channel);
  std::string device_text() const;

  const std::shared_ptr<lane> home_;
  lane& lane_; ///< *home_
  net::lean_tls_stream stream_;
  endpoint peer_;
  apf::decoder decoder_;
  apf::channels channels_;
  apf::handshake_state handshake_{};
  std::string out_;
  std::size_t sent_ = 0; ///< octets of out_ that TLS has taken
  std::string held_;     ///< read, but to be handled only after admit() has answered
  std::vector<used_channel> users_;
  std::vector<std::unique_ptr<alert_channel>> alerts_; ///< until closed on both sides
  net::timer_wheel::time alerts_since_;
  unsigned alerts_told_ = 0;             ///< within the minute from then
  std::unique_ptr<admission> admission_; ///< from admit() to up()
  device_ref ref_;
  link_epoch epoch_ = 0;
  std::string refusal_; ///< why it may not come in, for the log
  std::shared_ptr<handle> handle_;
  std::shared_ptr<amt::amt_client> client_;
  net::timer_wheel::time last_heard_;
  int trigger_ = 0;
  phase phase_ = phase::speaking;
  step step_is_ = step::handshake;
  bool pending_ = true;      ///< the gate counts us as unauthenticated
  bool admitted_ = false;    ///< down() is owed
  bool asking_ = false;      ///< admit() has not answered
  bool by_peer_ = false;     ///< the message being handled is the peer's DISCONNECT
  bool our_trouble_ = false; ///< refused for a reason that is not the peer's
  bool late_ = false;
  bool stranger_ = false; ///< unknown, or with a wrong password
  bool taking_ = false;   ///< inside take()
  bool waiting_to_read_ = false;
  bool waiting_to_write_ = false;
  bool resuming_ = false;       ///< a pump() is posted
  bool starved_writer_ = false; ///< a channel's write() was cut short by max_unsent
  net::member_timer<tunnel, &tunnel::step_passed> step_{*this};
  net::member_timer<tunnel, &tunnel::quiet_passed> quiet_{*this};
  net::member_timer<tunnel, &tunnel::live_passed> live_{*this};
};

} // namespace outband::cira
