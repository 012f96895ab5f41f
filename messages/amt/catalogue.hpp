/// Every operation that may be asked of a machine's firmware, by name: one table for the REST
/// routes and for requests on the bus (act "amt." + name), so that neither can do what the other
/// cannot.
///
/// Arguments and results are JSON; a result is the body of MPS's answer to the same question. Each
/// topic's table is beside its functions (features.cpp, logs.cpp ...); catalogue.cpp joins them.
/// Roles are in messages/domain/roles.cpp. Context: pure, any thread.
#pragma once

#include "messages/rest/device_body.hpp"
#include "messages/rest/json.hpp"
#include "messages/wsman/talk.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace outband::amt {

/// All fields of `argument` that are wrong, "body" being their location; empty: go on. Runs where
/// the request arrives, before anybody looks whether the machine is connected. Members that are not
/// known are accepted, as MPS does.
using argument_check = std::vector<rest::field_error> (*)(const json::value& argument);
/// Straight-line, see wsman/talk.hpp. `argument` has passed the check.
using operation_body = result<json::value> (*)(wsman::talk& t, const json::value& argument);

/// A member of an argument that is good only until then (a certificate).
struct expiry {
  std::string_view member;
  time_ms at = 0;
};

struct operation {
  std::string_view name; ///< "features.set"
  wsman::effect effect = wsman::effect::none;
  operation_body run = nullptr;
  argument_check check = nullptr; ///< nullptr: takes no argument
  std::chrono::milliseconds deadline{10'000};
  /// The argument holds a password, a key, a code: it is sealed between our nodes and is not
  /// stored.
  bool secret = false;
  /// Kind of fact that the result is ("features"): kept, and published when it changes.
  std::string_view fact = {};
  /// A change after which that operation's fact is read again ("features.get").
  std::string_view look_after = {};
  /// nullptr: no argument of this operation expires.
  std::optional<expiry> (*expires)(const json::value& argument) = nullptr;
};

/// What `check` says, and what has expired by `now`; there is no clock in this folder.
std::vector<rest::field_error> mistakes(const operation& o, const json::value& argument,
                                        time_ms now);

const std::vector<operation>& operations();
/// nullptr if there is none of that name.
const operation* find_operation(std::string_view name);

/// Every kind of fact that is kept, each once. Logs are none: their records are events.
std::vector<std::string> fact_kinds();
/// The document as a fact: without the envelope headers that MPS hands on ("Header"), which differ
/// every time.
std::string without_headers(const std::string& json);

/// {"Body":{"ReturnValue":n}}, or ReturnValue one level higher or lower, as MPS has them.
std::optional<std::uint32_t> return_value_in(const std::string& json);

// The topics' tables.
std::vector<operation> power_operations();       ///< power_operations.cpp
std::vector<operation> boot_operations();        ///< boot_operations.cpp
std::vector<operation> feature_operations();     ///< features_operations.cpp
std::vector<operation> consent_operations();     ///< consent.cpp
std::vector<operation> display_operations();     ///< displays.cpp
std::vector<operation> inventory_operations();   ///< inventory.cpp
std::vector<operation> log_operations();         ///< logs_operations.cpp
std::vector<operation> alarm_operations();       ///< alarms_operations.cpp
std::vector<operation> explorer_operations();    ///< explorer.cpp
std::vector<operation> lifecycle_operations();   ///< lifecycle.cpp
std::vector<operation> network_operations();     ///< network_operations.cpp
std::vector<operation> wifi_operations();        ///< wifi_operations.cpp
std::vector<operation> tls_operations();         ///< tls.cpp
std::vector<operation> certificate_operations(); ///< certificates_operations.cpp
std::vector<operation> event_operations();       ///< events.cpp

} // namespace outband::amt
