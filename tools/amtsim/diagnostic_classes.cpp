// What only explorers and diagnostics read: AMT_AssetTable, AMT_EventLogEntry, AMT_Hdr8021Filter,
// IPS_IPv6PortSettings.
#include "tools/amtsim/classes.hpp"
#include "tools/amtsim/event_log_state.hpp"

namespace outband::amtsim {

namespace {

/// The OEM structures of SMBIOS that Intel(r) ME fills: type, length, handle, flags, "vPro".
instances asset_tables(const device_model&) {
  instances out;
  for (const unsigned type : {130U, 131U}) {
    std::string table(type == 130 ? 20 : 64, '\0');
    table[0] = static_cast<char>(type);
    table[1] = static_cast<char>(table.size());
    table[2] = static_cast<char>(type - 88U);
    const std::string mark = type == 130 ? "$AMT" : "vPro";
    table.replace(type == 130 ? 4 : 60, mark.size(), mark);
    out.push_back(
        {"AMT_AssetTable",
         {{"InstanceID", "1"}, {"TableData", base64(table)}, {"TableType", std::to_string(type)}}});
  }
  return out;
}

std::uint32_t octet(const std::string& record, std::size_t at) {
  return at < record.size() ? static_cast<std::uint8_t>(record[at]) : 0U;
}

/// The records of AMT_MessageLog once more, one instance each. Their layout: time (little-endian),
/// device address, sensor type, event type, offset, source, severity, sensor, entity, instance,
/// eight octets of data (MPS src/routes/amt/getEventLog).
instances event_log_entries(const device_model& d) {
  static constexpr std::string_view hex = "0123456789ABCDEF";
  instances out;
  std::uint32_t number = 0;
  for (const auto& record : d.events->records) {
    std::uint32_t time = 0;
    for (std::size_t i = 4; i > 0; --i)
      time = time << 8U | octet(record, i - 1);
    std::string data;
    for (std::size_t i = 13; i < record.size(); ++i) {
      data += hex[octet(record, i) >> 4U];
      data += hex[octet(record, i) & 15U];
    }
    out.push_back({"AMT_EventLogEntry",
                   {{"CreationClassName", "AMT_EventLogEntry"},
                    {"DeviceAddress", text(octet(record, 4))},
                    {"ElementName", "Event Log Entry"},
                    {"EventData", data},
                    {"EventSensorType", text(octet(record, 5))},
                    {"EventType", text(octet(record, 6))},
                    {"RecordID", text(++number)},
                    {"TimeStamp", text(time)}}});
  }
  return out;
}

instances vlan_filters(const device_model&) {
  auto out =
      with(service("AMT_Hdr8021Filter", "Intel(r) AMT Hdr8021 Filter"), {{"FilterDirection", "2"},
                                                                         {"FilterEnabled", "true"},
                                                                         {"VLANID", "10"},
                                                                         {"VLANPriority", "1"}});
  out.fields.front().value = "HDR 802.1 Filter"; // its ElementName
  return {out};
}

instances ipv6_ports(const device_model&) {
  wsman::instance out{"IPS_IPv6PortSettings",
                      {{"ElementName", "Intel(r) IPS IPv6 Settings 0"},
                       {"InstanceID", "Intel(r) IPS IPv6 Settings 0"},
                       {"InterfaceIDType", "0"},
                       {"ManualInterfaceID", "0000000000000000"}}};
  for (const auto* name : {"CurrentDefaultRouter", "CurrentPrimaryDNS", "CurrentSecondaryDNS",
                           "DefaultRouter", "IPv6Address", "PrimaryDNS", "SecondaryDNS"})
    out.fields.push_back({name, "::"});
  return {out};
}

} // namespace

class_table diagnostic_classes() {
  return {{{"AMT_AssetTable", asset_tables},
           {"AMT_EventLogEntry", event_log_entries},
           {"AMT_Hdr8021Filter", vlan_filters},
           {"IPS_IPv6PortSettings", ipv6_ports}},
          {},
          {},
          {}};
}

} // namespace outband::amtsim
