#include "bus/scheduler.hpp"

#include <future>
#include <memory>
#include <utility>

namespace outband::bus {

thread_loop::thread_loop() : thread_([this] { run(); }) {}

thread_loop::~thread_loop() {
  stop();
}

void thread_loop::post(task t) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    posted_.push_back(std::move(t));
  }
  wake_.notify_one();
}

scheduler::timer thread_loop::after(clock::duration delay, task t) {
  timer id;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    id = {clock::now() + delay, ++serial_};
    timers_.emplace(id, std::move(t));
  }
  wake_.notify_one();
  return id;
}

void thread_loop::cancel(const timer& t) {
  task dropped; // destroyed without the lock: its captures may call us
  std::lock_guard<std::mutex> lock(mutex_);
  if (auto it = timers_.find(t); it != timers_.end()) {
    dropped = std::move(it->second);
    timers_.erase(it);
  }
}

void thread_loop::settle() {
  auto reached = std::make_shared<std::promise<void>>();
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (std::this_thread::get_id() == thread_.get_id() || stopping_)
      return;
    posted_.push_back([reached] { reached->set_value(); });
  }
  wake_.notify_one();
  reached->get_future().wait();
}

void thread_loop::stop() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable())
    thread_.join();
}

void thread_loop::run() {
  std::unique_lock<std::mutex> lock(mutex_);
  for (;;) {
    task next;
    if (!posted_.empty()) {
      next = std::move(posted_.front());
      posted_.pop_front();
    } else if (stopping_) {
      return;
    } else if (timers_.empty()) {
      wake_.wait(lock);
      continue;
    } else if (auto first = timers_.begin(); first->first.first <= clock::now()) {
      next = std::move(first->second);
      timers_.erase(first);
    } else {
      auto due = first->first.first;
      wake_.wait_until(lock, due);
      continue;
    }
    lock.unlock();
    next();
    next = nullptr;
    lock.lock();
  }
}

scheduler::clock::time_point virtual_loop::now() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return now_;
}

void virtual_loop::post(task t) {
  std::lock_guard<std::mutex> lock(mutex_);
  posted_.push_back(std::move(t));
}

scheduler::timer virtual_loop::after(clock::duration delay, task t) {
  std::lock_guard<std::mutex> lock(mutex_);
  timer id{now_ + delay, ++serial_};
  timers_.emplace(id, std::move(t));
  return id;
}

void virtual_loop::cancel(const timer& t) {
  task dropped;
  std::lock_guard<std::mutex> lock(mutex_);
  if (auto it = timers_.find(t); it != timers_.end()) {
    dropped = std::move(it->second);
    timers_.erase(it);
  }
}

bool virtual_loop::take(task& next) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (!posted_.empty()) {
    next = std::move(posted_.front());
    posted_.pop_front();
    return true;
  }
  if (timers_.empty() || timers_.begin()->first.first > now_)
    return false;
  next = std::move(timers_.begin()->second);
  timers_.erase(timers_.begin());
  return true;
}

bool virtual_loop::step() {
  task next;
  if (!take(next))
    return false;
  next();
  return true;
}

std::size_t virtual_loop::run(std::size_t limit) {
  std::size_t done = 0;
  while (done < limit && step())
    ++done;
  return done;
}

void virtual_loop::advance(clock::duration span) {
  auto end = now() + span;
  for (;;) {
    run();
    std::lock_guard<std::mutex> lock(mutex_);
    if (timers_.empty() || timers_.begin()->first.first > end) {
      now_ = end;
      return;
    }
    now_ = timers_.begin()->first.first;
  }
}

} // namespace outband::bus
