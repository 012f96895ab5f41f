#include "messages/amt/alarms.hpp"

#include "messages/amt/status.hpp"
#include "messages/domain/time.hpp"

#include <charconv>

namespace outband::amt {

namespace {

constexpr std::string_view occurrence = "IPS_AlarmClockOccurrence";
constexpr std::size_t max_alarms = 100;
constexpr std::uint32_t max_limit_reached = 23;

result<alarm> read_alarm(const wsman::node& from) {
  alarm out;
  auto id = wsman::text_in(from, "InstanceID");
  if (!id)
    return id.error();
  auto name = wsman::text_in(from, "ElementName");
  if (!name)
    return name.error();
  auto once = wsman::bool_or(from, "DeleteOnCompletion", false);
  if (!once)
    return once.error();
  out.instance_id = std::move(*id);
  out.element_name = std::move(*name);
  out.delete_on_completion = *once;
  // Both are wrapped: StartTime/Datetime, Interval/Interval.
  const auto inner = [&](std::string_view property, std::string_view wrapped) {
    const auto* outer = from.child(property);
    return outer == nullptr ? std::string_view{} : outer->child_text(wrapped);
  };
  const auto start = inner("StartTime", "Datetime");
  const auto interval = inner("Interval", "Interval");
  if (start.size() > 64 || interval.size() > 64)
    return fail(problem::device_protocol, "a time of an alarm is longer than 64 octets");
  out.start = start;
  out.interval = interval;
  if (!interval.empty()) {
    const auto minutes = minutes_of(interval);
    if (!minutes)
      return fail(problem::device_protocol,
                  "IPS_AlarmClockOccurrence.Interval is '" + out.interval + "', no duration");
    out.interval_minutes = *minutes;
  }
  return out;
}

/// `<s:NAME xmlns:s="...IPS_AlarmClockOccurrence">content</s:NAME>`
std::string element(const std::string& name, const std::string& content) {
  return "<s:" + name + " xmlns:s=\"" + wsman::class_uri(occurrence) + "\">" + content +
         "</s:" + name + ">";
}

/// `<p:NAME xmlns:p="...common">text</p:NAME>`; the prefix p is another one outside, as in MPS.
std::string wrapped(const std::string& name, const std::string& text) {
  return "<p:" + name + " xmlns:p=\"" + std::string(wsman::ns::common) + "\">" + text +
         "</p:" + name + ">";
}

std::string template_of(const new_alarm& what) {
  auto start = to_rfc3339(what.start);
  start = start.substr(0, start.find('.')) + "Z"; // firmware takes no fraction
  return "<h:AlarmTemplate>" + element("InstanceID", wsman::escaped(what.instance_id)) +
         element("ElementName", wsman::escaped(what.element_name)) +
         element("StartTime", wrapped("Datetime", start)) +
         element("Interval", wrapped("Interval", duration_of(what.interval_minutes))) +
         element("DeleteOnCompletion", what.delete_on_completion ? "true" : "false") +
         "</h:AlarmTemplate>";
}

failure full() {
  return fail(problem::malformed, "Alarm add request quota exceeded: the machine holds as many "
                                  "alarms as it can; remove one first");
}

/// Takes "12D" off the front if it ends in `unit`; true if there was none, too.
bool take(std::string_view& rest, char unit, std::int64_t weight, std::int64_t& total) {
  std::int64_t n = 0;
  const auto [at, error] = std::from_chars(rest.data(), rest.data() + rest.size(), n);
  const auto used = static_cast<std::size_t>(at - rest.data());
  if (error == std::errc::result_out_of_range)
    return false;
  if (error != std::errc{} || used == rest.size() || rest[used] != unit)
    return true;
  if (n < 0 || (weight > 0 && n > max_interval_minutes))
    return false;
  total += n * weight;
  rest.remove_prefix(used + 1);
  return true;
}

} // namespace

std::optional<std::int64_t> minutes_of(std::string_view duration) {
  if (duration.size() < 2 || duration.front() != 'P')
    return std::nullopt;
  duration.remove_prefix(1);
  std::int64_t total = 0;
  if (!take(duration, 'D', 24 * 60, total))
    return std::nullopt;
  if (!duration.empty()) {
    if (duration.front() != 'T')
      return std::nullopt;
    duration.remove_prefix(1);
    if (!take(duration, 'H', 60, total) || !take(duration, 'M', 1, total))
      return std::nullopt;
    // What is left may be seconds, with a fraction.
    if (!duration.empty() && (duration.back() != 'S' || duration.size() < 2 ||
                              duration.find_first_not_of("0123456789.") != duration.size() - 1))
      return std::nullopt;
  }
  if (total > max_interval_minutes)
    return std::nullopt;
  return total;
}

std::string duration_of(std::int64_t minutes) {
  return "P" + std::to_string(minutes / 1440) + "DT" + std::to_string(minutes / 60 % 24) + "H" +
         std::to_string(minutes % 60) + "M";
}

result<std::vector<alarm>> list_alarms(wsman::talk& t) {
  auto items = t.list(occurrence);
  if (!items)
    return items.error();
  std::vector<alarm> out;
  for (const auto* i : wsman::instances(**items, occurrence)) {
    if (out.size() == max_alarms)
      return fail(problem::device_protocol, "the firmware lists more than 100 alarms");
    auto read = read_alarm(*i);
    if (!read)
      return read.error();
    out.push_back(std::move(*read));
  }
  return out;
}

status add_alarm(wsman::talk& t, const new_alarm& what) {
  auto told = t.invoke("AMT_AlarmClockService", "AddAlarm", template_of(what));
  if (!told && t.refused_with("QuotaLimit"))
    return full();
  if (!told && told.error().what == problem::device_refused)
    return fail(problem::malformed, "Alarm add request invalid parameters: " + told.error().detail);
  if (!told)
    return told.error();
  if (told->value == max_limit_reached)
    return full();
  if (told->value != 0)
    return fail(problem::malformed, "Alarm add request invalid parameters: " +
                                        status_failure("AddAlarm", told->value).detail);
  return success();
}

status remove_alarm(wsman::talk& t, const std::string& instance_id) {
  auto told = t.remove(occurrence, wsman::named("InstanceID", instance_id));
  if (!told && (t.is_absent() || t.refused_with("InvalidSelectors")))
    return fail(problem::not_found, "Alarm instance not found", "Name");
  return told;
}

} // namespace outband::amt
