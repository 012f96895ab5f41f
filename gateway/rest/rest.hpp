/// The REST interface: MPS's device routes, EMF's hosts, sign-in, tenants, health, the page.
///
///   auto api = rest::make_api(services);      // fails if a route has no row in the role table
///   web::server::start(pool, options, *api, upgrades);
///
/// Every route's role comes from messages/domain/roles.cpp. Threads: the handler never blocks and
/// may be called from any thread; what it needs must outlive it. Answers leave on whatever thread
/// the port's callback runs.
#pragma once

#include "actors/ports/audit.hpp"
#include "actors/ports/clock.hpp"
#include "actors/ports/control.hpp"
#include "actors/ports/direct.hpp"
#include "actors/ports/provisioning.hpp"
#include "actors/ports/secrets.hpp"
#include "actors/ports/store.hpp"
#include "gateway/http/server.hpp"
#include "messages/domain/roles.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace outband::auth {
class service;
}

namespace outband {
class removal_rows;
}

namespace outband::rest {

/// How those act who show a client certificate (EMF's managers, which authenticate nowhere).
struct certificate_rule {
  role held = role::operator_; ///< in every tenant: they name it per request
  tenant_key tenant;           ///< where they are if they name none; empty: they must
};

struct services {
  store_port* store = nullptr;
  secrets_port* secrets = nullptr;
  direct_rows* direct = nullptr;             ///< null: nobody can be connected to
  provisioning_port* provisioning = nullptr; ///< null: nothing below /api/v1/admin but health
  removal_rows* removals = nullptr;          ///< null: machines are removed as they are
  control_port* control = nullptr;
  clock_port* clock = nullptr;
  auth::service* auth = nullptr;
  audit_port* audit = nullptr;
  /// Success, or why the broker cannot be used now.
  std::function<status()> bus_state;
  /// Runs something after a while, on any thread; empty: never.
  std::function<void(std::chrono::milliseconds, std::function<void()>)> later;
  /// Runs what takes up to a second, on a thread of its own; false: too much is waiting. Empty: at
  /// once.
  std::function<bool(std::function<void()>)> heavy;
  /// More metrics of the process; empty: none. Prometheus text, appended to ours.
  std::function<std::string()> more_metrics;
  std::string version; ///< "0.1.0"
  std::string node;    ///< this node's name
  /// Where the bus ticket may be used besides /mqtt; port 0: nowhere.
  std::string broker_host; ///< empty: the host the client reached us by
  std::uint16_t broker_port = 0;
  std::string broker_ca; ///< PEM root of its certificate
  std::string cira_ca;   ///< PEM, served at /api/v1/ciracert; empty: none, 500 as MPS
  std::string page_dir;  ///< served at /; empty: no page
  /// For requests with web::request::certificate_name; absent: that name counts for nothing.
  std::optional<certificate_rule> certificates;
  std::string ui_origin; ///< extra origin the page may connect to (CSP connect-src); may be empty
};

/// A handler for web::server, or which route or rule does not fit the role table.
result<web::handler> make_api(services s);

} // namespace outband::rest
