#include "tools/amtsim/classes.hpp"

namespace outband::amtsim {

namespace {

instances associated_power(const device_model& d) {
  wsman::instance out{"CIM_AssociatedPowerManagementService", {}};
  for (const int state : d.available_states())
    out.fields.push_back({"AvailableRequestedPowerStates", std::to_string(state)});
  return {with(std::move(out),
               {{"PowerState", text(static_cast<std::uint32_t>(d.power()))},
                {"ServiceProvided", service_endpoint("CIM_PowerManagementService", "Name",
                                                     "Intel(r) AMT Power Management Service")},
                {"UserOfService", managed_system()}})};
}

instances power_service(const device_model&) {
  return {with(service("CIM_PowerManagementService", "Intel(r) AMT Power Management Service"),
               {{"EnabledState", "5"}, {"RequestedState", "12"}})};
}

instances os_power_service(const device_model& d) {
  return {with(service("IPS_PowerManagementService", "Intel(r) AMT Power Management Service"),
               {{"EnabledState", "5"},
                {"RequestedState", "12"},
                {"OSPowerSavingState", std::to_string(d.os_power_saving)}})};
}

instances capabilities(const device_model&) {
  wsman::instance out{"CIM_PowerManagementCapabilities",
                      {{"ElementName", "Power Management Capabilities"},
                       {"InstanceID", "Intel(r) AMT:PowerManagementCapabilities 0"},
                       {"OtherPowerChangeCapabilities", ""}}};
  for (const auto* n : {"2", "3", "4", "7", "8"})
    out.fields.push_back({"PowerChangeCapabilities", n});
  for (const auto* n : {"5", "8", "2", "10", "11", "12", "14"}) {
    out.fields.push_back({"PowerStatesSupported", n});
    out.fields.push_back({"RequestedPowerStatesSupported", n});
  }
  return {out};
}

instances schemes(const device_model&) {
  const auto scheme = [](const char* id, const char* what, const char* guid) {
    return wsman::instance{"AMT_SystemPowerScheme",
                           {{"Description", what},
                            {"ElementName", "Intel(r) AMT Power Scheme"},
                            {"InstanceID", id},
                            {"SchemeGUID", guid}}};
  };
  return {scheme("SCHEME 0", "Mobile: ON in S0", "djmXEQtWUEOIcJgS85G1YA=="),
          scheme("SCHEME 1", "Mobile: ON in S0, ME Wake in S3, S4-5 (AC only)",
                 "MIAN7gnAeEOvKHhootu+Og==")};
}

/// The audit log's event for a requested power state: "remote control", application 17.
std::uint16_t audited_as(std::uint32_t state) {
  switch (state) {
  case 2:
    return 0;
  case 6:
  case 8:
    return 1;
  case 5:
  case 9:
  case 15:
  case 16:
    return 2;
  case 10:
    return 3;
  case 12:
  case 13:
    return 5;
  case 14:
    return 6;
  case 3:
  case 4:
    return 7;
  case 7:
    return 8;
  default:
    return 9; // NMI
  }
}

outcome request_power(const wsman::node& input, context& c) {
  std::uint32_t state = 0;
  if (input.child("ManagedElement") == nullptr || input.child("PowerState") == nullptr ||
      !take(input, "PowerState", state))
    return soap_fault::schema_validation_error;
  const auto rv = c.device.request_power(state, c.faults, c.now);
  if (rv == 0) // special command none, no parameters
    record_audit(c, 17, audited_as(state), std::string(7, '\0'));
  return rv;
}

outcome request_os_power(const wsman::node& input, context& c) {
  std::uint32_t state = 0;
  if (input.child("OSPowerSavingState") == nullptr || !take(input, "OSPowerSavingState", state))
    return soap_fault::schema_validation_error;
  if (state != 2 && state != 3)
    return 5; // INVALID_PARAMETER of this method's own list
  if (c.device.power() != power_state::on)
    return 4097; // INVALID_STATE_TRANSITION
  c.device.os_power_saving = static_cast<int>(state);
  return 0;
}

} // namespace

class_table power_classes() {
  return {{{"AMT_SystemPowerScheme", schemes},
           {"CIM_AssociatedPowerManagementService", associated_power},
           {"CIM_PowerManagementCapabilities", capabilities},
           {"CIM_PowerManagementService", power_service},
           {"IPS_PowerManagementService", os_power_service}},
          {{"CIM_PowerManagementService", "RequestPowerStateChange", request_power},
           {"IPS_PowerManagementService", "RequestOSPowerSavingStateChange", request_os_power}},
          {{"CIM_ServiceAvailableToElement", {"CIM_AssociatedPowerManagementService"}}},
          {}};
}

} // namespace outband::amtsim
