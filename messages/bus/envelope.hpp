/// Every document of the bus as octets and back, in MessagePack and in CloudEvents JSON.
///
/// The structs of messages/domain/documents.hpp and platform.hpp are the one definition;
/// bodies.hpp lists their fields once for both encodings and both directions. Names, limits and an
/// example of each are in README.md.
///
/// Who is lenient: state, events and internal documents ignore fields they do not know, so that an
/// older program reads a newer one. Requests refuse them: a misspelt wish must not be lost
/// silently. A failure names the field: `arg.power.target: 'onn' is not one of keep, on, ...`.
///
/// Context: pure, any thread. Payloads above their limit are refused unread. Strings that
/// exceed their field's limit are cut when written, refused when read.
#pragma once

#include "messages/bus/encoding.hpp"
#include "messages/bus/platform.hpp"
#include "messages/bus/topics.hpp"
#include "messages/domain/documents.hpp"
#include "messages/domain/ids.hpp"
#include "messages/domain/result.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace outband::bus {

/// A device's whole event log fits; nearly everything else is below one thousand octets.
inline constexpr std::size_t max_payload = 524288;
/// Requests come from anybody with an account and are small.
inline constexpr std::size_t max_request = 32768;
/// Observations in one message: with every text at its limit, it stays below max_payload.
inline constexpr std::size_t max_batch = 128;
inline constexpr int schema_version = 1;

/// Key `k`; in CloudEvents the type `io.oob.{kind}.v1`, for events `io.oob.event.{type}.v1`.
enum class document : std::uint8_t {
  desired,
  current,
  presence,
  event,
  request,
  response,
  observation, ///< a batch
  work,
  answer,
  wake,
  node,
  bus,
  controller,
  canary,
  fact,
};
std::string_view to_string(document d);
std::optional<document> parse_document(std::string_view text);

/// What surrounds a body. 0, nil and empty mean absent.
struct envelope {
  uuid id;                  ///< `id`: of the message, version 7; unchanged on any resend
  document kind{};          ///< `k`: set by encode()
  time_ms time = 0;         ///< `ts`: the producer's clock; never used to order
  std::string source;       ///< `src`: "ctl-0", "term-1", "op/alice"
  revision rev = 0;         ///< `rev`: desired, current, presence; strictly increasing
  std::uint64_t seq = 0;    ///< `n`: events per (device, class), observations per incarnation
  link_epoch epoch = 0;     ///< `ep`
  std::uint64_t ctl = 0;    ///< `ce`: epoch of the controller's lease
  uuid incarnation;         ///< `inc`
  uuid correlation;         ///< `cor`: id of the first request of a workflow
  uuid causation;           ///< `cau`: id of the message that directly caused this one
  std::string trace_parent; ///< `tp`: W3C trace context
  std::string by;           ///< `by`: principal; a client's own value is never believed
  bool deleted = false;     ///< `del`: a tombstone; the body is empty
  /// The device it is about. MessagePack leaves that to the topic; CloudEvents carry it in `source`
  /// and `subject`, so whoever encodes those sets it.
  std::optional<device_ref> about;
};

template <class T> struct decoded {
  envelope env;
  T body;
};

std::string encode(const envelope& env, const desired_state& body, encoding e);
std::string encode(const envelope& env, const current_state& body, encoding e);
std::string encode(const envelope& env, const presence& body, encoding e);
std::string encode(const envelope& env, const event& body, encoding e);
std::string encode(const envelope& env, const fact& body, encoding e);
/// Its id becomes the envelope's; `target`, `by` and `channel` do not travel: the topic says them.
std::string encode(const envelope& env, const request& body, encoding e);
std::string encode(const envelope& env, const response& body, encoding e);
/// At most `max_batch` items; more are not encoded, so split before.
std::string encode(const envelope& env, const std::vector<observation>& body, encoding e);
std::string encode(const envelope& env, const work_body& body, encoding e);
std::string encode(const envelope& env, const amt_answer& body, encoding e);
std::string encode(const envelope& env, const wake& body, encoding e);
std::string encode(const envelope& env, const node_presence& body, encoding e);
/// In JSON a thousand instances with the longest names do not fit max_payload.
std::string encode(const envelope& env, const bus_instances& body, encoding e);
std::string encode(const envelope& env, const controller_presence& body, encoding e);
std::string encode(const envelope& env, const canary& body, encoding e);
/// Says that the document is gone, for late subscribers: an empty payload is invisible to them.
/// `kind` is desired, current or presence; `env.rev` is the next revision.
std::string encode_tombstone(const envelope& env, document kind, encoding e);

/// State documents: with `env.deleted` the body is a default one.
result<decoded<desired_state>> decode_desired(std::string_view payload, encoding e);
result<decoded<current_state>> decode_current(std::string_view payload, encoding e);
result<decoded<presence>> decode_presence(std::string_view payload, encoding e);
result<decoded<event>> decode_event(std::string_view payload, encoding e);
result<decoded<fact>> decode_fact(std::string_view payload, encoding e);
result<decoded<response>> decode_response(std::string_view payload, encoding e);
result<decoded<std::vector<observation>>> decode_observations(std::string_view payload, encoding e);
result<decoded<work_body>> decode_work(std::string_view payload, encoding e);
result<decoded<amt_answer>> decode_answer(std::string_view payload, encoding e);
result<decoded<wake>> decode_wake(std::string_view payload, encoding e);
result<decoded<node_presence>> decode_node_presence(std::string_view payload, encoding e);
result<decoded<bus_instances>> decode_bus_instances(std::string_view payload, encoding e);
result<decoded<controller_presence>> decode_controller_presence(std::string_view payload,
                                                                encoding e);
result<decoded<canary>> decode_canary(std::string_view payload, encoding e);

struct received_request {
  envelope env;
  /// What the client chose. Plain JSON need not have one; then `body.id` is nil until the caller
  /// gives it one, and a resend is a new request.
  std::optional<uuid> id;
  request body; ///< `target` and `by` from the topic; `channel` is "mqtt"
};
/// `topic` must be of kind request; its root decides the encoding. JSON may be a CloudEvent or a
/// plain body: {"act":"power.once","arg":{"what":"reset"},"deadline":"2026-11-21T10:00:00Z"}.
result<received_request> decode_request(std::string_view payload, const parsed_topic& topic);

} // namespace outband::bus
