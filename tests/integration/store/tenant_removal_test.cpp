// A tenant goes with all that is its own, and nothing of another one.
#include "tests/integration/store/harness.hpp"

using namespace outband;
using namespace outband::test;

namespace {

result<nothing> remove(stage& s, const std::string& key, bool forced = false,
                       std::vector<bus::outgoing> publish = {}) {
  return call<nothing>([&](auto cb) { s.store.delete_tenant(key, forced, publish, cb); });
}

template <class T> void add(object_rows<T>& rows, const std::string& tenant, T what) {
  must(call<T>([&](auto cb) { rows.create(tenant, what, {{"field", "sealed"}}, cb); }));
}

/// Everything that a tenant can have, except devices.
void furnish(stage& s, const std::string& tenant, int n) {
  auto& p = s.first->provisioning;
  cira_config c;
  c.name = "cira";
  c.server = "amt.example.com";
  add(p.cira_configs(), tenant, c);
  ieee8021x_config cable, radio;
  cable.name = "cable";
  cable.wired = true;
  radio.name = "radio";
  add(p.ieee8021x_configs(), tenant, cable);
  add(p.ieee8021x_configs(), tenant, radio);
  wireless_config w;
  w.name = "wifi";
  w.ssid = "net";
  w.ieee8021x = "radio";
  add(p.wireless_configs(), tenant, w);
  proxy_config x;
  x.name = "proxy";
  x.address = "10.0.0.1";
  x.port = 1;
  add(p.proxy_configs(), tenant, x);
  domain d;
  d.name = "domain";
  d.suffix = "example.com";
  add(p.domains(), tenant, d);
  profile o;
  o.name = "profile";
  o.cira_config = "cira";
  o.ieee8021x = "cable";
  o.wifi = {{"wifi", 1}};
  o.proxies = {{"proxy", 1}};
  add(p.profiles(), tenant, o);
  activation_token t;
  t.id = id(n);
  t.tenant = tenant;
  t.expires = 4'000'000'000'000;
  must(call<nothing>(
      [&](auto cb) { p.create_token(t, std::string(64, static_cast<char>('0' + n)), cb); }));
  account_row a;
  a.name = "alice-" + tenant;
  a.roles[tenant] = "admin";
  must(call<nothing>([&](auto cb) { s.store.put_account(a, cb); }));
}

const std::string tables[] = {
    "tenant",       "account_role",  "device",           "link",
    "secret",       "cira_config",   "wireless_config",  "ieee8021x_config",
    "proxy_config", "profile",       "profile_wifi",     "profile_proxy",
    "domain",       "object_secret", "activation_token", "activation"};

/// How many rows of each table are the tenant's: "tenant:1 account_role:0 ...". One statement, for
/// each is a psql of its own.
std::string of_tenant(stage& s, const std::string& key) {
  std::string all;
  for (const auto& t : tables)
    all += (all.empty() ? "select concat_ws(' '" : "") + std::string(", '") + t +
           ":' || (select count(*) from " + t + " where " + (t == "tenant" ? "key" : "tenant") +
           " = '" + key + "')";
  return s.sql(all + ")") + " ";
}

void nothing_left(stage& s, const std::string& key) {
  const auto left = of_tenant(s, key);
  for (const auto& t : tables) {
    CAPTURE(t);
    CHECK(left.find(t + ":0 ") != std::string::npos);
  }
}

} // namespace

TEST_CASE("a tenant without devices goes with everything that is its own") {
  stage s;
  furnish(s, "acme", 1);
  furnish(s, "globex", 2);
  const auto theirs = of_tenant(s, "globex");
  CHECK(theirs.find(":0 ") != std::string::npos); // no devices
  REQUIRE(remove(s, "acme", false, {message("oob/v1/-/x", "gone", false)}).ok());
  nothing_left(s, "acme");
  CHECK(of_tenant(s, "globex") == theirs);
  CHECK(s.sql("select count(*) from account") == "2");
  REQUIRE(s.queued().size() == 1);
  CHECK(s.queued()[0].message.payload == "gone");
  CHECK(remove(s, "acme").error().what == problem::not_found);
  CHECK(remove(s, "acme", true).error().what == problem::not_found);
  CHECK(remove(s, "ACME'").error().what == problem::not_found);
}

TEST_CASE("a tenant with devices goes only when forced and what it retained is withdrawn") {
  stage s;
  furnish(s, "acme", 1);
  const auto ref = dev("acme", 1);
  s.add(ref);
  s.add(dev("globex", 2));
  must(s.take(ref));
  const auto epoch = s.load(ref).link.epoch;
  must(s.write(ref, 0, power_target::on, 1, {message("oob/v1/acme/dev/x/desired", "on")}));
  must(s.write(dev("globex", 2), 0, power_target::on, 1,
               {message("oob/v1/globex/dev/y/desired", "on"),
                message("oob/v1/acmetoo/dev/y/desired", "on")}));
  const auto before = of_tenant(s, "acme");
  CHECK(remove(s, "acme").error().what == problem::transition_refused);
  CHECK(of_tenant(s, "acme") == before);
  REQUIRE(remove(s, "acme", true).ok());
  nothing_left(s, "acme");
  CHECK(s.load(dev("globex", 2)).desired.power.target == power_target::on);
  CHECK(s.sql("select topic from retained order by 1") ==
        "oob/v1/acmetoo/dev/y/desired\noob/v1/globex/dev/y/desired");
  const auto out = s.queued();
  REQUIRE(out.size() == 4);
  CHECK(out[3].message.topic == "oob/v1/acme/dev/x/desired");
  CHECK(out[3].message.payload.empty());
  CHECK(out[3].message.retain);
  // A tenant of the same key goes on where the former one's machines were.
  must(call<tenant_row>([&](auto cb) { s.store.create_tenant({"acme", "again", "", 0}, cb); }));
  s.add(ref);
  CHECK(s.desired(ref).desired_rev > 1);
  CHECK(must(s.take(ref)).epoch > epoch);
}
