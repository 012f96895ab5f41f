#include "tools/amtsim/classes.hpp"
#include "tools/amtsim/hardware_state.hpp"

namespace outband::amtsim {

namespace {

/// 16 octets in SMBIOS order as hexadecimal digits.
std::string platform_guid(const device_model& d) {
  static constexpr std::string_view hex = "0123456789ABCDEF";
  std::string out;
  for (const auto octet : swap_smbios(d.who().guid).bytes) {
    out += hex[octet >> 4U];
    out += hex[octet & 15U];
  }
  return out;
}

/// Different for each machine and each part, the same after a restart.
std::string serial(const device_model& d, const char* prefix, std::size_t digits) {
  const auto guid = platform_guid(d);
  return prefix + guid.substr(guid.size() - digits);
}

/// With what a controller set instead.
wsman::instance with_wishes(wsman::instance base, const device_model& d) {
  const auto& set = d.hardware->set;
  if (!set.empty())
    for (auto& f : base.fields)
      if (const auto found = set.find(base.class_name + "." + f.name); found != set.end())
        f.value = found->second;
  return base;
}

instances system_package(const device_model& d) {
  return {{"CIM_ComputerSystemPackage",
           {{"Antecedent",
             wsman::endpoint{wsman::class_uri("CIM_Chassis"),
                             {{"CreationClassName", "CIM_Chassis"}, {"Tag", "CIM_Chassis"}}}},
            {"Dependent", managed_system()},
            {"PlatformGUID", platform_guid(d)}}}};
}

instances chassis(const device_model& d) {
  return {with_wishes({"CIM_Chassis",
                       {{"ChassisPackageType", "0"},
                        {"CreationClassName", "CIM_Chassis"},
                        {"ElementName", "Managed System Chassis"},
                        {"Manufacturer", "Intel(R) Client Systems"},
                        {"Model", "NUC9V7QNX"},
                        {"OperationalStatus", "0"},
                        {"PackageType", "3"},
                        {"SerialNumber", serial(d, "JRQN", 8)},
                        {"Tag", "CIM_Chassis"},
                        {"Version", "K47174-402"}}},
                      d)};
}

instances card(const device_model& d) {
  return {with_wishes({"CIM_Card",
                       {{"CanBeFRUed", "true"},
                        {"CreationClassName", "CIM_Card"},
                        {"ElementName", "Managed System Base Board"},
                        {"Manufacturer", "Intel Corporation"},
                        {"Model", "NUC9V7QNB"},
                        {"OperationalStatus", "0"},
                        {"PackageType", "9"},
                        {"SerialNumber", serial(d, "KNQN", 8)},
                        {"Tag", "CIM_Card"},
                        {"Version", "K47180-402"}}},
                      d)};
}

instances bios(const device_model& d) {
  return {with_wishes({"CIM_BIOSElement",
                       {{"ElementName", "Primary BIOS"},
                        {"Manufacturer", "Intel Corp."},
                        {"Name", "Primary BIOS"},
                        {"OperationalStatus", "0"},
                        {"PrimaryBIOS", "true"},
                        {"ReleaseDate", wsman::datetime{"2020-08-10T00:00:00Z"}},
                        {"SoftwareElementID", "QNCFLX70.0054.2020.0810.2227"},
                        {"SoftwareElementState", "2"},
                        {"TargetOperatingSystem", "66"},
                        {"Version", "QNCFLX70.0054.2020.0810.2227"}}},
                      d)};
}

instances bios_features(const device_model& d) {
  wsman::instance out{"CIM_BIOSFeature",
                      {{"ElementName", "Primary BIOS Features"},
                       {"IdentifyingNumber", "M46580-303"},
                       {"Name", "Primary BIOS Features"},
                       {"OperationalStatus", "0"},
                       {"ProductName", "NUC9V7QNX"},
                       {"Vendor", "Intel(R) Client Systems"},
                       {"Version", "M46580-303"}}};
  for (const auto* n : {"7", "11", "12", "27", "28", "29", "31"})
    out.fields.push_back({"Characteristics", n});
  return {with_wishes(std::move(out), d)};
}

instances chip(const device_model& d) {
  return {with_wishes({"CIM_Chip",
                       {{"CanBeFRUed", "true"},
                        {"CreationClassName", "CIM_Chip"},
                        {"ElementName", "Managed System Processor Chip"},
                        {"Manufacturer", "Intel(R) Corporation"},
                        {"OperationalStatus", "0"},
                        {"Tag", "CPU 0"},
                        {"Version", "Intel(R) Core(TM) i7-9850H CPU @ 2.60GHz"}}},
                      d)};
}

instances processor(const device_model& d) {
  return {with_wishes({"CIM_Processor",
                       {{"CPUStatus", "1"},
                        {"CreationClassName", "CIM_Processor"},
                        {"CurrentClockSpeed", "2400"},
                        {"DeviceID", "CPU 0"},
                        {"ElementName", "Managed System CPU"},
                        {"EnabledState", "2"},
                        {"ExternalBusClockSpeed", "100"},
                        {"Family", "198"},
                        {"HealthState", "0"},
                        {"MaxClockSpeed", "8300"},
                        {"OperationalStatus", "0"},
                        {"OtherFamilyDescription", ""},
                        {"RequestedState", "12"},
                        {"Role", "Central"},
                        {"Stepping", "13"},
                        {"SystemCreationClassName", "CIM_ComputerSystem"},
                        {"SystemName", "ManagedSystem"},
                        {"UpgradeMethod", "52"}}},
                      d)};
}

instances memory(const device_model& d) {
  instances out;
  std::size_t n = 0;
  for (const auto octets : d.hardware->memory_octets) {
    // Tags of equal modules get a number, as captured.
    const auto tag = n == 0 ? std::string("9876543210") : "9876543210 (#" + std::to_string(n) + ")";
    out.push_back(with_wishes({"CIM_PhysicalMemory",
                               {{"BankLabel", "BANK " + std::to_string(2 * n)},
                                {"Capacity", std::to_string(octets)},
                                {"ConfiguredMemoryClockSpeed", "2400"},
                                {"CreationClassName", "CIM_PhysicalMemory"},
                                {"ElementName", "Managed System Memory Chip"},
                                {"FormFactor", "13"},
                                {"IsSpeedInMhz", "true"},
                                {"Manufacturer", "859B"},
                                {"MaxMemorySpeed", "2400"},
                                {"MemoryType", "26"}, // DDR4
                                {"PartNumber", "CT16G4SFD824A.M16FE"},
                                {"SerialNumber", serial(d, ("E" + std::to_string(n)).c_str(), 6)},
                                {"Speed", "0"},
                                {"Tag", tag}}},
                              d));
    ++n;
  }
  return out;
}

instances disks(const device_model& d) {
  instances out;
  for (const auto kilobytes : d.hardware->disk_kilobytes) {
    out.push_back({"CIM_MediaAccessDevice",
                   {{"Capabilities", "4"},
                    {"CreationClassName", "CIM_MediaAccessDevice"},
                    {"DeviceID", "MEDIA DEV " + std::to_string(out.size())},
                    {"ElementName", "Managed System Media Access Device"},
                    {"EnabledDefault", "2"},
                    {"EnabledState", "0"},
                    {"MaxMediaSize", std::to_string(kilobytes)},
                    {"OperationalStatus", "0"},
                    {"RequestedState", "12"},
                    {"Security", "2"},
                    {"SystemCreationClassName", "CIM_ComputerSystem"},
                    {"SystemName", "ManagedSystem"}}});
  }
  return out;
}

/// A device of the managed system, with what all devices have.
wsman::instance device(const char* class_name, const char* id, std::vector<wsman::field> more) {
  return with({class_name,
               {{"CreationClassName", class_name},
                {"DeviceID", id},
                {"SystemCreationClassName", "CIM_ComputerSystem"},
                {"SystemName", "ManagedSystem"}}},
              std::move(more));
}

instances battery(const device_model&) {
  return {device("CIM_Battery", "CC03056XL",
                 {{"BatteryStatus", "2"},
                  {"ChargingStatus", "0"},
                  {"Chemistry", "2"},
                  {"DesignCapacity", "5601"},
                  {"DesignVoltage", "11550"},
                  {"ElementName", ""},
                  {"EnabledState", "2"},
                  {"EstimatedChargeRemaining", "0"},
                  {"FullChargeCapacity", "0"},
                  {"HealthState", "0"},
                  {"RequestedState", "2"}})};
}

instances fan(const device_model&) {
  return {device("CIM_Fan", "Fan 0",
                 {{"ActiveCooling", "true"},
                  {"DesiredSpeed", "0"},
                  {"ElementName", "Fan"},
                  {"EnabledState", "5"},
                  {"HealthState", "5"},
                  {"OperationalStatus", "2"},
                  {"RequestedState", "12"},
                  {"VariableSpeed", "false"}})};
}

instances sensor(const device_model&) {
  return {device("CIM_Sensor", "Sensor 1",
                 {{"CurrentState", "Unknown"},
                  {"ElementName", "Sensor"},
                  {"EnabledState", "5"},
                  {"HealthState", "5"},
                  {"OperationalStatus", "2"},
                  {"PossibleStates", "Bad"},
                  {"PossibleStates", "Good"},
                  {"PossibleStates", "Unknown"},
                  {"RequestedState", "12"},
                  {"SensorType", "0"}})};
}

instances asset_service(const device_model&) {
  return {with(service("AMT_AssetTableService", "Intel(r) AMT Asset Table Service"),
               {{"TableTypes", "SMbios:130"}, {"TableTypes", "SMbios:131"}})};
}

instances cryptography(const device_model&) {
  return {{"AMT_CryptographicCapabilities",
           {{"ElementName", "Intel(r) AMT: Cryptographic Capabilities"},
            {"HardwareAcceleration", "1"},
            {"InstanceID", "Intel(r) AMT: Cryptographic Capabilities 0"}}}};
}

instances boot_reason(const device_model& d) {
  return {{"IPS_HostBootReason",
           {{"ElementName", "Intel(r) AMT:Host Boot Reason"},
            {"InstanceID", "Intel(r) AMT:Host Boot Reason"},
            {"PreviousSxState", d.power() == power_state::on ? "0" : "5"},
            {"Reason", "1"},
            {"ReasonDetails", ""}}}};
}

void save(const device_model& d, kept_texts& to) {
  if (!d.hardware.changed())
    return;
  for (const auto& [name, value] : d.hardware->set)
    to["set." + name] = value;
  const auto list = [&](const char* name, const std::vector<std::uint64_t>& numbers) {
    auto& out = to[name];
    for (const auto n : numbers)
      out += std::to_string(n) + " ";
  };
  list("memory", d.hardware->memory_octets);
  list("disks", d.hardware->disk_kilobytes);
}

void load(const kept_texts& from, device_model& d) {
  for (const auto& [name, value] : from) {
    if (name.rfind("set.", 0) == 0) {
      d.hardware.change().set[name.substr(4)] = value;
      continue;
    }
    if (name != "memory" && name != "disks")
      continue;
    std::vector<std::uint64_t> numbers;
    std::uint64_t n = 0;
    for (const char ch : value) {
      if (ch == ' ') {
        numbers.push_back(n);
        n = 0;
      } else if (ch >= '0' && ch <= '9') {
        n = n * 10 + static_cast<std::uint64_t>(ch - '0');
      }
    }
    auto& h = d.hardware.change();
    (name == "memory" ? h.memory_octets : h.disk_kilobytes) = std::move(numbers);
  }
}

} // namespace

class_table hardware_classes() {
  return {{{"AMT_AssetTableService", asset_service},
           {"AMT_CryptographicCapabilities", cryptography},
           {"CIM_BIOSElement", bios},
           {"CIM_BIOSFeature", bios_features},
           {"CIM_Battery", battery},
           {"CIM_Card", card},
           {"CIM_Chassis", chassis},
           {"CIM_Chip", chip},
           {"CIM_ComputerSystemPackage", system_package},
           {"CIM_Fan", fan},
           {"CIM_MediaAccessDevice", disks},
           {"CIM_PhysicalMemory", memory},
           {"CIM_Processor", processor},
           {"CIM_Sensor", sensor},
           {"IPS_HostBootReason", boot_reason}},
          {},
          {{"CIM_PhysicalPackage", {"CIM_Card"}},
           {"CIM_SystemPackaging", {"CIM_ComputerSystemPackage"}}},
          {{"hardware", save, load}}};
}

} // namespace outband::amtsim
