// As operations_test.cpp, for what lasts: inventory, logs, network, Wi-Fi, certificates.
#include "messages/amt/base64.hpp"
#include "messages/amt/catalogue.hpp"
#include "messages/amt/operation_run.hpp"
#include "messages/domain/amt.hpp"
#include "messages/domain/time.hpp"
#include "tests/unit/tools/amtsim/bench_client.hpp"
#include "tests/unit/tools/amtsim/made_certificates.hpp"
#include "tools/amtsim/audit_state.hpp"
#include "tools/amtsim/event_log_state.hpp"
#include "tools/amtsim/network_state.hpp"
#include "tools/amtsim/wifi_state.hpp"

namespace outband::amtsim {
namespace {

using namespace test;

result<json::value> carry_out(bench_machine& m, const std::string& name,
                              const std::string& argument = "{}") {
  auto arg = json::parse(argument);
  REQUIRE(arg.ok());
  const auto* known = outband::amt::find_operation(name);
  REQUIRE(known != nullptr);
  CHECK(outband::amt::mistakes(*known, *arg, 0).empty());
  outband::amt::operation_run run{outband::amt::perform{name, argument, false}};
  while (auto soap = run.next_request()) {
    const auto reply = serve(m, *soap);
    run.feed(reply.http_status, reply.xml);
  }
  auto told = run.outcome();
  if (!told)
    return told.error();
  return json::parse(std::get<outband::amt::document>(*told).json);
}

json::value done(bench_machine& m, const std::string& name, const std::string& argument = "{}") {
  auto told = carry_out(m, name, argument);
  REQUIRE_MESSAGE(told.ok(), name, ": ", to_string(told.error()));
  return *told;
}

failure refusal_of(bench_machine& m, const std::string& name, const std::string& argument) {
  auto told = carry_out(m, name, argument);
  REQUIRE_FALSE(told.ok());
  return told.error();
}

std::string profile(const std::string& name, int priority, const std::string& more) {
  return R"({"profileName":")" + name + R"(","ssid":"net","priority":)" + std::to_string(priority) +
         R"(,"encryptionMethod":"CCMP",)" + more + "}";
}
const std::string psk = R"("authenticationMethod":"WPA2PSK","password":"long & <enough>")";

TEST_CASE("the wired port becomes static and comes back to DHCP") {
  bench_machine m;
  done(m, "wired.set",
       R"({"dhcpEnabled":false,"ipAddress":"10.0.0.7","subnetMask":"255.0.0.0",)"
       R"("defaultGateway":"10.0.0.1","primaryDNS":"10.0.0.2"})");
  auto told = done(m, "wired.get");
  CHECK(*told.find("ipAddress")->text() == "10.0.0.7");
  CHECK(*told.find("primaryDNS")->text() == "10.0.0.2");
  CHECK_FALSE(*told.find("dhcpEnabled")->boolean());
  CHECK_FALSE(*told.find("ipSyncEnabled")->boolean());
  done(m, "wired.set", R"({"dhcpEnabled":true})");
  told = done(m, "network.get");
  CHECK(*told.find("wired")->find("dhcpEnabled")->boolean());
  CHECK(m.model.network->wired.ip_sync);
  done(m, "wired.set", R"({"dhcpEnabled":false,"ipSyncEnabled":true})");
  CHECK(m.model.network->wired.shared_static);
}

TEST_CASE("the link preference is the management engine's for a while") {
  bench_machine m;
  done(m, "link_preference.set", R"({"linkPreference":1,"timeout":60})");
  auto told = done(m, "network.get");
  CHECK(*told.find("wireless")->find("linkPreference")->text() == "Management Engine");
}

TEST_CASE("the radio and its synchronisation stay as they were set") {
  bench_machine m;
  CHECK(*done(m, "wifi.state.set", R"({"state":"WifiEnabledS0SxAC"})").find("state")->text() ==
        "WifiEnabledS0SxAC");
  CHECK(*done(m, "wifi.state.get").find("state")->text() == "WifiEnabledS0SxAC");
  CHECK(*done(m, "wifi.sync.set", R"({"localProfileSync":true})")
             .find("localProfileSync")
             ->boolean());
  CHECK(m.model.wifi->profile_sync == 3);
  CHECK_FALSE(*done(m, "wifi.sync.set", R"({"localProfileSync":false})")
                   .find("localProfileSync")
                   ->boolean());
}

TEST_CASE("Wi-Fi profiles are kept as they were written") {
  bench_machine m;
  done(m, "wifi.profiles.add", profile("home", 1, psk));
  REQUIRE(m.model.wifi->profiles.size() == 1);
  CHECK(m.model.wifi->profiles[0].passphrase == "long & <enough>");
  CHECK(refusal_of(m, "wifi.profiles.add", profile("home", 2, psk)).what ==
        problem::already_exists);
  CHECK(refusal_of(m, "wifi.profiles.add", profile("other", 1, psk)).what ==
        problem::already_exists);
  done(m, "wifi.profiles.update", profile("home", 5, psk));
  auto told = done(m, "wifi.profiles.list");
  REQUIRE(told.items()->size() == 1);
  CHECK(*told.items()->front().find("priority")->integer() == 5);
  for (int i = 0; i < 7; ++i)
    done(m, "wifi.profiles.add", profile("p" + std::to_string(i), 10 + i, psk));
  CHECK(refusal_of(m, "wifi.profiles.add", profile("ninth", 99, psk)).what ==
        problem::already_exists);
  done(m, "wifi.profiles.remove", R"({"profileName":"home"})");
  CHECK(refusal_of(m, "wifi.profiles.remove", R"({"profileName":"home"})").what ==
        problem::not_found);
}

TEST_CASE("an enterprise profile brings its certificates and they stay while it needs them") {
  bench_machine m;
  const auto own = fresh_key();
  const auto root = fresh_key();
  const auto client = made_certificate("client", own, root);
  const auto ca = made_certificate("ca", root, root, 78);
  const auto key = der_of<EVP_PKEY>(i2d_PrivateKey, own.get());
  using outband::amt::base64_encode;
  const auto argument =
      profile("corp", 1,
              R"("authenticationMethod":"WPA2IEEE8021x","ieee8021x":{"username":"pc",)"
              R"("authenticationProtocol":0,"clientCert":")" +
                  base64_encode(client) + R"(","privateKey":")" + base64_encode(key) +
                  R"(","caCert":")" + base64_encode(ca) + R"("})");
  done(m, "wifi.profiles.add", argument);
  REQUIRE(m.model.certificates->keys.size() == 1);
  const auto held = m.model.certificates->certificates.size();
  auto listed = done(m, "wifi.profiles.list");
  CHECK(*listed.items()->front().find("ieee8021x")->find("username")->text() == "pc");

  auto told = done(m, "certificates.list");
  const auto& used = *told.find("profileAssociation")->items();
  REQUIRE(used.size() == 1);
  CHECK(*used[0].find("type")->text() == "Wireless");
  CHECK(*used[0].find("profileID")->text() == "corp");
  REQUIRE(used[0].find("clientCertificate") != nullptr);
  CHECK(*used[0].find("clientCertificate")->find("displayName")->text() == "client");
  REQUIRE(used[0].find("rootCertificate") != nullptr);
  CHECK(*used[0].find("rootCertificate")->find("displayName")->text() == "ca");
  REQUIRE(used[0].find("publicKey") != nullptr);
  CHECK(*used[0].find("publicKey")->find("derKey")->text() ==
        base64_encode(m.model.certificates->keys[0].public_key));

  const auto handle = *used[0].find("clientCertificate")->find("instanceID")->text();
  const auto remove = "{\"instanceId\":" + json::quoted(handle) + "}";
  CHECK(refusal_of(m, "certificates.remove", remove).what == problem::transition_refused);
  done(m, "wifi.profiles.update", argument); // nothing is added twice
  CHECK(m.model.certificates->certificates.size() == held);
  CHECK(m.model.certificates->keys.size() == 1);
  done(m, "wifi.profiles.remove", R"({"profileName":"corp"})");
  done(m, "certificates.remove", remove);
  CHECK(refusal_of(m, "certificates.remove", remove).what == problem::not_found);
}

TEST_CASE("a certificate added twice is one certificate") {
  bench_machine m;
  const auto key = fresh_key();
  const auto argument = R"({"isTrusted":true,"cert":")" +
                        outband::amt::base64_encode(made_certificate("ca", key, key)) + "\"}";
  const auto first = done(m, "certificates.add", argument);
  const auto again = done(m, "certificates.add", argument);
  CHECK(json::dump(first) == json::dump(again));
}

TEST_CASE("new events are told once") {
  bench_machine m;
  const auto begin = done(m, "log.event.news");
  CHECK(begin.find("records")->items()->empty());
  auto after = [&](const json::value& before) {
    return done(m, "log.event.news", "{\"cursor\":" + json::dump(*before.find("cursor")) + "}");
  };
  CHECK(after(begin).find("records")->items()->empty());
  append_event(m.model, {}, 1'800'000'000);
  append_event(m.model, {}, 1'800'000'000);
  const auto two = after(begin);
  CHECK(two.find("records")->items()->size() == 2);
  CHECK(after(two).find("records")->items()->empty());
  append_event(m.model, {}, 1'800'000'000);
  CHECK(after(two).find("records")->items()->size() == 1);
  const auto log = done(m, "log.event");
  CHECK(*log.items()->front().find("TimeStamp")->text() == "2027-01-15T08:00:00.000Z");
}

TEST_CASE("audit pages and new audit records are told of a long log") {
  bench_machine m;
  const auto begin = done(m, "log.audit.news");
  for (int i = 0; i < 40; ++i)
    append_audit(m.model.audit.change(), audit_record(16, 2, "admin", 1'800'000'000 + i, {}),
                 1'800'000'000 + i);
  const auto page = done(m, "log.audit");
  const auto& records = *page.find("records")->items();
  REQUIRE_FALSE(records.empty());
  CHECK(*records.front().find("Time")->text() == "2027-01-15T08:00:39.000Z");
  CHECK(*records.front().find("Event")->text() == "ACL Entry Added");
  CHECK(*records.front().find("Initiator")->text() == "admin");
  const auto next =
      done(m, "log.audit", "{\"startIndex\":" + std::to_string(records.size() + 1) + "}");
  CHECK(*next.find("records")->items()->front().find("Time")->text() ==
        to_rfc3339(1'800'000'039'000 - static_cast<time_ms>(records.size()) * 1000));
  const auto news =
      done(m, "log.audit.news", "{\"cursor\":" + json::dump(*begin.find("cursor")) + "}");
  CHECK(news.find("records")->items()->size() == 40);
  CHECK_FALSE(*news.find("gap")->boolean());
}

TEST_CASE("the explorer shows what it is asked for") {
  bench_machine m;
  for (const auto* cls : {"AMT_GeneralSettings", "CIM_Chip", "AMTEthernetPortSettings",
                          "AMT_TLSSettingData", "CIM_SoftwareIdentity", "AMTAuditLog"}) {
    CAPTURE(cls);
    const auto told = done(m, "explorer.get", "{\"class\":\"" + std::string(cls) + "\"}");
    CHECK_FALSE(told.find("instances")->items()->empty());
    CHECK_FALSE(told.find("xmlOutput")->text()->empty());
  }
  CHECK(refusal_of(m, "explorer.get", R"({"class":"CIM_NoSuchClass"})").what == problem::not_found);
}

} // namespace
} // namespace outband::amtsim
