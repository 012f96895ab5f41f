/// Times of single events and what is told of them.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace outband::bench {

class samples {
public:
  void add(double x) { all_.push_back(x); }
  void add(const samples& more) { all_.insert(all_.end(), more.all_.begin(), more.all_.end()); }
  std::size_t count() const { return all_.size(); }
  /// Nearest rank; 0 if there are none.
  double quantile(double q) {
    if (all_.empty())
      return 0;
    const auto rank = static_cast<std::size_t>(std::ceil(q * static_cast<double>(all_.size())));
    const auto at = std::min(std::max<std::size_t>(rank, 1), all_.size()) - 1;
    std::nth_element(all_.begin(), all_.begin() + static_cast<std::ptrdiff_t>(at), all_.end());
    return all_[at];
  }
  double median() { return quantile(0.5); }

private:
  std::vector<double> all_;
};

} // namespace outband::bench
