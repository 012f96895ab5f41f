/// JSON that a document carries as it is (an operation's argument and result, a fact), between its
/// text and the tree. Context: pure; used by read.cpp and write.cpp only.
#pragma once

#include "messages/bus/value.hpp"
#include "messages/domain/result.hpp"

#include <string>
#include <string_view>

namespace outband::bus {

/// problem::malformed if it is no JSON.
result<value> tree_of_json(std::string_view text);
/// Compact. Octet strings have no place in it: problem::malformed.
result<std::string> json_of_tree(const value& tree);

} // namespace outband::bus
