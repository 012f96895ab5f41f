// Requests on the public bus: what is let in, what is refused, and where answers go.
#include "actors/audit_log.hpp"
#include "actors/bus_requests.hpp"
#include "messages/bus/envelope.hpp"
#include "messages/bus/topics.hpp"
#include "tests/unit/actors/site.hpp"

using namespace outband;
using namespace outband::testing;

namespace {

const principal alice{principal::kind::person, "acme", "alice"};

struct public_site : site {
  public_site() {
    account("alice", "operator");
    requests.start(1);
    for (auto root : {bus::root::native, bus::root::json})
      heard.push_back(
          client->subscribe(std::string(bus::to_string(root)) + "/+/+/+/rsp/+", {},
                            [this](const bus::message& m) { answers_on_bus.push_back(m); }));
    run();
  }
  void account(const std::string& name, const std::string& held, bool site_admin = false) {
    account_row row;
    row.name = name;
    row.site_admin = site_admin;
    if (!held.empty())
      row.roles["acme"] = held;
    store.accounts[name] = row;
  }
  bus::message message(std::string payload, bus::root root = bus::root::native,
                       const principal& by = alice) {
    bus::message m;
    m.topic = bus::request_topic("acme", by, machine.device, root);
    m.payload = std::make_shared<const std::string>(std::move(payload));
    m.content_type = std::string(bus::content_type_of(root));
    m.response_topic = bus::response_topic("acme", by, "c1", root);
    m.correlation = "corr-1";
    return m;
  }
  std::string packed(request_body body, uuid id) {
    request r;
    r.id = id;
    r.body = std::move(body);
    bus::envelope e;
    e.id = clock.new_id();
    e.time = clock.now();
    e.source = "op/alice";
    return bus::encode(e, r, bus::encoding::msgpack);
  }
  /// The answers that came since, decoded.
  std::vector<response> ask(bus::message m) {
    answers_on_bus.clear();
    client->publish(std::move(m));
    firmware_works();
    std::vector<response> out;
    for (const auto& a : answers_on_bus) {
      auto t = bus::parse_topic(a.topic);
      REQUIRE(t);
      auto d = bus::decode_response(*a.payload, bus::encoding_of(t->root));
      REQUIRE(d);
      out.push_back(d->body);
    }
    return out;
  }

  std::unique_ptr<bus::scripted_endpoint> outside = bus.attach({"", 10'000});
  std::unique_ptr<bus::scripted_endpoint> client = bus.attach({"", 10'000});
  std::vector<bus::message> answers_on_bus;
  std::vector<bus::subscription> heard;
  bus_requests requests{with, control_role, *outside};
};

} // namespace

TEST_CASE("a request in MessagePack is answered to its sender with its correlation") {
  public_site s;
  auto id = s.clock.new_id();
  auto answers = s.ask(s.message(s.packed(ask_snapshot{}, id)));
  REQUIRE(answers.size() == 1);
  CHECK(answers[0].id == id);
  CHECK(answers[0].status == request_status::done);
  CHECK(answers[0].snapshot.has_value());
  CHECK(s.answers_on_bus[0].topic == bus::response_topic("acme", alice, "c1"));
  CHECK(s.answers_on_bus[0].correlation == "corr-1");
  CHECK(s.answers_on_bus[0].content_type == bus::content_type_of(bus::root::native));
}

TEST_CASE("a request in plain JSON is stored and answered in JSON") {
  public_site s;
  auto answers = s.ask(
      s.message(R"({"act":"desired.patch","arg":{"power":{"target":"off"}}})", bus::root::json));
  REQUIRE(answers.size() == 1);
  CHECK(answers[0].status == request_status::done);
  CHECK(answers[0].rev == 1);
  CHECK(s.store.of(machine).row.desired.power.target == power_target::off);
  CHECK(s.answers_on_bus[0].topic == bus::response_topic("acme", alice, "c1", bus::root::json));
  CHECK(s.answers_on_bus[0].payload->front() == '{');
}

TEST_CASE(
    "a command over the bus is accepted then sent to the machine and then told how it ended") {
  public_site s;
  s.comes();
  s.firmware_works();
  auto answers = s.ask(
      s.message(s.packed(ask_once{power_once::reset, power_policy::immediate}, s.clock.new_id())));
  REQUIRE(answers.size() == 2);
  CHECK(answers[0].status == request_status::accepted);
  CHECK(answers[1].status == request_status::running);
  s.pass(5s);
  REQUIRE(s.answers_on_bus.size() == 3);
  for (const auto& m : s.answers_on_bus)
    CHECK(m.correlation == "corr-1");
  const auto last = bus::decode_response(*s.answers_on_bus[2].payload, bus::encoding::msgpack);
  REQUIRE(last);
  CHECK(last->body.status == request_status::done);
  CHECK(s.firmware.asked == std::vector<int>{10});
}

TEST_CASE("a retained request is refused and cleared once") {
  public_site s;
  auto m = s.message(s.packed(ask_desired{{power_target::off, {}}, {}}, s.clock.new_id()));
  m.retain = true;
  auto answers = s.ask(m); // run() fails if clearing begets clearing
  CHECK(answers.empty());
  CHECK(s.counters.retained_commands == 1);
  CHECK(s.bus.retained().count(m.topic) == 0);
  CHECK(s.store.of(machine).row.desired_rev == 0);
}

TEST_CASE("nothing is sent to a response topic of somebody else and the trail says who tried") {
  public_site s;
  audit_log log{s.store, s.clock, {"n1", false, {}}};
  s.with.audit = &log;
  for (const auto& elsewhere :
       {bus::response_topic("acme", {principal::kind::person, "acme", "bob"}, "c1"),
        bus::response_topic("globex", alice, "c1"),
        bus::response_topic("acme", alice, "c1", bus::root::json), bus::desired_topic(machine),
        bus::node_work_topic("n1")}) {
    auto m = s.message(s.packed(ask_desired{{power_target::off, {}}, {}}, s.clock.new_id()));
    m.response_topic = elsewhere;
    CAPTURE(elsewhere);
    CHECK(s.ask(m).empty());
  }
  CHECK(s.store.of(machine).row.desired_rev == 0);
  CHECK(s.counters.requests_refused == 5);
  CHECK(s.counters.tenant_mismatch == 5);
  CHECK(s.store.trail.size() == 5);
  for (const auto& [key, row] : s.store.trail) {
    CHECK(row.entry.tenant == "acme");
    CHECK(row.entry.by == "op/alice");
    CHECK(row.entry.device == machine.device);
    CHECK(row.outcome.status == audit_status::rejected);
    CHECK(row.outcome.code == "forbidden");
  }
  s.with.audit = nullptr;
}

TEST_CASE("a content type that contradicts the topic is refused") {
  public_site s;
  auto m = s.message(s.packed(ask_snapshot{}, s.clock.new_id()));
  m.content_type = "application/json";
  auto answers = s.ask(m);
  REQUIRE(answers.size() == 1);
  CHECK(answers[0].status == request_status::rejected);
  REQUIRE(answers[0].why);
  CHECK(answers[0].why->field == "content type");
}

TEST_CASE("what cannot be decoded is refused naming the field") {
  public_site s;
  auto answers =
      s.ask(s.message(R"({"act":"power.once","arg":{"what":"explode"}})", bus::root::json));
  REQUIRE(answers.size() == 1);
  CHECK(answers[0].status == request_status::rejected);
  REQUIRE(answers[0].why);
  CHECK(answers[0].why->field.find("what") != std::string::npos);
  CHECK(s.ask(s.message("\xc1 no MessagePack")).size() == 1);
  CHECK(s.counters.decode_errors == 2);
}

TEST_CASE("an account that is gone or has no role may not act") {
  public_site s;
  s.store.accounts.erase("alice");
  auto gone = s.ask(s.message(s.packed(ask_snapshot{}, s.clock.new_id())));
  REQUIRE(gone.size() == 1);
  CHECK(gone[0].why->what == problem::forbidden);
  s.account("alice", "");
  auto none = s.ask(s.message(s.packed(ask_snapshot{}, s.clock.new_id())));
  REQUIRE(none.size() == 1);
  CHECK(none[0].why->what == problem::forbidden);
}

TEST_CASE("the role is the account's at this moment and not what a ticket said") {
  public_site s;
  s.account("alice", "viewer");
  auto wish = ask_desired{{power_target::off, {}}, {}};
  auto refused = s.ask(s.message(s.packed(wish, s.clock.new_id())));
  REQUIRE(refused.size() == 1);
  CHECK(refused[0].why->what == problem::forbidden);
  CHECK(s.ask(s.message(s.packed(ask_snapshot{}, s.clock.new_id())))[0].status ==
        request_status::done);
  s.account("alice", "site_admin"); // as a tenant's role it is none
  CHECK(s.ask(s.message(s.packed(ask_snapshot{}, s.clock.new_id())))[0].why->what ==
        problem::forbidden);
  s.account("alice", "", true);
  CHECK(s.ask(s.message(s.packed(wish, s.clock.new_id())))[0].status == request_status::done);
}

TEST_CASE("a tenant that asks too often is told to wait and may ask again a second later") {
  public_site s;
  auto plain = R"({"act":"snapshot"})";
  for (int i = 0; i < static_cast<int>(bus_requests::burst); ++i)
    s.client->publish(s.message(plain, bus::root::json));
  s.run();
  CHECK(s.counters.requests_refused == 0);
  auto refused = s.ask(s.message(plain, bus::root::json));
  REQUIRE(refused.size() == 1);
  CHECK(refused[0].why->what == problem::busy);
  s.advance(1s);
  CHECK(s.ask(s.message(plain, bus::root::json))[0].status == request_status::done);
}

TEST_CASE("answers of the store after the stop touch nothing") {
  public_site s;
  s.store.stalled = true;
  s.ask(s.message(s.packed(ask_snapshot{}, s.clock.new_id())));
  s.requests.stop();
  s.store.stalled = false;
  s.run();
  CHECK(s.answers_on_bus.empty());
}
