#include "messages/rest/connection_body.hpp"

#include <algorithm>

namespace outband::rest {

namespace {

constexpr std::string_view pin_prefix = "sha256:", first_use = "first-use";

bool digit(char c) {
  return c >= '0' && c <= '9';
}

bool hex(char c) {
  return digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/// "10.0.0.5": four numbers of at most 255, no leading zeros that somebody might read as octal.
bool numeric_v4(std::string_view s) {
  int parts = 0;
  while (true) {
    const auto dot = s.find('.');
    const auto part = s.substr(0, dot);
    if (part.empty() || part.size() > 3 || !std::all_of(part.begin(), part.end(), digit) ||
        (part.size() > 1 && part[0] == '0') || std::stoi(std::string(part)) > 255)
      return false;
    ++parts;
    if (dot == std::string_view::npos)
      return parts == 4;
    s.remove_prefix(dot + 1);
  }
}

/// Only its alphabet; the resolver knows the grammar.
bool numeric_v6(std::string_view s) {
  return s.size() >= 2 && s.size() <= 45 && std::count(s.begin(), s.end(), ':') >= 2 &&
         std::all_of(s.begin(), s.end(), [](char c) { return hex(c) || c == ':' || c == '.'; });
}

bool label(std::string_view s) {
  return !s.empty() && s.size() <= 63 && s.front() != '-' && s.back() != '-' &&
         std::all_of(s.begin(), s.end(), [](char c) {
           return digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
                  c == '_';
         });
}

bool host_name(std::string_view s) {
  if (!s.empty() && s.back() == '.')
    s.remove_suffix(1);
  if (s.empty() || s.size() > 253)
    return false;
  std::string_view last;
  while (true) {
    const auto dot = s.find('.');
    last = s.substr(0, dot);
    if (!label(last))
      return false;
    if (dot == std::string_view::npos)
      break;
    s.remove_prefix(dot + 1);
  }
  // A last label of digits alone, or 0x.., is an address to some resolvers: "10.1", "0x7f000001".
  return !std::all_of(last.begin(), last.end(), digit) &&
         !(last.size() > 1 && last[0] == '0' && (last[1] == 'x' || last[1] == 'X'));
}

class reader {
public:
  reader(const json::value& v, const std::string& path, std::vector<field_error>& errors)
      : v_(v), path_(path), errors_(errors) {}

  std::optional<direct_connection> read() {
    if (v_.is_null())
      return {};
    if (!v_.members())
      return wrong("", "must be an object or null");
    const auto* kind = v_.find("kind");
    const auto* name = kind ? kind->text() : nullptr;
    if (!name || (*name != "direct" && *name != "cira"))
      return wrong("kind", "must be \"direct\" or \"cira\"");
    if (*name == "cira")
      return {};
    direct_connection c;
    const auto* host = v_.find("host");
    if (!host || !host->text() || !valid_host(*host->text()))
      wrong("host", "must be a host name or a numeric address, without port or brackets");
    else
      c.host = *host->text();
    c.tls = flag("tls", true);
    c.legacy_tls = flag("legacyTls", false);
    c.port = port(c.tls);
    pins(c);
    if (!c.tls && c.legacy_tls)
      wrong("legacyTls", "needs tls");
    return c;
  }

private:
  std::nullopt_t wrong(const std::string& name, std::string why) {
    const auto* v = name.empty() ? &v_ : v_.find(name);
    errors_.push_back({v ? std::optional(*v) : std::nullopt,
                       name.empty() ? path_ : path_ + "." + name, "body", std::move(why)});
    return std::nullopt;
  }
  bool flag(const char* name, bool otherwise) {
    const auto* v = v_.find(name);
    if (!v || v->is_null())
      return otherwise;
    if (!v->boolean()) {
      wrong(name, "must be a boolean");
      return otherwise;
    }
    return *v->boolean();
  }
  std::uint16_t port(bool tls) {
    const std::uint16_t usual = tls ? 16993 : 16992;
    const auto* v = v_.find("port");
    if (!v || v->is_null())
      return usual;
    const auto* n = v->integer();
    if (!n || *n < 1 || *n > 65533) { // redirection is two above it
      wrong("port", "must be a whole number from 1 to 65533");
      return usual;
    }
    return static_cast<std::uint16_t>(*n);
  }
  void pins(direct_connection& c) {
    const auto* v = v_.find("pin");
    const bool given = v && !v->is_null();
    if (!c.tls) {
      if (given)
        wrong("pin", "needs tls: without it there is no certificate");
      return;
    }
    if (given && v->text() && *v->text() == first_use)
      return;
    if (given && v->text())
      return one(*v->text(), c);
    if (!given || !v->items() || v->items()->empty() ||
        v->items()->size() > direct_connection::max_pins) {
      wrong("pin", "must be \"sha256:\" and 64 hexadecimal digits, an array of one to four of "
                   "these, or \"first-use\"");
      return;
    }
    for (const auto& item : *v->items()) {
      if (!item.text()) {
        wrong("pin", "an item is not a string");
        return;
      }
      one(*item.text(), c);
    }
  }
  /// With or without colons between the octets, as openssl prints it.
  void one(const std::string& text, direct_connection& c) {
    std::string digits;
    if (text.compare(0, pin_prefix.size(), pin_prefix) == 0)
      for (const char ch : std::string_view(text).substr(pin_prefix.size()))
        if (ch != ':')
          digits += static_cast<char>(ch >= 'A' && ch <= 'F' ? ch - 'A' + 'a' : ch);
    if (digits.size() != 64 || !std::all_of(digits.begin(), digits.end(), hex))
      wrong("pin", "must be \"sha256:\" and 64 hexadecimal digits, or \"first-use\"");
    else if (std::find(c.pins.begin(), c.pins.end(), digits) == c.pins.end())
      c.pins.push_back(std::move(digits));
  }

  const json::value& v_;
  const std::string& path_;
  std::vector<field_error>& errors_;
};

} // namespace

bool valid_host(std::string_view host) {
  return numeric_v4(host) || numeric_v6(host) || host_name(host);
}

std::optional<direct_connection> parse_connection(const json::value& given, const std::string& path,
                                                  std::vector<field_error>& errors) {
  return reader(given, path, errors).read();
}

json::value connection_json(const std::optional<direct_connection>& how) {
  if (!how)
    return json::object{{"kind", "cira"}};
  json::object o{{"kind", "direct"},
                 {"host", how->host},
                 {"port", static_cast<std::int64_t>(how->port)},
                 {"tls", how->tls}};
  if (how->legacy_tls)
    o.push_back({"legacyTls", true});
  if (how->tls) {
    json::array pins;
    for (const auto& p : how->pins)
      pins.push_back(std::string(pin_prefix) + p);
    o.push_back({"pin", pins.empty()       ? json::value(std::string(first_use))
                        : pins.size() == 1 ? pins.front()
                                           : json::value(std::move(pins))});
  }
  return o;
}

} // namespace outband::rest
