/// One client of the activation WebSocket, from the upgrade to the end. Private to
/// gateway/activation.
///
///   awaiting the first message -> speaking -> leaving (after the last word) -> ended
///
/// It is a gateway/amt carrier of one channel at a time. In clear, an HTTP request that is written
/// goes out as one `wsman` frame, and the `response` frame is all that the channel ever brings;
/// under TLS the channel is the session's contents. An answer that comes after its call was given
/// up is told from the next one's by the message it relates to.
/// Context: the WebSocket's I/O thread. No call of the provisioner's port or of a completion is
/// made from inside a call of the wire.
#pragma once

#include "gateway/activation/core.hpp"
#include "gateway/activation/tls_session.hpp"
#include "gateway/amt/amt_client.hpp"
#include "gateway/http/server.hpp"
#include "gateway/net/timers.hpp"
#include "messages/rps/client_frame.hpp"

#include <deque>

namespace outband::activation {

class wire;

class session final : public amt::carrier, public std::enable_shared_from_this<session> {
public:
  session(std::shared_ptr<core> c, place p, std::shared_ptr<web::websocket> ws, std::string token,
          std::string peer);
  ~session() override;
  void start();

  // For the wire; see actors/ports/activation.hpp.
  bool speaking() const { return phase_ == phase::speaking; }
  void sign_in(const std::string& user, const secret_text& password);
  void post(const std::string& envelope, std::chrono::milliseconds timeout,
            std::function<void(result<soap_answer>)> cb);
  void switch_port(std::chrono::seconds delay, std::function<void(status)> cb);
  void use_tls(firmware_pin pin, std::function<void(status)> cb);
  void progress(const std::string& label);
  void finish(const provisioning_report& report);
  void refuse(const std::string& text);
  /// The provisioner let go of the wire.
  void abandoned();

  result<std::uint32_t> open(std::uint16_t port, amt::channel_user& user) override;
  void hand_over(std::uint32_t channel, amt::channel_user& user) override;
  std::size_t write(std::uint32_t channel, std::string_view octets) override;
  void consumed(std::uint32_t, std::size_t) override {}
  void close(std::uint32_t channel) override;
  bool announced(std::uint16_t) const override { return true; }
  net::timers& timers() override { return wheel_; }
  void end(link_end why, std::string text) override;

private:
  enum class phase : std::uint8_t { awaiting, speaking, leaving, ended };
  class handle;
  struct open_channel {
    std::uint32_t number = 0;
    amt::channel_user* user = nullptr;
    bool used = false;
  };
  struct open_post {
    std::function<void(result<soap_answer>)> cb;
    std::string message_id;
    bool reads = false;
    bool cut = false; ///< the firmware's local connection ended meanwhile
    std::optional<failure> tls{};
  };
  using clock = net::timer_wheel::clock;

  // session.cpp
  void receive();
  void heard(web::websocket::message m);
  void on(provisioning_wish wish);
  void on(rps::firmware_response r);
  void on(rps::tls_octets t);
  void on(rps::connection_reset);
  void on(rps::port_switched);
  void on(rps::heartbeat);
  void send(std::string frame);
  void pump();
  /// Ends by our own decision, with a word.
  void give_up(refused why, const std::string& text);
  void leave(std::string last_frame);
  /// Ends everything that waits.
  void settle(const failure& why);
  void tell_closed();
  void ended();
  void new_client();
  void hand_to_client(const std::string& envelope, std::chrono::milliseconds timeout);
  void post_done(result<soap_answer> r);
  void channel_ends();
  void watch_for_silence();
  void silent();
  void overlong();
  void not_switched();

  // session_tls.cpp
  void begin_tls(std::function<void(status)> cb);
  void tls_turn(tls_session::outcome o);
  void tls_ends(std::optional<failure> why);
  void tls_done(status how);
  void tls_last_word();
  void tls_too_slow();

  std::shared_ptr<core> core_;
  place place_;
  std::shared_ptr<web::websocket> ws_;
  net::timers& wheel_;
  const std::string token_, peer_;
  const std::uint64_t id_;
  phase phase_ = phase::awaiting;
  bool told_ = false; ///< the provisioner knows of us and has not heard that it is over
  std::weak_ptr<wire> wire_;
  bool labels_ = false; ///< the client understands progress
  std::string guid_;

  std::deque<std::string> out_;
  std::size_t out_octets_ = 0;
  bool sending_ = false;
  std::size_t frames_ = 0;
  bool asked_ = false; ///< for a sign of life

  std::string user_;
  secret_text password_;
  std::shared_ptr<handle> handle_;
  std::shared_ptr<amt::amt_client> client_;
  std::optional<open_post> post_;
  std::optional<open_channel> channel_;
  std::uint32_t last_channel_ = 0;
  bool awaits_response_ = false; ///< a `wsman` frame of the present channel is out
  std::size_t late_ = 0;         ///< responses to frames that were given up
  std::function<void(status)> switched_;

  bool in_tls_ = false;
  firmware_pin pin_;
  std::unique_ptr<tls_session> tls_;
  std::uint64_t tls_number_ = 0; ///< tells whether tls_ is still the same
  std::function<void(status)> tls_waits_;
  clock::time_point tls_used_{};

  net::member_timer<session, &session::silent> silence_{*this};
  net::member_timer<session, &session::overlong> overall_{*this};
  net::member_timer<session, &session::not_switched> switching_{*this};
  net::member_timer<session, &session::tls_too_slow> shaking_{*this};
  net::member_timer<session, &session::tls_last_word> withheld_{*this};
};

} // namespace outband::activation
