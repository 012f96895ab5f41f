/// Whether what answers on a machine's local TLS port is AMT, and ours.
///
/// Before it has a certificate of ours, AMT 19+ shows one that Intel's OnDie CA issued when the
/// chip was made, with further issuers inside the chip; OpenSSL's own verification refuses it (no
/// usage that it knows, no name). Afterwards it shows the one that this site issued.
/// Sources: rps src/TLSTunnelManager.ts (order, signatures, validity; no extended key usage), rpc
/// internal/certs/lmsTls.go (names of the leaf). Stricter than both: an issuer must be an
/// authority. Context: pure, any thread; at most 10 certificates.
#pragma once

#include "messages/provisioning/certificate.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace outband::provisioning {

/// "OnDie CA Root Cert Signing", EC P-384, 2019-04-03 to 2049-12-31, as Intel publishes it
/// (tsci.intel.com, OnDie_CA_RootCA_Certificate.cer); SHA-256
/// beb40bb7507b33967226aa80e084749fbb6593893c642e818d682e9a8d07fc24.
const certificate& intel_ondie_root();

/// The machine's chain, DER, leaf first, up to one of `roots` or to what one of them signed. The
/// answer is the leaf. problem::unauthenticated says which certificate is wrong, and how.
result<certificate> check_firmware_chain(const std::vector<std::string>& chain,
                                         const std::vector<certificate>& roots, time_ms now);

struct site_trust {
  std::vector<certificate> authorities; ///< that may have issued the machine's certificate
  std::string pinned_sha256;            ///< hexadecimal digits, any case; empty: none
  std::string common_name;              ///< that an issued one must have; empty: any
};
/// After we gave it a certificate: the pinned one, or a valid one that an authority of this site
/// signed. The answer is the leaf.
result<certificate> check_site_chain(const std::vector<std::string>& chain, const site_trust& trust,
                                     time_ms now);

} // namespace outband::provisioning
