#include "messages/provisioning/profile_export.hpp"

#include <cstdint>

namespace outband::provisioning {

namespace {

/// One code point from the front of `text`; nullopt if it is not UTF-8.
std::optional<std::uint32_t> next_point(std::string_view& text) {
  const auto first = static_cast<unsigned char>(text[0]);
  const std::size_t size = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  if ((first >= 0x80 && first < 0xC2) || first > 0xF4 || text.size() < size)
    return std::nullopt;
  std::uint32_t point = size == 1 ? first : first & (0xFFU >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if ((c & 0xC0) != 0x80)
      return std::nullopt;
    point = (point << 6) | (c & 0x3F);
  }
  static constexpr std::uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  if (point < least[size] || point > 0x10FFFF || (point >= 0xD800 && point < 0xE000))
    return std::nullopt;
  text.remove_prefix(size);
  return point;
}

void append_hex(std::string& out, std::uint32_t value, int digits) {
  while (digits-- > 0)
    out += "0123456789ABCDEF"[(value >> (4 * digits)) & 15];
}

/// Writes nested maps, two blanks a level. Escapes all that is not plain ASCII: YAML readers fold
/// some characters beyond it as line ends.
class yaml_writer {
public:
  void open(const char* key) {
    line(key);
    text_ += '\n';
    ++depth_;
  }
  void close() { --depth_; }
  /// The first key of a map in a list.
  void item() { item_ = true; }

  void put(const char* key, std::string_view value) {
    line(key);
    text_ += ' ';
    quote(value, key);
    text_ += '\n';
  }
  void put(const char* key, const std::string& value) { put(key, std::string_view(value)); }
  void put(const char* key, const char* value) { put(key, std::string_view(value)); }
  void put(const char* key, bool value) { raw(key, value ? "true" : "false"); }
  void put(const char* key, int value) { raw(key, std::to_string(value)); }
  void null(const char* key) { raw(key, "null"); }
  void none(const char* key) { raw(key, "[]"); }
  void put(const char* key, const std::vector<std::string>& values) {
    line(key);
    text_ += " [";
    for (std::size_t i = 0; i < values.size(); ++i) {
      text_ += i == 0 ? "" : ", ";
      quote(values[i], key);
    }
    text_ += "]\n";
  }

  result<std::string> done() && {
    if (!bad_.empty())
      return fail(problem::malformed, "is not UTF-8", bad_);
    return std::move(text_);
  }

private:
  void line(const char* key) {
    text_.append(2 * static_cast<std::size_t>(depth_), ' ');
    if (item_)
      text_.replace(text_.size() - 2, 2, "- ");
    item_ = false;
    text_ += key;
    text_ += ':';
  }
  void raw(const char* key, std::string_view value) {
    line(key);
    text_ += ' ';
    text_ += value;
    text_ += '\n';
  }
  void quote(std::string_view value, const char* key) {
    text_ += '"';
    while (!value.empty()) {
      const auto point = next_point(value);
      if (!point) {
        bad_ = key;
        break;
      }
      if (*point == '"' || *point == '\\') {
        text_ += '\\';
        text_ += static_cast<char>(*point);
      } else if (*point >= 0x20 && *point < 0x7F) {
        text_ += static_cast<char>(*point);
      } else if (*point < 0x10000) {
        text_ += "\\u";
        append_hex(text_, *point, 4);
      } else {
        text_ += "\\U";
        append_hex(text_, *point, 8);
      }
    }
    text_ += '"';
  }

  std::string text_;
  std::string bad_; ///< key of the text that is not UTF-8
  int depth_ = 0;
  bool item_ = false;
};

/// go-wsman-messages pkg/wsman/cim/wifi/decoder.go, by the numbers of CIM_WiFiEndpointSettings.
const char* authentication_name(int method) {
  switch (method) {
  case 4:
    return "WPAPSK";
  case 5:
    return "WPAIEEE8021x";
  case 7:
    return "WPA2IEEE8021x";
  default:
    return "WPA2PSK";
  }
}

void write_8021x(yaml_writer& to, const std::optional<exported_8021x>& x) {
  if (!x) {
    to.null("ieee8021x");
    return;
  }
  to.open("ieee8021x");
  to.put("username", x->username);
  to.put("password", x->password);
  to.put("authenticationProtocol", x->protocol);
  to.put("clientCert", "");
  to.put("caCert", x->ca_certificate);
  to.put("privateKey", "");
  to.put("pxeTimeout", x->pxe_timeout);
  to.close();
}

void write_wired(yaml_writer& to, const exported_profile& p) {
  to.open("wired");
  to.put("dhcpEnabled", p.what.dhcp);
  to.put("ipSyncEnabled", p.what.ip_sync);
  to.put("sharedStaticIP", !p.what.dhcp);
  for (const char* key : {"ipAddress", "subnetMask", "defaultGateway", "primaryDNS", "secondaryDNS",
                          "authentication"})
    to.put(key, "");
  write_8021x(to, p.wired);
  to.close();
}

void write_wireless(yaml_writer& to, const exported_profile& p) {
  to.open("wireless");
  to.put("wifiSyncEnabled", p.what.local_wifi_sync);
  to.put("uefiWiFiSyncEnabled", p.what.uefi_wifi_sync);
  if (p.wifi.empty()) {
    to.none("profiles");
  } else {
    to.open("profiles");
    for (const auto& w : p.wifi) {
      to.item();
      to.put("profileName", w.config.name);
      to.put("ssid", w.config.ssid);
      to.put("password", w.passphrase);
      to.put("authenticationMethod", authentication_name(w.config.authentication));
      to.put("encryptionMethod", w.config.encryption == 3 ? "TKIP" : "CCMP");
      to.put("priority", w.priority);
      write_8021x(to, w.ieee8021x);
    }
    to.close();
  }
  to.close();
}

void write_proxies(yaml_writer& to, const std::vector<proxy_config>& proxies) {
  if (proxies.empty()) {
    to.none("proxy");
    return;
  }
  to.open("proxy");
  for (const auto& one : proxies) {
    to.item();
    to.put("address", one.address);
    to.put("port", static_cast<int>(one.port));
    to.put("networkDnsSuffix", one.dns_suffix);
  }
  to.close();
}

void write_tls(yaml_writer& to, const profile& p) {
  const int mode = p.tls_mode.value_or(0);
  to.open("tls");
  to.put("signingAuthority", p.tls_authority.value_or(mode == 0 ? "" : "SelfSigned"));
  to.put("mutualAuthentication", mode == 3 || mode == 4);
  to.put("enabled", mode != 0);
  to.none("trustedCN");
  to.put("allowNonTLS", mode == 2 || mode == 4);
  to.close();
}

void write_redirection(yaml_writer& to, const profile& p) {
  to.open("redirection");
  to.put("enabled", p.kvm || p.sol || p.ider);
  to.open("services");
  to.put("kvm", p.kvm);
  to.put("sol", p.sol);
  to.put("ider", p.ider);
  to.close();
  to.put("userConsent", to_string(p.consent));
  to.close();
}

void write_amt(yaml_writer& to, const exported_profile& p) {
  to.open("amtSpecific");
  to.put("controlMode", to_string(p.what.activation));
  to.put("adminPassword", p.amt_password);
  to.put("generateRandomPassword", p.what.random_amt_password);
  to.put("provisioningCert", p.pfx);
  to.put("provisioningCertPwd", p.pfx_password);
  to.put("mebxPassword", p.mebx_password);
  to.put("generateRandomMEBXPassword", p.what.random_mebx_password);
  if (p.cira) {
    const auto& c = p.cira->config;
    to.open("cira");
    to.put("mpsUsername", c.username);
    to.put("mpsPassword", p.cira->password);
    to.put("mpsAddress", c.server);
    to.put("mpsPort", static_cast<int>(c.port));
    to.put("mpsCert", c.root_certificate);
    to.none("environmentDetection");
    to.put("generateRandomPassword", p.cira->password.empty());
    to.close();
  }
  to.close();
}

} // namespace

result<std::string> profile_yaml(const exported_profile& p) {
  yaml_writer to;
  to.put("id", 0);
  to.put("name", p.what.name);
  to.put("tags", p.what.tags);
  to.open("configuration");
  to.open("generalSettings");
  to.put("sharedFQDN", false);
  to.put("networkInterfaceEnabled", 0);
  to.put("pingResponseEnabled", false);
  to.close();
  to.open("network");
  write_wired(to, p);
  write_wireless(to, p);
  write_proxies(to, p.proxies);
  to.close();
  write_tls(to, p.what);
  write_redirection(to, p.what);
  to.open("userAccounts");
  to.none("userAccounts");
  to.close();
  to.open("enterpriseAssistant");
  to.put("url", p.enterprise_assistant);
  to.put("username", "");
  to.put("password", "");
  to.close();
  write_amt(to, p);
  for (const char* other : {"bmcSpecific", "dashSpecific", "redfishSpecific"}) {
    to.open(other);
    to.put("adminPassword", "");
    to.close();
  }
  return std::move(to).done();
}

} // namespace outband::provisioning
