/// The topic tree: builders and the one parser. ARCHITECTURE.md tells who may use which.
///
/// A level is `[a-z0-9-]{1,64}`, GUIDs are lower case, a tenant is a slug; "-" in the tenant's
/// place is the platform itself. Builders trust their arguments (valid_level, valid_tenant_key);
/// the parser trusts nobody. Consumers ignore topics they do not know: v1 may gain levels and
/// classes. Context: pure, any thread.
#pragma once

#include "messages/domain/documents.hpp"
#include "messages/domain/ids.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace outband::bus {

/// Decides the encoding of everything below it.
enum class root : std::uint8_t {
  native, ///< "oob/v1", MessagePack, between our own programs
  json    ///< "oobx/v1", CloudEvents JSON, for other systems
};
inline constexpr std::string_view native_root = "oob/v1";
inline constexpr std::string_view json_root = "oobx/v1";
std::string_view to_string(root r);

// Public, one set per device. All retained except event.
std::string desired_topic(const device_ref& ref, root r = root::native);
std::string current_topic(const device_ref& ref, root r = root::native);
std::string presence_topic(const device_ref& ref, root r = root::native);
std::string event_topic(const device_ref& ref, event_class c, root r = root::native);
/// Retained. `kind`: see `fact` in messages/domain/documents.hpp.
std::string fact_topic(const device_ref& ref, std::string_view kind, root r = root::native);

/// `by` is a person or an external system: the identity is in the path, and the broker guards it.
std::string request_topic(const tenant_key& tenant, const principal& by, const device_id& device,
                          root r = root::native);
/// `client` distinguishes the connections of one principal.
std::string response_topic(const tenant_key& tenant, const principal& by, std::string_view client,
                           root r = root::native);
/// Retained facts about a tenant: "bus", "summary".
std::string meta_topic(const tenant_key& tenant, std::string_view name, root r = root::native);
/// What only a tenant's administrators may read: "audit", the events of acts without a device.
std::string admin_topic(const tenant_key& tenant, std::string_view name, root r = root::native);

// Between our own programs, MessagePack only. Presence and canary are retained.
std::string node_presence_topic(std::string_view instance);
std::string node_work_topic(std::string_view instance);
std::string node_observations_topic(std::string_view instance);
/// Live reads: a work_body goes to `ask`, its amt_answer comes to `reply` of the asking node.
std::string node_ask_topic(std::string_view instance);
std::string node_reply_topic(std::string_view instance);
std::string controller_presence_topic();
/// "The store has something new for this device": api to the active controller.
std::string controller_wake_topic();
/// A counter that tells whether the broker lost or rolled back its store.
std::string canary_topic();

// What the controller subscribes to. Disjoint.
/// `kind` is person or external.
std::string request_filter(principal::kind kind, root r = root::native);
std::string node_presence_filter();
std::string node_observations_filter();

enum class topic_kind : std::uint8_t {
  desired,
  current,
  presence,
  event,
  request,
  response,
  meta,
  node_presence,
  node_work,
  node_observations,
  node_ask,
  node_reply,
  controller_presence,
  controller_wake,
  canary,
  admin,
  fact,
};
std::string_view to_string(topic_kind k);

struct parsed_topic {
  topic_kind kind = topic_kind::desired;
  bus::root root = bus::root::native;
  tenant_key tenant;               ///< "-" for the platform's topics
  device_id device;                ///< desired, current, presence, event, request, fact
  event_class cls{};               ///< event
  std::optional<principal> caller; ///< request, response: who owns the path
  std::string client;              ///< response
  std::string instance;            ///< node_*
  std::string name;                ///< meta, admin, fact

  device_ref ref() const { return {tenant, device}; }
};
/// nullopt for anything that no builder makes. Filters (`+`, `#`) are not topics.
std::optional<parsed_topic> parse_topic(std::string_view topic);

/// May an answer to this request go there? Only to the caller's own `rsp/{client}` under the same
/// root: otherwise a client could make the server publish anywhere.
bool may_answer(const parsed_topic& request, std::string_view response_topic);

} // namespace outband::bus
