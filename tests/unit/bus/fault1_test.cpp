// Fault 1: every message comes twice, and again an hour later.
#include "bus/outbox_publisher.hpp"
#include "bus/routed_endpoint.hpp"
#include "bus/scripted_endpoint.hpp"
#include "messages/bus/envelope.hpp"
#include "messages/bus/topics.hpp"
#include "tests/unit/bus/fake_outbox.hpp"
#include "tests/unit/bus/gate.hpp"

#include <algorithm>
#include <doctest/doctest.h>
#include <ostream>
#include <set>

namespace {

using namespace outband;
using namespace outband::bus;
using namespace std::chrono_literals;

/// Passes everything on twice at once and once more an hour later, as a broker may that has a
/// session's queue, or a bridge. On the way in only: publications are the publisher's own.
class repeating final : public endpoint {
public:
  repeating(endpoint& through, virtual_loop& loop) : through_(through), loop_(loop) {}

  void publish(message m, completion done) override {
    through_.publish(std::move(m), std::move(done));
  }
  subscription subscribe(std::string filter, subscribe_options options, handler h) override {
    auto shared = std::make_shared<handler>(std::move(h));
    return through_.subscribe(std::move(filter), options, [this, shared](const message& m) {
      (*shared)(m);
      (*shared)(m);
      loop_.after(1h, [shared, m] { (*shared)(m); });
    });
  }
  void request(message m, std::chrono::milliseconds deadline,
               std::function<bool(result<message>)> cb) override {
    through_.request(std::move(m), deadline, std::move(cb));
  }
  bool connected() const override { return through_.connected(); }
  subscription on_connection(std::function<void(bool)> changed) override {
    return through_.on_connection(std::move(changed));
  }

private:
  endpoint& through_;
  virtual_loop& loop_;
};

uuid id_of(int i) {
  uuid id = *parse_uuid("01890a5d-ac96-774b-bcce-b302099a0000");
  id.bytes[14] = static_cast<std::uint8_t>(i >> 8);
  id.bytes[15] = static_cast<std::uint8_t>(i);
  return id;
}

device_ref device(int i) {
  return {"acme", id_of(i)};
}

TEST_CASE("fault 1: documents that come three times end in the state of the store") {
  scripted_bus bus(3);
  auto sending = bus.attach(), receiving = bus.attach();
  repeating twice(*receiving, bus.loop());
  fake_outbox store(bus.loop(), [&] {
    return std::chrono::duration_cast<std::chrono::milliseconds>(
               bus.loop().now().time_since_epoch())
        .count();
  });
  std::map<std::string, std::pair<revision, power_state>> believed;
  int applied = 0, dropped = 0;
  // A consumer of state applies what is newer and nothing else.
  auto sub = twice.subscribe("oob/v1/acme/dev/+/current", {}, [&](const message& m) {
    auto d = decode_current(*m.payload, encoding::msgpack);
    REQUIRE(d.ok());
    auto& b = believed[m.topic];
    if (d->env.rev <= b.first) {
      ++dropped;
      return;
    }
    ++applied;
    b = {d->env.rev, d->body.power.state};
  });
  outbox_publisher publisher(store, *sending, {}, bus.loop());
  std::map<std::string, std::pair<revision, power_state>> truth;
  revision rev = 0;
  for (int i = 0; i < 300; ++i) {
    envelope env;
    env.id = id_of(i);
    env.rev = ++rev;
    current_state c;
    c.power.state = i % 3 == 0 ? power_state::on : power_state::off_soft;
    const auto topic = current_topic(device(i % 7));
    store.commit(topic, encode(env, c, encoding::msgpack));
    truth[topic] = {env.rev, c.power.state};
    bus.advance(1min); // so that what comes again an hour later mixes with what is new
  }
  bus.advance(2h);
  CHECK(believed == truth);
  CHECK(applied == 300);
  CHECK(dropped >= 600);
}

TEST_CASE("fault 1: a command that comes three times is carried out once and answered alike") {
  scripted_bus bus(4);
  fault_plan duplicates;
  duplicates.duplicate = 1; // the answers as well
  bus.set_faults(duplicates);
  auto far_controller = bus.attach(), far_node = bus.attach();
  routed_options o;
  o.response_prefix = node_reply_topic("ctl");
  repeating to_node(*far_node, bus.loop());
  routed_endpoint controller(*far_controller, o, bus.loop());
  routed_endpoint node(to_node, {}, bus.loop());

  // What a node keeps: the outcome by the command's id.
  std::map<uuid, std::string> outcomes;
  int carried_out = 0, arrived = 0;
  auto sub = node.subscribe(node_work_topic("n1"), {}, [&](const message& m) {
    ++arrived;
    auto d = decode_work(*m.payload, encoding::msgpack);
    REQUIRE(d.ok());
    const auto* call = std::get_if<amt_call>(&d->body);
    REQUIRE(call != nullptr);
    auto [at, fresh] = outcomes.try_emplace(call->id, "done " + std::to_string(carried_out));
    carried_out += fresh ? 1 : 0;
    auto answer = contract::text(m.response_topic, at->second);
    answer.correlation = m.correlation;
    node.publish(answer);
  });
  bus.run();
  std::vector<std::string> answers;
  for (int i = 0; i < 20; ++i) {
    amt_call call;
    call.id = id_of(i);
    call.device = device(i);
    call.operation = amt::request_power{power_action::reset};
    call.deadline = 1;
    envelope env;
    env.id = call.id;
    message m;
    m.topic = node_work_topic("n1");
    m.payload =
        std::make_shared<const std::string>(encode(env, work_body{call}, encoding::msgpack));
    controller.request(m, 5min, [&](result<message> r) {
      answers.push_back(r ? *r->payload : to_string(r.error()));
      return true;
    });
  }
  bus.advance(2h);
  CHECK(arrived == 20 * 2 * 3);
  CHECK(carried_out == 20);
  REQUIRE(answers.size() == 20);
  CHECK(std::set<std::string>(answers.begin(), answers.end()).size() == 20);
  CHECK(std::all_of(answers.begin(), answers.end(),
                    [](const std::string& a) { return a.rfind("done ", 0) == 0; }));
}

} // namespace
