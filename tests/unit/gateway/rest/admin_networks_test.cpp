// CIRA, WiFi, 802.1x and proxy configurations as RPS serves them.
#include "tests/support/certs.hpp"
#include "tests/unit/gateway/rest/site.hpp"

#include <doctest/doctest.h>

using namespace outband;
using namespace outband::testing;

namespace {

const std::string cira_path = "/api/v1/admin/ciraconfigs",
                  wifi_path = "/api/v1/admin/wirelessconfigs",
                  eap_path = "/api/v1/admin/ieee8021xconfigs",
                  proxy_path = "/api/v1/admin/proxyconfigs";

const std::string cira = R"({"configName":"Cira1","mpsServerAddress":"amt.example.com",)"
                         R"("mpsPort":4433,"username":"standalone","commonName":"amt.example.com",)"
                         R"("serverAddressFormat":201,"authMethod":2,"mpsRootCertificate":"MIIC",)"
                         R"("proxyDetails":"","password":"Cira-pass-1"})";

/// The messages of a 400 with a list, for one member.
std::vector<std::string> told(const reply& r, const std::string& path) {
  std::vector<std::string> out;
  CHECK(r.status == 400);
  const auto* errors = r.body.find("errors");
  if (!errors || !errors->items())
    return {"no list of errors: " + r.text};
  for (const auto& e : *errors->items()) {
    CHECK(*e.find("type")->text() == "field");
    if (*e.find("path")->text() == path)
      out.push_back(*e.find("msg")->text());
  }
  return out;
}
using words = std::vector<std::string>;

std::string with(std::string body, const std::string& from, const std::string& to) {
  auto at = body.find(from);
  REQUIRE(at != std::string::npos);
  return body.replace(at, from.size(), to);
}

} // namespace

TEST_CASE("a CIRA configuration lives as in RPS and its password stays in the store") {
  site s;
  auto made = s.send("POST", cira_path, s.admin, cira);
  CHECK(made.status == 201);
  CHECK(made.at("configName") == "Cira1");
  CHECK(made.at("mpsServerAddress") == "amt.example.com");
  CHECK(made.number("mpsPort") == 4433);
  CHECK(made.number("serverAddressFormat") == 201);
  CHECK(made.number("authMethod") == 2);
  CHECK(made.at("mpsRootCertificate") == "MIIC");
  CHECK(made.at("tenantId") == "acme");
  CHECK(made.header("ETag") == "\"" + made.at("version") + "\"");
  CHECK(made.text.find("Cira-pass-1") == std::string::npos);
  const auto* kept = s.provisioning.cira_rows.find("acme", "cira1");
  REQUIRE(kept);
  CHECK(kept->secrets.at("mps_password") ==
        "sealed:acme:cira-config/cira1/mps_password:Cira-pass-1");
  CHECK(s.send("GET", cira_path + "/CIRA1", s.viewer).text == made.text);
  CHECK(s.send("GET", cira_path, s.viewer).text == "[" + made.text + "]");
  auto counted = s.send("GET", cira_path + "?$count=true&$top=0", s.viewer);
  CHECK(counted.text == R"({"data":[],"totalCount":1})");
  auto again = s.send("POST", cira_path, s.admin, with(cira, "Cira1", "CIRA1"));
  CHECK(again.status == 400);
  CHECK(again.at("error") == "Unique key violation");
  CHECK(again.at("message") == "CIRA Config CIRA1 already exists.");

  // A PATCH changes what it names; a password goes where the first one went.
  const auto version = made.at("version");
  auto changed = s.send("PATCH", cira_path, s.admin,
                        R"({"configName":"cira1","mpsPort":4434,"password":"Cira-pass-2",)"
                        R"("version":")" +
                            version + "\"}");
  CHECK(changed.status == 200);
  CHECK(changed.number("mpsPort") == 4434);
  CHECK(changed.at("username") == "standalone");
  CHECK(changed.at("configName") == "Cira1");
  CHECK(changed.text.find("Cira-pass-2") == std::string::npos);
  CHECK(s.provisioning.cira_rows.find("acme", "cira1")->secrets.at("mps_password") ==
        "sealed:acme:cira-config/cira1/mps_password:Cira-pass-2");
  // Somebody who has read an older one gets the present one.
  auto late = s.send("PATCH", cira_path, s.admin,
                     R"({"configName":"Cira1","mpsPort":4435,"version":")" + version + "\"}");
  CHECK(late.status == 409);
  CHECK(late.text == changed.text);
  CHECK(late.header("ETag") == changed.header("ETag"));
  CHECK(s.send("PATCH", cira_path, s.admin, R"({"configName":"Cira1","mpsPort":4435})").status ==
        409);
  auto stale = s.send("PATCH", cira_path, s.admin, R"({"configName":"Cira1","mpsPort":4435})",
                      {{"If-Match", version}});
  CHECK(stale.status == 412);
  auto newest = s.send("PATCH", cira_path, s.admin, R"({"configName":"Cira1","mpsPort":4435})",
                       {{"If-Match", changed.header("ETag")}});
  CHECK(newest.status == 200);
  CHECK(newest.number("mpsPort") == 4435);

  CHECK(s.send("DELETE", cira_path + "/cira1", s.admin).status == 204);
  auto gone = s.send("GET", cira_path + "/Cira1", s.viewer);
  CHECK(gone.status == 404);
  CHECK(gone.at("error") == "Not Found");
  CHECK(gone.at("message") == "CIRA profile Cira1 Not Found");
  CHECK(s.send("DELETE", cira_path + "/Cira1", s.admin).at("message") ==
        "CIRA profile Cira1 Not Found");
  CHECK(s.send("PATCH", cira_path, s.admin, R"({"configName":"Cira1"})").at("message") ==
        "CIRA profile Cira1 Not Found");
}

TEST_CASE("a CIRA configuration follows the site until somebody sets what it follows") {
  site s;
  REQUIRE(s.send("POST", cira_path, s.admin, cira).status == 201);
  auto& kept = s.provisioning.cira_rows.kept[{"acme", "cira1"}].what;
  kept.ours = true;
  auto patch = [&](const std::string& member) {
    return s
        .send("PATCH", cira_path, s.admin, R"({"configName":"Cira1",)" + member + "}",
              {{"If-Match", std::to_string(kept.version)}})
        .status;
  };
  CHECK(patch(R"("username":"another1")") == 200);
  CHECK(kept.ours);
  CHECK(patch(R"("mpsServerAddress":"balancer.example.com","serverAddressFormat":201)") == 200);
  CHECK_FALSE(kept.ours);
  CHECK(patch(R"("mpsServerAddress":"amt.example.com","serverAddressFormat":201)") == 200);
  CHECK_FALSE(kept.ours);
}

TEST_CASE("where a new CIRA password is wanted each machine gets one of its own") {
  site s;
  auto made = s.send("POST", cira_path, s.admin, cira);
  const auto kept = [&]() -> const sealed_fields& {
    return s.provisioning.cira_rows.find("acme", "cira1")->secrets;
  };
  REQUIRE(kept().count("mps_password") == 1);
  CHECK(s.send("PATCH", cira_path, s.admin,
               R"({"configName":"Cira1","regeneratePassword":false,"version":")" +
                   made.at("version") + "\"}")
            .status == 200);
  CHECK(kept().count("mps_password") == 1);
  const auto now = s.send("GET", cira_path + "/Cira1", s.viewer).at("version");
  auto changed =
      s.send("PATCH", cira_path, s.admin,
             R"({"configName":"Cira1","regeneratePassword":true,"version":")" + now + "\"}");
  CHECK(changed.status == 200);
  CHECK(kept().count("mps_password") == 0); // the activation makes one per machine
  CHECK(told(s.send("PATCH", cira_path, s.admin,
                    R"({"configName":"Cira1","regeneratePassword":true,"password":"x"})"),
             "regeneratePassword") == words{"Either regeneratePassword or password, but not both"});
}

TEST_CASE("wrong CIRA configurations are refused in RPS's words") {
  site s;
  auto post = [&](const std::string& body) {
    return s.send("POST", cira_path, s.admin, body);
  };
  auto nothing = post("{}");
  CHECK(told(nothing, "configName") ==
        words{"CIRA profile name is required",
              "CIRA profile name accepts letters, numbers, underscore and hyphen only"});
  CHECK(told(nothing, "serverAddressFormat").size() == 2);
  CHECK(told(nothing, "mpsServerAddress") ==
        words{"MPS server address is required", "serverAddressFormat is required"});
  CHECK(told(nothing, "mpsPort") ==
        words{"MPS port is required", "MPS Port value should range between 1024 and 49151"});
  CHECK(told(nothing, "username").size() == 3);
  CHECK(told(nothing, "authMethod").size() == 2);
  CHECK(told(nothing, "mpsRootCertificate") == words{"MPS public root certificate is required"});
  const std::pair<std::string, std::string> servers[] = {
      {"\"serverAddressFormat\":3", "serverAddressFormat 3 requires IPV4 server address"},
      {"\"serverAddressFormat\":4", "serverAddressFormat 4 requires IPV6 server address"}};
  for (const auto& [format, msg] : servers)
    CHECK(told(post(with(cira, "\"serverAddressFormat\":201", format)), "mpsServerAddress") ==
          words{msg});
  for (const std::string bad : {"localhost", "AMT.example.com", "a..b.com", "-a.com", "a.b1", ""})
    CHECK_FALSE(told(post(with(cira, "\"mpsServerAddress\":\"amt.example.com\"",
                               "\"mpsServerAddress\":\"" + bad + "\"")),
                     "mpsServerAddress")
                    .empty());
  for (const std::string bad : {"1023", "49152", "\"4433\"", "1e9", "null"})
    CHECK_FALSE(told(post(with(cira, "4433", bad)), "mpsPort").empty());
  CHECK(told(post(with(cira, "standalone", "four")), "username") ==
        words{"MPS user name length should be in between 5 to 16"});
  CHECK(told(post(with(cira, "standalone", "with space")), "username") ==
        words{"MPS user name should be alphanumeric"});
  CHECK(told(post(with(cira, "Cira1", "no good")), "configName").size() == 1);
  // An IPv4 address needs a common name that is one.
  auto ip = with(with(cira, "amt.example.com", "192.0.2.1"), "\"serverAddressFormat\":201",
                 "\"serverAddressFormat\":3");
  CHECK(told(post(ip), "commonName") == words{"Cert. Hostname(CN) should be an IP address."});
  CHECK(post(with(ip, "amt.example.com", "192.0.2.1")).status == 201);
  CHECK(told(post(with(ip, "\"commonName\":\"amt.example.com\",", "")), "mpsServerAddress") ==
        words{"commonName is required when serverAddressFormat is 3"});
  // Of a change, the address and its format belong together.
  auto patch = [&](const std::string& more) {
    return s.send("PATCH", cira_path, s.admin, R"({"configName":"Cira1",)" + more + "}");
  };
  CHECK(told(patch(R"("serverAddressFormat":201)"), "serverAddressFormat") ==
        words{"Server address is required to update"});
  CHECK(told(patch(R"("mpsServerAddress":"a.example.com")"), "mpsServerAddress") ==
        words{"serverAddressFormat is required"});
  CHECK(told(patch(R"("mpsPort":80)"), "mpsPort").size() == 1);
  // No answer repeats a password, however wrong.
  auto secret = post(with(cira, "\"Cira-pass-1\"", "\"" + std::string(64, 'p') + "\""));
  CHECK(told(secret, "password").size() == 1);
  CHECK(secret.text.find("ppp") == std::string::npos);
}

TEST_CASE("pages are asked for in RPS's words") {
  site s;
  for (const char* path :
       {"ciraconfigs", "profiles", "domains", "wirelessconfigs", "ieee8021xconfigs", "proxyconfigs",
        "activation-tokens", "activations"}) {
    CAPTURE(path);
    const auto base = "/api/v1/admin/" + std::string(path);
    CHECK(s.send("GET", base, s.viewer).text == "[]");
    CHECK(s.send("GET", base + "?$count=true", s.viewer).text == R"({"data":[],"totalCount":0})");
    CHECK(s.send("GET", base + "?$count=false", s.viewer).text == "[]");
    CHECK(s.send("GET", base + "?$top=9999999999&$skip=9999999999", s.viewer).text == "[]");
    CHECK(told(s.send("GET", base + "?$top=-1", s.viewer), "$top") ==
          words{"The number of items to return should be a positive integer"});
    CHECK(told(s.send("GET", base + "?$skip=x", s.viewer), "$skip").size() == 1);
    CHECK(told(s.send("GET", base + "?$top=10000000000", s.viewer), "$top").size() == 1);
    CHECK(told(s.send("GET", base + "?$count=maybe", s.viewer), "$count") ==
          words{"To return total number of records in result set should be boolean"});
  }
}

TEST_CASE("an 802.1x configuration lives as in RPS") {
  site s;
  const std::string wired =
      R"({"profileName":"cable","wiredInterface":true,"authenticationProtocol":10,"pxeTimeout":60})";
  auto made = s.send("POST", eap_path, s.admin, wired);
  CHECK(made.status == 201);
  CHECK(made.number("authenticationProtocol") == 10);
  CHECK(made.number("pxeTimeout") == 60);
  CHECK(*made.body.find("wiredInterface")->boolean());
  auto radio = s.send("POST", eap_path, s.admin,
                      R"({"profileName":"radio","wiredInterface":false,"authenticationProtocol":2,)"
                      R"("password":"eap-secret"})");
  CHECK(radio.status == 201);
  CHECK(radio.number("pxeTimeout") == 120);
  CHECK(radio.text.find("eap-secret") == std::string::npos);
  CHECK(s.provisioning.eap_rows.find("acme", "radio")->secrets.count("password") == 1);
  CHECK(s.send("POST", eap_path, s.admin, wired).at("message") ==
        "802.1x config: cable already exists");
  CHECK(told(s.send("PATCH", eap_path, s.admin, wired), "version") ==
        words{"Version is required to patch/update a record."});
  auto changed = s.send("PATCH", eap_path, s.admin, with(wired, "60}", "0}"),
                        {{"If-Match", made.header("ETag")}});
  CHECK(changed.status == 200);
  CHECK(changed.number("pxeTimeout") == 0);
  auto post = [&](const std::string& body) {
    return s.send("POST", eap_path, s.admin, body);
  };
  CHECK(told(post("{}"), "profileName").size() == 2);
  CHECK(told(post("{}"), "wiredInterface") == words{"Wired interface flag is required"});
  CHECK(told(post("{}"), "authenticationProtocol").size() == 2);
  CHECK(told(post(with(wired, "10", "4")), "authenticationProtocol") ==
        words{"Authentication protocol must be one of 0:EAP-TLS, 3:PEAPv1/EAP-GTC, "
              "5:EAP-FAST/GTC, 10:EAP-FAST/TLS, 2:PEAPv0/EAP-MSCHAPv2"});
  CHECK(told(post(with(wired, "true", "false")), "authenticationProtocol") ==
        words{"Authentication protocol must be one of 0:EAP-TLS, 2:PEAPv0/EAP-MSCHAPv2"});
  CHECK(told(post(with(wired, ",\"pxeTimeout\":60", "")), "pxeTimeout") ==
        words{"PXE Timeout is required", "PXE Timeout must be number"});
  CHECK(told(post(with(wired, "60", "86401")), "pxeTimeout") ==
        words{"PXE Timeout value should be 0 - 86400"});
  CHECK(told(post(with(wired, "cable", "with-hyphen")), "profileName") ==
        words{"802.1x profile name should be alphanumeric"});
  CHECK(told(post(with(wired, "cable", std::string(33, 'x'))), "profileName") ==
        words{"802.1x profile name maximum length is 32"});
}

TEST_CASE("an 802.1x configuration says who the machine is and never its password") {
  site s;
  const auto ca = test::certificate_authority("radius root").certificate_pem();
  auto body = [&](const std::string& more) {
    return R"({"profileName":"cable","wiredInterface":true,"authenticationProtocol":2,)"
           R"("pxeTimeout":60)" +
           more + "}";
  };
  const auto quoted = [](const std::string& text) {
    return json::dump(json::value(text));
  };
  auto post = [&](const std::string& more) {
    return s.send("POST", eap_path, s.admin, body(more));
  };
  for (const auto& [field, limit] :
       {std::pair{"username", 128}, std::pair{"domain", 128}, std::pair{"roamingIdentity", 80},
        std::pair{"serverName", 80}}) {
    CAPTURE(field);
    const auto is = [&, name = std::string(field)](const std::string& value) {
      return told(post(",\"" + name + "\":" + value), name);
    };
    const auto limits = words{"must be a string of at most " + std::to_string(limit) +
                              " octets without control characters"};
    CHECK(is("7") == limits);
    CHECK(is(quoted(std::string(static_cast<std::size_t>(limit) + 1, 'x'))) == limits);
    CHECK(is(quoted("a\nb")).front() == limits.front());
  }
  CHECK(told(post(R"(,"serverName":"a b")"), "serverName") ==
        words{"serverName should be the full name in the authentication server's certificate"});
  CHECK(told(post(R"(,"caCertificate":7)"), "caCertificate") ==
        words{"caCertificate must be a string"});
  CHECK(told(post(R"(,"caCertificate":"bm9uZQ==")"), "caCertificate") ==
        words{"caCertificate must be an X.509 certificate: base64 of DER or of PEM"});
  auto made = post(R"(,"username":"edge","password":"eap-secret","domain":"CORP",)"
                   R"("roamingIdentity":"anonymous@corp","serverName":"radius.corp",)"
                   R"("caCertificate":)" +
                   quoted(ca));
  REQUIRE(made.status == 201);
  CHECK(made.at("username") == "edge");
  CHECK(made.at("domain") == "CORP");
  CHECK(made.at("roamingIdentity") == "anonymous@corp");
  CHECK(made.at("serverName") == "radius.corp");
  CHECK(made.at("caCertificate").substr(0, 3) == "MII"); // one line of base64, whatever it came as
  CHECK(made.text.find("eap-secret") == std::string::npos);
  // What is left out stays; null and the empty text are the same.
  auto changed = s.send("PATCH", eap_path, s.admin,
                        body(R"(,"domain":null,"serverName":"","username":"other")"),
                        {{"If-Match", made.header("ETag")}});
  REQUIRE(changed.status == 200);
  CHECK(changed.at("username") == "other");
  CHECK(changed.body.find("domain")->is_null());
  CHECK(changed.body.find("serverName")->is_null());
  CHECK(changed.at("roamingIdentity") == "anonymous@corp");
  CHECK(changed.at("caCertificate") == made.at("caCertificate"));
  CHECK(s.provisioning.eap_rows.find("acme", "cable")->secrets.count("password") == 1);
}

TEST_CASE("a WiFi configuration lives as in RPS and its key stays in the store") {
  site s;
  s.send("POST", eap_path, s.admin,
         R"({"profileName":"radio","wiredInterface":false,"authenticationProtocol":0})");
  s.send(
      "POST", eap_path, s.admin,
      R"({"profileName":"cable","wiredInterface":true,"authenticationProtocol":0,"pxeTimeout":1})");
  const std::string psk =
      R"({"profileName":"home","authenticationMethod":6,"encryptionMethod":4,"ssid":"net",)"
      R"("pskPassphrase":"wifi-secret","linkPolicy":[1,14]})";
  auto made = s.send("POST", wifi_path, s.admin, psk);
  CHECK(made.status == 201);
  CHECK(made.at("ssid") == "net");
  CHECK(made.body.find("linkPolicy")->items()->size() == 2);
  CHECK(made.text.find("wifi-secret") == std::string::npos);
  CHECK(s.provisioning.wifi_rows.find("acme", "home")->secrets.at("psk_passphrase") ==
        "sealed:acme:wireless-config/home/psk_passphrase:wifi-secret");
  CHECK(s.send("POST", wifi_path, s.admin, psk).at("message") ==
        "Wireless profile home already exists");
  // What becomes an 802.1x network forgets its key, and keeps what it was not told.
  auto eap = s.send("PATCH", wifi_path, s.admin,
                    R"({"profileName":"home","authenticationMethod":7,"encryptionMethod":4,)"
                    R"("ssid":"net","ieee8021xProfileName":"radio","version":")" +
                        made.at("version") + "\"}");
  CHECK(eap.status == 200);
  CHECK(eap.at("ieee8021xProfileName") == "radio");
  CHECK(eap.body.find("linkPolicy")->items()->size() == 2);
  CHECK(s.provisioning.wifi_rows.find("acme", "home")->secrets.empty());
  auto used = s.send("DELETE", eap_path + "/radio", s.admin);
  CHECK(used.status == 400);
  CHECK(used.at("error") == "Error");
  CHECK(used.at("message") == "802.1x config: radio is associated with a wireless profile.");
  auto post = [&](const std::string& body) {
    return s.send("POST", wifi_path, s.admin, body);
  };
  const auto other = with(psk, "home", "other");
  CHECK(told(post("{}"), "ssid") == words{"SSID is required"});
  CHECK(told(post(with(other, ":6", ":3")), "authenticationMethod").size() == 1);
  CHECK(told(post(with(other, "wifi-secret", "short")), "pskPassphrase") ==
        words{"PSK Passphrase length should be greater than or equal to 8 and less than or equal "
              "to 63"});
  CHECK(post(with(other, "wifi-secret", "tiny")).text.find("tiny") == std::string::npos);
  CHECK(told(post(with(other, ":6", ":7")), "ieee8021xProfileName") ==
        words{"ieee8021xProfileName is required"});
  CHECK(told(post(with(other, "\"ssid\"", "\"ieee8021xProfileName\":\"radio\",\"ssid\"")),
             "ieee8021xProfileName") ==
        words{"ieee8021xProfileName can not be specified with the provided authenticationMethod"});
  CHECK(told(post(with(other, "[1,14]", "[1,15]")), "linkPolicy").size() == 1);
  CHECK(told(post(with(other, "[1,14]", "[\"1\"]")), "linkPolicy") ==
        words{"Array does not contain integers"});
  auto named = [&](const std::string& name) {
    return told(post(with(with(other, ":6", ":7"), "\"ssid\"",
                          "\"ieee8021xProfileName\":\"" + name + "\",\"ssid\"")),
                "ieee8021xProfileName");
  };
  CHECK(named("none") == words{"Ieee8021x profile none does not exist in db"});
  CHECK(named("cable") == words{"Ieee8021x profile cable is for wired interfaces"});
}

TEST_CASE("a proxy configuration lives as in RPS and the last writer wins") {
  site s;
  const std::string body =
      R"({"name":"proxy1","address":"web.example.com","port":3128,"networkDnsSuffix":"example.com"})";
  auto made = s.send("POST", proxy_path, s.admin, body);
  CHECK(made.status == 201);
  CHECK(made.number("infoFormat") == 201);
  CHECK(made.text.find("version") == std::string::npos);
  CHECK(s.send("POST", proxy_path, s.admin, body).at("message") ==
        "Proxy profile proxy1 already exists");
  auto address = [&](const std::string& a) {
    return s.send("PATCH", proxy_path, s.admin, with(body, "web.example.com", a))
        .number("infoFormat");
  };
  CHECK(address("192.0.2.7") == 3);
  CHECK(address("2001:db8::7") == 4);
  CHECK(address("other.example.com") == 201);
  auto post = [&](const std::string& b) {
    return s.send("POST", proxy_path, s.admin, b);
  };
  CHECK(told(post("{}"), "address") ==
        words{"Server address is required", "Server address must be a valid IPv4, IPv6, or FQDN"});
  CHECK(told(post("{}"), "port") == words{"Port value should range between 1 and 65535"});
  CHECK(told(post(with(body, "3128", "65536")), "port").size() == 1);
  CHECK(told(post(with(body, "\"example.com\"", "\"example\"")), "networkDnsSuffix") ==
        words{"Domain name of the network should contain alphanumeric and hyphens in the middle"});
  CHECK(told(post(with(body, "web.example.com", "no spaces.com")), "address").size() == 1);
  CHECK(s.send("GET", proxy_path + "/nix", s.viewer).at("message") ==
        "Proxy profile nix Not Found");
}

TEST_CASE("version and health of provisioning are RPS's and for everybody") {
  site s;
  auto v = s.send("GET", "/api/v1/admin/version");
  CHECK(v.at("protocolVersion") == "4.0.0");
  CHECK(v.at("serviceVersion") == s.services.version);
  CHECK(s.send("GET", "/rps/api/v1/admin/health").status == 200);
  CHECK(s.send("GET", "/api/v1/admin").at("message") == "admin path. use admin/profiles");
  s.store.away = true;
  auto h = s.send("GET", "/api/v1/admin/health");
  CHECK(h.status == 503);
  CHECK(*h.body.find("db")->find("name")->text() == "POSTGRES");
}

TEST_CASE("a node without provisioning says so on all of its routes") {
  site s;
  s.services.provisioning = nullptr;
  s.rebuild();
  for (const std::string path : {"profiles", "domains/x", "ciraconfigs", "activation-tokens",
                                 "activations", "profiles/export/x", "domains/x/check"}) {
    auto r = s.send("GET", "/api/v1/admin/" + path, s.admin);
    CHECK(r.status == 422);
    CHECK(r.at("code") == "unsupported");
  }
}
