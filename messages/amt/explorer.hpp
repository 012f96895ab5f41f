/// Any class of the firmware, as it is: for people who look for what this program has no view of.
///
/// Source: Console internal/usecase/amtexplorer, whose names ("AMTGeneralSettings") are understood
/// too. Context: pure, see wsman/talk.hpp.
#pragma once

#include "messages/wsman/talk.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace outband::amt {

/// "AMTGeneralSettings" and "AMT_GeneralSettings" -> "AMT_GeneralSettings"; empty if it is no name
/// of a class of the families AMT_, CIM_ and IPS_.
std::string explored_class(std::string_view name);

struct explored {
  std::vector<const wsman::node*> instances; ///< of subclasses too
  bool by_get = false;                       ///< one instance; otherwise enumerated
};
/// With selectors that one instance; without, all there are, or the only one of a class that this
/// firmware does not enumerate.
result<explored> explore(wsman::talk& t, std::string_view cls,
                         const std::vector<wsman::selector>& at);

/// The element as text, indented by two blanks; its class's namespace is declared, prefixes are not
/// those of the firmware.
std::string as_xml(const wsman::node& element);

} // namespace outband::amt
