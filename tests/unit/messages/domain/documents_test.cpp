#include "messages/domain/documents.hpp"
#include "messages/domain/roles.hpp"

#include <doctest/doctest.h>

using namespace outband;

namespace {

/// Every value of an enumeration without gaps, recognised by its name reading back.
template <class E, class Parse> int values_that_read_back(Parse parse, int count) {
  int good = 0;
  for (int i = 0; i < count; ++i) {
    const auto e = static_cast<E>(i);
    if (parse(to_string(e)) == e)
      ++good;
  }
  return good;
}

} // namespace

TEST_CASE("every name of an enumeration reads back as itself") {
  CHECK(values_that_read_back<link_state>(parse_link_state, 4) == 4);
  CHECK(values_that_read_back<event_class>(parse_event_class, 5) == 5);
  CHECK(values_that_read_back<request_status>(parse_request_status, 7) == 7);
  CHECK(values_that_read_back<link_end>(parse_link_end, 6) == 6);
  CHECK(values_that_read_back<power_target>(parse_power_target, 5) == 5);
  CHECK(values_that_read_back<power_policy>(parse_power_policy, 2) == 2);
  CHECK(values_that_read_back<role>(parse_role, 5) == 5);
}

TEST_CASE("a word that is not in an enumeration is refused") {
  CHECK_FALSE(parse_link_state("UP").has_value());
  CHECK_FALSE(parse_event_class("").has_value());
  CHECK_FALSE(parse_request_status("accepted ").has_value());
  CHECK_FALSE(parse_power_target("onn").has_value());
  CHECK_FALSE(parse_role("root").has_value());
}

TEST_CASE("every problem has a code of its own that reads back and words that help") {
  for (int i = 0; i <= static_cast<int>(problem::duplicate_guid); ++i) {
    const auto p = static_cast<problem>(i);
    const auto e = explain(p);
    CAPTURE(e.code);
    CHECK(problem_from_code(e.code) == p);
    CHECK_FALSE(e.what.empty());
    CHECK_FALSE(e.next.empty());
    CHECK(e.status >= 400);
    CHECK(e.status < 600);
  }
  CHECK_FALSE(problem_from_code("no-such-code").has_value());
}

TEST_CASE("a failure names the field then what was wrong then the code") {
  CHECK(to_string(fail(problem::malformed, "'onn' is not one of on, off", "power.target")) ==
        "power.target: 'onn' is not one of on, off (malformed)");
  CHECK(to_string(fail(problem::busy)) == "Too much is waiting already. (busy)");
}

TEST_CASE("a patch changes what it names and leaves the rest") {
  desired_state base;
  base.power = {power_target::on, power_policy::immediate};
  CHECK(merged(base, {}).power.target == power_target::on);
  const auto off = merged(base, {power_target::off, std::nullopt});
  CHECK(off.power.target == power_target::off);
  CHECK(off.power.policy == power_policy::immediate);
  const auto ordered = merged(base, {std::nullopt, power_policy::ordered});
  CHECK(ordered.power.target == power_target::on);
  CHECK(ordered.power.policy == power_policy::ordered);
}

TEST_CASE("after accepted and running another answer follows and after the others none") {
  CHECK_FALSE(is_final(request_status::accepted));
  CHECK_FALSE(is_final(request_status::running));
  for (auto s : {request_status::done, request_status::failed, request_status::rejected,
                 request_status::expired, request_status::unknown})
    CHECK(is_final(s));
}

TEST_CASE("an operation that changes the machine is told from one that only reads") {
  CHECK(is_change(amt::request_power{power_action::on}));
  CHECK_FALSE(is_change(amt::read_power{}));
  CHECK_FALSE(is_change(amt::read_capabilities{}));
  CHECK_FALSE(is_change(amt::read_versions{}));
  CHECK(describe(amt_operation{amt::request_power{power_action::reset}}) == "reset (10)");
}

TEST_CASE("the firmware's return values have their names") {
  CHECK(pt_status_name(0) == "SUCCESS");
  CHECK(pt_status_name(2) == "NOT_READY");
  CHECK(pt_status_name(2082) == "OPERATION_IN_PROGRESS");
  CHECK(pt_status_name(123456) == "UNKNOWN_ERROR");
}
