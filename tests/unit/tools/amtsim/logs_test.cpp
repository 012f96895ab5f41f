#include "tests/unit/tools/amtsim/bench_client.hpp"
#include "tools/amtsim/audit_state.hpp"
#include "tools/amtsim/classes.hpp"
#include "tools/amtsim/event_log_state.hpp"

namespace outband::amtsim {
namespace {

using namespace test;

wsman::node read_audit(bench_machine& m, const std::string& start) {
  return invoke(m, "AMT_AuditLog", "ReadRecords", wsman::property("StartIndex", start));
}
std::uint32_t big_endian(const std::string& octets, std::size_t at, unsigned count) {
  std::uint32_t out = 0;
  for (unsigned i = 0; i < count; ++i)
    out = out << 8U | static_cast<std::uint8_t>(octets.at(at + i));
  return out;
}

TEST_CASE("the audit log of a new machine holds captured records and more than one") {
  bench_machine m;
  const auto first = read_audit(m, "1");
  CHECK(returned(first) == "0");
  const auto records = all_texts(first, "EventRecords");
  REQUIRE(records.size() == 3);
  CHECK(records[0] == "ABMAAAI/9M1uAgAQAAwAAAAoBZkADAAAACQFlA==");
  CHECK(records[1] == "ABMAAAI/9M1vAgAQAAwAAAAoBZkADAAAACQFlA==");
  CHECK(all_texts(read_audit(m, "0"), "EventRecords") == records); // as Go's client asks
}

TEST_CASE("what an administrator does is audited with name and time") {
  bench_machine m;
  REQUIRE(returned(invoke(m, "AMT_RedirectionService", "RequestStateChange",
                          wsman::property("RequestedState", "32769"))) == "0");
  const auto last = from_base64(all_texts(read_audit(m, "4"), "EventRecords").at(0)).value();
  CHECK(big_endian(last, 0, 2) == 18); // redirection
  CHECK(big_endian(last, 2, 2) == 7);  // SOL disabled
  CHECK(last.substr(4, 7) == std::string("\0\5admin", 7));
  CHECK(big_endian(last, 11, 4) == m.model.clock_s(m.now));
  CHECK(last.substr(15) == std::string("\2\0\0", 3));
  CHECK(get(m, "AMT_AuditLog").child_text("CurrentNumberOfRecords") == "4");
}

TEST_CASE("the audit log is read ten records at a time up to its end") {
  bench_machine m;
  context c{m.model, m.faults, m.now};
  for (int i = 0; i < 20; ++i)
    record_audit(c, 22, 1, "x");
  auto page = read_audit(m, "1");
  CHECK(page.child_text("TotalRecordCount") == "23");
  CHECK(page.child_text("RecordsReturned") == "10");
  CHECK(all_texts(page, "EventRecords").size() == 10);
  page = read_audit(m, "21");
  CHECK(page.child_text("RecordsReturned") == "3");
  CHECK(returned(read_audit(m, "24")) == "35");
}

TEST_CASE("a full audit log loses its oldest records") {
  bench_machine m;
  context c{m.model, m.faults, m.now};
  for (std::size_t i = 0; i < max_audit_records; ++i)
    record_audit(c, 22, 1, "x");
  CHECK(read_audit(m, "1").child_text("TotalRecordCount") == std::to_string(max_audit_records));
  CHECK(get(m, "AMT_AuditLog").child_text("PercentageFree") == "0");
}

TEST_CASE("power requests are audited by what they do") {
  const std::pair<std::uint32_t, std::uint32_t> expected[] = {{10, 3}, {5, 2}, {8, 1}, {12, 5},
                                                              {14, 6}, {4, 7}, {7, 8}, {11, 9}};
  for (const auto& [state, event] : expected) {
    bench_machine m;
    REQUIRE(returned(invoke(m, "CIM_PowerManagementService", "RequestPowerStateChange",
                            wsman::property("PowerState", std::to_string(state)) +
                                wsman::endpoint_parameter("ManagedElement", {"x", {}}))) == "0");
    const auto& last = m.model.audit->records.back();
    CHECK(big_endian(last, 0, 2) == 17);
    CHECK(big_endian(last, 2, 2) == event);
  }
}

wsman::node events(bench_machine& m, const std::string& from, const std::string& most = "390") {
  return invoke(m, "AMT_MessageLog", "GetRecords",
                wsman::property("IterationIdentifier", from) +
                    wsman::property("MaxReadRecords", most));
}

TEST_CASE("the event log begins with captured records and the newest") {
  bench_machine m;
  CHECK(invoke(m, "AMT_MessageLog", "PositionToFirstRecord").child_text("IterationIdentifier") ==
        "1");
  const auto all = events(m, "1");
  CHECK(all.child_text("NoMoreRecords") == "true");
  CHECK(all_texts(all, "RecordArray") == std::vector<std::string>{"Y8iYZf8GbwVoEP8mYaoKAAAAAAAA",
                                                                  "IgYBZf8PbwJoAf8iAEAHAAAAAAAA",
                                                                  "IgYBZf8PbwJoAf8iAEAHAAAAAAAA"});
}

TEST_CASE("a boot adds records with the time of the boot") {
  bench_machine m;
  m.ask(10);
  m.after(100);
  const auto all = all_texts(events(m, "1"), "RecordArray");
  REQUIRE(all.size() == 6);
  const auto newest = from_base64(all[0]).value();
  REQUIRE(newest.size() == 21);
  const auto at = static_cast<std::uint32_t>(m.model.clock_s(m.now));
  for (unsigned i = 0; i < 4; ++i) // little-endian
    CHECK(static_cast<std::uint8_t>(newest[i]) == (at >> 8U * i & 255U));
  CHECK(newest[5] == 15);                      // system firmware progress
  CHECK(newest.substr(13, 2) == "\x40\x13");   // starting operating system boot
  CHECK(from_base64(all[2]).value()[5] == 37); // system firmware started
}

TEST_CASE("a machine that lost its system writes that down") {
  bench_machine m;
  m.model.crash(m.now);
  m.after(0);
  bool found = false;
  for (const auto& r : m.model.events->records)
    found = found || r[5] == 32;
  CHECK(found);
}

TEST_CASE("the event log is read in parts") {
  bench_machine m;
  auto part = events(m, "1", "2");
  CHECK(part.child_text("NoMoreRecords") == "false");
  CHECK(part.child_text("IterationIdentifier") == "3");
  CHECK(all_texts(part, "RecordArray").size() == 2);
  part = events(m, "3", "2");
  CHECK(part.child_text("NoMoreRecords") == "true");
  CHECK(all_texts(part, "RecordArray").size() == 1);
  CHECK(returned(events(m, "4")) == "2");
}

TEST_CASE("an event log can be cleared and frozen") {
  bench_machine m;
  CHECK(returned(invoke(m, "AMT_MessageLog", "ClearLog")) == "0");
  const auto none = events(m, "1");
  CHECK(none.child_text("NoMoreRecords") == "true");
  CHECK(none.child("RecordArray") == nullptr);
  CHECK(returned(invoke(m, "AMT_MessageLog", "PositionToFirstRecord")) == "2");
  CHECK(returned(invoke(m, "AMT_MessageLog", "FreezeLog", wsman::property("Freeze", "true"))) ==
        "0");
  m.ask(10);
  m.after(100);
  CHECK(m.model.events->records.empty());
  CHECK(get(m, "AMT_MessageLog").child_text("IsFrozen") == "true");
}

TEST_CASE("an event log holds as many records as firmware does") {
  bench_machine m;
  for (std::size_t i = 0; i < max_event_records; ++i)
    append_event(m.model, {6, 5, 16, 38, {0xAA, 10}}, 1700000000);
  CHECK(all_texts(events(m, "1"), "RecordArray").size() == max_event_records);
}

} // namespace
} // namespace outband::amtsim
