#include "messages/bus/describe.hpp"

#include "messages/bus/json_text.hpp"
#include "messages/domain/time.hpp"

namespace outband::bus {

void writer::put(std::string_view key, value v) {
  out_.push_back({std::string(key), std::move(v)});
}

void writer::put_integer(std::string_view key, std::uint64_t x, need n) {
  if (n == need::optional && x == 0)
    return;
  if (x > text_above_)
    put(key, std::to_string(x));
  else
    put(key, x);
}

void writer::put_name(std::string_view key, std::string_view name) {
  put(key, std::string(name));
}

void writer::text(std::string_view key, const std::string& x, std::size_t limit, need n) {
  if (n == need::required || !x.empty())
    put(key, clean_text(x, limit));
}

void writer::json(std::string_view key, const std::string& x, std::size_t limit, need n) {
  if (x.size() > limit || (x.empty() && n == need::optional))
    return;
  if (auto tree = tree_of_json(x))
    put(key, std::move(*tree));
}

void writer::flag(std::string_view key, bool x, need n) {
  if (n == need::required || x)
    put(key, x);
}

void writer::id(std::string_view key, const uuid& x, need n) {
  if (n == need::required || !x.is_nil())
    put(key, x);
}

void writer::time(std::string_view key, time_ms x, need n) {
  if (x < 0)
    x = 0;
  if (x > max_time_ms)
    x = max_time_ms;
  if (n == need::required || x != 0)
    put(key, moment{x});
}

void writer::integers(std::string_view key, const std::vector<int>& x, std::size_t limit, int,
                      int) {
  value::array all;
  for (int i : x)
    if (all.size() < limit)
      all.emplace_back(static_cast<std::uint64_t>(i));
  if (!all.empty())
    put(key, std::move(all));
}

void writer::texts(std::string_view key, const std::vector<std::string>& x, std::size_t limit,
                   std::size_t each) {
  value::array all;
  for (const auto& s : x)
    if (all.size() < limit && !s.empty())
      all.emplace_back(clean_text(s, each));
  if (!all.empty())
    put(key, std::move(all));
}

} // namespace outband::bus
