#include "messages/domain/documents.hpp"

#include <algorithm>

namespace outband {

desired_state merged(desired_state base, const desired_patch& patch) {
  if (patch.target)
    base.power.target = *patch.target;
  if (patch.policy)
    base.power.policy = *patch.policy;
  return base;
}

std::string_view to_string(link_state s) {
  switch (s) {
  case link_state::down:
    return "down";
  case link_state::up:
    return "up";
  case link_state::late:
    return "late";
  case link_state::unknown:
    return "unknown";
  }
  return "unknown";
}

std::optional<link_state> parse_link_state(std::string_view text) {
  for (auto s : {link_state::down, link_state::up, link_state::late, link_state::unknown})
    if (text == to_string(s))
      return s;
  return std::nullopt;
}

std::string_view to_string(event_class c) {
  switch (c) {
  case event_class::link:
    return "link";
  case event_class::power:
    return "power";
  case event_class::amt:
    return "amt";
  case event_class::command:
    return "command";
  case event_class::config:
    return "config";
  case event_class::audit:
    return "audit";
  case event_class::log:
    return "log";
  case event_class::alert:
    return "alert";
  case event_class::activation:
    return "activation";
  }
  return "link";
}

std::optional<event_class> parse_event_class(std::string_view text) {
  for (auto c : {event_class::link, event_class::power, event_class::amt, event_class::command,
                 event_class::config, event_class::audit, event_class::log, event_class::alert,
                 event_class::activation})
    if (text == to_string(c))
      return c;
  return std::nullopt;
}

bool valid_fact_kind(std::string_view kind) {
  return !kind.empty() && kind.size() <= 32 &&
         std::all_of(kind.begin(), kind.end(), [](char c) { return c >= 'a' && c <= 'z'; });
}

std::string_view act_name(const request_body& b) {
  struct visitor {
    std::string_view operator()(const ask_desired&) const { return "desired.patch"; }
    std::string_view operator()(const ask_once&) const { return "power.once"; }
    std::string_view operator()(const ask_action&) const { return "power.action"; }
    std::string_view operator()(const ask_snapshot&) const { return "snapshot"; }
    std::string_view operator()(const ask_operation& o) const { return o.act; }
  };
  return std::visit(visitor{}, b);
}

std::string_view to_string(request_status s) {
  switch (s) {
  case request_status::accepted:
    return "accepted";
  case request_status::done:
    return "done";
  case request_status::failed:
    return "failed";
  case request_status::rejected:
    return "rejected";
  case request_status::expired:
    return "expired";
  case request_status::unknown:
    return "unknown";
  case request_status::running:
    return "running";
  }
  return "unknown";
}

std::optional<request_status> parse_request_status(std::string_view text) {
  for (auto s : {request_status::accepted, request_status::done, request_status::failed,
                 request_status::rejected, request_status::expired, request_status::unknown,
                 request_status::running})
    if (text == to_string(s))
      return s;
  return std::nullopt;
}

bool is_final(request_status s) {
  return s != request_status::accepted && s != request_status::running;
}

std::string_view to_string(link_end e) {
  switch (e) {
  case link_end::peer_closed:
    return "peer-closed";
  case link_end::silent:
    return "silent";
  case link_end::evicted:
    return "evicted";
  case link_end::protocol:
    return "protocol";
  case link_end::shutdown:
    return "shutdown";
  case link_end::requested:
    return "requested";
  }
  return "peer-closed";
}

std::optional<link_end> parse_link_end(std::string_view text) {
  for (auto e : {link_end::peer_closed, link_end::silent, link_end::evicted, link_end::protocol,
                 link_end::shutdown, link_end::requested})
    if (text == to_string(e))
      return e;
  return std::nullopt;
}

} // namespace outband
