/// Asking for what not every firmware has: absence is an answer, not a failure. Context: pure.
#pragma once

#include "messages/wsman/talk.hpp"

#include <string_view>
#include <vector>

namespace outband::amt {

/// nullptr: this firmware has no such class or instance.
inline result<const wsman::node*> get_if_there(wsman::talk& t, std::string_view cls) {
  auto told = t.get(cls);
  if (!told && t.is_absent())
    return static_cast<const wsman::node*>(nullptr);
  return told;
}

/// Of that very class; empty where this firmware has no such class.
inline result<std::vector<const wsman::node*>> instances_if_any(wsman::talk& t,
                                                                std::string_view cls) {
  auto items = t.list(cls);
  if (items)
    return wsman::instances(**items, cls);
  if (t.is_absent())
    return std::vector<const wsman::node*>{};
  return items.error();
}

} // namespace outband::amt
