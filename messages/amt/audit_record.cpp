#include "messages/amt/audit_record.hpp"

#include "messages/amt/audit_texts.hpp"
#include "messages/amt/base64.hpp"
#include "messages/domain/text.hpp"
#include "messages/domain/time.hpp"

#include <array>

namespace outband::amt {

namespace {

/// Reads octets one after the other; asking beyond the end gives zeros and is remembered.
class cursor {
public:
  explicit cursor(std::string_view octets) : rest_(octets) {}

  std::uint8_t u8() { return static_cast<std::uint8_t>(number(1)); }
  std::uint16_t u16() { return static_cast<std::uint16_t>(number(2)); }
  std::uint32_t u32() { return number(4); }
  std::string_view octets(std::size_t count) {
    if (count > rest_.size()) {
      short_ = true;
      count = rest_.size();
    }
    auto out = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return out;
  }
  std::string_view counted() { return octets(u8()); }
  std::string_view rest() const { return rest_; }
  bool is_short() const { return short_; }

private:
  std::uint32_t number(std::size_t size) {
    std::uint32_t out = 0;
    for (char c : octets(size))
      out = out << 8 | static_cast<unsigned char>(c);
    return out;
  }
  std::string_view rest_;
  bool short_ = false;
};

std::string_view word(std::initializer_list<std::string_view> words, std::size_t at) {
  return at < words.size() ? *(words.begin() + at) : std::string_view("unknown");
}

std::string consent_policy(std::uint8_t value) {
  return std::string(value == 255 ? "All" : word({"None", "KVM", "All"}, value)); // MPS 2, Go 255
}

std::string version(cursor& c) {
  std::string out;
  for (int i = 0; i < 4; ++i)
    out += (i == 0 ? "" : ".") + std::to_string(c.u16());
  return out;
}

/// u8 type (0 digest user), then the length-prefixed name; Kerberos users are SIDs.
std::string user(cursor& c) {
  if (c.u8() == 0)
    return latin1_to_utf8(c.counted());
  c.u32(); // domain
  return sid_text(c.counted());
}

std::string text_of(std::uint32_t key, cursor& c) {
  switch (key) {
  case 1602:
  case 1604:
    return user(c);
  case 1603:
    c.u8(); // which of its properties changed
    return user(c);
  case 1605:
    return std::string(word({"Invalid ME access", "Invalid MEBx access"}, c.u8()));
  case 1606: {
    std::string out(word({"Disabled", "Enabled"}, c.u8()));
    return out + ", " + user(c);
  }
  case 1607: {
    const auto words = {std::string_view("NoAuth"), std::string_view("ServerAuth"),
                        std::string_view("MutualAuth")};
    std::string out = "Remote " + std::string(word(words, c.u8()));
    return out + ", Local " + std::string(word(words, c.u8()));
  }
  case 1608:
  case 1609:
  case 1610:
  case 1611: {
    const auto serial = c.octets(c.rest().size());
    return "Serial number " +
           to_hex(reinterpret_cast<const unsigned char*>(serial.data()), serial.size());
  }
  case 1617: {
    const auto realm = realm_name(c.u32());
    return (realm.empty() ? "unknown" : std::string(realm)) + ", " +
           std::string(word({"NoAuth", "Auth", "Disabled"}, c.u8()));
  }
  case 1619:
    return std::string(word({"BIOS", "MEBx", "Local MEI", "Local WSMAN", "Remote WSMAN"}, c.u8()));
  case 1900: {
    auto out = "From " + version(c);
    return out + " to " + version(c);
  }
  case 2100:
    return to_rfc3339(static_cast<time_ms>(c.u32()) * 1000);
  case 2201:
  case 2202:
    return latin1_to_utf8(c.counted());
  case 3000: {
    auto out = "From " + consent_policy(c.u8());
    return out + " to " + consent_policy(c.u8());
  }
  case 3001:
    return std::string(word({"Success", "Failed 3 times"}, c.u8()));
  default:
    return {};
  }
}

} // namespace

result<audit_record> read_audit_record(std::string_view base64) {
  auto octets = base64_decode(base64);
  const auto odd = [&] {
    return fail(problem::device_protocol,
                "an audit record cannot be read: '" + std::string(base64.substr(0, 80)) + "'");
  };
  if (!octets)
    return odd();
  cursor c(*octets);
  audit_record r;
  r.raw = base64;
  r.app = c.u16();
  r.event = c.u16();
  r.initiator = static_cast<initiator_type>(c.u8());
  switch (r.initiator) {
  case initiator_type::http_digest:
    r.initiator_name = latin1_to_utf8(c.counted());
    break;
  case initiator_type::kerberos:
    c.u32(); // domain
    r.initiator_name = sid_text(c.counted());
    break;
  case initiator_type::local:
    r.initiator_name = "Local";
    break;
  case initiator_type::kvm_default_port:
    r.initiator_name = "KVM Default Port";
    break;
  }
  r.time = c.u32();
  r.location_type = c.u8();
  r.net_address = latin1_to_utf8(c.counted());
  if (r.net_address == "0000:0000:0000:0000:0000:0000:0000:0001")
    r.net_address = "::1";
  r.extended = c.counted();
  if (c.is_short())
    return odd();
  return r;
}

std::string audit_app_text(std::uint16_t app) {
  const auto name = audit_app_name(app);
  return name.empty() ? "#" + std::to_string(app) : std::string(name);
}

std::string audit_event_text(std::uint16_t app, std::uint16_t event) {
  const auto name = event < 100 ? audit_event_name(app * 100U + event) : std::string_view{};
  return name.empty() ? "#" + std::to_string(event) : std::string(name);
}

std::optional<std::string> extended_text(const audit_record& r) {
  if (r.event >= 100)
    return std::nullopt;
  cursor c(r.extended);
  auto text = text_of(r.app * 100U + r.event, c);
  if (text.empty() || c.is_short())
    return std::nullopt;
  return text;
}

std::string sid_text(std::string_view octets) {
  auto at = [&](std::size_t i) {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(octets[i]));
  };
  if (octets.size() < 8)
    return {};
  auto out = "S-" + std::to_string(at(0)) + "-" + std::to_string(at(7));
  for (std::size_t i = 8; i + 4 <= octets.size(); i += 4)
    out += "-" + std::to_string(at(i) | at(i + 1) << 8 | at(i + 2) << 16 | at(i + 3) << 24);
  return out;
}

std::string latin1_to_utf8(std::string_view octets) {
  std::string out;
  out.reserve(octets.size());
  for (char c : octets) {
    const auto u = static_cast<unsigned char>(c);
    if (u < 0x80) {
      out += c;
    } else {
      out += static_cast<char>(0xC0 | u >> 6);
      out += static_cast<char>(0x80 | (u & 0x3F));
    }
  }
  return out;
}

} // namespace outband::amt
