/// The way to a tunnel for other threads. Private to gateway/cira.
#pragma once

#include "gateway/cira/tunnel.hpp"

#include <boost/asio/post.hpp>

#include <mutex>

namespace outband::cira {

/// After detach() neither tunnel nor io_context is touched, so a handle may outlive both.
class tunnel::handle final : public amt::carrier_handle {
public:
  handle(boost::asio::io_context& context, std::weak_ptr<tunnel> t)
      : context_(&context), tunnel_(std::move(t)) {}

  bool run(std::function<void(amt::carrier*)> f) override {
    const std::lock_guard hold{mutex_};
    if (context_ == nullptr)
      return false;
    boost::asio::post(*context_, [weak = tunnel_, f = std::move(f)] {
      const auto t = weak.lock();
      const bool alive = t && t->phase_ == phase::speaking;
      f(alive ? t.get() : nullptr);
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
  std::weak_ptr<tunnel> tunnel_;
};

} // namespace outband::cira
