/// What of a machine can be used remotely, and what of it is switched on.
///
/// Source: MPS src/routes/amt/getAMTFeatures.ts and setAMTFeatures.ts, in their order of calls; for
/// remote platform erase Console internal/usecase/devices/features.go. Context: pure, see
/// wsman/talk.hpp.
#pragma once

#include "messages/wsman/talk.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace outband::amt {

/// What the user at the machine has to agree to. Values are IPS_OptInService.OptInRequired's.
enum class consent_policy : std::uint32_t { none = 0, kvm = 1, all = 0xFFFFFFFF };
std::string_view to_string(consent_policy p);
std::optional<consent_policy> parse_consent_policy(std::string_view text);

/// IPS_OptInService.OptInState.
enum class opt_in_state : std::uint8_t {
  not_started = 0,
  requested = 1, ///< a code exists but is not on the screen yet
  displayed = 2,
  received = 3, ///< the code was right; good until the time is over or a session begins
  in_session = 4,
};

struct feature_set {
  /// Empty: this firmware knows no consent, or one that is not in our table.
  std::optional<consent_policy> user_consent;
  opt_in_state consent_state = opt_in_state::not_started;
  bool listener = false; ///< the redirection port is open
  bool sol = false;
  bool ider = false;
  bool kvm = false;
  bool kvm_available = false;
  bool ocr = false; ///< One-Click Recovery, see boot.hpp
  bool https_boot = false;
  bool winre_boot = false;
  bool local_pba_boot = false;
  bool rpe = false; ///< remote platform erase, see erase.hpp
  bool rpe_supported = false;
};
result<feature_set> get_features(wsman::talk& t);

struct feature_wish {
  consent_policy user_consent = consent_policy::all;
  bool sol = false;
  bool ider = false;
  bool kvm = false;
  std::optional<bool> ocr, rpe; ///< empty: as it is
};
/// Writes what differs; the redirection port is open if any of SOL, IDE-R and KVM is on. What this
/// firmware cannot do is refused before anything is written, with the wish's JSON name as field.
status set_features(wsman::talk& t, const feature_wish& wish);

/// CIM_BootService.EnabledState: 32768 plus 1 for OCR plus 2 for RPE; empty where the firmware has
/// neither.
struct boot_service_state {
  bool ocr = false;
  bool rpe = false;
};
result<std::optional<boot_service_state>> get_boot_service(wsman::talk& t);

} // namespace outband::amt
