/// How long things took, in fixed buckets: cheap enough for every call of a busy server.
///
/// Threads: any; one relaxed addition to a bucket and one to the sum per call of add(). A reading
/// may lack what is being added at the moment, never more than that.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace outband {

class latency {
public:
  /// Upper bounds in seconds; what is longer falls into a last bucket without one.
  static constexpr std::array<double, 17> bounds{
      .0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30};

  /// A clock that went back is taken for no time at all.
  void add(std::chrono::nanoseconds took) {
    const auto ns = took.count() > 0 ? static_cast<std::uint64_t>(took.count()) : 0;
    const double seconds = static_cast<double>(ns) * 1e-9;
    std::size_t i = 0;
    while (i < bounds.size() && seconds > bounds[i])
      ++i;
    counts_[i].fetch_add(1, std::memory_order_relaxed);
    sum_ns_.fetch_add(ns, std::memory_order_relaxed);
  }

  struct reading {
    std::array<std::uint64_t, bounds.size() + 1> counts{}; ///< per bucket, not cumulative
    double sum = 0;                                        ///< seconds
    std::uint64_t total() const {
      std::uint64_t n = 0;
      for (auto c : counts)
        n += c;
      return n;
    }
  };
  reading read() const {
    reading r;
    for (std::size_t i = 0; i < counts_.size(); ++i)
      r.counts[i] = counts_[i].load(std::memory_order_relaxed);
    r.sum = static_cast<double>(sum_ns_.load(std::memory_order_relaxed)) * 1e-9;
    return r;
  }

private:
  std::array<std::atomic<std::uint64_t>, bounds.size() + 1> counts_{};
  std::atomic<std::uint64_t> sum_ns_{0};
};

} // namespace outband
