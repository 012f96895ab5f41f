/// The site's tenants by key, EMF project id or display name, as far as a caller may see them.
///
/// Kept for a minute; a name that is not found is looked up again at most once a second, so that a
/// tenant made on another node is found at once. Context: any thread.
#pragma once

#include "actors/ports/clock.hpp"
#include "actors/ports/store.hpp"
#include "gateway/auth/identity.hpp"

#include <mutex>

namespace outband::rest {

class tenant_directory {
public:
  tenant_directory(store_port& store, clock_port& clock) : store_(store), clock_(clock) {}

  /// not_found for one that does not exist and for one that the caller has no role in, alike.
  /// `names`: also display names (EMF's project names).
  void find(const auth::identity& who, std::string text, bool names, answer<tenant_key> cb);
  /// The next find() asks the store.
  void forget();

private:
  std::optional<tenant_key> known(const auth::identity& who, const std::string& text,
                                  bool names) const;
  store_port& store_;
  clock_port& clock_;
  mutable std::mutex mutex_;
  std::vector<tenant_row> rows_;
  time_ms loaded_ = 0;
};

} // namespace outband::rest
