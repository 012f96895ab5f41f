/// The master key: a file of 64 hex digits that nobody but its owner may read.
///
/// Blocking; called once from main before threads serve.
#pragma once

#include "actors/secrets/sealing.hpp"

namespace outband::secrets {

/// Reads the key; when there is no such file, creates it (mode 0600) with a new random key. Two
/// processes that start at once on one file system agree on one key. `forbidden` when others may
/// read or write the file, `malformed` when it holds something else, `internal` on I/O errors; the
/// detail names the file.
result<aes_key> load_or_create_key(const std::string& path);

} // namespace outband::secrets
