#include "messages/rest/json.hpp"

#include <nlohmann/json.hpp>

#include <charconv>
#include <cmath>
#include <unordered_set>

namespace outband::json {

const value* value::find(std::string_view name) const {
  if (const auto* o = members())
    for (const auto& m : *o)
      if (m.name == name)
        return &m.val;
  return nullptr;
}

namespace {

/// Builds a value from nlohmann's events; every callback returns false to stop.
class builder {
public:
  using number_integer_t = nlohmann::json::number_integer_t;
  using number_unsigned_t = nlohmann::json::number_unsigned_t;
  using number_float_t = nlohmann::json::number_float_t;
  using string_t = nlohmann::json::string_t;
  using binary_t = nlohmann::json::binary_t;

  explicit builder(const limits& l) : limits_(l) {}

  bool null() { return add(value()); }
  bool boolean(bool b) { return add(value(b)); }
  bool number_integer(number_integer_t n) { return add(value(n)); }
  bool number_unsigned(number_unsigned_t n) {
    return n > INT64_MAX ? add(value(static_cast<double>(n))) : add(value(n));
  }
  bool number_float(number_float_t d, const string_t&) { return add(value(d)); }
  bool string(string_t& s) { return add(value(std::move(s))); }
  bool binary(binary_t&) { return false; }
  bool start_object(std::size_t) { return open(true); }
  bool start_array(std::size_t) { return open(false); }
  bool end_object() { return close(); }
  bool end_array() { return close(); }
  bool key(string_t& name) {
    if (!stack_.back().names.insert(name).second)
      return stop(fail(problem::malformed, "the member occurs twice", name.substr(0, 64)));
    stack_.back().next = std::move(name);
    return true;
  }
  bool parse_error(std::size_t at, const std::string&, const nlohmann::json::exception&) {
    return stop(fail(problem::malformed, "not valid JSON at octet " + std::to_string(at)));
  }

  value root;
  std::optional<failure> error;

private:
  struct level {
    bool is_object;
    array items;
    object members;
    std::string next;
    std::unordered_set<std::string> names;
  };

  bool stop(failure f) {
    if (!error)
      error = std::move(f);
    return false;
  }
  bool count() {
    return ++values_ <= limits_.values ||
           stop(
               fail(problem::too_large, "more than " + std::to_string(limits_.values) + " values"));
  }
  bool add(value v) { return count() && put(std::move(v)); }
  bool put(value v) {
    if (stack_.empty())
      root = std::move(v);
    else if (stack_.back().is_object)
      stack_.back().members.push_back({std::move(stack_.back().next), std::move(v)});
    else
      stack_.back().items.push_back(std::move(v));
    return true;
  }
  bool open(bool is_object) {
    if (stack_.size() >= limits_.depth)
      return stop(fail(problem::too_large,
                       "nested deeper than " + std::to_string(limits_.depth) + " levels"));
    stack_.push_back({is_object, {}, {}, {}, {}});
    return count();
  }
  bool close() {
    auto done = std::move(stack_.back());
    stack_.pop_back();
    return put(done.is_object ? value(std::move(done.members)) : value(std::move(done.items)));
  }

  limits limits_;
  std::vector<level> stack_;
  std::size_t values_ = 0;
};

void append_quoted(std::string& out, std::string_view s) {
  static constexpr char hex[] = "0123456789abcdef";
  out += '"';
  while (!s.empty()) {
    auto n = utf8_sequence(s);
    auto c = static_cast<unsigned char>(s[0]);
    if (n == 0) {
      out += "\xEF\xBF\xBD";
      n = 1;
    } else if (c == '"' || c == '\\') {
      out += '\\';
      out += s[0];
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\t') {
      out += "\\t";
    } else if (c < 0x20 || c == 0x7F) {
      out += "\\u00";
      out += hex[c >> 4];
      out += hex[c & 15];
    } else {
      out.append(s.substr(0, n));
    }
    s.remove_prefix(n);
  }
  out += '"';
}

void append(std::string& out, const value& v) {
  if (const auto* b = v.boolean()) {
    out += *b ? "true" : "false";
  } else if (const auto* n = v.integer()) {
    out += std::to_string(*n);
  } else if (const auto* d = v.real()) {
    char buffer[40];
    // Written as "-0", minus zero would be read back as the whole number 0.
    auto end = std::to_chars(buffer, buffer + sizeof buffer, *d == 0 ? 0.0 : *d).ptr;
    out += std::isfinite(*d) ? std::string_view(buffer, static_cast<std::size_t>(end - buffer))
                             : std::string_view("null");
  } else if (const auto* s = v.text()) {
    append_quoted(out, *s);
  } else if (const auto* a = v.items()) {
    out += '[';
    for (const auto& i : *a) {
      if (&i != a->data())
        out += ',';
      append(out, i);
    }
    out += ']';
  } else if (const auto* o = v.members()) {
    out += '{';
    for (const auto& m : *o) {
      if (&m != o->data())
        out += ',';
      append_quoted(out, m.name);
      out += ':';
      append(out, m.val);
    }
    out += '}';
  } else {
    out += "null";
  }
}

} // namespace

std::size_t utf8_sequence(std::string_view s) {
  auto at = [&](std::size_t i) {
    return i < s.size() ? static_cast<unsigned char>(s[i]) : 0u;
  };
  auto tail = [&](std::size_t i) {
    return (at(i) & 0xC0u) == 0x80u;
  };
  auto c = at(0);
  if (c < 0x80)
    return 1;
  if (c >= 0xC2 && c <= 0xDF)
    return tail(1) ? 2 : 0;
  if (c >= 0xE0 && c <= 0xEF) {
    if (!tail(1) || !tail(2) || (c == 0xE0 && at(1) < 0xA0) || (c == 0xED && at(1) > 0x9F))
      return 0;
    return 3;
  }
  if (c >= 0xF0 && c <= 0xF4) {
    if (!tail(1) || !tail(2) || !tail(3) || (c == 0xF0 && at(1) < 0x90) ||
        (c == 0xF4 && at(1) > 0x8F))
      return 0;
    return 4;
  }
  return 0;
}

result<value> parse(std::string_view text, const limits& within) {
  if (text.size() > within.octets)
    return fail(problem::too_large, "more than " + std::to_string(within.octets) + " octets");
  builder b(within);
  bool ok = false;
  try {
    ok = nlohmann::json::sax_parse(text.begin(), text.end(), &b);
  } catch (const std::exception&) {
    ok = false; // the library reports through parse_error; this is for what it might forget
  }
  if (!ok || b.error)
    return b.error ? *b.error : fail(problem::malformed, "not valid JSON");
  return std::move(b.root);
}

std::string dump(const value& v) {
  std::string out;
  append(out, v);
  return out;
}

std::string quoted(std::string_view text) {
  std::string out;
  append_quoted(out, text);
  return out;
}

std::string_view type_name(const value& v) {
  if (v.boolean())
    return "a boolean";
  if (v.integer() || v.real())
    return "a number";
  if (v.text())
    return "a string";
  if (v.items())
    return "an array";
  if (v.members())
    return "an object";
  return "null";
}

} // namespace outband::json
