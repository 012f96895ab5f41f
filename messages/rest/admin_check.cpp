#include "messages/rest/admin_check.hpp"

#include "messages/domain/text.hpp"

#include <algorithm>
#include <charconv>

namespace outband::rest {

namespace {

bool digit(char c) {
  return c >= '0' && c <= '9';
}
bool small(char c) {
  return c >= 'a' && c <= 'z';
}
bool capital(char c) {
  return c >= 'A' && c <= 'Z';
}
bool letter(char c) {
  return small(c) || capital(c);
}
bool printable(std::string_view s) {
  return std::all_of(s.begin(), s.end(),
                     [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7F; });
}

std::vector<std::string_view> labels_of(std::string_view s) {
  std::vector<std::string_view> out;
  while (true) {
    const auto dot = s.find('.');
    out.push_back(s.substr(0, dot));
    if (dot == std::string_view::npos)
      return out;
    s.remove_prefix(dot + 1);
  }
}

template <class F> bool all(std::string_view s, F f) {
  return !s.empty() && std::all_of(s.begin(), s.end(), f);
}
bool hyphenated(std::string_view label) {
  return !label.empty() && label.size() <= 63 && label.front() != '-' && label.back() != '-';
}

} // namespace

const json::value* admin_check::get(std::string_view name) const {
  const auto* v = body_.find(name);
  return v && !v->is_null() ? v : nullptr;
}
const std::string* admin_check::text(std::string_view name) const {
  const auto* v = get(name);
  return v ? v->text() : nullptr;
}
std::optional<std::int64_t> admin_check::integer(std::string_view name) const {
  const auto* v = get(name);
  return v && v->integer() ? std::optional(*v->integer()) : std::nullopt;
}
std::optional<bool> admin_check::flag(std::string_view name) const {
  const auto* v = get(name);
  return v && v->boolean() ? std::optional(*v->boolean()) : std::nullopt;
}
bool admin_check::empty(std::string_view name) const {
  const auto* v = get(name);
  return !v || (v->text() && v->text()->empty());
}

void admin_check::wrong(std::string_view name, std::string msg, bool secret) {
  const auto* v = body_.find(name);
  // What is too long to be shown helps nobody either.
  const bool show = v && !secret && (!v->text() || v->text()->size() <= 1024);
  auto why = msg;
  errors_.push_back({show ? std::optional(*v) : std::nullopt, std::string(name), "body",
                     std::move(why), std::move(msg)});
}

void admin_check::optional_text(std::string_view name, std::size_t limit, bool secret) {
  if (!get(name))
    return;
  const auto* s = text(name);
  need(s && s->size() <= limit && printable(*s), name,
       "must be a string of at most " + std::to_string(limit) +
           " octets without control characters",
       secret);
}

void admin_check::optional_flag(std::string_view name, std::string msg) {
  if (get(name))
    need(flag(name).has_value(), name, std::move(msg));
}

bool name_like(std::string_view s, std::string_view more) {
  return s.size() <= 256 && all(s, [&](char c) {
           return letter(c) || digit(c) || more.find(c) != std::string_view::npos;
         });
}

bool profile_name_like(std::string_view s) {
  // [a-zA-Z0-9$@$!%*#?&-_~^], where &-_ is a range: 26 to 5F.
  return s.size() <= 256 && all(s, [](char c) {
           return small(c) || (c >= '&' && c <= '_') || c == '!' || c == '#' || c == '$' ||
                  c == '%' || c == '~';
         });
}

bool amt_password_like(std::string_view s) {
  auto has = [&](auto f) {
    return std::any_of(s.begin(), s.end(), f);
  };
  return s.size() >= 8 && s.size() <= 32 && profile_name_like(s) && has(digit) && has(small) &&
         has(capital) &&
         has([](char c) { return std::string_view("!@#$%^&*").find(c) != std::string_view::npos; });
}

bool ipv4_like(std::string_view s) {
  const auto parts = labels_of(s);
  return parts.size() == 4 && std::all_of(parts.begin(), parts.end(), [](std::string_view p) {
           int n = 0;
           return all(p, digit) && p.size() <= 3 &&
                  std::from_chars(p.data(), p.data() + p.size(), n).ec == std::errc() && n <= 255;
         });
}

bool ipv6_like(std::string_view s) {
  // Groups of 1 to 4 digits, "::" once for one group or more, perhaps an IPv4 address at the end.
  if (s.size() > 45)
    return false;
  const auto gap = s.find("::");
  if (gap != std::string_view::npos && s.find("::", gap + 1) != std::string_view::npos)
    return false;
  auto groups = [](std::string_view part, bool last) -> int {
    int n = 0;
    while (!part.empty()) {
      const auto colon = part.find(':');
      const auto group = part.substr(0, colon);
      const bool ends = colon == std::string_view::npos;
      if (ends && last && ipv4_like(group))
        return n + 2;
      if (group.size() > 4 || !all(group, [](char c) { return hex_digit(c) >= 0; }))
        return -1;
      ++n;
      if (ends)
        return n;
      part.remove_prefix(colon + 1);
      if (part.empty())
        return -1; // ends with a single colon
    }
    return n;
  };
  if (gap == std::string_view::npos)
    return groups(s, true) == 8;
  const int front = groups(s.substr(0, gap), false), back = groups(s.substr(gap + 2), true);
  return front >= 0 && back >= 0 && front + back <= 7;
}

bool server_name_like(std::string_view s) {
  const auto labels = labels_of(s);
  return s.size() <= 254 && labels.size() >= 2 && labels.back().size() <= 63 &&
         labels.back().size() >= 2 && all(labels.back(), small) &&
         std::all_of(labels.begin(), labels.end() - 1, [](std::string_view l) {
           const auto doubled = l.find("--");
           return hyphenated(l) &&
                  all(l, [](char c) { return small(c) || digit(c) || c == '-'; }) &&
                  (doubled == std::string_view::npos || l.substr(0, 4) == "xn--");
         });
}

bool proxy_name_like(std::string_view s) {
  const auto labels = labels_of(s);
  if (s.size() > 254 || labels.size() < 2)
    return false;
  auto loose = [](char c) {
    return letter(c) || digit(c) || c == '-' || c == '_';
  };
  const auto& top = labels.back();
  const auto& host = labels[labels.size() - 2];
  return std::all_of(labels.begin(), labels.end(),
                     [&](std::string_view l) { return all(l, loose); }) &&
         top.size() >= 2 && top.size() <= 11 && all(top, letter) && host.size() >= 2 &&
         (letter(host.front()) || digit(host.front()));
}

bool network_name_like(std::string_view s) {
  const auto labels = labels_of(s);
  return labels.size() >= 2 && labels.back().size() >= 2 && all(labels.back(), letter) &&
         std::all_of(labels.begin(), labels.end(), [](std::string_view l) {
           return hyphenated(l) && all(l, [](char c) { return letter(c) || digit(c) || c == '-'; });
         });
}

std::uint64_t version_of(std::string_view text) {
  if (text.substr(0, 2) == "W/")
    text.remove_prefix(2);
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"')
    text = text.substr(1, text.size() - 2);
  std::uint64_t n = 0;
  const auto end = text.data() + text.size();
  const auto r = std::from_chars(text.data(), end, n);
  return r.ec == std::errc() && r.ptr == end && n <= INT64_MAX ? n : 0;
}

std::uint64_t version_of(const json::value* v) {
  if (!v)
    return 0;
  if (v->integer())
    return *v->integer() > 0 ? static_cast<std::uint64_t>(*v->integer()) : 0;
  return v->text() ? version_of(std::string_view(*v->text())) : 0;
}

} // namespace outband::rest
