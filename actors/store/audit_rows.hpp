/// What the statements that write audit rows share. Internal to this folder.
#pragma once

#include "actors/ports/store.hpp"
#include "actors/store/connections.hpp"

#include <atomic>
#include <memory>

namespace outband::store {

/// Columns of an audit_row from `audit a`. An open one past its deadline reads as `unknown`.
/// `whole`: with the document, which may be large.
std::string audit_columns(bool whole);
inline constexpr int audit_column_count = 19;
/// The row whose columns begin at `first`.
audit_row read_audit(const rows& from, int row, int first);

/// Text for a column, whatever somebody made of it: valid UTF-8, no control characters, at most
/// `limit` octets. A trail must not fail on what it is to record.
std::string storable(std::string_view text, std::size_t limit);
inline constexpr std::size_t max_audit_words = 512, max_audit_argument = 4096,
                             max_audit_document = 64 * 1024;

/// What a final response leaves in the audit row of its command.
audit_outcome stored_outcome(const command_row& c);

/// Removes what is older than `keep`, in batches, when the first row of a day is written.
/// Context: the database's thread.
class audit_broom : public std::enable_shared_from_this<audit_broom> {
public:
  audit_broom(connections& db, std::chrono::hours keep) : db_(db), keep_(keep) {}
  /// A row was written at `now`, by the database's clock.
  void written(time_ms now);

private:
  void sweep(time_ms before);
  connections& db_;
  std::chrono::hours keep_;
  time_ms day_ = -1; ///< the last one that was swept
};

} // namespace outband::store
