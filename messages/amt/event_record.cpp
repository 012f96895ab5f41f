#include "messages/amt/event_record.hpp"

#include "messages/amt/base64.hpp"

#include <array>

namespace outband::amt {

namespace {

constexpr std::size_t record_size = 21;

constexpr std::array<std::string_view, 53> entities{"Unspecified",
                                                    "Other",
                                                    "Unknown",
                                                    "Processor",
                                                    "Disk",
                                                    "Peripheral",
                                                    "System management module",
                                                    "System board",
                                                    "Memory module",
                                                    "Processor module",
                                                    "Power supply",
                                                    "Add in card",
                                                    "Front panel board",
                                                    "Back panel board",
                                                    "Power system board",
                                                    "Drive backplane",
                                                    "System internal expansion board",
                                                    "Other system board",
                                                    "Processor board",
                                                    "Power unit",
                                                    "Power module",
                                                    "Power management board",
                                                    "Chassis back panel board",
                                                    "System chassis",
                                                    "Sub chassis",
                                                    "Other chassis board",
                                                    "Disk drive bay",
                                                    "Peripheral bay",
                                                    "Device bay",
                                                    "Fan cooling",
                                                    "Cooling unit",
                                                    "Cable interconnect",
                                                    "Memory device",
                                                    "System management software",
                                                    "BIOS",
                                                    "Intel(r) ME",
                                                    "System bus",
                                                    "Group",
                                                    "Intel(r) ME",
                                                    "External environment",
                                                    "Battery",
                                                    "Processing blade",
                                                    "Connectivity switch",
                                                    "Processor/memory module",
                                                    "I/O module",
                                                    "Processor I/O module",
                                                    "Management controller firmware",
                                                    "IPMI channel",
                                                    "PCI bus",
                                                    "PCI express bus",
                                                    "SCSI bus",
                                                    "SATA/SAS bus",
                                                    "Processor front side bus"};

constexpr std::array<std::string_view, 14> firmware_errors{
    "Unspecified.",
    "No system memory is physically installed in the system.",
    "No usable system memory, all installed memory has experienced an unrecoverable failure.",
    "Unrecoverable hard-disk/ATAPI/IDE device failure.",
    "Unrecoverable system-board failure.",
    "Unrecoverable diskette subsystem failure.",
    "Unrecoverable hard-disk controller failure.",
    "Unrecoverable PS/2 or USB keyboard failure.",
    "Removable boot media not found.",
    "Unrecoverable video controller failure.",
    "No video device detected.",
    "Firmware (BIOS) ROM corruption detected.",
    "CPU voltage mismatch (processors that share same supply have mismatched voltage requirements)",
    "CPU speed matching failure"};

constexpr std::array<std::string_view, 26> firmware_progress{
    "Unspecified.",
    "Memory initialization.",
    "Starting hard-disk initialization and test",
    "Secondary processor(s) initialization",
    "User authentication",
    "User-initiated system setup",
    "USB resource configuration",
    "PCI resource configuration",
    "Option ROM initialization",
    "Video initialization",
    "Cache initialization",
    "SM Bus initialization",
    "Keyboard controller initialization",
    "Embedded controller/management controller initialization",
    "Docking station attachment",
    "Enabling docking station",
    "Docking station ejection",
    "Disabling docking station",
    "Calling operating system wake-up vector",
    "Starting operating system boot process",
    "Baseboard or motherboard initialization",
    "reserved",
    "Floppy initialization",
    "Keyboard test",
    "Pointing device test",
    "Primary processor initialization"};

// One-Click Recovery, as the BIOS logs it.
constexpr std::array<std::string_view, 7> recovery_progress{
    "One-Click Recovery: boot parameters received",
    "One-Click Recovery: boot option added",
    "One-Click Recovery: server name resolved",
    "One-Click Recovery: HTTPS connection established",
    "One-Click Recovery: boot image downloaded",
    "One-Click Recovery: attempting to boot",
    "One-Click Recovery: exiting boot services"};
constexpr std::array<std::string_view, 9> recovery_errors{
    "",
    "One-Click Recovery: no network connection",
    "One-Click Recovery: the server's name could not be resolved",
    "One-Click Recovery: no connection to the server",
    "One-Click Recovery: the boot image is missing on the server",
    "One-Click Recovery: TLS authentication failed",
    "One-Click Recovery: HTTP digest authentication failed",
    "One-Click Recovery: the boot image is not valid",
    "One-Click Recovery: the boot file was not found"};
constexpr std::array<std::string_view, 4> redirection{
    "SOL session opened", "SOL session closed", "IDE-R session opened", "IDE-R session closed"};

template <std::size_t N>
std::optional<std::string> entry(const std::array<std::string_view, N>& table, std::size_t at) {
  if (at >= N || table[at].empty())
    return std::nullopt;
  return std::string(table[at]);
}

std::string hex(std::uint8_t octet) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  return {digits[octet >> 4], digits[octet & 15]};
}

std::string_view watchdog_state(std::uint8_t state) {
  switch (state) {
  case 1:
    return "Not Started";
  case 2:
    return "Stopped";
  case 4:
    return "Running";
  case 8:
    return "Expired";
  case 16:
    return "Suspended";
  default:
    return "an unknown state";
  }
}

std::optional<std::string> firmware_event(const event_record& r) {
  const auto& d = r.data;
  if (d[0] == 235)
    return "Invalid Data";
  if (d[0] == 0xAA && d[1] == 0x30 && r.offset == 5)
    return entry(recovery_progress, d[2]);
  if (d[0] == 0xAA && d[1] == 0x30 && r.offset == 3)
    return entry(recovery_errors, d[2]);
  return r.offset == 0 ? entry(firmware_errors, d[1]) : entry(firmware_progress, d[1]);
}

} // namespace

result<event_record> read_event_record(std::string_view base64) {
  auto octets = base64_decode(base64);
  if (!octets || octets->size() < record_size)
    return fail(problem::device_protocol, "an event record is not 21 octets in base64: '" +
                                              std::string(base64.substr(0, 40)) + "'");
  auto at = [&](std::size_t i) {
    return static_cast<std::uint8_t>((*octets)[i]);
  };
  event_record r;
  // Little-endian, unlike the audit log's.
  r.time = static_cast<std::uint32_t>(at(0)) | static_cast<std::uint32_t>(at(1)) << 8 |
           static_cast<std::uint32_t>(at(2)) << 16 | static_cast<std::uint32_t>(at(3)) << 24;
  if (r.time == 0xFFFFFFFF) // IPMI: unspecified
    r.time = 0;
  r.device_address = at(4);
  r.sensor_type = at(5);
  r.event_type = at(6);
  r.offset = at(7);
  r.source_type = at(8);
  r.severity = static_cast<event_severity>(at(9));
  r.sensor_number = at(10);
  r.entity = at(11);
  r.entity_instance = at(12);
  for (std::size_t i = 0; i < r.data.size(); ++i)
    r.data[i] = at(13 + i);
  r.raw = base64;
  return r;
}

std::string_view entity_name(std::uint8_t entity) {
  return entity < entities.size() ? entities[entity] : "Unknown";
}

std::optional<std::string> describe(const event_record& r) {
  const auto& d = r.data;
  switch (r.sensor_type) {
  case 5:
    return "Case intrusion";
  case 6:
    return "Authentication failed " + std::to_string(d[1] + 256 * d[2]) +
           " times. The system may be under attack.";
  case 15:
    return firmware_event(r);
  case 18:
    if (d[0] != 170)
      return std::nullopt;
    return "Agent watchdog " + hex(d[4]) + hex(d[3]) + hex(d[2]) + hex(d[1]) + "-" + hex(d[6]) +
           hex(d[5]) + "-... changed to " + std::string(watchdog_state(d[7]));
  case 30:
    return "No bootable media";
  case 32:
    return "Operating system lockup or power interrupt";
  case 35:
    return "System boot failure";
  case 36:
    return "A network filter was hit";
  case 37:
    return "System firmware started (at least one CPU is properly executing).";
  case 192:
    if (d[0] == 0xAA && d[1] == 0x30)
      return entry(redirection, d[2]);
    break;
  case 193:
    if (d[0] == 0xAA && d[1] == 0x30 && d[2] == 0 && d[3] == 0)
      return "The user asks for a remote connection";
    break;
  default:
    break;
  }
  return "Unknown Sensor Type #" + std::to_string(r.sensor_type);
}

} // namespace outband::amt
