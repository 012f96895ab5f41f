/// JSON as it arrives over HTTP: strict, bounded, and without the library in the header.
///
/// Refused: anything after the document, duplicate member names, invalid UTF-8, numbers that do
/// not fit, more than the limits below. Context: pure, any thread.
#pragma once

#include "messages/domain/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

namespace outband::json {

class value;
struct member;
using array = std::vector<value>;
using object = std::vector<member>; ///< in the order of the text, names unique

class value {
public:
  value() = default; // null
  value(std::nullptr_t) {}
  value(bool b) : data_(b) {}
  template <class T, std::enable_if_t<std::is_integral_v<T> && !std::is_same_v<T, bool>, int> = 0>
  value(T n) : data_(static_cast<std::int64_t>(n)) {}
  value(double d) : data_(d) {}
  value(std::string s) : data_(std::move(s)) {}
  value(std::string_view s) : data_(std::string(s)) {}
  value(const char* s) : data_(std::string(s)) {}
  value(array a);
  value(object o);

  bool is_null() const { return std::holds_alternative<std::nullptr_t>(data_); }
  const bool* boolean() const { return std::get_if<bool>(&data_); }
  /// Also a number written with a fraction or exponent that is whole ("2.0") is not an integer.
  const std::int64_t* integer() const { return std::get_if<std::int64_t>(&data_); }
  const double* real() const { return std::get_if<double>(&data_); }
  const std::string* text() const { return std::get_if<std::string>(&data_); }
  const array* items() const { return std::get_if<array>(&data_); }
  const object* members() const { return std::get_if<object>(&data_); }
  array* items() { return std::get_if<array>(&data_); }
  object* members() { return std::get_if<object>(&data_); }

  /// A member of an object; nullptr if this is no object or has no such member.
  const value* find(std::string_view name) const;

private:
  std::variant<std::nullptr_t, bool, std::int64_t, double, std::string, array, object> data_;
};

struct member {
  std::string name;
  value val;
};

inline value::value(array a) : data_(std::move(a)) {}
inline value::value(object o) : data_(std::move(o)) {}

struct limits {
  std::size_t octets = 1 << 20;
  std::size_t depth = 16;
  std::size_t values = 200'000; ///< members, items and scalars together
};

/// problem::too_large or problem::malformed; `field` names a duplicate member.
result<value> parse(std::string_view text, const limits& within = {});

/// Compact. Octets that are not UTF-8 become U+FFFD.
std::string dump(const value& v);
/// `text` with quotation marks and escapes.
std::string quoted(std::string_view text);

/// Octets of the UTF-8 sequence at the start of `s`; 0 if there is none (overlong, surrogate, cut).
std::size_t utf8_sequence(std::string_view s);

/// "a string", "null", ... for error messages.
std::string_view type_name(const value& v);

} // namespace outband::json
