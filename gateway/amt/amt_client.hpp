/// The WS-MAN client of one machine: amt_link_port over a carrier's channels to port 16992, or
/// another one.
///
/// A warm call is one round trip: nonce and channel are reused; a channel that nobody wants for 5 s
/// is closed. What only reads is repeated once if the kept channel turns out to be gone; what
/// changes something is not, and takes a kept channel only within a second of its last use.
/// Threads: post() and close() from anywhere; all else on the carrier's thread, where callbacks
/// run.
///   Only when the carrier has already ended does a callback run inside post().
/// Limits: three calls at a time (more: problem::busy), an envelope of 256 KiB, a response of 1
/// MiB.
#pragma once

#include "actors/ports/amt_link.hpp"
#include "gateway/amt/carrier.hpp"
#include "gateway/amt/http_exchange.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace outband::amt {

class call;

struct client_timing {
  std::chrono::milliseconds port_wait{3000}; ///< for the announcement of the port
  std::chrono::milliseconds open{3000};      ///< for the answer to an open
  std::chrono::milliseconds retry{250};      ///< after a refused open; once
  std::chrono::milliseconds idle{5000};      ///< a channel nobody uses
  std::chrono::milliseconds reuse{1000};     ///< how long a change may take a kept channel
};

constexpr std::uint16_t wsman_port = 16992;

/// Where a machine's WS-MAN is reached.
struct firmware_port {
  std::uint16_t number = wsman_port;
  bool close_each = false; ///< each request asks the firmware to end the connection
};

class amt_client final : public amt_link_port, public std::enable_shared_from_this<amt_client> {
public:
  /// `guid` is what the Host header says, as MPS writes it: "<guid>:16992".
  amt_client(std::shared_ptr<carrier_handle> way, const std::string& guid, login who,
             client_timing timing = {}, firmware_port to = {});
  ~amt_client() override;

  void post(std::string envelope, std::chrono::milliseconds timeout,
            std::function<void(result<soap_answer>)> cb) override;
  void close(link_end why, std::string text) override;

  /// From the carrier, on its thread: a port was announced.
  void port_announced(std::uint16_t port);
  /// From the carrier, on its thread: it has ended, its channels are gone. Ends every call.
  void carrier_gone();
  /// Calls under way; on the carrier's thread.
  std::size_t calls() const { return calls_.size(); }

private:
  friend class call;
  class idle_channel;

  void begin(carrier& way, std::string envelope, std::chrono::milliseconds timeout,
             std::function<void(result<soap_answer>)> cb);
  /// Ends and destroys `c`.
  void finish(call& c, result<soap_answer> outcome);
  void keep(carrier& way, std::uint32_t channel);
  /// A kept channel that this call may use.
  std::unique_ptr<idle_channel> take(bool reads);

  std::shared_ptr<carrier_handle> way_;
  firmware_port to_;
  std::string host_;
  login who_;
  client_timing timing_;
  std::vector<std::unique_ptr<call>> calls_;
  std::unique_ptr<idle_channel> idle_;
  bool unannounced_ = false; ///< the announcement was waited for in vain once: do not wait again
};

} // namespace outband::amt
