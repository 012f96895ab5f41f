#include "tests/integration/store/harness.hpp"

namespace outband::test {

postgres& server() {
  static postgres one;
  return one;
}

uuid id(int n) {
  uuid out;
  out.bytes[0] = 0x4c;
  for (int i = 0; i < 4; ++i)
    out.bytes[static_cast<std::size_t>(15 - i)] = static_cast<std::uint8_t>(n >> (8 * i));
  return out;
}

device_record record(const device_ref& ref) {
  device_record r;
  r.ref = ref;
  r.hostname = "host-" + to_string(ref.device).substr(32);
  r.mps_username = "mps-user";
  return r;
}

command_row command(const device_ref& ref, int n) {
  command_row c;
  c.id = id(1'000'000 + n);
  c.ref = ref;
  c.act = "power.once";
  c.argument_hash = "hash-" + std::to_string(n);
  c.argument = std::string("\x00\x01\xff", 3) + std::to_string(n);
  c.by = "op/alice";
  c.channel = "rest";
  c.deadline = 5'000;
  c.created = 1'000 + n;
  return c;
}

bus::outgoing message(const std::string& topic, const std::string& payload, bool retain) {
  return {topic, payload, "application/msgpack", retain, std::nullopt};
}

desired_state wish(power_target target) {
  desired_state s;
  s.power.target = target;
  return s;
}

heartbeat_answer beat(cluster_port& on, heartbeat h) {
  return must(call<heartbeat_answer>([&](auto cb) { on.beat(h, std::move(cb)); }));
}

heartbeat_answer beat(cluster_port& on, const instance_ref& self, controller_epoch held,
                      controller_epoch usurp) {
  heartbeat h;
  h.self = self;
  h.candidate = true;
  h.held = held;
  h.usurp = usurp;
  return beat(on, h);
}

void enrol(cluster_port& on, const instance_ref& self) {
  must(call<nothing>([&](auto cb) { on.enrol(self, cb); }));
}

namespace {
store::pg_options with_dsn(store::pg_options options, const std::string& dsn) {
  options.dsn = dsn;
  return options;
}

std::string migrated(postgres& on) {
  auto name = on.create_database();
  must(store::migrate(on.dsn(name)));
  return name;
}

/// Of the common server: a copy of one that was migrated once, for most tests need no more than a
/// database, and to migrate each took longer than what they test.
std::string fresh_database(postgres& on) {
  if (&on != &server())
    return migrated(on);
  static const std::string pattern = migrated(on);
  static int copies = 0;
  auto name = "copy" + std::to_string(++copies);
  on.sql("postgres", "create database " + name + " template " + pattern);
  return name;
}
} // namespace

node::node(const std::string& dsn, store::pg_options options)
    : db(with_dsn(std::move(options), dsn)), store(db), cluster(db), direct(db), provisioning(db),
      outbox(db), secret_rows(db) {
  if (!db.wait_connected(patience))
    throw std::runtime_error("no connection to " + dsn);
}

stage::stage(store::pg_options options, postgres& on)
    : pg(on), database(fresh_database(on)), dsn(pg.dsn(database)),
      first(std::make_unique<node>(dsn, std::move(options))), store(first->store) {
  for (auto key : {"acme", "globex"})
    must(call<tenant_row>([&](auto cb) { store.create_tenant({key, key, "", 0}, cb); }));
}

std::unique_ptr<node> stage::another(store::pg_options options) const {
  return std::make_unique<node>(dsn, std::move(options));
}

device_record stage::add(const device_ref& ref) {
  auto made = must(call<std::vector<upserted>>(
      [&](auto cb) { store.upsert_devices({record(ref)}, std::move(cb)); }));
  return made.at(0).record;
}

desired_row stage::desired(const device_ref& ref) {
  return must(call<desired_row>([&](auto cb) { store.read_desired(ref, cb); }));
}

device_row stage::load(const device_ref& ref) {
  return must(call<device_row>([&](auto cb) { store.load_device(ref, cb); }));
}

result<write_outcome> stage::write(const device_ref& ref, revision expected, power_target target,
                                   int command_number, std::vector<bus::outgoing> publish) {
  desired_write w;
  w.ref = ref;
  w.expected_rev = expected;
  w.next = wish(target);
  w.publish = std::move(publish);
  w.command = command(ref, command_number);
  w.command.act = "desired.patch";
  w.command.status = request_status::done;
  w.command.outcome = "stored";
  return call<write_outcome>([&](auto cb) { store.write_desired(w, cb); });
}

result<epoch_grant> stage::take(const device_ref& ref, const std::string& instance,
                                int incarnation) {
  return call<epoch_grant>([&](auto cb) {
    store.take_epoch({ref, instance, id(incarnation), "192.0.2.7:1"}, cb);
  });
}

std::vector<bus::outbox_row> stage::queued() {
  return must(call<std::vector<bus::outbox_row>>(
      [&](auto cb) { first->outbox.fetch(1000, std::move(cb)); }));
}

} // namespace outband::test
