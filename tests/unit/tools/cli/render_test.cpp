#include "tools/cli/render.hpp"

#include "messages/rest/json.hpp"
#include "tests/unit/tools/cli/fakes.hpp"

#include <doctest/doctest.h>

using namespace outband;
using namespace outband::cli;
using namespace outband::cli::test;

namespace {

host parsed(const char* text) {
  auto v = json::parse(text);
  REQUIRE(v.ok());
  auto h = parse_host(*v);
  REQUIRE(h.ok());
  return *h;
}

} // namespace

TEST_CASE("a host is read with what is wanted and actual and why they differ") {
  auto h = parsed(host_sim1);
  CHECK(h.guid == sim1);
  CHECK(h.power == "on");
  CHECK(h.wanted == "off");
  CHECK(h.policy == "ordered");
  CHECK(h.indicator == "in-progress");
  CHECK(h.connected() == true);
  CHECK(h.converged == false);
  CHECK(h.difference == "Asking the firmware for off.");
  CHECK(h.power_since == 1'779'998'400'000);
  CHECK(h.status_since == 1'780'000'000'000);
}

TEST_CASE("a host of another server of EMF's kind is understood as far as it goes") {
  auto h = parsed(host_sim2);
  CHECK(h.power == "unknown");
  CHECK(h.wanted == "keep");
  CHECK_FALSE(h.connected().has_value());
  CHECK_FALSE(h.converged.has_value());
  CHECK(h.status_since == 0);
}

TEST_CASE("what is no host is refused in words") {
  for (const char* text : {"[]", "{}", R"({"resourceId":"host-1a2b3c4d","uuid":"no"})",
                           R"({"uuid":"11111111-2222-4333-8444-555555555555"})"}) {
    CAPTURE(text);
    auto h = parse_host(*json::parse(text));
    REQUIRE_FALSE(h.ok());
    CHECK(h.error().field == "https.answer");
  }
  CHECK_FALSE(parse_host_page(*json::parse(R"({"data":[]})")).ok());
  CHECK_FALSE(parse_host_page(*json::parse(R"({"hosts":[{}]})")).ok());
}

TEST_CASE("times are read exactly or not at all") {
  CHECK(parse_utc("2026-05-28T20:26:40Z") == 1'780'000'000'000);
  CHECK(parse_utc("2026-05-28T20:26:40.123Z") == 1'780'000'000'123);
  CHECK(parse_utc("2026-05-28T20:26:40.1234567Z") == 1'780'000'000'123);
  for (const char* text :
       {"", "Z", "2026-05-28T20:26:40", "2026-05-28 20:26:40Z", "2026-05-28T20:26:40.Z",
        "2026-05-28T20:26:40+02:00", "20x6-05-28T20:26:40Z", "2026-05-28T20:26:40.12a4Z"}) {
    CAPTURE(text);
    CHECK(parse_utc(text) == 0);
  }
}

TEST_CASE("the table of hosts shows wish and reality side by side") {
  CHECK(hosts_table({parsed(host_sim1), parsed(host_sim2)}) ==
        "ID             NAME   POWER    WANTED  TUNNEL   SINCE                STATUS\n"
        "host-19c51b17  sim-1  on       off     up       2026-05-28 20:00:00  Asking the firmware "
        "for off.\n"
        "host-2bcab5ae  sim-2  unknown  -       unknown  -                    Unknown\n");
  CHECK(hosts_table({}) == "No hosts.\n");
}

TEST_CASE("the JSON of a host has the documented members") {
  CHECK(host_json(parsed(host_sim1)) ==
        R"({"id":"host-19c51b17","guid":"11111111-2222-4333-8444-555555555555","name":"sim-1",)"
        R"("hostname":"press.example","power":"on","powerSince":"2026-05-28T20:00:00Z",)"
        R"("observed":"2026-05-28T20:26:35Z","lastKnown":false,"wanted":"off","policy":"ordered",)"
        R"("converged":false,)"
        R"("difference":{"code":"in-progress","reason":"Asking the firmware for off.",)"
        R"("since":"2026-05-28T20:26:40Z"},"status":"Powering off","indicator":"in-progress",)"
        R"("statusSince":"2026-05-28T20:26:40Z","connected":true,"tunnel":"up",)"
        R"("tunnelSince":"2026-05-28T19:00:00Z","tunnelWhy":"","node":"n1","amtVersion":"16.1.25"})"
        "\n");
  auto unknown = host_json(parsed(host_sim2));
  CHECK(unknown.find(R"("connected":null)") != std::string::npos);
  CHECK(unknown.find(R"("difference":null)") != std::string::npos);
  CHECK(unknown.find(R"("powerSince":null)") != std::string::npos);
  CHECK(hosts_json({}) == "{\"hosts\":[]}\n");
}

TEST_CASE("one host is shown with all that is known") {
  auto text = host_table(parsed(host_sim1));
  CHECK(text.find("Wanted   off (ordered)\n") != std::string::npos);
  CHECK(text.find("Differs  Asking the firmware for off. since 2026-05-28 20:26:40\n") !=
        std::string::npos);
  CHECK(text.find("AMT      16.1.25\n") != std::string::npos);
  text = host_table(parsed(host_sim2));
  CHECK(text.find("never observed") != std::string::npos);
  CHECK(text.find("nothing; it may be in any state") != std::string::npos);
}

TEST_CASE("what may have changed since is marked as last known") {
  std::string text = host_sim1;
  const std::string before = "\"actual\":\"on\",";
  text.insert(text.find(before) + before.size(), "\"lastKnown\":true,");
  const auto h = parsed(text.c_str());
  CHECK(hosts_table({h}).find("  on (last known)  off ") != std::string::npos);
  CHECK(host_table(h).find("Power    on (last known) since ") != std::string::npos);
  CHECK(host_json(h).find("\"power\":\"on\"") != std::string::npos); // programs look at
  CHECK(host_json(h).find("\"lastKnown\":true") != std::string::npos);
}

TEST_CASE("filters look at ids and names in either case") {
  auto h = parsed(host_sim1);
  for (const char* text : {"", "SIM", "press", "19C5", "2222-4333"}) {
    CAPTURE(text);
    CHECK(matches(h, {text, {}}));
  }
  CHECK_FALSE(matches(h, {"sim-2", {}}));
  CHECK(matches(h, {"", true}));
  CHECK_FALSE(matches(h, {"", false}));
  // Neither connected nor disconnected is claimed of a host nobody knows about.
  CHECK_FALSE(matches(parsed(host_sim2), {"", true}));
  CHECK_FALSE(matches(parsed(host_sim2), {"", false}));
}

TEST_CASE("an order's report is one JSON object") {
  order_report r;
  r.about = parsed(host_sim1);
  r.asked = "off";
  r.policy = "ordered";
  r.request = order_id;
  r.rev = 8;
  r.waited = true;
  r.ended = {exit_code::refused, "refused", "A sleeping machine.", "transition-refused"};
  CHECK(order_json(r) ==
        R"({"host":{"id":"host-19c51b17","guid":"11111111-2222-4333-8444-555555555555",)"
        R"("name":"sim-1"},"asked":"off","policy":"ordered",)"
        R"("request":"01890000-0000-7000-8000-000000000001","revision":8,"waited":true,)"
        R"("outcome":"refused","text":"A sleeping machine.","code":"transition-refused"})"
        "\n");
}

TEST_CASE("what is watched is one line each for people and for programs") {
  bus::decoded<event> e{};
  e.env.time = 1'780'000'000'000;
  e.env.seq = 4;
  e.body.cls = event_class::power;
  e.body.type = "power.changed";
  e.body.text = "The machine is off.\x1b[1m";
  e.body.from = "on";
  e.body.to = "off";
  e.body.by = "op/alice";
  CHECK(watch_line("sim-1", e) == "20:26:40  sim-1  event   The machine is off.?[1m (by op/alice)");
  e.body.text = "The machine is off.";
  CHECK(
      watch_json(sim1, "sim-1", e) ==
      R"({"kind":"event","time":"2026-05-28T20:26:40Z",)"
      R"("guid":"11111111-2222-4333-8444-555555555555","name":"sim-1","class":"power",)"
      R"("sequence":4,"type":"power.changed","text":"The machine is off.","from":"on","to":"off",)"
      R"("by":"op/alice","request":null})");

  bus::decoded<current_state> c{};
  c.env.time = 1'780'000'000'000;
  c.env.rev = 12;
  c.body.power.state = power_state::off_soft;
  c.body.link.state = link_state::up;
  c.body.conditions.push_back({"power", false, "in-progress", "Asking.", 1'780'000'000'000});
  CHECK(watch_line("sim-1", c) == "20:26:40  sim-1  state   off; tunnel up; Asking.");
  auto text = watch_json(sim1, "sim-1", c);
  CHECK(json::parse(text).ok());
  CHECK(text.find(R"("revision":12,"power":"off","powerSince":null)") != std::string::npos);
  CHECK(text.find(R"("conditions":[{"type":"power","ok":false,"code":"in-progress")") !=
        std::string::npos);

  bus::decoded<presence> p{};
  p.env.time = 1'780'000'000'000;
  p.body.link = link_state::down;
  p.body.instance = "n1";
  p.body.why = "the machine closed it";
  CHECK(watch_line("sim-1", p) == "20:26:40  sim-1  tunnel  down, node n1: the machine closed it");
  p.env.deleted = true;
  CHECK(watch_line("sim-1", p) == "20:26:40  sim-1  tunnel  removed");
  CHECK(watch_json(sim1, "sim-1", p).find(R"("deleted":true)") != std::string::npos);
}
