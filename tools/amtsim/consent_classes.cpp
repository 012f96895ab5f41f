#include "tools/amtsim/classes.hpp"
#include "tools/amtsim/subscription_state.hpp"

namespace outband::amtsim {

namespace {

constexpr std::uint32_t everything = 0xFFFFFFFF;
// ReturnValues of this service (go-wsman-messages pkg/wsman/ips/optin/types.go)
constexpr std::uint32_t internal_error = 1;
constexpr std::uint32_t invalid_state = 2;
constexpr std::uint32_t blocked = 3;
constexpr std::uint8_t max_wrong_codes = 3;

instances list(const device_model& d) {
  const bool may_choose = d.control_mode != 1;
  return {with(service("IPS_OptInService", "Intel(r) AMT OptIn Service"),
               {{"CanModifyOptInPolicy", may_choose ? "1" : "0"},
                {"OptInCodeTimeout", text(d.feature.opt_in_code_timeout)},
                {"OptInDisplayTimeout", text(d.feature.opt_in_display_timeout)},
                {"OptInRequired", text(may_choose ? d.feature.opt_in_required : everything)},
                {"OptInState", std::to_string(static_cast<int>(d.consent.state))}})};
}

bool within(std::uint32_t value, std::uint32_t from, std::uint32_t to) {
  return from <= value && value <= to;
}

/// 0 nobody, 1 for KVM, 0xFF for everything, as the audit log has it.
char policy_octet(std::uint32_t required) {
  return static_cast<char>(required == everything ? 0xFF : required);
}

refusal put(const wsman::node& from, const wsman::instance&, context& c) {
  auto next = c.device.feature;
  if (!take(from, "OptInRequired", next.opt_in_required) ||
      !take(from, "OptInCodeTimeout", next.opt_in_code_timeout) ||
      !take(from, "OptInDisplayTimeout", next.opt_in_display_timeout))
    return soap_fault::invalid_representation;
  if (next.opt_in_required > 1 && next.opt_in_required != everything)
    return soap_fault::invalid_representation;
  if (!within(next.opt_in_code_timeout, 60, 900) || !within(next.opt_in_display_timeout, 10, 4095))
    return soap_fault::invalid_representation;
  const auto before = c.device.feature.opt_in_required;
  if (c.device.control_mode == 1) { // client control mode can neither lift consent nor hurry it
    next.opt_in_required = before;
    next.opt_in_display_timeout = c.device.feature.opt_in_display_timeout;
  }
  c.device.feature = next;
  if (next.opt_in_required != before)
    record_audit(c, 30, 0, {policy_octet(before), policy_octet(next.opt_in_required)});
  return {};
}

outcome start(const wsman::node&, context& c) {
  auto& d = c.device;
  // Without a screen nobody could read the code.
  if (!d.consent_needed() || d.consent.state != opt_in_state::not_started ||
      level_of(d.power()) != power_level::on)
    return invalid_state;
  d.consent = {opt_in_state::displayed, 0, 0, static_cast<std::uint32_t>(d.random() % 1000000),
               c.now + std::chrono::seconds(d.feature.opt_in_display_timeout)};
  return 0;
}

outcome send(const wsman::node& input, context& c) {
  auto& d = c.device;
  const auto* field = input.child("OptInCode");
  const auto code = field != nullptr ? wsman::to_number(field->value()) : std::nullopt;
  if (!code)
    return soap_fault::schema_validation_error;
  if (d.consent.state != opt_in_state::displayed)
    return invalid_state;
  // Compared as numbers: peers lose leading zeros.
  if (*code == d.consent.code) {
    d.consent = {opt_in_state::received, 0, 0, 0,
                 c.now + std::chrono::seconds(d.feature.opt_in_code_timeout)};
    record_audit(c, 30, 1, std::string(1, '\0'));
    raise_alert(d, {"iAMT0064", "1"}, d.clock_s(c.now)); // consent granted
    return 0;
  }
  if (++d.consent.wrong_codes < max_wrong_codes)
    return internal_error;
  d.consent = {};
  record_audit(c, 30, 1, "\1");
  return blocked;
}

outcome cancel(const wsman::node&, context& c) {
  if (c.device.consent.state == opt_in_state::not_started)
    return invalid_state;
  if (c.device.consent_given())
    raise_alert(c.device, {"iAMT0064", "2"}, c.device.clock_s(c.now)); // consent ended
  c.device.consent = {};
  return 0;
}

} // namespace

class_table consent_classes() {
  return {{{"IPS_OptInService", list, put}},
          {{"IPS_OptInService", "StartOptIn", start},
           {"IPS_OptInService", "SendOptInCode", send},
           {"IPS_OptInService", "CancelOptIn", cancel}},
          {},
          {}};
}

} // namespace outband::amtsim
