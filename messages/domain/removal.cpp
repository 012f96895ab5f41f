#include "messages/domain/removal.hpp"

#include <array>

namespace outband {

namespace {
constexpr std::array<std::string_view, 2> kinds{"remove", "deauthorize"};
constexpr std::array<std::string_view, 3> states{"waiting", "refused", "done"};

template <class E, std::size_t N>
std::optional<E> find_in(const std::array<std::string_view, N>& names, std::string_view text) {
  for (std::size_t i = 0; i < N; ++i)
    if (names[i] == text)
      return static_cast<E>(i);
  return std::nullopt;
}
} // namespace

std::string_view to_string(removal_kind k) {
  return kinds[static_cast<std::size_t>(k)];
}
std::optional<removal_kind> parse_removal_kind(std::string_view text) {
  return find_in<removal_kind>(kinds, text);
}
std::string_view to_string(removal_state s) {
  return states[static_cast<std::size_t>(s)];
}
std::optional<removal_state> parse_removal_state(std::string_view text) {
  return find_in<removal_state>(states, text);
}

} // namespace outband
