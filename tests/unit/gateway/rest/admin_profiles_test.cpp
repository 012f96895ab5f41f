// Profiles as RPS serves them, and their export.
#include "tests/unit/gateway/rest/site.hpp"

#include "messages/provisioning/profile_export.hpp"

#include <doctest/doctest.h>

using namespace outband;
using namespace outband::testing;

namespace {

const std::string path = "/api/v1/admin/profiles";
using words = std::vector<std::string>;

const std::string ccm =
    R"({"profileName":"p1","activation":"ccmactivate","amtPassword":"P@ssw0rd1",)"
    R"("generateRandomPassword":false,"dhcpEnabled":true})";
const std::string acm =
    R"({"profileName":"a1","activation":"acmactivate","amtPassword":"P@ssw0rd1",)"
    R"("mebxPassword":"M3bx!pass","dhcpEnabled":true,"tags":["a","b"]})";

words told(const reply& r, const std::string& member) {
  words out;
  CHECK(r.status == 400);
  const auto* errors = r.body.find("errors");
  if (!errors || !errors->items())
    return {"no list of errors: " + r.text};
  for (const auto& e : *errors->items())
    if (*e.find("path")->text() == member)
      out.push_back(*e.find("msg")->text());
  return out;
}

std::string with(std::string body, const std::string& from, const std::string& to) {
  auto at = body.find(from);
  REQUIRE(at != std::string::npos);
  return body.replace(at, from.size(), to);
}
/// One more member.
std::string plus(const std::string& body, const std::string& member) {
  return body.substr(0, body.size() - 1) + "," + member + "}";
}

void furnish(site& s) {
  auto made = [&](const std::string& kind, const std::string& body) {
    auto r = s.send("POST", "/api/v1/admin/" + kind, s.admin, body);
    CAPTURE(r.text);
    CHECK(r.status == 201);
  };
  made("ciraconfigs", R"({"configName":"cira","mpsServerAddress":"amt.example.com","mpsPort":4433,)"
                      R"("username":"standalone","serverAddressFormat":201,"authMethod":2,)"
                      R"("mpsRootCertificate":"MIIC"})");
  made(
      "ieee8021xconfigs",
      R"({"profileName":"cable","wiredInterface":true,"authenticationProtocol":0,"pxeTimeout":1})");
  made("ieee8021xconfigs",
       R"({"profileName":"radio","wiredInterface":false,"authenticationProtocol":0})");
  made("wirelessconfigs",
       R"({"profileName":"home","authenticationMethod":6,"encryptionMethod":4,"ssid":"net",)"
       R"("pskPassphrase":"wifi-secret"})");
  made("proxyconfigs",
       R"({"name":"proxy","address":"192.0.2.1","port":1,"networkDnsSuffix":"example.com"})");
}

const stored<profile>& kept(site& s, const std::string& name) {
  const auto* found = s.provisioning.profile_rows.find("acme", name);
  REQUIRE(found);
  return *found;
}

} // namespace

TEST_CASE("a profile is made with RPS's defaults and answers without passwords") {
  site s;
  auto made = s.send("POST", path, s.admin, ccm);
  REQUIRE(made.status == 201);
  CHECK(made.at("activation") == "ccmactivate");
  CHECK(made.at("userConsent") == "All");
  CHECK(*made.body.find("kvmEnabled")->boolean());
  CHECK_FALSE(*made.body.find("solEnabled")->boolean());
  CHECK_FALSE(*made.body.find("iderEnabled")->boolean());
  CHECK(made.body.find("ciraConfigName")->is_null());
  CHECK(made.body.find("tlsMode")->is_null());
  CHECK(made.body.find("wifiConfigs")->items()->empty());
  CHECK(made.text.find("P@ssw0rd1") == std::string::npos);
  CHECK(kept(s, "p1").secrets ==
        sealed_fields{{"amt_password", "sealed:acme:profile/p1/amt_password:"
                                       "P@ssw0rd1"}});
  auto admin_mode = s.send("POST", path, s.admin, acm);
  CHECK(admin_mode.at("userConsent") == "KVM");
  CHECK(kept(s, "a1").secrets.size() == 2);
  auto random = s.send("POST", path, s.admin,
                       R"({"profileName":"r1","activation":"acmactivate","dhcpEnabled":false,)"
                       R"("generateRandomPassword":true,"generateRandomMEBxPassword":true,)"
                       R"("tlsMode":3})");
  CHECK(random.status == 201);
  CHECK(random.at("tlsSigningAuthority") == "SelfSigned");
  CHECK(kept(s, "r1").secrets.empty());
  auto again = s.send("POST", path, s.admin, with(ccm, "p1", "P1"));
  CHECK(again.at("error") == "Unique key violation");
  CHECK(again.at("message") == "AMT profile P1 already exists");
  CHECK(s.send("GET", path + "/none", s.viewer).at("message") == "AMT profile none Not Found");
  CHECK(s.send("GET", path + "/P1", s.viewer).text == made.text);
}

TEST_CASE("wrong profiles are refused in RPS's words") {
  site s;
  auto post = [&](const std::string& body) {
    return s.send("POST", path, s.admin, body);
  };
  auto nothing = post("{}");
  CHECK(told(nothing, "profileName").size() == 2);
  CHECK(told(nothing, "activation") ==
        words{"Activation is required",
              "Activation accepts either acmactivate (admin control activation) or ccmactivate "
              "(client control mode activation)",
              "Either generateRandomPassword should be enabled or provide amtPassword"});
  CHECK(told(nothing, "dhcpEnabled") == words{"Invalid value", "DHCP enabled must be a boolean"});
  // RPS lets every one of its internal actions pass here.
  for (const std::string action : {"deactivate", "maintenance", "unknown", "CCMActivate"})
    CHECK(told(post(with(ccm, "ccmactivate", action)), "activation").size() == 1);
  CHECK(told(post(with(ccm, "p1", "with space")), "profileName") ==
        words{"AMT profile name accepts letters, numbers, special characters and no spaces"});
  for (const std::string weak :
       {"nothing-else", "Passw0rd", "P@ssw0r", "P@ss w0rd1", "P@ssw0rd-P@ssw0rd-P@ssw0rd-P@ssw0"}) {
    auto r = post(with(ccm, "P@ssw0rd1", weak));
    CHECK(told(r, "amtPassword").size() == 1);
    CHECK(r.text.find(weak) == std::string::npos);
  }
  CHECK(
      told(post(with(ccm, "false", "true")), "generateRandomPassword") ==
      words{"Either generate Random AMT Password should be enabled or should provide AMT Password "
            "but not both"});
  CHECK(told(post(with(acm, "\"mebxPassword\":\"M3bx!pass\",", "")), "activation") ==
        words{"MEBx Password is required for acmactivate"});
  CHECK(
      told(post(with(acm, "\"mebxPassword\":\"M3bx!pass\",", "")), "generateRandomMEBxPassword") ==
      words{"If generate random MEBx password is disabled, mebxPassword is mandatory"});
  CHECK(told(post(plus(ccm, R"("tlsMode":5)")), "tlsMode").size() == 1);
  CHECK(told(post(plus(ccm, R"("tlsSigningAuthority":"Me")")), "tlsSigningAuthority") ==
        words{"TLS Signing Authority must be one of SelfSigned,MicrosoftCA"});
  CHECK(told(post(plus(ccm, R"("tlsMode":1,"ciraConfigName":"cira")")), "ciraConfigName") ==
        words{"CIRA cannot be configured if TLS is enabled"});
  CHECK(told(post(plus(ccm, R"("userConsent":"KVM")")), "userConsent") ==
        words{"User consent is required for all the actions in client control mode"});
  CHECK(told(post(plus(acm, R"("userConsent":"Some")")), "userConsent") ==
        words{"User consent must be one of None,All,KVM"});
  CHECK(told(post(plus(ccm, R"("kvmEnabled":"yes")")), "kvmEnabled") ==
        words{"KVM enabled must be a boolean"});
  CHECK(told(post(plus(ccm, R"("tags":["a",1])")), "tags").size() == 1);
  const std::string one = R"({"profileName":"home","priority":1})";
  CHECK(told(post(plus(with(ccm, "\"dhcpEnabled\":true", "\"dhcpEnabled\":false"),
                       "\"wifiConfigs\":[" + one + "]")),
             "wifiConfigs") == words{"Wifi supports only DHCP in AMT"});
  std::string nine;
  for (int i = 0; i < 9; ++i)
    nine += (i ? "," : "") + with(one, "home", "home" + std::to_string(i));
  CHECK(told(post(plus(ccm, "\"wifiConfigs\":[" + nine + "]")), "wifiConfigs") ==
        words{"A maximum of 8 wifi profiles can be stored at a time."});
  for (const std::string priority : {"0", "256", "\"1\"", "null"})
    CHECK(told(post(plus(ccm, "\"wifiConfigs\":[" + with(one, ":1}", ":" + priority + "}") + "]")),
               "wifiConfigs") ==
          words{"wifi config priority should be an integer and between 1 and 255"});
  CHECK(told(post(plus(ccm, R"("proxyConfigs":[{"name":"x","priority":300}])")), "proxyConfigs") ==
        words{"proxy config priority should be an integer and between 1 and 255"});
  CHECK(s.provisioning.profile_rows.kept.empty());
}

TEST_CASE("what a profile names must exist and the answer says what does not") {
  site s;
  furnish(s);
  auto post = [&](const std::string& member) {
    return s.send("POST", path, s.admin, plus(ccm, member));
  };
  auto cira = post(R"("ciraConfigName":"none")");
  CHECK(cira.status == 400);
  CHECK(cira.at("error") == "Foreign key constraint violation");
  CHECK(cira.at("message") == "Referenced config none doesn't exist");
  CHECK(told(post(R"("wifiConfigs":[{"profileName":"home","priority":1},)"
                  R"({"profileName":"x","priority":2},{"profileName":"y","priority":3}])"),
             "wifiConfigs") == words{"wifi configs x,y does not exists in db"});
  CHECK(told(post(R"("proxyConfigs":[{"name":"x","priority":2}])"), "proxyConfigs") ==
        words{"proxy configs x does not exists in db"});
  CHECK(told(post(R"("ieee8021xProfileName":"none")"), "ieee8021xProfileName") ==
        words{"Ieee8021x profile none does not exist in db"});
  CHECK(told(post(R"("ieee8021xProfileName":"radio")"), "ieee8021xProfileName") ==
        words{"Ieee8021x profile radio is for wireless interfaces"});
  auto all = post(R"("ciraConfigName":"cira","ieee8021xProfileName":"cable",)"
                  R"("wifiConfigs":[{"profileName":"home","priority":1}],)"
                  R"("proxyConfigs":[{"name":"proxy","priority":2}])");
  REQUIRE(all.status == 201);
  // And stays as long as a profile names it.
  auto remove = [&](const std::string& what) {
    auto r = s.send("DELETE", "/api/v1/admin/" + what, s.admin);
    CHECK(r.status == 400);
    return r.at("error") + ": " + r.at("message");
  };
  CHECK(remove("ciraconfigs/cira") ==
        "Foreign key violation: CIRA Config: cira is associated with an AMT profile");
  CHECK(remove("wirelessconfigs/home") ==
        "Foreign key violation: Wireless profile: home is associated with an AMT Profile.");
  CHECK(remove("proxyconfigs/proxy") ==
        "Foreign key violation: Proxy profile: proxy is associated with an AMT Profile.");
  CHECK(remove("ieee8021xconfigs/cable") ==
        "Error: 802.1x config: cable is associated with an AMT Profile.");
  CHECK(s.send("DELETE", path + "/p1", s.admin).status == 204);
  CHECK(s.send("DELETE", "/api/v1/admin/ciraconfigs/cira", s.admin).status == 204);
}

TEST_CASE("a change of a profile empties what it leaves out as RPS does and keeps passwords") {
  site s;
  furnish(s);
  auto made =
      s.send("POST", path, s.admin,
             plus(acm, R"("ciraConfigName":"cira","ieee8021xProfileName":"cable",)"
                       R"("wifiConfigs":[{"profileName":"home","priority":1}],)"
                       R"("proxyConfigs":[{"name":"proxy","priority":2}],"solEnabled":true)"));
  REQUIRE(made.status == 201);
  const auto secrets = kept(s, "a1").secrets;
  const std::string least = R"({"profileName":"a1","activation":"acmactivate"})";
  CHECK(told(s.send("PATCH", path, s.admin, least), "version") ==
        words{"Version is required to patch/update a record."});
  auto patch = [&](const std::string& body) {
    return s.send("PATCH", path, s.admin,
                  plus(body, "\"version\":\"" + std::to_string(kept(s, "a1").what.version) + "\""));
  };
  auto less = patch(least);
  REQUIRE(less.status == 200);
  CHECK(less.body.find("ciraConfigName")->is_null());
  CHECK(less.body.find("ieee8021xProfileName")->is_null());
  CHECK(less.body.find("wifiConfigs")->items()->empty());
  CHECK(less.body.find("proxyConfigs")->items()->empty());
  CHECK(less.body.find("tags")->items()->size() == 2);
  CHECK(*less.body.find("solEnabled")->boolean());
  CHECK(*less.body.find("dhcpEnabled")->boolean());
  CHECK(kept(s, "a1").secrets == secrets);
  CHECK(told(patch(plus(least, R"("wifiConfigs":[{"profileName":"home","priority":1}])")),
             "wifiConfigs") == words{"DHCP enabled should be true"});
  CHECK(patch(plus(least,
                   R"("dhcpEnabled":true,"wifiConfigs":[{"profileName":"home","priority":9}])"))
            .body.find("wifiConfigs")
            ->items()
            ->size() == 1);
  CHECK(patch(plus(least, R"("tlsMode":2)")).at("tlsSigningAuthority") == "SelfSigned");
  CHECK(patch(least).body.find("tlsSigningAuthority")->is_null());
  // A password that is random is stored no longer, one that is given is not random any more.
  CHECK(patch(plus(least, R"("generateRandomPassword":true)")).status == 200);
  CHECK(kept(s, "a1").secrets.count("amt_password") == 0);
  CHECK(*patch(least).body.find("generateRandomPassword")->boolean());
  CHECK_FALSE(*patch(plus(least, R"("amtPassword":"N3w!passw")"))
                   .body.find("generateRandomPassword")
                   ->boolean());
  CHECK(kept(s, "a1").secrets.at("amt_password").find("N3w!passw") != std::string::npos);
  // Client control mode has no MEBx password and no other consent; back, it needs one again.
  auto client = patch(R"({"profileName":"a1","activation":"ccmactivate"})");
  CHECK(client.at("userConsent") == "All");
  CHECK(kept(s, "a1").secrets.count("mebx_password") == 0);
  auto back = patch(least);
  CHECK(back.status == 400);
  CHECK(back.at("error") == "Error");
  CHECK(back.at("message") == "MEBx password is required for acmactivate");
  CHECK(patch(plus(least, R"("mebxPassword":"M3bx!pass")")).status == 200);
  auto late = s.send("PATCH", path, s.admin, plus(least, R"("version":"1")"));
  CHECK(late.status == 409);
  CHECK(late.at("profileName") == "a1");
  CHECK(s.send("PATCH", path, s.admin, least, {{"If-Match", "1"}}).status == 412);
  CHECK(s.send("PATCH", path, s.admin, least,
               {{"If-Match", s.send("GET", path + "/a1", s.viewer).header("ETag")}})
            .status == 200);
  CHECK(
      s.send("PATCH", path, s.admin, plus(with(least, "a1", "none"), R"("version":"1")")).status ==
      404);
}

TEST_CASE("an exported profile opens with its key and is for administrators") {
  site s;
  furnish(s);
  s.send(
      "POST", path, s.admin,
      plus(acm, R"("ciraConfigName":"cira","wifiConfigs":[{"profileName":"home","priority":1}])"));
  const auto target = path + "/export/A1";
  CHECK(s.send("GET", target, s.operator_).status == 403);
  CHECK(s.send("GET", path + "/export/none", s.admin).at("message") ==
        "AMT profile none Not Found");
  CHECK(s.send("GET", target + "?domainName=none", s.admin).at("message") ==
        "Domain profile none Not Found");
  auto r = s.send("GET", target, s.admin);
  REQUIRE(r.status == 200);
  CHECK(r.at("filename") == "a1.yaml");
  CHECK(r.header("Cache-Control") == "no-store");
  CHECK(r.at("key").size() == 32);
  auto yaml = provisioning::open_profile(r.at("content"), r.at("key"));
  REQUIRE(yaml.ok());
  for (const char* text : {"P@ssw0rd1", "M3bx!pass", "wifi-secret", "amt.example.com"})
    CHECK(yaml->find(text) != std::string::npos);
  // It is in the trail who took it, and not what it was.
  bool seen = false;
  for (const auto& [key, row] : s.store.trail) {
    seen = seen || row.entry.act == "profile.export";
    for (const char* secret : {"P@ssw0rd1", "M3bx!pass", "wifi-secret"})
      CHECK(row.entry.argument.find(secret) == std::string::npos);
  }
  CHECK(seen);
}

TEST_CASE("profiles of another tenant are not there and names are each tenant's own") {
  site s;
  REQUIRE(s.send("POST", path, s.admin, ccm).status == 201);
  CHECK(s.send("GET", path, s.stranger).text == "[]");
  CHECK(s.send("GET", path + "/p1", s.stranger).status == 404);
  CHECK(s.send("GET", path + "/p1", s.viewer, "", {{"x-tenant-id", "beta"}}).status == 403);
  auto theirs =
      s.send("POST", path, s.root, with(ccm, "P@ssw0rd1", "0ther!Pass"), {{"x-tenant-id", "beta"}});
  CHECK(theirs.status == 201);
  CHECK(theirs.at("tenantId") == "beta");
  CHECK(s.provisioning.profile_rows.find("beta", "p1")->secrets.at("amt_password") ==
        "sealed:beta:profile/p1/amt_password:0ther!Pass");
  CHECK(s.send("DELETE", path + "/p1", s.root, "", {{"x-tenant-id", "beta"}}).status == 204);
  CHECK(kept(s, "p1").secrets.size() == 1);
  // A manager's path names the tenant by its project.
  CHECK(s.send("GET", "/v1/projects/acme/dm/amt/admin/profiles/p1", s.viewer).at("profileName") ==
        "p1");
  CHECK(s.send("GET", "/v1/projects/beta/dm/amt/admin/profiles/p1", s.viewer).status == 404);
}

TEST_CASE("writes of provisioning are in the trail without their secrets") {
  site s;
  furnish(s);
  s.send("POST", path, s.admin, ccm);
  s.send("PATCH", path, s.admin,
         plus(ccm, "\"version\":\"" + std::to_string(kept(s, "p1").what.version) + "\""));
  s.send("DELETE", path + "/p1", s.admin);
  std::string acts;
  for (const auto& [key, row] : s.store.trail) {
    acts += row.entry.act + " ";
    CHECK(row.entry.argument.find("P@ssw0rd1") == std::string::npos);
    CHECK(row.entry.argument.find("wifi-secret") == std::string::npos);
    if (row.entry.act == "profile.add")
      CHECK(row.entry.argument.find(R"("profileName":"p1")") != std::string::npos);
  }
  for (const char* act : {"profile.add", "profile.change", "profile.delete", "ciraconfig.add",
                          "wirelessconfig.add", "ieee8021xconfig.add", "proxyconfig.add"})
    CHECK(acts.find(act) != std::string::npos);
}
