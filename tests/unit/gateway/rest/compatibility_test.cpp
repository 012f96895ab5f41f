// gateway/rest/COMPATIBILITY.md against MPS's routes, our router and our tests: the table cannot
// lie about any of the three.
#include "gateway/rest/prefixes.hpp"
#include "gateway/rest/router.hpp"
#include "tests/unit/gateway/rest/site.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <sstream>

using namespace outband;

namespace {

/// MPS 2.34.1, src/routes/**/index.ts, below /api/v1; and its relay.
const std::vector<std::string> mps_routes = {
    "POST /api/v1/authorize",
    "GET /api/v1/authorize/redirection/{guid}",
    "GET /api/v1/devices",
    "POST /api/v1/devices",
    "PATCH /api/v1/devices",
    "GET /api/v1/devices/stats",
    "GET /api/v1/devices/tags",
    "GET /api/v1/devices/{guid}",
    "DELETE /api/v1/devices/{guid}",
    "GET /api/v1/devices/redirectstatus/{guid}",
    "DELETE /api/v1/devices/disconnect/{guid}",
    "DELETE /api/v1/devices/refresh/{guid}",
    "GET /api/v1/ciracert",
    "GET /api/v1/health",
    "GET /api/v1/version",
    "GET /api/v1/amt/log/audit/{guid}",
    "GET /api/v1/amt/log/event/{guid}",
    "GET /api/v1/amt/generalSettings/{guid}",
    "GET /api/v1/amt/hardwareInfo/{guid}",
    "GET /api/v1/amt/version/{guid}",
    "GET /api/v1/amt/power/state/{guid}",
    "POST /api/v1/amt/power/action/{guid}",
    "POST /api/v1/amt/power/bootOptions/{guid}",
    "GET /api/v1/amt/power/capabilities/{guid}",
    "GET /api/v1/amt/power/bootSources/{guid}",
    "GET /api/v1/amt/features/{guid}",
    "POST /api/v1/amt/features/{guid}",
    "GET /api/v1/amt/userConsentCode/{guid}",
    "POST /api/v1/amt/userConsentCode/{guid}",
    "GET /api/v1/amt/userConsentCode/cancel/{guid}",
    "GET /api/v1/amt/alarmOccurrences/{guid}",
    "POST /api/v1/amt/alarmOccurrences/{guid}",
    "DELETE /api/v1/amt/alarmOccurrences/{guid}",
    "GET /api/v1/amt/certificates/{guid}",
    "POST /api/v1/amt/certificates/{guid}",
    "DELETE /api/v1/amt/certificates/{guid}/{instanceId}",
    "GET /api/v1/amt/kvm/displays/{guid}",
    "PUT /api/v1/amt/kvm/displays/{guid}",
    "POST /api/v1/amt/network/linkPreference/{guid}",
    "GET /api/v1/amt/networkSettings/{guid}",
    "GET /api/v1/amt/networkSettings/wired/{guid}",
    "PATCH /api/v1/amt/networkSettings/wired/{guid}",
    "GET /api/v1/amt/networkSettings/wireless/state/{guid}",
    "POST /api/v1/amt/networkSettings/wireless/state/{guid}",
    "GET /api/v1/amt/networkSettings/wireless/profileSync/{guid}",
    "POST /api/v1/amt/networkSettings/wireless/profileSync/{guid}",
    "GET /api/v1/amt/networkSettings/wireless/profile/{guid}",
    "POST /api/v1/amt/networkSettings/wireless/profile/{guid}",
    "PATCH /api/v1/amt/networkSettings/wireless/profile/{guid}",
    "DELETE /api/v1/amt/networkSettings/wireless/profile/{guid}/{profileName}",
    "DELETE /api/v1/amt/deactivate/{guid}",
    "GET /relay/webrelay.ashx",
};

/// RPS 2.40, src/routes/admin/**/index.ts, below /api/v1/admin.
const std::vector<std::string> rps_routes = [] {
  std::vector<std::string> out{"GET /api/v1/admin", "GET /api/v1/admin/version",
                               "GET /api/v1/admin/health",
                               "GET /api/v1/admin/profiles/export/{name}"};
  for (const std::string kind : {"domains", "profiles", "ciraconfigs", "wirelessconfigs",
                                 "ieee8021xconfigs", "proxyconfigs"}) {
    for (const char* method : {"GET", "POST", "PATCH"})
      out.push_back(method + (" /api/v1/admin/" + kind));
    for (const char* method : {"GET", "DELETE"})
      out.push_back(method + (" /api/v1/admin/" + kind) + "/{name}");
  }
  return out;
}();

std::string read(const std::filesystem::path& path) {
  std::ifstream in(path);
  REQUIRE(in.good());
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string trimmed(const std::string& s) {
  auto from = s.find_first_not_of(' '), to = s.find_last_not_of(' ');
  return from == std::string::npos ? std::string() : s.substr(from, to - from + 1);
}

std::vector<std::string> split(const std::string& text, char at) {
  std::vector<std::string> out;
  std::string part;
  std::istringstream in(text);
  while (std::getline(in, part, at))
    out.push_back(trimmed(part));
  return out;
}

/// The body rows of every table with that first heading, as cells.
std::vector<std::vector<std::string>> tables(const std::string& first_heading) {
  std::vector<std::vector<std::string>> out;
  bool inside = false, rule = false;
  std::istringstream in(
      read(std::filesystem::path(OUTBAND_SOURCES) / "gateway/rest/COMPATIBILITY.md"));
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line[0] != '|') {
      inside = false;
      continue;
    }
    auto cells = split(line.substr(1), '|');
    if (!inside && !rule && cells[0] == first_heading) {
      inside = rule = true;
      continue;
    }
    if (rule) { // |---|
      rule = false;
      continue;
    }
    if (inside)
      out.push_back(cells);
  }
  return out;
}

const std::set<std::string>& test_names() {
  static const std::set<std::string> names = [] {
    std::set<std::string> out;
    // A name may be written in several literals.
    const std::regex one(R"(TEST_CASE\(\s*((?:"(?:[^"\\]|\\.)*"\s*)+)[)*])");
    const auto root = std::filesystem::path(OUTBAND_SOURCES) / "tests";
    for (const auto& f : std::filesystem::recursive_directory_iterator(root)) {
      if (f.path().extension() != ".cpp")
        continue;
      const auto text = read(f.path());
      for (std::sregex_iterator at(text.begin(), text.end(), one), end; at != end; ++at) {
        static const std::regex seam("\"\\s*\"");
        auto name = std::regex_replace((*at)[1].str(), seam, "");
        out.insert(name.substr(1, name.rfind('"') - 1));
      }
    }
    return out;
  }();
  return names;
}

void check_tests(const std::string& cell) {
  const auto names = split(cell, ';');
  CHECK_FALSE(names.empty());
  for (const auto& name : names) {
    CAPTURE(name);
    CHECK(test_names().count(name) == 1);
  }
}

/// What the router and the prefixes say about a rule "METHOD /path".
std::string here(const std::string& rule) {
  static const auto router = rest::make_router();
  auto space = rule.find(' ');
  auto target = rest::parse_target(rule.substr(space + 1));
  REQUIRE(target.ok());
  auto place = rest::place_of(target->segments);
  if (!place.absent.empty())
    return "absent";
  for (auto verb :
       {web::verb::get, web::verb::post, web::verb::put, web::verb::patch, web::verb::delete_})
    if (rule.substr(0, space) == web::to_string(verb))
      if (const auto* found = router.find(verb, place.segments).found; found && found->rule == rule)
        return "served";
  return "missing";
}

} // namespace

TEST_CASE("the tables have a row for every route of MPS and of RPS and say of each what is true") {
  std::set<std::string> rows;
  const auto table = tables("Method");
  for (const auto& cells : table) {
    REQUIRE(cells.size() >= 5);
    const auto rule = cells[0] + " " + cells[1];
    CAPTURE(rule);
    CHECK(rows.insert(rule).second);
    const auto& status = cells[2];
    if (status == "served")
      CHECK(here(rule) == "served");
    else
      CHECK(here(rule) == "absent");
    check_tests(cells[4]);
  }
  for (const auto* routes : {&mps_routes, &rps_routes})
    for (const auto& route : *routes) {
      CAPTURE(route);
      CHECK(rows.count(route) == 1);
    }
}

TEST_CASE("every public path of a gateway that the table names has its tests") {
  const auto table = tables("Public path");
  CHECK(table.size() > 8);
  for (const auto& cells : table) {
    REQUIRE(cells.size() >= 4);
    CAPTURE(cells[0]);
    check_tests(cells[3]);
    // "..." stands for any rest, {guid} and {project} for one.
    auto path = cells[0];
    for (const auto& [from, to] : {std::pair<std::string, std::string>{"...", "devices"},
                                   {"{guid}", "12345678-9abc-def0-1234-56789abcdef0"},
                                   {"{project}", "acme"}})
      if (auto at = path.find(from); at != std::string::npos)
        path.replace(at, from.size(), to);
    auto target = rest::parse_target(path);
    REQUIRE(target.ok());
    CHECK(rest::place_of(target->segments).absent.empty() == (cells[2] == "served"));
  }
}

TEST_CASE("every other promise of the compatibility page has its tests") {
  const auto lists = tables("Test of the above");
  CHECK(lists.size() > 10);
  for (const auto& cells : lists) {
    REQUIRE_FALSE(cells.empty());
    check_tests(cells[0]);
  }
}
