/// What a listener does when it cannot accept, as when the process has no descriptors left: trying
/// again at once would find the same connection waiting, and burn the processor.
/// Context: the executor's thread.
#pragma once

#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <memory>
#include <utility>

namespace outband::amtsim {

template <class Executor, class Then> void after_accept_pause(const Executor& on, Then then) {
  auto timer = std::make_shared<boost::asio::steady_timer>(on, std::chrono::milliseconds(100));
  timer->async_wait([timer, then = std::move(then)](boost::system::error_code) { then(); });
}

} // namespace outband::amtsim
