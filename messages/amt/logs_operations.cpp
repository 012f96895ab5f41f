#include "messages/amt/argument.hpp"
#include "messages/amt/catalogue.hpp"
#include "messages/amt/logs.hpp"
#include "messages/domain/time.hpp"

#include <limits>
#include <utility>

namespace outband::amt {

namespace {

using namespace std::chrono_literals;

json::value moment(std::uint32_t seconds) {
  if (seconds == 0)
    return nullptr;
  return to_rfc3339(static_cast<time_ms>(seconds) * 1000);
}

json::value or_null(std::optional<std::string> text) {
  return text ? json::value(std::move(*text)) : json::value();
}

json::value as_json(const event_record& r) {
  json::array data;
  for (auto octet : r.data)
    data.push_back(octet);
  return json::object{
      {"DeviceAddress", r.device_address},   {"EventSensorType", r.sensor_type},
      {"EventType", r.event_type},           {"EventOffset", r.offset},
      {"EventSourceType", r.source_type},    {"EventSeverity", static_cast<int>(r.severity)},
      {"SensorNumber", r.sensor_number},     {"Entity", r.entity},
      {"EntityInstance", r.entity_instance}, {"EventData", std::move(data)},
      {"TimeStamp", moment(r.time)},         {"EntityStr", entity_name(r.entity)},
      {"Desc", or_null(describe(r))}};
}

json::value as_json(const audit_record& r) {
  return json::object{{"AuditAppID", r.app},
                      {"EventID", r.event},
                      {"InitiatorType", static_cast<int>(r.initiator)},
                      {"AuditApp", r.readable ? audit_app_text(r.app) : "unreadable record"},
                      {"Event", r.readable ? audit_event_text(r.app, r.event) : r.raw},
                      {"Initiator", r.initiator_name},
                      {"Time", moment(r.time)},
                      {"MCLocationType", r.location_type},
                      {"NetAddress", r.net_address},
                      {"Ex", latin1_to_utf8(r.extended)},
                      {"ExStr", or_null(extended_text(r))}};
}

template <class Records> json::array list_json(const Records& records) {
  json::array out;
  for (const auto& r : records)
    out.push_back(as_json(r));
  return out;
}

std::vector<rest::field_error> check_audit(const json::value& argument) {
  argument_reader in(argument);
  const auto n = integer_at(argument, "startIndex");
  if (argument.find("startIndex") != nullptr &&
      (!n || *n < 0 || *n > std::numeric_limits<std::int32_t>::max()))
    in.wrong("startIndex", "must be a whole number from 0");
  return std::move(in).errors();
}

result<json::value> audit(wsman::talk& t, const json::value& argument) {
  const auto start = integer_at(argument, "startIndex").value_or(1);
  auto told = get_audit_page(t, static_cast<std::uint32_t>(start));
  if (!told)
    return told.error();
  return json::value{
      json::object{{"totalCnt", told->total}, {"records", list_json(told->records)}}};
}

result<json::value> events(wsman::talk& t, const json::value&) {
  auto told = get_event_log(t);
  if (!told)
    return told.error();
  return json::value(list_json(told->records));
}

std::vector<rest::field_error> check_cursor(const json::value& argument) {
  argument_reader in(argument);
  in.text("cursor", 5000);
  return std::move(in).errors();
}

template <class News> json::value news_json(const News& told) {
  return json::object{
      {"records", list_json(told.records)}, {"cursor", told.cursor}, {"gap", told.gap}};
}

result<json::value> audit_news(wsman::talk& t, const json::value& argument) {
  auto told = audit_after(t, text_at(argument, "cursor"));
  if (!told)
    return told.error();
  return news_json(*told);
}

result<json::value> event_news(wsman::talk& t, const json::value& argument) {
  auto log = get_event_log(t);
  if (!log)
    return log.error();
  auto told = events_after(*log, text_at(argument, "cursor"));
  if (!told)
    return told.error();
  return news_json(*told);
}

} // namespace

std::vector<operation> log_operations() {
  constexpr auto reads = wsman::effect::none;
  return {{"log.audit", reads, audit, check_audit, 20s},
          {"log.event", reads, events, nullptr, 20s},
          // Ours: {"cursor"} -> {"records" oldest first, "cursor", "gap"}.
          {"log.audit.news", reads, audit_news, check_cursor, 30s},
          {"log.event.news", reads, event_news, check_cursor, 20s}};
}

} // namespace outband::amt
