#include "messages/rps/claim.hpp"

#include "messages/domain/text.hpp"
#include "messages/rest/json.hpp"

#include <algorithm>
#include <initializer_list>

namespace outband::rps {

namespace {

constexpr std::size_t max_text = 256;
constexpr std::size_t max_password = 128;
constexpr std::size_t max_hashes = 128;
constexpr json::limits claim_limits{100 << 10, 6, 2000};

failure bad(problem p, std::string_view member, const std::string& what) {
  return fail(p, "Failed to parse client message payload. " + what,
              "payload." + std::string(member));
}

bool printable(std::string_view s) {
  return std::none_of(s.begin(), s.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; });
}
bool digits(std::string_view s) {
  return !s.empty() && s.find_first_not_of("0123456789") == std::string_view::npos;
}

/// "16.1.27": groups of digits, at most five of at most five.
bool is_version(std::string_view s) {
  std::size_t groups = 0;
  for (;;) {
    const auto dot = s.find('.');
    const auto group = s.substr(0, dot);
    if (!digits(group) || group.size() > 5 || ++groups > 5)
      return false;
    if (dot == std::string_view::npos)
      return true;
    s.remove_prefix(dot + 1);
  }
}

bool is_ipv4(std::string_view s) {
  for (int part = 0; part < 4; ++part) {
    const auto dot = s.find('.');
    const auto number = s.substr(0, dot);
    if (!digits(number) || number.size() > 3 || std::stoi(std::string(number)) > 255)
      return false;
    if ((dot == std::string_view::npos) != (part == 3))
      return false;
    s.remove_prefix(dot == std::string_view::npos ? s.size() : dot + 1);
  }
  return true;
}

/// Reads members of one object; the first thing that is wrong stays.
class reader {
public:
  reader(const json::value& from, std::string prefix) : from_(from), prefix_(std::move(prefix)) {}

  std::string text(std::string_view name, std::size_t limit = max_text) {
    const auto* v = present(name);
    if (v == nullptr)
      return {};
    const auto* s = v->text();
    if (s == nullptr) {
      wrong(problem::malformed, name,
            "must be a string, not " + std::string(json::type_name(*v)) + ".");
      return {};
    }
    if (s->size() > limit) {
      wrong(problem::too_large, name, "is longer than " + std::to_string(limit) + " octets.");
      return {};
    }
    return *s;
  }
  /// Without control characters.
  std::string line(std::string_view name, std::size_t limit = max_text) {
    auto s = text(name, limit);
    if (!printable(s)) {
      wrong(problem::malformed, name, "has control characters.");
      return {};
    }
    return s;
  }
  std::string address(std::string_view name) {
    auto s = line(name, 15);
    if (!s.empty() && !is_ipv4(s)) {
      wrong(problem::malformed, name, "is not an IPv4 address.");
      return {};
    }
    return s;
  }
  bool flag(std::string_view name) {
    const auto* v = present(name);
    if (v == nullptr)
      return false;
    if (const auto* b = v->boolean())
      return *b;
    wrong(problem::malformed, name,
          "must be true or false, not " + std::string(json::type_name(*v)) + ".");
    return false;
  }
  /// nullptr: absent, or wrong.
  const json::value* object(std::string_view name) {
    const auto* v = present(name);
    if (v == nullptr || v->members() != nullptr)
      return v;
    wrong(problem::malformed, name,
          "must be an object, not " + std::string(json::type_name(*v)) + ".");
    return nullptr;
  }
  const json::value* present(std::string_view name) const {
    const auto* v = from_.find(name);
    return v == nullptr || v->is_null() ? nullptr : v;
  }
  void wrong(problem p, std::string_view name, const std::string& what) {
    const auto full = prefix_ + std::string(name);
    if (!error_)
      error_ = bad(p, full, full + " " + what);
  }
  void refuse(std::string_view name, const std::string& sentence) {
    if (!error_)
      error_ = bad(problem::malformed, prefix_ + std::string(name), sentence);
  }
  void take(reader& inner) {
    if (!error_)
      error_ = std::move(inner.error_);
  }
  std::optional<failure>& error() { return error_; }

private:
  const json::value& from_;
  std::string prefix_;
  std::optional<failure> error_;
};

/// 16 numbers in SMBIOS order, as older clients send it.
std::optional<uuid> from_octets(const json::array& items) {
  uuid id;
  if (items.size() != id.bytes.size())
    return std::nullopt;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const auto* n = items[i].integer();
    if (n == nullptr || *n < 0 || *n > 255)
      return std::nullopt;
    id.bytes[i] = static_cast<std::uint8_t>(*n);
  }
  return swap_smbios(id);
}

void read_uuid(reader& r, machine_claim& out) {
  const auto* v = r.present("uuid");
  if (v == nullptr)
    return; // reported with the other mandatory ones
  std::optional<uuid> id;
  if (const auto* items = v->items())
    id = from_octets(*items);
  else if (const auto* text = v->text())
    id = parse_uuid(*text);
  if (!id)
    r.wrong(problem::malformed, "uuid",
            v->text() && v->text()->size() != 36
                ? "not valid length."
                : "is neither 36 characters of a UUID nor its 16 octets.");
  else if (is_placeholder(*id))
    r.wrong(problem::malformed, "uuid",
            to_string(*id) + " is a filler that many machines show, not this machine's own.");
  else
    out.guid = *id;
}

void read_hashes(reader& r, machine_claim& out) {
  const auto* v = r.present("certHashes");
  if (v == nullptr)
    return;
  const auto* items = v->items();
  if (items == nullptr) {
    r.wrong(problem::malformed, "certHashes", "must be an array.");
    return;
  }
  if (items->size() > max_hashes) {
    r.wrong(problem::too_large, "certHashes",
            "has more than " + std::to_string(max_hashes) + " entries.");
    return;
  }
  for (const auto& item : *items) {
    const auto* s = item.text();
    // Of SHA-1 to SHA-512; the length tells which.
    const bool right =
        s && (s->size() == 40 || s->size() == 64 || s->size() == 96 || s->size() == 128) &&
        s->find_first_not_of("0123456789abcdefABCDEF") == std::string::npos;
    if (!right) {
      r.wrong(problem::malformed, "certHashes", "has an entry that is no hash in hexadecimal.");
      return;
    }
    out.root_hashes.push_back(lower(*s));
  }
}

void read_mode(reader& r, machine_claim& out) {
  const auto* v = r.present("currentMode");
  const auto* n = v ? v->integer() : nullptr;
  if (n == nullptr || *n < 0 || *n > 2)
    r.refuse("currentMode",
             "Device " + to_string(out.guid) + " activation failed. It is in unknown mode.");
  else
    out.mode = static_cast<int>(*n);
}

void read_addresses(reader& r, machine_claim& out) {
  if (const auto* v = r.object("ipConfiguration")) {
    reader ip(*v, "ipConfiguration.");
    out.ip.dhcp = ip.flag("dhcp");
    out.ip.fixed = ip.flag("static");
    out.ip.sync = ip.flag("ipsync");
    out.ip.address = ip.address("ipAddress");
    out.ip.netmask = ip.address("netmask");
    out.ip.gateway = ip.address("gateway");
    out.ip.primary_dns = ip.address("primaryDns");
    out.ip.secondary_dns = ip.address("secondaryDns");
    r.take(ip);
  }
  if (const auto* v = r.object("hostnameInfo")) {
    reader host(*v, "hostnameInfo.");
    out.os_hostname = host.line("hostname");
    out.os_dns_suffix = host.line("dnsSuffixOS");
    r.take(host);
  }
}

} // namespace

bool is_placeholder(const uuid& id) {
  static const auto filler = *parse_uuid("03000200-0400-0500-0006-000700080009");
  return id.is_nil() || id == filler ||
         std::all_of(id.bytes.begin(), id.bytes.end(), [](auto b) { return b == 0xFF; });
}

result<machine_claim> parse_claim(std::string_view text) {
  const auto doc = json::parse(text, claim_limits);
  if (!doc)
    return bad(doc.error().what, doc.error().field, "Invalid payload from client: not JSON.");
  if (doc->members() == nullptr)
    return bad(problem::malformed, "", "Invalid payload from client: not a JSON object.");
  reader r(*doc, "");
  for (const auto name : {"client", "ver", "build", "uuid"})
    if (r.present(name) == nullptr)
      return bad(problem::malformed, name,
                 "Invalid payload from client: " + std::string(name) + " is missing.");
  machine_claim out;
  r.line("client", 64); // mandatory, but its value tells nothing
  read_uuid(r, out);
  out.version = r.line("ver", 32);
  if (!is_version(out.version))
    r.wrong(problem::malformed, "ver", "is not a version such as 16.1.27.");
  out.build = r.line("build", 16);
  if (!digits(out.build))
    r.wrong(problem::malformed, "build", "is not a number.");
  out.sku = r.line("sku", 16);
  out.features = r.line("features");
  out.local_user = r.line("username", 64);
  if (out.local_user.find_first_of("\"\\") != std::string::npos)
    r.wrong(problem::malformed, "username", "has a quotation mark or a backslash.");
  out.password = secret_text(r.text("password", max_password));
  read_mode(r, out);
  out.hostname = r.line("hostname");
  out.dns_suffix = r.line("fqdn");
  read_hashes(r, out);
  read_addresses(r, out);
  out.friendly_name = r.line("friendlyName");
  out.tls_enforced = r.flag("tlsEnforced");
  out.tls_tunnel = r.flag("tlsTunnel");
  out.progress = r.flag("progressSupported");
  if (r.error())
    return *r.error();
  return out;
}

} // namespace outband::rps
