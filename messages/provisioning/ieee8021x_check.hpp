/// Can an 802.1x configuration be written to a machine with nobody's help?
///
/// RPS asks an Enterprise Assistant for a certificate (EAP-TLS) and for every user name and
/// password. Here the configuration has the latter itself, and what needs a certificate of the
/// machine's own is refused. Context: pure.
#pragma once

#include "messages/domain/provisioning.hpp"
#include "messages/domain/result.hpp"

namespace outband::provisioning {

/// problem::unsupported or problem::malformed; names the configuration and the field.
status check_ieee8021x(const ieee8021x_config& c, bool password_stored);

} // namespace outband::provisioning
