// Machines that are connected to: who holds which, who hears of changes, what the operator sees.
#include "actors/direct_links.hpp"
#include "messages/bus/envelope.hpp"
#include "messages/bus/topics.hpp"
#include "tests/unit/actors/site.hpp"

using namespace outband;
using namespace outband::testing;
using namespace std::chrono_literals;

namespace {

/// One terminator's view of the table: what `free` lists may be claimed.
class memory_rows final : public direct_rows {
public:
  std::vector<device_ref> free, held;
  std::map<std::string, direct_row> rows;
  int claims = 0;
  bool away = false;

  void set(device_ref, std::optional<direct_connection>, answer<nothing> cb) override {
    cb(nothing{});
  }
  void claim(instance_ref, std::chrono::milliseconds, std::size_t limit,
             answer<std::vector<device_ref>> cb) override {
    ++claims;
    if (away)
      return cb(fail(problem::store_unavailable));
    std::vector<device_ref> out;
    while (!free.empty() && out.size() < limit) {
      out.push_back(free.back());
      free.pop_back();
    }
    held.insert(held.end(), out.begin(), out.end());
    cb(out);
  }
  void hold(instance_ref, device_ref ref, std::chrono::milliseconds,
            answer<direct_row> cb) override {
    auto at = rows.find(to_string(ref));
    at == rows.end() ? cb(fail(problem::not_found)) : cb(at->second);
  }
  void pin(device_ref ref, std::string sha256, answer<bool> cb) override {
    rows[to_string(ref)].how.pins = {sha256};
    cb(true);
  }
};

class counting_dialer final : public direct_dialer {
public:
  std::vector<device_ref> looked;
  std::size_t most = 100'000;
  void look_at(const device_ref& ref) override { looked.push_back(ref); }
  std::size_t room() const override { return most - std::min(most, looked.size()); }
};

struct direct_site : site {
  direct_site() {
    with.direct = &rows;
    terminator_role.on_disconnect([this](const device_ref& ref) { links.look_at(ref); });
    links.start();
    run();
  }
  ~direct_site() {
    links.stop();
    run();
  }
  void node_says(const std::string& name, bool up) {
    bus::envelope e;
    e.id = clock.new_id();
    e.time = clock.now();
    e.source = name;
    bus::node_presence p;
    p.instance = name;
    p.incarnation = clock.new_id();
    p.up = up;
    p.roles = {"terminator"};
    bus::message m;
    m.topic = bus::node_presence_topic(name);
    m.payload = std::make_shared<const std::string>(bus::encode(e, p, bus::encoding::msgpack));
    m.content_type = std::string(bus::content_type_of(bus::root::native));
    m.retain = true;
    outside->publish(std::move(m));
    run();
  }
  device_ref number(int n) {
    device_ref ref = machine;
    ref.device.bytes[0] = static_cast<std::uint8_t>(n);
    ref.device.bytes[1] = static_cast<std::uint8_t>(n >> 8);
    return ref;
  }

  memory_rows rows;
  counting_dialer dialer;
  std::unique_ptr<bus::scripted_endpoint> outside = bus.attach();
  direct_links links{sys, with, terminator_role, *outside};
};

const condition* trouble_of(const current_state& c) {
  for (const auto& one : c.conditions)
    if (one.type == "connection")
      return &one;
  return nullptr;
}

} // namespace

TEST_CASE("all machines that nobody holds are claimed page by page at the start") {
  direct_site s;
  for (int i = 0; i < 1'200; ++i)
    s.rows.free.push_back(s.number(i));
  s.links.attach(s.dialer);
  s.run();
  CHECK(s.dialer.looked.size() == 1'200);
  CHECK(s.rows.claims == 3);
}

TEST_CASE("no more are claimed than the dialer has room for") {
  direct_site s;
  s.dialer.most = 3;
  for (int i = 0; i < 5; ++i)
    s.rows.free.push_back(s.number(i));
  s.links.attach(s.dialer);
  s.run();
  CHECK(s.dialer.looked.size() == 3);
  CHECK(s.rows.free.size() == 2);
}

TEST_CASE("machines of a terminator that died are claimed when the database says so") {
  direct_site s;
  s.links.attach(s.dialer);
  s.node_says("n2", true);
  s.run();
  const auto before = s.rows.claims;
  s.advance(1h);
  CHECK(s.rows.claims == before); // nothing is asked because time passed
  s.node_says("n2", false);
  s.advance(1s);
  CHECK(s.dialer.looked.empty());
  s.rows.free.push_back(machine); // it was buried
  s.advance(30s);
  CHECK(s.dialer.looked == std::vector<device_ref>{machine});
}

TEST_CASE("a claim that failed is tried again") {
  direct_site s;
  s.rows.away = true;
  s.rows.free.push_back(machine);
  s.links.attach(s.dialer);
  s.run();
  CHECK(s.dialer.looked.empty());
  s.rows.away = false;
  s.advance(10s);
  CHECK(s.dialer.looked.size() == 1);
}

TEST_CASE("a broker that is back makes us look for what we may have missed") {
  direct_site s;
  s.links.attach(s.dialer);
  s.run();
  s.outside->set_connected(false);
  s.run();
  s.rows.free.push_back(machine);
  s.outside->set_connected(true);
  s.run();
  CHECK(s.dialer.looked.size() == 1);
}

TEST_CASE("a changed registration is told here and to every other terminator") {
  direct_site s;
  s.links.attach(s.dialer);
  s.node_says("n2", true);
  s.node_says("n3", true);
  s.node_says("n3", false);
  auto far = s.bus.attach();
  std::vector<std::string> told;
  auto subscription = far->subscribe("oob/v1/-/inst/+/node/work", {}, [&](const bus::message& m) {
    auto work = bus::decode_work(*m.payload, bus::encoding::msgpack);
    REQUIRE(work.ok());
    CHECK(std::get<disconnect>(work->body).device == machine);
    told.push_back(m.topic);
  });
  s.run();
  s.links.changed(machine);
  s.run();
  CHECK(s.dialer.looked == std::vector<device_ref>{machine});
  CHECK(told == std::vector<std::string>{bus::node_work_topic("n2")});
}

TEST_CASE("of a tenant that was removed every node lets go and nobody else is touched") {
  direct_site s;
  s.control_role.on_connection_changed([&](const device_ref& ref) { s.links.changed(ref); });
  s.links.attach(s.dialer);
  s.node_says("n2", true);
  std::vector<std::pair<std::string, work_body>> told;
  auto far = s.bus.attach();
  auto subscription = far->subscribe(bus::node_work_topic("n2"), {}, [&](const bus::message& m) {
    auto work = bus::decode_work(*m.payload, bus::encoding::msgpack);
    REQUIRE(work.ok());
    told.emplace_back(m.topic, work->body);
  });
  s.comes();
  s.firmware_works();
  const auto theirs = s.link;
  device_ref other{"globex", s.number(7).device};
  s.store.add(other);
  auto stays = std::make_shared<fake_link>();
  std::optional<epoch_grant> granted;
  s.store.take_epoch({other, "n1", s.with.incarnation, {}},
                     [&](result<epoch_grant> g) { granted = *g; });
  s.run();
  REQUIRE(granted);
  s.terminator_role.up({other, granted->epoch, "admin", {}}, "192.0.2.8:1", 4, stays);
  s.run();
  REQUIRE(s.counters.device_actors == 2);

  s.store.delete_tenant("acme", true, {}, [](const result<nothing>& r) { REQUIRE(r.ok()); });
  s.store.devices.erase(to_string(machine));
  s.control_role.tenant_gone("acme");
  s.run();
  CHECK(theirs->closed == std::vector<link_end>{link_end::requested});
  CHECK(stays->closed.empty());
  REQUIRE(told.size() == 1);
  REQUIRE(std::holds_alternative<disconnect>(told[0].second));
  CHECK(std::get<disconnect>(told[0].second).device == device_ref{"acme", {}});
  CHECK(s.dialer.looked.empty());
  CHECK(s.counters.device_actors == 1);
  s.terminator_role.down(machine, 1, link_end::requested, "");
  s.run();
  CHECK(s.counters.device_actors == 1); // that its tunnels end brings no actor back
  s.store.add(machine);                 // a tenant of the same name has it now
  s.control_role.device_added(machine);
  s.run();
  CHECK(s.counters.device_actors == 2);
}

TEST_CASE("another node's word about a changed registration reaches the dialer") {
  direct_site s;
  s.links.attach(s.dialer);
  bus::envelope e;
  e.id = s.clock.new_id();
  e.source = "n2";
  bus::message m;
  m.topic = bus::node_work_topic("n1");
  m.payload = std::make_shared<const std::string>(
      bus::encode(e, work_body{disconnect{machine}}, bus::encoding::msgpack));
  m.content_type = std::string(bus::content_type_of(bus::root::native));
  s.outside->publish(std::move(m));
  s.run();
  CHECK(s.dialer.looked == std::vector<device_ref>{machine});
  s.links.detach();
  s.links.look_at(machine);
  CHECK(s.dialer.looked.size() == 1);
}

TEST_CASE("what it takes to connect comes from the row and the secret store") {
  direct_site s;
  std::optional<result<direct_target>> got;
  auto ask = [&] {
    got.reset();
    s.links.prepare(machine, [&](result<direct_target> t) { got = std::move(t); });
    s.run();
    REQUIRE(got);
  };
  ask();
  CHECK(got->error().what == problem::not_found);
  s.rows.rows[to_string(machine)] = {{"10.0.0.5", 16992, false, false, {}}, "admin"};
  ask();
  REQUIRE(got->ok());
  CHECK((**got).how.host == "10.0.0.5");
  CHECK((**got).amt_username == "admin");
  CHECK(equal((**got).amt_password, "Amt1!"));
}

TEST_CASE("a direct link has an epoch like any other and the older one is evicted") {
  direct_site s;
  const auto tunnel = s.comes();
  const auto old = s.link;
  direct_target t;
  t.ref = machine;
  t.amt_username = "admin";
  std::optional<result<admission>> got;
  s.links.admit(t, "10.0.0.5:16992", [&](result<admission> a) { got = std::move(a); });
  s.run();
  REQUIRE(got);
  REQUIRE(got->ok());
  CHECK((**got).epoch == tunnel + 1);
  CHECK(old->closed == std::vector<link_end>{link_end::evicted});
  s.link = std::make_shared<fake_link>();
  s.terminator_role.up(**got, "10.0.0.5:16992", 0, s.link);
  s.pass(2s);
  CHECK(s.current().link.state == link_state::up);
  CHECK(s.current().link.peer == "10.0.0.5:16992");
  CHECK(s.current().power.state != power_state::unknown); // asked over the new one
}

TEST_CASE("what stands in the way is a condition until it does not or a link is there") {
  direct_site s;
  s.links.trouble(machine, direct_trouble::certificate, "It shows another certificate.");
  s.run();
  REQUIRE(trouble_of(s.current()));
  CHECK_FALSE(trouble_of(s.current())->ok);
  CHECK(trouble_of(s.current())->code == "certificate");
  CHECK(trouble_of(s.current())->reason == "It shows another certificate.");
  const auto written = s.store.writes;
  s.links.trouble(machine, direct_trouble::certificate, "It shows another certificate.");
  s.run();
  CHECK(s.store.writes == written); // no news
  s.links.trouble(machine, direct_trouble::none, {});
  s.run();
  CHECK_FALSE(trouble_of(s.current()));
  s.links.trouble(machine, direct_trouble::wrong_device, "Another machine answers.");
  s.run();
  CHECK(trouble_of(s.current())->code == "wrong-device");
  s.comes();
  s.firmware_works();
  CHECK_FALSE(trouble_of(s.current()));
}
