#include "gateway/rest/metrics.hpp"

#include "gateway/rest/exposition.hpp"
#include "messages/domain/roles.hpp"

namespace outband::rest {

metrics::metrics() {
  for (const auto& rule : access_rules())
    if (rule.kind == access_kind::route)
      routes_.try_emplace(std::string(rule.name));
  routes_.try_emplace("none");
}

metrics::route_figures& metrics::of(std::string_view rule) {
  const auto at = routes_.find(rule);
  return at != routes_.end() ? at->second : routes_.find("none")->second;
}

void metrics::route_figures::count(int status) {
  for (auto& s : statuses) {
    int here = s.status.load(std::memory_order_relaxed);
    if (here == 0 && s.status.compare_exchange_strong(here, status, std::memory_order_relaxed))
      here = status;
    if (here == status) {
      s.count.fetch_add(1, std::memory_order_relaxed);
      return;
    }
  }
  elsewhere.fetch_add(1, std::memory_order_relaxed);
}

metrics::pending::pending(metrics& owner, std::string_view rule)
    : owner_(owner), figures_(owner.of(rule)) {
  owner_.in_flight_.fetch_add(1, std::memory_order_relaxed);
}

void metrics::pending::answered(int status) {
  if (over_.exchange(true))
    return;
  owner_.in_flight_.fetch_sub(1, std::memory_order_relaxed);
  figures_.count(status);
  figures_.took.add(std::chrono::steady_clock::now() - since_);
}

std::string metrics::text(const control_port::counts& now, time_ms started, time_ms at) const {
  exposition x;
  // Routes that were never asked for are left out: they are known from the interface itself.
  x.counter("http_requests_total", "Answered REST requests by route and status.");
  for (const auto& [rule, figures] : routes_) {
    for (const auto& s : figures.statuses)
      if (const int status = s.status.load(std::memory_order_relaxed))
        x.is(s.count, {{"route", rule}, {"status", std::to_string(status)}});
    if (figures.elsewhere > 0)
      x.is(figures.elsewhere, {{"route", rule}, {"status", "other"}});
  }
  x.histogram("http_request_seconds", "From the complete request to its answer.");
  for (const auto& [rule, figures] : routes_)
    if (const auto took = figures.took.read(); took.total() > 0)
      x.is(took, {{"route", rule}});
  x.gauge("http_requests_in_flight", "REST requests that wait for their answer.").is(in_flight_);
  x.gauge("links", "Tunnels of machines at this process.").is(now.links);
  x.gauge("device_actors", "Device actors alive in this process.").is(now.device_actors);
  x.gauge("queued_calls", "WS-MAN calls that wait for their turn or are under way.")
      .is(now.queued_calls);
  x.gauge("uptime_seconds", "Since this process started to serve.")
      .is_real(static_cast<double>(at - started) / 1000);
  return x.take();
}

} // namespace outband::rest
