/// Versioned schema, compiled in and applied at start.
///
/// Blocking; called from main before threads serve. Several nodes may start at once: an advisory
/// lock lets one migrate and the others find it done.
#pragma once

#include "messages/domain/result.hpp"

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace outband::store {

struct migration {
  int version; ///< 1, 2, 3, ... without gaps
  std::string_view name;
  std::string_view sql; ///< several statements; never changed once released
};
const std::vector<migration>& migrations();

struct migrated {
  int from = 0; ///< 0: an empty database
  int to = 0;
};

/// Brings the database to the newest version this program knows. `unsupported` when the database
/// is newer, or when a version that was applied differs from the one compiled in;
/// `store_unavailable` when it cannot be reached or another node migrates for longer than
/// `patience`. Each version is one transaction.
result<migrated> migrate(const std::string& dsn,
                         std::chrono::seconds patience = std::chrono::seconds(60),
                         const std::vector<migration>& known = migrations());

} // namespace outband::store
