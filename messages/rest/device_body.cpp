#include "messages/rest/device_body.hpp"

#include "messages/rest/connection_body.hpp"
#include "messages/rest/target.hpp"

#include <algorithm>
#include <set>

namespace outband::rest {

namespace {

bool printable(std::string_view s) {
  return std::all_of(s.begin(), s.end(),
                     [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7F; });
}

/// Labels of letters, digits and '-', a trailing dot allowed, no top-level domain required; empty
/// is allowed.
bool domain_name(std::string_view s) {
  if (s.empty())
    return true;
  if (s.back() == '.')
    s.remove_suffix(1);
  while (true) {
    auto dot = s.find('.');
    auto label = s.substr(0, dot);
    if (label.empty() || label.size() > 63 || label.front() == '-' || label.back() == '-' ||
        !std::all_of(label.begin(), label.end(), [](char c) {
          return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                 c == '-' || c == '_';
        }))
      return false;
    if (dot == std::string_view::npos)
      return true;
    s.remove_prefix(dot + 1);
  }
}

/// Reads one object; every mistake goes to `errors`.
class reader {
public:
  reader(const json::value& body, std::string prefix, std::vector<field_error>& errors)
      : body_(body), prefix_(std::move(prefix)), errors_(errors) {}

  device_body read() {
    device_body d;
    const auto* guid = body_.find("guid");
    auto id = guid && guid->text() ? parse_uuid(*guid->text()) : std::nullopt;
    if (!id || id->is_nil())
      wrong("guid", "must be 8-4-4-4-12 hexadecimal digits and not all zero");
    else
      d.guid = *id;
    text("tenantId", 36, d.tenant_id);
    text("hostname", 255, d.hostname);
    text_or_null("friendlyName", 255, d.friendly_name);
    text_or_null("dnsSuffix", 255, d.dns_suffix);
    if (d.dns_suffix && *d.dns_suffix && !domain_name(**d.dns_suffix))
      wrong("dnsSuffix", "must be a domain name", true, "dnsSuffix must be a valid DNS suffix");
    tags(d);
    text("mpsusername", 64, d.mps_username);
    text("amtusername", 64, d.amt_username);
    secret("mpspassword", 128, d.mps_password);
    secret("amtpassword", 128, d.amt_password);
    console_account(d);
    info(d);
    if (const auto* v = body_.find("connection"))
      d.connection = parse_connection(*v, prefix_ + "connection", errors_);
    // Ours to say, but MPS's clients send back what they got: only the type must be right.
    flag("connectionStatus");
    std::optional<std::string> unused;
    for (auto name :
         {"mpsInstance", "lastConnected", "lastSeen", "lastDisconnected", "connect", "disconnect"})
      text(name, 255, unused);
    return d;
  }

private:
  void wrong(const std::string& name, std::string why, bool show = true, std::string msg = {}) {
    const auto* v = body_.find(name);
    errors_.push_back({v && show ? std::optional(*v) : std::nullopt, prefix_ + name, "body",
                       std::move(why), std::move(msg)});
  }

  /// Absent and null are the same; nullptr then, and after a mistake.
  const std::string* string_of(const char* name, std::size_t limit, bool show = true) {
    const auto* v = body_.find(name);
    if (!v || v->is_null())
      return nullptr;
    if (!v->text() || v->text()->size() > limit || !printable(*v->text())) {
      wrong(name,
            "must be a string of at most " + std::to_string(limit) +
                " octets without control characters",
            show, v->text() && v->text()->size() > limit ? too_long(name) : std::string());
      return nullptr;
    }
    return v->text();
  }

  /// The web UI shows these.
  static std::string too_long(std::string_view name) {
    return name == "hostname"    ? "Hostname must be less than 256 characters"
           : name == "dnsSuffix" ? "dnsSuffix must be less than 256 characters"
                                 : "";
  }

  void text(const char* name, std::size_t limit, std::optional<std::string>& out) {
    if (const auto* s = string_of(name, limit))
      out = *s;
  }
  void text_or_null(const char* name, std::size_t limit,
                    std::optional<std::optional<std::string>>& out) {
    const auto* v = body_.find(name);
    if (v && v->is_null())
      out.emplace(std::nullopt);
    else if (const auto* s = string_of(name, limit))
      out.emplace(*s);
  }
  void secret(const char* name, std::size_t limit, std::optional<std::string>& out) {
    if (const auto* s = string_of(name, limit, false)) {
      if (s->empty())
        wrong(name, "must not be empty", false);
      else
        out = *s;
    }
  }
  /// Console's name of the user counts with a password only: its later changes repeat the name.
  void console_account(device_body& d) {
    const auto* password = string_of("password", 128, false);
    const auto* user = string_of("username", 64);
    if (password && !password->empty() && !d.amt_password) {
      d.amt_password = *password;
      if (user && !user->empty() && !d.amt_username)
        d.amt_username = *user;
    }
    if (const auto* mebx = string_of("mebxpassword", 128, false); mebx && !mebx->empty())
      d.mebx_password = *mebx;
  }
  void flag(const char* name) {
    const auto* v = body_.find(name);
    if (v && !v->is_null() && !v->boolean())
      wrong(name, "must be a boolean");
  }
  void tags(device_body& d) {
    const auto* v = body_.find("tags");
    if (!v || v->is_null())
      return;
    std::vector<std::string> out;
    bool ok = v->items() && v->items()->size() <= 100;
    for (std::size_t i = 0; ok && i < v->items()->size(); ++i) {
      const auto* t = (*v->items())[i].text();
      ok = t && !t->empty() && t->size() <= 255 && printable(*t) &&
           t->find(',') == std::string::npos;
      if (ok)
        out.push_back(*t);
    }
    if (!ok)
      return wrong("tags",
                   "must be an array of at most 100 strings of 1 to 255 octets without commas",
                   true, "tags should be an array of strings");
    d.tags = std::move(out);
  }
  void info(device_body& d) {
    const auto* v = body_.find("deviceInfo");
    if (!v)
      return;
    if (!v->is_null() && !v->members())
      return wrong("deviceInfo", "must be an object", true,
                   "deviceInfo should be an object if provided");
    auto dumped = v->is_null() ? std::string() : json::dump(*v);
    if (dumped.size() > max_device_info)
      return wrong("deviceInfo", "must be at most " + std::to_string(max_device_info) + " octets",
                   false);
    d.device_info = std::move(dumped);
  }

  const json::value& body_;
  std::string prefix_;
  std::vector<field_error>& errors_;
};

} // namespace

std::string errors_body(const std::vector<field_error>& errors) {
  json::array list;
  for (const auto& e : errors) {
    json::object o{{"type", "field"}};
    if (e.value)
      o.push_back({"value", *e.value});
    o.push_back({"msg", e.msg.empty() ? "Invalid value" : e.msg});
    o.push_back({"path", e.path});
    o.push_back({"location", e.location});
    o.push_back({"why", e.why});
    list.push_back(std::move(o));
  }
  return json::dump(json::object{{"errors", std::move(list)}});
}

device_bodies parse_device_bodies(const json::value& body, bool bulk) {
  std::vector<field_error> errors;
  std::vector<device_body> out;
  if (body.members()) {
    out.push_back(reader(body, "", errors).read());
  } else if (!bulk || !body.items()) {
    errors.push_back({std::nullopt, "", "body",
                      bulk ? "must be an object or an array of objects" : "must be an object"});
  } else {
    const auto& all = *body.items();
    if (all.empty() || all.size() > max_bulk)
      errors.push_back(
          {std::nullopt, "", "body", "must have 1 to " + std::to_string(max_bulk) + " objects"});
    std::set<device_id> seen;
    for (std::size_t i = 0; i < all.size() && errors.size() < 100; ++i) {
      auto prefix = "[" + std::to_string(i) + "]";
      if (!all[i].members()) {
        errors.push_back({std::nullopt, prefix, "body", "must be an object"});
        continue;
      }
      auto before = errors.size();
      auto d = reader(all[i], prefix + ".", errors).read();
      if (errors.size() == before && !seen.insert(d.guid).second)
        errors.push_back({json::value(to_string(d.guid)), prefix + ".guid", "body",
                          "occurs twice in this request"});
      out.push_back(std::move(d));
    }
  }
  if (!errors.empty())
    return errors;
  return out;
}

} // namespace outband::rest
