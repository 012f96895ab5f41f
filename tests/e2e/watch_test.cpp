// What Prometheus would read of a running site, against what the dashboard asks for.
#include "tests/e2e/site.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <fstream>
#include <iterator>
#include <set>
#include <sstream>

using namespace outband;
using namespace outband::e2e;

namespace {

/// Names with what a histogram adds to them.
std::set<std::string> names_in(const std::string& scrape) {
  std::set<std::string> out;
  std::istringstream in(scrape);
  for (std::string word, name, type; in >> word;) {
    if (word != "TYPE")
      continue;
    in >> name >> type;
    out.insert(name);
    if (type == "histogram")
      for (const char* suffix : {"_bucket", "_sum", "_count"})
        out.insert(name + suffix);
  }
  return out;
}

std::set<std::string> names_asked_for(const std::string& text) {
  std::set<std::string> out;
  constexpr std::string_view prefix = "outband_";
  for (auto at = text.find(prefix); at != std::string::npos; at = text.find(prefix, at)) {
    auto end = at;
    while (end < text.size() &&
           (std::isalnum(static_cast<unsigned char>(text[end])) != 0 || text[end] == '_'))
      ++end;
    out.insert(text.substr(at, end - at));
    at = end;
  }
  return out;
}

/// The figures that the bus is to have by its reference, and what they are called here. 0x10 ("no
/// subscriber") is left out: Paho does not show it.
constexpr std::pair<const char*, const char*> of_the_bus[] = {
    {"bus_published", "outband_bus_published_total"},
    {"bus_rejected{0x87,0x97}", "outband_bus_rejected_total"},
    {"bus_stale_rev", "outband_stale_revision_total"},
    {"bus_stale_epoch", "outband_stale_epoch_total"},
    {"bus_gap", "outband_bus_gaps_total"},
    {"bus_duplicate", "outband_bus_duplicates_total"},
    {"retained_command", "outband_bus_retained_commands_total"},
    {"tenant_mismatch", "outband_tenant_mismatch_total"},
    {"decode_error", "outband_bus_decode_errors_total"},
    {"outbox_lag_rows", "outband_outbox_lag_rows"},
    {"outbox_oldest_s", "outband_outbox_oldest_seconds"},
    {"resync_pages", "outband_resynced_devices_total"},
    {"takeovers", "outband_takeovers_total"},
    {"dup_guid", "outband_duplicate_guid_total"},
    {"$SYS dropped", "outband_broker_dropped_messages"},
    {"$SYS retained count", "outband_broker_retained_messages"},
    {"$SYS heap", "outband_broker_heap_bytes"},
    {"$SYS connected", "outband_broker_clients"},
};

} // namespace

TEST_CASE("the dashboard asks only for what a running site tells and shows all of the bus") {
  auto& s = site::get();
  std::ifstream in(OUTBAND_DASHBOARD);
  REQUIRE(in.good());
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  REQUIRE(json::accept(text));
  const auto asked_for = names_asked_for(text);
  CHECK(asked_for.size() > 70);
  // The broker tells its own figures some seconds after it started, the outbox's backlog is looked
  // up by the scrape before.
  std::set<std::string> missing;
  CHECK(s.until([&] {
    const auto told = names_in(s.call(nullptr, "GET", "/metrics").body);
    missing.clear();
    for (const auto& name : asked_for)
      if (told.count(name) == 0)
        missing.insert(name);
    return missing.empty();
  }));
  for (const auto& name : missing)
    FAIL_CHECK(name);
  for (const auto& [reference, name] : of_the_bus) {
    CAPTURE(reference);
    CHECK(asked_for.count(name) == 1);
  }
}
