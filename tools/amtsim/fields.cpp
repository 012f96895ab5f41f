#include "messages/domain/time.hpp"
#include "tools/amtsim/classes.hpp"

#include <algorithm>

namespace outband::amtsim {

std::string text(bool b) {
  return b ? "true" : "false";
}

std::string text(std::uint32_t n) {
  return std::to_string(n);
}

std::string text_of(const wsman::instance& i, std::string_view name) {
  for (const auto& f : i.fields)
    if (f.name == name)
      if (const auto* found = std::get_if<std::string>(&f.value))
        return *found;
  return {};
}

wsman::instance service(std::string class_name, const std::string& name,
                        const std::string& system) {
  wsman::instance out{class_name,
                      {{"ElementName", name},
                       {"Name", name},
                       {"SystemCreationClassName", "CIM_ComputerSystem"},
                       {"SystemName", system}}};
  out.fields.push_back({"CreationClassName", std::move(class_name)});
  return out;
}

wsman::instance with(wsman::instance base, std::vector<wsman::field> more) {
  for (auto& f : more)
    base.fields.push_back(std::move(f));
  return base;
}

wsman::endpoint managed_system() {
  return {wsman::class_uri("CIM_ComputerSystem"),
          {{"CreationClassName", "CIM_ComputerSystem"}, {"Name", "ManagedSystem"}}};
}

wsman::endpoint service_endpoint(const std::string& class_name, const std::string& key,
                                 const std::string& value) {
  return {wsman::class_uri(class_name),
          {{"CreationClassName", class_name},
           {key, value},
           {"SystemCreationClassName", "CIM_ComputerSystem"},
           {"SystemName", "Intel(r) AMT"}}};
}

std::optional<wsman::endpoint> endpoint_of(const wsman::node& from, std::string_view name) {
  const auto* found = from.child(name);
  if (found == nullptr)
    return std::nullopt;
  return wsman::read_endpoint(*found);
}

std::string selector_of(const wsman::endpoint& e, std::string_view name) {
  for (const auto& s : e.selectors)
    if (s.name == name)
      return s.value;
  return {};
}

namespace {

constexpr std::string_view digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

} // namespace

std::string base64(std::string_view octets) {
  std::string out;
  out.reserve((octets.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < octets.size(); i += 3) {
    std::uint32_t bits = 0;
    for (std::size_t k = 0; k < 3; ++k)
      bits = bits << 8U |
             (i + k < octets.size() ? static_cast<std::uint8_t>(octets[i + k]) : std::uint8_t{0});
    for (std::size_t k = 0; k < 4; ++k)
      out += i + k > octets.size() ? '=' : digits[bits >> (18U - 6U * k) & 63U];
  }
  return out;
}

std::optional<std::string> from_base64(std::string_view coded) {
  std::string out;
  std::uint32_t bits = 0;
  unsigned have = 0;
  std::size_t padding = 0;
  std::size_t count = 0;
  for (const char c : coded) {
    if (c == ' ' || c == '\t' || c == '\r' || c == '\n')
      continue;
    ++count;
    if (c == '=') {
      ++padding;
      continue;
    }
    const auto at = digits.find(c);
    if (at == std::string_view::npos || padding != 0)
      return std::nullopt;
    bits = bits << 6U | static_cast<std::uint32_t>(at);
    have += 6;
    if (have >= 8) {
      have -= 8;
      out += static_cast<char>(bits >> have & 255U);
    }
  }
  if (padding > 2 || count % 4 != 0)
    return std::nullopt;
  return out;
}

wsman::datetime datetime_of(std::int64_t unix_s) {
  auto out = to_rfc3339(unix_s * 1000);
  out.resize(19); // without the milliseconds
  return {out + "Z"};
}

bool take(const wsman::node& from, std::string_view name, bool& into) {
  const auto* found = from.child(name);
  if (found == nullptr)
    return true;
  const auto value = wsman::to_bool(found->value());
  into = value.value_or(into);
  return value.has_value();
}

bool take(const wsman::node& from, std::string_view name, std::uint32_t& into, std::uint32_t max) {
  const auto* found = from.child(name);
  if (found == nullptr)
    return true;
  const auto value = wsman::to_number(found->value());
  if (!value || *value > max)
    return false;
  into = *value;
  return true;
}

bool take(const wsman::node& from, std::string_view name, std::string& into, std::size_t max) {
  const auto* found = from.child(name);
  if (found == nullptr)
    return true;
  if (found->value().size() > max)
    return false;
  into = std::string(found->value());
  return true;
}

} // namespace outband::amtsim
