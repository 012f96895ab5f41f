#include "messages/bus/topics.hpp"

#include "messages/domain/roles.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace outband;
using namespace outband::bus;

namespace {

const std::string guid = "12345678-9abc-def0-1234-56789abcdef0";
const device_ref dev{"acme", *parse_uuid(guid)};
const principal alice{principal::kind::person, "acme", "alice"};
const principal ha{principal::kind::external, "acme", "ha"};

} // namespace

TEST_CASE("topics are spelt as the broker's rules expect them") {
  CHECK(desired_topic(dev) == "oob/v1/acme/dev/" + guid + "/desired");
  CHECK(current_topic(dev) == "oob/v1/acme/dev/" + guid + "/current");
  CHECK(presence_topic(dev, bus::root::json) == "oobx/v1/acme/dev/" + guid + "/presence");
  CHECK(event_topic(dev, event_class::power) == "oob/v1/acme/dev/" + guid + "/event/power");
  CHECK(request_topic("acme", alice, dev.device) == "oob/v1/acme/op/alice/req/" + guid);
  CHECK(request_topic("acme", ha, dev.device, bus::root::json) ==
        "oobx/v1/acme/ext/ha/req/" + guid);
  CHECK(response_topic("acme", alice, "tab-1") == "oob/v1/acme/op/alice/rsp/tab-1");
  CHECK(meta_topic("acme", "bus") == "oob/v1/acme/meta/bus");
  CHECK(node_presence_topic("n1") == "oob/v1/-/inst/n1/node/presence");
  CHECK(node_work_topic("n1") == "oob/v1/-/inst/n1/node/work");
  CHECK(node_observations_topic("n1") == "oob/v1/-/inst/n1/node/obs");
  CHECK(node_ask_topic("n1") == "oob/v1/-/inst/n1/node/ask");
  CHECK(node_reply_topic("n1") == "oob/v1/-/inst/n1/node/reply");
  CHECK(controller_presence_topic() == "oob/v1/-/ctl/presence");
  CHECK(controller_wake_topic() == "oob/v1/-/ctl/wake");
  CHECK(canary_topic() == "oob/v1/-/broker/canary");
}

TEST_CASE("every topic about a device is parsed back under both roots") {
  for (auto r : {bus::root::native, bus::root::json}) {
    struct row {
      std::string topic;
      topic_kind kind;
    };
    for (const auto& t : {row{desired_topic(dev, r), topic_kind::desired},
                          row{current_topic(dev, r), topic_kind::current},
                          row{presence_topic(dev, r), topic_kind::presence},
                          row{event_topic(dev, event_class::config, r), topic_kind::event}}) {
      const auto p = parse_topic(t.topic);
      REQUIRE(p.has_value());
      CHECK(p->kind == t.kind);
      CHECK(p->root == r);
      CHECK(p->ref() == dev);
      CHECK_FALSE(p->caller.has_value());
    }
    for (auto c : {event_class::link, event_class::power, event_class::amt, event_class::command,
                   event_class::config})
      CHECK(parse_topic(event_topic(dev, c, r))->cls == c);
    const auto meta = parse_topic(meta_topic("acme", "bus", r));
    REQUIRE(meta.has_value());
    CHECK(meta->kind == topic_kind::meta);
    CHECK(meta->tenant == "acme");
    CHECK(meta->name == "bus");
  }
}

TEST_CASE("a request's topic says who asks and about which machine") {
  for (auto r : {bus::root::native, bus::root::json})
    for (const auto& who : {alice, ha}) {
      const auto p = parse_topic(request_topic("acme", who, dev.device, r));
      REQUIRE(p.has_value());
      CHECK(p->kind == topic_kind::request);
      CHECK(p->root == r);
      CHECK(p->ref() == dev);
      REQUIRE(p->caller.has_value());
      CHECK(p->caller->what == who.what);
      CHECK(p->caller->tenant == "acme");
      CHECK(p->caller->name == who.name);
    }
}

TEST_CASE("platform topics name their node and no tenant") {
  struct row {
    std::string topic;
    topic_kind kind;
    std::string instance;
  };
  for (const auto& t : {row{node_presence_topic("n1"), topic_kind::node_presence, "n1"},
                        row{node_work_topic("n-2"), topic_kind::node_work, "n-2"},
                        row{node_observations_topic("n1"), topic_kind::node_observations, "n1"},
                        row{node_ask_topic("n1"), topic_kind::node_ask, "n1"},
                        row{node_reply_topic("n1"), topic_kind::node_reply, "n1"},
                        row{controller_presence_topic(), topic_kind::controller_presence, ""},
                        row{controller_wake_topic(), topic_kind::controller_wake, ""},
                        row{canary_topic(), topic_kind::canary, ""}}) {
    CAPTURE(t.topic);
    const auto p = parse_topic(t.topic);
    REQUIRE(p.has_value());
    CHECK(p->kind == t.kind);
    CHECK(p->instance == t.instance);
    CHECK(p->tenant == "-");
    // They exist in MessagePack only.
    CHECK_FALSE(parse_topic("oobx" + t.topic.substr(3)).has_value());
  }
}

TEST_CASE("what no builder makes is not a topic of ours") {
  const std::string d = "oob/v1/acme/dev/" + guid;
  for (const std::string& bad :
       {std::string(),
        std::string("oob"),
        std::string("oob/v1"),
        std::string("oob/v1/"),
        std::string("/oob/v1/acme/dev/") + guid + "/current",
        d,
        d + "/",
        d + "/current/",
        d + "//current",
        d + "/currents",
        d + "/event",
        d + "/event/",
        d + "/event/unheard",
        d + "/event/power/x",
        d + "/current/x",
        std::string("oob/v2/acme/dev/") + guid + "/current",
        std::string("OOB/v1/acme/dev/") + guid + "/current",
        std::string("oob/v1/Acme/dev/") + guid + "/current",
        std::string("oob/v1/acme-/dev/") + guid + "/current",
        std::string("oob/v1/a12345678901234567890/dev/") + guid + "/current",
        std::string("oob/v1/-/dev/") + guid + "/current",
        std::string("oob/v1/+/dev/") + guid + "/current",
        std::string("oob/v1/acme/dev/+/current"),
        std::string("oob/v1/acme/dev/12345678-9ABC-def0-1234-56789abcdef0/current"),
        std::string("oob/v1/acme/dev/n1/current"),
        d + "/#",
        std::string("oob/v1/#"),
        std::string("oob/v1/acme/op/alice/req"),
        std::string("oob/v1/acme/op/alice/req/n1"),
        std::string("oob/v1/acme/op/a_b/req/") + guid,
        std::string("oob/v1/acme/op//req/") + guid,
        std::string("oob/v1/acme/dev/alice/req/") + guid,
        std::string("oob/v1/-/op/alice/req/") + guid,
        std::string("oob/v1/acme/op/alice/rsp"),
        std::string("oob/v1/acme/op/alice/rsp/A"),
        std::string("oob/v1/acme/meta"),
        std::string("oob/v1/acme/meta/a/b"),
        std::string("oob/v1/-/meta/bus"),
        std::string("oob/v1/acme/inst/n1/node/work"),
        std::string("oob/v1/-/inst/n1/work"),
        std::string("oob/v1/-/inst/n1/node/else"),
        std::string("oob/v1/-/inst/+/node/work"),
        std::string("oob/v1/-/ctl/else"),
        std::string("$SYS/broker/uptime"),
        std::string("oob/v1/acme/dev/") + std::string(65, 'a') + "/current",
        std::string("oob/v1/a\0b/meta/bus", 19),
        std::string(1 << 20, '/')}) {
    CAPTURE(bad.substr(0, 80));
    CHECK_FALSE(parse_topic(bad).has_value());
  }
}

TEST_CASE("an answer goes only to the caller's own topic under the same root") {
  const auto asked = *parse_topic(request_topic("acme", alice, dev.device));
  CHECK(may_answer(asked, response_topic("acme", alice, "tab-1")));
  const principal bob{principal::kind::person, "acme", "bob"};
  const principal ext_alice{principal::kind::external, "acme", "alice"};
  for (const std::string& bad :
       {response_topic("acme", alice, "tab-1", bus::root::json), response_topic("blue", alice, "x"),
        response_topic("acme", bob, "x"), response_topic("acme", ext_alice, "x"),
        current_topic(dev), request_topic("acme", alice, dev.device), std::string(),
        std::string("oob/v1/acme/op/alice/rsp/"), std::string("oob/v1/acme/op/alice/rsp/+"),
        canary_topic()}) {
    CAPTURE(bad);
    CHECK_FALSE(may_answer(asked, bad));
  }
  CHECK_FALSE(may_answer(*parse_topic(current_topic(dev)), response_topic("acme", alice, "x")));
}

TEST_CASE("the controller's filters match what the builders make and do not overlap") {
  using k = principal::kind;
  const std::vector<std::string> filters{
      request_filter(k::person),   request_filter(k::person, bus::root::json),
      request_filter(k::external), request_filter(k::external, bus::root::json),
      node_presence_filter(),      node_observations_filter()};
  const std::vector<std::string> topics{request_topic("acme", alice, dev.device),
                                        request_topic("acme", alice, dev.device, bus::root::json),
                                        request_topic("acme", ha, dev.device),
                                        request_topic("acme", ha, dev.device, bus::root::json),
                                        node_presence_topic("n1"),
                                        node_observations_topic("n1")};
  for (std::size_t f = 0; f < filters.size(); ++f)
    for (std::size_t t = 0; t < topics.size(); ++t) {
      CAPTURE(filters[f]);
      CAPTURE(topics[t]);
      CHECK(topic_matches(filters[f], topics[t]) == (f == t));
    }
}

TEST_CASE("the role table grants the topics that the builders make") {
  const bus_identity viewer{alice, role::viewer};
  for (auto r : {bus::root::native, bus::root::json}) {
    for (const auto& t :
         {desired_topic(dev, r), current_topic(dev, r), presence_topic(dev, r),
          event_topic(dev, event_class::command, r), response_topic("acme", alice, "tab-1", r)}) {
      CAPTURE(t);
      CHECK(person_may(viewer, access_kind::subscribe, t));
    }
    CHECK(person_may(viewer, access_kind::publish, request_topic("acme", alice, dev.device, r)));
  }
  CHECK(machine_may("-/inst/n1", access_kind::publish, node_observations_topic("n1")));
}
