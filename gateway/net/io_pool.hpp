/// The pool of I/O threads: one io_context per thread, so a connection stays on its thread and
/// needs no lock. Threads: next() and stop() may be called from anywhere.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <atomic>
#include <memory>

#include <thread>
#include <vector>

namespace outband::net {

class io_pool {
public:
  explicit io_pool(std::size_t threads);
  ~io_pool(); ///< stop()s and joins
  io_pool(const io_pool&) = delete;
  io_pool& operator=(const io_pool&) = delete;

  /// Round robin.
  boost::asio::io_context& next();
  boost::asio::io_context& at(std::size_t i);
  std::size_t size() const { return slots_.size(); }
  /// Ends the loops; handlers that have not run are destroyed with the pool.
  void stop();

private:
  struct slot {
    boost::asio::io_context context{1}; // one thread only: lets Asio skip its locks
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard{
        context.get_executor()};
    std::thread thread;
  };
  std::vector<std::unique_ptr<slot>> slots_;
  std::atomic<std::size_t> next_{0};
};

} // namespace outband::net
