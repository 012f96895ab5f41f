#include "gateway/rest/metrics.hpp"
#include "gateway/rest/router.hpp"

namespace outband::rest {

namespace {

json::value report(const status& s) {
  json::object o{{"ok", s.ok()}};
  if (!s) {
    o.push_back({"code", explain(s.error().what).code});
    o.push_back({"reason", to_string(s.error())});
  }
  return o;
}

status bus_state(const call_ptr& c) {
  return c->with().bus_state ? c->with().bus_state() : success();
}

void ready(const call_ptr& c) {
  c->with().store->ping([c](result<nothing> store) {
    auto bus = bus_state(c);
    c->answer(store.ok() && bus.ok() ? 200 : 503, json::object{{"ready", store.ok() && bus.ok()},
                                                               {"node", c->with().node},
                                                               {"store", report(store)},
                                                               {"bus", report(bus)}});
  });
}

/// MPS's shape; `status` of the store is "OK" or what is wrong.
void health(const call_ptr& c) {
  c->with().store->ping([c](result<nothing> store) {
    json::object built_in{{"initialized", true}, {"sealed", false}};
    c->answer(
        store ? 200 : 503,
        json::object{
            {"db", json::object{{"name", "POSTGRES"}, {"status", store ? "OK" : "UNAVAILABLE"}}},
            {"secretStore", json::object{{"name", "BUILTIN"}, {"status", std::move(built_in)}}}});
  });
}

void ciracert(const call_ptr& c) {
  if (c->with().cira_ca.empty())
    return c->refuse(fail(problem::internal, "No CIRA root certificate is configured."));
  c->answer(web::response{200, "text/html; charset=utf-8", c->with().cira_ca, {}});
}

void metrics_text(const call_ptr& c) {
  auto text =
      c->api->counted->text(c->with().control->count(), c->api->started, c->with().clock->now());
  if (c->with().more_metrics)
    text += c->with().more_metrics();
  c->answer(web::response{200, "text/plain; version=0.0.4; charset=utf-8", std::move(text), {}});
}

} // namespace

void add_system_routes(router& r) {
  r.add("GET /healthz", dialect::mps, [](const call_ptr& c) {
    c->answer(200, json::object{{"alive", true}});
  });
  r.add("GET /readyz", dialect::mps, ready);
  r.add("GET /metrics", dialect::mps, metrics_text);
  r.add("GET /api/v1/health", dialect::mps, health);
  r.add("GET /api/v1/version", dialect::mps, [](const call_ptr& c) {
    c->answer(200, json::object{{"serviceVersion", c->with().version}});
  });
  r.add("GET /api/v1/ciracert", dialect::mps, ciracert);
}

} // namespace outband::rest
