/// Version 5 of the schema. Released: never changed; later versions are files of their own.
#pragma once

#include <string_view>

namespace outband::store {
extern const std::string_view schema_0005;
}
