/// One thread for work that takes tens of milliseconds of CPU. Bounded: what does not fit is
/// refused. Threads: post() from any. The destructor finishes what runs and drops what waits.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace outband::auth {

class worker {
public:
  explicit worker(std::size_t queue);
  ~worker();
  worker(const worker&) = delete;
  worker& operator=(const worker&) = delete;

  /// `work(true)` on the thread, or `work(false)` from the destructor; false: the queue is full
  /// and `work` will not be called.
  bool post(std::function<void(bool)> work);

private:
  void run();
  const std::size_t limit_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void(bool)>> waiting_;
  bool ending_ = false;
  std::thread thread_;
};

} // namespace outband::auth
