/// The documents that travel on the bus: desired, current, presence, events, requests, responses.
///
/// These structs are the one definition; messages/bus/ gives each its MessagePack and its JSON.
/// Context: pure. Times are milliseconds UTC; `revision`s come from the database.
#pragma once

#include "messages/domain/amt.hpp"
#include "messages/domain/ids.hpp"
#include "messages/domain/power.hpp"

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace outband {

// -- desired ----------------------------------------------------------------------------------

/// What a person asked for. Retained on `.../desired`; written by the store, never by a client.
struct desired_state {
  struct power_wish {
    power_target target = power_target::keep;
    power_policy policy = power_policy::ordered;
  } power;
};

/// A merge patch of the desired state; absent members stay as they are.
struct desired_patch {
  std::optional<power_target> target;
  std::optional<power_policy> policy;
};
desired_state merged(desired_state base, const desired_patch& patch);

// -- current ----------------------------------------------------------------------------------

/// late: 45 s without a sign of life; unknown: its terminator died, nobody has heard since.
enum class link_state : std::uint8_t { down, up, late, unknown };
std::string_view to_string(link_state s);
std::optional<link_state> parse_link_state(std::string_view text);

struct condition {
  std::string type;   ///< "power": wish and reality; "link"; "credentials"
  bool ok = true;     ///< false: something stands between wish and reality
  std::string code;   ///< stable: a problem's code, or "in-progress", "waiting"
  std::string reason; ///< in the operator's words
  time_ms since = 0;
};

/// What was observed. Retained on `.../current`.
struct current_state {
  struct power_report {
    power_state state = power_state::unknown;
    int os_power_saving = 0;
    time_ms since = 0;    ///< when it turned to this state, as far as we saw
    time_ms observed = 0; ///< when the firmware last told
  } power;
  struct link_report {
    link_state state = link_state::down;
    link_epoch epoch = 0;
    std::string instance; ///< the terminator that has, or last had, the tunnel
    std::string peer;     ///< remote address
    std::string why;      ///< why it went down, empty while up
    time_ms since = 0;
  } link;
  struct amt_report {
    std::string version; ///< empty: never told
    int provisioning_mode = 0;
  } amt;
  /// What else is known of the machine; each kind's document is retained on `.../fact/{kind}`.
  struct fact_mark {
    std::string kind;        ///< "features"
    std::string fingerprint; ///< changes when the document does
    time_ms since = 0;       ///< when it became so, as far as we saw
  };
  std::vector<fact_mark> facts;
  /// The last desired revision that was satisfied. Converged: equals the desired document's
  /// revision and no condition is false.
  revision desired_rev = 0;
  std::vector<condition> conditions;
};

/// Retained on `.../presence`; small, so that a dashboard may watch many.
struct presence {
  link_state link = link_state::down;
  std::string instance;
  link_epoch epoch = 0;
  std::string why;
  time_ms since = 0;
};

// -- events -----------------------------------------------------------------------------------

/// Never retained. `.../event/{event_class}`; numbered per (device, class) without gaps, but for
/// `audit` and `activation`, which several nodes write: their order and completeness are their
/// tables'.
enum class event_class : std::uint8_t {
  link,
  power,
  amt,
  command,
  config,
  audit,
  log,
  alert,
  activation ///< the steps of an activation, a deactivation, a maintenance
};
std::string_view to_string(event_class c);
std::optional<event_class> parse_event_class(std::string_view text);

struct event {
  event_class cls = event_class::link;
  std::string type; ///< "power.changed", "link.up", "command.done", ...
  std::string text; ///< one plain sentence for people
  std::string from; ///< former value, if any
  std::string to;   ///< new value, if any
  std::string by;   ///< principal who caused it, if a person did
  std::optional<uuid> command;
  std::string detail{}; ///< a JSON document: the log's record, the alert as the firmware sent it
};

// -- facts ------------------------------------------------------------------------------------

/// Kinds of facts that are kept of a machine, each as the operation that reads it tells it
/// (messages/amt/catalogue.hpp): "features", "consent", "boot", "alarms", "hardware", "network",
/// "certificates", "displays". Retained on `.../fact/{kind}`.
struct fact {
  std::string kind;
  std::string json;
};
/// A lower-case word of at most 32 letters.
bool valid_fact_kind(std::string_view kind);
inline constexpr std::size_t max_facts = 16; ///< kinds of one machine

// -- requests ---------------------------------------------------------------------------------

/// `desired.patch`: accepted means stored with a new revision.
struct ask_desired {
  desired_patch patch;
  std::optional<revision> if_rev;
};
/// `power.once`: at most once, never repeated by us.
struct ask_once {
  power_once what = power_once::reset;
  power_policy policy = power_policy::ordered;
};
/// `power.action`: one CIM action, as MPS offers it. An action towards a level also becomes the
/// desired target, lest the reconciler undo it.
struct ask_action {
  power_action action = power_action::on;
  /// With it: the boot that it starts, the argument of the operation "boot.set", sealed.
  std::string boot{};
};
/// `amt.{name}`: an operation of messages/amt/catalogue.hpp with its argument, a JSON object.
struct ask_operation {
  std::string act; ///< "amt.features.set"
  std::string argument;
};
/// `snapshot`: both documents with their revisions.
struct ask_snapshot {};

using request_body = std::variant<ask_desired, ask_once, ask_action, ask_snapshot, ask_operation>;
/// "desired.patch", "power.once", "power.action", "snapshot", "amt.features.set"; of `b`, so not of
/// a temporary.
std::string_view act_name(const request_body& b);

struct request {
  uuid id; ///< chosen by the client; a resent id is answered with the stored outcome
  device_ref target;
  request_body body;
  std::optional<time_ms> deadline; ///< absolute; default: 60 s from arrival
  principal by;                    ///< never from the payload
  std::string channel;             ///< "rest", "mqtt"
  /// Epoch of the controller that took it from the bus; never from the payload. 0: asked by REST.
  std::uint64_t fence = 0;
  std::string address{}; ///< of the client, if known
  /// What the audit trail keeps of the argument, where the body does not say it in clear.
  std::string kept_argument{};
};

enum class request_status : std::uint8_t {
  accepted, ///< stored; more follows
  done,
  failed,
  rejected, ///< nothing was stored
  expired,
  unknown, ///< sent, but what came of it cannot be known
  running  ///< sent to the machine; the final word follows. Said once, never stored
};
std::string_view to_string(request_status s);
std::optional<request_status> parse_request_status(std::string_view text);
bool is_final(request_status s);

struct response {
  uuid id; ///< of the request
  request_status status = request_status::rejected;
  std::optional<failure> why;                ///< for failed, rejected, expired, unknown
  std::string text;                          ///< one plain sentence
  revision rev = 0;                          ///< of the desired document, if it concerns one
  std::optional<std::uint32_t> return_value; ///< the firmware's, for power.action
  struct snapshot_body {
    desired_state desired;
    revision desired_rev = 0;
    current_state current;
    revision current_rev = 0;
  };
  std::optional<snapshot_body> snapshot;
  std::string result{}; ///< JSON, of an operation: what the firmware told
};

// -- between our own programs -----------------------------------------------------------------

/// Why a tunnel ended; `peer_closed` covers FIN and RST.
enum class link_end : std::uint8_t { peer_closed, silent, evicted, protocol, shutdown, requested };
std::string_view to_string(link_end e);
std::optional<link_end> parse_link_end(std::string_view text);

struct link_up {
  std::string instance;
  uuid incarnation;
  std::string peer;
  int trigger = 0; ///< APF: 1 user, 2 alert, 3 provisioning, 4 periodic
};
struct link_down {
  link_end why = link_end::peer_closed;
  std::string text; ///< for people
};
/// The tunnel is silent, or speaks again.
struct link_late {
  bool late = true;
};
/// A reading that somebody else asked for; whoever asked got it too.
struct power_seen {
  amt::power_reading reading;
};
/// The same of an operation whose result is a fact.
struct fact_seen {
  fact what;
};
/// The firmware said something by itself. `json`: its event, as JSON.
struct alert_seen {
  std::string json;
};
/// A machine that we connect to cannot be let in, and somebody has to do something about it; `code`
/// empty: nothing stands in the way any more. Of no link: the observation's epoch is 0.
struct connection_trouble {
  std::string code; ///< "credentials", "certificate", ...
  std::string text; ///< for people
};
using observation_body = std::variant<link_up, link_down, link_late, power_seen, amt_answer,
                                      fact_seen, alert_seen, connection_trouble>;

struct observation {
  device_ref device;
  link_epoch epoch = 0;
  time_ms at = 0;
  observation_body body;
};

/// Controller (or api, for live reads) to a terminator.
struct evict {
  device_ref device;
  link_epoch epoch = 0; ///< close the link with this epoch, and only this
};
struct disconnect {
  device_ref device; ///< an operator's wish: close whatever link there is
};
using work_body = std::variant<amt_call, evict, disconnect>;

} // namespace outband
