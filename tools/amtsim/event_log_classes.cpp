#include "tools/amtsim/classes.hpp"
#include "tools/amtsim/event_log_state.hpp"
#include "tools/amtsim/subscription_state.hpp"

#include <algorithm>

namespace outband::amtsim {

namespace {

// ReturnValues of AMT_MessageLog
constexpr std::uint32_t no_record = 2;
constexpr std::uint32_t invalid_record_pointed = 2;

std::string record_of(const platform_event& e, std::int64_t unix_s) {
  std::string out;
  for (unsigned i = 0; i < 4; ++i) // little-endian
    out += static_cast<char>(unix_s >> 8U * i & 255);
  for (const auto octet :
       {std::uint8_t{0xFF}, e.sensor_type, std::uint8_t{0x6F}, e.offset, std::uint8_t{0x68},
        e.severity, std::uint8_t{0xFF}, e.entity, std::uint8_t{0}})
    out += static_cast<char>(octet);
  for (const auto octet : e.data)
    out += static_cast<char>(octet);
  return out;
}

} // namespace

event_log_state::event_log_state() {
  for (const auto* captured : {"IgYBZf8PbwJoAf8iAEAHAAAAAAAA", "IgYBZf8PbwJoAf8iAEAHAAAAAAAA",
                               "Y8iYZf8GbwVoEP8mYaoKAAAAAAAA"})
    records.push_back(from_base64(captured).value_or(""));
}

void append_event(device_model& d, const platform_event& e, std::int64_t unix_s) {
  if (d.events->frozen)
    return;
  auto& all = d.events.change().records;
  if (all.size() == max_event_records)
    all.erase(all.begin());
  all.push_back(record_of(e, unix_s));
}

namespace {

/// DSP8007's platform messages and Intel's own, as MeshCommander lists them.
void alert_power_change(device_model& d, const power_change& what, std::int64_t unix_s) {
  const auto tell = [&](const char* id, const char* argument, bool of_platform) {
    raise_alert(d, {id, argument, 2, of_platform}, unix_s);
  };
  const bool off = level_of(what.to) == power_level::off;
  if (what.why == cause::button)
    tell("PLAT0248", "", true); // the power button was pressed
  if (what.why == cause::asked_gracefully)
    tell("iAMT0067", off ? "0" : level_of(what.to) == power_level::hibernate ? "2" : "1", false);
  if (!what.boot)
    return;
  if (level_of(what.from) == power_level::on)
    tell("PLAT0284", "", true); // system restart begun
  else
    tell("PLAT0272", "", true); // power on
  tell("PLAT0188", "", true);   // firmware progress
}

} // namespace

void log_power_change(device_model& d, const power_change& what, std::int64_t unix_s) {
  alert_power_change(d, what, unix_s);
  if (what.why == cause::crash)
    append_event(d, {32, 0, 16, 34, {}}, unix_s); // OS lockup or power interrupt
  if (!what.boot)
    return;
  append_event(d, {37, 0, 1, 34, {}}, unix_s);        // system firmware started
  append_event(d, {15, 2, 1, 34, {0x40, 7}}, unix_s); // PCI resource configuration
  // One Click Recovery: parameters received, boot option added, connected, downloaded, attempted
  if (d.last_boot.find("OCR UEFI HTTPS") != std::string::npos)
    for (const std::uint8_t step : {0, 1, 2, 3, 4, 5, 6})
      append_event(d, {15, 5, 1, 34, {0xAA, 0x30, step}}, unix_s);
  append_event(d, {15, 2, 1, 34, {0x40, 19}}, unix_s); // starting operating system boot
}

namespace {

instances list(const device_model& d) {
  wsman::instance out{"AMT_MessageLog",
                      {{"CharacterSet", "10"},
                       {"CreationClassName", "AMT_MessageLog"},
                       {"CurrentNumberOfRecords", std::to_string(d.events->records.size())},
                       {"ElementName", "Intel(r) AMT:MessageLog 1"},
                       {"EnabledDefault", "2"},
                       {"EnabledState", "2"},
                       {"HealthState", "5"},
                       {"IsFrozen", text(d.events->frozen)},
                       {"LastChange", "0"},
                       {"LogState", "4"},
                       {"MaxLogSize", "0"},
                       {"MaxNumberOfRecords", std::to_string(max_event_records)},
                       {"MaxRecordSize", std::to_string(event_record_size)},
                       {"Name", "Intel(r) AMT:MessageLog 1"},
                       {"OperationalStatus", "2"},
                       {"OverwritePolicy", "2"},
                       {"PercentageNearFull", "100"},
                       {"RequestedState", "12"},
                       {"SizeOfHeader", "0"},
                       {"SizeOfRecordHeader", "0"},
                       {"Status", "OK"}}};
  for (const auto* can : {"5", "6", "8", "7"})
    out.fields.push_back({"Capabilities", can});
  return {out};
}

outcome position_to_first(const wsman::node&, context& c) {
  if (c.device.events->records.empty())
    return {no_record, {{"IterationIdentifier", "0"}}};
  return {0, {{"IterationIdentifier", "1"}}};
}

/// Newest first; the identifier is the number of the record to begin with.
outcome get_records(const wsman::node& input, context& c) {
  std::uint32_t from = 1;
  std::uint32_t most = max_event_records;
  if (!take(input, "IterationIdentifier", from) || !take(input, "MaxReadRecords", most))
    return soap_fault::schema_validation_error;
  const auto& all = c.device.events->records;
  const std::size_t begin = std::max(from, 1U) - 1;
  if (all.empty())
    return {0, {{"IterationIdentifier", "1"}, {"NoMoreRecords", "true"}}};
  if (begin >= all.size())
    return {invalid_record_pointed,
            {{"IterationIdentifier", text(from)}, {"NoMoreRecords", "true"}}};
  const auto end = std::min(all.size(), begin + std::min<std::size_t>(most, max_event_records));
  outcome out{0,
              {{"IterationIdentifier", std::to_string(end == all.size() ? end : end + 1)},
               {"NoMoreRecords", text(end == all.size())}}};
  for (auto i = begin; i < end; ++i)
    out.out.push_back({"RecordArray", base64(all[all.size() - 1 - i])});
  return out;
}

outcome clear(const wsman::node&, context& c) {
  c.device.events.change().records.clear();
  record_audit(c, 24, 2);
  return 0;
}

outcome freeze(const wsman::node& input, context& c) {
  bool on = false;
  if (input.child("Freeze") == nullptr || !take(input, "Freeze", on))
    return soap_fault::schema_validation_error;
  c.device.events.change().frozen = on;
  record_audit(c, 24, 3, std::string(1, on ? '\1' : '\0'));
  return 0;
}

void save(const device_model& d, kept_texts& to) {
  if (!d.events.changed())
    return;
  std::string all;
  for (const auto& r : d.events->records)
    all += r;
  to["records"] = base64(all);
  if (d.events->frozen)
    to["frozen"] = "1";
}

void load(const kept_texts& from, device_model& d) {
  const auto records = from.find("records");
  if (records == from.end())
    return;
  const auto all = from_base64(records->second).value_or("");
  auto& log = d.events.change();
  log.records.clear();
  for (std::size_t at = 0; at + event_record_size <= all.size(); at += event_record_size)
    log.records.push_back(all.substr(at, event_record_size));
  if (log.records.size() > max_event_records)
    log.records.resize(max_event_records);
  log.frozen = from.count("frozen") != 0;
}

} // namespace

class_table event_log_classes() {
  return {{{"AMT_MessageLog", list}},
          {{"AMT_MessageLog", "ClearLog", clear},
           {"AMT_MessageLog", "FreezeLog", freeze},
           {"AMT_MessageLog", "GetRecords", get_records},
           {"AMT_MessageLog", "PositionToFirstRecord", position_to_first}},
          {},
          {{"events", save, load}}};
}

} // namespace outband::amtsim
