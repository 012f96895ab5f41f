/// What an operator prepares so that a new machine can be activated: profiles and what they name.
///
/// Fields, values and limits are those of RPS's REST interface (rps data/init.sql,
/// src/routes/admin). Names are unique within a tenant and compared without regard to case. No
/// password, key or PFX is in these structs: those are secrets, kept beside them
/// (actors/ports/provisioning.hpp). Context: pure. Times are milliseconds UTC.
#pragma once

#include "messages/domain/ids.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace outband {

/// Of a row as it was read; 0: not stored yet. RPS shows it as text ("version").
using row_version = std::uint64_t;

/// The numbers of AMT_RemoteAccessService.AddMpServer's InfoFormat.
enum class address_format : std::uint16_t { ipv4 = 3, ipv6 = 4, fqdn = 201 };

struct cira_config {
  std::string name; ///< `[a-zA-Z0-9_-]+`
  std::string server;
  address_format format = address_format::fqdn;
  std::uint16_t port = 4433;
  std::string username;         ///< 5 to 16 letters and digits
  std::string common_name;      ///< of the server's certificate, where `format` is an address
  int auth_method = 2;          ///< 1 mutual, 2 user name and password
  std::string root_certificate; ///< base64 of DER, one line
  std::string proxy_details;
  /// Kept equal to this site's own server name and root: written by the tenant's bootstrap.
  bool ours = false;
  row_version version = 0;
};
/// Whether both send machines to the same site: what a configuration that is `ours` must say.
bool same_site(const cira_config& a, const cira_config& b);

enum class activation_kind : std::uint8_t { client_mode, admin_mode };
/// "ccmactivate", "acmactivate"
std::string_view to_string(activation_kind k);
std::optional<activation_kind> parse_activation_kind(std::string_view text);

enum class consent_rule : std::uint8_t { none, kvm, all };
/// "None", "KVM", "All"
std::string_view to_string(consent_rule r);
std::optional<consent_rule> parse_consent_rule(std::string_view text);

struct ranked_name {
  std::string name;
  int priority = 1; ///< 1 to 255
};

struct profile {
  std::string name;
  activation_kind activation = activation_kind::client_mode;
  bool random_amt_password = false;
  bool random_mebx_password = false; ///< admin control mode only
  std::optional<std::string> cira_config;
  bool dhcp = true;
  bool ip_sync = true;
  bool local_wifi_sync = false;
  bool uefi_wifi_sync = false;
  std::optional<int> tls_mode;              ///< 1 server, 2 and plain, 3 mutual, 4 mutual and plain
  std::optional<std::string> tls_authority; ///< "SelfSigned", "MicrosoftCA"
  consent_rule consent = consent_rule::all;
  bool ider = false, kvm = true, sol = false;
  std::vector<std::string> tags;
  std::vector<ranked_name> wifi;        ///< at most 8
  std::vector<ranked_name> proxies;     ///< at most 15
  std::optional<std::string> ieee8021x; ///< a wired one
  row_version version = 0;
};

struct wireless_config {
  std::string name;
  int authentication = 6; ///< 4 WPA-PSK, 5 WPA-802.1x, 6 WPA2-PSK, 7 WPA2-802.1x
  int encryption = 4;     ///< 3 TKIP, 4 CCMP
  std::string ssid;
  std::vector<int> link_policy;
  std::optional<std::string> ieee8021x; ///< of 5 and 7
  row_version version = 0;
};

struct ieee8021x_config {
  std::string name;
  int protocol = 0; ///< 0 EAP-TLS, 2 PEAPv0/MSCHAPv2, ...
  int pxe_timeout = 120;
  bool wired = false;
  row_version version = 0;
  // RPS has these in its table and leaves them empty: it asks an Enterprise Assistant for them.
  std::string username;
  std::string domain;           ///< in which `username` is unique
  std::string roaming_identity; ///< what is said before the tunnel is there; empty: `username`
  std::string server_name;      ///< in the authentication server's certificate; empty: any
  std::string ca_certificate;   ///< of that server's authority: base64 of DER; empty: none is added
};

struct proxy_config {
  std::string name;
  std::string address;
  address_format format = address_format::fqdn;
  std::uint16_t port = 0;
  std::string dns_suffix;
};

struct domain {
  std::string name;
  std::string suffix;                    ///< unique within the tenant
  std::string storage_format = "string"; ///< of the PFX as it was given: "raw" or "string"
  time_ms expires = 0;                   ///< the earliest end in the chain
  row_version version = 0;
};

// -- activation ---------------------------------------------------------------------------------

/// What a provisioning connection is for.
enum class provisioning_act : std::uint8_t { activate, deactivate, maintain };
/// "activate", "deactivate", "maintenance"
std::string_view to_string(provisioning_act a);
std::optional<provisioning_act> parse_provisioning_act(std::string_view text);

/// A one-time token: what the activation WebSocket's URL carries instead of credentials. It fixes
/// the tenant, and what else is set here; the text itself is stored nowhere, only its SHA-256.
struct activation_token {
  uuid id;
  tenant_key tenant;
  provisioning_act act = provisioning_act::activate;
  std::optional<std::string> profile; ///< of activate: this one, whatever the client asks for
  std::optional<device_id> device;    ///< only this machine
  std::string by;                     ///< who made it
  time_ms created = 0, expires = 0;
  time_ms used = 0; ///< 0: not yet
  std::optional<device_id> used_by{};
};

enum class activation_state : std::uint8_t {
  running,
  done,
  failed,      ///< the machine is as `mode` says; what is wrong is in code and text
  interrupted, ///< the connection ended between two steps; doing it again goes on from there
};
std::string_view to_string(activation_state s);
std::optional<activation_state> parse_activation_state(std::string_view text);

/// The last activation, deactivation or maintenance of one machine, as it stands.
struct activation_row {
  device_ref device;
  uuid id;
  provisioning_act act = provisioning_act::activate;
  std::string profile;
  activation_state state = activation_state::running;
  std::string step; ///< "admin-setup"; the last one that was begun
  std::string code; ///< of a failure: stable
  std::string text; ///< one plain sentence
  int mode = -1;    ///< control mode as last known: 0, 1, 2; -1 unknown
  std::string node;
  time_ms started = 0, updated = 0;
};

} // namespace outband
