/// scrypt hashes of passwords (RFC 7914): "scrypt$N$r$p$salt$hash", base64url without padding.
/// Context: any thread, but slow on purpose (tens of milliseconds): see worker.hpp.
#pragma once

#include "gateway/auth/auth.hpp"

namespace outband::auth {

inline constexpr std::size_t min_password = 8, max_password = 256; // octets

/// malformed: shorter or longer than allowed.
result<std::string> hash_password(const secret_text& password, const scrypt_cost& cost);

/// false for a wrong password and for a stored text that is not ours; cost beyond 128 MiB is
/// refused, so that a row in the database cannot stop the server.
bool password_matches(const secret_text& password, std::string_view stored);

} // namespace outband::auth
