#include "gateway/main/metrics.hpp"

#include <string_view>

namespace outband {

namespace {

struct text {
  std::string out;
  void put(std::string_view kind, std::string_view name, std::string_view help,
           std::uint64_t value) {
    out += "# HELP outband_";
    out += name;
    out += ' ';
    out += help;
    out += "\n# TYPE outband_";
    out += name;
    out += ' ';
    out += kind;
    out += "\noutband_";
    out += name;
    out += ' ';
    out += std::to_string(value);
    out += '\n';
  }
  void total(std::string_view name, std::string_view help, std::uint64_t v) {
    put("counter", name, help, v);
  }
  void gauge(std::string_view name, std::string_view help, std::uint64_t v) {
    put("gauge", name, help, v);
  }
};

} // namespace

std::string metrics_text(const figures& f) {
  text t;
  if (f.actors) {
    const auto& a = *f.actors;
    t.total("observations_total", "What terminators told the controller", a.observations);
    t.total("amt_calls_total", "Operations begun at machines", a.amt_calls);
    t.total("amt_failures_total", "Operations that ended without an outcome", a.amt_failures);
    t.total("stale_epoch_total", "Said about links that are not the newest", a.stale_epoch);
    t.total("requests_accepted_total", "Requests stored", a.requests_accepted);
    t.total("requests_refused_total", "Requests refused before anything was stored",
            a.requests_refused);
    t.total("bus_decode_errors_total", "Messages that could not be understood", a.decode_errors);
    t.total("bus_retained_commands_total", "Retained requests refused", a.retained_commands);
    t.total("actor_restarts_total", "Actors that ended by a defect", a.actor_restarts);
    t.total("store_retries_total", "Writes and reads tried again", a.store_retries);
  }
  if (f.database) {
    const auto& d = *f.database;
    t.total("sql_statements_total", "Statements sent", d.statements);
    t.total("sql_failures_total", "Statements answered with an error", d.failures);
    t.total("sql_refused_busy_total", "Statements refused because too many waited", d.refused_busy);
    t.total("sql_timeouts_total", "Statements given up at their deadline", d.timeouts);
    t.total("sql_connects_total", "Connections made", d.connects);
    t.gauge("sql_queued", "Statements waiting or in flight", d.queued);
  }
  t.total("bus_connects_total", "Connections to the broker made", f.mqtt.connects);
  t.total("bus_connections_lost_total", "Connections to the broker lost", f.mqtt.connections_lost);
  t.total("bus_published_total", "Messages the broker acknowledged", f.mqtt.published);
  t.total("bus_publish_refused_total", "Messages not taken", f.mqtt.publish_refused);
  t.total("bus_received_total", "Messages received", f.mqtt.received);
  if (f.control) {
    const auto& o = f.control->outbox;
    t.gauge("controller_epoch", "Epoch of the controller's lease here; 0: not held",
            f.control->epoch);
    t.total("outbox_published_total", "Rows published", o.published);
    t.total("outbox_republished_total", "Retained documents written again", o.republished);
    t.total("outbox_resent_total", "Rows sent again after a failure", o.resent);
    t.total("outbox_refused_total", "Rows given up because the broker refuses them", o.refused);
    t.total("outbox_store_failures_total", "Fetches that failed", o.store_failures);
    t.gauge("outbox_lag_rows", "Rows known and not acknowledged", o.lag);
  }
  if (f.tunnels) {
    t.gauge("cira_connections", "Connections of machines, tunnels included",
            f.tunnels->connections);
    t.gauge("cira_pending", "Connections not yet authenticated", f.tunnels->pending);
    t.gauge("cira_tunnels", "Usable tunnels", f.tunnels->tunnels);
    t.total("cira_accepted_total", "Connections accepted", f.tunnels->accepted);
    t.total("cira_refused_total", "Connections refused", f.tunnels->refused);
    t.total("cira_admitted_total", "Tunnels admitted", f.tunnels->admitted);
  }
  return t.out;
}

} // namespace outband
