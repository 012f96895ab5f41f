/// What is wrong with a provisioning certificate, in words, before a machine's firmware says "5".
///
/// The firmware answers AddNextCertInChain and AdminSetup with a number that fits a dozen causes;
/// the peers check at most that the file opens, and the machine's list of hashes. Rules and their
/// sources: firmware_policy.hpp and domain_suffix.hpp; usage, order and count: Open AMT docs,
/// "Remote Provisioning Certificates", and rps src/routes/admin/domains/domain.ts.
/// Context: pure, any thread; the time is handed in.
#pragma once

#include "messages/provisioning/firmware_policy.hpp"
#include "messages/provisioning/pfx.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace outband::provisioning {

/// Never renumber or reuse the texts of code(): scripts and the page depend on them.
enum class defect_kind : std::uint8_t {
  no_root,       ///< the chain ends before a self-signed certificate
  chain_gap,     ///< a certificate between the leaf and the root is missing
  not_authority, ///< an issuer that may not sign certificates
  file_order,    ///< the leaf is not the file's first certificate; only the peers mind
  unrelated,     ///< certificates of no chain; they are not sent
  too_many,      ///< more than 4 in the chain
  expired,
  not_yet_valid,
  expires_soon,
  not_rsa,
  key_too_small,
  weak_hash,       ///< SHA-1 or MD5 where this firmware refuses it
  needs_sha384,    ///< this firmware refuses SHA-256
  unproven_sha384, ///< firmware before AMT 21 is not known to verify it
  no_amt_usage,    ///< neither the extended key usage nor the unit
  suffix_mismatch,
  suffix_likely,    ///< only the last labels agree, and not below .com or .net
  suffix_unknown,   ///< the machine told no suffix
  root_not_trusted, ///< by this machine
  roots_unknown,    ///< the machine told no hashes
};
/// "root-not-trusted"
std::string_view code(defect_kind k);

struct defect {
  defect_kind what;
  bool blocks;      ///< activation cannot succeed; else it may
  std::string text; ///< one sentence, no secrets
};

struct certificate_report {
  std::vector<defect> defects;       ///< those that block first
  time_ms expires = 0;               ///< the earliest end in the chain
  std::vector<std::string> suffixes; ///< which would fit: fitting_suffixes()
  bool usable() const;
  bool has(defect_kind k) const;
  /// The texts of the defects that block, or of all if none does; "" if there are none.
  std::string text() const;
};

/// Days before its end that a certificate is warned about; issue texts and events use the same.
inline constexpr int expiry_notices[] = {90, 30, 7};
/// The smallest notice that `now` is within: 90, 30 or 7; 0: expired; nullopt: none yet.
std::optional<int> expiry_notice(time_ms not_after, time_ms now);

/// When it is uploaded: nothing is known but the domain's suffix. What only some generations refuse
/// is told without blocking.
certificate_report check_upload(const provisioning_certificate& c, std::string_view domain_suffix,
                                time_ms now);

/// What a machine says of itself in the first message of an activation.
struct machine_facts {
  std::string version;                  ///< "16.1.27.2192"
  std::vector<std::string> root_hashes; ///< `certHashes`: hexadecimal digits, any case
  std::string dns_suffix;               ///< empty: it told none
};
/// When a machine is about to be activated with it.
certificate_report check_for_machine(const provisioning_certificate& c, const machine_facts& m,
                                     time_ms now);

} // namespace outband::provisioning
