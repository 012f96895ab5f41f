/// What MPS says on its one topic, "mps/events", and RPS of activations on "rps/events", for sites
/// whose consumers still read them.
///
/// Ours is better informed and said elsewhere (messages/bus/topics.hpp); this is MPS's vocabulary
/// made from it. Source: MPS 2.34 src/utils/MqttProvider.ts and the publishEvent() calls of
/// src/routes/amt; RPS src/stateMachines/activation.ts. Different on purpose: `guid` is never
/// missing, `tenantId` is added, and texts that MPS got wrong say what happened. Context: pure, any
/// thread.
#pragma once

#include "messages/domain/ids.hpp"
#include "messages/rest/json.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace outband::bus {

inline constexpr std::string_view mps_events_topic = "mps/events";
inline constexpr std::string_view rps_events_topic = "rps/events";

struct mps_event {
  enum class kind : std::uint8_t { request, success, fail } type = kind::request;
  std::string method; ///< "AMT_GetFeatures"
  std::string message;
};

/// An operation (messages/amt/catalogue.hpp) is carried out; nullopt: MPS says nothing then.
std::optional<mps_event> mps_begun(std::string_view operation);
/// It is over. `outcome` is the firmware's ReturnValue, 0 where it tells none.
std::optional<mps_event> mps_ended(std::string_view operation, const json::value& argument,
                                   const result<std::int64_t>& outcome);
/// A tunnel was opened.
mps_event mps_connected();
/// Somebody asked for a machine that has none.
mps_event mps_not_connected();

/// The JSON text that goes on the topic.
std::string mps_payload(const mps_event& e, const device_ref& about, time_ms now);

/// What RPS says of an activation: `mode` is the report's words for where the machine has got
/// ("Client control mode."); empty: it has got nowhere. The JSON text for its topic.
std::string rps_payload(std::string_view mode, const device_ref& about, time_ms now);

/// Every operation that MPS has a word for.
std::vector<std::string_view> mps_operations();

} // namespace outband::bus
