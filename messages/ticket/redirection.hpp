/// The token that opens one machine's KVM, SOL or IDE-R relay for a few minutes.
///
/// HS256 and these claims because MPS's clients expect them: they hand the token on without
/// looking, but gateways in between (Kong's JWT plugin) check it with a shared secret. Whoever has
/// the token needs no other: it names one device of one tenant and ends soon. Source: MPS
/// src/routes/auth/getRedirectionToken.ts.
/// Context: pure; clock and key are handed in; any thread.
#pragma once

#include "messages/domain/ids.hpp"
#include "messages/domain/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace outband::ticket {

inline constexpr std::size_t redirection_key_octets = 32; ///< at least; shorter keys are refused

struct redirection_claims {
  std::string issuer;
  tenant_key tenant;          ///< "tenantId"
  device_id device;           ///< "deviceId"
  std::string subject;        ///< "sub": who asked, "op/alice"; MPS has no such claim
  std::int64_t expires_s = 0; ///< "exp"
};

/// Header {"alg":"HS256","typ":"JWT"}, as MPS makes it.
result<std::string> sign_redirection(const redirection_claims& c, std::string_view key);

/// Every refusal is problem::unauthenticated with the claim in `field`.
result<redirection_claims> verify_redirection(std::string_view token, std::string_view key,
                                              std::string_view issuer, std::int64_t now_s);

/// A key for one purpose from a random master key: HMAC-SHA256 of the purpose's name. Two purposes
/// have unrelated keys, and neither tells the master key.
std::string derived_key(std::string_view master, std::string_view purpose);

} // namespace outband::ticket
