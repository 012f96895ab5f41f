/// Who may do what: the one table for REST routes, bus topics and bus acts.
///
/// The REST router refuses to start with a route that has no row; the broker plugin grants a topic
/// only if a row matches; the request handler looks up the act. Context: pure, any thread.
#pragma once

#include "messages/domain/ids.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace outband {

/// Within one tenant; each includes those before it. `site_admin` is above tenants.
enum class role : std::uint8_t { none, viewer, operator_, admin, site_admin };
std::string_view to_string(role r);
std::optional<role> parse_role(std::string_view text);

enum class access_kind : std::uint8_t {
  route,     ///< `name` is "METHOD /path/{param}"
  publish,   ///< `name` is a topic filter; {tenant} and {self} stand for the ticket's own
  subscribe, ///< as publish
  act        ///< `name` is a request's act
};

struct access_rule {
  access_kind kind;
  std::string_view name;
  role needed; ///< role::none: anybody, even without a token
};

/// Rows in no particular order; names are unique within a kind.
const std::vector<access_rule>& access_rules();
/// nullopt: there is no such row, so nobody may.
std::optional<role> role_needed(access_kind kind, std::string_view name);

/// What a ticket says about its holder on the bus.
struct bus_identity {
  principal who; ///< person or external
  role held = role::none;
};
/// "acme/op/alice": the MQTT user name, also the path prefix of the holder's own topics.
std::string bus_username(const bus_identity& id);
/// The holder's topic filters, placeholders filled in; also what the ticket's `acl` claim lists.
std::vector<std::string> allowed_topics(const bus_identity& id, access_kind publish_or_subscribe);
/// Does a concrete topic fall under a filter (MQTT 5 section 4.7)? Filters starting with a wildcard
/// do not match topics starting with '$'.
bool topic_matches(std::string_view filter, std::string_view topic);
/// Is every topic that `asked` can match also matched by `granted`?
bool filter_covered(std::string_view granted, std::string_view asked);

/// Machines (client certificates): agents `{tenant}/dev/{guid}` and nodes `-/inst/{name}`.
bool machine_may(std::string_view username, access_kind publish_or_subscribe,
                 std::string_view topic);
/// Client id of the active controller's own connection (and "-rx" of its receiving one): the same
/// for every node, so that the broker itself ends the connection of one that has lost the lease.
inline constexpr std::string_view controller_client_id = "outband-controller";
bool person_may(const bus_identity& id, access_kind publish_or_subscribe, std::string_view topic);

} // namespace outband
