#include "messages/domain/time.hpp"
#include "tests/unit/tools/amtsim/bench_client.hpp"
#include "tools/amtsim/alarm_state.hpp"
#include "tools/amtsim/classes.hpp"

namespace outband::amtsim {
namespace {

using namespace test;

/// AddAlarm as MPS writes it: the prefix p means two things in it.
std::string alarm_template(const std::string& id, const std::string& start,
                           const std::string& interval = {}, const std::string& gone = "true") {
  const auto uri = wsman::class_uri("IPS_AlarmClockOccurrence");
  const std::string s = " xmlns:s=\"" + uri + "\"";
  const std::string p = " xmlns:p=\"http://schemas.dmtf.org/wbem/wscim/1/common\"";
  auto out = "<h:AlarmTemplate><s:InstanceID" + s + ">" + id + "</s:InstanceID><s:ElementName" + s +
             ">" + id + " alarm</s:ElementName><s:StartTime" + s + "><p:Datetime" + p + ">" +
             start + "</p:Datetime></s:StartTime>";
  if (!interval.empty())
    out += "<s:Interval" + s + "><p:Interval" + p + ">" + interval + "</p:Interval></s:Interval>";
  return out + "<s:DeleteOnCompletion" + s + ">" + gone +
         "</s:DeleteOnCompletion></h:AlarmTemplate>";
}
wsman_reply add(bench_machine& m, const std::string& inner) {
  return serve(m, method("AMT_AlarmClockService", "AddAlarm", inner));
}
/// That many seconds from now.
std::string in(const bench_machine& m, std::int64_t seconds) {
  return datetime_of(m.model.clock_s(m.now) + seconds).text;
}
void switch_off(bench_machine& m) {
  REQUIRE(m.ask(8) == 0);
  m.after(100);
}

TEST_CASE("an alarm wakes a machine that is off and is gone") {
  bench_machine m;
  const auto made = body_of(add(m, alarm_template("nightly", in(m, 60))));
  CHECK(returned(made) == "0");
  const auto reference = wsman::read_endpoint(*made.child("AlarmClock"));
  REQUIRE(reference.has_value());
  CHECK(selector_of(*reference, "InstanceID") == "nightly");
  const auto shown = list(m, "IPS_AlarmClockOccurrence");
  REQUIRE(shown.size() == 1);
  CHECK(shown[0].child_text("ElementName") == "nightly alarm");
  CHECK(shown[0].find({"Interval", "Interval"})->value() == "P0DT0H0M");
  switch_off(m);
  m.after(58000);
  CHECK(m.model.power() == power_state::off_soft);
  m.after(2000); // the alarm rings, and power takes its time
  const auto up = m.after(100);
  REQUIRE(up.size() == 1);
  CHECK(up[0].why == cause::alarm);
  CHECK(m.model.power() == power_state::on);
  CHECK(list(m, "IPS_AlarmClockOccurrence").empty());
}

TEST_CASE("a repeated alarm rings again and again") {
  bench_machine m;
  REQUIRE(returned(add(m, alarm_template("hourly", in(m, 60), "P0DT1H0M"))) == "0");
  for (int i = 0; i < 3; ++i) {
    switch_off(m);
    REQUIRE(m.model.next_due().has_value());
    m.now = *m.model.next_due();
    m.after(0);
    m.after(100);
    CHECK(m.model.power() == power_state::on);
  }
  CHECK(list(m, "IPS_AlarmClockOccurrence").size() == 1);
}

TEST_CASE("an alarm that is kept stays and does not ring twice") {
  bench_machine m;
  REQUIRE(returned(add(m, alarm_template("once", in(m, 60), {}, "false"))) == "0");
  m.after(61000);
  CHECK(list(m, "IPS_AlarmClockOccurrence").size() == 1);
  CHECK_FALSE(m.model.next_due().has_value());
}

TEST_CASE("the sixth alarm is one too many") {
  bench_machine m;
  for (const auto* id : {"a", "b", "c", "d", "e"})
    REQUIRE(returned(add(m, alarm_template(id, in(m, 60)))) == "0");
  CHECK(refused(add(m, alarm_template("f", in(m, 60)))) == "QuotaLimit");
  CHECK(refused(remove(m, "IPS_AlarmClockOccurrence", {{"InstanceID", "c"}})).empty());
  CHECK(refused(remove(m, "IPS_AlarmClockOccurrence", {{"InstanceID", "c"}})) ==
        "DestinationUnreachable");
  CHECK(returned(add(m, alarm_template("f", in(m, 60)))) == "0");
}

TEST_CASE("an alarm needs a name that is free and a time to come") {
  bench_machine m;
  REQUIRE(returned(add(m, alarm_template("a", in(m, 60)))) == "0");
  CHECK(refused(add(m, alarm_template("a", in(m, 90)))) == "AlreadyExists");
  CHECK(returned(add(m, alarm_template("b", in(m, -60)))) == "36");
  CHECK(returned(add(m, alarm_template("b", "soon"))) == "36");
  CHECK(returned(add(m, alarm_template("b", in(m, 60), "often"))) == "36");
  CHECK(refused(add(m, alarm_template("", in(m, 60)))) == "SchemaValidationError");
  CHECK(refused(add(m, "")) == "SchemaValidationError");
  auto cut = in(m, 60);
  cut.pop_back(); // Go's client cuts the Z off with the fraction
  CHECK(returned(add(m, alarm_template("b", cut))) == "0");
}

TEST_CASE("intervals are days hours and minutes") {
  CHECK(parse_interval("P1DT2H30M") == 1590);
  CHECK(parse_interval("P0DT0H0M") == 0);
  CHECK(parse_interval("PT5M") == 5);
  CHECK(interval_text(1590) == "P1DT2H30M");
  for (const auto* bad : {"", "P", "1D", "P1", "P1H", "PT1D", "P1DT2X", "PT99999999M", "PT5S"}) {
    CAPTURE(bad);
    if (std::string_view(bad) != "P")
      CHECK_FALSE(parse_interval(bad).has_value());
  }
}

TEST_CASE("alarms follow the clock of the firmware when it is set") {
  bench_machine m;
  REQUIRE(returned(add(m, alarm_template("a", in(m, 600)))) == "0");
  switch_off(m);
  m.model.adjust_clock(590);
  REQUIRE(m.model.next_due().has_value());
  CHECK(*m.model.next_due() - m.now <= sim_time{10000});
}

} // namespace
} // namespace outband::amtsim
