#include "tools/amtsim/classes.hpp"
#include "tools/amtsim/screen_state.hpp"
#include "tools/amtsim/subscription_state.hpp"

namespace outband::amtsim {

namespace {

constexpr std::uint32_t invalid_parameter = 36;
const std::string kvm_settings = "Intel(r) KVM Redirection Settings";

bool has_kvm(const device_model& d) {
  return d.shared().kind.kvm;
}

// -- SOL and IDE-R ----------------------------------------------------------------------------

instances redirection(const device_model& d) {
  return {with(service("AMT_RedirectionService", "Intel(r) AMT Redirection Service"),
               {{"EnabledState", text(d.feature.redirection)},
                {"ListenerEnabled", text(d.feature.listener)}})};
}

void set_redirection(std::uint32_t next, context& c) {
  const auto changed = c.device.feature.redirection ^ next;
  c.device.feature.redirection = next;
  if ((changed & 1U) != 0)
    record_audit(c, 18, (next & 1U) != 0 ? 2 : 3); // IDE-R enabled, disabled
  if ((changed & 2U) != 0)
    record_audit(c, 18, (next & 2U) != 0 ? 6 : 7); // SOL enabled, disabled
}

refusal put_redirection(const wsman::node& from, const wsman::instance&, context& c) {
  auto next = c.device.feature;
  if (!take(from, "EnabledState", next.redirection) ||
      !take(from, "ListenerEnabled", next.listener))
    return soap_fault::invalid_representation;
  // rpc-go puts 2 or 3 (enabled, disabled); that keeps the SOL and IDE-R bits.
  if (next.redirection == 2 || next.redirection == 3)
    next.redirection = c.device.feature.redirection;
  if (next.redirection < 32768 || next.redirection > 32771)
    return soap_fault::invalid_representation;
  c.device.feature.listener = next.listener;
  set_redirection(next.redirection, c);
  return {};
}

outcome request_redirection(const wsman::node& input, context& c) {
  std::uint32_t state = 0;
  if (input.child("RequestedState") == nullptr || !take(input, "RequestedState", state))
    return soap_fault::schema_validation_error;
  if (state < 32768 || state > 32771)
    return invalid_parameter;
  set_redirection(state, c);
  return 0;
}

// -- KVM --------------------------------------------------------------------------------------

instances kvm_sap(const device_model& d) {
  const auto& f = d.feature;
  return {with(
      service("CIM_KVMRedirectionSAP", "KVM Redirection Service Access Point", "ManagedSystem"),
      // 6 "enabled but offline": nobody is looking
      {{"EnabledState", !f.kvm          ? "3"
                        : f.kvm_session ? "2"
                                        : "6"},
       {"KVMProtocol", "4"},
       {"RequestedState", f.kvm ? "2" : "3"}})};
}

instances kvm_service(const device_model& d) {
  auto out = with(service("CIM_RedirectionService", "Intel(r) AMT KVM Redirection Service"),
                  {{"EnabledState", d.feature.kvm ? "2" : "3"},
                   {"MaxCurrentEnabledSAPs", "1"},
                   {"RedirectionServiceType", "3"},
                   {"RequestedState", "12"},
                   {"SharingMode", "3"}});
  for (auto& f : out.fields)
    if (f.name == "ElementName")
      f.value = std::string("Intel(r) ME KVM Redirection Service");
  return {out};
}

outcome request_kvm(const wsman::node& input, context& c) {
  std::uint32_t state = 0;
  if (input.child("RequestedState") == nullptr || !take(input, "RequestedState", state))
    return soap_fault::schema_validation_error;
  if (state != 2 && state != 3)
    return invalid_parameter;
  const bool on = state == 2;
  if (c.device.feature.kvm != on) {
    record_audit(c, 18, on ? 10 : 11);
    raise_alert(c.device, {"iAMT0059", on ? "1" : "0"}, c.device.clock_s(c.now));
  }
  c.device.feature.kvm = on;
  return 0;
}

instances kvm_setting_data(const device_model& d) {
  const auto& s = *d.screens;
  wsman::instance out{"IPS_KVMRedirectionSettingData",
                      {{"BackToBackFbMode", text(s.back_to_back)},
                       {"DefaultScreen", text(s.default_screen)},
                       {"ElementName", kvm_settings},
                       {"EnabledByMEBx", "true"},
                       {"InstanceID", kvm_settings},
                       {"Is5900PortEnabled", text(s.port_5900)},
                       {"OptInPolicy", text(d.control_mode == 1 || s.opt_in_policy)},
                       {"OptInPolicyTimeout", text(s.opt_in_timeout_s)},
                       {"RFBPassword", ""},
                       {"SessionTimeout", text(s.session_timeout_min)}}};
  if (d.shared().kind.ocr) // newer firmware
    out = with(std::move(out), {{"DoubleBufferActive", "false"},
                                {"DoubleBufferEnabled", "true"},
                                {"GrayscalePixelFormatSupported", "true"},
                                {"InitialDecimationModeForLowRes", "0"},
                                {"ZlibControlSupported", "true"}});
  return {out};
}

refusal put_kvm_setting_data(const wsman::node& from, const wsman::instance&, context& c) {
  auto next = *c.device.screens;
  if (!take(from, "BackToBackFbMode", next.back_to_back) ||
      !take(from, "DefaultScreen", next.default_screen, 3) ||
      !take(from, "Is5900PortEnabled", next.port_5900) ||
      !take(from, "OptInPolicy", next.opt_in_policy) ||
      !take(from, "OptInPolicyTimeout", next.opt_in_timeout_s, 0xFFFF) ||
      !take(from, "SessionTimeout", next.session_timeout_min, 255))
    return soap_fault::invalid_representation;
  if (const auto* password = from.child("RFBPassword");
      password != nullptr && !password->value().empty()) {
    if (password->value().size() != 8)
      return soap_fault::invalid_representation;
    next.rfb_password = std::string(password->value());
    record_audit(c, 29, 2);
  }
  c.device.screens.change() = std::move(next);
  return {};
}

instances screen_data(const device_model& d) {
  wsman::instance out{"IPS_ScreenSettingData",
                      {{"ElementName", "Intel(r) Screen Settings"},
                       {"InstanceID", "Intel(r) Screen Settings"},
                       {"PrimaryIndex", "1"},  // counted from 1, as in the capture
                       {"QuadraryIndex", "4"}, // sic
                       {"SecondaryIndex", "2"},
                       {"TertiaryIndex", "3"}}};
  for (const auto& s : d.screens->screens) {
    out.fields.push_back({"IsActive", text(s.active)});
    out.fields.push_back({"ResolutionX", std::to_string(s.width)});
    out.fields.push_back({"ResolutionY", std::to_string(s.height)});
    out.fields.push_back({"UpperLeftX", std::to_string(s.left)});
    out.fields.push_back({"UpperLeftY", std::to_string(s.top)});
  }
  return {out};
}

instances secure_output(const device_model& d) {
  return {{"IPS_SecIOService",
           {{"CreationClassName", "IPS_SecIOService"},
            {"DefaultScreen", text(d.screens->default_screen)},
            {"EnabledState", "2"},
            {"Name", "SecIO"},
            {"RequestedLanguage", "2"},
            {"Started", "true"},
            {"Status", "OK"},
            {"SystemCreationClassName", "CIM_ComputerSystem"},
            {"SystemName", "ManagedSystem"},
            {"language", "1"},
            {"zoom", "65535"}}}};
}

// -- flash ------------------------------------------------------------------------------------

void save(const device_model& d, kept_texts& to) {
  const features fresh;
  const auto& f = d.feature;
  const auto number = [&](const char* name, std::uint32_t now, std::uint32_t before) {
    if (now != before)
      to[name] = text(now);
  };
  number("redirection", f.redirection, fresh.redirection);
  number("listener", f.listener ? 1 : 0, 1);
  number("kvm", f.kvm ? 1 : 0, 1);
  number("opt_in_required", f.opt_in_required, fresh.opt_in_required);
  number("opt_in_code_timeout", f.opt_in_code_timeout, fresh.opt_in_code_timeout);
  number("opt_in_display_timeout", f.opt_in_display_timeout, fresh.opt_in_display_timeout);
  if (d.shared().kind.ocr)
    number("boot_service", f.boot_service, fresh.boot_service);
  number("default_screen", d.screens->default_screen, 0);
  number("port_5900", d.screens->port_5900 ? 1 : 0, 0);
}

void load(const kept_texts& from, device_model& d) {
  const auto number = [&](const char* name) {
    const auto at = from.find(name);
    return at == from.end() ? std::nullopt : wsman::to_number(at->second);
  };
  auto& f = d.feature;
  f.redirection = number("redirection").value_or(f.redirection);
  f.listener = number("listener").value_or(1) != 0;
  f.kvm = number("kvm").value_or(1) != 0;
  f.opt_in_required = number("opt_in_required").value_or(f.opt_in_required);
  f.opt_in_code_timeout = number("opt_in_code_timeout").value_or(f.opt_in_code_timeout);
  f.opt_in_display_timeout = number("opt_in_display_timeout").value_or(f.opt_in_display_timeout);
  f.boot_service = number("boot_service").value_or(f.boot_service);
  if (const auto screen = number("default_screen"); screen && *screen < 4)
    d.screens.change().default_screen = *screen;
  if (number("port_5900").value_or(0) != 0)
    d.screens.change().port_5900 = true;
}

} // namespace

class_table feature_classes() {
  class_row sap{"CIM_KVMRedirectionSAP", kvm_sap};
  class_row kvm{"CIM_RedirectionService", kvm_service};
  class_row data{"IPS_KVMRedirectionSettingData", kvm_setting_data, put_kvm_setting_data};
  sap.exists = kvm.exists = data.exists = has_kvm;
  return {{{"AMT_RedirectionService", redirection, put_redirection},
           sap,
           kvm,
           data,
           {"IPS_ScreenSettingData", screen_data},
           {"IPS_SecIOService", secure_output}},
          {{"AMT_RedirectionService", "RequestStateChange", request_redirection},
           {"CIM_KVMRedirectionSAP", "RequestStateChange", request_kvm}},
          {},
          {{"features", save, load}}};
}

} // namespace outband::amtsim
