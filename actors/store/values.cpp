#include "actors/store/values.hpp"

#include <charconv>

namespace outband::store {

namespace {

const char hex[] = "0123456789abcdef";

int digit(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  return 0;
}

template <class T, class F> std::string list_of(const std::vector<T>& values, F print) {
  std::string out = "{";
  for (const auto& v : values) {
    if (out.size() > 1)
      out.push_back(',');
    print(out, v);
  }
  out.push_back('}');
  return out;
}

void put_quoted(std::string& out, std::string_view text) {
  out.push_back('"');
  for (char c : text) {
    if (c == '"' || c == '\\')
      out.push_back('\\');
    out.push_back(c);
  }
  out.push_back('"');
}

} // namespace

params& params::null() {
  items_.push_back({{}, true, false});
  return *this;
}
params& params::text(std::string value) {
  items_.push_back({std::move(value), false, false});
  return *this;
}
params& params::text(std::optional<std::string> value) {
  return value ? text(std::move(*value)) : null();
}
params& params::number(std::int64_t value) {
  return text(std::to_string(value));
}
params& params::flag(bool value) {
  return text(std::string(value ? "t" : "f"));
}
params& params::id(const uuid& value) {
  return text(to_string(value));
}
params& params::octets(std::string value) {
  items_.push_back({std::move(value), false, true});
  return *this;
}

params& params::texts(const std::vector<std::string>& values) {
  return text(list_of(values, [](std::string& out, const std::string& v) { put_quoted(out, v); }));
}
params& params::texts(const std::vector<std::optional<std::string>>& values) {
  return text(array_literal(values));
}
params& params::numbers(const std::vector<std::int64_t>& values) {
  return text(list_of(values, [](std::string& out, auto v) { out += std::to_string(v); }));
}
params& params::numbers(const std::vector<std::optional<std::int64_t>>& values) {
  return text(
      list_of(values, [](std::string& out, auto v) { out += v ? std::to_string(*v) : "NULL"; }));
}
params& params::flags(const std::vector<bool>& values) {
  return text(list_of(values, [](std::string& out, bool v) { out.push_back(v ? 't' : 'f'); }));
}
params& params::ids(const std::vector<uuid>& values) {
  return text(list_of(values, [](std::string& out, const uuid& v) { out += to_string(v); }));
}
params& params::octets_list(const std::vector<std::string>& values) {
  return text(list_of(values, [](std::string& out, const std::string& v) {
    out += "\"\\\\x"; // the array's parser takes one backslash, bytea's sees \x
    for (char c : v) {
      auto octet = static_cast<unsigned char>(c);
      out.push_back(hex[octet >> 4]);
      out.push_back(hex[octet & 15]);
    }
    out.push_back('"');
  }));
}

bool params::has_zero_in_text() const {
  for (const auto& i : items_)
    if (!i.binary && i.value.find('\0') != std::string::npos)
      return true;
  return false;
}

std::string array_literal(const std::vector<std::optional<std::string>>& values) {
  return list_of(values, [](std::string& out, const std::optional<std::string>& v) {
    if (v)
      put_quoted(out, *v);
    else
      out += "NULL";
  });
}

std::vector<std::string> parse_array(std::string_view literal) {
  std::vector<std::string> out;
  if (literal.size() < 2 || literal.front() != '{' || literal.back() != '}')
    return out;
  literal = literal.substr(1, literal.size() - 2);
  std::size_t at = 0;
  while (at < literal.size()) {
    std::string element;
    bool quoted = literal[at] == '"';
    if (quoted) {
      for (++at; at < literal.size() && literal[at] != '"'; ++at) {
        if (literal[at] == '\\' && at + 1 < literal.size())
          ++at;
        element.push_back(literal[at]);
      }
      ++at;
    } else {
      while (at < literal.size() && literal[at] != ',')
        element.push_back(literal[at++]);
    }
    if (quoted || element != "NULL")
      out.push_back(std::move(element));
    ++at; // the comma
  }
  return out;
}

bool rows::is_null(int row, int column) const {
  return !result_ || row >= PQntuples(result_.get()) || column >= PQnfields(result_.get()) ||
         PQgetisnull(result_.get(), row, column) != 0;
}

std::string_view rows::view(int row, int column) const {
  if (is_null(row, column))
    return {};
  return {PQgetvalue(result_.get(), row, column),
          static_cast<std::size_t>(PQgetlength(result_.get(), row, column))};
}

std::optional<std::string> rows::maybe_text(int row, int column) const {
  if (is_null(row, column))
    return std::nullopt;
  return text(row, column);
}

std::int64_t rows::number(int row, int column) const {
  auto text = view(row, column);
  std::int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

uuid rows::id(int row, int column) const {
  return parse_uuid(view(row, column)).value_or(uuid{});
}

std::string rows::octets(int row, int column) const {
  auto text = view(row, column); // bytea_output = hex, the default, is set on every connection
  std::string out;
  if (text.substr(0, 2) != "\\x")
    return out;
  out.reserve(text.size() / 2);
  for (std::size_t i = 2; i + 1 < text.size(); i += 2)
    out.push_back(static_cast<char>(digit(text[i]) << 4 | digit(text[i + 1])));
  return out;
}

std::vector<std::string> rows::texts(int row, int column) const {
  return parse_array(view(row, column));
}

} // namespace outband::store
