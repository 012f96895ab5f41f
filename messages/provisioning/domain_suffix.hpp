/// DNS suffixes: which domain a machine belongs to, and which suffixes a provisioning certificate
/// is good for.
///
/// Sources: rps src/DomainCredentialManager.ts (doesDomainExist) for the lookup; Intel support
/// article 000100444 (the domain part of the CN must equal the suffix from MEBx or DHCP option 15);
/// Intel vPro community, 2007-09-28, message 1395 (from AMT 2.6 on the last two labels suffice, for
/// .com and .net only). Context: pure, any thread. Comparison is ASCII, without regard to case; a
/// dot at either end means nothing (MEBx leaves a lone "." behind).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace outband::provisioning {

/// Lower case, without dots at the ends.
std::string normal_suffix(std::string_view suffix);

/// What to look a machine's domain up by, most specific first: the whole suffix, then without its
/// leading labels until two remain. At most 16; empty if the suffix is.
std::vector<std::string> suffix_candidates(std::string_view suffix);

enum class suffix_fit : std::uint8_t {
  none,
  likely, ///< the last labels agree, which firmware is documented to accept for .com and .net only
  good,
};
/// Whether firmware with this suffix accepts a certificate with this common name.
suffix_fit fits_suffix(std::string_view common_name, std::string_view suffix);

/// Which suffixes would fit, for people: "vpro.example.com", "example.com", "*.example.com". Empty
/// if the common name is no host name.
std::vector<std::string> fitting_suffixes(std::string_view common_name);

} // namespace outband::provisioning
