#include "messages/domain/time.hpp"
#include "tools/amtsim/alarm_state.hpp"
#include "tools/amtsim/classes.hpp"

#include <algorithm>

namespace outband::amtsim {

namespace {

constexpr std::uint32_t invalid_parameter = 36;
constexpr std::uint32_t max_minutes = 60 * 24 * 365;

} // namespace

std::optional<std::int64_t> alarm_state::next() const {
  std::optional<std::int64_t> out;
  for (const auto& a : alarms)
    if (!a.done && (!out || a.at_s < *out))
      out = a.at_s;
  return out;
}

bool alarm_state::ring(std::int64_t now_s) {
  bool rang = false;
  for (auto& a : alarms) {
    if (a.done || a.at_s > now_s)
      continue;
    rang = true;
    const std::int64_t step = std::int64_t{a.every_min} * 60;
    if (step == 0)
      a.done = true;
    else
      a.at_s += ((now_s - a.at_s) / step + 1) * step;
  }
  alarms.erase(std::remove_if(alarms.begin(), alarms.end(),
                              [](const alarm& a) { return a.done && a.delete_when_done; }),
               alarms.end());
  return rang;
}

std::optional<std::uint32_t> parse_interval(std::string_view text) {
  if (text.empty() || text[0] != 'P')
    return std::nullopt;
  std::uint64_t minutes = 0;
  std::uint64_t number = 0;
  bool digits = false;
  bool in_time = false;
  for (const char c : text.substr(1)) {
    if (c >= '0' && c <= '9') {
      number = number * 10 + static_cast<std::uint64_t>(c - '0');
      digits = true;
      if (number > max_minutes)
        return std::nullopt;
      continue;
    }
    if (c == 'T' && !in_time && !digits) {
      in_time = true;
      continue;
    }
    if (!digits)
      return std::nullopt;
    if (c == 'D' && !in_time)
      minutes += number * 24 * 60;
    else if (c == 'H' && in_time)
      minutes += number * 60;
    else if (c == 'M' && in_time)
      minutes += number;
    else if (c != 'S' || !in_time || number != 0) // firmware counts minutes
      return std::nullopt;
    number = 0;
    digits = false;
  }
  if (digits || minutes > max_minutes)
    return std::nullopt;
  return static_cast<std::uint32_t>(minutes);
}

std::string interval_text(std::uint32_t minutes) {
  return "P" + std::to_string(minutes / 1440) + "DT" + std::to_string(minutes / 60 % 24) + "H" +
         std::to_string(minutes % 60) + "M";
}

namespace {

instances clock_service(const device_model&) {
  return {service("AMT_AlarmClockService", "Intel(r) AMT Alarm Clock Service", "ManagedSystem")};
}

instances occurrences(const device_model& d) {
  instances out;
  for (const auto& a : d.alarms->alarms)
    out.push_back({"IPS_AlarmClockOccurrence",
                   {{"DeleteOnCompletion", text(a.delete_when_done)},
                    {"ElementName", a.name},
                    {"InstanceID", a.id},
                    {"Interval", wsman::interval{interval_text(a.every_min)}},
                    {"StartTime", datetime_of(a.at_s)}}});
  return out;
}

refusal remove(const wsman::instance& target, context& c) {
  auto& all = c.device.alarms.change().alarms;
  const auto id = text_of(target, "InstanceID");
  all.erase(std::remove_if(all.begin(), all.end(), [&](const alarm& a) { return a.id == id; }),
            all.end());
  return {};
}

/// Seconds; Go's client may cut the Z off.
std::optional<std::int64_t> moment(std::string_view text) {
  std::string whole(text);
  if (whole.find_last_of("Zz+") == std::string::npos && whole.size() == 19)
    whole += 'Z';
  const auto ms = parse_rfc3339(whole);
  if (!ms)
    return std::nullopt;
  return *ms / 1000;
}

outcome add_alarm(const wsman::node& input, context& c) {
  const auto* asked = input.child("AlarmTemplate");
  if (asked == nullptr)
    return soap_fault::schema_validation_error;
  const auto* start = asked->find({"StartTime", "Datetime"});
  alarm a;
  if (start == nullptr || !take(*asked, "InstanceID", a.id, 256) || a.id.empty() ||
      !take(*asked, "ElementName", a.name, 256) ||
      !take(*asked, "DeleteOnCompletion", a.delete_when_done))
    return soap_fault::schema_validation_error;
  if (const auto* every = asked->find({"Interval", "Interval"})) {
    const auto minutes = parse_interval(every->value());
    if (!minutes)
      return invalid_parameter;
    a.every_min = *minutes;
  }
  const auto at = moment(start->value());
  if (!at || *at <= c.device.clock_s(c.now))
    return invalid_parameter;
  a.at_s = *at;
  const auto& have = c.device.alarms->alarms;
  if (std::any_of(have.begin(), have.end(), [&](const alarm& k) { return k.id == a.id; }))
    return soap_fault::already_exists;
  if (have.size() == max_alarms)
    return soap_fault::quota_limit;
  wsman::endpoint made{wsman::class_uri("IPS_AlarmClockOccurrence"), {{"InstanceID", a.id}}};
  c.device.alarms.change().alarms.push_back(std::move(a));
  return {0, {{"AlarmClock", std::move(made)}}};
}

void save(const device_model& d, kept_texts& to) {
  for (const auto& a : d.alarms->alarms) // the identifier last: it may contain blanks
    to[base64(a.id)] = std::to_string(a.at_s) + " " + std::to_string(a.every_min) +
                       (a.delete_when_done ? " 1 " : " 0 ") + (a.done ? "1 " : "0 ") +
                       base64(a.name);
}

void load(const kept_texts& from, device_model& d) {
  for (const auto& [id, what] : from) {
    std::vector<std::string> words{""};
    for (const char ch : what)
      if (ch == ' ')
        words.emplace_back();
      else
        words.back() += ch;
    if (words.size() != 5 || d.alarms->alarms.size() == max_alarms)
      continue;
    const auto at = wsman::to_number(words[0]);
    const auto every = wsman::to_number(words[1]);
    const auto key = from_base64(id);
    const auto name = from_base64(words[4]);
    if (at && every && key && name)
      d.alarms.change().alarms.push_back(
          {*key, *name, *at, *every, words[2] == "1", words[3] == "1"});
  }
}

} // namespace

class_table alarm_classes() {
  return {{{"AMT_AlarmClockService", clock_service},
           {"IPS_AlarmClockOccurrence", occurrences, nullptr, remove}},
          {{"AMT_AlarmClockService", "AddAlarm", add_alarm}},
          {},
          {{"alarms", save, load}}};
}

} // namespace outband::amtsim
