/// The channels of one tunnel: numbers, open and close handshakes, and both windows.
///
/// Symmetrical: the server opens, a device (simulator) accepts. What must be sent is appended to
/// `out`; each message from the peer yields one event. Nothing is buffered in either direction:
///   write() takes what the peer's window allows and says how much; go on at `writable`.
///   The peer's window is reopened only by consumed(), so a consumer that stops stops the peer.
/// Source: RFC 4254 section 5 for the windows; rpc-go internal/lm/engine.go for AMT's numbering
///   from 0, its eight slots and the stale CLOSE it repeats after an open.
/// Context: pure. One per tunnel, on that tunnel's I/O thread.
/// Limits: `max_channels`, closing ones and abandoned opens included, as they hold a slot at the
///   device. There is no clock here: who waits for an open closes the channel when out of patience.
#pragma once

#include "messages/apf/messages.hpp"
#include "messages/domain/result.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace outband::apf {

struct channels_config {
  enum class numbering : std::uint8_t {
    ascending,   ///< 1, 2, 3 ... never reused: a late message cannot hit a newer channel
    lowest_free, ///< 0 first, as AMT does
  };
  numbering ids = numbering::ascending;
  bool accept_opens = false;            ///< false: refused as administratively prohibited
  std::size_t max_channels = 32;        ///< all together; more are refused as resource shortage
  std::uint32_t receive_window = 81920; ///< octets the peer may send before we adjust
  std::uint32_t max_payload = 4096;     ///< octets in one CHANNEL_DATA that we send
  std::size_t max_strays = 64;          ///< messages in a row for unknown channels

  static channels_config server() { return {}; }
  /// AMT: eight slots, 4 KiB windows, messages of at most 4096 octets on the wire.
  static channels_config device() { return {numbering::lowest_free, true, 8, 4096, 4087, 64}; }
};

/// Consumed without consequence: late, repeated, or for a channel that is gone.
struct ignored {};
struct opened {
  std::uint32_t channel;
};
struct open_refused {
  std::uint32_t channel;
  open_failure_reason reason;
};
/// The peer wants a channel: answer with accept() or refuse().
struct open_asked {
  std::uint32_t channel;
  channel_open what;
};
/// Call consumed() when these octets have gone where they belong. The view is the message's.
struct data_arrived {
  std::uint32_t channel;
  std::string_view data;
};
/// The peer's window grew.
struct writable {
  std::uint32_t channel;
};
/// Over, whoever began. Not said for an open that was refused.
struct channel_closed {
  std::uint32_t channel;
};
/// The peer broke the protocol: close the tunnel.
struct violation {
  std::uint32_t channel;
  std::string_view what; ///< static text
};
using channel_event = std::variant<ignored, opened, open_refused, open_asked, data_arrived,
                                   writable, channel_closed, violation>;

class channels {
public:
  explicit channels(channels_config config = {}) : config_(config) {}

  /// Asks the peer for a channel to `port`; `opened` or `open_refused` follows. Gives our number,
  /// or problem::busy when every slot is taken.
  result<std::uint32_t> open(std::uint32_t port, std::string& out);
  /// The same from a device, which says where the peer should connect for it: "direct-tcpip". AMT
  /// delivers its WS-MAN events that way (Intel's LMS, MeshCentral's microlms).
  result<std::uint32_t> open_to(std::string host, std::uint32_t port, std::string& out);

  /// A message for which is_channel_traffic() holds; others are ignored.
  channel_event on(const message& m, std::string& out);
  channel_event on(const channel_data& m);

  /// Answers `open_asked`. False if that channel does not wait for it.
  bool accept(std::uint32_t channel, std::string& out);
  bool refuse(std::uint32_t channel, open_failure_reason why, std::string& out);

  /// Sends from the front of `data` what fits; returns how many octets that was.
  std::size_t write(std::uint32_t channel, std::string_view data, std::string& out);
  /// The consumer took `octets` of what data_arrived gave it; this may reopen the peer's window.
  void consumed(std::uint32_t channel, std::size_t octets, std::string& out);
  /// No more is written or delivered. `channel_closed` follows once the peer agrees. An open that
  /// is unanswered is closed when its answer comes.
  void close(std::uint32_t channel, std::string& out);

  /// Octets that write() would take now; 0 for a channel that is not open.
  std::size_t credit(std::uint32_t channel) const;
  std::size_t size() const { return entries_.size(); }

private:
  enum class phase : std::uint8_t { opening, abandoned, asked, open, closing };
  struct entry {
    std::uint32_t ours;
    std::uint32_t theirs;
    std::uint32_t may_send;    ///< credit the peer gave us
    std::uint32_t may_receive; ///< what the peer may still send
    std::uint32_t taken;       ///< consumed and not yet given back
    phase now;
  };

  const entry* find(std::uint32_t channel) const;
  entry* find(std::uint32_t channel);
  entry* add(phase now);
  void erase(const entry* e);
  channel_event stray(std::uint32_t channel);

  channel_event on_open(const channel_open& m, std::string& out);
  channel_event on_confirmation(const channel_open_confirmation& m, std::string& out);
  channel_event on_failure(const channel_open_failure& m);
  channel_event on_adjust(const channel_window_adjust& m);
  channel_event on_close(const channel_close& m, std::string& out);

  channels_config config_;
  std::vector<entry> entries_; ///< few; empty and without heap on a quiet tunnel
  std::uint32_t next_id_ = 1;
  std::size_t strays_ = 0;
};

} // namespace outband::apf
