#include "messages/amt/wifi.hpp"
#include "messages/domain/text.hpp"

namespace outband::amt {

namespace {

constexpr wifi_state states[] = {wifi_state::disabled, wifi_state::s0, wifi_state::s0_sx_ac};
constexpr authentication methods[] = {
    authentication::other,      authentication::open_system, authentication::shared_key,
    authentication::wpa_psk,    authentication::wpa_8021x,   authentication::wpa2_psk,
    authentication::wpa2_8021x, authentication::wpa3_sae,    authentication::wpa3_owe};
constexpr encryption ciphers[] = {encryption::other, encryption::wep, encryption::tkip,
                                  encryption::ccmp, encryption::none};

template <class Enum, std::size_t N>
std::optional<Enum> parse(const Enum (&all)[N], std::string_view word) {
  for (auto e : all)
    if (same_text(to_string(e), word))
      return e;
  return std::nullopt;
}

} // namespace

std::string_view to_string(wifi_state s) {
  switch (s) {
  case wifi_state::disabled:
    return "WifiDisabled";
  case wifi_state::s0:
    return "WifiEnabledS0";
  case wifi_state::s0_sx_ac:
    return "WifiEnabledS0SxAC";
  }
  return {};
}

std::string_view to_string(authentication a) {
  switch (a) {
  case authentication::other:
    return "Other";
  case authentication::open_system:
    return "OpenSystem";
  case authentication::shared_key:
    return "SharedKey";
  case authentication::wpa_psk:
    return "WPAPSK";
  case authentication::wpa_8021x:
    return "WPAIEEE8021x";
  case authentication::wpa2_psk:
    return "WPA2PSK";
  case authentication::wpa2_8021x:
    return "WPA2IEEE8021x";
  case authentication::wpa3_sae:
    return "WPA3SAE";
  case authentication::wpa3_owe:
    return "WPA3OWE";
  }
  return {};
}

std::string_view to_string(encryption e) {
  switch (e) {
  case encryption::other:
    return "Other";
  case encryption::wep:
    return "WEP";
  case encryption::tkip:
    return "TKIP";
  case encryption::ccmp:
    return "CCMP";
  case encryption::none:
    return "None";
  }
  return {};
}

std::string_view to_string(bss_type b) {
  switch (b) {
  case bss_type::unknown:
    return "Unknown";
  case bss_type::independent:
    return "Independent";
  case bss_type::infrastructure:
    return "Infrastructure";
  }
  return {};
}

std::optional<wifi_state> parse_wifi_state(std::string_view word) {
  return parse(states, word);
}
std::optional<authentication> parse_authentication(std::string_view word) {
  return parse(methods, word);
}
std::optional<encryption> parse_encryption(std::string_view word) {
  return parse(ciphers, word);
}

} // namespace outband::amt
