#include "messages/amt/logs.hpp"

#include "messages/amt/base64.hpp"
#include "messages/domain/time.hpp"
#include "tests/unit/messages/amt/script.hpp"

namespace outband::amt {
namespace {

using namespace script;

std::string octets(std::initializer_list<int> list) {
  std::string out;
  for (int o : list)
    out += static_cast<char>(o);
  return out;
}

/// An event of that second, sensor 37.
std::string event_at(int second, int instance = 0) {
  return base64_encode(octets(
      {second, 0, 0, 1, 255, 37, 111, 1, 104, 2, 255, 34, instance, 0, 0, 0, 0, 0, 0, 0, 0}));
}

std::string event_batch(const std::vector<std::string>& records, bool more, int next) {
  std::string out = "<IterationIdentifier>" + std::to_string(next) +
                    "</IterationIdentifier><NoMoreRecords>" + (more ? "false" : "true") +
                    "</NoMoreRecords>";
  for (const auto& r : records)
    out += "<RecordArray>" + r + "</RecordArray>";
  return out;
}

firmware& with_events(firmware& f, const std::vector<std::string>& records) {
  f.returns("AMT_MessageLog", "PositionToFirstRecord", 0,
            "<IterationIdentifier>1</IterationIdentifier>");
  return f.returns("AMT_MessageLog", "GetRecords", 0,
                   event_batch(records, false, static_cast<int>(records.size()) + 1));
}

/// Who did what at which second.
std::string audit_at(int second, int app = 16, int event = 1, const std::string& extended = {}) {
  auto out = octets({0, app, 0, event, 0, 5}) + "admin" + octets({0, 1, 0, second, 0, 8}) +
             "10.0.0.1" + octets({static_cast<int>(extended.size())}) + extended;
  return base64_encode(out);
}

/// A log of `total` records that tells three at once.
void with_audit(firmware& f, int total, int start, int shift = 0) {
  std::string out;
  int count = 0;
  for (int i = start; i <= total && count < 3; ++i, ++count)
    out += "<EventRecords>" + audit_at(i + shift) + "</EventRecords>";
  f.returns("AMT_AuditLog", "ReadRecords", 0,
            "<TotalRecordCount>" + std::to_string(total) + "</TotalRecordCount><RecordsReturned>" +
                std::to_string(count) + "</RecordsReturned>" + out);
}

std::vector<std::string> starts(const firmware& f) {
  std::vector<std::string> out;
  for (const auto& r : f.requests)
    if (const auto* in = r.body.child("ReadRecords_INPUT"))
      out.emplace_back(in->child_text("StartIndex"));
  return out;
}

std::string seconds_of(const json::value& records) {
  std::string out;
  for (const auto& r : *records.items())
    out += std::to_string(*parse_rfc3339(*r.find("Time")->text()) / 1000 - 65536) + " ";
  return out;
}

TEST_CASE("a captured event record is read to the last octet") {
  auto r = read_event_record("Y8iYZf8GbwVoEP8mYaoKAAAAAAAA");
  REQUIRE(r.ok());
  CHECK(to_rfc3339(static_cast<time_ms>(r->time) * 1000) == "2024-01-06T03:26:27.000Z");
  CHECK(r->device_address == 255);
  CHECK(r->sensor_type == 6);
  CHECK(r->event_type == 111);
  CHECK(r->offset == 5);
  CHECK(r->source_type == 104);
  CHECK(r->severity == event_severity::critical);
  CHECK(r->sensor_number == 255);
  CHECK(entity_name(r->entity) == "Intel(r) ME");
  CHECK(r->entity_instance == 97);
  CHECK(r->data[0] == 0xAA);
  CHECK(describe(*r) == "Authentication failed 10 times. The system may be under attack.");
  auto bios = read_event_record("IgYBZf8PbwJoAf8iAEAHAAAAAAAA");
  REQUIRE(bios.ok());
  CHECK(entity_name(bios->entity) == "BIOS");
  CHECK(describe(*bios) == "PCI resource configuration");
}

TEST_CASE("events are described as MPS does and further where it says nothing") {
  struct row {
    int sensor, offset;
    std::initializer_list<int> data;
    const char* text;
  };
  const row rows[] = {
      {15, 0, {64, 8}, "Removable boot media not found."},
      {15, 2, {64, 19}, "Starting operating system boot process"},
      {15, 2, {235, 19}, "Invalid Data"},
      {15, 0, {64, 14}, nullptr},
      {15, 2, {64, 26}, nullptr},
      {15, 5, {0xAA, 0x30, 3}, "One-Click Recovery: HTTPS connection established"},
      {15, 3, {0xAA, 0x30, 5}, "One-Click Recovery: TLS authentication failed"},
      {15, 3, {0xAA, 0x30, 0}, nullptr},
      {18, 0, {170, 1, 2, 3, 4, 5, 6, 16}, "Agent watchdog 04030201-0605-... changed to Suspended"},
      {18, 0, {171}, nullptr},
      {5, 0, {}, "Case intrusion"},
      {30, 0, {}, "No bootable media"},
      {32, 0, {}, "Operating system lockup or power interrupt"},
      {35, 0, {}, "System boot failure"},
      {37, 0, {}, "System firmware started (at least one CPU is properly executing)."},
      {192, 0, {0xAA, 0x30, 2}, "IDE-R session opened"},
      {192, 0, {0xAA, 0x31, 2}, "Unknown Sensor Type #192"},
      {193, 0, {0xAA, 0x30, 0, 0}, "The user asks for a remote connection"},
      {9, 0, {}, "Unknown Sensor Type #9"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.sensor);
    CAPTURE(row.offset);
    event_record r;
    r.sensor_type = static_cast<std::uint8_t>(row.sensor);
    r.offset = static_cast<std::uint8_t>(row.offset);
    std::copy(row.data.begin(), row.data.end(), r.data.begin());
    CHECK(describe(r).value_or("nothing") == (row.text == nullptr ? "nothing" : row.text));
  }
  CHECK(entity_name(52) == "Processor front side bus");
  CHECK(entity_name(53) == "Unknown");
}

TEST_CASE("a firmware without a clock has events without a time") {
  for (const auto* text : {"AAAAAP8PbwJoAf8iAEAHAAAAAAAA", "/////w8PbwJoAf8iAEAHAAAAAAAA"}) {
    firmware f;
    with_events(f, {text});
    auto told = f.carry_out("log.event");
    REQUIRE(told.ok());
    CHECK(told->items()->front().find("TimeStamp")->is_null());
    CHECK(told->items()->front().find("EventData")->items()->size() == 8);
  }
}

TEST_CASE("the event log is MPS's array with every member") {
  firmware f;
  with_events(f, {"IgYBZf8PbwJoAf8iAEAHAAAAAAAA"});
  CHECK(f.shown("log.event") ==
        R"([{"DeviceAddress":255,"EventSensorType":15,"EventType":111,"EventOffset":2,)"
        R"("EventSourceType":104,"EventSeverity":1,"SensorNumber":255,"Entity":34,)"
        R"("EntityInstance":0,"EventData":[64,7,0,0,0,0,0,0],)"
        R"("TimeStamp":"2023-09-13T00:45:22.000Z","EntityStr":"BIOS",)"
        R"("Desc":"PCI resource configuration"}])");
  CHECK(f.asked == questions{"AMT_MessageLog PositionToFirstRecord", "AMT_MessageLog GetRecords"});
  const auto* in = f.requests[1].body.child("GetRecords_INPUT");
  REQUIRE(in != nullptr);
  CHECK(in->child_text("IterationIdentifier") == "1");
  CHECK(in->child_text("MaxReadRecords") == "390");
}

TEST_CASE("the event log is read to its end and told with the newest first") {
  firmware f;
  f.returns("AMT_MessageLog", "PositionToFirstRecord", 0,
            "<IterationIdentifier>1</IterationIdentifier>");
  f.returns("AMT_MessageLog", "GetRecords", 0, event_batch({event_at(1), event_at(2)}, true, 3));
  f.returns("AMT_MessageLog", "GetRecords", 0, event_batch({event_at(3)}, false, 4));
  auto told = f.carry_out("log.event");
  REQUIRE(told.ok());
  REQUIRE(told->items()->size() == 3);
  CHECK(*told->items()->front().find("TimeStamp")->text() == "1970-07-14T04:20:19.000Z");
  CHECK(f.requests[2].body.child("GetRecords_INPUT")->child_text("IterationIdentifier") == "3");
}

TEST_CASE("an empty event log is an empty array however the firmware says so") {
  firmware none;
  with_events(none, {});
  CHECK(none.shown("log.event") == "[]");
  firmware first;
  first.returns("AMT_MessageLog", "PositionToFirstRecord", 2,
                "<IterationIdentifier>0</IterationIdentifier>");
  CHECK(first.shown("log.event") == "[]");
  firmware second;
  second.returns("AMT_MessageLog", "PositionToFirstRecord", 0,
                 "<IterationIdentifier>1</IterationIdentifier>");
  second.returns("AMT_MessageLog", "GetRecords", 3);
  CHECK(second.shown("log.event") == "[]");
}

TEST_CASE("an event log that does not move on is not read for ever") {
  firmware f;
  f.returns("AMT_MessageLog", "PositionToFirstRecord", 0,
            "<IterationIdentifier>1</IterationIdentifier>");
  f.returns("AMT_MessageLog", "GetRecords", 0, event_batch({event_at(1)}, true, 1));
  CHECK(f.carry_out("log.event").ok());
  firmware g;
  g.returns("AMT_MessageLog", "PositionToFirstRecord", 0,
            "<IterationIdentifier>1</IterationIdentifier>");
  for (int i = 0; i < 12; ++i)
    g.returns("AMT_MessageLog", "GetRecords", 0, event_batch({event_at(1)}, true, i + 2));
  auto told = g.carry_out("log.event");
  REQUIRE(told.ok());
  CHECK(told->items()->size() == 12);
}

TEST_CASE("event records that are none end in words") {
  for (const auto* text : {"AAAA", "!!!!", "Y8iYZf8GbwVoEP8mYaoKAAAAAA"}) {
    firmware f;
    with_events(f, {text});
    CHECK(f.fails("log.event") == problem::device_protocol);
    CHECK(f.why.find(text) != std::string::npos);
  }
  firmware refused;
  refused.returns("AMT_MessageLog", "PositionToFirstRecord", 1,
                  "<IterationIdentifier>0</IterationIdentifier>");
  CHECK(refused.fails("log.event") == problem::device_refused);
  CHECK(refused.why.find("INTERNAL_ERROR") != std::string::npos);
}

event_log log_of(const std::vector<std::string>& raw) {
  event_log log;
  for (const auto& r : raw)
    log.records.push_back(*read_event_record(r));
  return log;
}

TEST_CASE("only events after the cursor are new") {
  auto start = events_after(log_of({event_at(2), event_at(1)}), "");
  REQUIRE(start.ok());
  CHECK(start->records.empty());
  auto same = events_after(log_of({event_at(2), event_at(1)}), start->cursor);
  REQUIRE(same.ok());
  CHECK(same->records.empty());
  CHECK_FALSE(same->gap);
  CHECK(same->cursor == start->cursor);
  auto two = events_after(log_of({event_at(4), event_at(3), event_at(2)}), start->cursor);
  REQUIRE(two.ok());
  REQUIRE(two->records.size() == 2);
  CHECK(two->records[0].raw == event_at(3)); // oldest first
  CHECK_FALSE(two->gap);
  auto again = events_after(log_of({event_at(4), event_at(4), event_at(3)}), two->cursor);
  REQUIRE(again.ok());
  CHECK(again->records.size() == 1); // two events that look alike are two
}

TEST_CASE("events that may have been lost are said to be") {
  auto start = events_after(log_of({event_at(2)}), "");
  auto gone = events_after(log_of({event_at(9), event_at(8)}), start->cursor);
  REQUIRE(gone.ok());
  CHECK(gone->gap);
  CHECK(gone->records.size() == 2);
  auto empty = events_after(log_of({}), "");
  auto first = events_after(log_of({event_at(1)}), empty->cursor);
  REQUIRE(first.ok());
  CHECK(first->records.size() == 1);
  CHECK_FALSE(first->gap);
  for (const auto* cursor : {"x", "12", ":", "-1:AA", "99999999999:AA"})
    CHECK(events_after(log_of({}), cursor).error().what == problem::malformed);
}

TEST_CASE("a captured audit record is read to the last octet") {
  auto r = read_audit_record("ABMAAAI/9M1uAgAQAAwAAAAoBZkADAAAACQFlA==");
  REQUIRE(r.ok());
  CHECK(r->app == 19);
  CHECK(r->event == 0);
  CHECK(r->initiator == initiator_type::local);
  CHECK(r->initiator_name == "Local");
  CHECK(r->time == 0x3FF4CD6E);
  CHECK(r->location_type == 2);
  CHECK(r->net_address.empty());
  CHECK(audit_app_text(r->app) == "Firmware Update Manager");
  CHECK(audit_event_text(r->app, r->event) == "Firmware Updated");
  CHECK(extended_text(*r) == "From 12.0.40.1433 to 12.0.36.1428");
}

TEST_CASE("who did it is read of every kind of initiator") {
  auto name = [](const std::string& bytes) {
    auto r = read_audit_record(base64_encode(octets({0, 16, 0, 0}) + bytes));
    REQUIRE(r.ok());
    CHECK(r->time == 7);
    return r->initiator_name + " from " + r->net_address;
  };
  const auto tail = octets({0, 0, 0, 7, 0, 1}) + "x" + octets({0});
  CHECK(name(octets({0, 3}) +
             "j\xF6"
             "e" +
             tail) == "j\xC3\xB6"
                      "e from x");
  CHECK(name(octets({1, 0, 0, 0, 9, 12, 1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0}) + tail) ==
        "S-1-5-18 from x");
  CHECK(name(octets({2}) + tail) == "Local from x");
  CHECK(name(octets({3}) + tail) == "KVM Default Port from x");
  CHECK(name(octets({9}) + tail) == " from x");
  CHECK(name(octets({2, 0, 0, 0, 7, 1, 39}) + "0000:0000:0000:0000:0000:0000:0000:0001" +
             octets({0})) == "Local from ::1");
}

TEST_CASE("extended audit data become words and short data become none") {
  struct row {
    int app, event;
    std::string data;
    const char* text;
  };
  const row rows[] = {
      {16, 2, octets({0, 3}) + "bob", "bob"},
      {16, 3, octets({2, 0, 3}) + "bob", "bob"},
      {16, 5, octets({1}), "Invalid MEBx access"},
      {16, 6, octets({1, 0, 3}) + "bob", "Enabled, bob"},
      {16, 7, octets({1, 0}), "Remote ServerAuth, Local NoAuth"},
      {16, 8, octets({1, 0xAB}), "Serial number 01ab"},
      {16, 17, octets({0, 0, 0, 5, 1}), "Remote Control, Auth"},
      {16, 17, octets({0, 0, 0, 99, 7}), "unknown, unknown"},
      {16, 19, octets({4}), "Remote WSMAN"},
      {21, 0, octets({0, 0, 0, 10}), "1970-01-01T00:00:10.000Z"},
      {22, 1, octets({4}) + "pc-7", "pc-7"},
      {30, 0, octets({0, 255}), "From None to All"},
      {30, 0, octets({1, 2}), "From KVM to All"},
      {30, 1, octets({1}), "Failed 3 times"},
      {16, 7, octets({1}), nullptr},
      {16, 2, octets({0, 9}) + "bob", nullptr},
      {19, 0, octets({0, 1, 0}), nullptr},
      {16, 0, octets({1, 2, 3}), nullptr},
  };
  for (const auto& row : rows) {
    CAPTURE(row.app);
    CAPTURE(row.event);
    audit_record r;
    r.app = static_cast<std::uint16_t>(row.app);
    r.event = static_cast<std::uint16_t>(row.event);
    r.extended = row.data;
    CHECK(extended_text(r).value_or("nothing") == (row.text == nullptr ? "nothing" : row.text));
  }
  CHECK(audit_app_text(31) == "#31");
  CHECK(audit_event_text(33, 1) == "A user has modified the Watchdog Action settings");
  CHECK(audit_event_text(16, 99) == "#99");
  CHECK(audit_event_text(16, 101) == "#101"); // and not an event of app 17
}

TEST_CASE("the audit log is MPS's object with every member") {
  firmware f;
  f.returns("AMT_AuditLog", "ReadRecords", 0,
            "<TotalRecordCount>1</TotalRecordCount><RecordsReturned>1</RecordsReturned>"
            "<EventRecords>" +
                audit_at(5, 16, 19, octets({4})) + "</EventRecords>");
  CHECK(f.shown("log.audit", R"({"startIndex":0})") ==
        R"({"totalCnt":1,"records":[{"AuditAppID":16,"EventID":19,"InitiatorType":0,)"
        R"("AuditApp":"Security Admin","Event":"Unprovisioning Started","Initiator":"admin",)"
        R"("Time":"1970-01-01T18:12:21.000Z","MCLocationType":0,"NetAddress":"10.0.0.1",)"
        R"("Ex":"\u0004","ExStr":"Remote WSMAN"}]})");
  CHECK(f.asked == questions{"AMT_AuditLog ReadRecords"});
}

TEST_CASE("audit pages begin with the newest record whatever the log's length") {
  struct row {
    int total, start;
    const char* seconds;
    std::vector<int> reads; ///< after the first, which is at 1
  };
  const row rows[] = {{2, 1, "2 1 ", {}},    {3, 2, "2 1 ", {}},   {8, 1, "8 7 6 ", {6}},
                      {8, 4, "5 4 3 ", {3}}, {8, 7, "2 1 ", {}},   {8, 9, "", {}},
                      {4, 1, "4 3 2 ", {2}}, {8, 0, "8 7 6 ", {6}}};
  for (const auto& row : rows) {
    CAPTURE(row.total);
    CAPTURE(row.start);
    firmware f;
    with_audit(f, row.total, 1);
    std::vector<std::string> expected{"1"};
    for (int at : row.reads) {
      with_audit(f, row.total, at);
      expected.push_back(std::to_string(at));
    }
    auto told = f.carry_out("log.audit", "{\"startIndex\":" + std::to_string(row.start) + "}");
    REQUIRE(told.ok());
    CHECK(*told->find("totalCnt")->integer() == row.total);
    CHECK(seconds_of(*told->find("records")) == row.seconds);
    CHECK(starts(f) == expected);
  }
}

TEST_CASE("an empty audit log is not an error") {
  firmware index;
  index.returns("AMT_AuditLog", "ReadRecords", 35);
  CHECK(index.shown("log.audit") == R"({"totalCnt":0,"records":[]})");
  firmware none;
  none.returns("AMT_AuditLog", "ReadRecords", 0,
               "<TotalRecordCount>0</TotalRecordCount><RecordsReturned>0</RecordsReturned>");
  CHECK(none.shown("log.audit") == R"({"totalCnt":0,"records":[]})");
  firmware busy;
  busy.returns("AMT_AuditLog", "ReadRecords", 2);
  CHECK(busy.fails("log.audit") == problem::device_refused);
  CHECK(busy.why.find("NOT_READY") != std::string::npos);
  firmware absurd;
  absurd.returns("AMT_AuditLog", "ReadRecords", 0,
                 "<TotalRecordCount>4000000000</TotalRecordCount>");
  CHECK(absurd.fails("log.audit") == problem::device_protocol);
}

TEST_CASE("an audit record that cannot be read does not hide the others") {
  firmware f;
  f.returns("AMT_AuditLog", "ReadRecords", 0,
            "<TotalRecordCount>2</TotalRecordCount><EventRecords>ABMAAAI=</EventRecords>"
            "<EventRecords>" +
                audit_at(2) + "</EventRecords>");
  auto told = f.carry_out("log.audit");
  REQUIRE(told.ok());
  const auto& records = *told->find("records")->items();
  REQUIRE(records.size() == 2);
  CHECK(*records[0].find("Initiator")->text() == "admin");
  CHECK(*records[1].find("AuditApp")->text() == "unreadable record");
  CHECK(*records[1].find("Event")->text() == "ABMAAAI=");
}

TEST_CASE("only audit records after the cursor are new") {
  firmware f;
  with_audit(f, 5, 1);
  with_audit(f, 5, 5);
  auto start = f.carry_out("log.audit.news");
  REQUIRE(start.ok());
  CHECK(start->find("records")->items()->empty());
  const auto cursor = *start->find("cursor")->text();
  const auto argument = "{\"cursor\":" + json::quoted(cursor) + "}";

  firmware same;
  with_audit(same, 5, 5);
  auto told = same.carry_out("log.audit.news", argument);
  REQUIRE(told.ok());
  CHECK(told->find("records")->items()->empty());
  CHECK(*told->find("cursor")->text() == cursor);
  CHECK(starts(same) == std::vector<std::string>{"5"});

  firmware more;
  with_audit(more, 7, 5);
  with_audit(more, 7, 6);
  told = more.carry_out("log.audit.news", argument);
  REQUIRE(told.ok());
  CHECK(seconds_of(*told->find("records")) == "6 7 "); // oldest first
  CHECK_FALSE(*told->find("gap")->boolean());

  firmware rolled; // two old ones went, two new ones came
  with_audit(rolled, 5, 5, 2);
  with_audit(rolled, 5, 5, 2);
  with_audit(rolled, 5, 4, 2);
  with_audit(rolled, 5, 3, 2);
  told = rolled.carry_out("log.audit.news", argument);
  REQUIRE(told.ok());
  CHECK(seconds_of(*told->find("records")) == "6 7 ");
  CHECK_FALSE(*told->find("gap")->boolean());

  firmware cleared;
  cleared.returns("AMT_AuditLog", "ReadRecords", 35);
  with_audit(cleared, 1, 1, 20);
  with_audit(cleared, 1, 1, 20);
  told = cleared.carry_out("log.audit.news", argument);
  REQUIRE(told.ok());
  CHECK(seconds_of(*told->find("records")) == "21 ");
  CHECK(*told->find("gap")->boolean());
}

TEST_CASE("log arguments are checked") {
  CHECK(complaints("log.audit", "{}").empty());
  CHECK(complaints("log.audit", R"({"startIndex":"12"})").empty());
  CHECK(complaints("log.audit", R"({"startIndex":-1})") == questions{"startIndex"});
  CHECK(complaints("log.audit", R"({"startIndex":"x"})") == questions{"startIndex"});
  CHECK(complaints("log.audit", R"({"startIndex":99999999999})") == questions{"startIndex"});
  CHECK(complaints("log.event.news", R"({"cursor":7})") == questions{"cursor"});
  firmware f;
  with_events(f, {});
  CHECK(f.fails("log.event.news", R"({"cursor":"nonsense"})") == problem::malformed);
}

TEST_CASE("captured logs are read" * doctest::skip(no_captures())) {
  firmware f;
  f.captured("AMT_MessageLog PositionToFirstRecord", "amt/messagelog/positiontofirstrecord.xml");
  f.captured("AMT_MessageLog GetRecords", "amt/messagelog/getrecords.xml");
  auto events = f.carry_out("log.event");
  REQUIRE(events.ok());
  CHECK(events->items()->size() == 3);
  f.captured("AMT_AuditLog ReadRecords", "amt/auditlog/readrecords.xml");
  auto audit = f.carry_out("log.audit");
  REQUIRE(audit.ok());
  CHECK(*audit->find("totalCnt")->integer() == 2);
  CHECK(*audit->find("records")->items()->front().find("ExStr")->text() ==
        "From 12.0.40.1433 to 12.0.36.1428");
}

} // namespace
} // namespace outband::amt
