#pragma once

#include <string_view>

namespace outband::store {

extern const std::string_view schema_0008;

} // namespace outband::store
