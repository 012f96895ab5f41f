// Profiles and what they name: every kind, its secrets, references, versions, and a second tenant.
#include "tests/integration/store/harness.hpp"

#include <thread>

using namespace outband;
using namespace outband::test;

namespace {

cira_config cira(const std::string& name = "Cira1") {
  cira_config c;
  c.name = name;
  c.server = "amt.example.com";
  c.username = "standalone";
  c.common_name = "amt.example.com";
  c.root_certificate = "MIIC";
  c.proxy_details = "x";
  c.ours = true;
  return c;
}
ieee8021x_config eap(const std::string& name, bool wired) {
  ieee8021x_config c;
  c.name = name;
  c.wired = wired;
  c.protocol = 2;
  c.username = name + "-user";
  c.domain = "CORP";
  c.roaming_identity = "anonymous@corp";
  c.server_name = "radius.corp";
  c.ca_certificate = "MIIca";
  return c;
}
wireless_config wifi(const std::string& name = "Wifi1") {
  wireless_config w;
  w.name = name;
  w.ssid = "a \"quoted\" net, {with} \\ all";
  w.link_policy = {1, 224};
  return w;
}
proxy_config proxy(const std::string& name = "Proxy1", const std::string& address = "10.0.0.1") {
  proxy_config p;
  p.name = name;
  p.address = address;
  p.format = address_format::ipv4;
  p.port = 3128;
  p.dns_suffix = "example.com";
  return p;
}
domain dom(const std::string& name = "Domain1", const std::string& suffix = "example.com") {
  domain d;
  d.name = name;
  d.suffix = suffix;
  d.expires = 1'900'000'000'000;
  return d;
}
profile prof(const std::string& name = "Profile1") {
  profile p;
  p.name = name;
  p.activation = activation_kind::admin_mode;
  p.tags = {"a", "b c"};
  p.consent = consent_rule::kvm;
  p.sol = true;
  return p;
}

/// The functions of one kind, blocking.
template <class T> struct kind {
  object_rows<T>& rows;
  std::string tenant = "acme";

  result<T> create(T what, sealed_fields secrets = {}) {
    return call<T>([&](auto cb) { rows.create(tenant, what, secrets, std::move(cb)); });
  }
  result<T> update(T what, sealed_fields secrets = {}) {
    return call<T>([&](auto cb) { rows.update(tenant, what, secrets, std::move(cb)); });
  }
  result<stored<T>> get(const std::string& name) {
    return call<stored<T>>([&](auto cb) { rows.get(tenant, name, std::move(cb)); });
  }
  result<nothing> remove(const std::string& name) {
    return call<nothing>([&](auto cb) { rows.remove(tenant, name, std::move(cb)); });
  }
  page_of<T> list(page_wish page = {}) {
    return must(call<page_of<T>>([&](auto cb) { rows.list(tenant, page, std::move(cb)); }));
  }
};

struct all_kinds {
  explicit all_kinds(stage& s, const std::string& tenant = "acme")
      : port(s.first->provisioning), profiles{port.profiles(), tenant}, ciras{port.cira_configs(),
                                                                              tenant},
        wifis{port.wireless_configs(), tenant}, eaps{port.ieee8021x_configs(), tenant},
        proxies{port.proxy_configs(), tenant}, domains{port.domains(), tenant} {}

  store::pg_provisioning& port;
  kind<profile> profiles;
  kind<cira_config> ciras;
  kind<wireless_config> wifis;
  kind<ieee8021x_config> eaps;
  kind<proxy_config> proxies;
  kind<domain> domains;
};

template <class T> void refused(const result<T>& r, problem what, const std::string& field) {
  REQUIRE(!r);
  CHECK(r.error().what == what);
  CHECK(r.error().field == field);
}

/// What holds for every kind that has a version.
template <class T> void has_a_life(kind<T> k, T one, const sealed_fields& secrets) {
  const auto made = must(k.create(one, secrets));
  CHECK(made.name == one.name);
  CHECK(made.version > 0);
  auto upper = one.name;
  for (auto& c : upper)
    c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  auto got = must(k.get(upper));
  CHECK(got.what.name == one.name);
  CHECK(got.what.version == made.version);
  CHECK(got.secrets == secrets);
  // The name is taken, whatever its case.
  auto again = one;
  again.name = upper;
  CHECK(k.create(again).error().what == problem::already_exists);
  // Only the present version may be changed; a change leaves other secrets alone.
  one.version = 0;
  CHECK(k.update(one).error().what == problem::revision_conflict);
  one.version = made.version;
  const auto changed = must(k.update(one, {{"new", "text"}}));
  CHECK(changed.version > made.version);
  CHECK(k.update(one).error().what == problem::revision_conflict);
  auto with = secrets;
  with["new"] = "text";
  CHECK(must(k.get(one.name)).secrets == with);
  one.version = changed.version;
  must(k.update(one, {{"new", ""}}));
  CHECK(must(k.get(one.name)).secrets == secrets);
  CHECK(k.list().total == 1);
  // Gone, it leaves nothing, and the next of its name begins with nothing of it.
  must(k.remove(upper));
  CHECK(k.get(one.name).error().what == problem::not_found);
  CHECK(k.remove(one.name).error().what == problem::not_found);
  CHECK(k.update(one).error().what == problem::not_found);
  const auto next = must(k.create(one));
  CHECK(next.version > changed.version);
  CHECK(must(k.get(one.name)).secrets.empty());
  must(k.remove(one.name));
}

} // namespace

TEST_CASE("every kind is made and read and changed and removed with its secrets") {
  stage s;
  all_kinds k(s);
  has_a_life(k.ciras, cira(), {{"mps_password", "sealed-1"}});
  has_a_life(k.domains, dom(), {{"pfx", std::string(150'000, 'p')}, {"pfx_password", "s"}});
  has_a_life(k.wifis, wifi(), {{"psk_passphrase", "sealed"}});
  has_a_life(k.eaps, eap("Eap1", true), {{"password", "sealed"}});
  has_a_life(k.profiles, prof(), {{"amt_password", "a"}, {"mebx_password", "m"}});
  CHECK(s.sql("select count(*) from object_secret") == "0");
}

TEST_CASE("all fields come back as they were written") {
  stage s;
  all_kinds k(s);
  const auto c = must(k.ciras.create(cira()));
  CHECK(c.server == "amt.example.com");
  CHECK(c.format == address_format::fqdn);
  CHECK(c.port == 4433);
  CHECK(c.username == "standalone");
  CHECK(c.common_name == "amt.example.com");
  CHECK(c.auth_method == 2);
  CHECK(c.root_certificate == "MIIC");
  CHECK(c.proxy_details == "x");
  CHECK(c.ours);
  const auto e = must(k.eaps.create(eap("Wireless", false)));
  CHECK(e.protocol == 2);
  CHECK(e.pxe_timeout == 120);
  CHECK_FALSE(e.wired);
  auto w = wifi();
  w.authentication = 7;
  w.encryption = 3;
  w.ieee8021x = "WIRELESS";
  w = must(k.wifis.create(w));
  CHECK(w.authentication == 7);
  CHECK(w.encryption == 3);
  CHECK(w.ssid == wifi().ssid);
  CHECK(w.link_policy == std::vector<int>{1, 224});
  CHECK(w.ieee8021x == "Wireless"); // as it is called, not as it was named
  const auto x = must(k.proxies.create(proxy()));
  CHECK(x.address == "10.0.0.1");
  CHECK(x.format == address_format::ipv4);
  CHECK(x.port == 3128);
  CHECK(x.dns_suffix == "example.com");
  const auto d = must(k.domains.create(dom()));
  CHECK(d.suffix == "example.com");
  CHECK(d.storage_format == "string");
  CHECK(d.expires == 1'900'000'000'000);
  must(k.eaps.create(eap("Wired", true)));
  auto p = prof();
  p.cira_config = "cira1";
  p.tls_mode = 3;
  p.tls_authority = "SelfSigned";
  p.ieee8021x = "wired";
  p.wifi = {{"wifi1", 7}};
  p.proxies = {{"PROXY1", 2}};
  p.random_amt_password = p.random_mebx_password = true;
  p.dhcp = false;
  p.ip_sync = false;
  p.local_wifi_sync = p.uefi_wifi_sync = true;
  p.ider = true;
  p.kvm = false;
  p = must(k.profiles.create(p));
  CHECK(p.activation == activation_kind::admin_mode);
  CHECK(p.cira_config == "Cira1");
  CHECK(p.tls_mode == 3);
  CHECK(p.tls_authority == "SelfSigned");
  CHECK(p.ieee8021x == "Wired");
  REQUIRE(p.wifi.size() == 1);
  CHECK(p.wifi[0].name == "Wifi1");
  CHECK(p.wifi[0].priority == 7);
  REQUIRE(p.proxies.size() == 1);
  CHECK(p.proxies[0].name == "Proxy1");
  CHECK(p.proxies[0].priority == 2);
  CHECK(p.random_amt_password);
  CHECK(p.random_mebx_password);
  CHECK_FALSE(p.dhcp);
  CHECK_FALSE(p.ip_sync);
  CHECK(p.local_wifi_sync);
  CHECK(p.uefi_wifi_sync);
  CHECK(p.consent == consent_rule::kvm);
  CHECK(p.ider);
  CHECK_FALSE(p.kvm);
  CHECK(p.sol);
  CHECK(p.tags == std::vector<std::string>{"a", "b c"});
  // A proxy has no version: the last writer wins.
  auto other = proxy();
  other.port = 8080;
  CHECK(must(k.proxies.update(other)).port == 8080);
  CHECK(must(k.proxies.update(proxy())).port == 3128);
}

TEST_CASE("pages are in the order of names and tell the number of all") {
  stage s;
  all_kinds k(s);
  for (auto name : {"b", "A", "d", "C"})
    must(k.ciras.create(cira(name)));
  const auto page = k.ciras.list({1, 2});
  REQUIRE(page.rows.size() == 2);
  CHECK(page.rows[0].name == "b");
  CHECK(page.rows[1].name == "C");
  CHECK(page.total == 4);
  CHECK(k.ciras.list({9, 5}).rows.empty());
  CHECK(k.ciras.list({9, 5}).total == 4);
  CHECK(k.ciras.list({0, 0}).rows.empty());
}

TEST_CASE("what a profile names must exist and be of the right kind") {
  stage s;
  all_kinds k(s);
  must(k.eaps.create(eap("radio", false)));
  must(k.eaps.create(eap("cable", true)));
  auto p = prof();
  p.cira_config = "none";
  refused(k.profiles.create(p), problem::not_found, "ciraConfigName");
  p.cira_config = std::nullopt;
  p.ieee8021x = "radio";
  refused(k.profiles.create(p), problem::not_found, "ieee8021xProfileName");
  p.ieee8021x = std::nullopt;
  p.wifi = {{"none", 1}};
  refused(k.profiles.create(p), problem::not_found, "wifiConfigs");
  p.wifi.clear();
  p.proxies = {{"none", 1}};
  refused(k.profiles.create(p), problem::not_found, "proxyConfigs");
  p.proxies.clear();
  auto w = wifi();
  w.ieee8021x = "cable";
  refused(k.wifis.create(w), problem::not_found, "ieee8021xProfileName");
  CHECK(k.profiles.list().total == 0);
  CHECK(k.wifis.list().total == 0);
  // The same on a change, which then changes nothing.
  p = must(k.profiles.create(p, {{"amt_password", "a"}}));
  p.cira_config = "none";
  refused(k.profiles.update(p, {{"amt_password", "b"}}), problem::not_found, "ciraConfigName");
  CHECK(must(k.profiles.get(p.name)).secrets.at("amt_password") == "a");
}

TEST_CASE("what is in use stays and it is said by whom") {
  stage s;
  all_kinds k(s);
  must(k.ciras.create(cira()));
  must(k.eaps.create(eap("radio", false)));
  must(k.eaps.create(eap("cable", true)));
  auto w = wifi();
  w.ieee8021x = "radio";
  must(k.wifis.create(w, {{"psk_passphrase", "x"}}));
  must(k.proxies.create(proxy()));
  auto p = prof();
  p.cira_config = "Cira1";
  p.ieee8021x = "cable";
  p.wifi = {{"Wifi1", 1}};
  p.proxies = {{"Proxy1", 1}};
  p = must(k.profiles.create(p));
  refused(k.ciras.remove("Cira1"), problem::transition_refused, "profile");
  CHECK(k.ciras.remove("Cira1").error().detail.find("'Profile1'") != std::string::npos);
  refused(k.wifis.remove("Wifi1"), problem::transition_refused, "profile");
  refused(k.proxies.remove("Proxy1"), problem::transition_refused, "profile");
  refused(k.eaps.remove("cable"), problem::transition_refused, "profile");
  refused(k.eaps.remove("radio"), problem::transition_refused, "wireless-config");
  CHECK(must(k.wifis.get("Wifi1")).secrets.size() == 1);
  // Nor does it become another kind under whoever uses it.
  auto e = must(k.eaps.get("cable")).what;
  e.wired = false;
  refused(k.eaps.update(e), problem::transition_refused, "wiredInterface");
  // Links are replaced by a change; what is no longer named may go.
  must(k.wifis.create(wifi("Wifi2")));
  p.wifi = {{"Wifi2", 9}};
  p.proxies.clear();
  p.cira_config = std::nullopt;
  p.ieee8021x = std::nullopt;
  p = must(k.profiles.update(p));
  REQUIRE(p.wifi.size() == 1);
  CHECK(p.wifi[0].name == "Wifi2");
  CHECK(p.wifi[0].priority == 9);
  CHECK(p.proxies.empty());
  CHECK(k.wifis.remove("Wifi1").ok());
  CHECK(k.proxies.remove("Proxy1").ok());
  CHECK(k.ciras.remove("Cira1").ok());
  CHECK(k.eaps.remove("cable").ok());
  CHECK(k.eaps.remove("radio").ok());
  p.wifi = {{"Wifi2", 10}, {"wifi2", 11}};
  refused(k.profiles.update(p), problem::malformed, "wifiConfigs");
}

TEST_CASE("suffixes and addresses of proxies are taken once in a tenant") {
  stage s;
  all_kinds k(s), other(s, "globex");
  must(k.domains.create(dom("one", "Example.com")));
  refused(k.domains.create(dom("two", "example.COM")), problem::already_exists, "domainSuffix");
  refused(k.domains.create(dom("ONE", "example.net")), problem::already_exists, "profileName");
  CHECK(other.domains.create(dom("one", "example.com")).ok());
  must(k.proxies.create(proxy("one")));
  refused(k.proxies.create(proxy("two")), problem::already_exists, "address");
  CHECK(k.proxies.create(proxy("two", "10.0.0.2")).ok());
  CHECK(other.proxies.create(proxy("one")).ok());
  auto two = must(k.domains.create(dom("two", "example.org")));
  two.suffix = "EXAMPLE.com";
  refused(k.domains.update(two), problem::already_exists, "domainSuffix");
}

TEST_CASE("an activation gets a profile with everything it names") {
  stage s;
  all_kinds k(s);
  must(k.ciras.create(cira(), {{"mps_password", "m"}}));
  must(k.eaps.create(eap("Cable", true), {{"password", "c"}}));
  must(k.eaps.create(eap("radio", false), {{"password", "r"}}));
  must(k.eaps.create(eap("unused", false)));
  auto w = wifi();
  w.ieee8021x = "radio";
  must(k.wifis.create(w, {{"psk_passphrase", "one"}}));
  must(k.wifis.create(wifi("Wifi2"), {{"psk_passphrase", "two"}}));
  must(k.wifis.create(wifi("Wifi3")));
  must(k.proxies.create(proxy()));
  must(k.proxies.create(proxy("unused", "10.0.0.2")));
  auto p = prof();
  p.cira_config = "cira1";
  p.ieee8021x = "cable";
  p.wifi = {{"Wifi1", 20}, {"Wifi2", 3}};
  p.proxies = {{"Proxy1", 5}};
  must(k.profiles.create(p, {{"amt_password", "a"}}));
  auto resolve = [&](const std::string& tenant, const std::string& name) {
    return call<resolved_profile>([&](auto cb) { k.port.resolve(tenant, name, std::move(cb)); });
  };
  const auto r = must(resolve("acme", "PROFILE1"));
  CHECK(r.base.what.name == "Profile1");
  CHECK(r.base.what.tags == p.tags);
  CHECK(r.base.what.sol);
  CHECK_FALSE(r.base.what.ider);
  CHECK(r.base.what.wifi.size() == 2);
  CHECK(r.base.secrets == sealed_fields{{"amt_password", "a"}});
  REQUIRE(r.cira);
  CHECK(r.cira->what.server == "amt.example.com");
  CHECK(r.cira->what.ours);
  CHECK(r.cira->secrets.at("mps_password") == "m");
  REQUIRE(r.wifi.size() == 2);
  CHECK(r.wifi[0].first.what.name == "Wifi2");
  CHECK(r.wifi[0].second == 3);
  CHECK(r.wifi[0].first.secrets.at("psk_passphrase") == "two");
  CHECK(r.wifi[1].first.what.ssid == wifi().ssid);
  CHECK(r.wifi[1].first.what.link_policy == std::vector<int>{1, 224});
  REQUIRE(r.proxies.size() == 1);
  CHECK(r.proxies[0].first.port == 3128);
  CHECK(r.proxies[0].second == 5);
  REQUIRE(r.ieee8021x.size() == 2);
  CHECK(r.ieee8021x.at("cable").what.wired);
  const auto& cable = r.ieee8021x.at("cable").what;
  CHECK(cable.username == "Cable-user");
  CHECK(cable.domain == "CORP");
  CHECK(cable.roaming_identity == "anonymous@corp");
  CHECK(cable.server_name == "radius.corp");
  CHECK(cable.ca_certificate == "MIIca");
  CHECK(r.ieee8021x.at("radio").what.username == "radio-user");
  CHECK(r.ieee8021x.at("cable").secrets.at("password") == "c");
  CHECK(r.ieee8021x.at("radio").secrets.at("password") == "r");
  CHECK(resolve("acme", "Profile2").error().what == problem::not_found);
  CHECK(resolve("globex", "Profile1").error().what == problem::not_found);
}

TEST_CASE("the most specific domain serves a machine") {
  stage s;
  all_kinds k(s), other(s, "globex");
  must(k.domains.create(dom("top", "Example.com"), {{"pfx", "p"}}));
  must(k.domains.create(dom("lab", "lab.example.com")));
  must(other.domains.create(dom("theirs", "theirs.example.com")));
  auto find = [&](std::vector<std::string> suffixes) {
    return call<stored<domain>>(
        [&](auto cb) { k.port.find_domain("acme", suffixes, std::move(cb)); });
  };
  CHECK(must(find({"x.lab.example.com", "LAB.example.com", "example.com"})).what.name == "lab");
  const auto top = must(find({"corp.example.com", "example.com", "com"}));
  CHECK(top.what.name == "top");
  CHECK(top.secrets.at("pfx") == "p");
  CHECK(find({"theirs.example.com"}).error().what == problem::not_found);
  CHECK(find({}).error().what == problem::not_found);
}

TEST_CASE("domains that end soon are found in every tenant") {
  stage s;
  all_kinds k(s), other(s, "globex");
  auto soon = dom("soon", "a.example");
  soon.expires = 1000;
  auto sooner = dom("sooner", "b.example");
  sooner.expires = 500;
  auto never = dom("unknown", "c.example");
  never.expires = 0;
  must(k.domains.create(soon));
  must(k.domains.create(never));
  must(other.domains.create(sooner));
  auto found = must(call<std::vector<std::pair<tenant_key, domain>>>(
      [&](auto cb) { k.port.expiring_domains(1001, std::move(cb)); }));
  REQUIRE(found.size() == 2);
  CHECK(found[0].first == "globex");
  CHECK(found[0].second.name == "sooner");
  CHECK(found[1].second.expires == 1000);
}

TEST_CASE("of two changes to one version one wins") {
  stage s;
  all_kinds k(s);
  const auto one = must(k.profiles.create(prof()));
  auto second = s.another();
  std::atomic<int> won{0}, lost{0};
  auto change = [&](store::pg_provisioning& on, bool ider) {
    auto mine = one;
    mine.ider = ider;
    auto r = call<profile>([&](auto cb) { on.profiles().update("acme", mine, {}, std::move(cb)); });
    if (r)
      ++won;
    else if (r.error().what == problem::revision_conflict)
      ++lost;
  };
  std::thread a([&] { change(s.first->provisioning, true); });
  std::thread b([&] { change(second->provisioning, false); });
  a.join();
  b.join();
  CHECK(won == 1);
  CHECK(lost == 1);
}

TEST_CASE("a second tenant sees and changes nothing of the first one's objects") {
  stage s;
  all_kinds k(s), other(s, "globex");
  must(k.ciras.create(cira(), {{"mps_password", "m"}}));
  must(k.eaps.create(eap("eap", true)));
  must(k.wifis.create(wifi()));
  must(k.proxies.create(proxy()));
  must(k.domains.create(dom(), {{"pfx", "p"}}));
  auto p = prof();
  p.cira_config = "Cira1";
  must(k.profiles.create(p, {{"amt_password", "a"}}));
  const std::string everything =
      "select * from cira_config; select * from ieee8021x_config; select * from wireless_config; "
      "select * from proxy_config; select * from domain; select * from profile; "
      "select * from object_secret order by 1, 2, 3, 4";
  const auto before = s.sql(everything);
  auto tries = [&](auto k2, auto what) {
    auto mine = must(k.profiles.get("Profile1")); // any version number that is in use
    CHECK(k2.list().total == 0);
    CHECK(k2.get(what.name).error().what == problem::not_found);
    CHECK(k2.remove(what.name).error().what == problem::not_found);
    CHECK(k2.update(what).error().what == problem::not_found);
    CHECK(k2.update(what, {{"amt_password", "stolen"}}).error().what == problem::not_found);
  };
  tries(other.ciras, must(k.ciras.get("Cira1")).what);
  tries(other.eaps, must(k.eaps.get("eap")).what);
  tries(other.wifis, must(k.wifis.get("Wifi1")).what);
  tries(other.proxies, must(k.proxies.get("Proxy1")).what);
  tries(other.domains, must(k.domains.get("Domain1")).what);
  tries(other.profiles, must(k.profiles.get("Profile1")).what);
  // Nor can it name them.
  refused(other.profiles.create(p), problem::not_found, "ciraConfigName");
  p.cira_config = std::nullopt;
  p.wifi = {{"Wifi1", 1}};
  refused(other.profiles.create(p), problem::not_found, "wifiConfigs");
  CHECK(s.sql(everything) == before);
  // The same names are free for it.
  CHECK(other.ciras.create(cira()).ok());
  CHECK(other.profiles.create(prof()).ok());
  CHECK(must(k.profiles.get("Profile1")).secrets.at("amt_password") == "a");
  kind<profile> nobody{s.first->provisioning.profiles(), "initech"};
  refused(nobody.create(prof()), problem::not_found, "tenant");
  nobody.tenant = "acme'--";
  CHECK(nobody.create(prof()).error().what == problem::not_found);
}
