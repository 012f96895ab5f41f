/// What clients send to RPS's /api/v1/admin/**, and what they get back.
///
/// Source: rps src/routes/admin (validators, create.ts, edit.ts); rules, words and members are
/// RPS's, the differences are in gateway/rest/COMPATIBILITY.md. Whether a name that a body mentions
/// exists is the store's to say. Passwords leave here as plain_secrets and never go back into JSON.
/// Context: pure, any thread. Limits: names and texts 256 octets, root certificate 16 KiB, PFX
/// 64 KiB before base64, 64 tags of 64 octets.
#pragma once

#include "messages/domain/provisioning.hpp"
#include "messages/rest/device_body.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace outband::rest {

/// Fields that a body sets, by the names of the store; an empty text removes one. Not sealed yet.
using plain_secrets = std::map<std::string, std::string>;

struct check_options {
  bool fresh = true;     ///< POST, else PATCH
  bool if_match = false; ///< a header tells the version
};

/// For each kind of object.
/// - check: what is wrong with the body; empty: read() and secrets() may be called.
/// - read: the object after the request; `old` is the one that is stored (PATCH) or a default.
/// - secrets: `next` is what read() gave.
/// - show: as GET answers it, without secrets.
template <class T> struct admin_body;

#define OUTBAND_ADMIN_BODY(type)                                                                   \
  template <> struct admin_body<type> {                                                            \
    static std::vector<field_error> check(const json::value& body, check_options how);             \
    static type read(const json::value& body, type old, bool fresh);                               \
    static plain_secrets secrets(const json::value& body, const type& next);                       \
    static json::value show(const type& what, const tenant_key& tenant);                           \
  }
OUTBAND_ADMIN_BODY(cira_config);
OUTBAND_ADMIN_BODY(profile);
OUTBAND_ADMIN_BODY(wireless_config);
OUTBAND_ADMIN_BODY(ieee8021x_config);
OUTBAND_ADMIN_BODY(proxy_config);
OUTBAND_ADMIN_BODY(domain);
#undef OUTBAND_ADMIN_BODY

/// Why a profile cannot become `next`, in RPS's words: admin control mode needs a MEBx password
/// that is given, random or stored.
std::optional<std::string> refused_change(const json::value& body, const profile& old,
                                          const profile& next);
/// PATCH of a CIRA configuration asks for a new random password.
bool wants_new_password(const json::value& body);

// -- one-time tokens ----------------------------------------------------------------------------

struct token_body {
  provisioning_act act = provisioning_act::activate;
  std::optional<std::string> profile;
  std::optional<device_id> device;
  std::int64_t expires_in = 3600; ///< seconds
};
inline constexpr std::int64_t max_token_life = 30 * 24 * 3600; ///< seconds
/// {profile?, guid?, operation?, expiresIn?}
std::variant<token_body, std::vector<field_error>> parse_token_body(const json::value& body);
json::value token_json(const activation_token& token);
json::value activation_json(const activation_row& row);

} // namespace outband::rest
