#include "tools/amtsim/sessions.hpp"

#include "tests/unit/tools/amtsim/bench_client.hpp"
#include "tools/amtsim/audit_state.hpp"
#include "tools/amtsim/event_log_state.hpp"

namespace outband::amtsim {
namespace {

using namespace test;

std::string consent(bench_machine& m) {
  return std::string(get(m, "IPS_OptInService").child_text("OptInState"));
}
void agree(bench_machine& m) {
  REQUIRE(returned(invoke(m, "IPS_OptInService", "StartOptIn")) == "0");
  REQUIRE(returned(invoke(m, "IPS_OptInService", "SendOptInCode",
                          wsman::property("OptInCode", std::to_string(m.model.consent.code)))) ==
          "0");
}

TEST_CASE("a session keeps consent alive and its end starts the timeout anew") {
  bench_machine m;
  m.model.feature.opt_in_required = 0xFFFFFFFF;
  CHECK_FALSE(open_session(m.model, session_kind::kvm, m.now).empty());
  agree(m);
  m.after(100000);
  CHECK(open_session(m.model, session_kind::kvm, m.now).empty());
  CHECK(consent(m) == "4");
  CHECK(open_session(m.model, session_kind::sol, m.now).empty());
  m.after(1000000);
  CHECK(consent(m) == "4");
  close_session(m.model, session_kind::kvm, m.now);
  CHECK(consent(m) == "4");
  close_session(m.model, session_kind::sol, m.now);
  CHECK(consent(m) == "3");
  m.after(119999);
  CHECK(consent(m) == "3");
  m.after(1);
  CHECK(consent(m) == "0");
}

TEST_CASE("the policy for KVM only lets text and disks through") {
  bench_machine m;
  m.model.feature.opt_in_required = 1;
  CHECK_FALSE(open_session(m.model, session_kind::kvm, m.now).empty());
  CHECK(open_session(m.model, session_kind::sol, m.now).empty());
  CHECK(open_session(m.model, session_kind::ider, m.now).empty());
}

TEST_CASE("what is switched off cannot be opened and nobody looks twice") {
  bench_machine m;
  m.model.feature.redirection = 32769;
  CHECK_FALSE(open_session(m.model, session_kind::sol, m.now).empty());
  CHECK(open_session(m.model, session_kind::ider, m.now).empty());
  CHECK(open_session(m.model, session_kind::kvm, m.now).empty());
  CHECK(get(m, "CIM_KVMRedirectionSAP").child_text("EnabledState") == "2");
  CHECK_FALSE(open_session(m.model, session_kind::kvm, m.now).empty());
  close_session(m.model, session_kind::kvm, m.now);
  CHECK(get(m, "CIM_KVMRedirectionSAP").child_text("EnabledState") == "6");
}

TEST_CASE("sessions are written into both logs") {
  bench_machine m;
  REQUIRE(open_session(m.model, session_kind::sol, m.now).empty());
  CHECK(m.model.audit->records.back().substr(0, 4) == std::string("\0\x12\0\4", 4));
  auto event = m.model.events->records.back();
  CHECK(static_cast<std::uint8_t>(event[5]) == 192);
  CHECK(event.substr(13, 3) == std::string("\xAA\x30\0", 3));
  close_session(m.model, session_kind::sol, m.now);
  CHECK(m.model.audit->records.back().substr(0, 4) == std::string("\0\x12\0\5", 4));
  CHECK(m.model.events->records.back().substr(13, 3) == "\xAA\x30\1");
}

} // namespace
} // namespace outband::amtsim
