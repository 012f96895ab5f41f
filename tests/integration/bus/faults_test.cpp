// What goes wrong on the way, numbered as in the list of faults that the bus must survive:
//   1 unit_bus; 2, 4, 13, 16 here; 3 recovery_test.cpp; 6 integration/gateway;
//   10, 11, 12, 22 load_test.cpp. The others need the whole server (tests/e2e).
#include "tests/integration/bus/client.hpp"
#include "tests/integration/bus/outbox_stage.hpp"

#include "bus/canary.hpp"
#include "messages/bus/envelope.hpp"
#include "messages/bus/topics.hpp"
#include "tests/support/relay.hpp"

#include <doctest/doctest.h>
#include <filesystem>
#include <ostream>

namespace {

using namespace outband;
using namespace outband::test;

TEST_CASE("fault 2: a lost PUBACK and a cut make the outbox send the same row once more") {
  broker b;
  relay between(b.machine_port());
  view seen;
  store s;
  auto through = b.machine("-/inst/n1", "inst-n1");
  through.port = between.port();
  bus::mqtt_endpoint publishing(through), watching(b.machine("-/inst/n2", "inst-n2"));
  auto sub = watching.subscribe(current, {}, seen.handler());
  REQUIRE(wait_connected(watching));
  REQUIRE(wait_connected(publishing));
  bus::outbox_options options;
  options.retry_base = std::chrono::milliseconds(10);
  options.canary_interval = std::chrono::hours(1); // the recovery below has one reason only
  bus::outbox_publisher publisher(s.outbox, publishing, options);
  s.commit(1, "before");
  REQUIRE(seen.becomes(s.committed));

  between.hold(relay::direction::to_client); // what the broker answers stays on the way
  s.commit(1, "id 42");
  s.commit(2, "id 43");
  REQUIRE(seen.becomes(s.committed)); // so the broker has them
  CHECK(s.unpublished() >= 2);
  between.cut();
  between.hold(relay::direction::to_client, false);
  REQUIRE(wait_connected(publishing));
  s.commit(3, "after");
  REQUIRE(seen.becomes(s.committed));

  CHECK(seen.times(topic_of(1) + " id 42") >= 2); // with the very same content
  CHECK(publisher.metrics().resent >= 2);
  // Nothing but duplicates: each topic has had its documents in their order.
  std::vector<std::string> first;
  seen.g.with([&] {
    for (const auto& t : seen.told)
      if (std::find(first.begin(), first.end(), t) == first.end())
        first.push_back(t);
  });
  CHECK(first == std::vector<std::string>{topic_of(1) + " before", topic_of(1) + " id 42",
                                          topic_of(2) + " id 43", topic_of(3) + " after"});
  REQUIRE(s.wait_published());
  CHECK(s.outbox.last_id == 4);
}

TEST_CASE("fault 4: a broker with a store an hour old gets only what has changed since") {
  broker b;
  view seen;
  store s;
  gate g;
  std::int64_t complete_ms = 0;
  bus::mqtt_endpoint publishing(b.machine("-/inst/n1", "inst-n1")),
      watching(b.machine("-/inst/n2", "inst-n2"));
  auto canaries = watching.subscribe(bus::canary_topic(), {}, [&](const bus::message& m) {
    auto note = bus::decode_note(*m.payload);
    g.with([&] { complete_ms = note ? note->complete_ms : 0; });
  });
  auto sub = watching.subscribe("oob/v1/acme/#", {}, seen.handler());
  bus::outbox_options options;
  options.canary_interval = std::chrono::milliseconds(20);
  options.retry_base = std::chrono::milliseconds(10);
  options.now_ms = [&] {
    return s.now_ms();
  };
  bus::outbox_publisher publisher(s.outbox, publishing, options);
  for (int i = 0; i < 300; ++i)
    s.commit(i, "old");
  REQUIRE(seen.becomes(s.committed));
  // Ten minutes later something happens, and the canary says that all before is there.
  s.ahead_ms += 600'000;
  const auto then = s.now_ms();
  s.commit(0, "tick");
  REQUIRE(until(g, [&] { return complete_ms >= then; }));
  b.process().stop();
  const auto aside = b.folder().file("an-hour-ago.db");
  std::filesystem::copy_file(b.store_file(), aside);
  b.process().start();
  REQUIRE(wait_connected(publishing));
  REQUIRE(wait_connected(watching));

  s.ahead_ms += 3'600'000;
  for (int i = 0; i < 20; ++i)
    s.commit(i * 10, "new");
  REQUIRE(seen.becomes(s.committed));
  const auto later = s.now_ms();
  s.commit(0, "newest");
  REQUIRE(until(g, [&] { return complete_ms >= later; })); // nothing is under way any more
  const auto before = publisher.metrics();
  b.process().kill();
  REQUIRE(wait_connected(publishing, false));
  std::filesystem::copy_file(aside, b.store_file(),
                             std::filesystem::copy_options::overwrite_existing);
  b.process().start();
  REQUIRE(wait_connected(publishing));
  view late;
  bus::mqtt_endpoint latecomer(b.machine("-/inst/n3", "inst-n3"));
  auto retained = latecomer.subscribe("oob/v1/acme/#", {}, late.handler());
  REQUIRE(late.becomes(s.committed));
  // The publisher counts what is acknowledged; each round trip is time for that.
  for (int i = 0; i < 10'000 && publisher.metrics().republished < before.republished + 20; ++i) {
    bool round = false;
    publishing.publish(text("oob/v1/-/t/x", "x"), [&](status) { g.with([&] { round = true; }); });
    REQUIRE(until(g, [&] { return round; }));
  }
  const auto after = publisher.metrics();
  CHECK(after.recoveries == before.recoveries + 1);
  CHECK(after.republished == before.republished + 20);
}

TEST_CASE("fault 13: what is planted retained on commands is refused and counted and cleared") {
  broker b;
  const std::string guid = "4c4c4544-004b-3510-8052-b4c04f564433";
  const std::string work = "oob/v1/-/inst/n1/node/work",
                    request = "oob/v1/acme/op/alice/req/" + guid;
  bus::mqtt_endpoint e(b.machine("-/inst/n1", "inst-n1"));
  raw_client node(b.machine("-/inst/n2", "inst-n2"));
  auto alice = identity(principal::kind::person, "acme", "alice", role::operator_);
  raw_client person(b.person("acme/op/alice", b.ticket_for(alice), "op-alice-1"));
  REQUIRE(node.connect() == 0);
  REQUIRE(person.connect() == 0);
  REQUIRE(wait_connected(e));
  REQUIRE(node.publish(work, "planted", true) == 0);
  REQUIRE(person.publish(request, "planted", true) == 0);
  gate g;
  std::vector<std::string> got;
  auto into = [&](const bus::message& m) {
    g.with([&] { got.push_back(m.topic + " " + *m.payload); });
  };
  bus::subscribe_options strict;
  strict.refuse_retained = true;
  auto of_work = e.subscribe(work, strict, into);
  auto of_requests = e.subscribe(bus::request_filter(principal::kind::person), strict, into);
  // One that is planted while we listen, and good ones after them. What we publish after a
  // subscription waits for it.
  bool listening = false;
  e.publish(text("oob/v1/-/t/x", "x"), [&](status) { g.with([&] { listening = true; }); });
  REQUIRE(until(g, [&] { return listening; }));
  REQUIRE(node.publish(work, "planted again", true) == 0);
  REQUIRE(node.publish(work, "said", false) == 0);
  REQUIRE(person.publish(request, "asked", false) == 0);
  REQUIRE(until(g, [&] { return got.size() >= 2; }));
  std::sort(got.begin(), got.end());
  CHECK(got == std::vector<std::string>{work + " said", request + " asked"});
  CHECK(e.counters().retained_refused == 3);
  // Who comes now finds neither.
  raw_client late(b.machine("-/inst/n2", "inst-n2-late"));
  REQUIRE(late.connect() == 0);
  REQUIRE(late.subscribe(work) <= 2);
  REQUIRE(late.subscribe(request) <= 2);
  REQUIRE(late.subscribe("oob/v1/-/t/marker") <= 2);
  REQUIRE(node.publish("oob/v1/-/t/marker") == 0);
  REQUIRE(late.wait_topic("oob/v1/-/t/marker"));
  CHECK(late.topics().size() == 1);
}

/// Payloads that are no documents, and one that is cut off at each octet.
std::vector<std::string> malformed(const std::string& good, bool json) {
  std::vector<std::string> out;
  for (std::size_t i = 1; i < good.size(); ++i)
    out.push_back(good.substr(0, i));
  if (json) {
    out.push_back(std::string(200, '[') + std::string(200, ']'));
    out.push_back(R"({"specversion":"1.0","id":7})");
    out.push_back("{\"a\":\"\xff\xfe\"}");
    out.push_back("nul");
    return out;
  }
  out.push_back(std::string(200, '\x91') + '\xc0');          // arrays within arrays
  out.push_back(std::string("\xdd\xff\xff\xff\xff", 5));     // an array of 2^32 - 1
  out.push_back(std::string("\xdf\xff\xff\xff\xff\xa1", 6)); // a map of 2^32 - 1
  out.push_back(std::string("\xc6\xff\xff\xff\xff", 5));     // 4 GiB of octets
  out.push_back(std::string("\x81\xa1"
                            "d\xc7\x01\x01x",
                            7)); // an extension
  out.push_back("\xc1");         // never used
  return out;
}

TEST_CASE("fault 16: malformed documents are counted and the connection is kept") {
  auto& b = shared_broker();
  bus::mqtt_endpoint listening(b.machine("-/inst/n1", "inst-n1-decoding")),
      sending(b.machine("-/inst/n2", "inst-n2-garbage"));
  REQUIRE(wait_connected(listening));
  REQUIRE(wait_connected(sending));
  gate g;
  int good = 0, errors = 0;
  auto count = [&](bool ok) {
    g.with([&] { ++(ok ? good : errors); });
  };
  auto native = listening.subscribe("oob/v1/-/t/garbage", {}, [&](const bus::message& m) {
    count(bus::decode_node_presence(*m.payload, bus::encoding::msgpack).ok());
  });
  auto json = listening.subscribe("oobx/v1/acme/t/garbage", {}, [&](const bus::message& m) {
    count(bus::decode_node_presence(*m.payload, bus::encoding::cloudevents).ok());
  });
  auto ready = listening.subscribe("oob/v1/-/t/ready", {}, [](const bus::message&) {});
  int acked = 0, sent = 0;
  auto send = [&](const std::string& topic, const std::string& payload) {
    sending.publish(text(topic, payload), [&](status s) { g.with([&] { acked += s ? 1 : 0; }); });
    ++sent;
    return until(g, [&] { return acked == sent; });
  };
  // The subscriptions are the broker's when one after them is answered.
  listening.publish(text("oob/v1/-/t/ready", "x"),
                    [&](status s) { g.with([&] { acked += s ? 1 : 0; }); });
  ++sent;
  REQUIRE(until(g, [&] { return acked == sent; }));

  bus::envelope env;
  env.id = *parse_uuid("01890a5d-ac96-774b-bcce-b302099a8057");
  const bus::node_presence body{env.id, "n1", true, 5};
  int bad = 0;
  for (auto e : {bus::encoding::msgpack, bus::encoding::cloudevents}) {
    const bool is_json = e == bus::encoding::cloudevents;
    const std::string topic = is_json ? "oobx/v1/acme/t/garbage" : "oob/v1/-/t/garbage";
    const auto octets = bus::encode(env, body, e);
    for (const auto& payload : malformed(octets, is_json)) {
      REQUIRE(send(topic, payload));
      ++bad;
    }
    REQUIRE(send(topic, octets));
  }
  REQUIRE(until(g, [&] { return good + errors == bad + 2; }));
  CHECK(errors == bad);
  CHECK(good == 2);
  CHECK(listening.counters().connections_lost == 0);
  CHECK(sending.counters().connections_lost == 0);
}

} // namespace
