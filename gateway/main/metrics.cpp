#include "gateway/main/metrics.hpp"

#include "gateway/rest/exposition.hpp"

#include <algorithm>
#include <cstdio>

namespace outband {

namespace {

using rest::exposition;

void process(exposition& x, const figures& f) {
  x.gauge("build_info", "1; which program this is.")
      .is(1, {{"version", f.version}, {"node", f.node}});
  const auto& p = f.process;
  x.gauge("process_resident_bytes", "Resident memory.").is(p.resident_octets);
  x.gauge("process_open_descriptors", "Open file descriptors.").is(p.open_descriptors);
  x.gauge("process_threads", "Threads.").is(p.threads);
  x.counter("process_cpu_seconds_total", "Processor time, user and system.").is_real(p.cpu_seconds);
}

/// By the alternative of amt_operation.
constexpr const char* operations[] = {"read-power", "read-capabilities", "read-versions",
                                      "request-power", "perform"};
static_assert(std::size(operations) == std::variant_size_v<amt_operation>);

void calls(exposition& x, const actor_counters& a) {
  x.counter("amt_calls_total", "Operations begun at machines.").is(a.amt_calls);
  x.counter("amt_failures_total", "Operations that ended without an outcome.").is(a.amt_failures);
  x.counter("amt_call_outcomes_total", "Operations by what they came to.");
  for (std::size_t i = 0; i < a.amt.size(); ++i) {
    const auto& kind = a.amt[i];
    x.is(kind.done, {{"operation", operations[i]}, {"outcome", "done"}});
    for (std::size_t p = 0; p < kind.failed.size(); ++p)
      if (const auto n = kind.failed[p].load(std::memory_order_relaxed))
        x.is(n, {{"operation", operations[i]}, {"outcome", explain(static_cast<problem>(p)).code}});
  }
  x.histogram("amt_call_seconds", "From an operation's turn at its link to its outcome.");
  for (std::size_t i = 0; i < a.amt.size(); ++i)
    x.is(a.amt[i].took.read(), {{"operation", operations[i]}});
}

void decisions(exposition& x, const actor_counters& a) {
  x.counter("observations_total", "What terminators told the controller.").is(a.observations);
  x.counter("requests_accepted_total", "Requests stored.").is(a.requests_accepted);
  x.counter("requests_refused_total", "Requests refused before anything was stored.")
      .is(a.requests_refused);
  x.counter("duplicates_total", "Requests and calls whose id was known: not carried out again.")
      .is(a.duplicates);
  x.counter("stale_revision_total", "Writes refused because the row had changed.")
      .is(a.stale_revisions);
  x.counter("stale_epoch_total", "Said about links that are not the newest.").is(a.stale_epoch);
  x.counter("stale_controller_total", "Said or written by a controller that lost its lease.")
      .is(a.stale_controller);
  x.counter("tenant_mismatch_total", "Requests that named a response topic of somebody else's.")
      .is(a.tenant_mismatch);
  x.counter("duplicate_guid_total", "Alarms: several machines use one GUID.").is(a.duplicate_guids);
  x.counter("actor_restarts_total", "Actors that ended by a defect.").is(a.actor_restarts);
  x.counter("store_retries_total", "Writes and reads tried again by actors.").is(a.store_retries);
}

void control(exposition& x, const figures& f) {
  const auto& a = *f.actors;
  x.gauge("controller", "1 on the node that holds the controller's lease.")
      .is(a.lease_epoch != 0 ? 1 : 0);
  x.gauge("controller_epoch", "Epoch of the lease held here; 0: none.").is(a.lease_epoch);
  x.counter("takeovers_total", "Times that this node took the lease.").is(a.takeovers);
  x.counter("burials_total", "Nodes declared dead by this one.").is(a.burials);
  x.counter("reclaims_total", "Times that this node claimed its links again.").is(a.reclaims);
  x.counter("bus_gaps_total", "Observations that did not arrive: links are looked at again.")
      .is(a.observation_gaps);
  x.counter("bus_duplicates_total", "Observations that came again: dropped.")
      .is(a.observations_again);
  x.counter("resyncs_total", "Walks through what may have been missed.").is(a.resyncs);
  x.counter("resynced_devices_total", "Devices taken up by these walks.").is(a.resynced_devices);
}

void database(exposition& x, const store::database_counters& d) {
  x.counter("sql_statements_total", "Statements sent.").is(d.statements);
  x.counter("sql_failures_total", "Statements answered with an error.").is(d.failures);
  x.counter("sql_refused_busy_total", "Statements refused because too many waited.")
      .is(d.refused_busy);
  x.counter("sql_timeouts_total", "Times that a connection was given up at a deadline.")
      .is(d.timeouts);
  x.counter("sql_connects_total", "Connections made.").is(d.connects);
  x.gauge("sql_queued", "Statements waiting or in flight.").is(d.queued);
  constexpr const char* names[] = {"durable", "relaxed", "asked"};
  static_assert(std::size(names) == store::lane_count);
  const auto each = [&](auto member) {
    for (std::size_t i = 0; i < d.lanes.size(); ++i)
      x.is((d.lanes[i].*member).load(std::memory_order_relaxed), {{"lane", names[i]}});
  };
  using lane = store::lane_counters;
  x.counter("sql_lane_statements_total", "Statements sent, by lane.");
  each(&lane::statements);
  x.counter("sql_lane_retries_total", "Deadlocks and the like, tried once more.");
  each(&lane::retries);
  x.counter("sql_lane_connects_total", "Connections made, by lane; all but the first are repairs.");
  each(&lane::connects);
  x.gauge("sql_lane_queued", "Statements waiting or in flight, by lane.");
  each(&lane::queued);
  x.histogram("sql_seconds", "From a statement's call to its answer.");
  for (std::size_t i = 0; i < d.lanes.size(); ++i)
    x.is(d.lanes[i].took.read(), {{"lane", names[i]}});
}

/// The node's own connection and the one that it has as the controller, together.
bus::mqtt_counters both(const figures& f) {
  auto m = f.mqtt;
  if (!f.control)
    return m;
  const auto& c = f.control->mqtt;
  m.connects += c.connects;
  m.connects_failed += c.connects_failed;
  m.connections_lost += c.connections_lost;
  m.published += c.published;
  m.publish_refused += c.publish_refused;
  m.received += c.received;
  m.subscribe_refused += c.subscribe_refused;
  m.retained_refused += c.retained_refused;
  m.inbound_overflows += c.inbound_overflows;
  m.inbound_dropped += c.inbound_dropped;
  m.inbound_waiting += c.inbound_waiting;
  m.takeovers += c.takeovers;
  for (const auto& [code, n] : c.by_reason)
    m.by_reason[code] += n;
  return m;
}

void messages(exposition& x, const figures& f) {
  const auto m = both(f);
  x.counter("bus_connects_total", "Connections to the broker made.").is(m.connects);
  x.counter("bus_connects_failed_total", "Attempts to connect that failed.").is(m.connects_failed);
  x.counter("bus_connections_lost_total", "Connections to the broker lost.").is(m.connections_lost);
  x.counter("bus_session_takeovers_total", "Connections ended by another client with our id.")
      .is(m.takeovers);
  x.counter("bus_published_total", "Messages the broker acknowledged.").is(m.published);
  x.counter("bus_publish_refused_total", "Messages not taken.").is(m.publish_refused);
  x.counter("bus_subscribe_refused_total", "Subscriptions the broker refused.")
      .is(m.subscribe_refused);
  x.counter("bus_rejected_total", "What the broker said no to, by MQTT 5 reason code.");
  for (const auto& [code, n] : m.by_reason) {
    char text[8];
    std::snprintf(text, sizeof text, "0x%02x", static_cast<unsigned>(code) & 0xffU);
    x.is(n, {{"reason", text}});
  }
  x.counter("bus_received_total", "Messages received.").is(m.received);
  x.counter("bus_inbound_overflows_total", "Connections dropped because handlers lagged.")
      .is(m.inbound_overflows);
  x.counter("bus_inbound_dropped_total", "Messages lost to such an overflow.")
      .is(m.inbound_dropped);
  x.gauge("bus_inbound_waiting", "Messages that wait for their handler.").is(m.inbound_waiting);
  const auto retained = f.actors ? f.actors->retained_commands.load() : 0;
  x.counter("bus_retained_commands_total", "Retained requests refused.")
      .is(retained + m.retained_refused);
  if (f.actors)
    x.counter("bus_decode_errors_total", "Messages that could not be understood.")
        .is(f.actors->decode_errors);
  if (!f.broker.known)
    return;
  const auto& b = f.broker;
  x.gauge("broker_dropped_messages", "Publications dropped since the broker's start ($SYS).")
      .is(b.dropped);
  x.gauge("broker_retained_messages", "Messages retained ($SYS).").is(b.retained);
  x.gauge("broker_heap_bytes", "Memory in use ($SYS).").is(b.heap_octets);
  x.gauge("broker_clients", "Clients connected ($SYS).").is(b.connected);
  x.gauge("broker_stored_bytes", "Payloads retained or queued ($SYS).").is(b.stored_octets);
}

void outbox(exposition& x, const bus::outbox_metrics& o) {
  x.counter("outbox_published_total", "Rows published.").is(o.published);
  x.counter("outbox_republished_total", "Retained documents written again.").is(o.republished);
  x.counter("outbox_resent_total", "Rows sent again after a failure.").is(o.resent);
  x.counter("outbox_refused_total", "Rows given up because the broker refuses them.").is(o.refused);
  x.counter("outbox_store_failures_total", "Fetches that failed.").is(o.store_failures);
  x.counter("outbox_recoveries_total", "Times that a broker had lost what it retained.")
      .is(o.recoveries);
  x.gauge("outbox_window_rows", "Rows in memory and not acknowledged.").is(o.lag);
  x.gauge("outbox_recovering", "1 while retained documents are written again.")
      .is(o.recovering ? 1 : 0);
}

void links(exposition& x, const cira::listener::figures& t) {
  x.gauge("cira_connections", "Connections of machines, tunnels included.").is(t.connections);
  x.gauge("cira_pending", "Connections not yet authenticated.").is(t.pending);
  const auto late = std::min(t.late, t.tunnels);
  x.gauge("cira_tunnels", "Usable tunnels, by state.")
      .is(t.tunnels - late, {{"state", "up"}})
      .is(late, {{"state", "late"}});
  x.counter("cira_accepted_total", "Connections accepted.").is(t.accepted);
  x.counter("cira_admitted_total", "Machines let in.").is(t.admitted);
  x.counter("cira_refused_total", "Connections that did not become tunnels, by reason.");
  for (std::size_t i = 0; i < t.refused.size(); ++i)
    x.is(t.refused[i], {{"reason", to_string(static_cast<cira::turned_away>(i))}});
  x.counter("cira_ended_total", "Tunnels that ended, by reason.");
  for (std::size_t i = 0; i < t.ended.size(); ++i)
    x.is(t.ended[i], {{"reason", to_string(static_cast<link_end>(i))}});
  x.counter("cira_late_total", "Times that a tunnel fell silent.").is(t.fell_late);
}

void activations(exposition& x, const activation::counters& a) {
  x.gauge("activation_connections", "Machines being activated, deactivated or maintained.")
      .is(a.open);
  x.counter("activation_accepted_total", "Connections of rpc or an agent.").is(a.accepted);
  x.counter("activation_wishes_total", "Well-formed first messages.").is(a.wishes);
  x.counter("activation_messages_total", "Messages of the activation WebSocket.")
      .is(a.frames_in, {{"direction", "in"}})
      .is(a.frames_out, {{"direction", "out"}});
  x.counter("activation_stray_total", "Messages of clients that nothing waited for.").is(a.stray);
  x.counter("activation_tls_sessions_total", "TLS sessions begun with firmware.")
      .is(a.tls_sessions);
  x.counter("activation_tls_failures_total", "TLS sessions with firmware that failed to begin.")
      .is(a.tls_failures);
  x.counter("activation_refused_total", "Connections ended or not begun by us, by reason.");
  for (std::size_t i = 0; i < a.refusal.size(); ++i)
    x.is(a.refusal[i], {{"reason", to_string(static_cast<activation::refused>(i))}});
}

void server(exposition& x, const web::server::counts& w) {
  x.gauge("http_connections", "Connections of people and systems, WebSockets included.")
      .is(w.connections);
  x.gauge("http_websockets", "Open WebSockets.").is(w.websockets);
  x.counter("http_connections_refused_total", "Connections closed because there were too many.")
      .is(w.refused);
}

} // namespace

std::string metrics_text(const figures& f) {
  exposition x;
  process(x, f);
  if (f.actors) {
    control(x, f);
    decisions(x, *f.actors);
    calls(x, *f.actors);
  }
  if (f.database)
    database(x, *f.database);
  messages(x, f);
  if (f.control)
    outbox(x, f.control->outbox);
  if (f.backlog) {
    x.gauge("outbox_lag_rows", "Rows in the database that the broker does not have; to 100000.")
        .is(f.backlog->rows);
    x.gauge("outbox_oldest_seconds", "Age of the oldest of them.")
        .is_real(static_cast<double>(f.backlog->oldest) / 1000);
  }
  if (f.tunnels)
    links(x, *f.tunnels);
  if (f.activation)
    activations(x, *f.activation);
  if (f.web)
    server(x, *f.web);
  return x.take();
}

} // namespace outband
