/// Reading an operation's JSON argument as MPS's validators do, every mistake at once.
///
/// A number may come as its text ("105"), a boolean as "true", "false", "1", "0" or 1, 0.
/// Source: express-validator 7 (isBoolean, isNumeric, isURL of validator.js), MPS src/routes/amt/*
/// Validator.ts. Context: pure, any thread.
#pragma once

#include "messages/rest/device_body.hpp"
#include "messages/rest/json.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace outband::amt {

std::optional<bool> as_boolean(const json::value& v);
/// A whole number of at most 15 digits.
std::optional<std::int64_t> as_integer(const json::value& v);
/// What validator.js takes for a number: a sign, digits, a fraction.
bool is_numeric(const json::value& v);
/// An absolute or protocol-less URL with a host that has a top-level domain, or an address.
bool is_url(std::string_view text);

/// nullptr if it is absent. `path`: "bootDetails.url".
const json::value* at_path(const json::value& argument, std::string_view path);
/// For arguments that were checked: what is absent or of a wrong type is empty.
std::string text_at(const json::value& argument, std::string_view path);
std::optional<bool> boolean_at(const json::value& argument, std::string_view path);
std::optional<std::int64_t> integer_at(const json::value& argument, std::string_view path);

class argument_reader {
public:
  explicit argument_reader(const json::value& argument) : argument_(argument) {}

  enum class must : std::uint8_t { be_there, may_miss };
  void boolean(std::string_view path, must m = must::be_there);
  /// A text of at most `max` octets without control characters. `shown`: it is no secret.
  void text(std::string_view path, std::size_t max, bool shown = true);
  /// One of these; the text of the mistake lists them. Two errors, as MPS has two checks for it.
  void number_of(std::string_view path, const std::vector<std::int64_t>& known);
  void wrong(std::string_view path, std::string why, bool shown = true);

  bool good() const { return errors_.empty(); }
  std::vector<rest::field_error> errors() && { return std::move(errors_); }

private:
  const json::value& argument_;
  std::vector<rest::field_error> errors_;
};

} // namespace outband::amt
