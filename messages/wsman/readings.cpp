#include "messages/wsman/readings.hpp"

#include "messages/wsman/talk.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace outband::wsman {

namespace {

constexpr std::string_view association = "CIM_AssociatedPowerManagementService";
constexpr std::uint32_t max_power_code = 16; ///< CIM's table ends there
constexpr std::size_t max_version_text = 64;
constexpr std::size_t max_listed_states = 32;

failure odd(std::string detail) {
  return fail(problem::device_protocol, std::move(detail));
}

/// For error texts: what the firmware sent may be anything.
std::string quoted(std::string_view text) {
  return "'" + std::string(text.substr(0, 40)) + "'";
}

result<const node*> require(const std::vector<node>& items, std::string_view class_name) {
  const auto uri = class_uri(class_name);
  for (const auto& c : items)
    if (c.name == class_name && c.ns == uri)
      return &c;
  std::string got;
  for (const auto& c : items) {
    if (got.size() > 80)
      break;
    got += (got.empty() ? "" : ", ") + c.name.substr(0, 60);
  }
  return odd("the answer holds no " + std::string(class_name) + " but " +
             (got.empty() ? "nothing" : got));
}

} // namespace

result<power_state> read_power_state(const std::vector<node>& items) {
  auto instance = require(items, association);
  if (!instance)
    return instance.error();
  auto code = number_in(**instance, "PowerState", max_power_code);
  if (!code)
    return code.error();
  if (*code == 0)
    return odd("the firmware itself does not know the power state (PowerState 0)");
  return power_state_from_code(static_cast<int>(*code));
}

result<std::vector<int>> read_available_states(const std::vector<node>& items) {
  auto instance = require(items, association);
  if (!instance)
    return instance.error();
  std::vector<int> out;
  for (const auto& c : (*instance)->children) {
    if (c.name != "AvailableRequestedPowerStates")
      continue;
    const auto code = to_number(c.value());
    if (!code || *code > max_power_code || out.size() == max_listed_states)
      return odd("AvailableRequestedPowerStates contains " + quoted(c.value()));
    out.push_back(static_cast<int>(*code));
  }
  return out;
}

int read_os_power_saving(const node& service) {
  const auto value = to_number(service.child_text("OSPowerSavingState"));
  return value && *value <= 3 ? static_cast<int>(*value) : 0;
}

result<amt::versions> read_software(const std::vector<node>& items) {
  amt::versions out;
  const auto uri = class_uri("CIM_SoftwareIdentity");
  for (const auto& item : items) {
    if (item.name != "CIM_SoftwareIdentity" || item.ns != uri)
      continue;
    const auto id = item.child_text("InstanceID");
    const auto version = item.child_text("VersionString");
    if (version.size() > max_version_text)
      return odd("the version of " + quoted(id) + " is longer than 64 octets");
    if (id == "AMT")
      out.amt = version;
    else if (id == "Sku")
      out.sku = version;
    else if (id == "Build Number")
      out.build = version;
  }
  if (out.amt.empty())
    return odd("no CIM_SoftwareIdentity with InstanceID 'AMT' among " +
               std::to_string(items.size()) + " items");
  return out;
}

result<int> major_version(std::string_view amt_version) {
  int major = 0;
  const auto* end = amt_version.data() + amt_version.size();
  const auto [at, error] = std::from_chars(amt_version.data(), end, major);
  if (error != std::errc{} || major < 1 || major > 99 || (at != end && *at != '.'))
    return odd("the AMT version is " + quoted(amt_version) + ", not like 16.1.25");
  return major;
}

result<power_capabilities> read_boot_capabilities(const node& instance) {
  power_capabilities out;
  for (const auto& [name, target] :
       {std::pair<std::string_view, bool*>{"BIOSSetup", &out.bios_setup},
        {"SecureErase", &out.secure_erase},
        {"ForceDiagnosticBoot", &out.force_diagnostic_boot}}) {
    auto value = bool_or(instance, name, false);
    if (!value)
      return value.error();
    *target = *value;
  }
  return out;
}

cleared_boot_settings clear_boot_settings(const node& instance) {
  using row = std::pair<std::string_view, std::string_view>;
  // MPS src/routes/amt/powerAction.ts, setBootData(), in its order.
  static constexpr std::array<row, 17> cleared{{{"BIOSPause", "false"},
                                                {"BIOSSetup", "false"},
                                                {"BootMediaIndex", "0"},
                                                {"ConfigurationDataReset", "false"},
                                                {"FirmwareVerbosity", "0"},
                                                {"ForcedProgressEvents", "false"},
                                                {"IDERBootDevice", "0"},
                                                {"LockKeyboard", "false"},
                                                {"LockPowerButton", "false"},
                                                {"LockResetButton", "false"},
                                                {"LockSleepButton", "false"},
                                                {"ReflashBIOS", "false"},
                                                {"UseIDER", "false"},
                                                {"UseSOL", "false"},
                                                {"UseSafeMode", "false"},
                                                {"UserPasswordBypass", "false"},
                                                {"SecureErase", "false"}}};
  cleared_boot_settings out;
  for (const auto& c : instance.children) {
    const auto* rule = std::find_if(cleared.begin(), cleared.end(),
                                    [&](const row& r) { return r.first == c.name; });
    if (rule != cleared.end() && c.value() != rule->second)
      out.was_clear_already = false;
    // Everything else goes back as it came, read-only properties included.
    out.xml += property(c.name, rule != cleared.end() ? rule->second : std::string_view(c.text));
  }
  for (const auto& [name, value] : cleared)
    if (instance.child(name) == nullptr)
      out.xml += property(name, value);
  return out;
}

} // namespace outband::wsman
