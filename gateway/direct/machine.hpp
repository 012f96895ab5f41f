/// One machine that is connected to: the attempts, the proof that it is the right one, the link,
/// and the connections that are its channels.
///
///   resting -> preparing -> waiting -> resolving -> connecting -> proving -> admitting -> up
///      ^__________|____________|____________|___________|____________|___________|________|
///
/// One connection to the WS-MAN port is held as long as the link is up; the WS-MAN client uses it.
/// Firmware closes connections that are idle: when the last one has ended in order, another one is
/// made at once, and only if that fails has the machine gone. One that ends without order may have
/// been ended by somebody else who has the address now: then the link ends, and who answers has to
/// prove itself again.
/// Silence is judged by what the kernel knows of its keep-alives; nothing is sent for it.
/// Context: the lane's thread, except look_soon() and shut_soon(). Alive while the hub lists it.
#pragma once

#include "gateway/amt/amt_client.hpp"
#include "gateway/direct/lane.hpp"
#include "gateway/direct/pause.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace outband::direct {

class machine final : public amt::carrier,
                      public wire_owner,
                      public std::enable_shared_from_this<machine> {
public:
  machine(std::shared_ptr<lane> l, device_ref ref);
  ~machine() override;

  /// Any thread, with the hub's mutex held.
  void look_soon();
  void shut_soon();

  // amt::carrier
  result<std::uint32_t> open(std::uint16_t port, amt::channel_user& user) override;
  void hand_over(std::uint32_t channel, amt::channel_user& user) override;
  std::size_t write(std::uint32_t channel, std::string_view octets) override;
  void consumed(std::uint32_t channel, std::size_t octets) override;
  void close(std::uint32_t channel) override;
  bool announced(std::uint16_t port) const override;
  net::timers& timers() override { return lane_.timers; }
  void end(link_end why, std::string text) override;

  // wire_owner
  void wire_open(wire& w) override;
  void wire_failed(wire& w, bool spoke, const std::string& why) override;
  void wire_data(wire& w, std::string_view octets) override;
  void wire_writable(wire& w) override;
  void wire_lost(wire& w, bool orderly, const std::string& why) override;

private:
  class handle;
  enum class phase : std::uint8_t {
    resting,
    preparing,
    waiting,
    resolving,
    connecting,
    proving,
    admitting,
    up,
    over,
  };
  struct channel {
    std::uint32_t number = 0; ///< 0: nobody's
    std::shared_ptr<wire> via;
    amt::channel_user* user = nullptr;
    bool wsman = true;
  };

  // Attempts: machine.cpp
  void look();
  void shut();
  void begin();
  void prepared(result<direct_target> target);
  void go();
  void resolved(const net::error_code& ec, std::vector<net::asio::ip::address> found);
  void try_next();
  void first_open(wire& w);
  void prove();
  void proved(result<soap_answer> told);
  void pinned(result<bool> done);
  void admit();
  void admitted(result<admission> outcome);
  /// The attempt was in vain; `what`: an operator has to do something.
  void give_up(const std::string& text, direct_trouble what = direct_trouble::none);
  void report(direct_trouble what, const std::string& text);
  void rest(std::chrono::milliseconds after);
  void step_passed();
  void drop_all();
  void turn_over();
  void leave();
  template <class T> answer<T> here(void (machine::*then)(result<T>));
  /// On our thread, never inside this call.
  void later(std::function<void(machine&)> f);

  // The link: machine_link.cpp
  void finish(link_end why, const std::string& text);
  void live_passed();
  void check_held();
  void hold_again();
  bool speaking() const { return phase_ == phase::proving || phase_ == phase::up; }
  std::shared_ptr<wire> make_wire();
  wire::endpoint endpoint_of(bool wsman) const;
  channel* find(std::uint32_t number);
  channel* find(const wire& w);
  void forget(const wire& w);

  const std::shared_ptr<lane> home_;
  lane& lane_; ///< *home_
  hub& hub_;
  const device_ref ref_;
  phase phase_ = phase::resting;
  std::uint64_t attempt_ = 0; ///< what was asked in an earlier one is answered to nobody
  int asking_ = 0;            ///< questions to the port that are not answered
  int looks_ = 0;             ///< look() on their way; guarded by the hub's mutex
  bool have_turn_ = false;
  bool shutting_ = false;
  direct_target target_;
  std::vector<net::asio::ip::address> addresses_;
  std::size_t next_address_ = 0;
  net::asio::ip::address address_;
  std::unique_ptr<net::asio::ip::tcp::resolver> resolver_;
  std::string certificate_; ///< of this attempt; later connections must show the same
  std::string text_;        ///< why the last address could not be reached
  pause pause_;
  direct_trouble reported_ = direct_trouble::none;

  std::vector<channel> channels_;
  std::uint32_t last_channel_ = 0;
  std::shared_ptr<handle> handle_;
  std::shared_ptr<amt::amt_client> client_;
  link_epoch epoch_ = 0;
  wire::clock::time_point up_since_, last_heard_;
  bool late_ = false;
  bool checking_ = false; ///< check_held() is posted
  int hold_failures_ = 0;
  int short_holds_ = 0; ///< in a row, of connections that the machine did not want for long
  int stillborn_ = 0;   ///< in a row, of connections that it closed at once
  net::member_timer<machine, &machine::step_passed> step_{*this};
  net::member_timer<machine, &machine::live_passed> live_{*this};
  net::member_timer<machine, &machine::hold_again> hold_{*this};
};

} // namespace outband::direct
