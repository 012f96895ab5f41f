/// Which function serves which method and path; roles from messages/domain/roles.cpp.
/// Context: built at start, then read only, any thread.
#pragma once

#include "gateway/rest/call.hpp"

namespace outband::rest {

class router {
public:
  /// `rule`: "GET /api/v1/devices/{guid}", exactly as in access_rules(). A rule that is not there
  /// is remembered in missing().
  void add(std::string_view rule, dialect speaks, route serve);

  struct entry {
    std::string rule;
    web::verb method;
    std::vector<std::string> segments; ///< "{guid}" for a parameter
    role needed;
    dialect speaks;
    route serve;
  };
  struct match {
    const entry* found = nullptr; ///< null: no such path, or not with this method
    std::vector<std::string> params;
    std::string allow; ///< methods of this path; empty: no such path
  };
  /// Literal segments ignore case; a literal wins over a parameter.
  match find(web::verb method, const std::vector<std::string>& segments) const;

  /// Routes without a row in the role table.
  const std::vector<std::string>& missing() const { return missing_; }
  /// Rows of the role table without a route.
  std::vector<std::string> unserved() const;

private:
  std::vector<entry> entries_;
  std::vector<std::string> missing_;
};

void add_session_routes(router& r); ///< authorize, whoami, bus tickets
void add_account_routes(router& r); ///< tenants, accounts
void add_device_routes(router& r);
void add_device_write_routes(router& r); ///< by add_device_routes
void add_device_link_routes(router& r);  ///< by add_device_routes
void add_power_routes(router& r);
void add_amt_routes(router& r);
void add_host_routes(router& r);
void add_host_removal_routes(router& r); ///< and tenants that are to go
void add_request_routes(router& r);
void add_system_routes(router& r);
void add_admin_routes(router& r); ///< RPS's /api/v1/admin, activation tokens
void add_document_routes(router& r);
void add_audit_routes(router& r);
/// All of the above; for make_api and for the test that every rule is served.
router make_router();

/// Which operation of messages/amt/catalogue.hpp a route is; empty: none.
std::string_view operation_of(std::string_view rule);

} // namespace outband::rest
