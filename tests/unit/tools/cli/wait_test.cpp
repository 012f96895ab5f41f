#include "tools/cli/wait.hpp"

#include "tests/unit/tools/cli/fakes.hpp"

#include <algorithm>
#include <doctest/doctest.h>

using namespace outband;
using namespace outband::cli;
using outband::cli::test::order_id;

namespace {

bus::decoded<current_state> current(revision rev, power_state state, revision satisfied,
                                    const char* code = "", const char* reason = "") {
  bus::decoded<current_state> c{};
  c.env.rev = rev;
  c.body.power.state = state;
  c.body.desired_rev = satisfied;
  if (*code)
    c.body.conditions.push_back({"power", false, code, reason, 1});
  return c;
}

bus::decoded<desired_state> desired(revision rev, power_target target, const char* by) {
  bus::decoded<desired_state> d{};
  d.env.rev = rev;
  d.env.by = by;
  d.body.power.target = target;
  return d;
}

bus::decoded<event> happened(event_class cls, const char* type, const char* text,
                             std::optional<uuid> command = {}) {
  bus::decoded<event> e{};
  e.body.cls = cls;
  e.body.type = type;
  e.body.text = text;
  e.body.command = command;
  return e;
}

request_outcome stored(revision rev) {
  return {request_status::done, rev, "Stored.", {}};
}

bool holds(const std::vector<std::string>& lines, const char* text) {
  return std::any_of(lines.begin(), lines.end(),
                     [&](const auto& l) { return l.find(text) != std::string::npos; });
}

} // namespace

TEST_CASE("a level is reached when the current state satisfied the order's revision") {
  waiting w(power_target::off, order_id);
  w.on(current(40, power_state::on, 7));
  w.on(stored(8));
  CHECK_FALSE(w.done());
  w.on(current(41, power_state::on, 7, "in-progress", "Asking the firmware for off."));
  CHECK_FALSE(w.done());
  w.on(current(42, power_state::off_soft, 8));
  REQUIRE(w.done());
  CHECK(w.done()->code == exit_code::ok);
  CHECK(w.done()->word == "reached");
  CHECK(w.done()->text == "The machine is off, as wanted.");
  auto lines = w.take_progress();
  CHECK(holds(lines, "revision 8"));
  CHECK(holds(lines, "Asking the firmware for off."));
  CHECK(w.take_progress().empty());
}

TEST_CASE("a state from before the order does not end the wait") {
  waiting w(power_target::off, order_id);
  // Off already and satisfied, but for an older wish; the new revision is not yet looked at.
  w.on(current(40, power_state::off_soft, 7));
  w.on(stored(8));
  CHECK_FALSE(w.done());
}

TEST_CASE("the answer may come after the state that satisfies it") {
  waiting w(power_target::on, order_id);
  w.on(current(42, power_state::on, 8));
  CHECK_FALSE(w.done());
  w.on(stored(8));
  REQUIRE(w.done());
  CHECK(w.done()->code == exit_code::ok);
}

TEST_CASE("an older state that is delivered late is not believed") {
  waiting w(power_target::off, order_id);
  w.on(stored(8));
  w.on(current(42, power_state::on, 7));
  w.on(current(41, power_state::off_soft, 8));
  CHECK_FALSE(w.done());
}

TEST_CASE("a transition that the machine's state forbids is refused") {
  waiting w(power_target::sleep, order_id);
  w.on(stored(8));
  w.on(happened(event_class::power, "power.refused", "A machine that is off cannot sleep."));
  REQUIRE(w.done());
  CHECK(w.done()->code == exit_code::refused);
  CHECK(w.done()->problem_code == "transition-refused");
  CHECK(w.done()->text == "A machine that is off cannot sleep.");
}

TEST_CASE("the refusal may come before the order is known to be stored") {
  waiting w(power_target::sleep, order_id);
  w.on(happened(event_class::power, "power.refused", "No."));
  CHECK_FALSE(w.done());
  w.on(stored(8));
  REQUIRE(w.done());
  CHECK(w.done()->code == exit_code::refused);
}

TEST_CASE("a refusal that is shown since before the order counts only after a lost connection") {
  waiting w(power_target::sleep, order_id);
  w.on(current(40, power_state::off_soft, 7, "transition-refused", "It is off."));
  w.on(stored(8));
  w.on(current(41, power_state::off_soft, 7, "transition-refused", "It is off."));
  CHECK_FALSE(w.done());
  w.reconnected();
  w.on(current(42, power_state::off_soft, 7, "transition-refused", "It is off."));
  REQUIRE(w.done());
  CHECK(w.done()->code == exit_code::refused);
}

TEST_CASE("a failure that the server will repeat does not end the wait") {
  waiting w(power_target::off, order_id);
  w.on(stored(8));
  w.take_progress();
  w.on(happened(event_class::power, "power.failed", "The firmware did not answer."));
  CHECK_FALSE(w.done());
  CHECK(holds(w.take_progress(), "The firmware did not answer."));
}

TEST_CASE("another person's wish ends the wait") {
  waiting w(power_target::off, order_id);
  w.on(desired(8, power_target::off, "op/alice"));
  w.on(stored(8));
  CHECK_FALSE(w.done());
  w.on(desired(9, power_target::on, "op/bob"));
  REQUIRE(w.done());
  CHECK(w.done()->code == exit_code::other);
  CHECK(w.done()->word == "superseded");
  CHECK(w.done()->text.find("op/bob") != std::string::npos);
}

TEST_CASE("the same wish by somebody else is ours too") {
  waiting w(power_target::off, order_id);
  w.on(stored(8));
  w.on(desired(9, power_target::off, "op/bob"));
  w.on(current(50, power_state::off_soft, 9));
  REQUIRE(w.done());
  CHECK(w.done()->code == exit_code::ok);
}

TEST_CASE("a reset is over with its own final event") {
  waiting w(power_once::reset, order_id);
  w.on(request_outcome{request_status::accepted, 0, "", {}});
  const auto other = *parse_uuid("99999999-2222-4333-8444-555555555555");
  w.on(happened(event_class::command, "command.done", "Not ours.", other));
  CHECK_FALSE(w.done());
  w.on(current(41, power_state::on, 7));
  CHECK_FALSE(w.done());
  w.on(happened(event_class::command, "command.done", "The firmware carried out the reset.",
                order_id));
  REQUIRE(w.done());
  CHECK(w.done()->code == exit_code::ok);
  CHECK(w.done()->text == "The firmware carried out the reset.");
}

TEST_CASE("a reset that failed is asked for its stored outcome") {
  waiting w(power_once::reset, order_id);
  w.on(request_outcome{request_status::accepted, 0, "", {}});
  CHECK_FALSE(w.take_question());
  w.on(happened(event_class::command, "command.failed", "The machine is off.", order_id));
  CHECK_FALSE(w.done());
  CHECK(w.take_question());
  CHECK_FALSE(w.take_question());
  w.on(request_outcome{request_status::failed, 0, "The machine is off.",
                       problem::transition_refused});
  REQUIRE(w.done());
  CHECK(w.done()->code == exit_code::refused);
  CHECK(w.done()->problem_code == "transition-refused");
}

TEST_CASE("after a lost connection a reset's outcome is asked for and may still be open") {
  waiting w(power_once::cycle, order_id);
  w.on(request_outcome{request_status::accepted, 0, "", {}});
  w.reconnected();
  CHECK(w.take_question());
  w.on(request_outcome{request_status::accepted, 0, "", {}});
  CHECK_FALSE(w.done());
}

TEST_CASE("each way in which a command can end has its exit code") {
  struct way {
    request_status status;
    std::optional<problem> why;
    exit_code code;
    const char* word;
  };
  const way ways[] = {
      {request_status::failed, problem::link_down, exit_code::other, "failed"},
      {request_status::failed, problem::device_refused, exit_code::refused, "refused"},
      {request_status::failed, problem::device_timeout, exit_code::timed_out, "failed"},
      {request_status::expired, {}, exit_code::timed_out, "failed"},
      {request_status::unknown, {}, exit_code::other, "unknown"},
      {request_status::rejected, problem::forbidden, exit_code::other, "failed"}};
  for (const auto& x : ways) {
    CAPTURE(to_string(x.status));
    waiting w(power_once::reset, order_id);
    w.on(request_outcome{x.status, 0, "", x.why});
    REQUIRE(w.done());
    CHECK(w.done()->code == x.code);
    CHECK(w.done()->word == x.word);
    CHECK_FALSE(w.done()->text.empty());
    CHECK_FALSE(w.done()->problem_code.empty());
  }
}

TEST_CASE("a wait that runs out says what is known and that the wish is kept") {
  waiting w(power_target::on, order_id);
  CHECK(w.timed_out().text.find("No answer") != std::string::npos);
  w.on(stored(8));
  w.on(current(41, power_state::off_soft, 7, "waiting", "Waiting for the machine's tunnel."));
  auto v = w.timed_out();
  CHECK(v.code == exit_code::timed_out);
  CHECK(v.text == "The machine is off. Waiting for the machine's tunnel. The wish is kept.");
}

TEST_CASE("a host that is removed meanwhile ends the wait") {
  waiting w(power_target::on, order_id);
  w.on(stored(8));
  bus::decoded<current_state> gone{};
  gone.env.rev = 50;
  gone.env.deleted = true;
  w.on(gone);
  REQUIRE(w.done());
  CHECK(w.done()->code == exit_code::not_found);
}
