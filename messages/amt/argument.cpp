#include "messages/amt/argument.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace outband::amt {

namespace {

constexpr std::size_t max_url = 2083; // validator.js

bool digit(char c) {
  return c >= '0' && c <= '9';
}
bool letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool all(std::string_view s, bool (*kind)(char)) {
  return !s.empty() && std::all_of(s.begin(), s.end(), kind);
}

std::optional<std::uint32_t> small_number(std::string_view s) {
  std::uint32_t out = 0;
  if (s.size() > 5 || !all(s, digit))
    return std::nullopt;
  std::from_chars(s.data(), s.data() + s.size(), out);
  return out;
}

std::vector<std::string_view> labels_of(std::string_view host) {
  std::vector<std::string_view> out;
  while (true) {
    const auto dot = host.find('.');
    out.push_back(host.substr(0, dot));
    if (dot == std::string_view::npos)
      return out;
    host.remove_prefix(dot + 1);
  }
}

bool is_address(const std::vector<std::string_view>& labels) {
  return labels.size() == 4 && std::all_of(labels.begin(), labels.end(), [](auto l) {
           const auto n = small_number(l);
           return n && *n <= 255 && (l.size() == 1 || l.front() != '0');
         });
}

/// With a top-level domain of letters, or an IPv4 address.
bool is_host(std::string_view host) {
  const auto labels = labels_of(host);
  if (is_address(labels))
    return true;
  if (labels.size() < 2 || labels.back().size() < 2 || !all(labels.back(), letter))
    return false;
  return std::all_of(labels.begin(), labels.end(), [](auto l) {
    return l.size() <= 63 && all(l, [](char c) { return digit(c) || letter(c) || c == '-'; }) &&
           l.front() != '-' && l.back() != '-';
  });
}

/// "[2001:db8::1]": the address itself is the resolver's affair.
bool is_bracketed(std::string_view host) {
  return host.size() > 4 && host.size() <= 47 && host.front() == '[' && host.back() == ']' &&
         std::all_of(host.begin() + 1, host.end() - 1, [](char c) {
           return digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == ':' ||
                  c == '.';
         });
}

} // namespace

std::optional<bool> as_boolean(const json::value& v) {
  if (const auto* b = v.boolean())
    return *b;
  if (const auto* n = v.integer(); n != nullptr && (*n == 0 || *n == 1))
    return *n == 1;
  if (const auto* s = v.text()) {
    if (*s == "true" || *s == "1")
      return true;
    if (*s == "false" || *s == "0")
      return false;
  }
  return std::nullopt;
}

std::optional<std::int64_t> as_integer(const json::value& v) {
  constexpr std::int64_t limit = 999'999'999'999'999;
  if (const auto* n = v.integer())
    return *n >= -limit && *n <= limit ? std::optional(*n) : std::nullopt;
  const auto* s = v.text();
  if (s == nullptr || s->empty() || s->size() > 15)
    return std::nullopt;
  std::int64_t n = 0;
  const auto* end = s->data() + s->size();
  const auto [at, error] = std::from_chars(s->data(), end, n);
  if (error != std::errc{} || at != end)
    return std::nullopt;
  return n;
}

bool is_numeric(const json::value& v) {
  if (v.integer() != nullptr || v.real() != nullptr)
    return true;
  const auto* s = v.text();
  if (s == nullptr)
    return false;
  std::string_view rest = *s;
  if (!rest.empty() && (rest.front() == '+' || rest.front() == '-'))
    rest.remove_prefix(1);
  const auto dot = rest.find('.');
  if (dot == std::string_view::npos)
    return all(rest, digit);
  const auto whole = rest.substr(0, dot);
  return (whole.empty() || all(whole, digit)) && all(rest.substr(dot + 1), digit);
}

bool is_url(std::string_view text) {
  if (text.empty() || text.size() > max_url || text.substr(0, 7) == "mailto:")
    return false;
  for (const char c : text)
    if (static_cast<unsigned char>(c) <= 0x20 || c == '<' || c == '>' || c == 0x7F)
      return false;
  if (const auto scheme = text.find("://"); scheme != std::string_view::npos) {
    const auto name = text.substr(0, scheme);
    if (name != "http" && name != "https" && name != "ftp")
      return false;
    text.remove_prefix(scheme + 3);
  }
  auto authority = text.substr(0, text.find_first_of("/?#"));
  if (const auto at = authority.rfind('@'); at != std::string_view::npos)
    authority.remove_prefix(at + 1);
  auto host = authority;
  const auto bracket = authority.rfind(']');
  const auto colon = authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
  if (colon != std::string_view::npos) {
    const auto port = small_number(authority.substr(colon + 1));
    if (!port || *port == 0 || *port > 65535)
      return false;
    host = authority.substr(0, colon);
  }
  return is_host(host) || is_bracketed(host);
}

const json::value* at_path(const json::value& argument, std::string_view path) {
  const auto* v = &argument;
  while (v != nullptr && !path.empty()) {
    const auto dot = path.find('.');
    v = v->find(path.substr(0, dot));
    path = dot == std::string_view::npos ? std::string_view{} : path.substr(dot + 1);
  }
  return v;
}

std::string text_at(const json::value& argument, std::string_view path) {
  const auto* v = at_path(argument, path);
  return v != nullptr && v->text() != nullptr ? *v->text() : std::string{};
}

std::optional<bool> boolean_at(const json::value& argument, std::string_view path) {
  const auto* v = at_path(argument, path);
  return v != nullptr ? as_boolean(*v) : std::nullopt;
}

std::optional<std::int64_t> integer_at(const json::value& argument, std::string_view path) {
  const auto* v = at_path(argument, path);
  return v != nullptr ? as_integer(*v) : std::nullopt;
}

void argument_reader::wrong(std::string_view path, std::string why, bool shown) {
  const auto* v = at_path(argument_, path);
  errors_.push_back({v != nullptr && shown ? std::optional(*v) : std::nullopt, std::string(path),
                     "body", std::move(why)});
}

void argument_reader::boolean(std::string_view path, must m) {
  const auto* v = at_path(argument_, path);
  if (v == nullptr ? m == must::be_there : !as_boolean(*v))
    wrong(path, "must be true or false");
}

void argument_reader::text(std::string_view path, std::size_t max, bool shown) {
  const auto* v = at_path(argument_, path);
  if (v == nullptr)
    return;
  const auto* s = v->text();
  if (s == nullptr || s->size() > max || std::any_of(s->begin(), s->end(), [](char c) {
        return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
      }))
    wrong(path,
          "must be a string of at most " + std::to_string(max) +
              " octets without control characters",
          shown);
}

void argument_reader::number_of(std::string_view path, const std::vector<std::int64_t>& known) {
  const auto* v = at_path(argument_, path);
  const auto n = v != nullptr ? as_integer(*v) : std::nullopt;
  if (!n || std::find(known.begin(), known.end(), *n) == known.end()) {
    std::string why = "must be one of";
    for (const auto k : known)
      why += (k == known.front() ? " " : ", ") + std::to_string(k);
    wrong(path, std::move(why));
  }
  if (v == nullptr || !is_numeric(*v))
    wrong(path, "must be a number");
}

} // namespace outband::amt
