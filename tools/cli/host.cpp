#include "tools/cli/host.hpp"

#include "messages/domain/text.hpp"

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
  auto word = lower(std::string_view(t).substr(prefix.size()));
  std::replace(word.begin(), word.end(), '_', '-');
  return word == "unspecified" ? std::string(unspecified) : word;
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

std::optional<bool> host::connected() const {
  if (tunnel == "up" || tunnel == "late")
    return true;
  return tunnel == "down" ? std::optional(false) : std::nullopt;
}

result<host> parse_host(const json::value& v) {
  if (!v.members())
    return odd("a host is no object");
  host h;
  h.id = text_of(v, "resourceId");
  auto guid = parse_uuid(text_of(v, "uuid"));
  if (!guid || h.id.empty())
    return odd("a host without resourceId or uuid");
  h.guid = *guid;
  h.name = text_of(v, "name");
  h.hostname = text_of(v, "hostname");
  h.power = enum_word(v, "currentPowerState", "POWER_STATE_", "unknown");
  h.wanted = enum_word(v, "desiredPowerState", "POWER_STATE_", "keep");
  h.policy = enum_word(v, "powerCommandPolicy", "POWER_COMMAND_POLICY_", "");
  h.status = text_of(v, "powerStatus");
  h.indicator = enum_word(v, "powerStatusIndicator", "STATUS_INDICATION_", "unspecified");
  h.amt_version = text_of(v, "amtVersion");
  if (const auto* t = v.find("powerStatusTimestamp")) {
    constexpr std::int64_t year_9999 = 253402300799;
    if (const auto* n = t->integer(); n && *n > 0 && *n < year_9999)
      h.status_since = *n * 1000;
  }
  if (const auto* p = v.find("power")) {
    h.power_since = parse_utc(text_of(*p, "since"));
    h.observed = parse_utc(text_of(*p, "observedAt"));
    if (const auto* l = p->find("lastKnown"); l && l->boolean())
      h.last_known = *l->boolean();
    if (const auto* c = p->find("converged"); c && c->boolean())
      h.converged = *c->boolean();
    if (const auto* d = p->find("difference")) {
      h.difference_code = text_of(*d, "code");
      h.difference = text_of(*d, "reason");
      h.difference_since = parse_utc(text_of(*d, "since"));
    }
  }
  if (const auto* l = v.find("link")) {
    if (auto state = parse_link_state(text_of(*l, "state")))
      h.tunnel = to_string(*state);
    h.tunnel_since = parse_utc(text_of(*l, "since"));
    h.tunnel_why = text_of(*l, "why");
    h.node = text_of(*l, "instance");
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

bool matches(const host& h, const host_filter& f) {
  if (f.connected && h.connected() != f.connected)
    return false;
  const auto wanted = lower(f.text);
  for (const auto& text : {h.id, to_string(h.guid), h.name, h.hostname})
    if (lower(text).find(wanted) != std::string::npos)
      return true;
  return false;
}

std::string candidates(const std::vector<host>& all, const std::string& named) {
  constexpr std::size_t listed = 8;
  std::string out;
  std::size_t n = 0;
  for (const auto& h : all) {
    if (h.name != named && h.hostname != named && h.id != lower(named))
      continue;
    if (++n <= listed)
      out += (out.empty() ? "" : ", ") + to_string(h.guid) + " (" + h.name + ")";
  }
  return n > listed ? out + ", ..." : out;
}

} // namespace outband::cli
