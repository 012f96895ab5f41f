/// Who is asking over HTTP, and in which tenant with which role.
/// Context: pure, any thread.
#pragma once

#include "messages/domain/result.hpp"
#include "messages/domain/roles.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace outband::auth {

struct identity {
  std::string name;          ///< `sub`
  tenant_key default_tenant; ///< `tenantId`; where the caller is if it names no tenant
  std::map<tenant_key, role> tenants;
  bool site_admin = false;
  /// Held in every tenant of the site: who shows a client certificate. No token can say so.
  role everywhere = role::none;
  bool certificate = false;                 ///< known by its certificate, not by a token
  std::int64_t issued_s = 0, expires_s = 0; ///< seconds since 1970 UTC
};

/// role::site_admin in every tenant for a site admin; else `everywhere` where no role is given.
role held_in(const identity& who, std::string_view tenant);

/// The claims as JSON (`aud` "outband-rest"; `deviceId` "*" as in MPS's login token).
std::string claims_json(const identity& who, std::string_view issuer);
/// From the payload of a verified token; problem::unauthenticated if a member is not as it must be.
result<identity> identity_from_claims(std::string_view payload_json);

} // namespace outband::auth
