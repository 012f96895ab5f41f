/// A value that nobody may read by accident.
/// Context: pure, any thread.
#pragma once

#include <string>
#include <string_view>

namespace outband {

/// A value that wipes itself and prints as "***".
class secret_text {
public:
  secret_text() = default;
  explicit secret_text(std::string value) : value_(std::move(value)) {}
  secret_text(const secret_text&) = default;
  secret_text(secret_text&&) noexcept = default;
  secret_text& operator=(const secret_text& other);
  secret_text& operator=(secret_text&& other) noexcept;
  ~secret_text();
  const std::string& reveal() const { return value_; }
  bool empty() const { return value_.empty(); }

private:
  void wipe();

  std::string value_;
};
/// Constant time in the contents (not in the length).
bool equal(const secret_text& a, std::string_view b);

} // namespace outband
