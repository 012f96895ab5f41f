/// Which steps an activation, a deactivation or a maintenance goes through, and what follows when
/// one of them does not succeed. Two tables: the steps, and the plans.
///
/// Source of the orders: RPS src/stateMachines (activation, deactivation, maintenance), with these
/// changes: passwords are stored before the machine is told and promoted when a sign-in with them
/// has succeeded; what changes a machine and is not answered is looked at, never sent again.
/// Context: pure.
#pragma once

#include "actors/ports/activation.hpp"
#include "messages/domain/result.hpp"

#include <chrono>
#include <cstdint>
#include <string_view>
#include <vector>

namespace outband::activation {

enum class step : std::uint8_t {
  // Before a word is said to the machine.
  find_token,      ///< whose it is, and for what
  find_device,     ///< what is known of the machine
  load_profile,    ///< with all that it names
  load_domain,     ///< the provisioning certificate for the machine's DNS suffix
  use_token,       ///< from here on it is worth nothing
  register_device, ///< so that there is a place for its passwords
  begin,           ///< one activation of a machine at a time
  read_passwords,  ///< what the store knows of them
  // Getting to talk to it.
  sign_in_local, ///< with the local system account
  sign_in_known, ///< with the first of the known passwords that is right
  open_tls,      ///< a TLS session with the firmware, begun anew
  switch_port,   ///< the client goes over to the TLS port
  read_settings, ///< the digest realm: the first answer to our credentials
  // Control modes.
  reserve_passwords,   ///< new passwords are stored as pending
  setup_client_mode,   ///< IPS_HostBasedSetupService.Setup
  read_host_setup,     ///< the nonce, the present mode
  add_certificates,    ///< AddNextCertInChain
  admin_setup,         ///< AdminSetup
  upgrade_to_admin,    ///< UpgradeClientToAdmin
  set_admin_password,  ///< AMT_AuthorizationService.SetAdminAclEntryEx
  sign_in_new,         ///< with the reserved password
  confirm_client_mode, ///< proves password and mode
  confirm_admin_mode,
  confirm_password, ///< proves the password
  keep_passwords,   ///< pending becomes active
  set_mebx_password,
  commit_changes, ///< restarts the firmware's ports
  settle,         ///< gives them time
  record_device,  ///< the registration says what the machine is now
  // Configuration.
  sync_time,
  clear_configuration,
  configure_network,
  configure_8021x, ///< of the wired port
  configure_features,
  tls_key,      ///< the machine makes a key
  tls_settings, ///< its certificate, and TLS switched on
  reserve_mps_password,
  configure_cira,
  // Leaving.
  unprovision,
  confirm_unprovisioned,
  forget_device,
  // Maintenance.
  do_sync_time,
  do_sync_ip,
  do_sync_hostname,
  do_sync_device_info,
  finish
};

/// What a step that failed means for the rest.
enum class on_failure : std::uint8_t {
  ends,     ///< the run has failed
  recorded, ///< a component has failed; the next step follows
};
/// What it means that no answer came to something that may have changed the machine.
enum class on_silence : std::uint8_t {
  repeats, ///< it only looks, or doing it twice is doing it once
  looks,   ///< the next step finds out what happened
  fails,
};

struct step_row {
  step what = step::finish;
  std::string_view name;  ///< in events: "admin-setup"
  std::string_view doing; ///< in events: "The machine is put into admin control mode"
  on_failure fails = on_failure::ends;
  on_silence silence = on_silence::repeats;
  component part = component::activation;
  /// RPS's label for the person at the machine; empty: none.
  std::string_view label = {};
  /// How often a refused sign-in is tried: right after a change the firmware may lock its accounts
  /// for a moment.
  int sign_ins = 1;
};
const step_row& row_of(step s);

/// What decides about the way.
struct situation {
  provisioning_act act = provisioning_act::activate;
  int mode = 0; ///< the machine's control mode as the client tells it
  activation_kind wanted = activation_kind::client_mode;
  bool tls_enforced = false; ///< AMT 19 and later: local ports speak TLS only
  bool tls_tunnel = false;   ///< the client was asked to go over to TLS
  bool mebx = false;         ///< the profile has a MEBx password
  bool tls = false;          ///< the profile wants TLS on the network, or the machine needs it
  bool cira = false;         ///< the profile names a CIRA configuration
  bool ieee8021x = false;    ///< the profile names 802.1x for the wired port
  maintenance_task task = maintenance_task::none;
};

/// What comes first, whatever the machine is: admission.
std::vector<step> admission(provisioning_act act);
/// What follows. unsupported: there is no way from this mode to that one; malformed: no such mode.
result<std::vector<step>> plan_for(const situation& s);

/// What the performer does next.
enum class move : std::uint8_t { go_on, repeat, end };
struct verdict {
  move next = move::go_on;
  bool failed = false; ///< the step counts as failed
  std::chrono::milliseconds pause{0};
};
struct attempt_times {
  int attempts = 4;                      ///< of what may be repeated
  std::chrono::milliseconds pause{3000}; ///< before the second; twice as long before each further
};
/// `why` nullptr: it succeeded. `attempt` counts from 1.
verdict after(const step_row& row, const failure* why, int attempt, const attempt_times& times);

} // namespace outband::activation
