#include "tests/integration/store/harness.hpp"

using namespace outband;
using namespace outband::test;
using kind = write_outcome::kind;

namespace {

result<current_written> save(stage& s, current_write w) {
  return call<current_written>([&](auto cb) { s.store.save_current(std::move(w), cb); });
}

result<write_outcome> send(stage& s, command_write w) {
  return call<write_outcome>([&](auto cb) { s.store.write_command(std::move(w), cb); });
}

result<command_row> get_command(stage& s, const std::string& tenant, const uuid& which) {
  return call<command_row>([&](auto cb) { s.store.get_command(tenant, which, cb); });
}

std::vector<device_ref> unsettled(stage& s, const std::string& after = "",
                                  std::size_t limit = 100) {
  return must(call<std::vector<device_ref>>(
      [&](auto cb) { s.store.unsettled(after, limit, std::move(cb)); }));
}

void same(const command_row& a, const command_row& b) {
  CHECK(a.id == b.id);
  CHECK(a.ref == b.ref);
  CHECK(a.act == b.act);
  CHECK(a.argument_hash == b.argument_hash);
  CHECK(a.argument == b.argument);
  CHECK(a.by == b.by);
  CHECK(a.channel == b.channel);
  CHECK(a.status == b.status);
  CHECK(a.dispatched == b.dispatched);
  CHECK(a.outcome == b.outcome);
  CHECK(a.deadline == b.deadline);
  CHECK(a.created == b.created);
}

} // namespace

TEST_CASE("a new device wishes nothing and is not known") {
  stage s;
  s.add(dev("acme", 1));
  auto row = s.load(dev("acme", 1));
  CHECK(row.record.ref == dev("acme", 1));
  CHECK(row.desired.power.target == power_target::keep);
  CHECK(row.desired_rev == 0);
  CHECK(row.current.power.state == power_state::unknown);
  CHECK(row.current_rev == 0);
  CHECK(row.event_seq.empty());
  CHECK(row.open_commands.empty());
}

TEST_CASE("a wish is stored with the next revision and its command and its message") {
  stage s;
  auto ref = dev("acme", 1);
  s.add(ref);
  auto out = must(s.write(ref, 0, power_target::off, 1, {message("acme/desired", "off")}));
  CHECK(out.what == kind::written);
  CHECK(s.desired(ref).desired_rev == 1);
  CHECK(s.desired(ref).desired.power.target == power_target::off);
  auto c = must(get_command(s, "acme", command(ref, 1).id));
  CHECK(c.status == request_status::done);
  CHECK(c.outcome == "stored");
  auto rows = s.queued();
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].message.topic == "acme/desired");
  CHECK(rows[0].message.retain);
}

TEST_CASE("a wish from an old revision changes nothing and is told so") {
  stage s;
  auto ref = dev("acme", 1);
  s.add(ref);
  must(s.write(ref, 0, power_target::on, 1));
  auto late = must(s.write(ref, 0, power_target::off, 2, {message("acme/desired", "off")}));
  CHECK(late.what == kind::conflict);
  CHECK(s.desired(ref).desired_rev == 1);
  CHECK(s.desired(ref).desired.power.target == power_target::on);
  CHECK(s.queued().empty());
  CHECK(!get_command(s, "acme", command(ref, 2).id));
}

TEST_CASE("a wish sent twice is stored once and answered with the first outcome") {
  stage s;
  auto ref = dev("acme", 1);
  s.add(ref);
  must(s.write(ref, 0, power_target::on, 1, {message("acme/desired", "on")}));
  for (revision expected : {0u, 1u}) {
    auto again = must(s.write(ref, expected, power_target::off, 1, {message("acme/x", "off")}));
    CHECK(again.what == kind::duplicate);
    CHECK(again.existing.outcome == "stored");
    CHECK(again.existing.argument_hash == "hash-1");
  }
  CHECK(s.desired(ref).desired_rev == 1);
  CHECK(s.queued().size() == 1);
}

TEST_CASE("a command is stored once under its id") {
  stage s;
  auto ref = dev("acme", 1);
  s.add(ref);
  auto c = command(ref, 1);
  CHECK(must(send(s, {c, {message("acme/event", "e", false)}, std::nullopt})).what ==
        kind::written);
  auto changed = c;
  changed.argument_hash = "other";
  auto again = must(send(s, {changed, {message("acme/event", "e", false)}, std::nullopt}));
  CHECK(again.what == kind::duplicate);
  same(again.existing, c);
  CHECK(s.queued().size() == 1);
  same(must(get_command(s, "acme", c.id)), c);
  // The id is the tenant's: another tenant may use the same one.
  s.add(dev("globex", 2));
  auto theirs = c;
  theirs.ref = dev("globex", 2);
  CHECK(must(send(s, {theirs, {}, std::nullopt})).what == kind::written);
  same(must(get_command(s, "acme", c.id)), c);
}

TEST_CASE("a command towards a level stores its wish too or neither") {
  stage s;
  auto ref = dev("acme", 1);
  s.add(ref);
  auto with_wish = [&](int n, revision expected) {
    command_write w;
    w.command = command(ref, n);
    w.publish = {message("acme/event", "e", false)};
    desired_write d;
    d.ref = ref;
    d.expected_rev = expected;
    d.next = wish(power_target::off);
    d.publish = {message("acme/desired", "off")};
    w.wish = d;
    return w;
  };
  CHECK(must(send(s, with_wish(1, 0))).what == kind::written);
  CHECK(s.desired(ref).desired_rev == 1);
  CHECK(s.queued().size() == 2);
  CHECK(s.load(ref).open_commands.size() == 1);

  CHECK(must(send(s, with_wish(2, 0))).what == kind::conflict);
  CHECK(s.queued().size() == 2);
  CHECK(s.load(ref).open_commands.size() == 1);
  CHECK(!get_command(s, "acme", command(ref, 2).id));

  CHECK(must(send(s, with_wish(1, 1))).what == kind::duplicate);
  CHECK(s.desired(ref).desired_rev == 1);

  auto crooked = with_wish(3, 1);
  crooked.wish->ref = dev("acme", 2);
  CHECK(!send(s, crooked));
}

TEST_CASE("what is observed is written under its revision and read back whole") {
  stage s;
  auto ref = dev("acme", 1);
  s.add(ref);
  must(send(s, {command(ref, 1), {}, std::nullopt}));
  must(send(s, {command(ref, 2), {}, std::nullopt}));
  current_write w;
  w.ref = ref;
  w.expected_rev = 0;
  w.next.power.state = power_state::on;
  w.next.link.state = link_state::up;
  w.next.link.instance = "n1";
  w.next.conditions.push_back({"power", false, "waiting", "for the link", 17});
  w.event_seq = {{"power", 3}, {"link", 12}};
  w.publish = {message("acme/current", "c1"), message("acme/event", "e", false)};
  auto c = command(ref, 1);
  c.dispatched = true;
  w.commands = {c};
  CHECK(!must(save(s, w)).conflict);
  auto row = s.load(ref);
  CHECK(row.current_rev == 1);
  CHECK(row.current.power.state == power_state::on);
  CHECK(row.current.link.instance == "n1");
  REQUIRE(row.current.conditions.size() == 1);
  CHECK(row.current.conditions[0].reason == "for the link");
  CHECK(row.event_seq == w.event_seq);
  REQUIRE(row.open_commands.size() == 2);
  CHECK(row.open_commands[0].id == command(ref, 1).id); // oldest first
  CHECK(row.open_commands[0].dispatched);
  CHECK(!row.open_commands[1].dispatched);

  CHECK(must(save(s, w)).conflict); // the revision is used up
  CHECK(s.queued().size() == 2);

  w.expected_rev = 1;
  w.durable = true;
  w.event_seq.clear();
  c.status = request_status::done;
  c.outcome = std::string("\x00ok", 3);
  w.commands = {c};
  CHECK(!must(save(s, w)).conflict);
  row = s.load(ref);
  CHECK(row.current_rev == 2);
  CHECK(row.event_seq.empty());
  REQUIRE(row.open_commands.size() == 1);
  CHECK(row.open_commands[0].id == command(ref, 2).id);
  auto ended = must(get_command(s, "acme", c.id));
  CHECK(ended.status == request_status::done);
  CHECK(ended.outcome == c.outcome);

  // What has ended stays ended, what was marked stays marked.
  w.expected_rev = 2;
  c.status = request_status::failed;
  c.dispatched = false;
  w.commands = {c};
  CHECK(!must(save(s, w)).conflict);
  ended = must(get_command(s, "acme", c.id));
  CHECK(ended.status == request_status::done);
  CHECK(ended.dispatched);
}

TEST_CASE("a save for a device that does not exist is not a conflict") {
  stage s;
  current_write w;
  w.ref = dev("acme", 1);
  auto r = save(s, w);
  REQUIRE(!r);
  CHECK(r.error().what == problem::not_found);
  auto out = s.write(dev("acme", 1), 0, power_target::on, 1);
  REQUIRE(!out);
  CHECK(out.error().what == problem::not_found);
  auto sent = send(s, {command(dev("acme", 1), 1), {}, std::nullopt});
  REQUIRE(!sent);
  CHECK(sent.error().what == problem::not_found);
}

TEST_CASE("a start finds unsatisfied wishes and open commands page by page") {
  stage s;
  for (int i = 1; i <= 6; ++i)
    s.add(dev(i > 4 ? "globex" : "acme", i));
  must(s.write(dev("acme", 2), 0, power_target::on, 1));
  must(send(s, {command(dev("acme", 3), 2), {}, std::nullopt}));
  must(send(s, {command(dev("acme", 3), 3), {}, std::nullopt}));
  must(s.write(dev("acme", 4), 0, power_target::on, 4));
  must(send(s, {command(dev("globex", 6), 5), {}, std::nullopt}));
  current_write settled;
  settled.ref = dev("acme", 4);
  settled.next.desired_rev = 1;
  must(save(s, settled));

  using refs = std::vector<device_ref>;
  CHECK(unsettled(s) == refs{dev("acme", 2), dev("acme", 3), dev("globex", 6)});
  CHECK(unsettled(s, "", 2) == refs{dev("acme", 2), dev("acme", 3)});
  CHECK(unsettled(s, to_string(dev("acme", 3)), 2) == refs{dev("globex", 6)});

  // Satisfied once, but reality has moved away since.
  settled.expected_rev = 1;
  settled.next.conditions = {{"power", false, "waiting", "", 0}};
  must(save(s, settled));
  CHECK(unsettled(s).size() == 4);
  settled.expected_rev = 2;
  settled.next.conditions = {{"power", true, "", "", 0}, {"link", false, "down", "", 0}};
  must(save(s, settled));
  CHECK(unsettled(s).size() == 3);

  auto bad = call<refs>([&](auto cb) { s.store.unsettled("acme", 2, std::move(cb)); });
  REQUIRE(!bad);
  CHECK(bad.error().what == problem::malformed);
}

TEST_CASE("messages and documents are bounded") {
  stage s;
  auto ref = dev("acme", 1);
  s.add(ref);
  auto r = s.write(ref, 0, power_target::on, 1, {message("t", std::string(1024 * 1024 + 1, 'x'))});
  REQUIRE(!r);
  CHECK(r.error().what == problem::too_large);
  CHECK(s.desired(ref).desired_rev == 0);
}
