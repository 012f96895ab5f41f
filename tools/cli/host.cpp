#include "tools/cli/host.hpp"

#include "messages/rest/target.hpp"
#include "tools/cli/outcome.hpp"

#include <algorithm>
#include <ctime>

namespace outband::cli {

namespace {

failure odd(const char* what) {
  return fail(problem::device_protocol, what, "https.answer");
}

std::string text_of(const json::value& v, std::string_view name) {
  const auto* m = v.find(name);
  const auto* t = m ? m->text() : nullptr;
  return t ? *t : std::string();
}

/// "POWER_STATE_ON" with prefix "POWER_STATE_": "on".
std::string enum_word(const json::value& v, std::string_view name, std::string_view prefix,
                      std::string_view unspecified) {
  auto t = text_of(v, name);
  if (t.rfind(prefix, 0) != 0)
    return std::string(unspecified);
  auto word = rest::lower(std::string_view(t).substr(prefix.size()));
  std::replace(word.begin(), word.end(), '_', '-');
  return word == "unspecified" ? std::string(unspecified) : word;
}

std::optional<device_id> guid_of(const json::value& v, std::string_view name) {
  return parse_uuid(text_of(v, name));
}

} // namespace

time_ms parse_utc(std::string_view text) {
  // 2026-11-21T09:45:02[.digits]Z
  constexpr std::string_view shape = "dddd-dd-ddTdd:dd:dd";
  if (text.size() < shape.size() + 1 || text.back() != 'Z')
    return 0;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const bool digit = text[i] >= '0' && text[i] <= '9';
    if (shape[i] == 'd' ? !digit : text[i] != shape[i])
      return 0;
  }
  auto number = [&](std::size_t at, std::size_t n) {
    int out = 0;
    for (auto c : text.substr(at, n))
      out = out * 10 + (c - '0');
    return out;
  };
  std::tm tm{};
  tm.tm_year = number(0, 4) - 1900;
  tm.tm_mon = number(5, 2) - 1;
  tm.tm_mday = number(8, 2);
  tm.tm_hour = number(11, 2);
  tm.tm_min = number(14, 2);
  tm.tm_sec = number(17, 2);
  auto fraction = text.substr(shape.size(), text.size() - shape.size() - 1);
  time_ms ms = 0;
  if (!fraction.empty()) {
    if (fraction.front() != '.' || fraction.size() < 2 || fraction.size() > 10 ||
        fraction.find_first_not_of("0123456789", 1) != std::string_view::npos)
      return 0;
    for (std::size_t i = 1; i <= 3; ++i)
      ms = ms * 10 + (i < fraction.size() ? fraction[i] - '0' : 0);
  }
  return static_cast<time_ms>(timegm(&tm)) * 1000 + ms;
}

result<host> parse_host(const json::value& v) {
  if (!v.members())
    return odd("a host is no object");
  host h;
  h.id = text_of(v, "resourceId");
  auto guid = guid_of(v, "uuid");
  if (!guid || h.id.empty())
    return odd("a host without resourceId or uuid");
  h.guid = *guid;
  h.name = text_of(v, "name");
  h.power = enum_word(v, "currentPowerState", "POWER_STATE_", "unknown");
  h.wanted = enum_word(v, "desiredPowerState", "POWER_STATE_", "keep");
  h.policy = enum_word(v, "powerCommandPolicy", "POWER_COMMAND_POLICY_", "");
  h.status = text_of(v, "powerStatus");
  h.indicator = enum_word(v, "powerStatusIndicator", "STATUS_INDICATION_", "unspecified");
  if (const auto* t = v.find("powerStatusTimestamp")) {
    constexpr std::int64_t year_9999 = 253402300799;
    if (const auto* n = t->integer(); n && *n > 0 && *n < year_9999)
      h.since = *n * 1000;
  }
  return h;
}

result<host_page> parse_host_page(const json::value& v) {
  const auto* list = v.find("hosts");
  if (!list || !list->items())
    return odd("the list of hosts has no member 'hosts'");
  host_page out;
  for (const auto& item : *list->items()) {
    auto one = parse_host(item);
    if (!one)
      return one.error();
    out.rows.push_back(std::move(*one));
  }
  const auto* next = v.find("hasNext");
  out.more = next && next->boolean() && *next->boolean();
  return out;
}

result<device> parse_device(const json::value& v) {
  auto guid = guid_of(v, "guid");
  if (!guid)
    return odd("a device without a guid");
  device d;
  d.guid = *guid;
  if (const auto* c = v.find("connectionStatus"); c && c->boolean())
    d.connected = *c->boolean();
  d.node = text_of(v, "mpsInstance");
  if (const auto* tags = v.find("tags"); tags && tags->items())
    for (const auto& t : *tags->items())
      if (t.text())
        d.tags.push_back(*t.text());
  d.last_connected = parse_utc(text_of(v, "lastConnected"));
  d.last_disconnected = parse_utc(text_of(v, "lastDisconnected"));
  return d;
}

result<std::vector<device>> parse_devices(const json::value& v) {
  const auto* list = v.find("data");
  if (!list || !list->items())
    return odd("the list of devices has no member 'data'");
  std::vector<device> out;
  for (const auto& item : *list->items()) {
    auto one = parse_device(item);
    if (!one)
      return one.error();
    out.push_back(std::move(*one));
  }
  return out;
}

void add_devices(std::vector<host>& to, const std::vector<device>& from) {
  std::vector<const device*> sorted;
  for (const auto& d : from)
    sorted.push_back(&d);
  std::sort(sorted.begin(), sorted.end(), [](auto* a, auto* b) { return a->guid < b->guid; });
  for (auto& h : to) {
    auto at = std::lower_bound(sorted.begin(), sorted.end(), h.guid,
                               [](auto* d, const device_id& g) { return d->guid < g; });
    if (at == sorted.end() || (*at)->guid != h.guid)
      continue;
    const auto& d = **at;
    h.connected = d.connected;
    h.node = d.node;
    h.tags = d.tags;
    h.last_connected = d.last_connected;
    h.last_disconnected = d.last_disconnected;
  }
}

bool matches(const host& h, const host_filter& f) {
  if (f.connected && h.connected != f.connected)
    return false;
  if (f.text.empty())
    return true;
  const auto wanted = rest::lower(f.text);
  auto holds = [&](const std::string& text) {
    return rest::lower(text).find(wanted) != std::string::npos;
  };
  return holds(h.id) || holds(to_string(h.guid)) || holds(h.name) ||
         std::any_of(h.tags.begin(), h.tags.end(), holds);
}

result<host> by_name(const std::vector<host>& all, const std::string& name) {
  std::vector<const host*> found;
  for (const auto& h : all)
    if (h.name == name)
      found.push_back(&h);
  if (found.size() == 1)
    return *found.front();
  if (found.empty())
    return fail(problem::not_found, "There is no host named '" + name + "'.");
  constexpr std::size_t listed = 8;
  std::string which;
  for (std::size_t i = 0; i < std::min(found.size(), listed); ++i)
    which += (i ? ", " : "") + found[i]->id;
  if (found.size() > listed)
    which += ", ...";
  return fail(problem::malformed,
              std::to_string(found.size()) + " hosts are named '" + name + "': " + which +
                  ". Name one of them by its id or GUID.",
              usage_field);
}

} // namespace outband::cli
