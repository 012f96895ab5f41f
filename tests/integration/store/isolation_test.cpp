// A second tenant tries everything on a device of the first.
#include "tests/integration/store/harness.hpp"

using namespace outband;
using namespace outband::test;

TEST_CASE("a device of another tenant does not exist for any function") {
  stage s;
  auto theirs = dev("acme", 1);
  auto mine = dev("globex", 1); // the same GUID, claimed by the other tenant
  s.add(theirs);
  auto epoch = must(s.take(theirs)).epoch;
  must(s.write(theirs, 0, power_target::on, 1, {message("acme/desired", "on")}));
  auto open = command(theirs, 2);
  must(call<write_outcome>([&](auto cb) { s.store.write_command({open, {}, {}}, cb); }));
  must(call<nothing>([&](auto cb) {
    s.first->secret_rows.write(theirs, secret_name::amt_password,
                               {secrets::slot::pending, 1, "k", "sealed"}, cb);
  }));
  auto before = s.sql("select * from device; select * from link; select * from command; "
                      "select * from secret; select * from outbox; select * from retained");

  auto refused = [](const auto& r) {
    REQUIRE(!r);
    CHECK(r.error().what == problem::not_found);
  };
  refused(call<device_record>([&](auto cb) { s.store.get_device(mine, cb); }));
  device_change change;
  change.ref = mine;
  change.hostname = "stolen";
  refused(call<device_record>([&](auto cb) { s.store.update_device(change, cb); }));
  refused(
      call<nothing>([&](auto cb) { s.store.delete_device(mine, {message("globex/x", "x")}, cb); }));
  refused(s.take(mine));
  refused(call<bool>([&](auto cb) { s.store.link_down(mine, epoch, link_end::peer_closed, cb); }));
  refused(call<device_row>([&](auto cb) { s.store.load_device(mine, cb); }));
  refused(call<desired_row>([&](auto cb) { s.store.read_desired(mine, cb); }));
  refused(s.write(mine, 1, power_target::off, 3, {message("globex/x", "x")}));
  refused(call<write_outcome>([&](auto cb) {
    s.store.write_command({command(mine, 4), {message("globex/x", "x")}, {}}, cb);
  }));
  current_write save;
  save.ref = mine;
  save.publish = {message("globex/x", "x")};
  refused(call<current_written>([&](auto cb) { s.store.save_current(save, cb); }));
  refused(call<command_row>([&](auto cb) { s.store.get_command("globex", open.id, cb); }));
  auto name = secret_name::amt_password;
  auto& secrets = s.first->secret_rows;
  refused(call<std::vector<secrets::sealed_row>>(
      [&](auto cb) { secrets.read(mine, name, std::move(cb)); }));
  refused(call<nothing>([&](auto cb) {
    secrets.write(mine, name, {secrets::slot::active, 1, "k", "x"}, cb);
  }));
  refused(call<nothing>([&](auto cb) { secrets.promote(mine, name, cb); }));
  refused(call<nothing>([&](auto cb) { secrets.discard_pending(mine, name, cb); }));

  // What answers with lists answers with nothing of theirs.
  auto claimed = call<std::vector<upserted>>(
      [&](auto cb) { s.store.upsert_devices({record(mine)}, std::move(cb)); });
  REQUIRE(!claimed);
  CHECK(claimed.error().what == problem::already_exists);
  device_filter f;
  f.tenant = "globex";
  CHECK(must(call<device_page>([&](auto cb) { s.store.list_devices(f, cb); })).total == 0);
  CHECK(must(call<device_stats>([&](auto cb) { s.store.device_stats_of("globex", cb); })).total ==
        0);
  CHECK(must(call<std::vector<std::string>>([&](auto cb) {
          s.store.device_tags_of("globex", cb);
        })).empty());
  must(call<nothing>([&](auto cb) { s.store.note_seen({{mine, 4'000'000'000'000}}, cb); }));

  // A device of our own does not let us name their command in its save.
  s.add(dev("globex", 2));
  current_write own;
  own.ref = dev("globex", 2);
  own.commands = {open};
  own.commands[0].status = request_status::done;
  must(call<current_written>([&](auto cb) { s.store.save_current(own, cb); }));
  must(call<nothing>([&](auto cb) { s.store.delete_device(own.ref, {}, cb); }));

  CHECK(s.sql("select * from device; select * from link; select * from command; "
              "select * from secret; select * from outbox; select * from retained") == before);
}

TEST_CASE("a tenant key that cannot be one finds nothing") {
  stage s;
  s.add(dev("acme", 1));
  for (std::string key : {"", "ACME", "acme'--", "acme\" or 1=1"}) {
    CAPTURE(key);
    CHECK(!call<device_record>([&](auto cb) { s.store.get_device(dev(key, 1), cb); }));
    CHECK(!s.take(dev(key, 1)));
    CHECK(!s.write(dev(key, 1), 0, power_target::on, 1));
  }
}
