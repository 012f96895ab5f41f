/// What every back end of bus::endpoint promises, written once.
///
/// Before including this file define BUS_BACKENDS as a list of fixture types with:
///   std::unique_ptr<bus::endpoint> attach();   // connected; can make requests
///   bool until(gate&, std::function<bool()>);  // lets things happen until the condition holds
/// Topics start with "oob/v1/-/t/", which the integration tests' certificate may use.
#pragma once

#include "messages/bus/envelope.hpp"
#include "tests/unit/bus/gate.hpp"

#include <algorithm>
#include <doctest/doctest.h>
#include <ostream>

namespace outband::bus::contract {

/// Publishes and waits until the broker has it; the outcome.
template <class T> status publish_and_wait(T& t, gate& g, endpoint& e, message m) {
  std::optional<status> outcome;
  e.publish(std::move(m), [&](status s) { g.with([&] { outcome = std::move(s); }); });
  if (!t.until(g, [&] { return outcome.has_value(); }))
    return fail(problem::internal, "no completion");
  return *outcome;
}

inline const std::string base = "oob/v1/-/t/";

TEST_CASE_TEMPLATE("a message arrives with everything it was sent with", T, BUS_BACKENDS) {
  T t;
  gate g;
  inbox in{g};
  auto sender = t.attach(), receiver = t.attach();
  auto sub = receiver->subscribe(base + "a/+", {}, in.handler());
  // The sender's message must not overtake the subscription of another connection.
  auto ready = receiver->subscribe(base + "ready", {}, in.handler());
  REQUIRE(publish_and_wait(t, g, *receiver, text(base + "ready", "go")).ok());
  REQUIRE(t.until(g, [&] { return in.got.size() == 1; }));

  message m = text(base + "a/1", std::string("\0\xff octets", 9));
  m.content_type = "application/vnd.oob.v1+msgpack";
  m.response_topic = base + "answer";
  m.correlation = std::string("\0\1\2", 3);
  m.expiry = std::chrono::seconds(300);
  REQUIRE(publish_and_wait(t, g, *sender, m).ok());
  REQUIRE(t.until(g, [&] { return in.got.size() == 2; }));
  const auto& got = in.got[1];
  CHECK(got.topic == m.topic);
  CHECK(*got.payload == *m.payload);
  CHECK(got.content_type == m.content_type);
  CHECK(got.response_topic == m.response_topic);
  CHECK(got.correlation == m.correlation);
  REQUIRE(got.expiry.has_value());
  CHECK(got.expiry->count() <= 300);
  CHECK(got.expiry->count() > 200);
  CHECK(got.qos == 1);
  CHECK_FALSE(got.retain);
  CHECK(got.subscription_id != in.got[0].subscription_id);
}

TEST_CASE_TEMPLATE("a publication that nobody subscribes to succeeds", T, BUS_BACKENDS) {
  T t;
  gate g;
  auto e = t.attach();
  CHECK(publish_and_wait(t, g, *e, text(base + "nobody", "x")).ok());
}

TEST_CASE_TEMPLATE("QoS 0 is delivered and completed too", T, BUS_BACKENDS) {
  T t;
  gate g;
  inbox in{g};
  auto e = t.attach();
  auto sub = e->subscribe(base + "q", {}, in.handler());
  auto m = text(base + "q", "x");
  m.qos = 0;
  CHECK(publish_and_wait(t, g, *e, m).ok());
  REQUIRE(t.until(g, [&] { return in.got.size() == 1; }));
  CHECK(in.got[0].qos == 0);
}

TEST_CASE_TEMPLATE("neither handlers nor completions run inside a call", T, BUS_BACKENDS) {
  static thread_local bool inside = false;
  T t;
  gate g;
  int calls = 0;
  bool nested = false;
  auto called = [&] {
    g.with([&] {
      nested = nested || inside;
      ++calls;
    });
  };
  auto e = t.attach();
  inside = true;
  auto sub = e->subscribe(base + "n", {}, [&](const message&) { called(); });
  auto state = e->on_connection([&](bool) { called(); });
  e->publish(text(base + "n", "x"), [&](status) { called(); });
  e->publish(text("not/a/+/topic", "x"), [&](status) { called(); });
  inside = false;
  REQUIRE(t.until(g, [&] { return calls == 4; }));
  CHECK_FALSE(nested);
}

TEST_CASE_TEMPLATE("wildcards match whole levels only", T, BUS_BACKENDS) {
  T t;
  gate g;
  inbox plus{g}, hash{g};
  auto e = t.attach();
  auto a = e->subscribe(base + "w/+/x", {}, plus.handler());
  auto b = e->subscribe(base + "v/#", {}, hash.handler());
  for (auto topic : {"w/1/x", "w/1/y", "w/1/2/x", "w/x", "v", "v/1", "v/1/2", "vv", "w/2/x"})
    REQUIRE(publish_and_wait(t, g, *e, text(base + topic, topic)).ok());
  REQUIRE(t.until(g, [&] { return plus.got.size() >= 2 && hash.got.size() >= 3; }));
  CHECK(plus.texts() == std::vector<std::string>{"w/1/x", "w/2/x"});
  CHECK(hash.texts() == std::vector<std::string>{"v", "v/1", "v/1/2"});
}

TEST_CASE_TEMPLATE("a late subscriber gets what was retained until it is deleted", T,
                   BUS_BACKENDS) {
  T t;
  gate g;
  inbox first{g}, second{g};
  auto e = t.attach();
  REQUIRE(publish_and_wait(t, g, *e, text(base + "r/1", "old", true)).ok());
  REQUIRE(publish_and_wait(t, g, *e, text(base + "r/1", "new", true)).ok());
  REQUIRE(publish_and_wait(t, g, *e, text(base + "r/2", "gone", true)).ok());
  REQUIRE(publish_and_wait(t, g, *e, text(base + "r/2", "", true)).ok());
  REQUIRE(publish_and_wait(t, g, *e, text(base + "r/3", "not kept")).ok());
  auto a = e->subscribe(base + "r/+", {}, first.handler());
  REQUIRE(t.until(g, [&] { return !first.got.empty(); })); // the replay is in no order with others
  REQUIRE(publish_and_wait(t, g, *e, text(base + "r/end", "end")).ok());
  REQUIRE(t.until(g, [&] { return first.got.size() >= 2; }));
  CHECK(first.texts() == std::vector<std::string>{"new", "end"});
  CHECK(first.got[0].retain);
  CHECK_FALSE(first.got[1].retain);
  // A second subscription to the same filter gets it as well.
  auto b = e->subscribe(base + "r/+", {}, second.handler());
  REQUIRE(t.until(g, [&] { return !second.got.empty(); }));
  CHECK(*second.got[0].payload == "new");
}

TEST_CASE_TEMPLATE("retain handling and the publisher's retain flag follow the options", T,
                   BUS_BACKENDS) {
  T t;
  gate g;
  inbox in{g}, plain{g};
  auto e = t.attach();
  REQUIRE(publish_and_wait(t, g, *e, text(base + "h/a", "before", true)).ok());
  REQUIRE(publish_and_wait(t, g, *e, text(base + "k/a", "before", true)).ok());
  subscribe_options never;
  never.retain_handling = 2;
  auto a = e->subscribe(base + "h/+", never, in.handler());
  subscribe_options cleared;
  cleared.retain_as_published = false;
  auto b = e->subscribe(base + "k/+", cleared, plain.handler());
  REQUIRE(publish_and_wait(t, g, *e, text(base + "h/a", "live", true)).ok());
  REQUIRE(publish_and_wait(t, g, *e, text(base + "k/a", "live", true)).ok());
  REQUIRE(t.until(g, [&] { return !in.got.empty() && plain.got.size() >= 2; }));
  REQUIRE(in.texts() == std::vector<std::string>{"live"});
  CHECK(in.got[0].retain); // so that a retained command can be refused
  REQUIRE(plain.texts() == std::vector<std::string>{"before", "live"});
  CHECK(plain.got[0].retain);
  CHECK_FALSE(plain.got[1].retain);
}

TEST_CASE_TEMPLATE("a subscription for commands refuses what is retained and clears it", T,
                   BUS_BACKENDS) {
  T t;
  gate g;
  inbox commands{g}, cleared{g};
  auto e = t.attach(), other = t.attach();
  REQUIRE(publish_and_wait(t, g, *other, text(base + "m/before", "planted", true)).ok());
  auto watch = other->subscribe(base + "m/+", {}, cleared.handler());
  subscribe_options strict;
  strict.refuse_retained = true;
  auto sub = e->subscribe(base + "m/+", strict, commands.handler());
  auto empty = [&](const char* topic) {
    return std::any_of(cleared.got.begin(), cleared.got.end(), [&](const message& m) {
      return m.topic == base + topic && m.payload->empty();
    });
  };
  REQUIRE(t.until(g, [&] { return empty("m/before"); }));
  REQUIRE(publish_and_wait(t, g, *other, text(base + "m/now", "planted", true)).ok());
  REQUIRE(t.until(g, [&] { return empty("m/now"); }));
  REQUIRE(publish_and_wait(t, g, *e, text(base + "m/now", "said")).ok());
  REQUIRE(t.until(g, [&] { return !commands.got.empty(); }));
  CHECK(commands.texts() == std::vector<std::string>{"said"});
}

TEST_CASE_TEMPLATE("a subscription ends with its token", T, BUS_BACKENDS) {
  T t;
  gate g;
  inbox ended{g}, kept{g}, again{g};
  auto e = t.attach();
  auto a = e->subscribe(base + "e/+", {}, ended.handler());
  auto b = e->subscribe(base + "f/+", {}, kept.handler());
  REQUIRE(publish_and_wait(t, g, *e, text(base + "e/1", "1")).ok());
  REQUIRE(t.until(g, [&] { return ended.got.size() == 1; }));
  auto copy = a;
  a.reset();
  REQUIRE(publish_and_wait(t, g, *e, text(base + "e/2", "2")).ok());
  REQUIRE(t.until(g, [&] { return ended.got.size() == 2; }));
  copy.reset();
  REQUIRE(publish_and_wait(t, g, *e, text(base + "e/3", "3")).ok());
  REQUIRE(publish_and_wait(t, g, *e, text(base + "f/1", "marker")).ok());
  REQUIRE(t.until(g, [&] { return kept.got.size() == 1; }));
  CHECK(ended.got.size() == 2);
  // The filter can be used again.
  auto c = e->subscribe(base + "e/+", {}, again.handler());
  REQUIRE(publish_and_wait(t, g, *e, text(base + "e/4", "4")).ok());
  REQUIRE(t.until(g, [&] { return again.got.size() == 1; }));
}

TEST_CASE_TEMPLATE("what one endpoint publishes arrives in order", T, BUS_BACKENDS) {
  T t;
  gate g;
  inbox in{g};
  auto e = t.attach();
  auto sub = e->subscribe(base + "o/+", {}, in.handler());
  int acked = 0, sent = 0;
  for (int round = 0; round < 6; ++round) {
    for (int i = 0; i < 50; ++i, ++sent)
      e->publish(text(base + "o/" + std::to_string(sent % 7), std::to_string(sent)),
                 [&](status s) { g.with([&] { acked += s.ok() ? 1 : 0; }); });
    REQUIRE(t.until(g, [&] { return acked == sent; }));
  }
  REQUIRE(t.until(g, [&] { return in.got.size() == static_cast<std::size_t>(sent); }));
  for (int i = 0; i < sent; ++i)
    REQUIRE(*in.got[static_cast<std::size_t>(i)].payload == std::to_string(i));
}

TEST_CASE_TEMPLATE("every publication completes once and refused ones say busy", T, BUS_BACKENDS) {
  T t;
  gate g;
  inbox in{g};
  auto e = t.attach();
  auto sub = e->subscribe(base + "b", {}, in.handler());
  constexpr int count = 12'000; // more than any back end's window
  std::vector<int> completions(count, 0);
  int done = 0, accepted = 0, other = 0;
  for (int i = 0; i < count; ++i)
    e->publish(text(base + "b", std::to_string(i)), [&, i](status s) {
      g.with([&] {
        ++completions[static_cast<std::size_t>(i)];
        ++done;
        accepted += s.ok() ? 1 : 0;
        other += !s.ok() && s.error().what != problem::busy ? 1 : 0;
      });
    });
  REQUIRE(t.until(g, [&] { return done >= count; }));
  REQUIRE(t.until(g, [&] { return in.got.size() >= static_cast<std::size_t>(accepted); }));
  CHECK(in.got.size() == static_cast<std::size_t>(accepted));
  CHECK(accepted > 0);
  CHECK(other == 0);
  for (int c : completions)
    REQUIRE(c == 1);
  // The window is free again.
  CHECK(publish_and_wait(t, g, *e, text(base + "b", "after")).ok());
}

TEST_CASE_TEMPLATE("a request gets its answers until the last", T, BUS_BACKENDS) {
  T t;
  gate g;
  inbox seen{g};
  auto client = t.attach(), server = t.attach();
  auto work = server->subscribe(base + "req", {}, [&](const message& m) {
    for (auto words : {"accepted", "done", "late"}) {
      auto answer = text(m.response_topic, words);
      answer.correlation = m.correlation;
      server->publish(answer);
    }
    g.with([&] { seen.got.push_back(m); });
  });
  bool listening = false;
  server->publish(text(base + "warm", "x"), [&](status) { g.with([&] { listening = true; }); });
  REQUIRE(t.until(g, [&] { return listening; }));
  std::vector<std::string> answers;
  client->request(text(base + "req", "do"), std::chrono::seconds(60), [&](result<message> r) {
    bool last = true;
    g.with([&] {
      answers.push_back(r ? *r->payload : to_string(r.error()));
      last = answers.size() == 2;
    });
    return last;
  });
  REQUIRE(t.until(g, [&] { return answers.size() == 2; }));
  CHECK(answers == std::vector<std::string>{"accepted", "done"});
  REQUIRE(seen.got.size() == 1);
  CHECK(seen.got[0].expiry.has_value()); // nobody carries it out after the deadline
  // A further request on the same endpoint sees nothing of the former's late answer.
  client->request(text(base + "req", "again"), std::chrono::seconds(60), [&](result<message> r) {
    g.with([&] { answers.push_back(r ? *r->payload : to_string(r.error())); });
    return true;
  });
  REQUIRE(t.until(g, [&] { return answers.size() == 3; }));
  CHECK(answers[2] == "accepted");
}

TEST_CASE_TEMPLATE("a request that nobody answers ends at its deadline", T, BUS_BACKENDS) {
  T t;
  gate g;
  auto e = t.attach();
  std::vector<problem> ends;
  e->request(text(base + "void", "x"), std::chrono::milliseconds(150), [&](result<message> r) {
    g.with([&] { ends.push_back(r ? problem::internal : r.error().what); });
    return true;
  });
  REQUIRE(t.until(g, [&] { return !ends.empty(); }));
  CHECK(ends == std::vector<problem>{problem::expired});
}

TEST_CASE_TEMPLATE("what cannot be a message is refused with the field", T, BUS_BACKENDS) {
  T t;
  gate g;
  auto e = t.attach();
  auto outcome = [&](message m) {
    auto s = publish_and_wait(t, g, *e, std::move(m));
    return s.ok() ? std::string("ok") : s.error().field;
  };
  CHECK(outcome(text("", "x")) == "topic");
  CHECK(outcome(text("a/+", "x")) == "topic");
  CHECK(outcome(text("a/#", "x")) == "topic");
  CHECK(outcome(text(base + "x", std::string(bus::max_payload + 1, 'x'))) == "payload");
  message no_payload;
  no_payload.topic = base + "x";
  CHECK(outcome(no_payload) == "payload");
  auto exactly_once = text(base + "x", "x");
  exactly_once.qos = 2;
  CHECK(outcome(exactly_once) == "qos");
  for (auto bad : {"", "a+", "a/#/b", "+a/b", "#a"})
    CHECK_FALSE(e->subscribe(bad, {}, [](const message&) {}));
}

TEST_CASE_TEMPLATE("the present connection state is told at once", T, BUS_BACKENDS) {
  T t;
  gate g;
  std::vector<bool> states;
  auto e = t.attach();
  CHECK(e->connected());
  auto sub = e->on_connection([&](bool up) { g.with([&] { states.push_back(up); }); });
  REQUIRE(t.until(g, [&] { return !states.empty(); }));
  CHECK(states == std::vector<bool>{true});
}

TEST_CASE_TEMPLATE("closing an endpoint completes everything once", T, BUS_BACKENDS) {
  T t;
  gate g;
  auto e = t.attach();
  int answers = 0, completions = 0;
  bool closed = false;
  e->request(text(base + "void", "x"), std::chrono::hours(1), [&](result<message> r) {
    g.with([&] {
      ++answers;
      closed = !r && r.error().what == problem::bus_unavailable;
    });
    return true;
  });
  for (int i = 0; i < 20; ++i)
    e->publish(text(base + "x", "x"), [&](status) { g.with([&] { ++completions; }); });
  e.reset();
  REQUIRE(t.until(g, [&] { return answers == 1 && completions == 20; }));
  CHECK(closed);
}

} // namespace outband::bus::contract
