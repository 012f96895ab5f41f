#include "bus/broker-plugin/policy.hpp"

#include <algorithm>
#include <doctest/doctest.h>
#include <ostream>

namespace {

using namespace outband;
using namespace outband::broker;

constexpr std::int64_t now = 1'800'000'000;
const std::string guid = "4c4c4544-004b-3510-8052-b4c04f564433";

struct gatehouse {
  ticket::signing_key key = *ticket::signing_key::generate();
  policy rules{*ticket::verifying_keys::of(key), "outband"};
  int serial = 0;

  std::string ticket(std::string tenant, std::string name, role r = role::viewer,
                     principal::kind kind = principal::kind::person, std::string jti = "") {
    if (jti.empty())
      jti = "j" + std::to_string(++serial);
    bus_identity who{{kind, std::move(tenant), std::move(name)}, r};
    return *ticket::sign_claims(*ticket::make_bus_claims(who, jti, now, std::chrono::minutes(10)),
                                key);
  }
  bool enters(const client_view& c, const std::string& password, std::int64_t at = now) {
    auto v = rules.authenticate(c, password, at);
    CHECK(v.allowed == v.why.empty());
    return v.allowed;
  }
  bool may(const client_view& c, access what, std::string_view topic, std::int64_t at = now) {
    return rules.check(c, what, topic, at).allowed;
  }
};

client_view client(const void* key, std::string_view id, std::string_view username) {
  client_view c;
  c.key = key;
  c.id = id;
  c.username = username;
  return c;
}

TEST_CASE("a person enters with a ticket for exactly this user name") {
  gatehouse g;
  int a = 0;
  auto good = g.ticket("acme", "alice");
  CHECK(g.enters(client(&a, "op-alice-1", "acme/op/alice"), good));
  CHECK_FALSE(g.enters(client(&a, "op-alice-1", "acme/op/bob"), good));
  CHECK_FALSE(g.enters(client(&a, "op-alice-1", "globex/op/alice"), good));
  CHECK_FALSE(g.enters(client(&a, "op-alice-1", "-/inst/n1"), good));
  CHECK_FALSE(g.enters(client(&a, "op-alice-1", "acme/dev/" + guid), good));
  CHECK_FALSE(g.enters(client(&a, "op-alice-1", ""), good));
  CHECK_FALSE(g.enters(client(&a, "op-alice-1", "acme/op/alice"), ""));
  CHECK_FALSE(g.enters(client(&a, "op-alice-1", "acme/op/alice"), "no.ti.cket"));
  CHECK_FALSE(g.enters(client(&a, "op-alice-1", "acme/op/alice"), good, now + 600));
  gatehouse other;
  CHECK_FALSE(g.enters(client(&a, "op-alice-1", "acme/op/alice"), other.ticket("acme", "alice")));
}

TEST_CASE("client ids cannot throw out somebody else") {
  gatehouse g;
  int a = 0, b = 0;
  auto alice = g.ticket("acme", "alice");
  CHECK_FALSE(g.enters(client(&a, "op-bob-1", "acme/op/alice"), alice));
  CHECK_FALSE(g.enters(client(&a, "op-alice", "acme/op/alice"), alice));
  CHECK_FALSE(g.enters(client(&a, "inst-n1", "acme/op/alice"), alice));
  CHECK_FALSE(g.enters(client(&a, "", "acme/op/alice"), alice));

  const auto ext = principal::kind::external;
  CHECK(g.enters(client(&a, "ha", "acme/ext/ha"), g.ticket("acme", "ha", role::viewer, ext)));
  CHECK(g.enters(client(&b, "ha-2", "acme/ext/ha"), g.ticket("acme", "ha", role::viewer, ext)));
  // The system of the same name of another tenant.
  CHECK_FALSE(
      g.enters(client(&b, "ha", "globex/ext/ha"), g.ticket("globex", "ha", role::viewer, ext)));
  for (std::string name : {"inst-n1", "op-alice-1", "ctl-active", "outband-controller",
                           "outband-controller-rx", "outband-controller-2"})
    CHECK_FALSE(
        g.enters(client(&b, name, "acme/ext/" + name), g.ticket("acme", name, role::admin, ext)));
  CHECK_FALSE(
      g.enters(client(&b, guid, "acme/ext/" + guid), g.ticket("acme", guid, role::admin, ext)));
}

TEST_CASE("a certificate opens the listener for machines only") {
  gatehouse g;
  int a = 0;
  auto node = client(&a, "inst-n1", "-/inst/n1");
  node.certificate_name = "-/inst/n1";
  CHECK(g.enters(node, ""));
  node.id = "inst-n1-rx";
  CHECK(g.enters(node, ""));
  for (auto id : {"inst-n2", "inst-n10", "n1", "op-alice-1", ""}) {
    node.id = id;
    CHECK_FALSE(g.enters(node, ""));
  }
  const auto name = "acme/dev/" + guid;
  auto agent = client(&a, guid, name);
  agent.certificate_name = name;
  CHECK(g.enters(agent, ""));
  // Any node may be the active controller; an agent never.
  for (auto id : {"outband-controller", "outband-controller-rx"}) {
    node.id = id;
    CHECK(g.enters(node, ""));
    CHECK(g.may(client(&a, id, "-/inst/n2"), access::publish, "oob/v1/-/ctl/presence"));
    agent.id = id;
    CHECK_FALSE(g.enters(agent, ""));
  }
  agent.id = guid;
  for (auto id : {"outband-controller-2", "outband-controllers", "outband-controller-rx-rx"}) {
    node.id = id;
    CHECK_FALSE(g.enters(node, ""));
  }
  agent.certificate_name = "acme/dev/00000000-0000-0000-0000-000000000001";
  CHECK_FALSE(g.enters(agent, ""));
  for (const auto& other : std::vector<std::string>{"acme/op/alice", "-/ctl/ctl", "-/inst/",
                                                    "server.example", "-/dev/" + guid}) {
    auto c = client(&a, "inst-", other);
    c.certificate_name = other;
    CHECK_FALSE(g.enters(c, g.ticket("acme", "alice")));
  }
}

TEST_CASE("nobody who was not let in may do anything") {
  gatehouse g;
  int a = 0, b = 0;
  auto alice = client(&a, "op-alice-1", "acme/op/alice");
  CHECK_FALSE(g.may(alice, access::receive, "oob/v1/acme/dev/" + guid + "/current"));
  REQUIRE(g.enters(alice, g.ticket("acme", "alice")));
  CHECK(g.may(alice, access::receive, "oob/v1/acme/dev/" + guid + "/current"));
  // The same memory address, another client.
  CHECK_FALSE(g.may(client(&a, "op-alice-1", "acme/op/mallory"), access::receive,
                    "oob/v1/acme/dev/" + guid + "/current"));
  CHECK_FALSE(g.may(client(&b, "op-alice-1", "acme/op/alice"), access::receive,
                    "oob/v1/acme/dev/" + guid + "/current"));
  g.rules.disconnected(&a, false);
  CHECK_FALSE(g.may(alice, access::receive, "oob/v1/acme/dev/" + guid + "/current"));
  CHECK(g.rules.known() == 0);
}

TEST_CASE("an ended or revoked ticket refuses everything and its client is named once") {
  gatehouse g;
  int a = 0, b = 0, c = 0;
  const std::string topic = "oob/v1/acme/dev/" + guid + "/current";
  auto alice = client(&a, "op-alice-1", "acme/op/alice");
  auto bob = client(&b, "op-bob-1", "acme/op/bob");
  auto carol = client(&c, "op-carol-1", "acme/op/carol");
  REQUIRE(g.enters(alice, g.ticket("acme", "alice")));
  REQUIRE(g.enters(bob, g.ticket("acme", "bob", role::viewer, principal::kind::person, "bad-1")));
  REQUIRE(g.enters(carol, g.ticket("acme", "carol")));
  CHECK(g.rules.to_kick(now).empty());

  g.rules.set_revoked("# lost laptops\n  bad-1  # bob's\r\n\nacme/op/carol");
  CHECK(g.may(alice, access::receive, topic));
  CHECK_FALSE(g.may(bob, access::receive, topic));
  CHECK_FALSE(g.may(carol, access::receive, topic));
  auto kicked = g.rules.to_kick(now);
  std::sort(kicked.begin(), kicked.end());
  CHECK(kicked == std::vector<std::string>{"op-bob-1", "op-carol-1"});
  CHECK(g.rules.to_kick(now).empty());
  CHECK_FALSE(g.enters(carol, g.ticket("acme", "carol")));

  CHECK(g.may(alice, access::receive, topic, now + 599));
  CHECK_FALSE(g.may(alice, access::receive, topic, now + 600));
  CHECK_FALSE(g.may(alice, access::publish, "oob/v1/acme/op/alice/req/" + guid, now + 600));
  CHECK(g.rules.to_kick(now + 600) == std::vector<std::string>{"op-alice-1"});
}

TEST_CASE("reconnecting with a fresh ticket is not ended by the old one") {
  gatehouse g;
  int a = 0, b = 0;
  REQUIRE(g.enters(client(&a, "op-alice-1", "acme/op/alice"), g.ticket("acme", "alice")));
  bus_identity who{{principal::kind::person, "acme", "alice"}, role::viewer};
  auto longer =
      *ticket::sign_claims(*ticket::make_bus_claims(who, "j", now, std::chrono::hours(1)), g.key);
  REQUIRE(g.enters(client(&b, "op-alice-1", "acme/op/alice"), longer));
  CHECK(g.rules.to_kick(now + 601).empty());
  CHECK(g.rules.known() == 1);
}

TEST_CASE("a session that the broker keeps is served until the ticket ends") {
  gatehouse g;
  int a = 0;
  const std::string topic = "oobx/v1/acme/dev/" + guid + "/current";
  auto ha = client(&a, "ha", "acme/ext/ha");
  REQUIRE(g.enters(ha, g.ticket("acme", "ha", role::viewer, principal::kind::external)));
  g.rules.disconnected(&a, true);
  CHECK(g.may(ha, access::receive, topic));
  CHECK_FALSE(g.may(ha, access::receive, topic, now + 600));
  CHECK(g.rules.to_kick(now + 600).empty()); // nobody to throw out
  CHECK(g.rules.known() == 0);
}

TEST_CASE("subscriptions must lie within the granted filters") {
  gatehouse g;
  int a = 0;
  auto alice = client(&a, "op-alice-1", "acme/op/alice");
  REQUIRE(g.enters(alice, g.ticket("acme", "alice", role::admin)));
  for (const auto& good :
       std::vector<std::string>{"oob/v1/acme/dev/+/current", "oob/v1/acme/dev/" + guid + "/event/+",
                                "oob/v1/acme/meta/+", "oob/v1/acme/op/alice/rsp/c1"})
    CHECK_MESSAGE(g.may(alice, access::subscribe, good), good);
  for (const auto& bad : std::vector<std::string>{
           "#", "+/#", "oob/v1/#", "oob/v1/acme/#", "oob/v1/+/dev/+/current", "oob/v1/acme/dev/#",
           "oob/v1/globex/dev/+/current", "oob/v1/acme/op/+/rsp/+", "oob/v1/acme/op/bob/rsp/+",
           "$SYS/#", "$CONTROL/#", "oob/v1/-/inst/+/node/obs", "$share/g/oob/v1/acme/dev/+/current",
           "oob/v1/acme/dev/" + guid + "/agent/down/+"})
    CHECK_MESSAGE(!g.may(alice, access::subscribe, bad), bad);
}

TEST_CASE("a machine with another's client id is refused and named") {
  gatehouse g;
  int a = 0;
  CHECK(g.may(client(&a, "inst-n1", "-/inst/n1"), access::publish, "oob/v1/-/inst/n1/node/obs"));
  CHECK(g.rules.to_kick(now).empty());
  CHECK_FALSE(
      g.may(client(&a, "inst-n2", "-/inst/n1"), access::publish, "oob/v1/-/inst/n1/node/obs"));
  CHECK(g.rules.to_kick(now) == std::vector<std::string>{"inst-n2"});
  g.rules.set_revoked("-/inst/n1");
  CHECK_FALSE(
      g.may(client(&a, "inst-n1", "-/inst/n1"), access::publish, "oob/v1/-/inst/n1/node/obs"));
  CHECK(g.rules.to_kick(now) == std::vector<std::string>{"inst-n1"});
}

TEST_CASE("keys can be replaced while people are connected") {
  gatehouse g, next;
  int a = 0, b = 0;
  auto alice = client(&a, "op-alice-1", "acme/op/alice");
  REQUIRE(g.enters(alice, g.ticket("acme", "alice")));
  g.rules.set_keys(*ticket::verifying_keys::of(next.key));
  CHECK(g.may(alice, access::subscribe, "oob/v1/acme/meta/+"));
  auto bob = client(&b, "op-bob-1", "acme/op/bob");
  CHECK_FALSE(g.enters(bob, g.ticket("acme", "bob")));
  CHECK(g.enters(bob, next.ticket("acme", "bob")));
}

} // namespace
