// Machines and tenants that are to go: what is tried, when, and what counts as done.
#include "actors/removals.hpp"

#include "messages/bus/envelope.hpp"
#include "messages/bus/platform.hpp"
#include "messages/bus/topics.hpp"
#include "tests/unit/actors/memory_removals.hpp"
#include "tests/unit/actors/stage.hpp"

using namespace outband;
using namespace outband::testing;

namespace {

/// Machines that answer what the test says; a registration that goes tells nobody: the test does.
class scripted_control final : public control_port {
public:
  explicit scripted_control(stage& s) : stage_(s) {}
  void submit(request, role, std::function<void(response)>) override {}
  void ask(device_ref, amt_operation, std::chrono::milliseconds, answer<amt_outcome> cb) override {
    cb(fail(problem::internal));
  }
  void deactivate(device_ref ref, std::chrono::milliseconds, answer<amt_outcome> cb) override {
    deactivated.push_back(ref);
    if (hold)
      return held.push_back(std::move(cb));
    cb(firmware);
  }
  void disconnect(device_ref ref, answer<bool> cb) override {
    disconnected.push_back(ref);
    cb(true);
  }
  void device_added(const device_ref&) override {}
  void tenant_gone(const tenant_key& key) override { gone.push_back(key); }
  void connection_changed(const device_ref& ref) override { changed.push_back(ref); }
  void remove_device(device_ref ref, answer<nothing> cb) override {
    stage_.store.delete_device(ref, {}, std::move(cb));
  }
  counts count() const override { return {}; }

  result<amt_outcome> firmware = fail(problem::link_down);
  bool hold = false;
  std::vector<answer<amt_outcome>> held;
  std::vector<device_ref> deactivated, disconnected, changed;
  std::vector<tenant_key> gone;

private:
  stage& stage_;
};

struct trail final : audit_port {
  void record(std::vector<audit_entry> what, const audit_outcome& outcome) override {
    for (const auto& e : what)
      rows.emplace_back(e, outcome);
  }
  void record_limited(const std::string&, audit_entry, audit_outcome) override {}
  std::vector<std::pair<audit_entry, audit_outcome>> rows;
};

result<amt_outcome> says(const std::string& json) {
  return amt_outcome{amt::document{json}};
}

struct removing {
  stage s;
  trail told;
  memory_removals rows{[this] {
    std::vector<device_ref> out;
    for (const auto& [key, d] : s.store.devices)
      out.push_back(d.row.record.ref);
    return out;
  }};
  scripted_control control{s};
  std::unique_ptr<removals> role;
  device_ref machine{"acme", *parse_uuid("12345678-9abc-def0-1234-56789abcdef0")};
  device_ref second{"acme", *parse_uuid("22345678-9abc-def0-1234-56789abcdef0")};

  removing() {
    s.with.audit = &told;
    s.with.removals = &rows;
    s.store.add(machine);
    s.store.add(second);
    rows.managed = {to_string(machine), to_string(second)};
    begin_control();
  }
  void begin_control() {
    role = std::make_unique<removals>(s.with, control);
    role->start();
    s.run();
  }
  bus::envelope envelope() {
    bus::envelope e;
    e.id = s.clock.new_id();
    e.time = s.clock.now();
    e.source = "n1";
    return e;
  }
  void publish(const std::string& topic, const std::string& payload) {
    bus::message m;
    m.topic = topic;
    m.payload = std::make_shared<const std::string>(payload);
    m.content_type = std::string(bus::content_type_of(bus::root::native));
    s.internal->publish(std::move(m), [](status) {});
    s.run();
  }
  void wake(const device_ref& ref, const std::string& what) {
    publish(bus::controller_wake_topic(),
            bus::encode(envelope(), bus::wake{ref, what}, bus::encoding::msgpack));
  }
  /// As REST does it.
  void want(const device_ref& ref, removal_kind kind = removal_kind::remove) {
    removal r;
    r.device = ref;
    r.kind = kind;
    r.by = "op/ada";
    rows.begin(r, [](const result<kept_removal>& begun) { CHECK(begun); });
    wake(ref, "removal");
  }
  void calls(const device_ref& ref) {
    std::vector<observation> all{{ref, 1, s.clock.now(), link_up{"n1", s.with.incarnation, "", 0}}};
    publish(bus::node_observations_topic("n1"),
            bus::encode(envelope(), all, bus::encoding::msgpack));
  }
  bool there(const device_ref& ref) const { return s.store.devices.count(to_string(ref)) != 0; }
};

} // namespace

TEST_CASE("a machine that is away stays with its reason and goes when it calls") {
  removing t;
  t.want(t.machine);
  REQUIRE(t.there(t.machine));
  const auto* row = t.rows.find(t.machine);
  REQUIRE(row != nullptr);
  CHECK(row->state == removal_state::waiting);
  CHECK(row->code == explain(problem::link_down).code);
  CHECK(row->text.find("not connected") != std::string::npos);
  REQUIRE(t.told.rows.size() == 1);
  CHECK(t.told.rows[0].second.status == audit_status::failed);

  t.control.firmware = says(R"({"status":"SUCCESS"})");
  t.calls(t.second); // somebody else's call is none of its business
  CHECK(t.there(t.machine));
  t.calls(t.machine);
  CHECK_FALSE(t.there(t.machine));
  CHECK(t.there(t.second));
  REQUIRE(t.told.rows.size() == 2);
  CHECK(t.told.rows[1].second.status == audit_status::done);
  CHECK(t.told.rows[1].second.text == "Deactivated.");
  CHECK(t.told.rows[1].first.act == "host.remove");
  CHECK(t.told.rows[1].first.by == "op/ada");
}

TEST_CASE("whatever the firmware says but success keeps the machine and is told by its name") {
  const std::pair<const char*, const char*> answers[] = {
      {R"({"ReturnValue":16,"ReturnValueStr":"x","text":"y"})", "(16)"},
      {R"({"ReturnValue":1})", "INTERNAL_ERROR (1)"},
      {R"({"ReturnValue":"0"})", "could not be understood"},
      {R"({"status":"FAILED"})", "could not be understood"},
      {"nonsense", "could not be understood"},
      {"", "could not be understood"}};
  for (const auto& answer : answers) {
    const char *json = answer.first, *text = answer.second;
    CAPTURE(json);
    removing t;
    t.control.firmware = says(json);
    t.want(t.machine);
    REQUIRE(t.there(t.machine));
    const auto* row = t.rows.find(t.machine);
    REQUIRE(row != nullptr);
    CHECK(row->state == removal_state::refused);
    CAPTURE(row->text);
    CHECK(row->text.find(text) != std::string::npos);
    CHECK(t.rows.forgotten.empty());
    t.control.firmware = says(R"({"status":"SUCCESS"})");
    t.calls(t.machine);
    CHECK_FALSE(t.there(t.machine));
  }
}

TEST_CASE("a refusal that repeats is not told again and another one is") {
  removing t;
  t.control.firmware = says(R"({"ReturnValue":1})");
  t.want(t.machine);
  t.calls(t.machine);
  CHECK(t.control.deactivated.size() == 2);
  CHECK(t.told.rows.size() == 1);
  t.control.firmware = says(R"({"ReturnValue":16})");
  t.calls(t.machine);
  CHECK(t.told.rows.size() == 2);
}

TEST_CASE("a lost answer is not success and the machine is told again when it calls") {
  for (auto lost : {problem::outcome_unknown, problem::device_timeout}) {
    removing t;
    t.control.firmware = fail(lost);
    t.want(t.machine);
    REQUIRE(t.there(t.machine));
    CHECK(t.rows.find(t.machine)->state == removal_state::waiting);
    CHECK(t.rows.find(t.machine)->text.find("did not answer") != std::string::npos);
    t.control.firmware = says(R"({"status":"SUCCESS"})");
    t.calls(t.machine);
    CHECK_FALSE(t.there(t.machine));
  }
}

TEST_CASE("a machine that calls while it is asked in vain is asked again") {
  removing t;
  t.control.hold = true;
  t.want(t.machine);
  REQUIRE(t.control.held.size() == 1);
  t.calls(t.machine);
  CHECK(t.control.deactivated.size() == 1); // one at a time
  t.control.hold = false;
  t.control.firmware = says(R"({"status":"SUCCESS"})");
  t.control.held[0](fail(problem::link_down));
  t.s.run();
  CHECK(t.control.deactivated.size() == 2);
  CHECK_FALSE(t.there(t.machine));
}

TEST_CASE("a machine that was only registered is removed at once without being asked") {
  removing t;
  t.rows.managed.clear();
  t.want(t.machine);
  CHECK_FALSE(t.there(t.machine));
  CHECK(t.control.deactivated.empty());
  REQUIRE(t.told.rows.size() == 1);
  CHECK(t.told.rows[0].second.text == "There was nothing to deactivate.");
}

TEST_CASE("a deauthorized machine keeps its record and loses its secrets and its tunnel") {
  removing t;
  t.want(t.machine, removal_kind::deauthorize);
  CHECK(t.rows.forgotten.empty()); // its password is needed yet
  t.control.firmware = says(R"({"status":"SUCCESS"})");
  t.calls(t.machine);
  CHECK(t.there(t.machine));
  CHECK(t.rows.forgotten == std::vector<device_ref>{t.machine});
  CHECK(t.control.changed == std::vector<device_ref>{t.machine});
  CHECK(t.control.disconnected == std::vector<device_ref>{t.machine});
  CHECK(t.rows.find(t.machine)->state == removal_state::done);
  CHECK(t.rows.find(t.machine)->code.empty());
  // Done is done, whoever calls and whoever takes control.
  const auto asked = t.control.deactivated.size();
  t.calls(t.machine);
  t.begin_control();
  CHECK(t.control.deactivated.size() == asked);
  // It has no AMT of ours any more: to remove it waits for nothing.
  t.want(t.machine);
  CHECK_FALSE(t.there(t.machine));
  CHECK(t.control.deactivated.size() == asked);
}

TEST_CASE("to remove outweighs to deauthorize also while the firmware is being asked") {
  removing t;
  t.control.hold = true;
  t.want(t.machine, removal_kind::deauthorize);
  t.want(t.machine, removal_kind::remove);
  REQUIRE(t.control.held.size() == 1); // asked once
  t.control.held[0](says(R"({"status":"SUCCESS"})"));
  t.s.run();
  CHECK_FALSE(t.there(t.machine));
  CHECK(t.rows.forgotten.empty());
}

TEST_CASE("to remove outweighs to deauthorize also while that is being stored") {
  removing t;
  t.control.firmware = says(R"({"status":"SUCCESS"})");
  t.rows.on_forget = [&] {
    t.rows.on_forget = nullptr;
    t.want(t.machine, removal_kind::remove);
  };
  t.want(t.machine, removal_kind::deauthorize);
  t.s.run();
  CHECK_FALSE(t.there(t.machine));
  CHECK(t.control.deactivated.size() == 1);
}

TEST_CASE("what was withdrawn is not tried any more even if nobody told") {
  removing t;
  t.want(t.machine);
  t.rows.withdraw(t.machine, [](const result<nothing>&) {});
  t.control.firmware = says(R"({"status":"SUCCESS"})");
  const auto asked = t.control.deactivated.size();
  SUBCASE("told") {
    t.wake(t.machine, "removal");
  }
  SUBCASE("not told") {}
  t.calls(t.machine);
  CHECK(t.there(t.machine));
  CHECK(t.control.deactivated.size() == asked);
  CHECK(t.rows.find(t.machine) == nullptr);
}

TEST_CASE("a machine whose removal is withdrawn while it is asked stays registered") {
  removing t;
  t.control.hold = true;
  t.want(t.machine);
  t.rows.withdraw(t.machine, [](const result<nothing>&) {});
  REQUIRE(t.control.held.size() == 1);
  t.control.held[0](says(R"({"status":"SUCCESS"})"));
  t.s.run();
  CHECK(t.there(t.machine));
}

TEST_CASE("whoever takes control takes up what is open") {
  removing t;
  t.want(t.machine);
  t.role->stop();
  t.control.firmware = says(R"({"status":"SUCCESS"})");
  t.calls(t.machine);
  CHECK(t.there(t.machine)); // nobody controls
  t.begin_control();
  CHECK_FALSE(t.there(t.machine));
}

TEST_CASE("a deactivation whose end could not be stored is not asked for again") {
  removing t;
  t.control.hold = true;
  t.want(t.machine);
  REQUIRE(t.control.held.size() == 1);
  t.rows.away = true;
  t.control.held[0](says(R"({"status":"SUCCESS"})"));
  t.s.run();
  CHECK(t.there(t.machine));
  t.rows.away = false;
  t.want(t.machine); // the same wish again
  CHECK(t.control.deactivated.size() == 1);
  CHECK_FALSE(t.there(t.machine));
}

TEST_CASE("a tenant that is to go does so when its last machine has") {
  removing t;
  std::vector<tenant_key> gone;
  t.s.store.on_delete_tenant = [&](const tenant_key& key) {
    gone.push_back(key);
  };
  t.rows.begin_tenant("acme", "op/root", [](const result<std::size_t>& n) { CHECK(*n == 2); });
  t.wake({"acme", {}}, "tenant-leaves");
  CHECK(t.there(t.machine));
  CHECK(gone.empty());
  t.control.firmware = says(R"({"status":"SUCCESS"})");
  t.calls(t.second);
  CHECK_FALSE(t.there(t.second));
  CHECK(gone.empty());
  SUBCASE("by itself") {
    t.calls(t.machine);
  }
  SUBCASE("because somebody forced it") {
    t.control.remove_device(t.machine, [](const result<nothing>&) {});
    t.wake(t.machine, "deleted");
  }
  REQUIRE(!gone.empty());
  CHECK(gone[0] == "acme");
  CHECK(t.control.gone == gone); // every node is told
}

TEST_CASE("of a tenant that was removed by force nothing is tried any more") {
  removing t;
  t.want(t.machine);
  t.want({"acme", t.second.device});
  const auto asked = t.control.deactivated.size();
  t.wake({"acme", {}}, "tenant-gone");
  t.calls(t.machine);
  t.calls(t.second);
  CHECK(t.control.deactivated.size() == asked);
}

TEST_CASE("a tenant without machines goes at once") {
  removing t;
  std::vector<tenant_key> gone;
  t.s.store.on_delete_tenant = [&](const tenant_key& key) {
    gone.push_back(key);
  };
  t.rows.begin_tenant("zeta", "op/root", [](const result<std::size_t>& n) { CHECK(*n == 0); });
  t.wake({"zeta", {}}, "tenant-leaves");
  CHECK(gone == std::vector<tenant_key>{"zeta"});
  CHECK(t.there(t.machine));
}

TEST_CASE("wakes that cannot be read and of strangers move nothing") {
  removing t;
  t.control.firmware = says(R"({"status":"SUCCESS"})");
  t.publish(bus::controller_wake_topic(), "nonsense");
  t.publish(bus::node_observations_topic("n1"), "nonsense");
  t.wake(t.machine, "removal"); // nobody wants it to go
  t.calls(t.machine);
  CHECK(t.there(t.machine));
  CHECK(t.control.deactivated.empty());
  // A machine of the same GUID elsewhere is another one.
  t.want(t.machine, removal_kind::deauthorize);
  CHECK(t.control.deactivated.size() == 1);
  t.calls({"beta", t.machine.device});
  CHECK(t.control.deactivated.size() == 1);
}
