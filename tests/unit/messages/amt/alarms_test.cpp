#include "messages/amt/alarms.hpp"

#include "messages/domain/time.hpp"
#include "tests/unit/messages/amt/captured.hpp"

namespace outband::amt {
namespace {

using namespace test;

const std::string add = "AMT_AlarmClockService AddAlarm";
const std::string take = "IPS_AlarmClockOccurrence Delete";

std::string nightly(const std::string& interval) {
  const std::string common = "http://schemas.dmtf.org/wbem/wscim/1/common";
  return item(
      "IPS_AlarmClockOccurrence",
      p("DeleteOnCompletion", "true") + p("ElementName", "nightly") + p("InstanceID", "nightly") +
          p("Interval", "<x:Interval xmlns:x=\"" + common + "\">" + interval + "</x:Interval>") +
          p("StartTime",
            "<x:Datetime xmlns:x=\"" + common + "\">2030-01-01T02:00:00Z</x:Datetime>"));
}

firmware takes_alarms() {
  firmware f;
  f.returns("AMT_AlarmClockService", "AddAlarm", 0);
  return f;
}

/// The text of a member of the AlarmTemplate that was sent.
std::string sent(const firmware& f, std::initializer_list<std::string_view> path) {
  const auto* found = f.sent(add).child("AlarmTemplate");
  REQUIRE(found != nullptr);
  found = found->find(path);
  return found == nullptr ? "(none)" : found->text;
}

TEST_CASE("alarms are told in MPS's shape with both spellings of the interval") {
  firmware f;
  f.lists("IPS_AlarmClockOccurrence", nightly("P1DT2H3M"));
  CHECK(f.shown("alarms.list") ==
        R"([{"ElementName":"nightly","InstanceID":"nightly",)"
        R"("StartTime":{"Datetime":"2030-01-01T02:00:00Z"},"Interval":{"Interval":"P1DT2H3M"},)"
        R"("DeleteOnCompletion":true,"InternalInMinutes":1563,"IntervalInMinutes":1563}])");
  firmware none;
  none.lists("IPS_AlarmClockOccurrence", "");
  CHECK(none.shown("alarms.list") == "[]");
}

TEST_CASE("an absurd interval is named and does not become a number") {
  for (const auto* bad :
       {"P99999999999999999999D", "P4000D", "soon", "P1Y", "P-1D", "PT5", "P1DT1H1M1", "P1D1D"}) {
    CAPTURE(bad);
    firmware f;
    f.lists("IPS_AlarmClockOccurrence", nightly(bad));
    CHECK(f.fails("alarms.list") == problem::device_protocol);
  }
}

TEST_CASE("durations are minutes and back") {
  CHECK(minutes_of("P1DT2H30M") == 1590);
  CHECK(minutes_of("P0DT0H0M") == 0);
  CHECK(minutes_of("PT90M") == 90);
  CHECK(minutes_of("P7D") == 10080);
  CHECK(minutes_of("PT1H0M59.9S") == 60);
  CHECK(minutes_of("P3650D") == max_interval_minutes);
  CHECK_FALSE(minutes_of("P3651D").has_value());
  CHECK_FALSE(minutes_of("").has_value());
  for (const std::int64_t m : {0, 1, 59, 60, 1439, 1440, 1590, 100'000})
    CHECK(minutes_of(duration_of(m)) == m);
  CHECK(duration_of(1590) == "P1DT2H30M");
}

TEST_CASE("an alarm is added as MPS writes it") {
  auto f = takes_alarms();
  CHECK(f.shown("alarms.add", R"({"ElementName":"a & b","StartTime":"2030-01-01T04:00:00.5+02:00",)"
                              R"("Interval":1590,"DeleteOnCompletion":"false"})") ==
        R"({"status":"SUCCESS","ReturnValue":0})");
  CHECK(f.asked == questions{add});
  CHECK(sent(f, {"InstanceID"}) == "a & b");
  CHECK(sent(f, {"ElementName"}) == "a & b");
  CHECK(sent(f, {"StartTime", "Datetime"}) == "2030-01-01T02:00:00Z");
  CHECK(sent(f, {"Interval", "Interval"}) == "P1DT2H30M");
  CHECK(sent(f, {"DeleteOnCompletion"}) == "false");
  const auto* inside = f.sent(add).find({"AlarmTemplate", "StartTime"});
  REQUIRE(inside != nullptr);
  CHECK(inside->ns == uri("IPS_AlarmClockOccurrence"));
  CHECK(inside->children.front().ns == wsman::ns::common);
}

TEST_CASE("what is left out of an alarm is what MPS supposes") {
  auto f = takes_alarms();
  REQUIRE(f.carry_out("alarms.add", R"({"ElementName":"a","StartTime":"2030-01-01"})").ok());
  CHECK(sent(f, {"InstanceID"}) == "a");
  CHECK(sent(f, {"StartTime", "Datetime"}) == "2030-01-01T00:00:00Z");
  CHECK(sent(f, {"Interval", "Interval"}) == "P0DT0H0M");
  CHECK(sent(f, {"DeleteOnCompletion"}) == "true");
  for (const auto* start : {R"("2030-01-01T00:00")", R"("2030-01-01T00:00:00")", "1893456000000"}) {
    CAPTURE(start);
    REQUIRE(f.carry_out("alarms.add", std::string(R"({"ElementName":"a","InstanceID":"b",)") +
                                          R"("Interval":null,"StartTime":)" + start + "}")
                .ok());
    CHECK(sent(f, {"StartTime", "Datetime"}) == "2030-01-01T00:00:00Z");
    CHECK(sent(f, {"InstanceID"}) == "b");
  }
}

TEST_CASE("an alarm of a wrong form never reaches the machine") {
  struct row {
    const char* argument;
    const char* field;
  };
  for (const auto& r :
       {row{"{}", "ElementName"}, row{"[]", "ElementName"},
        row{R"({"ElementName":7,"StartTime":"2030-01-01"})", "ElementName"},
        row{R"({"ElementName":"a"})", "StartTime"},
        row{R"({"ElementName":"a","StartTime":"tomorrow"})", "StartTime"},
        row{R"({"ElementName":"a","StartTime":{"Datetime":"2030-01-01"}})", "StartTime"},
        row{R"({"ElementName":"a","StartTime":-1})", "StartTime"},
        row{R"({"ElementName":"a","StartTime":"2030-01-01","Interval":-1})", "Interval"},
        row{R"({"ElementName":"a","StartTime":"2030-01-01","Interval":1e99})", "Interval"},
        row{R"({"ElementName":"a","StartTime":"2030-01-01","InstanceID":""})", "InstanceID"},
        row{R"({"ElementName":"a","StartTime":"2030-01-01","DeleteOnCompletion":"x"})",
            "DeleteOnCompletion"}}) {
    CAPTURE(r.argument);
    CHECK(complaints("alarms.add", r.argument).empty()); // MPS looks for the machine first
    auto f = takes_alarms();
    auto told = f.carry_out("alarms.add", r.argument);
    REQUIRE_FALSE(told.ok());
    CHECK(told.error().what == problem::malformed);
    CHECK(told.error().field == r.field);
    CHECK(told.error().detail.find("Alarm add request invalid parameters") == 0);
    CHECK(f.asked.empty());
  }
}

TEST_CASE("a full alarm clock is told in MPS's words") {
  const std::string argument = R"({"ElementName":"a","StartTime":"2030-01-01"})";
  firmware f;
  f.refuses(add, "QuotaLimit");
  auto told = f.carry_out("alarms.add", argument);
  REQUIRE_FALSE(told.ok());
  CHECK(told.error().what == problem::malformed);
  CHECK(told.error().detail.find("Alarm add request quota exceeded") == 0);
  firmware limit;
  limit.returns("AMT_AlarmClockService", "AddAlarm", 23);
  CHECK(limit.fails("alarms.add", argument) == problem::malformed);
  CHECK(limit.why.find("quota") != std::string::npos);
  firmware twice;
  twice.returns("AMT_AlarmClockService", "AddAlarm", 2058);
  CHECK(twice.fails("alarms.add", argument) == problem::malformed);
  CHECK(twice.why.find("DUPLICATE (2058)") != std::string::npos);
  firmware picky;
  picky.refuses(add, "InvalidRepresentation");
  CHECK(picky.fails("alarms.add", argument) == problem::malformed);
  CHECK(picky.why.find("InvalidRepresentation") != std::string::npos);
}

TEST_CASE("an alarm is removed by its name") {
  firmware f;
  f.gives(take, "");
  CHECK(f.shown("alarms.remove", R"({"Name":"nightly"})") == R"({"status":"SUCCESS"})");
  REQUIRE(f.requests.size() == 1);
  REQUIRE(f.requests.front().selectors.size() == 1);
  CHECK(f.requests.front().selectors.front().name == "InstanceID");
  CHECK(f.requests.front().selectors.front().value == "nightly");
  for (const auto* subcode : {"DestinationUnreachable", "InvalidSelectors"}) {
    firmware none;
    none.refuses(take, subcode);
    auto told = none.carry_out("alarms.remove", R"({"Name":"x"})");
    REQUIRE_FALSE(told.ok());
    CHECK(told.error().what == problem::not_found);
    CHECK(told.error().detail == "Alarm instance not found");
  }
  firmware denied;
  denied.refuses(take, "AccessDenied");
  CHECK(denied.fails("alarms.remove", R"({"Name":"x"})") == problem::device_refused);
  CHECK(f.fails("alarms.remove", "{}") == problem::malformed);
  CHECK(f.fails("alarms.remove", R"({"Name":5})") == problem::malformed);
  CHECK(f.asked.empty());
}

TEST_CASE("an answer about a single alarm of another class is no alarm") {
  firmware f;
  f.lists("IPS_AlarmClockOccurrence", item("CIM_Chip", p("Tag", "x")));
  CHECK(f.shown("alarms.list") == "[]");
  firmware loud;
  loud.lists("IPS_AlarmClockOccurrence",
             item("IPS_AlarmClockOccurrence", p("InstanceID", std::string(2000, 'x'))));
  CHECK(loud.fails("alarms.list") == problem::device_protocol);
}

} // namespace
} // namespace outband::amt
