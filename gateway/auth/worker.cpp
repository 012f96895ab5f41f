#include "gateway/auth/worker.hpp"

#include <pthread.h>

namespace outband::auth {

worker::worker(std::size_t queue) : limit_(queue), thread_([this] { run(); }) {
  pthread_setname_np(thread_.native_handle(), "outband-hash");
}

worker::~worker() {
  {
    std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable())
    thread_.join();
  for (auto& work : waiting_)
    work(false);
}

bool worker::post(std::function<void(bool)> work) {
  {
    std::lock_guard lock(mutex_);
    if (ending_ || waiting_.size() >= limit_)
      return false;
    waiting_.push_back(std::move(work));
  }
  wake_.notify_one();
  return true;
}

void worker::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [&] { return ending_ || !waiting_.empty(); });
    if (ending_)
      return;
    auto work = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    work(true);
    work = nullptr;
    lock.lock();
  }
}

} // namespace outband::auth
