/// What carries octets to the ports of one machine: a CIRA tunnel's channels. gateway/cira
/// implements it; the WS-MAN client here and the relay use it and know nothing of APF.
///
/// Threads: a carrier and its users live on one I/O thread; only a carrier_handle may be used from
///   anywhere.
#pragma once

#include "messages/domain/documents.hpp"
#include "messages/domain/result.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace outband::net {
class timers;
}

namespace outband::amt {

enum class refusal : std::uint8_t {
  prohibited, ///< or an unknown kind of channel
  no_service, ///< nobody listens on that port, perhaps only for the moment
  shortage,   ///< the firmware has no free channel
};

/// Who uses a channel. The carrier touches neither user nor channel after a call that the user
/// answered with close(), nor after the two that are final.
class channel_user {
public:
  virtual ~channel_user() = default;
  virtual void channel_opened() = 0;
  virtual void channel_refused(refusal why) = 0; ///< final
  /// `octets` are valid during the call. The machine may send more only as far as consumed() says.
  virtual void channel_data(std::string_view octets) = 0;
  /// write() may take more than last time.
  virtual void channel_writable() = 0;
  virtual void
  channel_closed(bool carrier_gone) = 0; ///< final; by the machine, or with the carrier
};

class carrier {
public:
  virtual ~carrier() = default;
  /// `user` must live until a final call or close(). problem::busy if there is no free channel.
  virtual result<std::uint32_t> open(std::uint16_t port, channel_user& user) = 0;
  /// From now on another user hears what happens.
  virtual void hand_over(std::uint32_t channel, channel_user& user) = 0;
  /// How many octets were taken; the rest after channel_writable().
  virtual std::size_t write(std::uint32_t channel, std::string_view octets) = 0;
  /// So many octets of channel_data() are done with.
  virtual void consumed(std::uint32_t channel, std::size_t octets) = 0;
  /// The user hears nothing more. An open that is still unanswered is closed when its answer comes.
  virtual void close(std::uint32_t channel) = 0;
  /// The machine has said that it serves this port.
  virtual bool announced(std::uint16_t port) const = 0;
  virtual net::timers& timers() = 0;
  /// Ends the carrier. Nothing is called from inside.
  virtual void end(link_end why, std::string text) = 0;
};

/// A way to a carrier that may end at any time.
class carrier_handle {
public:
  virtual ~carrier_handle() = default;
  /// Any thread. Runs `f` on the carrier's thread, with nullptr if it has ended meanwhile. False if
  /// it ended earlier: `f` was dropped.
  virtual bool run(std::function<void(carrier*)> f) = 0;
};

} // namespace outband::amt
