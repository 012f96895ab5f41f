/// Reads the properties of one instance into a struct's members; the first that is of the wrong
/// form is the failure. Context: pure.
#pragma once

#include "messages/wsman/talk.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace outband::amt {

class property_reader {
public:
  explicit property_reader(const wsman::node& instance) : instance_(instance) {}

  property_reader& text(std::string_view name, std::string& to, std::size_t max = 1024) {
    return take(wsman::text_in(instance_, name, max), to);
  }
  property_reader& number(std::string_view name, std::uint32_t& to) {
    return take(wsman::number_or(instance_, name, 0), to);
  }
  property_reader& flag(std::string_view name, bool& to) {
    return take(wsman::bool_or(instance_, name, false), to);
  }
  property_reader& flag(std::string_view name, std::optional<bool>& to) {
    if (instance_.child(name) == nullptr)
      return *this;
    bool value = false;
    flag(name, value);
    to = value;
    return *this;
  }
  template <class Enum> property_reader& code(std::string_view name, std::optional<Enum>& to) {
    if (instance_.child(name) == nullptr)
      return *this;
    std::uint32_t value = 0;
    number(name, value);
    to = static_cast<Enum>(value);
    return *this;
  }
  const std::optional<failure>& wrong() const { return wrong_; }

private:
  template <class T> property_reader& take(result<T> told, T& to) {
    if (told)
      to = std::move(*told);
    else if (!wrong_)
      wrong_ = told.error();
    return *this;
  }
  const wsman::node& instance_;
  std::optional<failure> wrong_;
};

} // namespace outband::amt
