#include "messages/wsman/steps.hpp"

#include <variant>

namespace outband::wsman {

namespace {

/// Does the machine run through its BIOS after it? Then boot options left over from an earlier
/// session (IDE-R, BIOS setup) must not take effect.
bool boots(power_action a) {
  switch (a) {
  case power_action::on:
  case power_action::cycle_soft:
  case power_action::cycle_hard:
  case power_action::reset:
  case power_action::reset_graceful:
  case power_action::cycle_soft_graceful:
  case power_action::cycle_hard_graceful:
    return true;
  default:
    return false;
  }
}

} // namespace

std::string_view class_of(step s) {
  switch (s) {
  case step::get_os_power:
  case step::request_full_power:
    return "IPS_PowerManagementService";
  case step::enumerate_association:
  case step::pull_association:
    return "CIM_ServiceAvailableToElement";
  case step::enumerate_software:
  case step::pull_software:
    return "CIM_SoftwareIdentity";
  case step::get_boot_capabilities:
    return "AMT_BootCapabilities";
  case step::get_setup:
    return "AMT_SetupAndConfigurationService";
  case step::get_boot_settings:
  case step::put_boot_settings:
    return "AMT_BootSettingData";
  case step::request_change:
    return "CIM_PowerManagementService";
  }
  return {};
}

std::string_view verb_of(step s) {
  switch (s) {
  case step::get_os_power:
  case step::get_boot_capabilities:
  case step::get_setup:
  case step::get_boot_settings:
    return "Get";
  case step::enumerate_association:
  case step::enumerate_software:
    return "Enumerate";
  case step::pull_association:
  case step::pull_software:
    return "Pull";
  case step::put_boot_settings:
    return "Put";
  case step::request_full_power:
    return "RequestOSPowerSavingStateChange";
  case step::request_change:
    return "RequestPowerStateChange";
  }
  return {};
}

std::vector<step> plan(const amt_operation& op) {
  struct visitor {
    std::vector<step> operator()(const amt::read_power&) const {
      return {step::get_os_power, step::enumerate_association, step::pull_association};
    }
    std::vector<step> operator()(const amt::read_capabilities&) const {
      return {step::enumerate_software, step::pull_software, step::get_boot_capabilities,
              step::enumerate_association, step::pull_association};
    }
    std::vector<step> operator()(const amt::read_versions&) const {
      return {step::enumerate_software, step::pull_software, step::get_setup};
    }
    std::vector<step> operator()(const amt::request_power& r) const {
      std::vector<step> out;
      if (boots(r.action)) {
        out.push_back(step::get_boot_settings);
        out.push_back(step::put_boot_settings);
      }
      if (r.action == power_action::on) {
        out.push_back(step::get_os_power);
        out.push_back(step::request_full_power);
      }
      out.push_back(step::request_change);
      return out;
    }
  };
  return std::visit(visitor{}, op);
}

} // namespace outband::wsman
