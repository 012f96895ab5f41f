#include "messages/domain/roles.hpp"

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <utility>
#include <vector>

using namespace outband;

namespace {

const std::string guid = "12345678-9abc-def0-1234-56789abcdef0";
const std::string other_guid = "00000000-9abc-def0-1234-56789abcdef0";

bus_identity person(const std::string& tenant, const std::string& name, role held) {
  return {{principal::kind::person, tenant, name}, held};
}

struct access {
  access_kind kind;
  std::string topic;
};

/// Everything somebody may want from the bus, in a tenant of choice.
std::vector<access> wishes(const std::string& tenant) {
  std::vector<access> all;
  for (std::string root : {"oob/v1/", "oobx/v1/"})
    for (const std::string& leaf : {"dev/" + guid + "/desired",
                                    "dev/" + guid + "/current",
                                    "dev/" + guid + "/presence",
                                    "dev/" + guid + "/event/power",
                                    std::string("dev/+/desired"),
                                    std::string("dev/+/current"),
                                    std::string("dev/+/event/+"),
                                    std::string("dev/+/event/#"),
                                    std::string("dev/#"),
                                    std::string("#"),
                                    std::string("meta/bus"),
                                    "op/alice/req/" + guid,
                                    "op/bob/req/" + guid,
                                    "ext/alice/req/" + guid,
                                    std::string("op/alice/rsp/tab1"),
                                    std::string("op/bob/rsp/tab1"),
                                    std::string("op/+/rsp/+"),
                                    "dev/" + guid + "/agent/up/report",
                                    "dev/" + guid + "/agent/down/cmd",
                                    "dev/" + guid + "/agent/presence"})
      for (auto kind : {access_kind::publish, access_kind::subscribe})
        all.push_back({kind, root + tenant + "/" + leaf});
  return all;
}

const char* const platform[] = {"oob/v1/-/inst/n1/node/work",
                                "oob/v1/-/inst/n1/node/obs",
                                "oob/v1/-/ctl/wake",
                                "oob/v1/-/ctl/presence",
                                "oob/v1/-/broker/canary",
                                "oob/v1/#",
                                "oob/v1/+/dev/+/current",
                                "oob/v1/+/op/+/req/+",
                                "+/v1/acme/dev/+/current",
                                "#",
                                "$SYS/#",
                                "$SYS/broker/version",
                                "$CONTROL/dynamic-security/v1",
                                "elsewhere"};

} // namespace

TEST_CASE("topics that a filter must match") {
  using pair = std::pair<const char*, const char*>;
  for (const auto& [filter, topic] :
       {pair{"a/b", "a/b"}, pair{"a/+", "a/b"}, pair{"+/b", "a/b"}, pair{"+/+", "a/b"},
        pair{"a/#", "a/b"}, pair{"a/#", "a"}, pair{"a/#", "a/b/c/d"}, pair{"#", "a/b"},
        pair{"+", "a"}, pair{"a/+/c", "a/b/c"}, pair{"a/+/c", "a//c"}, pair{"/+", "/a"},
        pair{"+/+", "/a"}, pair{"$SYS/#", "$SYS/broker"}, pair{"a/$x", "a/$x"}}) {
    CAPTURE(filter);
    CAPTURE(topic);
    CHECK(topic_matches(filter, topic));
  }
}

TEST_CASE("topics that a filter must not match") {
  using pair = std::pair<const char*, const char*>;
  for (const auto& [filter, topic] :
       {pair{"a/b", "a/c"}, pair{"a/b", "a/b/c"}, pair{"a/b/c", "a/b"}, pair{"a/+", "a"},
        pair{"a/+", "a/b/c"}, pair{"+", "a/b"}, pair{"+", "/a"}, pair{"a/#", "ab"},
        pair{"a/#", "b/a"}, pair{"#", "$SYS/x"}, pair{"+/x", "$SYS/x"}, pair{"A/b", "a/b"},
        pair{"a/b", ""}, pair{"", "a/b"}, pair{"", ""}, pair{"a/", "a"}}) {
    CAPTURE(filter);
    CAPTURE(topic);
    CHECK_FALSE(topic_matches(filter, topic));
  }
}

TEST_CASE("a granted filter covers narrower ones and never wider ones") {
  using pair = std::pair<const char*, const char*>;
  for (const auto& [granted, asked] :
       {pair{"a/+", "a/b"}, pair{"a/+", "a/+"}, pair{"a/#", "a/#"}, pair{"a/#", "a/+/c"},
        pair{"a/#", "a"}, pair{"#", "a/b"}, pair{"a/+/c", "a/b/c"}}) {
    CAPTURE(granted);
    CAPTURE(asked);
    CHECK(filter_covered(granted, asked));
  }
  for (const auto& [granted, asked] :
       {pair{"a/b", "a/+"}, pair{"a/b", "a/#"}, pair{"a/+", "a/#"}, pair{"a/+", "+/b"},
        pair{"a/+", "#"}, pair{"a/+/c", "a/#"}, pair{"a/+", "a/b/c"}, pair{"a/+/c", "a/b"},
        pair{"a/b", "a/b/#"}}) {
    CAPTURE(granted);
    CAPTURE(asked);
    CHECK_FALSE(filter_covered(granted, asked));
  }
}

TEST_CASE("what a filter covers it also matches topic by topic") {
  const std::vector<std::string> filters{"a",   "+",   "#",     "a/b",   "a/+",  "+/b",
                                         "a/#", "+/+", "a/+/c", "+/+/c", "a/b/#"};
  const std::vector<std::string> topics{"a", "b", "a/b", "a/c", "b/b", "a/b/c", "a/x/c", "b/x/c"};
  for (const auto& granted : filters)
    for (const auto& asked : filters)
      if (filter_covered(granted, asked))
        for (const auto& topic : topics)
          if (topic_matches(asked, topic)) {
            CAPTURE(granted);
            CAPTURE(asked);
            CAPTURE(topic);
            CHECK(topic_matches(granted, topic));
          }
}

TEST_CASE("a viewer reads the tenant's devices and the own answers and asks as oneself") {
  const auto alice = person("acme", "alice", role::viewer);
  for (std::string root : {"oob/v1/", "oobx/v1/"}) {
    for (const std::string& leaf : {std::string("dev/+/desired"), std::string("dev/+/current"),
                                    std::string("dev/+/presence"), std::string("dev/+/event/+"),
                                    "dev/" + guid + "/current", std::string("op/alice/rsp/tab1")}) {
      CAPTURE(leaf);
      CHECK(person_may(alice, access_kind::subscribe, root + "acme/" + leaf));
      CHECK_FALSE(person_may(alice, access_kind::publish, root + "acme/" + leaf));
    }
    CHECK(person_may(alice, access_kind::publish, root + "acme/op/alice/req/" + guid));
    CHECK_FALSE(person_may(alice, access_kind::subscribe, root + "acme/op/alice/req/" + guid));
  }
  CHECK(person_may(alice, access_kind::subscribe, "oob/v1/acme/meta/bus"));
}

TEST_CASE("nobody acts in another's name nor on state nor on agents' topics") {
  for (auto held : {role::viewer, role::operator_, role::admin, role::site_admin}) {
    const auto alice = person("acme", "alice", held);
    CHECK_FALSE(person_may(alice, access_kind::publish, "oob/v1/acme/op/bob/req/" + guid));
    CHECK_FALSE(person_may(alice, access_kind::publish, "oob/v1/acme/ext/alice/req/" + guid));
    CHECK_FALSE(person_may(alice, access_kind::subscribe, "oob/v1/acme/op/bob/rsp/tab1"));
    CHECK_FALSE(person_may(alice, access_kind::subscribe, "oob/v1/acme/op/+/rsp/+"));
    CHECK_FALSE(person_may(alice, access_kind::subscribe, "oob/v1/acme/dev/#"));
    CHECK_FALSE(person_may(alice, access_kind::publish, "oob/v1/acme/dev/" + guid + "/desired"));
    CHECK_FALSE(
        person_may(alice, access_kind::publish, "oob/v1/acme/dev/" + guid + "/agent/down/cmd"));
    CHECK_FALSE(
        person_may(alice, access_kind::subscribe, "oob/v1/acme/dev/" + guid + "/agent/up/report"));
    for (auto topic : platform)
      for (auto kind : {access_kind::publish, access_kind::subscribe}) {
        CAPTURE(topic);
        CHECK_FALSE(person_may(alice, kind, topic));
      }
  }
}

TEST_CASE("a second tenant gets nothing of the first whatever the role") {
  for (auto held : {role::none, role::viewer, role::operator_, role::admin, role::site_admin})
    for (auto kind : {principal::kind::person, principal::kind::external}) {
      // The same name as in the other tenant, so that only the tenant differs.
      const bus_identity mallory{{kind, "blue", "alice"}, held};
      for (const auto& w : wishes("acme")) {
        CAPTURE(w.topic);
        CHECK_FALSE(person_may(mallory, w.kind, w.topic));
      }
    }
  for (const auto& w : wishes("acme")) {
    CHECK_FALSE(machine_may("blue/dev/" + guid, w.kind, w.topic));
    CHECK_FALSE(person_may(person("acme", "alice", role::none), w.kind, w.topic));
  }
}

TEST_CASE("an identity with a wildcard or a slash in it gets nothing") {
  for (std::string bad : {"+", "#", "", "a/b", "..", "ALICE", "{self}"}) {
    CAPTURE(bad);
    CHECK(allowed_topics(person(bad, "alice", role::admin), access_kind::subscribe).empty());
    CHECK(allowed_topics(person("acme", bad, role::admin), access_kind::publish).empty());
  }
  const bus_identity agent{{principal::kind::agent, "acme", guid}, role::admin};
  CHECK(allowed_topics(agent, access_kind::subscribe).empty());
}

TEST_CASE("allowed topics have their placeholders filled in") {
  for (auto kind : {access_kind::publish, access_kind::subscribe}) {
    const auto all = allowed_topics(person("acme", "alice", role::viewer), kind);
    CHECK_FALSE(all.empty());
    for (const auto& t : all) {
      CAPTURE(t);
      CHECK(t.find('{') == std::string::npos);
      CHECK(t.find("/acme/") != std::string::npos);
    }
  }
  CHECK(bus_username(person("acme", "alice", role::viewer)) == "acme/op/alice");
}

TEST_CASE("an agent reaches its own machine's topics and nothing else") {
  const auto me = "acme/dev/" + guid;
  const auto own = "oob/v1/acme/dev/" + guid;
  CHECK(machine_may(me, access_kind::publish, own + "/agent/up/report"));
  CHECK(machine_may(me, access_kind::publish, own + "/agent/presence"));
  CHECK(machine_may(me, access_kind::publish, own + "/tel/cpu"));
  CHECK(machine_may(me, access_kind::subscribe, own + "/agent/down/+"));
  CHECK(machine_may(me, access_kind::subscribe, own + "/agent/down/cmd"));

  for (const std::string& topic :
       {own + "/current", own + "/desired", own + "/presence", own + "/event/power",
        own + "/agent/down/cmd", "oob/v1/acme/dev/" + other_guid + "/agent/up/report",
        "oob/v1/blue/dev/" + guid + "/agent/up/report", "oobx/v1/acme/dev/" + guid + "/agent/up/x",
        "oob/v1/acme/op/alice/req/" + guid, own + "/agent/up/a/b"}) {
    CAPTURE(topic);
    CHECK_FALSE(machine_may(me, access_kind::publish, topic));
  }
  for (const std::string& topic : {own + "/agent/#", own + "/#", own + "/current",
                                   std::string("oob/v1/acme/dev/+/agent/down/+"),
                                   std::string("oob/v1/acme/dev/+/current"), std::string("#")}) {
    CAPTURE(topic);
    CHECK_FALSE(machine_may(me, access_kind::subscribe, topic));
  }
  for (auto topic : platform)
    for (auto kind : {access_kind::publish, access_kind::subscribe})
      CHECK_FALSE(machine_may(me, kind, topic));
}

TEST_CASE("a node has our trees and the broker's counters only") {
  for (auto topic :
       {"oob/v1/#", "oobx/v1/#", "oob/v1/acme/dev/+/current", "$SYS/#", "$SYS/broker/uptime"}) {
    CAPTURE(topic);
    CHECK(machine_may("-/inst/n1", access_kind::subscribe, topic));
  }
  CHECK(machine_may("-/inst/n1", access_kind::publish, "oob/v1/-/inst/n1/node/obs"));
  for (auto topic : {"$SYS/broker/uptime", "$CONTROL/x", "elsewhere", "oob/v2/x"}) {
    CAPTURE(topic);
    CHECK_FALSE(machine_may("-/inst/n1", access_kind::publish, topic));
  }
  CHECK_FALSE(machine_may("-/inst/n1", access_kind::subscribe, "#"));
  CHECK_FALSE(machine_may("-/inst/n1", access_kind::subscribe, "$CONTROL/#"));
}

TEST_CASE("only a site admin hears MPS's and RPS's topic and only a node speaks on them") {
  const auto root = person("acme", "root", role::site_admin);
  for (std::string base : {"mps/", "rps/"}) {
    CAPTURE(base);
    const auto topic = base + "events";
    for (auto held : {role::viewer, role::operator_, role::admin})
      CHECK_FALSE(person_may(person("acme", "alice", held), access_kind::subscribe, topic));
    CHECK(person_may(root, access_kind::subscribe, topic));
    CHECK_FALSE(person_may(root, access_kind::subscribe, base + "#"));
    CHECK_FALSE(person_may(root, access_kind::publish, topic));
    CHECK(machine_may("-/inst/n1", access_kind::publish, topic));
    CHECK_FALSE(machine_may("-/inst/n1", access_kind::subscribe, topic));
    CHECK_FALSE(machine_may("-/inst/n1", access_kind::publish, base + "other"));
    CHECK_FALSE(machine_may("acme/dev/" + guid, access_kind::publish, topic));
  }
}

TEST_CASE("a malformed machine name gets nothing") {
  const std::string topic = "oob/v1/acme/dev/" + guid + "/agent/presence";
  for (const std::string& bad :
       {std::string(), std::string("acme"), std::string("acme/dev"), "acme/dev/" + guid + "/x",
        std::string("acme/dev/+"), std::string("-/dev/") + guid, std::string("acme/inst/n1"),
        std::string("-/inst/"), std::string("-/inst/N1"), std::string("-/inst/+"),
        std::string("acme/dev/12345678-9ABC-def0-1234-56789abcdef0")}) {
    CAPTURE(bad);
    CHECK_FALSE(machine_may(bad, access_kind::publish, topic));
    CHECK_FALSE(machine_may(bad, access_kind::subscribe, "oob/v1/#"));
  }
}

TEST_CASE("the role table names each route topic and act once") {
  std::set<std::pair<access_kind, std::string_view>> seen;
  for (const auto& r : access_rules()) {
    CAPTURE(r.name);
    CHECK(seen.insert({r.kind, r.name}).second);
    CHECK(role_needed(r.kind, r.name) == r.needed);
    // On the bus nobody is anonymous, and whoever may change a machine is at least an operator.
    if (r.kind != access_kind::route)
      CHECK(r.needed >= role::viewer);
    // What operations need is checked beside their catalogue.
    if (r.kind == access_kind::act && r.name != "snapshot" && r.name.substr(0, 4) != "amt.")
      CHECK(r.needed >= role::operator_);
    if (r.kind == access_kind::route && r.name.substr(0, 4) != "GET " &&
        r.name.find("/authorize") == std::string_view::npos)
      CHECK(r.needed >= role::operator_);
  }
  CHECK_FALSE(role_needed(access_kind::act, "device.delete").has_value());
  CHECK_FALSE(role_needed(access_kind::route, "TRACE /").has_value());
}
