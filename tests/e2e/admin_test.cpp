// The life of a profile and all that it names, through the real server and its database.
#include "messages/amt/base64.hpp"
#include "tests/e2e/site.hpp"
#include "tests/support/provisioning_pki.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace outband;
using namespace outband::e2e;

namespace {

const std::string base = "/api/v1/admin/";

json must(const reply& r, int status) {
  CAPTURE(r.body);
  REQUIRE(r.status == status);
  return r.body.empty() ? json() : r.parsed();
}

} // namespace

TEST_CASE(
    "a profile is prepared and changed and exported and removed and no secret of it is in clear") {
  auto& s = site::get();
  const auto& admin = s.admin();
  auto post = [&](const std::string& kind, const json& body) {
    return must(s.call(&admin, "POST", base + kind, body.dump()), 201);
  };
  post("ciraconfigs", {{"configName", "e2e-cira"},
                       {"mpsServerAddress", "amt.example.com"},
                       {"mpsPort", 4433},
                       {"username", "standalone"},
                       {"serverAddressFormat", 201},
                       {"authMethod", 2},
                       {"mpsRootCertificate", "MIIC"},
                       {"password", "Cira-secret-1"}});
  post("wirelessconfigs", {{"profileName", "e2ewifi"},
                           {"authenticationMethod", 6},
                           {"encryptionMethod", 4},
                           {"ssid", "net"},
                           {"pskPassphrase", "wifi-secret-1"}});
  post("ieee8021xconfigs", {{"profileName", "e2ecable"},
                            {"wiredInterface", true},
                            {"authenticationProtocol", 0},
                            {"pxeTimeout", 60}});
  post("proxyconfigs", {{"name", "e2eproxy"},
                        {"address", "192.0.2.1"},
                        {"port", 3128},
                        {"networkDnsSuffix", "example.com"}});
  const auto pfx = amt::base64_encode(test::make_pfx(test::make_provisioning_pki()));
  const auto domain = post("domains", {{"profileName", "e2e-domain"},
                                       {"domainSuffix", "example.com"},
                                       {"provisioningCert", pfx},
                                       {"provisioningCertPassword", "P@ssw0rd"},
                                       {"provisioningCertStorageFormat", "string"}});
  CHECK(domain.at("expirationDate").is_string());
  const json whole = {{"profileName", "E2E"},
                      {"activation", "acmactivate"},
                      {"amtPassword", "Amt!secret-1"},
                      {"mebxPassword", "Mebx!secret-1"},
                      {"dhcpEnabled", true},
                      {"ciraConfigName", "e2e-cira"},
                      {"ieee8021xProfileName", "e2ecable"},
                      {"wifiConfigs", {{{"profileName", "e2ewifi"}, {"priority", 1}}}},
                      {"proxyConfigs", {{{"name", "e2eproxy"}, {"priority", 1}}}},
                      {"tags", {"one"}}};
  const auto made = post("profiles", whole);
  CHECK(made.at("tenantId") == "demo");
  CHECK(must(s.call(&admin, "GET", base + "profiles/e2e"), 200) == made);
  CHECK(s.call(&admin, "POST", base + "profiles", whole.dump()).parsed().at("error") ==
        "Unique key violation");
  auto stranger = s.make_person("admin-stranger", "admin", "globex");
  CHECK(s.call(&stranger, "GET", base + "profiles/E2E").status == 404);
  CHECK(s.call(&stranger, "DELETE", base + "profiles/E2E").status == 404);
  CHECK(s.call(&admin, "DELETE", base + "ciraconfigs/e2e-cira").parsed().at("error") ==
        "Foreign key violation");

  auto change = whole;
  change.erase("ciraConfigName");
  change.erase("amtPassword");
  change["activation"] = "acmactivate";
  change["version"] = made.at("version");
  change["solEnabled"] = true;
  const auto changed = must(s.call(&admin, "PATCH", base + "profiles", change.dump()), 200);
  CHECK(changed.at("ciraConfigName").is_null());
  CHECK(changed.at("solEnabled") == true);
  auto late = s.call(&admin, "PATCH", base + "profiles", change.dump());
  CHECK(late.status == 409);
  CHECK(late.parsed() == changed);

  // It survives the server; export has all of it, the tables and the trail none of its secrets.
  s.restart_server(9);
  const auto exported =
      must(s.call(&s.admin(), "GET", base + "profiles/export/e2e?domainName=e2e-domain"), 200);
  CHECK(exported.at("filename") == "E2E.yaml");
  CHECK(exported.at("key").get<std::string>().size() == 32);
  const auto check = must(s.call(&s.admin(), "GET", base + "domains/e2e-domain/check"), 200);
  CHECK(check.at("usable") == true);
  CHECK(s.until([&] { // written soon after the answer
    return s.sql("select count(*) from audit where act = 'profile.export'") != "0";
  }));
  const auto tables = s.sql("select * from profile; select * from object_secret; select * from "
                            "cira_config; select * from domain; select * from audit");
  for (const std::string secret :
       {"Amt!secret-1", "Mebx!secret-1", "wifi-secret-1", "Cira-secret-1", "P@ssw0rd"})
    CHECK(tables.find(secret) == std::string::npos);
  CHECK(tables.find(pfx.substr(0, 64)) == std::string::npos);
  CHECK(s.server_log().find("secret-1") == std::string::npos);

  const auto token =
      must(s.call(&s.admin(), "POST", base + "activation-tokens", R"({"profile":"e2e"})"), 201);
  CHECK(token.at("profile") == "E2E");
  CHECK(token.at("url").get<std::string>().rfind("wss://localhost:", 0) == 0);
  CHECK(s.sql("select * from activation_token").find(token.at("token").get<std::string>()) ==
        std::string::npos);
  must(
      s.call(&s.admin(), "DELETE", base + "activation-tokens/" + token.at("id").get<std::string>()),
      204);
  for (const char* what :
       {"profiles/E2E", "domains/e2e-domain", "proxyconfigs/e2eproxy", "ieee8021xconfigs/e2ecable",
        "wirelessconfigs/e2ewifi", "ciraconfigs/e2e-cira"})
    must(s.call(&s.admin(), "DELETE", base + what), 204);
  CHECK(s.call(&s.admin(), "GET", base + "profiles/E2E").status == 404);
}
