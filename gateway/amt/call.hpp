/// One WS-MAN call from post() to its answer: finds a channel, writes the request, reads the
/// response, and keeps the times. Private to amt_client.
///
///   waiting_for_port -> opening (-> pausing -> opening) -> exchanging (-> opening ...)
///
/// Context: the carrier's thread. finish() of the client destroys it, so nothing follows that.
#pragma once

#include "gateway/amt/amt_client.hpp"
#include "gateway/net/timers.hpp"

#include <optional>

namespace outband::amt {

class call final : public channel_user {
public:
  using callback = std::function<void(result<soap_answer>)>;
  call(amt_client& owner, carrier& way, std::string envelope, std::chrono::milliseconds timeout,
       callback cb);
  ~call() override;

  void begin();
  void port_announced();
  /// What to answer if the carrier ends now; its channels are gone already.
  failure cut_off() const;
  void forget_channel() { channel_.reset(); }
  callback take_callback() { return std::move(callback_); }

  void channel_opened() override;
  void channel_refused(refusal why) override;
  void channel_data(std::string_view octets) override;
  void channel_writable() override;
  void channel_closed(bool carrier_gone) override;

private:
  enum class phase : std::uint8_t { waiting_for_port, opening, pausing, exchanging };

  void open();
  void send();
  void act_on(http_exchange::verdict v);
  void act_on_lost();
  void close_channel();
  void step_passed();
  void deadline_passed();
  void end(result<soap_answer> outcome) { owner_.finish(*this, std::move(outcome)); }
  bool written() const { return at_ == request_.size() && !request_.empty(); }

  amt_client& owner_;
  carrier& way_;
  http_exchange exchange_;
  std::chrono::milliseconds timeout_;
  callback callback_;
  std::optional<std::uint32_t> channel_;
  std::string request_;
  std::size_t at_ = 0; ///< octets of request_ that the carrier took
  phase now_ = phase::waiting_for_port;
  bool opened_before_ = false; ///< a refused open has been repeated
  bool kept_ = false;          ///< the channel was used by an earlier call
  bool repeated_ = false;
  net::member_timer<call, &call::step_passed> step_{*this};
  net::member_timer<call, &call::deadline_passed> deadline_{*this};
};

} // namespace outband::amt
