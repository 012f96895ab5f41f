/// The member `connection` of a device: how it is reached.
///
///   {"kind":"direct","host":"10.0.0.5","port":16993,"tls":true,"pin":"sha256:<64 hex digits>"}
///   {"kind":"cira"}, or null: it calls home
///
/// `pin` may be an array of up to four (a certificate is about to be renewed), or "first-use": the
/// first certificate seen is pinned once login and GUID were right. Ours; MPS knows only CIRA.
/// Context: pure, any thread. Limits: a host of 253 octets. Addresses are judged when they are
/// connected to (gateway/direct/address_policy), since a name may mean another one tomorrow.
#pragma once

#include "messages/domain/direct.hpp"
#include "messages/rest/device_body.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace outband::rest {

/// A host name (labels of letters, digits, '-' and '_') or a numeric IPv4 or IPv6 address without
/// zone and brackets.
bool valid_host(std::string_view host);

/// nullopt: CIRA. Mistakes go to `errors`, each with its path below `path`, and the value is of no
/// use then.
std::optional<direct_connection> parse_connection(const json::value& given, const std::string& path,
                                                  std::vector<field_error>& errors);
json::value connection_json(const std::optional<direct_connection>& how);

} // namespace outband::rest
