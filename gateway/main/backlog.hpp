/// The outbox's backlog for /metrics, one look behind: each reading starts the next look, so that a
/// scrape never waits for the database and nothing is asked when nobody scrapes.
///
/// Threads: any. The outbox must outlive it; a look that is under way may end later.
#pragma once

#include "actors/store/pg_outbox.hpp"

#include <memory>
#include <mutex>
#include <optional>

namespace outband {

class backlog_watch {
public:
  explicit backlog_watch(store::pg_outbox& outbox) : outbox_(outbox) {}

  /// What the former reading's look has found; nothing while that is not known.
  std::optional<store::outbox_backlog> now() {
    std::optional<store::outbox_backlog> found;
    {
      const std::lock_guard hold(seen_->mutex);
      if (seen_->looking)
        return std::nullopt;
      seen_->looking = true;
      found = seen_->found;
    }
    outbox_.backlog([seen = seen_](result<store::outbox_backlog> r) {
      const std::lock_guard hold(seen->mutex);
      seen->looking = false;
      seen->found = r ? std::optional(*r) : std::nullopt;
    });
    return found;
  }

private:
  struct state {
    std::mutex mutex;
    bool looking = false;
    std::optional<store::outbox_backlog> found;
  };
  store::pg_outbox& outbox_;
  std::shared_ptr<state> seen_ = std::make_shared<state>();
};

} // namespace outband
