/// The server's REST interface as this program uses it.
///
/// Every failure is in words for people; `what` is the server's own problem where it told one.
/// Context: blocks; one api per thread. Source of the answers' forms: gateway/rest.
#pragma once

#include "messages/domain/documents.hpp"
#include "tools/cli/commands.hpp"
#include "tools/cli/host.hpp"
#include "tools/cli/session.hpp"
#include "tools/common/https_client.hpp"

#include <string>
#include <vector>

namespace outband::cli {

/// A failure out of an answer that is not 2xx: the first sentence found in whichever of the
/// server's error forms (MPS, EMF, validation) it is.
failure failure_of(const https::answer& a);

struct whoami {
  std::string name, tenant, role;
  bool site_admin = false;
};
struct tenant {
  std::string key, name;
};
struct bus_ticket {
  std::string username, password, client_id_prefix, tenant;
  std::string mqtt_host; ///< empty: the REST server's
  int mqtt_port = 0;     ///< 0: 8883
  std::string mqtt_ca;   ///< PEM; empty: the same roots as for REST
};
/// What became of a request, as the server has stored it.
struct request_outcome {
  request_status status = request_status::accepted;
  revision rev = 0;
  std::string text;
  std::optional<problem> why;
};

/// A page of the audit trail, newest first.
struct audit_rows {
  std::vector<json::value> rows;
  std::string next; ///< cursor; empty: that was the last page
};

class api {
public:
  api(https::transport& to, const session& as) : to_(to), as_(as) {}

  /// The token.
  result<std::string> sign_in(const std::string& user, const std::string& password);
  result<whoami> who();
  result<std::vector<tenant>> tenants();
  result<std::string> server_version();

  /// All hosts of the tenant, page by page, by name.
  result<std::vector<host>> hosts();
  /// By id, GUID or name; several of a name are a usage error that lists them.
  result<host> find_host(const std::string& named);
  /// Registers or updates; the GUIDs of those the server now has. `devices` is one JSON object or
  /// a list of them, passed on as it is.
  result<std::vector<device_id>> create_hosts(const std::string& devices);
  /// Stores the order under this id; answers when it is stored.
  result<host> order_power(const host& h, const set_host_command& c, const uuid& request);
  /// not_found until the order is stored.
  result<request_outcome> outcome(const uuid& request);
  result<bus_ticket> ticket();
  /// `query`: "?$top=...".
  result<audit_rows> audit(const std::string& query);

private:
  result<json::value> call(https::request what);
  result<json::value> get(std::string path);
  https::transport& to_;
  const session& as_;
};

} // namespace outband::cli
