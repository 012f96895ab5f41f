#include "gateway/net/timers.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

namespace outband::net {

namespace asio = boost::asio;

struct timers::impl : std::enable_shared_from_this<impl> {
  explicit impl(asio::io_context& context) : timer(context), wheel(timer_wheel::clock::now()) {}

  /// The Asio timer expires no later than the wheel wants; earlier is harmless.
  void wake_in_time() {
    const auto due = wheel.next();
    if (!due || stopped || (waiting && timer.expiry() <= *due))
      return;
    waiting = true;
    timer.expires_at(*due);
    timer.async_wait([weak = weak_from_this(), due = *due](boost::system::error_code) {
      const auto self = weak.lock();
      // A replaced wait ends with operation_aborted, but may also have been on its way already.
      if (!self || self->stopped || self->timer.expiry() != due)
        return;
      self->waiting = false;
      self->wheel.advance(timer_wheel::clock::now());
      self->wake_in_time();
    });
  }

  asio::steady_timer timer;
  timer_wheel wheel;
  bool waiting = false;
  bool stopped = false;
};

namespace {

class service final : public asio::execution_context::service {
public:
  using key_type = service;
  static asio::execution_context::id id;

  explicit service(asio::execution_context& owner)
      : asio::execution_context::service(owner), wheel(static_cast<asio::io_context&>(owner)) {}

  timers wheel;

private:
  void shutdown() override {}
};
asio::execution_context::id service::id;

} // namespace

timers& timers::of(asio::io_context& context) {
  return asio::use_service<service>(context).wheel;
}

timers::timers(asio::io_context& context) : impl_(std::make_shared<impl>(context)) {}

timers::~timers() {
  impl_->stopped = true;
}

void timers::arm(timer_wheel::entry& e, std::chrono::milliseconds after) {
  arm_at(e, timer_wheel::clock::now() + after);
}

void timers::arm_at(timer_wheel::entry& e, timer_wheel::time due) {
  auto& wheel = impl_->wheel;
  if (wheel.size() == 0)
    wheel.advance(timer_wheel::clock::now()); // it stood still while there was nothing to do
  wheel.arm(e, due);
  impl_->wake_in_time();
}

std::size_t timers::size() const {
  return impl_->wheel.size();
}

} // namespace outband::net
