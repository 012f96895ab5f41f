// The role table against a real broker: what it says is what the broker does.
#include "tests/integration/bus/broker.hpp"
#include "tests/integration/bus/client.hpp"

#include <doctest/doctest.h>
#include <map>
#include <ostream>
#include <set>

namespace {

using namespace outband;
using namespace outband::test;

constexpr int not_authorized = 0x87;
const std::string guid1 = "4c4c4544-004b-3510-8052-b4c04f564433";
const std::string guid2 = "00000000-0000-4000-8000-000000000002";

/// Every kind of topic for two tenants, two devices, two people, two systems and two nodes.
std::vector<std::string> all_topics() {
  std::vector<std::string> out;
  for (std::string root : {"oob/v1/", "oobx/v1/"}) {
    for (std::string tenant : {"acme", "globex"}) {
      const auto base = root + tenant;
      for (const auto& guid : {guid1, guid2})
        for (std::string kind :
             {"desired", "current", "presence", "event/power", "session/s1", "tel/cpu",
              "agent/presence", "agent/up/report", "agent/down/desired", "agent/down/cmd"})
          out.push_back(base + "/dev/" + guid + "/" + kind);
      for (std::string who : {"op/alice", "op/bob", "ext/ha"})
        for (std::string kind : {"req/" + guid1, std::string("rsp/c1")})
          out.push_back(base + "/" + who + "/" + kind);
      for (std::string kind : {"bus", "summary"})
        out.push_back(base + "/meta/" + kind);
    }
    for (std::string node : {"n1", "n2"})
      for (std::string kind : {"presence", "work", "obs", "ask", "reply"})
        out.push_back(root + "-/inst/" + node + "/node/" + kind);
    out.push_back(root + "-/ctl/presence");
    out.push_back(root + "-/broker/canary");
  }
  out.push_back("elsewhere");
  out.push_back("mps/events");
  out.push_back("rps/events");
  out.push_back("oob/v2/acme/dev/" + guid1 + "/current");
  return out;
}

std::vector<std::string> all_filters() {
  auto out = all_topics();
  for (std::string root : {"oob/v1/", "oobx/v1/"}) {
    for (std::string rest :
         {"#", "acme/#", "globex/#", "+/dev/+/current", "acme/dev/+/current", "acme/dev/+/desired",
          "acme/dev/+/presence", "acme/dev/+/event/+", "acme/dev/+/+", "acme/dev/#",
          "globex/dev/+/current", "acme/meta/+", "acme/op/+/rsp/+", "acme/op/alice/rsp/+",
          "acme/op/alice/#", "acme/ext/ha/rsp/+", "-/#", "-/inst/+/node/obs"})
      out.push_back(root + rest);
    out.push_back(root + "acme/dev/" + guid1 + "/agent/down/+");
    out.push_back(root + "acme/dev/" + guid1 + "/#");
    out.push_back("$share/g/" + root + "acme/dev/+/current");
  }
  for (auto f : {"#", "+", "+/#", "$SYS/#", "$SYS/broker/uptime", "$CONTROL/#"})
    out.push_back(f);
  return out;
}

struct participant {
  std::string name; ///< for messages
  bus::mqtt_options options;
  std::function<bool(access_kind, const std::string&)> may;
};

std::vector<participant> participants(broker& b) {
  std::vector<participant> out;
  auto person = [&](const bus_identity& id, const std::string& client_id) {
    out.push_back({bus_username(id) + " as " + std::string(to_string(id.held)),
                   b.person(bus_username(id), b.ticket_for(id), client_id),
                   [id](access_kind k, const std::string& t) {
                     return person_may(id, k, t);
                   }});
  };
  for (auto r : {role::viewer, role::operator_, role::admin, role::site_admin})
    person(identity(principal::kind::person, "acme", "alice", r),
           "op-alice-" + std::string(to_string(r)));
  person(identity(principal::kind::person, "globex", "bob", role::admin), "op-bob-1");
  person(identity(principal::kind::external, "acme", "ha", role::viewer), "ha");
  auto machine = [&](const std::string& name, const std::string& client_id) {
    out.push_back({name, b.machine(name, client_id), [name](access_kind k, const std::string& t) {
                     return machine_may(name, k, t);
                   }});
  };
  machine("-/inst/n1", "inst-n1");
  machine("acme/dev/" + guid1, guid1);
  return out;
}

TEST_CASE("the broker grants exactly what the role table says") {
  broker b;
  const auto topics = all_topics(), filters = all_filters();
  for (const auto& p : participants(b)) {
    CAPTURE(p.name);
    raw_client c(p.options);
    REQUIRE_MESSAGE(c.connect() == 0, b.process().log());
    std::size_t granted = 0;
    for (const auto& t : topics) {
      CAPTURE(t);
      const bool may = p.may(access_kind::publish, t);
      CHECK(c.publish(t) == (may ? 0 : not_authorized));
      granted += may ? 1 : 0;
    }
    CHECK(granted > 0);
    CHECK(granted < topics.size());
    for (const auto& f : filters) {
      CAPTURE(f);
      const int answer = c.subscribe(f);
      if (p.may(access_kind::subscribe, f))
        CHECK(answer <= 2);
      else
        CHECK(answer >= 0x80);
    }
    CHECK(c.connected());
  }
}

TEST_CASE("each participant receives exactly what the role table says") {
  broker b;
  const auto topics = all_topics();
  auto node_options = b.machine("-/inst/n2", "inst-n2");
  raw_client node(node_options);
  REQUIRE(node.connect() == 0);
  for (const auto& p : participants(b)) {
    CAPTURE(p.name);
    raw_client c(p.options);
    REQUIRE(c.connect() == 0);
    std::set<std::string> expected;
    for (const auto& t : topics)
      // Most subscriptions are refused; what is granted must deliver and the rest must not.
      if (c.subscribe(t) <= 2 && machine_may("-/inst/n2", access_kind::publish, t))
        expected.insert(t);
    for (const auto& t : topics)
      if (machine_may("-/inst/n2", access_kind::publish, t))
        REQUIRE(node.publish(t) == 0);
    for (const auto& t : expected) {
      CHECK(p.may(access_kind::subscribe, t));
      REQUIRE(c.wait_topic(t));
    }
    auto got = c.topics();
    CHECK(std::set<std::string>(got.begin(), got.end()) == expected);
    CHECK_FALSE(expected.empty());
  }
}

TEST_CASE("a viewer cannot publish desired state and the refusal is logged") {
  broker b;
  auto alice = identity(principal::kind::person, "acme", "alice", role::viewer);
  raw_client c(b.person("acme/op/alice", b.ticket_for(alice), "op-alice-1"));
  REQUIRE(c.connect() == 0);
  const auto topic = "oob/v1/acme/dev/" + guid1 + "/desired";
  CHECK(c.publish(topic, "off", true) == not_authorized);
  CHECK(b.process().wait_log("outband: refused publication user='acme/op/alice' "
                             "client='op-alice-1'"));
  CHECK(b.process().wait_log("topic='" + topic + "'"));
}

TEST_CASE("a second tenant sees nothing of the first") {
  broker b;
  raw_client node(b.machine("-/inst/n1", "inst-n1"));
  REQUIRE(node.connect() == 0);
  auto bob = identity(principal::kind::person, "globex", "bob", role::site_admin);
  raw_client c(b.person("globex/op/bob", b.ticket_for(bob), "op-bob-1"));
  REQUIRE(c.connect() == 0);
  for (std::string f :
       {"oob/v1/acme/dev/+/current", "oob/v1/+/dev/+/current", "#", "oob/v1/acme/op/alice/rsp/+"})
    CHECK(c.subscribe(f) == not_authorized);
  REQUIRE(c.subscribe("oob/v1/globex/dev/+/current") <= 2);
  REQUIRE(node.publish("oob/v1/acme/dev/" + guid1 + "/current", "secret", true) == 0);
  REQUIRE(node.publish("oob/v1/globex/dev/" + guid2 + "/current", "own", true) == 0);
  REQUIRE(c.wait_topic("oob/v1/globex/dev/" + guid2 + "/current"));
  CHECK(c.topics().size() == 1);
}

TEST_CASE("a will goes only where its owner may publish") {
  broker b;
  raw_client watcher(b.machine("-/inst/n1", "inst-n1"));
  REQUIRE(watcher.connect() == 0);
  REQUIRE(watcher.subscribe("oob/v1/acme/dev/+/agent/presence") <= 2);
  REQUIRE(watcher.subscribe("oob/v1/acme/dev/+/presence") <= 2);
  const auto agent = "acme/dev/" + guid1;
  {
    auto o = b.machine(agent, guid1);
    o.will = [&] {
      bus::message m;
      m.topic = "oob/v1/" + agent + "/agent/presence";
      m.payload = std::make_shared<const std::string>("gone");
      return std::optional<bus::message>(m);
    };
    bus::mqtt_endpoint e(o);
    REQUIRE(wait_connected(e));
    // The same client id elsewhere: the broker ends the first and sends its will.
    raw_client second(b.machine(agent, guid1));
    REQUIRE(second.connect() == 0);
    CHECK(watcher.wait_topic("oob/v1/" + agent + "/agent/presence"));
  }
  auto topics = watcher.topics();
  CHECK(std::count(topics.begin(), topics.end(), "oob/v1/" + agent + "/presence") == 0);
}

} // namespace
