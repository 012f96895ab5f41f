/// The timer wheel of one I/O thread. One Asio timer behind it, armed only while something waits:
/// an idle server sleeps.
///
/// Context: everything on that io_context's thread, except of().
#pragma once

#include "gateway/net/timer_wheel.hpp"

#include <memory>

namespace boost::asio {
class io_context;
}

namespace outband::net {

class timers {
public:
  /// The wheel of this io_context; made at the first call and gone with the io_context. Any thread;
  /// keep the reference instead of asking again.
  static timers& of(boost::asio::io_context& context);

  explicit timers(boost::asio::io_context& context);
  ~timers();

  void arm(timer_wheel::entry& e, std::chrono::milliseconds after);
  void arm_at(timer_wheel::entry& e, timer_wheel::time due);
  std::size_t size() const;

private:
  struct impl;
  std::shared_ptr<impl> impl_;
};

} // namespace outband::net
