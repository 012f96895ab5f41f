/// The request target of HTTP: path segments and query, decoded and bounded.
///
/// Segments are split before they are decoded, so %2F is a character, never a separator.
/// Context: pure, any thread. Limits: below; anything beyond is refused, never cut.
#pragma once

#include "messages/domain/result.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace outband::rest {

inline constexpr std::size_t max_target = 8192;
inline constexpr std::size_t max_segments = 32;
inline constexpr std::size_t max_parameters = 64;

struct target {
  std::string path;                  ///< as sent, without the query
  std::vector<std::string> segments; ///< decoded; a trailing slash adds none
  bool trailing_slash = false;
  std::vector<std::pair<std::string, std::string>> query; ///< decoded, in order

  /// The first parameter of that name (case matters, as in MPS).
  const std::string* parameter(std::string_view name) const;
};

/// Origin form only ("/a/b?c=d"). Refused: bad percent encoding, NUL and other control characters,
/// octets that are not UTF-8, empty segments, a parameter given twice.
result<target> parse_target(std::string_view raw);

/// nullopt: bad encoding, control character or not UTF-8.
std::optional<std::string> percent_decoded(std::string_view raw, bool plus_is_space);

bool valid_utf8(std::string_view text);

} // namespace outband::rest
