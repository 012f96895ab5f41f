/// Writes Prometheus's text format 0.0.4.
///
///   exposition x;
///   x.counter("bus_published_total", "Messages the broker acknowledged.").is(7);
///   x.gauge("cira_tunnels", "Usable tunnels.").is(2, {{"state", "up"}}).is(1, {{"state",
///   "late"}});
///
/// All samples of a name follow its HELP and TYPE; the prefix "outband_" is added here. Pure.
#pragma once

#include "actors/ports/latency.hpp"

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace outband::rest {

struct metric_label {
  std::string_view name;
  std::string_view value; ///< any text; escaped here
};
using metric_labels = std::initializer_list<metric_label>;

class exposition {
public:
  exposition& counter(std::string_view name, std::string_view help);
  exposition& gauge(std::string_view name, std::string_view help);
  exposition& histogram(std::string_view name, std::string_view help);

  /// A sample of the metric named last.
  exposition& is(std::uint64_t value, metric_labels labels = {});
  exposition& is_real(double value, metric_labels labels = {});
  exposition& is(const latency::reading& value, metric_labels labels = {});

  std::string take() { return std::move(out_); }

private:
  exposition& family(std::string_view kind, std::string_view name, std::string_view help);
  void sample(std::string_view suffix, metric_labels labels, std::string_view bound,
              std::string_view value);

  std::string out_, name_;
};

} // namespace outband::rest
