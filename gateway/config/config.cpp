#include "gateway/config/config.hpp"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <optional>
#include <sstream>

extern "C" char** environ; // POSIX

namespace outband::config {

namespace {

constexpr std::size_t max_file = 1 << 20;

const key_info* find(std::string_view name) {
  for (const auto& k : keys())
    if (k.name == name)
      return &k;
  return nullptr;
}

std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j)
    row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    auto diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      auto above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1] ? 1u : 0u)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

/// " (did you mean cira.port?)", or nothing if no key is close.
std::string did_you_mean(std::string_view wrong) {
  const key_info* best = nullptr;
  std::size_t least = 4;
  for (const auto& k : keys()) {
    auto leaf =
        k.name.substr(k.name.rfind('.') == std::string_view::npos ? 0 : k.name.rfind('.') + 1);
    auto d = std::min(distance(k.name, wrong), distance(leaf, wrong) + 1);
    if (d < least) {
      least = d;
      best = &k;
    }
  }
  return best ? " (did you mean " + std::string(best->name) + "?)" : "";
}

std::string did_you_mean_env(std::string_view wrong) {
  const key_info* best = nullptr;
  std::size_t least = 4;
  for (const auto& k : keys())
    if (auto d = distance(env_name(k.name), wrong); d < least) {
      least = d;
      best = &k;
    }
  return best ? " (did you mean " + env_name(best->name) + "?)" : "";
}

/// Variables of the command line tool and of the build, which may be set where we run.
bool other_programs(std::string_view name) {
  for (std::string_view known :
       {"OUTBAND_SERVER", "OUTBAND_TOKEN", "OUTBAND_TENANT", "OUTBAND_CA", "OUTBAND_URL",
        "OUTBAND_USER", "OUTBAND_PASSWORD", "OUTBAND_PAGE_OUT", "OUTBAND_FIXTURES"})
    if (name == known)
      return true;
  return false;
}

std::string joined(const std::vector<std::string_view>& items) {
  std::string out;
  for (auto i : items)
    out += (out.empty() ? "" : ", ") + std::string(i);
  return out;
}

std::string trimmed(std::string_view s) {
  auto a = s.find_first_not_of(" \t"), b = s.find_last_not_of(" \t");
  return a == std::string_view::npos ? std::string() : std::string(s.substr(a, b - a + 1));
}

std::vector<std::string> split(std::string_view s) {
  std::vector<std::string> out;
  while (!s.empty()) {
    auto comma = s.find(',');
    if (auto item = trimmed(s.substr(0, comma)); !item.empty())
      out.push_back(item);
    s = comma == std::string_view::npos ? std::string_view{} : s.substr(comma + 1);
  }
  return out;
}

std::optional<std::int64_t> number(std::string_view s) {
  std::int64_t n = 0;
  auto [end, ec] = std::from_chars(s.data(), s.data() + s.size(), n);
  if (s.empty() || ec != std::errc{} || end != s.data() + s.size())
    return std::nullopt;
  return n;
}

struct unit {
  std::string_view name;
  std::int64_t ms;
};
constexpr unit units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};

std::optional<std::int64_t> milliseconds(std::string_view s) {
  auto digits = s.find_first_not_of("0123456789");
  if (digits == 0 || digits == std::string_view::npos)
    return std::nullopt;
  auto n = number(s.substr(0, digits));
  for (const auto& u : units)
    if (s.substr(digits) == u.name && n && *n <= INT64_MAX / u.ms)
      return *n * u.ms;
  return std::nullopt;
}

std::string shown(std::int64_t ms) {
  for (auto u = std::rbegin(units); u != std::rend(units); ++u)
    if (ms % u->ms == 0 && ms >= u->ms)
      return std::to_string(ms / u->ms) + std::string(u->name);
  return std::to_string(ms) + "ms";
}

struct parsed {
  std::string text;
  std::int64_t number = 0;
  std::vector<std::string> items;
};

/// The value, or what it must be instead.
std::variant<parsed, std::string> parse(const key_info& k, const std::string& raw,
                                        std::optional<std::vector<std::string>> items) {
  parsed out;
  out.text = raw;
  auto in = [&](const std::string& s) {
    return k.allowed.empty() || std::find(k.allowed.begin(), k.allowed.end(), s) != k.allowed.end();
  };
  switch (k.what) {
  case kind::text:
    if (!in(raw))
      return "must be one of " + joined(k.allowed);
    if (raw.find('\0') != std::string::npos || raw.size() > 4096)
      return std::string("must be at most 4096 characters without NUL");
    return out;
  case kind::flag:
    if (raw == "true" || raw == "yes" || raw == "on" || raw == "1")
      out.number = 1;
    else if (raw != "false" && raw != "no" && raw != "off" && raw != "0")
      return std::string("must be true or false");
    return out;
  case kind::integer: {
    auto n = number(raw);
    if (!n || *n < k.min || *n > k.max)
      return "must be a whole number from " + std::to_string(k.min) + " to " +
             std::to_string(k.max);
    out.number = *n;
    return out;
  }
  case kind::duration: {
    auto n = milliseconds(raw);
    if (!n || *n < k.min || *n > k.max)
      return "must be a number with a unit (ms, s, m, h, d) from " + shown(k.min) + " to " +
             shown(k.max);
    out.number = *n;
    return out;
  }
  case kind::list:
    out.items = items ? *items : split(raw);
    for (const auto& i : out.items)
      if (!in(i))
        return "'" + i + "' is not one of " + joined(k.allowed);
    return out;
  }
  return std::string("cannot be set");
}

struct found {
  std::string key, raw;
  std::optional<std::vector<std::string>> items;
  std::string origin;
  bool wrong_shape = false; ///< a list or map where one value is meant
};

void flatten(const YAML::Node& node, const std::string& prefix, const std::string& file,
             std::vector<found>& out, std::vector<std::string>& mistakes, int depth) {
  for (const auto& entry : node) {
    if (!entry.first.IsScalar() || depth > 8) {
      mistakes.push_back(file + ": " + (prefix.empty() ? "the top" : prefix) +
                         " contains something that is not a named key");
      continue;
    }
    auto name = prefix.empty() ? entry.first.Scalar() : prefix + "." + entry.first.Scalar();
    auto where = file + " line " + std::to_string(entry.first.Mark().line + 1);
    const auto& value = entry.second;
    if (value.IsMap()) {
      if (find(name))
        out.push_back({name, "", {}, where, true});
      else
        flatten(value, name, file, out, mistakes, depth + 1);
    } else if (value.IsSequence()) {
      std::vector<std::string> items;
      bool plain = true;
      for (const auto& i : value) {
        plain = plain && i.IsScalar();
        items.push_back(i.IsScalar() ? i.Scalar() : "");
      }
      out.push_back({name, "", plain ? std::optional(items) : std::nullopt, where, !plain});
    } else {
      out.push_back({name, value.IsScalar() ? value.Scalar() : "", {}, where, false});
    }
  }
}

[[noreturn]] void defect(std::string_view key) {
  std::fprintf(stderr, "config: no key '%.*s' of that type in the table\n",
               static_cast<int>(key.size()), key.data());
  std::abort();
}

} // namespace

std::string_view to_string(kind k) {
  switch (k) {
  case kind::text:
    return "text";
  case kind::flag:
    return "flag";
  case kind::integer:
    return "integer";
  case kind::duration:
    return "duration";
  case kind::list:
    return "list";
  }
  return "text";
}

std::string env_name(std::string_view key) {
  std::string out = "OUTBAND_";
  for (char c : key)
    out += c == '.' ? '_' : (c >= 'a' && c <= 'z') ? static_cast<char>(c - 'a' + 'A') : c;
  return out;
}

const settings::value& settings::at(std::string_view key, kind k) const {
  auto it = values_.find(key);
  if (it == values_.end() || it->second.info->what != k)
    defect(key);
  return it->second;
}

const std::string& settings::text(std::string_view key) const {
  return at(key, kind::text).text;
}
bool settings::flag(std::string_view key) const {
  return at(key, kind::flag).number != 0;
}
std::int64_t settings::integer(std::string_view key) const {
  return at(key, kind::integer).number;
}
std::chrono::milliseconds settings::duration(std::string_view key) const {
  return std::chrono::milliseconds(at(key, kind::duration).number);
}
const std::vector<std::string>& settings::list(std::string_view key) const {
  return at(key, kind::list).items;
}
bool settings::given(std::string_view key) const {
  return origin(key) != "default";
}
const std::string& settings::origin(std::string_view key) const {
  auto it = values_.find(key);
  if (it == values_.end())
    defect(key);
  return it->second.origin;
}

std::string settings::print() const {
  std::string out;
  for (const auto& k : keys()) {
    const auto& v = values_.find(k.name)->second;
    YAML::Emitter e;
    e.SetStringFormat(YAML::DoubleQuoted);
    if (k.secret)
      e << (v.text.empty() ? "" : "***");
    else if (k.what == kind::list)
      e << YAML::Flow << v.items;
    else if (k.what == kind::text)
      e << v.text;
    out += std::string(k.name) + ": " +
           (k.secret || k.what == kind::list || k.what == kind::text ? e.c_str() : v.text) +
           "  # " + v.origin + "\n";
  }
  return out;
}

result<settings> load(const sources& from) {
  std::vector<found> given;
  std::vector<std::string> mistakes;
  try {
    auto root = YAML::Load(from.yaml);
    if (root.IsMap())
      flatten(root, "", from.file_name, given, mistakes, 0);
    else if (!root.IsNull())
      mistakes.push_back(from.file_name + ": must be a map of keys");
  } catch (const YAML::Exception& e) {
    mistakes.push_back(from.file_name + " line " + std::to_string(e.mark.line + 1) + ": " + e.msg);
  }

  settings out;
  for (const auto& k : keys()) {
    auto p = std::get<parsed>(parse(k, std::string(k.fallback), {}));
    out.values_.emplace(k.name, settings::value{&k, p.text, p.number, p.items, "default"});
  }
  auto set = [&](const found& f) {
    const auto* k = find(f.key);
    if (!k) {
      mistakes.push_back(f.origin + ": there is no key '" + f.key + "'" + did_you_mean(f.key));
      return;
    }
    if (f.wrong_shape || (f.items && k->what != kind::list)) {
      mistakes.push_back(f.origin + ": " + f.key + " must be one " +
                         std::string(to_string(k->what)));
      return;
    }
    auto& v = out.values_.find(f.key)->second;
    auto p = parse(*k, f.raw, f.items);
    if (auto* why = std::get_if<std::string>(&p)) {
      mistakes.push_back(f.origin + ": " + f.key + " " + *why +
                         (k->secret || f.items ? "" : ", not '" + f.raw + "'"));
      return;
    }
    auto& ok = std::get<parsed>(p);
    v = {k, ok.text, ok.number, ok.items, f.origin};
  };
  std::map<std::string, std::string> seen;
  for (const auto& f : given) {
    if (auto [it, fresh] = seen.emplace(f.key, f.origin); !fresh)
      mistakes.push_back(f.origin + ": " + f.key + " was set already at " + it->second);
    else
      set(f);
  }
  std::map<std::string, std::string_view> by_env;
  for (const auto& k : keys())
    by_env.emplace(env_name(k.name), k.name);
  for (const auto& [name, value] : from.env) {
    if (name.rfind("OUTBAND_", 0) != 0)
      continue;
    if (auto it = by_env.find(name); it != by_env.end())
      set({std::string(it->second), value, {}, "environment " + name, false});
    else if (!other_programs(name))
      mistakes.push_back("environment: there is no variable '" + name + "'" +
                         did_you_mean_env(name));
  }
  if (!mistakes.empty()) {
    std::string all;
    for (const auto& m : mistakes)
      all += (all.empty() ? "" : "\n") + m;
    return fail(problem::malformed, all);
  }
  return out;
}

environment process_environment() {
  environment out;
  for (char** e = environ; e && *e; ++e)
    if (const char* eq = std::strchr(*e, '='))
      out.emplace_back(std::string(*e, static_cast<std::size_t>(eq - *e)), std::string(eq + 1));
  return out;
}

result<std::string> read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in)
    return fail(problem::not_found, "cannot read " + path + ": " + std::strerror(errno));
  std::ostringstream text;
  text << in.rdbuf();
  if (!in.good() && !in.eof())
    return fail(problem::internal, "cannot read " + path);
  auto s = text.str();
  if (s.size() > max_file)
    return fail(problem::too_large, path + " is larger than 1 MiB");
  return s;
}

} // namespace outband::config
