#include "tools/bench/report.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <stdexcept>

namespace outband::bench {

namespace {

/// Three figures that count, no more.
std::string number(double x) {
  std::array<char, 32> text{};
  const double size = x < 0 ? -x : x;
  const char* form = size >= 100 ? "%.0f" : size >= 10 ? "%.1f" : size >= 1 ? "%.2f" : "%.3g";
  std::snprintf(text.data(), text.size(), form, x);
  return text.data();
}

} // namespace

report::report(const std::string& file) : out_(file) {
  if (!out_)
    throw std::runtime_error("cannot write " + file);
}

void report::machine(const std::vector<std::pair<std::string, std::string>>& facts) {
  nlohmann::ordered_json line;
  for (const auto& [name, text] : facts)
    line["machine"][name] = text;
  out_ << line.dump() << std::endl;
}

void report::add(figure f) {
  nlohmann::ordered_json line{
      {"measurement", f.name}, {"case", f.what}, {"unit", f.unit}, {"ours", f.ours}};
  if (f.floor) {
    line["floor"] = *f.floor;
    if (*f.floor != 0)
      line["ratio"] = f.ours / *f.floor;
  }
  if (!f.goal.empty())
    line["goal"] = f.goal;
  if (f.met)
    line["met"] = *f.met;
  for (const auto& [name, value] : f.more)
    line["details"][name] = value;
  if (!f.note.empty())
    line["note"] = f.note;
  out_ << line.dump() << std::endl;
  std::fprintf(stderr, "  %s, %s: %s %s%s\n", f.name.c_str(), f.what.c_str(),
               number(f.ours).c_str(), f.unit.c_str(),
               f.floor ? (", bare loop " + number(*f.floor)).c_str() : "");
  all_.push_back(std::move(f));
}

std::string report::table() const {
  std::vector<std::array<std::string, 8>> rows{
      {"Measurement", "Case", "Ours", "Floor", "Ratio", "Unit", "Goal", "Met"}};
  for (const auto& f : all_)
    rows.push_back({f.name, f.what, number(f.ours), f.floor ? number(*f.floor) : "-",
                    f.floor && *f.floor != 0 ? number(f.ours / *f.floor) : "-", f.unit,
                    f.goal.empty() ? "-" : f.goal, f.met ? (*f.met ? "yes" : "NO") : "-"});
  std::array<std::size_t, 8> wide{};
  for (const auto& r : rows)
    for (std::size_t i = 0; i < r.size(); ++i)
      wide[i] = std::max(wide[i], r[i].size());
  std::string out;
  for (std::size_t n = 0; n < rows.size(); ++n) {
    for (std::size_t i = 0; i < rows[n].size(); ++i) {
      const bool right = i >= 2 && i <= 4;
      const std::string pad(wide[i] - rows[n][i].size(), ' ');
      out += "| " + (right ? pad + rows[n][i] : rows[n][i] + pad) + " ";
    }
    out += "|\n";
    if (n > 0)
      continue;
    for (std::size_t i = 0; i < wide.size(); ++i)
      out += "|" + std::string(wide[i] + 2, '-');
    out += "|\n";
  }
  return out;
}

} // namespace outband::bench
