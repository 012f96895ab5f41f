#include "messages/amt/alarms.hpp"
#include "messages/amt/argument.hpp"
#include "messages/amt/catalogue.hpp"
#include "messages/domain/time.hpp"

#include <algorithm>

namespace outband::amt {

namespace {

constexpr std::size_t max_name = 256; ///< octets; our bound

result<json::value> list(wsman::talk& t, const json::value&) {
  auto told = list_alarms(t);
  if (!told)
    return told.error();
  json::array out;
  for (auto& a : *told) {
    json::object o{{"ElementName", std::move(a.element_name)},
                   {"InstanceID", std::move(a.instance_id)},
                   {"StartTime", json::object{{"Datetime", std::move(a.start)}}}};
    if (!a.interval.empty())
      o.push_back({"Interval", json::object{{"Interval", std::move(a.interval)}}});
    o.push_back({"DeleteOnCompletion", a.delete_on_completion});
    o.push_back({"InternalInMinutes", a.interval_minutes}); // sic: MPS's spelling
    o.push_back({"IntervalInMinutes", a.interval_minutes}); // what its web interface reads
    out.push_back(std::move(o));
  }
  return json::value(std::move(out));
}

/// What JavaScript's Date takes of it: RFC 3339, without seconds, without a time; a time without
/// zone is UTC. Or milliseconds since 1970.
std::optional<time_ms> moment_of(const json::value& v) {
  if (const auto* n = v.integer())
    return *n >= 0 && *n <= max_time_ms ? std::optional<time_ms>(*n) : std::nullopt;
  const auto* s = v.text();
  if (s == nullptr || s->size() > 64)
    return std::nullopt;
  for (const auto* rest : {"", "Z", ":00Z", "T00:00:00Z"})
    if (auto t = parse_rfc3339(*s + rest))
      return t;
  return std::nullopt;
}

failure wrong(std::string_view field, std::string_view why) {
  return fail(problem::malformed,
              "Alarm add request invalid parameters: " + std::string(field) + " " +
                  std::string(why),
              std::string(field));
}

/// A name in a SOAP message and in a selector.
bool is_name(const json::value* v) {
  const auto* s = v != nullptr ? v->text() : nullptr;
  return s != nullptr && !s->empty() && s->size() <= max_name &&
         std::none_of(s->begin(), s->end(),
                      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

result<new_alarm> alarm_in(const json::value& argument) {
  new_alarm out;
  const auto* name = argument.find("ElementName");
  if (!is_name(name))
    return wrong("ElementName", "must be a text of 1 to 256 octets");
  out.element_name = *name->text();
  const auto* id = argument.find("InstanceID");
  if (id == nullptr || id->is_null())
    out.instance_id = out.element_name;
  else if (is_name(id))
    out.instance_id = *id->text();
  else
    return wrong("InstanceID", "must be a text of 1 to 256 octets");
  const auto* start = argument.find("StartTime");
  const auto moment = start != nullptr ? moment_of(*start) : std::nullopt;
  if (!moment)
    return wrong("StartTime", "must be a time such as 2030-01-01T02:00:00Z");
  out.start = *moment;
  if (const auto* v = argument.find("Interval"); v != nullptr && !v->is_null()) {
    const auto minutes = as_integer(*v);
    if (!minutes || *minutes < 0 || *minutes > max_interval_minutes)
      return wrong("Interval", "must be a number of minutes, at most ten years");
    out.interval_minutes = *minutes;
  }
  if (const auto* v = argument.find("DeleteOnCompletion"); v != nullptr && !v->is_null()) {
    const auto once = as_boolean(*v);
    if (!once)
      return wrong("DeleteOnCompletion", "must be true or false");
    out.delete_on_completion = *once;
  }
  return out;
}

/// MPS has no validators here: it looks at the body after it looked whether the machine is
/// connected, and answers one error text instead of a list. So the functions below check.
std::vector<rest::field_error> check(const json::value&) {
  return {};
}

result<json::value> add(wsman::talk& t, const json::value& argument) {
  auto what = alarm_in(argument);
  if (!what)
    return what.error();
  if (auto told = add_alarm(t, *what); !told)
    return told.error();
  return json::value(json::object{{"status", "SUCCESS"}, {"ReturnValue", 0}});
}

result<json::value> remove(wsman::talk& t, const json::value& argument) {
  const auto* name = argument.find("Name");
  if (!is_name(name))
    return fail(problem::malformed,
                "Invalid alarm occurrence request: Name must be the alarm's InstanceID", "Name");
  if (auto told = remove_alarm(t, *name->text()); !told)
    return told.error();
  return json::value(json::object{{"status", "SUCCESS"}});
}

} // namespace

std::vector<operation> alarm_operations() {
  using wsman::effect;
  operation read{"alarms.list", effect::none, list};
  read.fact = "alarms";
  operation put{"alarms.add", effect::change, add, check};
  operation take{"alarms.remove", effect::change, remove, check};
  put.look_after = take.look_after = "alarms.list";
  return {read, put, take};
}

} // namespace outband::amt
