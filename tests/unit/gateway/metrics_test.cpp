// What /metrics tells, its list in gateway/main/METRICS.md, and the Grafana dashboard agree.
#include "gateway/main/metrics.hpp"
#include "messages/rest/json.hpp"
#include "tests/unit/gateway/rest/site.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cctype>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>

using namespace outband;

namespace {

std::string read(const std::string& path) {
  std::ifstream in(std::string(OUTBAND_SOURCES) + "/" + path);
  REQUIRE(in.good());
  return {std::istreambuf_iterator<char>(in), {}};
}

/// All of /metrics, as of a node with every role that has seen everything once.
std::string everything() {
  static actor_counters actors;
  static store::database_counters database;
  if (actors.amt_calls == 0) {
    for (auto& kind : actors.amt) {
      kind.ended(result<int>(1));
      kind.ended(result<int>(fail(problem::device_timeout)));
      kind.took.add(std::chrono::milliseconds(3));
    }
    actors.amt_calls = 8;
    actors.lease_epoch = 7;
    for (auto& lane : database.lanes)
      lane.took.add(std::chrono::microseconds(300));
  }
  figures f;
  f.version = "1.2.3";
  f.node = "n1";
  f.actors = &actors;
  f.database = &database;
  f.mqtt.published = 10;
  f.mqtt.by_reason[0x87] = 1;
  f.broker.known = true;
  f.broker.dropped = 2;
  f.control.emplace();
  f.control->mqtt.published = 5;
  f.control->mqtt.by_reason[0x87] = 2;
  f.control->outbox.lag = 3;
  f.backlog = {4, 1500};
  f.tunnels.emplace();
  f.tunnels->tunnels = 10;
  f.tunnels->late = 3;
  f.tunnels->ended[static_cast<std::size_t>(link_end::evicted)] = 6;
  f.web.emplace();
  static activation::counters activations;
  activations.open = 3;
  activations.refusal[static_cast<std::size_t>(activation::refused::silent)] = 2;
  f.activation = &activations;
  f.process.resident_octets = 1 << 20;
  testing::site s;
  s.services.more_metrics = [&] {
    return metrics_text(f);
  };
  s.rebuild();
  s.send("GET", "/healthz");
  return s.send("GET", "/metrics").text;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> out;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);)
    out.push_back(line);
  return out;
}

/// [a-zA-Z_][a-zA-Z0-9_]*
std::string name_at(const std::string& s, std::size_t at) {
  auto end = at;
  while (end < s.size() && (std::isalnum(static_cast<unsigned char>(s[end])) != 0 || s[end] == '_'))
    ++end;
  return s.substr(at, end - at);
}

struct sample {
  std::string name;
  std::set<std::string> labels;
};
/// name{label="text",...} number; nullopt for anything else.
std::optional<sample> parse(const std::string& line) {
  sample out{name_at(line, 0), {}};
  auto at = out.name.size();
  if (out.name.empty() || std::isdigit(static_cast<unsigned char>(line[0])) != 0)
    return std::nullopt;
  if (at < line.size() && line[at] == '{') {
    do {
      auto label = name_at(line, ++at);
      at += label.size();
      if (label.empty() || !out.labels.insert(label).second || line.compare(at, 2, "=\"") != 0)
        return std::nullopt;
      for (at += 2; at < line.size() && line[at] != '"'; ++at)
        if (line[at] == '\\')
          ++at;
      ++at;
    } while (at < line.size() && line[at] == ',');
    if (at >= line.size() || line[at++] != '}')
      return std::nullopt;
  }
  if (at >= line.size() || line[at] != ' ')
    return std::nullopt;
  std::istringstream number(line.substr(at + 1));
  double v = 0;
  if (!(number >> v) || !number.eof())
    return std::nullopt;
  return out;
}

/// Without what a histogram's samples add.
std::string family_of(const std::string& name, const std::map<std::string, std::string>& types) {
  for (const std::string suffix : {"_bucket", "_sum", "_count"})
    if (name.size() > suffix.size() &&
        name.compare(name.size() - suffix.size(), suffix.size(), suffix) == 0) {
      auto base = name.substr(0, name.size() - suffix.size());
      if (auto at = types.find(base); at != types.end() && at->second == "histogram")
        return base;
    }
  return name;
}

struct told {
  std::map<std::string, std::string> types;
  std::map<std::string, std::set<std::string>> labels; ///< of the metric, "le" left out
};
told understand(const std::string& text) {
  told out;
  std::set<std::string> helps, series;
  std::string current;
  for (const auto& line : lines_of(text)) {
    CAPTURE(line);
    if (line.rfind("# HELP ", 0) == 0) {
      current = name_at(line, 7);
      CHECK(helps.insert(current).second);
      CHECK(line.size() > 7 + current.size() + 1); // it says something
      continue;
    }
    if (line.rfind("# TYPE ", 0) == 0) {
      CHECK(name_at(line, 7) == current); // right after its HELP
      const auto type = line.substr(7 + current.size() + 1);
      CHECK((type == "counter" || type == "gauge" || type == "histogram"));
      CHECK(out.types.emplace(current, type).second);
      continue;
    }
    auto s = parse(line);
    REQUIRE(s.has_value());
    CHECK(series.insert(line.substr(0, line.rfind(' '))).second); // no series twice
    const auto family = family_of(s->name, out.types);
    CHECK(family == current); // together, behind their own HELP and TYPE
    s->labels.erase("le");
    out.labels[family].insert(s->labels.begin(), s->labels.end());
  }
  for (const auto& [name, type] : out.types) {
    CAPTURE(name);
    CHECK(helps.count(name) == 1);
    CHECK(name.rfind("outband_", 0) == 0);
    const bool total = name.size() > 6 && name.compare(name.size() - 6, 6, "_total") == 0;
    CHECK(total == (type == "counter"));
  }
  return out;
}

std::string line_of(const std::string& text, const std::string& series) {
  for (const auto& line : lines_of(text))
    if (line.rfind(series + " ", 0) == 0)
      return line.substr(series.size() + 1);
  return "nothing";
}

/// Every "expr" and "query" in the document.
void expressions(const json::value& v, std::vector<std::string>& out) {
  if (const auto* items = v.items())
    for (const auto& one : *items)
      expressions(one, out);
  if (const auto* members = v.members())
    for (const auto& [name, one] : *members) {
      if ((name == "expr" || name == "query") && one.text())
        out.push_back(*one.text());
      expressions(one, out);
    }
}

json::value dashboard() {
  const auto text = read("deploy/grafana/outband.json");
  json::limits within;
  within.octets = text.size() + 1;
  within.values = 100'000;
  auto parsed = json::parse(text, within);
  if (!parsed)
    FAIL(to_string(parsed.error()));
  return std::move(*parsed);
}

} // namespace

TEST_CASE("every line of the metrics is well formed and every metric has one help and one type") {
  const auto all = understand(everything());
  CHECK(all.types.size() > 60);
  for (const auto& [name, type] : all.types) {
    CAPTURE(name);
    CHECK(all.labels.count(name) == 1); // it has a sample
  }
}

TEST_CASE("the figures of the parts are told as what they are") {
  const auto text = everything();
  const auto is = [&](const char* series) {
    return line_of(text, series);
  };
  CHECK(is("outband_build_info{version=\"1.2.3\",node=\"n1\"}") == "1");
  CHECK(is("outband_bus_published_total") == "15"); // both connections
  CHECK(is("outband_bus_rejected_total{reason=\"0x87\"}") == "3");
  CHECK(is("outband_broker_dropped_messages") == "2");
  CHECK(is("outband_outbox_window_rows") == "3");
  CHECK(is("outband_outbox_lag_rows") == "4");
  CHECK(is("outband_outbox_oldest_seconds") == "1.5");
  CHECK(is("outband_cira_tunnels{state=\"up\"}") == "7");
  CHECK(is("outband_cira_tunnels{state=\"late\"}") == "3");
  CHECK(is("outband_cira_ended_total{reason=\"evicted\"}") == "6");
  CHECK(is("outband_cira_refused_total{reason=\"tls\"}") == "0");
  CHECK(
      is("outband_amt_call_outcomes_total{operation=\"read-power\",outcome=\"device-timeout\"}") ==
      "1");
  CHECK(is("outband_amt_call_seconds_bucket{operation=\"request-power\",le=\"0.005\"}") == "1");
  CHECK(is("outband_sql_seconds_count{lane=\"relaxed\"}") == "1");
  CHECK(is("outband_activation_connections") == "3");
  CHECK(is("outband_activation_refused_total{reason=\"silent\"}") == "2");
  CHECK(is("outband_activation_refused_total{reason=\"no-token\"}") == "0");
  CHECK(is("outband_controller") == "1");
  CHECK(is("outband_controller_epoch") == "7");
  CHECK(is("outband_process_resident_bytes") == "1048576");
}

TEST_CASE("what a node does not do is not told as nothing") {
  figures f;
  const auto text = metrics_text(f);
  understand(text);
  CHECK(text.find("outband_cira_") == std::string::npos);
  CHECK(text.find("outband_activation_") == std::string::npos);
  CHECK(text.find("outband_outbox_") == std::string::npos);
  CHECK(text.find("outband_broker_") == std::string::npos);
}

TEST_CASE("the own process has memory and descriptors and has used the processor") {
  const auto p = own_process();
  CHECK(p.resident_octets > 1 << 20);
  CHECK(p.open_descriptors >= 3);
  CHECK(p.threads >= 1);
  CHECK(p.cpu_seconds > 0);
}

TEST_CASE("METRICS.md lists every metric with its type and labels and nothing else") {
  const auto all = understand(everything());
  std::set<std::string> listed;
  for (const auto& line : lines_of(read("gateway/main/METRICS.md"))) {
    if (line.rfind("| `outband_", 0) != 0)
      continue;
    CAPTURE(line);
    std::vector<std::string> cells;
    std::istringstream in(line.substr(2));
    for (std::string cell; std::getline(in, cell, '|');)
      cells.push_back(cell.substr(cell.find_first_not_of(' ') == std::string::npos
                                      ? cell.size()
                                      : cell.find_first_not_of(' ')));
    REQUIRE(cells.size() == 4);
    const auto name = name_at(cells[0], 1);
    CHECK(listed.insert(name).second);
    REQUIRE(all.types.count(name) == 1);
    CHECK(name_at(cells[1], 0) == all.types.at(name));
    std::set<std::string> labels;
    for (std::size_t at = 0; at < cells[2].size(); ++at)
      if (auto label = name_at(cells[2], at); !label.empty()) {
        labels.insert(label);
        at += label.size();
      }
    CHECK(labels == all.labels.at(name));
  }
  for (const auto& [name, type] : all.types) {
    CAPTURE(name);
    CHECK(listed.count(name) == 1);
  }
}

TEST_CASE("the dashboard asks only for metrics and labels that are told") {
  const auto all = understand(everything());
  std::vector<std::string> asked;
  expressions(dashboard(), asked);
  CHECK(asked.size() > 80);
  std::size_t names = 0;
  for (const auto& e : asked) {
    CAPTURE(e);
    for (auto at = e.find("outband_"); at != std::string::npos; at = e.find("outband_", at + 1)) {
      const auto name = name_at(e, at);
      const auto family = family_of(name, all.types);
      CAPTURE(name);
      ++names;
      REQUIRE(all.types.count(family) == 1);
      if (all.types.at(family) == "histogram")
        CHECK(family != name); // a histogram has no sample of its own name
      if (e[at + name.size()] != '{')
        continue; // label_values(name, label)
      // The selector's labels; what the scrape adds is "instance".
      const auto selector = e.substr(at + name.size(), e.find('}', at) - at - name.size());
      for (std::size_t i = 1; i < selector.size();) {
        const auto label = name_at(selector, i);
        CHECK((label == "instance" || all.labels.at(family).count(label) == 1));
        i = selector.find('"', selector.find('"', i) + 1);
        i = i == std::string::npos ? selector.size() : i + 2;
      }
    }
  }
  CHECK(names > 80);
}

TEST_CASE("the dashboard has the sections with panels and a data source and a node to choose") {
  const auto d = dashboard();
  CHECK(*d.find("schemaVersion")->integer() >= 38); // Grafana 10
  std::set<std::string> variables;
  for (const auto& v : *d.find("templating")->find("list")->items())
    variables.insert(*v.find("name")->text() + ":" + *v.find("type")->text());
  CHECK(variables == std::set<std::string>{"datasource:datasource", "node:query"});
  std::map<std::string, int> sections;
  std::set<std::int64_t> ids;
  std::string section;
  for (const auto& p : *d.find("panels")->items()) {
    CHECK(ids.insert(*p.find("id")->integer()).second);
    if (*p.find("type")->text() == "row") {
      section = *p.find("title")->text();
      sections[section] = 0;
      continue;
    }
    CAPTURE(*p.find("title")->text());
    ++sections[section];
    const auto* place = p.find("gridPos");
    CHECK(*place->find("x")->integer() + *place->find("w")->integer() <= 24);
    REQUIRE(p.find("targets"));
    CHECK_FALSE(p.find("targets")->items()->empty());
    for (const auto& t : *p.find("targets")->items()) {
      CHECK(*t.find("datasource")->find("uid")->text() == "${datasource}");
      CHECK(t.find("expr")->text()->find("$node") != std::string::npos);
    }
  }
  for (auto name : {"Overview", "Links", "REST", "Store", "Bus", "Process"}) {
    CAPTURE(name);
    CHECK(sections[name] >= 5);
  }
  CHECK(sections.size() == 6);
}
