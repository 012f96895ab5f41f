/// Delivers WS-Eventing's events, one after the other: through the tunnel while there is one, else
/// over the LAN.
///
/// An event that is refused, not answered within 10 s or answered with anything but 2xx is lost,
/// as with firmware, whose documentation asks listeners to read the logs after a gap. Digest
/// towards the listener and https are not played.
/// Context: the machine's thread. Made when a machine has its first event.
#pragma once

#include "messages/http/parser.hpp"
#include "tools/amtsim/cira_client.hpp"
#include "tools/amtsim/device_model.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace outband::amtsim {

class event_sender {
public:
  event_sender(boost::asio::io_context& io, cira_client& tunnel, device_model& device, bool on_lan);
  ~event_sender();

  /// Something may wait.
  void poke();

  // What the tunnel says about its channel.
  bool owns(std::uint32_t channel) const { return channel_ && *channel_ == channel; }
  void opened(bool accepted);
  void data(std::string_view octets);
  void writable();
  void closed();
  void tunnel_lost();

  std::uint64_t delivered() const { return delivered_; }
  std::uint64_t lost() const { return lost_; }

private:
  class lan_post;

  void finish(bool well);
  /// Once, unless this event is done with before.
  void finish_after(std::chrono::milliseconds time);

  boost::asio::io_context& io_;
  cira_client& tunnel_;
  device_model& device_;
  const bool on_lan_;
  boost::asio::steady_timer deadline_;
  std::optional<std::uint32_t> channel_;
  std::shared_ptr<lan_post> lan_;
  std::string out_; ///< of the request, what is not sent yet
  http::response_parser answer_;
  bool open_ = false;
  /// Which event it is: a timer of a former one, or of a sender that is gone, does nothing.
  std::shared_ptr<std::uint64_t> turn_ = std::make_shared<std::uint64_t>(0);
  std::uint64_t delivered_ = 0;
  std::uint64_t lost_ = 0;
};

} // namespace outband::amtsim
