/// A machine's link for other threads. Private to gateway/direct.
#pragma once

#include "gateway/direct/machine.hpp"

#include <boost/asio/post.hpp>

#include <mutex>

namespace outband::direct {

/// After detach() neither machine nor io_context is touched, so a handle may outlive both; one link
/// has one.
class machine::handle final : public amt::carrier_handle,
                              public std::enable_shared_from_this<machine::handle> {
public:
  handle(boost::asio::io_context& context, std::weak_ptr<machine> m)
      : context_(&context), machine_(std::move(m)) {}

  bool run(std::function<void(amt::carrier*)> f) override {
    const std::lock_guard hold{mutex_};
    if (context_ == nullptr)
      return false;
    boost::asio::post(*context_, [self = shared_from_this(), weak = machine_, f = std::move(f)] {
      const auto m = weak.lock();
      const bool alive = m && m->handle_ == self && m->speaking();
      f(alive ? m.get() : nullptr);
    });
    return true;
  }

  void detach() {
    const std::lock_guard hold{mutex_};
    context_ = nullptr;
  }

private:
  std::mutex mutex_;
  boost::asio::io_context* context_;
  std::weak_ptr<machine> machine_;
};

} // namespace outband::direct
