#include "tests/unit/tools/amtsim/bench_client.hpp"
#include "tools/amtsim/audit_state.hpp"

namespace outband::amtsim {
namespace {

using namespace test;

constexpr auto service_name = "IPS_OptInService";

std::string state(bench_machine& m) {
  return std::string(get(m, service_name).child_text("OptInState"));
}
std::string start(bench_machine& m) {
  return returned(invoke(m, service_name, "StartOptIn"));
}
std::string send(bench_machine& m, const std::string& code) {
  return returned(invoke(m, service_name, "SendOptInCode", wsman::property("OptInCode", code)));
}
std::string right_code(const bench_machine& m) {
  return std::to_string(m.model.consent.code);
}
std::string wrong_code(const bench_machine& m) {
  return std::to_string((m.model.consent.code + 1) % 1000000);
}
bench_machine guarded() {
  bench_machine m;
  m.model.feature.opt_in_required = 0xFFFFFFFF;
  return m;
}

TEST_CASE("a code on the screen that is read out right gives consent") {
  auto m = guarded();
  CHECK(state(m) == "0");
  CHECK(start(m) == "0");
  CHECK(state(m) == "2");
  CHECK(start(m) == "2"); // one code at a time
  CHECK(send(m, right_code(m)) == "0");
  CHECK(state(m) == "3");
  CHECK(m.model.consent_given());
  CHECK(send(m, "1") == "2");
}

TEST_CASE("leading zeros of a code do not matter") {
  auto m = guarded();
  REQUIRE(start(m) == "0");
  m.model.consent.code = 42;
  CHECK(send(m, "000042") == "0");
}

TEST_CASE("three wrong codes end the attempt and are audited") {
  auto m = guarded();
  REQUIRE(start(m) == "0");
  CHECK(send(m, wrong_code(m)) == "1");
  CHECK(send(m, wrong_code(m)) == "1");
  CHECK(state(m) == "2");
  CHECK(send(m, wrong_code(m)) == "3");
  CHECK(state(m) == "0");
  const auto& last = m.model.audit->records.back();
  CHECK(last.substr(0, 4) == std::string("\0\x1e\0\1", 4)); // application 30, event 1
  CHECK(last.back() == '\1');                               // failed three times
}

TEST_CASE("a code that nobody enters goes from the screen after its time") {
  auto m = guarded();
  REQUIRE(start(m) == "0");
  REQUIRE(m.model.next_due() == m.now + std::chrono::seconds(300));
  m.after(299999);
  CHECK(state(m) == "2");
  m.after(1);
  CHECK(state(m) == "0");
  CHECK_FALSE(m.model.next_due().has_value());
}

TEST_CASE("consent that nobody uses expires after its own time") {
  auto m = guarded();
  REQUIRE(put(m, service_name, wsman::property("OptInCodeTimeout", "60")).http_status == 200);
  REQUIRE(start(m) == "0");
  REQUIRE(send(m, right_code(m)) == "0");
  m.after(59999);
  CHECK(m.model.consent_given());
  m.after(1);
  CHECK_FALSE(m.model.consent_given());
}

TEST_CASE("consent can be withdrawn once") {
  auto m = guarded();
  CHECK(returned(invoke(m, service_name, "CancelOptIn")) == "2");
  REQUIRE(start(m) == "0");
  CHECK(returned(invoke(m, service_name, "CancelOptIn")) == "0");
  CHECK(state(m) == "0");
}

TEST_CASE("where no consent is needed or nobody sees the screen none can be asked for") {
  bench_machine free;
  CHECK(start(free) == "2");
  auto m = guarded();
  m.ask(8);
  m.after(100);
  CHECK(start(m) == "2");
}

TEST_CASE("client control mode always needs consent and nobody can lift that") {
  bench_machine m;
  m.model.control_mode = 1;
  auto shown = get(m, service_name);
  CHECK(shown.child_text("OptInRequired") == "4294967295");
  CHECK(shown.child_text("CanModifyOptInPolicy") == "0");
  CHECK(put(m, service_name, wsman::property("OptInRequired", "0")).http_status == 200);
  CHECK(get(m, service_name).child_text("OptInRequired") == "4294967295");
  CHECK(start(m) == "0");
}

TEST_CASE("a policy that does not exist and times out of range are refused") {
  bench_machine m;
  for (const auto& [name, value] :
       {std::pair{"OptInRequired", "2"}, std::pair{"OptInCodeTimeout", "59"},
        std::pair{"OptInCodeTimeout", "901"}, std::pair{"OptInDisplayTimeout", "9"},
        std::pair{"OptInDisplayTimeout", "many"}}) {
    CAPTURE(name);
    CHECK(refused(put(m, service_name, wsman::property(name, value))) == "InvalidRepresentation");
  }
  CHECK(put(m, service_name, wsman::property("OptInRequired", "1")).http_status == 200);
  CHECK(m.model.audit->records.back().substr(0, 4) == std::string("\0\x1e\0\0", 4));
}

} // namespace
} // namespace outband::amtsim
