#include "messages/amt/argument.hpp"
#include "messages/amt/catalogue.hpp"
#include "messages/amt/forms.hpp"
#include "messages/amt/wifi.hpp"
#include "messages/amt/x509.hpp"

#include <utility>

namespace outband::amt {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t max_ssid = 32; ///< IEEE 802.11

template <class Enum> json::value word(const std::optional<Enum>& e) {
  return e ? to_string(*e) : std::string_view{};
}

json::value state_json(wifi_state s) {
  return json::object{{"state", to_string(s)}};
}

result<json::value> state_get(wsman::talk& t, const json::value&) {
  auto told = get_wifi_state(t);
  if (!told)
    return told.error();
  return state_json(*told);
}

std::vector<rest::field_error> check_state(const json::value& argument) {
  argument_reader in(argument);
  if (!parse_wifi_state(text_at(argument, "state")))
    in.wrong("state", "must be one of WifiDisabled, WifiEnabledS0, WifiEnabledS0SxAC");
  return std::move(in).errors();
}

result<json::value> state_set(wsman::talk& t, const json::value& argument) {
  const auto wanted = parse_wifi_state(text_at(argument, "state"));
  if (auto ok = set_wifi_state(t, *wanted); !ok)
    return ok.error();
  return state_json(*wanted);
}

// -- synchronisation ----------------------------------------------------------------------------

json::value sync_json(const profile_sync& s) {
  return json::object{{"localProfileSync", s.local},
                      {"uefiProfileSync", s.uefi},
                      {"uefiProfileSyncSupported", s.uefi_supported}};
}

result<json::value> sync_get(wsman::talk& t, const json::value&) {
  auto told = get_profile_sync(t);
  if (!told)
    return told.error();
  return sync_json(*told);
}

std::vector<rest::field_error> check_sync(const json::value& argument) {
  argument_reader in(argument);
  for (std::string_view name : {"localProfileSync", "uefiProfileSync"}) {
    const auto* v = argument.find(name);
    if (v != nullptr && !v->is_null() && v->boolean() == nullptr)
      in.wrong(name, "must be true, false or null");
  }
  return std::move(in).errors();
}

result<json::value> sync_set(wsman::talk& t, const json::value& argument) {
  auto wanted = [&](std::string_view name) {
    const auto* v = argument.find(name);
    const auto* b = v == nullptr ? nullptr : v->boolean();
    return b == nullptr ? std::nullopt : std::optional<bool>(*b);
  };
  auto told = set_profile_sync(t, wanted("localProfileSync"), wanted("uefiProfileSync"));
  if (!told)
    return told.error();
  return sync_json(*told);
}

// -- profiles -----------------------------------------------------------------------------------

result<json::value> profiles_list(wsman::talk& t, const json::value&) {
  auto told = get_wifi_profiles(t);
  if (!told)
    return told.error();
  json::array out;
  for (const auto& p : *told) {
    json::object o{{"profileName", p.network.name},
                   {"ssid", p.network.ssid},
                   {"authenticationMethod", word(p.network.auth)},
                   {"encryptionMethod", word(p.network.cipher)},
                   {"priority", p.network.priority}};
    if (p.ieee8021x)
      o.push_back({"ieee8021x", json::object{{"username", p.ieee8021x->user},
                                             {"authenticationProtocol", p.ieee8021x->protocol}}});
    out.push_back(std::move(o));
  }
  return json::value(std::move(out));
}

std::vector<rest::field_error> check_profile(const json::value& argument) {
  argument_reader in(argument);
  const auto text = [&](std::string_view path) {
    return text_at(argument, path);
  };
  if (!is_alphanumeric(text("profileName")) || text("profileName").size() > max_ssid)
    in.wrong("profileName", "must be 1 to 32 letters and digits");
  if (text("ssid").empty() || text("ssid").size() > max_ssid)
    in.wrong("ssid", "must be a string of 1 to 32 octets");
  const auto priority = integer_at(argument, "priority");
  if (!priority || *priority < 1 || *priority > 255)
    in.wrong("priority", "must be a number from 1 to 255");
  for (std::string_view name : {"authenticationMethod", "encryptionMethod"})
    if (text(name).empty())
      in.wrong(name, "must be a word such as WPA2PSK or CCMP");
  const auto* password = argument.find("password");
  if (!is_falsy(password) && password->text() == nullptr)
    in.wrong("password", "must be a string", false);
  const auto* x = argument.find("ieee8021x");
  if (x == nullptr)
    return std::move(in).errors();
  // Whatever stands in its place, it may hold a password or a key.
  if (x->members() == nullptr)
    in.wrong("ieee8021x", "must be an object", false);
  if (text("ieee8021x.username").empty())
    in.wrong("ieee8021x.username", "must be a string that is not empty");
  const auto protocol = integer_at(argument, "ieee8021x.authenticationProtocol");
  if (!protocol || *protocol < 0 || *protocol > 2)
    in.wrong("ieee8021x.authenticationProtocol", "must be 0 (EAP-TLS) or 2 (PEAP)");
  for (std::string_view name :
       {"ieee8021x.password", "ieee8021x.clientCert", "ieee8021x.privateKey", "ieee8021x.caCert"}) {
    const auto* v = at_path(argument, name);
    if (!is_falsy(v) && v->text() == nullptr)
      in.wrong(name, "must be a string", false);
  }
  return std::move(in).errors();
}

bool hexadecimal(std::string_view s) {
  return s.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
}

/// MPS's validateWirelessProfileConfig(), whose mistakes are no field errors.
result<wifi_profile_request> read_profile(const json::value& argument) {
  const auto odd = [](std::string why, std::string field = {}) {
    return fail(problem::malformed, std::move(why), std::move(field));
  };
  wifi_profile_request r;
  r.name = text_at(argument, "profileName");
  r.ssid = text_at(argument, "ssid");
  r.priority = static_cast<std::uint32_t>(integer_at(argument, "priority").value_or(0));
  r.password = text_at(argument, "password");
  const auto auth = parse_authentication(text_at(argument, "authenticationMethod"));
  if (!auth)
    return odd("authenticationMethod is invalid", "authenticationMethod");
  r.auth = *auth;
  const auto cipher = parse_encryption(text_at(argument, "encryptionMethod"));
  if (!cipher)
    return odd("encryptionMethod is invalid", "encryptionMethod");
  r.cipher = *cipher;
  const auto* x = argument.find("ieee8021x");
  if (x != nullptr)
    r.ieee8021x = wifi_profile_request::enterprise{
        text_at(*x, "username"),
        text_at(*x, "password"),
        static_cast<std::uint32_t>(integer_at(*x, "authenticationProtocol").value_or(0)),
        text_at(*x, "clientCert"),
        text_at(*x, "privateKey"),
        text_at(*x, "caCert")};
  switch (r.auth) {
  case authentication::wpa_psk:
  case authentication::wpa2_psk:
    if (r.password.empty() || r.ieee8021x)
      return odd("PSK authentication requires a password and must not include ieee8021x settings");
    if (r.password.size() < 8 || r.password.size() > 64 ||
        (r.password.size() == 64 && !hexadecimal(r.password)))
      return odd("password must be 8 to 63 characters or 64 hexadecimal digits", "password");
    return r;
  case authentication::wpa_8021x:
  case authentication::wpa2_8021x:
    break;
  default:
    return odd("authenticationMethod is not supported", "authenticationMethod");
  }
  if (!r.ieee8021x || !r.password.empty())
    return odd(
        "IEEE 802.1x authentication requires ieee8021x settings and must not include a password");
  if (r.ieee8021x->protocol != 0 && r.ieee8021x->protocol != 2)
    return odd("ieee8021x.authenticationProtocol must be 0 (EAP-TLS) or 2 (PEAP)",
               "ieee8021x.authenticationProtocol");
  // What cannot be read must not end the conversation halfway, with some of it added.
  const std::pair<std::string_view, const std::string&> certificates[] = {
      {"ieee8021x.clientCert", r.ieee8021x->client_certificate},
      {"ieee8021x.caCert", r.ieee8021x->ca_certificate}};
  for (const auto& [name, text] : certificates)
    if (!text.empty())
      if (auto read = read_certificate(text); !read)
        return odd(std::string(name) + " " + read.error().detail, std::string(name));
  if (!r.ieee8021x->private_key.empty())
    if (auto read = read_private_key(r.ieee8021x->private_key); !read)
      return odd("ieee8021x.privateKey " + read.error().detail, "ieee8021x.privateKey");
  return r;
}

result<json::value> change_profile(wsman::talk& t, const json::value& argument,
                                   status (*change)(wsman::talk&, const wifi_profile_request&)) {
  auto wanted = read_profile(argument);
  if (!wanted)
    return wanted.error();
  if (auto ok = change(t, *wanted); !ok)
    return ok.error();
  return json::value();
}

result<json::value> profiles_add(wsman::talk& t, const json::value& argument) {
  return change_profile(t, argument, add_wifi_profile);
}

result<json::value> profiles_update(wsman::talk& t, const json::value& argument) {
  return change_profile(t, argument, update_wifi_profile);
}

std::vector<rest::field_error> check_name(const json::value& argument) {
  argument_reader in(argument);
  if (!is_alphanumeric(text_at(argument, "profileName")))
    in.wrong("profileName", "must be letters and digits");
  return std::move(in).errors();
}

result<json::value> profiles_remove(wsman::talk& t, const json::value& argument) {
  if (auto ok = remove_wifi_profile(t, text_at(argument, "profileName")); !ok)
    return ok.error();
  return json::value();
}

} // namespace

std::vector<operation> wifi_operations() {
  constexpr auto reads = wsman::effect::none;
  constexpr auto changes = wsman::effect::change;
  constexpr auto again = std::string_view("network.get");
  return {{"wifi.state.get", reads, state_get},
          {"wifi.state.set", changes, state_set, check_state, 10s, false, {}, again},
          {"wifi.sync.get", reads, sync_get},
          {"wifi.sync.set", changes, sync_set, check_sync, 15s, false, {}, again},
          {"wifi.profiles.list", reads, profiles_list, nullptr, 15s},
          {"wifi.profiles.add", changes, profiles_add, check_profile, 30s, true, {}, again},
          {"wifi.profiles.update", changes, profiles_update, check_profile, 30s, true, {}, again},
          {"wifi.profiles.remove", changes, profiles_remove, check_name, 15s, false, {}, again}};
}

} // namespace outband::amt
