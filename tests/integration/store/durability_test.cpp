#include "tests/integration/store/harness.hpp"

using namespace outband;
using namespace outband::test;

TEST_CASE("what was acknowledged is there after the server is killed in the same moment") {
  postgres own(true); // commits reach the disk
  auto s = std::make_unique<stage>(store::pg_options{}, own);
  auto ref = dev("acme", 1);
  s->add(ref);
  for (revision rev = 0; rev < 2; ++rev) {
    auto text = std::to_string(rev);
    auto n = static_cast<int>(rev);
    must(s->write(ref, rev, power_target::off, n, {message("acme/desired", text)}));
    auto epoch = must(s->take(ref)).epoch;
    own.kill();
    own.start();
    REQUIRE(s->first->db.wait_connected(patience));
    auto row = s->load(ref);
    CHECK(row.desired_rev == rev + 1);
    CHECK(row.desired.power.target == power_target::off);
    CHECK(must(call<command_row>([&](auto cb) {
            s->store.get_command("acme", command(ref, n).id, cb);
          })).outcome == "stored");
    CHECK(s->queued().back().message.payload == text);
    // An epoch is never handed out twice.
    CHECK(must(s->take(ref)).epoch == epoch + 1);
  }
}
