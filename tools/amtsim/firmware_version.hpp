/// Which firmware can what: comparing versions such as "16.1.25".
#pragma once

#include <string_view>

namespace outband::amtsim {

inline bool version_at_least(std::string_view version, unsigned major, unsigned minor = 0) {
  unsigned parts[2] = {0, 0};
  std::size_t which = 0;
  for (const char c : version) {
    if (c == '.' && ++which == 2)
      break;
    if (c >= '0' && c <= '9')
      parts[which] = parts[which] * 10 + static_cast<unsigned>(c - '0');
  }
  return parts[0] != major ? parts[0] > major : parts[1] >= minor;
}

} // namespace outband::amtsim
