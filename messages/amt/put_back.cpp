#include "messages/amt/put_back.hpp"

#include <algorithm>

namespace outband::amt {

std::string put_back(const wsman::node& instance, const std::vector<new_value>& changes,
                     const std::vector<std::string_view>& without) {
  std::string out;
  for (const auto& c : instance.children) {
    if (std::find(without.begin(), without.end(), c.name) != without.end())
      continue;
    const auto change = std::find_if(changes.begin(), changes.end(),
                                     [&](const auto& n) { return n.name == c.name; });
    out += wsman::property(c.name, change != changes.end() ? std::string_view(change->value)
                                                           : std::string_view(c.text));
  }
  for (const auto& n : changes)
    if (n.add && instance.child(n.name) == nullptr)
      out += wsman::property(n.name, n.value);
  return out;
}

} // namespace outband::amt
