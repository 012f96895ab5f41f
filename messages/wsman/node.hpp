/// XML of WS-MAN messages as a small tree: elements by namespace and local name, never by prefix
/// (firmware and clients choose and rebind prefixes as they like).
///
/// Source: XML Names 1.0; limits are ours. Context: pure, any thread.
/// Limits: 1 MiB of text, 64 levels, 20,000 elements, 256 octets per namespace name. A document
/// type declaration is refused, so only the five predefined entities exist. UTF-8 only.
#pragma once

#include "messages/domain/result.hpp"

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace outband::wsman {

inline constexpr std::size_t max_document = 1024 * 1024;
inline constexpr std::size_t max_depth = 64;
inline constexpr std::size_t max_elements = 20000;
inline constexpr std::size_t max_namespace = 256;

struct attribute {
  std::string name; ///< local name
  std::string value;
};

struct node {
  std::string ns;   ///< namespace name, empty if none
  std::string name; ///< local name
  std::string text; ///< own character data, without that of children; blank text is dropped
  std::vector<attribute> attributes; ///< without namespace declarations
  std::vector<node> children;

  /// `text` without surrounding blanks.
  std::string_view value() const;
  /// The first child of that local name; nullptr if there is none.
  const node* child(std::string_view local_name) const;
  /// Follows a path of local names: find({"Header", "Action"}).
  const node* find(std::initializer_list<std::string_view> path) const;
  /// value() of the first such child; empty if there is none.
  std::string_view child_text(std::string_view local_name) const;
  const std::string* attribute_value(std::string_view local_name) const;
};

/// The document element.
result<node> parse_xml(std::string_view text);

/// &, <, > and quotes as entities; characters that XML 1.0 cannot carry are dropped.
std::string escaped(std::string_view text);

/// Surrounding blanks are allowed, anything else is not a number.
std::optional<std::uint32_t> to_number(std::string_view text);
/// "true", "false", "1", "0".
std::optional<bool> to_bool(std::string_view text);

} // namespace outband::wsman
