/// What this process counts about REST, and Prometheus's text of it.
/// Threads: any; counting takes no lock and no memory but one small block per request.
#pragma once

#include "actors/ports/control.hpp"
#include "actors/ports/latency.hpp"

#include <array>
#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace outband::rest {

class metrics {
  struct route_figures;

public:
  /// Knows every route of the role table, and "none" for what matched none.
  metrics();

  /// A request from its head to its answer; keep it as long as the answer may come. Dropped without
  /// answered(): somebody lost the responder, which counts as 500.
  class pending {
  public:
    pending(metrics& owner, std::string_view rule);
    ~pending() { answered(500); }
    pending(const pending&) = delete;
    pending& operator=(const pending&) = delete;
    void answered(int status); ///< the first word counts

  private:
    metrics& owner_;
    route_figures& figures_;
    std::chrono::steady_clock::time_point since_ = std::chrono::steady_clock::now();
    std::atomic<bool> over_{false};
  };

  /// Prometheus text format 0.0.4.
  std::string text(const control_port::counts& now, time_ms started, time_ms at) const;

private:
  struct route_figures {
    /// As they turn up: few differ. What finds no place is counted under status 0.
    struct by_status {
      std::atomic<int> status{0};
      std::atomic<std::uint64_t> count{0};
    };
    std::array<by_status, 16> statuses;
    std::atomic<std::uint64_t> elsewhere{0};
    latency took;
    void count(int status);
  };
  route_figures& of(std::string_view rule);

  std::map<std::string, route_figures, std::less<>> routes_; ///< fixed after construction
  std::atomic<std::uint64_t> in_flight_{0};
};

} // namespace outband::rest
