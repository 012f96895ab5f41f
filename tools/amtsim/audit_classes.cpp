#include "tools/amtsim/audit_state.hpp"
#include "tools/amtsim/classes.hpp"

#include <algorithm>

namespace outband::amtsim {

namespace {

constexpr std::uint32_t invalid_index = 35;
constexpr std::size_t records_per_answer = 10;

std::string big_endian(std::uint32_t value, unsigned octets) {
  std::string out;
  for (unsigned i = octets; i > 0; --i)
    out += static_cast<char>(value >> (8U * (i - 1)) & 255U);
  return out;
}

/// From 12.0.40.1433 to 12.0.36.1428, at a time when the clock was not set: a captured record.
std::string firmware_updated() {
  std::string versions;
  for (const auto part : {12U, 0U, 40U, 1433U, 12U, 0U, 36U, 1428U})
    versions += big_endian(part, 2);
  return versions;
}

} // namespace

std::string audit_record(std::uint16_t app, std::uint16_t event, const std::string& user,
                         std::int64_t unix_s, const std::string& data) {
  auto out = big_endian(app, 2) + big_endian(event, 2);
  if (user.empty()) {
    out += '\2'; // the machine itself
  } else {
    out += '\0'; // HTTP digest
    out += static_cast<char>(std::min<std::size_t>(user.size(), 255));
    out += user.substr(0, 255);
  }
  out += big_endian(static_cast<std::uint32_t>(unix_s), 4);
  out += '\2'; // where from: not kept
  out += '\0';
  out += static_cast<char>(std::min<std::size_t>(data.size(), 255));
  return out + data.substr(0, 255);
}

audit_state::audit_state() : last_s(0x3FF4CD6E) {
  append_audit(*this, audit_record(19, 0, {}, last_s, firmware_updated()), last_s);
  append_audit(*this, audit_record(19, 0, {}, last_s + 1, firmware_updated()), last_s + 1);
  append_audit(*this, audit_record(16, 1, {}, 1704240275, {}), 1704240275); // provisioned
}

void append_audit(audit_state& log, std::string record, std::int64_t unix_s) {
  if (log.records.size() == max_audit_records)
    log.records.erase(log.records.begin());
  log.records.push_back(std::move(record));
  log.last_s = unix_s;
}

void record_audit(context& c, std::uint16_t app, std::uint16_t event, std::string data) {
  const auto at = c.device.clock_s(c.now);
  append_audit(c.device.audit.change(), audit_record(app, event, std::string(c.user), at, data),
               at);
}

namespace {

instances list(const device_model& d) {
  const auto count = d.audit->records.size();
  return {{"AMT_AuditLog",
           {{"AuditState", "16"},
            {"CurrentNumberOfRecords", std::to_string(count)},
            {"ElementName", "Intel(r) AMT Audit Log"},
            {"EnabledState", "2"},
            {"MaxAllowedAuditors", "1"},
            {"MaxNumberOfRecords", "0"},
            {"Name", "Intel(r) AMT:Audit Log"},
            {"OverwritePolicy", "2"},
            {"PercentageFree", std::to_string(100 - 100 * count / max_audit_records)},
            {"RequestedState", "2"},
            {"StoragePolicy", "1"},
            {"TimeOfLastRecord", datetime_of(d.audit->last_s)}}}};
}

/// Oldest first, from StartIndex (1 is the oldest; 0 means the same) on.
outcome read_records(const wsman::node& input, context& c) {
  std::uint32_t start = 1;
  if (!take(input, "StartIndex", start))
    return soap_fault::schema_validation_error;
  const auto& all = c.device.audit->records;
  start = std::max(start, 1U);
  if (start > all.size())
    return {invalid_index,
            {{"TotalRecordCount", std::to_string(all.size())}, {"RecordsReturned", "0"}}};
  const auto end = std::min(all.size(), start - 1 + records_per_answer);
  outcome out{0,
              {{"TotalRecordCount", std::to_string(all.size())},
               {"RecordsReturned", std::to_string(end - (start - 1))}}};
  for (std::size_t i = start - 1; i < end; ++i)
    out.out.push_back({"EventRecords", base64(all[i])});
  return out;
}

/// Times and all: each record is kept as it is.
void save(const device_model& d, kept_texts& to) {
  if (!d.audit.changed())
    return;
  std::string all;
  for (const auto& r : d.audit->records)
    all += base64(r) + " ";
  to["records"] = all;
  to["last"] = std::to_string(d.audit->last_s);
}

void load(const kept_texts& from, device_model& d) {
  const auto records = from.find("records");
  const auto last = from.find("last");
  if (records == from.end() || last == from.end())
    return;
  auto& log = d.audit.change();
  log.records.clear();
  std::string_view rest = records->second;
  const auto last_s = wsman::to_number(last->second).value_or(0);
  while (!rest.empty()) {
    const auto end = std::min(rest.find(' '), rest.size());
    if (auto one = from_base64(rest.substr(0, end)); one && !one->empty())
      append_audit(log, std::move(*one), last_s);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
}

} // namespace

class_table audit_classes() {
  return {{{"AMT_AuditLog", list}},
          {{"AMT_AuditLog", "ReadRecords", read_records}},
          {},
          {{"audit", save, load}}};
}

} // namespace outband::amtsim
