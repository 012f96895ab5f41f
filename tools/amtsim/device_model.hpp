/// One machine as its firmware sees it: power, what is configured, digest nonces.
///
/// Power changes take time: request_power() answers at once, as firmware does, and advance() makes
/// happen what has become due. The rules for what is possible in which state follow
/// AvailableRequestedPowerStates of captured devices; what is impossible returns NOT_READY (2).
/// Context: pure; no clock, no randomness but a seed. One per machine, on that machine's thread.
/// Limits: 4 valid nonces, 8 enumeration contexts; older ones are forgotten.
#pragma once

#include "messages/domain/ids.hpp"
#include "messages/domain/power.hpp"
#include "tools/amtsim/consent_state.hpp"
#include "tools/amtsim/faults.hpp"
#include "tools/amtsim/lazily.hpp"
#include "tools/amtsim/profile.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace outband::amtsim {

struct identity {
  device_id guid;
  std::string hostname;
  std::string realm; ///< "Digest:" and 32 hex digits
  std::string amt_user = "admin";
  std::string amt_password;
  std::string mps_user;
  std::string mps_password;
};

enum class cause : std::uint8_t { asked, asked_gracefully, button, crash, alarm };
/// "asked gracefully"
std::string_view to_string(cause c);

struct power_change {
  power_state from = power_state::unknown;
  power_state to = power_state::unknown; ///< the same as `from` for a reset
  cause why = cause::asked;
  sim_time took{0};
  bool boot = false;       ///< the host went through its BIOS
  bool drops_link = false; ///< the machine loses its network for a moment
};

/// The writable part of AMT_BootSettingData and what a boot leaves of it.
struct boot_options {
  bool bios_pause = false;
  bool bios_setup = false;
  bool configuration_data_reset = false;
  bool enforce_secure_boot = false;
  bool forced_progress_events = false;
  bool lock_keyboard = false;
  bool lock_power_button = false;
  bool lock_reset_button = false;
  bool lock_sleep_button = false;
  bool platform_erase = false;
  bool reflash_bios = false;
  bool secure_erase = false;
  bool use_ider = false;
  bool use_sol = false;
  bool use_safe_mode = false;
  bool user_password_bypass = false;
  std::uint32_t boot_media_index = 0;
  std::uint32_t firmware_verbosity = 0;
  std::uint32_t ider_boot_device = 0;
  std::uint32_t uefi_parameters = 0; ///< how many there are in:
  std::string uefi_parameter_array;  ///< TLVs as they came, decoded from base64
};

/// AMT_RedirectionService, CIM_KVMRedirectionSAP, IPS_OptInService, CIM_BootService.
struct features {
  std::uint32_t redirection = 32771; ///< 32768 + 1 IDE-R + 2 SOL
  bool listener = true;
  bool kvm = true;
  bool kvm_session = false; ///< told by whoever plays the session
  std::uint32_t opt_in_required = 0;
  std::uint32_t opt_in_code_timeout = 120;
  std::uint32_t opt_in_display_timeout = 300;
  std::uint32_t boot_service = 32769;
};

// What topics keep; each is defined in the header of its name (alarm_state.hpp ...).
struct account_state;
struct activation_state;
struct alarm_state;
struct audit_state;
struct certificate_state;
struct cira_state;
struct event_log_state;
struct hardware_state;
struct kerberos_state;
struct network_state;
struct proxy_state;
struct screen_state;
struct setup_state;
struct subscription_state;
struct tls_state;
struct wifi_state;

class device_model {
public:
  device_model(identity who, const settings* shared, std::uint64_t seed);

  const identity& who() const { return who_; }
  void set_realm(const std::string& realm) { who_.realm = realm; }
  const settings& shared() const { return *shared_; }

  // -- power --
  power_state power() const { return power_; }
  std::uint64_t boots() const { return boots_; }
  /// How often each requested power state was carried out: the CIM code, how many requests.
  const std::map<int, std::uint64_t>& carried_out() const { return carried_out_; }
  /// What may be asked now, in the firmware's order.
  std::vector<int> available_states() const;
  /// RequestPowerStateChange; gives the ReturnValue.
  std::uint32_t request_power(std::uint32_t state, fault_set& faults, sim_time now);
  void press_button(sim_time now);
  /// The host resets without being asked.
  void crash(sim_time now);
  std::optional<sim_time> next_due() const;
  std::vector<power_change> advance(sim_time now);
  /// From a state file.
  void restore(power_state power, std::uint64_t boots);

  // -- what is configured --
  int os_power_saving = 2; ///< 2 full power, 3 OS power saving
  int control_mode = 2;    ///< 0 not provisioned, 1 client, 2 admin
  bool boot_options_cleared = true;
  boot_options boot;
  features feature;
  std::string boot_source; ///< of the next boot; empty: as the BIOS likes
  std::string last_boot;   ///< for people: what the last boot did differently from an ordinary one
  consent_state consent;
  /// Must the person at the machine agree before anything? Policy 1 protects KVM only, 0xFFFFFFFF
  /// also redirection and boot options.
  bool consent_needed() const { return control_mode == 1 || feature.opt_in_required != 0; }
  bool consent_needed_to_boot() const { return control_mode == 1 || feature.opt_in_required > 1; }
  bool consent_given() const {
    return consent.state == opt_in_state::received || consent.state == opt_in_state::in_session;
  }
  /// Back to the state in which it left the factory, but for its hardware, its power and the MEBx
  /// password. A full one also forgets the trusted roots and the suffix that were added.
  void unprovision(bool full = true);
  lazily<account_state> accounts;
  lazily<activation_state> activation;
  lazily<alarm_state> alarms;
  lazily<audit_state> audit;
  lazily<certificate_state> certificates;
  lazily<cira_state> cira;
  lazily<event_log_state> events;
  lazily<hardware_state> hardware;
  lazily<kerberos_state> kerberos;
  lazily<network_state> network;
  lazily<proxy_state> proxies;
  lazily<screen_state> screens;
  lazily<setup_state> setup;
  lazily<subscription_state> subscriptions;
  lazily<tls_state> tls;
  lazily<wifi_state> wifi;
  std::uint8_t failed_logins = 0; ///< in a row
  bool tunnel_up = false;         ///< told by the machine; for AMT_RemoteAccessService
  bool tunnel_connecting = false; ///< told by the machine

  // -- the firmware's own clock --
  /// Which UTC the origin of sim_time is.
  void set_utc_origin(std::int64_t ms) { utc_origin_ms_ = ms; }
  /// Moves the clock of the firmware, and only that.
  void adjust_clock(std::int64_t seconds) { utc_origin_ms_ += seconds * 1000; }
  /// UTC as this firmware believes it to be, in seconds.
  std::int64_t clock_s(sim_time now) const { return (utc_origin_ms_ + now.count()) / 1000; }
  sim_time when(std::int64_t clock_s) const { return sim_time{clock_s * 1000 - utc_origin_ms_}; }

  // -- digest --
  /// 32 characters, valid from now on.
  std::string new_nonce();
  bool knows_nonce(std::string_view nonce) const;

  // -- bookkeeping of the WS-MAN server --
  std::uint64_t next_message_number() { return ++messages_; }
  struct enumeration {
    std::uint32_t id;
    std::string class_name;
    std::size_t offset;
  };
  /// Gives the context's text.
  std::string remember(std::string class_name, std::size_t offset);
  /// A context is good for one Pull.
  std::optional<enumeration> recall(std::string_view context);

  /// 20 octets that only this machine knows, always the same for the same purpose.
  std::string derived(const std::string& purpose) const;
  /// Pseudo-random, reproducible from the seed.
  std::uint64_t random();
  /// From lo to hi.
  sim_time jitter(sim_time lo, sim_time hi);

private:
  struct transition {
    power_state to;
    sim_time due;
    sim_time asked;
    cause why;
    bool boot;
    bool drops_link;
  };
  void consent_runs_out(sim_time now);
  void ring_alarms(sim_time now);
  void plan(power_state to, sim_time after, sim_time asked, cause why, bool boot, bool drops_link);
  void begin_action(power_action a, bool graceful, sim_time now);
  bool os_runs(sim_time now) const;
  void consume_boot_options();

  identity who_;
  const settings* shared_;
  std::uint64_t seed_;
  std::uint64_t random_;
  std::int64_t utc_origin_ms_ = 1704586864000; ///< 2024-01-07, until somebody says better
  power_state power_ = power_state::on;
  std::uint64_t boots_ = 0;
  std::map<int, std::uint64_t> carried_out_;
  sim_time os_ready_{0};
  std::vector<transition> pending_; ///< in order of time; at most two
  std::uint64_t messages_ = 0;
  std::uint32_t contexts_ = 0;
  std::vector<enumeration> open_;
  std::vector<std::array<char, 32>> nonces_;
};

} // namespace outband::amtsim
