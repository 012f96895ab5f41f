/// A machine without configuration: what stands between one profile and the next.
///
/// Three conversations, or one: the middle one restarts the firmware's web server, and who wants to
/// be sure of the rest runs them one by one. What this firmware has not is passed over; what it
/// refuses to let go is told in `left` and the rest goes on.
/// Source: RPS src/stateMachines/unconfiguration.ts. Context: pure, see wsman/talk.hpp.
#pragma once

#include "messages/amt/cira.hpp"
#include "messages/amt/configure_tls.hpp"
#include "messages/wsman/talk.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace outband::amt {

/// What stayed though it should go: "Wi-Fi profile 'home': the firmware refused with AccessDenied".
using what_is_left = std::vector<std::string>;

struct cleared_settings {
  bool wired_8021x = false;      ///< was on
  std::size_t wifi_profiles = 0; ///< without the user's own, which have priority 0
  std::size_t proxies = 0;
  cleared_cira cira;
  bool detection = false; ///< environment detection was on
  what_is_left left;
};
/// Wired 802.1x, Wi-Fi profiles, proxies, policies, servers, environment detection.
result<cleared_settings> clear_settings(wsman::talk& t);

struct cleared_credentials {
  std::size_t contexts = 0;
  std::size_t keys = 0;
  std::size_t certificates = 0;
  std::size_t kept = 0; ///< certificates that TLS still uses, their roots, read-only ones
  what_is_left left;
};
/// TLS credential contexts, then keys, then certificates. After disable_tls(); where TLS stays on,
/// what it uses stays too: `tls_stays`.
result<cleared_credentials> clear_credentials(wsman::talk& t, bool tls_stays);

struct cleared_configuration {
  cleared_settings settings;
  tls_off tls = tls_off::was_off;
  cleared_credentials credentials;
};
/// All of it. `tls_enforced`: TLS and its certificates are left alone (AMT 19 and later).
result<cleared_configuration> clear_configuration(wsman::talk& t, bool tls_enforced);

} // namespace outband::amt
