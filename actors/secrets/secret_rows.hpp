/// Where sealed secrets are kept. Declared here, implemented by actors/store over the table
/// `secret`, so that this folder knows no libpq.
///
/// Threads as for store_port: called from any thread, never blocks, completions exactly once on
/// the store's I/O thread. A device that this tenant does not have is not_found.
#pragma once

#include "actors/ports/secrets.hpp"

#include <vector>

namespace outband::secrets {

enum class slot : std::uint8_t { active, pending };

struct sealed_row {
  slot where = slot::active;
  std::uint64_t version = 0; ///< part of the associated data
  std::string key_id;        ///< of the master key that sealed it
  std::string sealed;        ///< nonce, ciphertext, tag
};

class secret_rows {
public:
  virtual ~secret_rows() = default;
  /// At most one row per slot.
  virtual void read(device_ref ref, secret_name name, answer<std::vector<sealed_row>> cb) = 0;
  /// Replaces what is in the row's slot.
  virtual void write(device_ref ref, secret_name name, sealed_row row, answer<nothing> cb) = 0;
  /// Moves pending to active in one transaction; not_found if nothing is pending.
  virtual void promote(device_ref ref, secret_name name, answer<nothing> cb) = 0;
  /// Nothing pending is success.
  virtual void discard_pending(device_ref ref, secret_name name, answer<nothing> cb) = 0;
};

} // namespace outband::secrets
