#include "tools/amtsim/identities.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <set>

namespace outband::amtsim {
namespace {

TEST_CASE("the same seed gives the same machines whatever their number") {
  identity_rules few;
  few.count = 3;
  identity_rules many;
  many.count = 500;
  const auto a = make_identities(few);
  const auto b = make_identities(many);
  std::set<std::string> guids;
  std::set<std::string> passwords;
  for (std::size_t i = 0; i < a.size(); ++i) {
    CHECK(a[i].guid == b[i].guid);
    CHECK(a[i].mps_password == b[i].mps_password);
    CHECK(a[i].realm == b[i].realm);
  }
  for (const auto& who : b) {
    guids.insert(to_string(who.guid));
    passwords.insert(who.mps_password);
    passwords.insert(who.amt_password);
  }
  CHECK(guids.size() == 500);
  CHECK(passwords.size() == 1000);
  CHECK(a[0].hostname == "edge-0001");
  CHECK(a[0].realm.size() == 39);
  few.seed = "2";
  CHECK(make_identities(few)[0].guid != a[0].guid);
  CHECK(seed_of(few, 0) != seed_of(many, 0));
}

TEST_CASE("given GUIDs and passwords replace those from the seed") {
  identity_rules rules;
  rules.count = 2;
  rules.guids = {*parse_uuid("12345678-9abc-def0-1234-56789abcdef0")};
  rules.amt_password = "Same1!";
  rules.mps_user = "everybody";
  const auto all = make_identities(rules);
  CHECK(all[0].guid == rules.guids[0]);
  CHECK(all[1].guid != rules.guids[0]);
  CHECK(all[1].amt_password == "Same1!");
  CHECK(all[1].mps_user == "everybody");
  CHECK(all[0].mps_password != all[1].mps_password);
}

TEST_CASE("the list for the server has the members of POST devices") {
  identity_rules rules;
  rules.tags = {"sim"};
  const auto all = make_identities(rules);
  const auto doc = nlohmann::json::parse(devices_json(all, rules, *find_firmware("amt12")));
  REQUIRE(doc.size() == 1);
  CHECK(doc[0]["guid"] == to_string(all[0].guid));
  CHECK(doc[0]["mpsusername"] == all[0].mps_user);
  CHECK(doc[0]["mpspassword"] == all[0].mps_password);
  CHECK(doc[0]["amtpassword"] == all[0].amt_password);
  CHECK(doc[0]["amtusername"] == "admin");
  CHECK(doc[0]["tags"] == nlohmann::json{"sim"});
  CHECK(doc[0]["deviceInfo"]["fwVersion"] == "12.0.67");
}

} // namespace
} // namespace outband::amtsim
