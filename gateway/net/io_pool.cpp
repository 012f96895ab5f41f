#include "gateway/net/io_pool.hpp"

#include <algorithm>
#include <csignal>
#include <pthread.h>

namespace outband::net {

io_pool::io_pool(std::size_t threads) {
  // OpenSSL writes with write(2): a closed peer must be an error, not a signal.
  std::signal(SIGPIPE, SIG_IGN);
  for (std::size_t i = 0; i < std::max<std::size_t>(threads, 1); ++i) {
    auto s = std::make_unique<slot>();
    s->thread = std::thread([p = s.get()] { p->context.run(); });
    pthread_setname_np(s->thread.native_handle(), "outband-io");
    slots_.push_back(std::move(s));
  }
}

io_pool::~io_pool() {
  stop();
  for (auto& s : slots_)
    if (s->thread.joinable())
      s->thread.join();
}

boost::asio::io_context& io_pool::next() {
  return at(next_.fetch_add(1, std::memory_order_relaxed));
}

boost::asio::io_context& io_pool::at(std::size_t i) {
  return slots_[i % slots_.size()]->context;
}

void io_pool::stop() {
  for (auto& s : slots_) {
    s->guard.reset();
    s->context.stop();
  }
}

} // namespace outband::net
