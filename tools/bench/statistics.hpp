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

/// A straight line through equidistant values, by least squares.
struct trend {
  double first = 0, last = 0; ///< where the line begins and ends
  /// last / first; 1 if there is no line.
  double ratio = 1;
  /// Standard error of `ratio`, from how far the values are off the line; 0 for less than three.
  double error = 0;
};
inline trend trend_of(const std::vector<double>& values) {
  const auto n = static_cast<double>(values.size());
  trend out;
  if (values.empty())
    return out;
  double mean = 0;
  for (const auto v : values)
    mean += v / n;
  const double middle = (n - 1) / 2;
  double along = 0, spread = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto x = static_cast<double>(i) - middle;
    along += x * (values[i] - mean);
    spread += x * x;
  }
  const double slope = spread > 0 ? along / spread : 0;
  out.first = mean - slope * middle;
  out.last = mean + slope * middle;
  if (out.first <= 0)
    return out;
  out.ratio = out.last / out.first;
  if (values.size() < 3)
    return out;
  double off = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto d = values[i] - (mean + slope * (static_cast<double>(i) - middle));
    off += d * d;
  }
  // To first order: the mean is known much better than the slope.
  out.error = std::sqrt(off / (n - 2) / spread) * (n - 1) / mean;
  return out;
}

} // namespace outband::bench
