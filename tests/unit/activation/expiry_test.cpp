#include "actors/activation/expiry.hpp"

#include "actors/ports/audit.hpp"
#include "messages/rest/json.hpp"
#include "tests/unit/activation/stage.hpp"

#include <doctest/doctest.h>

using namespace outband;
using namespace outband::testing;

namespace {

constexpr time_ms day = 86'400'000;

struct trail final : audit_port {
  void record(std::vector<audit_entry> what, const audit_outcome& outcome) override {
    for (const auto& e : what)
      rows.emplace_back(e, outcome);
  }
  void record_limited(const std::string&, audit_entry, audit_outcome) override {}
  std::vector<std::pair<audit_entry, audit_outcome>> rows;
};

struct expiring : activation_stage {
  trail told;
  std::unique_ptr<activation::expiry_watch> watch;

  expiring() {
    with.audit = &told;
    with.provisioning = &rows;
  }
  ~expiring() {
    watch.reset();
    sched.run();
    sched.clock().cancel_all();
  }
  void add(const std::string& tenant_, const std::string& name, time_ms expires) {
    domain d;
    d.name = name;
    d.suffix = "example.com";
    d.expires = expires;
    rows.domain_rows.put(tenant_, d);
  }
  void begin_control() {
    watch = std::make_unique<activation::expiry_watch>(sys, with);
    watch->start();
    sched.run();
  }
  void pass_days(int n) {
    for (int i = 0; i < n; ++i) {
      clock.now_ += day;
      sched.advance_time(std::chrono::hours(24));
      sched.run();
    }
  }
  std::vector<std::string> texts() const {
    std::vector<std::string> out;
    for (const auto& [e, o] : told.rows)
      out.push_back(o.text);
    return out;
  }
};

} // namespace

TEST_CASE("the end of a certificate is told 90 and 30 and 7 days ahead and when it has come") {
  expiring s;
  s.add("acme", "main", s.clock.now() + 100 * day);
  s.begin_control();
  CHECK(s.told.rows.empty());
  s.pass_days(9);
  CHECK(s.told.rows.empty());
  s.pass_days(1);
  REQUIRE(s.told.rows.size() == 1);
  const auto& [entry, outcome] = s.told.rows[0];
  CHECK(entry.tenant == "acme");
  CHECK(entry.act == "domain.expires");
  CHECK(entry.argument == R"({"name":"main"})");
  CHECK(outcome.status == audit_status::done);
  CHECK(outcome.text ==
        "The provisioning certificate of the domain 'main' (example.com) ends within 90 days.");
  s.pass_days(59);
  CHECK(s.told.rows.size() == 1);
  s.pass_days(1);
  CHECK(s.told.rows.size() == 2);
  s.pass_days(23);
  CHECK(s.told.rows.size() == 3);
  s.pass_days(7);
  REQUIRE(s.told.rows.size() == 4);
  CHECK(s.texts()[1].find("within 30 days") != std::string::npos);
  CHECK(s.texts()[2].find("within 7 days") != std::string::npos);
  CHECK(s.texts()[3].find("has ended") != std::string::npos);
  s.pass_days(50);
  CHECK(s.told.rows.size() == 4);
}

TEST_CASE("whoever takes control repeats nothing that was told") {
  expiring s;
  s.add("acme", "main", s.clock.now() + 20 * day);
  s.add("zeta", "main", s.clock.now() + 2 * day);
  s.add("zeta", "far", s.clock.now() + 200 * day);
  s.add("zeta", "unknown", 0);
  s.begin_control();
  REQUIRE(s.told.rows.size() == 2); // the nearest threshold only
  s.begin_control();
  CHECK(s.told.rows.size() == 2);
  s.watch->stop();
  s.pass_days(15);
  CHECK(s.told.rows.size() == 2); // nobody controls
  s.begin_control();
  REQUIRE(s.told.rows.size() == 4);
  CHECK(s.texts()[2].find("within 5 days") != std::string::npos);
}

TEST_CASE("another certificate begins anew") {
  expiring s;
  s.add("acme", "main", s.clock.now() + 5 * day);
  s.begin_control();
  CHECK(s.told.rows.size() == 1);
  s.add("acme", "main", s.clock.now() + 60 * day);
  s.pass_days(1);
  REQUIRE(s.told.rows.size() == 2);
  CHECK(s.texts()[1].find("within 59 days") != std::string::npos);
}

TEST_CASE("a database that is away delays a notice and loses none") {
  expiring s;
  s.add("acme", "main", s.clock.now() + 5 * day);
  s.rows.away = true;
  s.begin_control();
  CHECK(s.told.rows.empty());
  s.rows.away = false;
  s.pass_days(1);
  CHECK(s.told.rows.size() == 1);
}
