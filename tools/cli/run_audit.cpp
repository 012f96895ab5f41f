#include "messages/domain/time.hpp"
#include "messages/rest/json.hpp"
#include "tools/cli/runner.hpp"
#include "tools/cli/text.hpp"

#include <algorithm>
#include <charconv>
#include <ostream>

namespace outband::cli {

namespace {

/// Rows per answer; with every text at its limit it stays below what the transport takes.
constexpr std::size_t page = 500;

std::string member(const json::value& row, std::string_view name) {
  const auto* v = row.find(name);
  return v && v->text() ? *v->text() : std::string();
}

/// "2026-11-21T10:00:00Z", or "30m", "24h", "7d" before now.
result<time_ms> moment(const std::string& text, const char* option, time_ms now) {
  if (auto at = parse_rfc3339(text))
    return *at;
  std::int64_t n = 0;
  const auto* end = text.data() + text.size();
  auto [rest, ec] = std::from_chars(text.data(), end, n);
  const std::int64_t unit = rest + 1 != end ? 0
                            : *rest == 'm'  ? 60'000
                            : *rest == 'h'  ? 3'600'000
                            : *rest == 'd'  ? 86'400'000
                                            : 0;
  if (ec != std::errc{} || n <= 0 || n > 100'000 || unit == 0)
    return fail(problem::malformed,
                "'" + text + "' is neither a time such as 2026-11-21T10:00:00Z nor one such as 7d",
                option);
  return std::max<time_ms>(now - n * unit, 1);
}

void heading(std::vector<std::vector<std::string>>& rows) {
  rows.push_back({"TIME", "BY", "ACT", "DEVICE", "CHANNEL", "STATUS", "TEXT"});
}

std::vector<std::string> cells(const json::value& row) {
  const auto* many = row.find("count");
  const auto at = parse_rfc3339(member(row, "at"));
  auto text = member(row, "text");
  if (many && many->integer())
    text = std::to_string(*many->integer()) + " times. " + text;
  auto or_dash = [](std::string s) {
    return s.empty() ? std::string("-") : s;
  };
  return {local_time(at.value_or(0)),
          or_dash(member(row, "by")),
          member(row, "act"),
          or_dash(member(row, "device")),
          or_dash(member(row, "channel")),
          member(row, "status"),
          text.empty() ? member(row, "code") : text};
}

} // namespace

result<exit_code> runner::operator()(const audit_command& c) {
  std::string query;
  auto add = [&](const char* name, const std::string& value) {
    if (!value.empty())
      query += std::string("&") + name + "=" + https::encoded(value);
  };
  for (const auto& [name, option, text] :
       {std::tuple{"from", "--since", &c.since}, std::tuple{"to", "--until", &c.until}}) {
    if (text->empty())
      continue;
    auto at = moment(*text, option, with_.now());
    if (!at)
      return fail(at.error().what, std::string(option) + ": " + at.error().detail, usage_field);
    add(name, to_rfc3339(*at));
  }
  add("by", c.by);
  add("act", c.act);
  add("status", c.status);
  if (auto ok = connect(); !ok)
    return ok.error();
  api server(*transport_, as_);
  if (!c.host.empty()) {
    // The trail outlives the machines in it, so a GUID need not be registered any more.
    auto guid = parse_uuid(c.host);
    if (!guid) {
      auto h = server.find_host(c.host);
      if (!h)
        return h.error();
      guid = h->guid;
    }
    add("device", to_string(*guid));
  }
  json::array kept;
  std::vector<std::vector<std::string>> rows;
  heading(rows);
  std::string after;
  for (std::size_t left = c.all ? SIZE_MAX : c.top; left > 0 && with_.out.good();) {
    auto got = server.audit("?$top=" + std::to_string(std::min(left, page)) + query +
                            (after.empty() ? after : "&after=" + https::encoded(after)));
    if (!got)
      return got.error();
    for (auto& row : got->rows) {
      if (c.all)
        with_.out << json::dump(row) << "\n";
      else if (json())
        kept.push_back(std::move(row));
      else
        rows.push_back(cells(row));
    }
    if (!c.all)
      left -= std::min(left, got->rows.size());
    if (got->next.empty() || got->rows.empty() || got->next == after)
      break;
    after = got->next;
  }
  if (c.all)
    return with_.out.good() ? exit_code::ok : exit_code::other;
  if (json())
    with_.out << json::dump(json::object{{"audit", std::move(kept)}}) << "\n";
  else if (rows.size() == 1)
    with_.out << "Nothing is recorded.\n";
  else
    with_.out << table(rows);
  return exit_code::ok;
}

} // namespace outband::cli
