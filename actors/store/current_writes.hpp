/// What is observed of machines, written for many of them by one statement.
///
/// A write that arrives while a statement is under way shares the next one; one that arrives when
/// nothing is under way leaves at once. Each is guarded by its own revision and fence and answered
/// by itself. Internal to this folder.
#pragma once

#include "actors/ports/store.hpp"
#include "actors/store/batcher.hpp"

#include <atomic>
#include <memory>
#include <utility>

namespace outband::store {

class connections;
class rows;

/// One write in a statement of its own; checked already.
void save_one(connections& db, current_write w, answer<current_written> cb);
/// A link that is late is up: the link table knows no third thing.
std::string_view told_state(link_state s);
bool power_satisfied(const current_state& s);

class current_writes : public std::enable_shared_from_this<current_writes> {
public:
  explicit current_writes(connections& db) : db_(db) {}

  /// Whether it may share: nobody waits for its commit, no command goes with it, and it is small.
  static bool shares(const current_write& w);
  /// Any thread; `w` is checked already.
  void save(current_write w, answer<current_written> cb);

private:
  struct item {
    std::pair<tenant_key, device_id> key;
    current_write write;
    answer<current_written> cb;
  };

  void pump();
  void written(std::vector<item> batch, const rows& told);
  void one_by_one(std::vector<item> batch);

  connections& db_;
  std::atomic<std::size_t> queued_{0};
  batcher<item> waiting_{64}; ///< few enough that nobody waits long for a lock that one holds
};

} // namespace outband::store
