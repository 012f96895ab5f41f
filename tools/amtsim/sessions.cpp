#include "tools/amtsim/sessions.hpp"

#include "tools/amtsim/audit_state.hpp"
#include "tools/amtsim/event_log_state.hpp"
#include "tools/amtsim/subscription_state.hpp"

namespace outband::amtsim {

namespace {

/// What one kind leaves behind: events of the audit log's application 18, offset 3rd octet of
/// sensor type 192 in the event log, and the alert. Sources: MPS src/utils/auditLog; MeshCommander
/// amt.js for the event log and the alerts' texts.
struct traces {
  std::uint16_t audit_opened;
  std::uint16_t audit_closed;
  int logged_opened; ///< -1: the event log does not mention it
  alert opened;
  alert closed;
};

traces of(session_kind kind) {
  switch (kind) {
  case session_kind::sol:
    return {4, 5, 0, {"iAMT0050", "48"}, {"iAMT0050", "49"}};
  case session_kind::ider:
    return {0, 1, 2, {"iAMT0050", "50"}, {"iAMT0050", "51"}};
  case session_kind::kvm:
    return {8, 9, -1, {"iAMT0052", "1"}, {"iAMT0052", "2"}};
  }
  return {};
}

bool is_enabled(const device_model& d, session_kind kind) {
  const auto& f = d.feature;
  switch (kind) {
  case session_kind::sol:
    return f.listener && (f.redirection & 2U) != 0;
  case session_kind::ider:
    return f.listener && (f.redirection & 1U) != 0;
  case session_kind::kvm:
    return f.kvm && d.shared().kind.kvm;
  }
  return false;
}

void leave_traces(device_model& d, session_kind kind, bool opened, sim_time now) {
  const auto what = of(kind);
  const auto at = d.clock_s(now);
  append_audit(
      d.audit.change(),
      audit_record(18, opened ? what.audit_opened : what.audit_closed, d.who().amt_user, at, {}),
      at);
  if (what.logged_opened >= 0)
    append_event(d,
                 {192,
                  0,
                  1,
                  38,
                  {0xAA, 0x30, static_cast<std::uint8_t>(what.logged_opened + (opened ? 0 : 1))}},
                 at);
  raise_alert(d, opened ? what.opened : what.closed, at);
}

} // namespace

std::optional<session_kind> parse_session_kind(std::string_view text) {
  if (text == "sol")
    return session_kind::sol;
  if (text == "ider")
    return session_kind::ider;
  if (text == "kvm")
    return session_kind::kvm;
  return std::nullopt;
}

std::string open_session(device_model& d, session_kind kind, sim_time now) {
  if (!is_enabled(d, kind))
    return "this kind of redirection is switched off";
  const bool needs = kind == session_kind::kvm ? d.consent_needed() : d.consent_needed_to_boot();
  if (needs && !d.consent_given())
    return "the person at the machine did not agree";
  if (kind == session_kind::kvm && d.feature.kvm_session)
    return "somebody looks already";
  if (d.consent_given()) {
    d.consent.state = opt_in_state::in_session;
    d.consent.until = sim_time{0};
    ++d.consent.sessions;
  }
  if (kind == session_kind::kvm)
    d.feature.kvm_session = true;
  leave_traces(d, kind, true, now);
  return {};
}

void close_session(device_model& d, session_kind kind, sim_time now) {
  if (kind == session_kind::kvm)
    d.feature.kvm_session = false;
  // Consent outlives the last session by its timeout of inactivity.
  if (d.consent.state == opt_in_state::in_session && --d.consent.sessions == 0) {
    d.consent.state = opt_in_state::received;
    d.consent.until = now + std::chrono::seconds(d.feature.opt_in_code_timeout);
  }
  leave_traces(d, kind, false, now);
}

} // namespace outband::amtsim
