#include "messages/amt/tls.hpp"

#include "messages/amt/catalogue.hpp"
#include "messages/amt/properties.hpp"

#include <utility>

namespace outband::amt {

namespace {

constexpr std::string_view setting = "AMT_TLSSettingData";
constexpr std::size_t max_names = 64;
constexpr std::size_t max_name = 256;

result<json::value> get(wsman::talk& t, const json::value&) {
  auto told = get_tls_settings(t);
  if (!told)
    return told.error();
  json::array out;
  for (const auto& s : *told) {
    json::object o{{"ElementName", s.element_name},
                   {"InstanceID", s.instance_id},
                   {"MutualAuthentication", s.mutual_authentication},
                   {"Enabled", s.enabled}};
    json::array names;
    for (const auto& n : s.trusted_names)
      names.push_back(n);
    if (!names.empty())
      o.push_back({"TrustedCN", std::move(names)});
    o.push_back({"AcceptNonSecureConnections", s.accepts_plain});
    o.push_back({"NonSecureConnectionsSupported",
                 s.plain_may_be_changed ? json::value(*s.plain_may_be_changed) : json::value()});
    out.push_back(std::move(o));
  }
  return json::value(std::move(out));
}

} // namespace

result<std::vector<tls_setting>> get_tls_settings(wsman::talk& t) {
  auto items = t.list(setting);
  if (!items)
    return items.error();
  std::vector<tls_setting> out;
  for (const auto* item : wsman::instances(**items, setting)) {
    tls_setting s;
    property_reader in(*item);
    in.text("ElementName", s.element_name)
        .text("InstanceID", s.instance_id)
        .flag("MutualAuthentication", s.mutual_authentication)
        .flag("Enabled", s.enabled)
        .flag("AcceptNonSecureConnections", s.accepts_plain)
        .flag("NonSecureConnectionsSupported", s.plain_may_be_changed);
    if (in.wrong())
      return *in.wrong();
    for (const auto& c : item->children) {
      if (c.name != "TrustedCN")
        continue;
      if (s.trusted_names.size() == max_names || c.value().size() > max_name)
        return fail(problem::device_protocol,
                    "AMT_TLSSettingData.TrustedCN holds more than 64 names or one of over 256 "
                    "octets");
      s.trusted_names.emplace_back(c.value());
    }
    out.push_back(std::move(s));
  }
  return out;
}

std::vector<operation> tls_operations() {
  return {{"tls.settings.get", wsman::effect::none, get}};
}

} // namespace outband::amt
