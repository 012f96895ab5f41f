#include "messages/provisioning/profile_export.hpp"

#include "messages/amt/base64.hpp"

#include <doctest/doctest.h>
#include <yaml-cpp/yaml.h>

namespace outband::provisioning {
namespace {

exported_profile full() {
  exported_profile p;
  p.what.name = "office";
  p.what.activation = activation_kind::admin_mode;
  p.what.tags = {"berlin", "3rd \"floor\""};
  p.what.local_wifi_sync = true;
  p.what.uefi_wifi_sync = true;
  p.what.tls_mode = 4;
  p.what.consent = consent_rule::kvm;
  p.what.sol = true;
  p.what.random_mebx_password = true;
  p.amt_password = "P@ss: #\"\\w0rd'";
  p.pfx = "MIIabc==";
  p.pfx_password = "pfx password";
  p.wired = exported_8021x{2, 60, "user", "secret", "MIIca"};
  exported_wifi home;
  home.config.name = "home";
  home.config.ssid = "caf\xC3\xA9 \xF0\x9F\x93\xB6";
  home.priority = 3;
  home.passphrase = "12345678";
  exported_wifi work;
  work.config.name = "work";
  work.config.ssid = "corp";
  work.config.authentication = 7;
  work.config.encryption = 3;
  work.ieee8021x = exported_8021x{0, 0, "w", "", ""};
  p.wifi = {home, work};
  exported_cira cira;
  cira.config.server = "mps.example.com";
  cira.config.username = "admin";
  cira.config.root_certificate = "MIIroot";
  p.cira = cira;
  proxy_config proxy;
  proxy.address = "10.0.0.1";
  proxy.port = 3128;
  proxy.dns_suffix = "example.com";
  p.proxies = {proxy};
  p.enterprise_assistant = "http://ea.example.com:8000";
  return p;
}

TEST_CASE("an exported profile says what the profile says") {
  const auto text = profile_yaml(full());
  REQUIRE(text.ok());
  const auto root = YAML::Load(*text);
  const auto string = [](const YAML::Node& n) {
    return n.as<std::string>();
  };
  CHECK(string(root["name"]) == "office");
  CHECK(root["tags"].as<std::vector<std::string>>() == full().what.tags);
  const auto c = root["configuration"];
  const auto wired = c["network"]["wired"];
  CHECK(wired["dhcpEnabled"].as<bool>());
  CHECK(wired["ipSyncEnabled"].as<bool>());
  CHECK_FALSE(wired["sharedStaticIP"].as<bool>());
  CHECK(string(wired["ieee8021x"]["password"]) == "secret");
  CHECK(string(wired["ieee8021x"]["username"]) == "user");
  CHECK(wired["ieee8021x"]["authenticationProtocol"].as<int>() == 2);
  CHECK(string(wired["ieee8021x"]["caCert"]) == "MIIca");
  CHECK(string(wired["ieee8021x"]["clientCert"]).empty());
  CHECK(string(wired["ieee8021x"]["privateKey"]).empty());
  CHECK(wired["ieee8021x"]["pxeTimeout"].as<int>() == 60);
  const auto wireless = c["network"]["wireless"];
  CHECK(wireless["wifiSyncEnabled"].as<bool>());
  CHECK(wireless["uefiWiFiSyncEnabled"].as<bool>());
  REQUIRE(wireless["profiles"].size() == 2);
  CHECK(string(wireless["profiles"][0]["ssid"]) == full().wifi[0].config.ssid);
  CHECK(string(wireless["profiles"][0]["password"]) == "12345678");
  CHECK(string(wireless["profiles"][0]["authenticationMethod"]) == "WPA2PSK");
  CHECK(string(wireless["profiles"][0]["encryptionMethod"]) == "CCMP");
  CHECK(wireless["profiles"][0]["priority"].as<int>() == 3);
  CHECK(wireless["profiles"][0]["ieee8021x"].IsNull());
  CHECK(string(wireless["profiles"][1]["authenticationMethod"]) == "WPA2IEEE8021x");
  CHECK(string(wireless["profiles"][1]["encryptionMethod"]) == "TKIP");
  CHECK(string(wireless["profiles"][1]["ieee8021x"]["username"]) == "w");
  CHECK(string(c["network"]["proxy"][0]["address"]) == "10.0.0.1");
  CHECK(c["network"]["proxy"][0]["port"].as<int>() == 3128);
  CHECK(c["tls"]["enabled"].as<bool>());
  CHECK(c["tls"]["mutualAuthentication"].as<bool>());
  CHECK(c["tls"]["allowNonTLS"].as<bool>());
  CHECK(string(c["tls"]["signingAuthority"]) == "SelfSigned");
  CHECK(c["redirection"]["services"]["kvm"].as<bool>());
  CHECK(c["redirection"]["services"]["sol"].as<bool>());
  CHECK_FALSE(c["redirection"]["services"]["ider"].as<bool>());
  CHECK(string(c["redirection"]["userConsent"]) == "KVM");
  CHECK(string(c["enterpriseAssistant"]["url"]) == "http://ea.example.com:8000");
  const auto amt = c["amtSpecific"];
  CHECK(string(amt["controlMode"]) == "acmactivate");
  CHECK(string(amt["adminPassword"]) == full().amt_password);
  CHECK(string(amt["provisioningCert"]) == "MIIabc==");
  CHECK(string(amt["provisioningCertPwd"]) == "pfx password");
  CHECK(amt["generateRandomMEBXPassword"].as<bool>());
  CHECK_FALSE(amt["generateRandomPassword"].as<bool>());
  CHECK(string(amt["cira"]["mpsAddress"]) == "mps.example.com");
  CHECK(amt["cira"]["mpsPort"].as<int>() == 4433);
  CHECK(amt["cira"]["generateRandomPassword"].as<bool>());
}

TEST_CASE("an exported profile of next to nothing is still a whole one") {
  exported_profile p;
  p.what.name = "plain";
  const auto text = profile_yaml(p);
  REQUIRE(text.ok());
  const auto c = YAML::Load(*text)["configuration"];
  CHECK(c["network"]["wired"]["ieee8021x"].IsNull());
  CHECK(c["network"]["wireless"]["profiles"].size() == 0);
  CHECK(c["network"]["proxy"].size() == 0);
  CHECK_FALSE(c["tls"]["enabled"].as<bool>());
  CHECK_FALSE(c["amtSpecific"]["cira"].IsDefined());
  CHECK(c["amtSpecific"]["controlMode"].as<std::string>() == "ccmactivate");
}

TEST_CASE("texts of a profile cannot break out of their quotes") {
  for (const auto& odd :
       {std::string("\"\nadminPassword: \"x"), std::string("\\"), std::string("a\0b", 3),
        std::string("\x7F\t\r\n"), std::string("\xC2\x85\xE2\x80\xA8\xEF\xBB\xBF"),
        std::string("{x: [1]} # & *a !b %c @d `e"), std::string("null"), std::string("  ")}) {
    auto p = full();
    p.amt_password = odd;
    p.what.name = odd;
    const auto text = profile_yaml(p);
    REQUIRE(text.ok());
    for (const char c : *text)
      CHECK((c == '\n' || (c >= 0x20 && c < 0x7F)));
    const auto root = YAML::Load(*text);
    CHECK(root["name"].as<std::string>() == odd);
    CHECK(root["configuration"]["amtSpecific"]["adminPassword"].as<std::string>() == odd);
  }
  for (const char* bad : {"\xFF", "\xC3", "\xC0\x80", "\xED\xA0\x80", "\xF5\x80\x80\x80", "\x80"}) {
    auto p = full();
    p.pfx_password = bad;
    const auto refused = profile_yaml(p);
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().field == "provisioningCertPwd");
  }
}

TEST_CASE("a sealed profile opens with its key and with no other") {
  const std::string random(sealing_octets, 'r'), other(sealing_octets, 'o');
  const auto sealed = seal_profile("id: 0\n", random);
  REQUIRE(sealed.ok());
  CHECK(sealed->key.size() == 32);
  CHECK(amt::base64_decode(sealed->content)->size() == 12 + 6 + 16);
  const auto opened = open_profile(sealed->content, sealed->key);
  REQUIRE(opened.ok());
  CHECK(*opened == "id: 0\n");
  const auto again = seal_profile("id: 0\n", other);
  CHECK(again->key != sealed->key);
  CHECK_FALSE(open_profile(sealed->content, again->key).ok());
  CHECK_FALSE(open_profile(sealed->content, "short").ok());
  CHECK_FALSE(open_profile("AAAA", sealed->key).ok());
  CHECK_FALSE(open_profile("!", sealed->key).ok());
  auto bad = *amt::base64_decode(sealed->content);
  bad[14] = static_cast<char>(bad[14] ^ 1);
  CHECK_FALSE(open_profile(amt::base64_encode(bad), sealed->key).ok());
  CHECK(open_profile(seal_profile("", random)->content, "x").error().field == "key");
  CHECK(!seal_profile("", "short").ok());
  CHECK(seal_profile(std::string(600 * 1024, 'x'), random).error().what == problem::too_large);
}

} // namespace
} // namespace outband::provisioning
