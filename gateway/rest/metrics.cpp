#include "gateway/rest/metrics.hpp"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

namespace outband::rest {

struct metrics::impl {
  prometheus::Registry registry;
  prometheus::Family<prometheus::Counter>& requests =
      prometheus::BuildCounter()
          .Name("outband_http_requests_total")
          .Help("Answered REST requests by route and status.")
          .Register(registry);
  prometheus::Family<prometheus::Histogram>& durations =
      prometheus::BuildHistogram()
          .Name("outband_http_request_seconds")
          .Help("From the complete request to its answer.")
          .Register(registry);
  prometheus::Family<prometheus::Gauge>& gauges_links =
      prometheus::BuildGauge()
          .Name("outband_links")
          .Help("Tunnels of machines at this process.")
          .Register(registry);
  prometheus::Family<prometheus::Gauge>& gauges_actors =
      prometheus::BuildGauge()
          .Name("outband_device_actors")
          .Help("Device actors alive in this process.")
          .Register(registry);
  prometheus::Family<prometheus::Gauge>& gauges_calls =
      prometheus::BuildGauge()
          .Name("outband_queued_calls")
          .Help("WS-MAN calls that wait for their turn.")
          .Register(registry);
  prometheus::Family<prometheus::Gauge>& gauges_uptime =
      prometheus::BuildGauge()
          .Name("outband_uptime_seconds")
          .Help("Since this process started to serve.")
          .Register(registry);
  prometheus::Gauge& links = gauges_links.Add({});
  prometheus::Gauge& actors = gauges_actors.Add({});
  prometheus::Gauge& calls = gauges_calls.Add({});
  prometheus::Gauge& uptime = gauges_uptime.Add({});
};

metrics::metrics() : impl_(std::make_unique<impl>()) {}
metrics::~metrics() = default;

void metrics::answered(std::string_view rule, int status, double seconds) {
  impl_->requests.Add({{"route", std::string(rule)}, {"status", std::to_string(status)}})
      .Increment();
  impl_->durations
      .Add({{"route", std::string(rule)}},
           prometheus::Histogram::BucketBoundaries{.001, .005, .01, .05, .1, .5, 1, 5, 30})
      .Observe(seconds);
}

std::string metrics::text(const control_port::counts& now, time_ms started, time_ms at) {
  impl_->links.Set(static_cast<double>(now.links));
  impl_->actors.Set(static_cast<double>(now.device_actors));
  impl_->calls.Set(static_cast<double>(now.queued_calls));
  impl_->uptime.Set(static_cast<double>(at - started) / 1000);
  return prometheus::TextSerializer().Serialize(impl_->registry.Collect());
}

} // namespace outband::rest
