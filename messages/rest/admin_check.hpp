/// Checks of RPS's REST bodies, member by member, with the words that RPS's users know.
///
/// Source: rps src/routes/admin/**/*Validator.ts (express-validator). As there, every check of a
/// member that fails is told, in that order. Stricter: a member has the type that its name
/// promises, numbers and flags are not taken from text. Internal to messages/rest.
/// Context: pure, any thread.
#pragma once

#include "messages/rest/device_body.hpp"

#include <initializer_list>
#include <string>
#include <string_view>

namespace outband::rest {

class admin_check {
public:
  explicit admin_check(const json::value& body) : body_(body) {}

  /// nullptr: absent or null.
  const json::value* get(std::string_view name) const;
  const std::string* text(std::string_view name) const;
  std::optional<std::int64_t> integer(std::string_view name) const;
  std::optional<bool> flag(std::string_view name) const;
  /// Absent, null or "".
  bool empty(std::string_view name) const;

  /// A secret is not sent back.
  void wrong(std::string_view name, std::string msg, bool secret = false);
  /// Unless `ok`.
  void need(bool ok, std::string_view name, std::string msg, bool secret = false) {
    if (!ok)
      wrong(name, std::move(msg), secret);
  }
  void need_present(std::string_view name, std::string msg) {
    need(!empty(name), name, std::move(msg));
  }
  /// Absent, null, or a text of at most so many octets without control characters.
  void optional_text(std::string_view name, std::size_t limit, bool secret = false);
  void optional_flag(std::string_view name, std::string msg = "Invalid value");

  std::vector<field_error> take() { return std::move(errors_); }
  bool good() const { return errors_.empty(); }

private:
  const json::value& body_;
  std::vector<field_error> errors_;
};

// What RPS's patterns say.
bool name_like(std::string_view s, std::string_view more); ///< letters, digits and those; not empty
bool profile_name_like(std::string_view s);
bool amt_password_like(std::string_view s);
bool ipv4_like(std::string_view s);
bool ipv6_like(std::string_view s);
bool server_name_like(std::string_view s);  ///< of a CIRA server: lower case, a top-level domain
bool proxy_name_like(std::string_view s);   ///< of a proxy
bool network_name_like(std::string_view s); ///< validator.js isFQDN

/// Of a body or an If-Match header: "17", "\"17\"", 17. 0: it can be no version.
std::uint64_t version_of(const json::value* v);
std::uint64_t version_of(std::string_view text);

} // namespace outband::rest
