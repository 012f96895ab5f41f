#include "messages/rest/target.hpp"

#include "messages/domain/text.hpp"
#include "messages/rest/json.hpp"

namespace outband::rest {

bool valid_utf8(std::string_view s) {
  while (!s.empty()) {
    auto n = json::utf8_sequence(s);
    if (n == 0)
      return false;
    s.remove_prefix(n);
  }
  return true;
}

std::optional<std::string> percent_decoded(std::string_view raw, bool plus_is_space) {
  std::string out;
  out.reserve(raw.size());
  for (std::size_t i = 0; i < raw.size(); ++i) {
    char c = raw[i];
    if (c == '%') {
      if (i + 2 >= raw.size() || hex_digit(raw[i + 1]) < 0 || hex_digit(raw[i + 2]) < 0)
        return std::nullopt;
      c = static_cast<char>(hex_digit(raw[i + 1]) * 16 + hex_digit(raw[i + 2]));
      i += 2;
    } else if (c == '+' && plus_is_space) {
      c = ' ';
    }
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F)
      return std::nullopt;
    out += c;
  }
  if (!valid_utf8(out))
    return std::nullopt;
  return out;
}

const std::string* target::parameter(std::string_view name) const {
  for (const auto& [k, v] : query)
    if (k == name)
      return &v;
  return nullptr;
}

result<target> parse_target(std::string_view raw) {
  if (raw.size() > max_target)
    return fail(problem::too_large, "the target is longer than " + std::to_string(max_target));
  if (raw.empty() || raw[0] != '/')
    return fail(problem::malformed, "the target does not start with '/'");
  auto hash = raw.find('#');
  if (hash != std::string_view::npos)
    return fail(problem::malformed, "the target contains a fragment");
  target out;
  auto mark = raw.find('?');
  auto path = raw.substr(0, mark);
  auto query = mark == std::string_view::npos ? std::string_view{} : raw.substr(mark + 1);
  out.path = path;
  path.remove_prefix(1);
  while (!path.empty()) {
    auto slash = path.find('/');
    auto segment = percent_decoded(path.substr(0, slash), false);
    if (!segment)
      return fail(problem::malformed, "the path is not percent-encoded UTF-8");
    if (segment->empty())
      return fail(problem::malformed, "the path has an empty segment");
    if (out.segments.size() == max_segments)
      return fail(problem::too_large, "the path has too many segments");
    out.segments.push_back(std::move(*segment));
    if (slash == std::string_view::npos)
      break;
    path.remove_prefix(slash + 1);
    out.trailing_slash = path.empty();
  }
  while (!query.empty()) {
    auto amp = query.find('&');
    auto pair = query.substr(0, amp);
    query = amp == std::string_view::npos ? std::string_view{} : query.substr(amp + 1);
    if (pair.empty())
      continue;
    auto eq = pair.find('=');
    auto name = percent_decoded(pair.substr(0, eq), true);
    auto val = eq == std::string_view::npos ? std::optional<std::string>("")
                                            : percent_decoded(pair.substr(eq + 1), true);
    if (!name || !val)
      return fail(problem::malformed, "the query is not percent-encoded UTF-8");
    if (out.parameter(*name))
      return fail(problem::malformed, "the parameter is given twice", *name);
    if (out.query.size() == max_parameters)
      return fail(problem::too_large, "the query has too many parameters");
    out.query.emplace_back(std::move(*name), std::move(*val));
  }
  return out;
}

} // namespace outband::rest
