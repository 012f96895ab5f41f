#include "tools/cli/text.hpp"

#include "messages/rest/json.hpp"

#include <algorithm>
#include <ctime>

namespace outband::cli {

namespace {

std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80; // starts a character
  }));
}

std::string formatted(time_ms at, const char* format, bool local) {
  auto seconds = static_cast<std::time_t>(at / 1000);
  std::tm tm{};
  if (!(local ? localtime_r(&seconds, &tm) : gmtime_r(&seconds, &tm)))
    return "-";
  char text[40];
  auto n = std::strftime(text, sizeof text, format, &tm);
  return {text, n};
}

} // namespace

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const auto n = json::utf8_sequence(text);
    const auto first = static_cast<unsigned char>(text.front());
    // C1 controls are two octets in UTF-8: C2 80 to C2 9F.
    const bool control = first < 0x20 || first == 0x7F ||
                         (n == 2 && first == 0xC2 && static_cast<unsigned char>(text[1]) < 0xA0);
    if (n == 0 || control)
      out += '?';
    else
      out += text.substr(0, n);
    text.remove_prefix(std::max<std::size_t>(n, 1));
  }
  return out;
}

std::string indented(std::string_view text, std::string_view by) {
  std::string out(by);
  for (char c : text) {
    out += c;
    if (c == '\n')
      out += by;
  }
  return out;
}

std::string local_time(time_ms at) {
  return at == 0 ? "-" : formatted(at, "%Y-%m-%d %H:%M:%S", true);
}

std::string local_clock(time_ms at) {
  return at == 0 ? "-" : formatted(at, "%H:%M:%S", true);
}

std::string utc(time_ms at) {
  return at == 0 ? "" : formatted(at, "%Y-%m-%dT%H:%M:%SZ", false);
}

std::string table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::vector<std::string>> clean;
  std::vector<std::size_t> widest;
  for (const auto& row : rows) {
    auto& to = clean.emplace_back();
    for (const auto& cell : row) {
      to.push_back(printable(cell));
      if (widest.size() < to.size())
        widest.push_back(0);
      auto& w = widest[to.size() - 1];
      w = std::max(w, width(to.back()));
    }
  }
  std::string out;
  for (const auto& row : clean) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      out += row[i];
      if (i + 1 < row.size())
        out += std::string(widest[i] - width(row[i]) + 2, ' ');
    }
    out += '\n';
  }
  return out;
}

} // namespace outband::cli
