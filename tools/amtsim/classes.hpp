/// The classes that a machine offers over WS-MAN, topic by topic.
///
/// A class is a row of functions over the model: list its instances, change one, remove one, make
/// one; a method is a row of its own. A topic (power, boot, logs, network ...) is a file that
/// exports its rows as a class_table; classes.cpp joins them. What all classes have in common,
/// Enumerate + Pull, Get, finding the instance that is meant, faults, is in wsman_server.cpp.
///
/// Example: class_table alarm_classes() {
///            return {{{"IPS_AlarmClockOccurrence", list_alarms, nullptr, remove_alarm}},
///                    {{"AMT_AlarmClockService", "AddAlarm", add_alarm}}};
///          }
/// Context: pure; the tables are made once per process, the functions run on the machine's thread.
#pragma once

#include "messages/wsman/answers.hpp"
#include "tools/amtsim/device_model.hpp"
#include "tools/amtsim/faults.hpp"
#include "tools/amtsim/flash.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace outband::amtsim {

using instances = std::vector<wsman::instance>;
/// What refuses a request with HTTP 400.
using soap_fault = wsman::fault_kind;

/// What a change is made in.
struct context {
  device_model& device;
  fault_set& faults;
  sim_time now;
  std::string_view user = "admin";          ///< who asks: for the audit log
  std::vector<wsman::selector> selectors{}; ///< of the header: which instance a method is meant for
};
/// The value of that selector of the header; `otherwise` if there is none.
std::string selected(const context& c, std::string_view name, std::string_view otherwise = {});

/// Of a Put and of a Delete: nothing if it was done.
using refusal = std::optional<soap_fault>;

/// Of a Create: the selectors of what was made, or a fault.
using creation = std::variant<std::vector<wsman::selector>, soap_fault>;

/// Of a method: a ReturnValue, perhaps with out parameters in the order of its signature; or a
/// fault. Both a number and a fault convert: `return 36;`, `return soap_fault::quota_limit;`.
struct outcome {
  outcome(std::uint32_t rv) : return_value(rv) {}
  outcome(soap_fault kind) : fault(kind) {}
  outcome(std::uint32_t rv, std::vector<wsman::field> fields)
      : return_value(rv), out(std::move(fields)) {}
  std::uint32_t return_value = 0;
  std::vector<wsman::field> out;
  std::optional<soap_fault> fault;
  sim_time delay{0}; ///< before the answer is sent
  bool cut = false;  ///< the connection ends instead of an answer
};

struct class_row {
  std::string_view name;
  instances (*list)(const device_model&);
  /// `target` is the instance that is meant, as list() shows it: by the header's selectors, else by
  /// the body's `key`, else the first. Absent properties stay, read-only ones are ignored; a value
  /// that does not fit stores nothing and is invalid_representation.
  refusal (*put)(const wsman::node& body, const wsman::instance& target, context&) = nullptr;
  refusal (*remove)(const wsman::instance& target, context&) = nullptr;
  creation (*create)(const wsman::node& body, context&) = nullptr;
  /// Which property of a Put's body names the instance when the header has no selectors.
  std::string_view key = "InstanceID";
  /// false: a Put is answered with an empty Body.
  bool echoes = true;
  /// nullptr: always. Otherwise a firmware for which it is false does not know the class at all.
  bool (*exists)(const device_model&) = nullptr;
};

struct method_row {
  std::string_view class_name;
  std::string_view name;
  /// `input` is the METHOD_INPUT element, of the right namespace.
  outcome (*run)(const wsman::node& input, context&);
};

/// Enumerating `super` shows the instances of `members`, under their own names.
struct family {
  std::string_view super;
  std::vector<std::string_view> members;
};

/// What a topic keeps in flash (flash.hpp).
struct flash_row {
  std::string_view topic;
  void (*save)(const device_model&, kept_texts&);
  /// What does not fit is skipped.
  void (*load)(const kept_texts&, device_model&);
};

struct class_table {
  std::vector<class_row> classes;
  std::vector<method_row> methods;
  std::vector<family> families;
  std::vector<flash_row> flash;
};

// The topics, each in a file of its name.
class_table identity_classes();    ///< general settings, firmware, time
class_table account_classes();     ///< AMT_AuthorizationService
class_table setup_classes();       ///< activation, unprovisioning
class_table power_classes();       ///< power management
class_table boot_classes();        ///< boot options, boot sources, One Click Recovery
class_table feature_classes();     ///< redirection, KVM, screens
class_table consent_classes();     ///< IPS_OptInService
class_table audit_classes();       ///< AMT_AuditLog
class_table event_log_classes();   ///< AMT_MessageLog
class_table eventing_classes();    ///< WS-Eventing: filters and subscriptions
class_table alarm_classes();       ///< alarm clock
class_table hardware_classes();    ///< chassis, boards, processor, memory, disks
class_table network_classes();     ///< ports, 802.1x, link preference
class_table wifi_classes();        ///< ports, profiles, profile synchronisation
class_table certificate_classes(); ///< certificates, keys, requests
class_table tls_classes();         ///< TLS settings, credential contexts
class_table cira_classes();        ///< servers, policies, environment detection
class_table proxy_classes();       ///< HTTP proxies, Kerberos
class_table diagnostic_classes();  ///< what only explorers and diagnostics read

// The joined table.
/// nullptr: this firmware has no such class (superclasses have no row; see instances_of).
const class_row* find_class(std::string_view name, const device_model& device);
const method_row* find_method(std::string_view class_name, std::string_view name);
/// Instances of a class or, for a superclass, of its members. nullopt: no such class here.
std::optional<instances> instances_of(std::string_view class_name, const device_model& device);
/// Do the selectors name this instance? A reference matches when what it names is the same.
bool matches(const wsman::instance& i, const std::vector<wsman::selector>& selectors);

// -- what topics ask of each other --------------------------------------------------------------

/// Appends to the audit log. `app`, `event` and the form of `data`: go-wsman-messages
/// pkg/wsman/amt/auditlog/decoder.go.
void record_audit(context& c, std::uint16_t app, std::uint16_t event, std::string data = {});

/// WS-Eventing's Subscribe on an instance of CIM_FilterCollection: the subscription, or a fault.
using subscribing = std::variant<wsman::endpoint, soap_fault>;
subscribing subscribe(const wsman::node& body, const wsman::instance& collection, context& c);

// -- helpers for writing topics (fields.cpp) ----------------------------------------------------

std::string text(bool b);
std::string text(std::uint32_t n);
inline std::string text(const char*) = delete; // would be taken for a bool
/// The text of the first such field; empty if there is none or it is no text.
std::string text_of(const wsman::instance& i, std::string_view name);
/// CreationClassName, ElementName, Name, SystemCreationClassName, SystemName.
wsman::instance service(std::string class_name, const std::string& name,
                        const std::string& system = "Intel(r) AMT");
wsman::instance with(wsman::instance base, std::vector<wsman::field> more);
/// The computer that firmware manages: CIM_ComputerSystem "ManagedSystem".
wsman::endpoint managed_system();
/// {class, CreationClassName = class, more..., SystemCreationClassName, SystemName}: how firmware
/// refers to services and access points.
wsman::endpoint service_endpoint(const std::string& class_name, const std::string& key,
                                 const std::string& value);
/// A reference in a method's input or a Put's body.
std::optional<wsman::endpoint> endpoint_of(const wsman::node& from, std::string_view name);
/// The text of a reference's selector; empty if there is none.
std::string selector_of(const wsman::endpoint& e, std::string_view name);

/// Standard alphabet with padding (RFC 4648 section 4).
std::string base64(std::string_view octets);
/// Blanks and line breaks are skipped; nullopt if it is no base64.
std::optional<std::string> from_base64(std::string_view text);
/// UTC as firmware writes it: "2020-08-10T00:00:00Z".
wsman::datetime datetime_of(std::int64_t unix_s);

/// For Put: an absent property leaves `into`; false if its value does not fit.
bool take(const wsman::node& from, std::string_view name, bool& into);
bool take(const wsman::node& from, std::string_view name, std::uint32_t& into,
          std::uint32_t max = 0xFFFFFFFFU);
bool take(const wsman::node& from, std::string_view name, std::string& into, std::size_t max);

} // namespace outband::amtsim
