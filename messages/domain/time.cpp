#include "messages/domain/time.hpp"

#include <cstdio>

namespace outband {

namespace {

// Civil calendar from days and back: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
struct date {
  int year, month, day;
};

std::int64_t days_from(const date& d) {
  const std::int64_t y = d.month <= 2 ? d.year - 1 : d.year;
  const std::int64_t era = y / 400;
  const std::int64_t of_era = y - era * 400;
  const std::int64_t of_year = (153 * (d.month + (d.month > 2 ? -3 : 9)) + 2) / 5 + d.day - 1;
  return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

date date_from(std::int64_t days) {
  const std::int64_t z = days + 719468;
  const std::int64_t era = z / 146097;
  const std::int64_t of_era = z - era * 146097;
  const std::int64_t y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
  const std::int64_t of_year = of_era - (365 * y + y / 4 - y / 100);
  const std::int64_t m = (5 * of_year + 2) / 153;
  const auto month = static_cast<int>(m < 10 ? m + 3 : m - 9);
  return {static_cast<int>(y + era * 400) + (month <= 2 ? 1 : 0), month,
          static_cast<int>(of_year - (153 * m + 2) / 5 + 1)};
}

int days_in(int year, int month) {
  static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return month == 2 && leap ? 29 : days[month - 1];
}

/// Takes exactly `n` digits off the front.
bool digits(std::string_view& rest, std::size_t n, int& out) {
  if (rest.size() < n)
    return false;
  out = 0;
  for (std::size_t i = 0; i < n; ++i) {
    if (rest[i] < '0' || rest[i] > '9')
      return false;
    out = out * 10 + (rest[i] - '0');
  }
  rest.remove_prefix(n);
  return true;
}

bool take(std::string_view& rest, std::string_view any_of) {
  if (rest.empty() || any_of.find(rest.front()) == std::string_view::npos)
    return false;
  rest.remove_prefix(1);
  return true;
}

} // namespace

std::string to_rfc3339(time_ms t) {
  if (t < 0)
    t = 0;
  if (t > max_time_ms)
    t = max_time_ms;
  const auto d = date_from(t / 86400000);
  const auto ms = static_cast<int>(t % 86400000);
  char text[64];
  const int n =
      std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", d.year, d.month,
                    d.day, ms / 3600000, ms / 60000 % 60, ms / 1000 % 60, ms % 1000);
  return std::string(text, static_cast<std::size_t>(n));
}

std::optional<time_ms> parse_rfc3339(std::string_view text) {
  date d{};
  int hour = 0, minute = 0, second = 0;
  if (!digits(text, 4, d.year) || !take(text, "-") || !digits(text, 2, d.month) ||
      !take(text, "-") || !digits(text, 2, d.day) || !take(text, "Tt") || !digits(text, 2, hour) ||
      !take(text, ":") || !digits(text, 2, minute) || !take(text, ":") || !digits(text, 2, second))
    return std::nullopt;
  if (d.year < 1970 || d.month < 1 || d.month > 12 || d.day < 1 ||
      d.day > days_in(d.year, d.month) || hour > 23 || minute > 59 || second > 59)
    return std::nullopt;
  std::int64_t ms = 0;
  if (take(text, ".")) {
    std::size_t n = 0;
    for (std::int64_t weight = 100; n < 9 && !text.empty() && text[0] >= '0' && text[0] <= '9';
         ++n, weight /= 10) {
      ms += weight * (text[0] - '0');
      text.remove_prefix(1);
    }
    if (n == 0)
      return std::nullopt;
  }
  std::int64_t offset_minutes = 0;
  if (!take(text, "Zz")) {
    if (text.empty() || (text[0] != '+' && text[0] != '-'))
      return std::nullopt;
    const std::int64_t sign = text[0] == '-' ? -1 : 1;
    text.remove_prefix(1);
    int h = 0, m = 0;
    if (!digits(text, 2, h) || !take(text, ":") || !digits(text, 2, m) || h > 23 || m > 59)
      return std::nullopt;
    offset_minutes = sign * (h * 60 + m);
  }
  if (!text.empty())
    return std::nullopt;
  const time_ms t = days_from(d) * 86400000 + (hour * 60LL + minute - offset_minutes) * 60000 +
                    second * 1000LL + ms;
  if (t < 0 || t > max_time_ms)
    return std::nullopt;
  return t;
}

} // namespace outband
