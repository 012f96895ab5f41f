/// What our own tickets say: the MQTT password of people and systems, and the REST token of
/// built-in accounts.
///
/// One shape for both; the audience keeps them apart, so a REST token opens no bus connection and
/// the other way round. The bus ticket's `acl` claim has the form that EMQX's JWT authentication
/// reads (docs: access-control/authn/jwt, "acl" with pub, sub and all); Mosquitto's plugin of ours
/// decides from `tenant` and `role` instead, so a later role table applies at once.
/// Context: pure; the clock and the random jti are handed in.
#pragma once

#include "messages/domain/roles.hpp"
#include "messages/ticket/jwt.hpp"

namespace outband::ticket {

inline constexpr std::string_view default_issuer = "outband";
inline constexpr std::string_view bus_audience = "outband-bus";
inline constexpr std::string_view rest_audience = "outband-rest";

struct topic_acl {
  std::vector<std::string> publish;   ///< "pub"
  std::vector<std::string> subscribe; ///< "sub"
  std::vector<std::string> both;      ///< "all"; we write it empty
};

struct claims {
  std::string issuer{default_issuer};
  std::string audience;
  std::string subject;           ///< the user's name, "alice"
  std::string tenant;            ///< tenant key
  role held = role::none;        ///< "role"
  std::string id;                ///< "jti", for revocation
  std::int64_t issued_s = 0;     ///< "iat"
  std::int64_t not_before_s = 0; ///< "nbf"; 0: not given
  std::int64_t expires_s = 0;    ///< "exp"
  std::string username;          ///< bus only: "acme/op/alice"
  topic_acl acl;                 ///< bus only
};

/// The claims of a bus ticket with user name and acl from the role table. `jti`: unique, e.g. a
/// UUID. Refuses identities that may not have a ticket (machines, role none, bad names).
result<claims> make_bus_claims(const bus_identity& who, std::string jti, std::int64_t now_s,
                               std::chrono::seconds lifetime);

/// Header, claims and signature; refuses claims that verify_claims would refuse.
result<std::string> sign_claims(const claims& c, const signing_key& key);

/// jwt's verify() plus the types and limits of the members above.
result<claims> verify_claims(std::string_view token, const verifying_keys& keys,
                             const expectations& expected, std::int64_t now_s);

/// The bus identity that a verified bus ticket stands for: its username must name the ticket's own
/// tenant and subject, as a person ("op") or external system ("ext"), never a machine.
result<bus_identity> identity_of(const claims& c);

} // namespace outband::ticket
