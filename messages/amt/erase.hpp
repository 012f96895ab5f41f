/// Remote platform erase: the machine's BIOS wipes what it is told to at its next boot.
///
/// AMT 16 and newer. Source: Console internal/usecase/devices/boot.go and wsman/rpe.go, in their
/// order of calls; a refused order is given up, where Console goes on if a flag was left set.
/// Context: pure, see wsman/talk.hpp.
#pragma once

#include "messages/amt/catalogue.hpp"
#include "messages/wsman/talk.hpp"

#include <string>

namespace outband::amt {

/// What can be erased, and what shall be.
struct erase_targets {
  bool ssds = false;
  bool tpm = false;
  bool bios = false; ///< back to the configuration of the manufacturer
  bool csme = false; ///< the management engine itself: afterwards it is not ours any more

  bool any() const { return ssds || tpm || bios || csme; }
};

/// Nothing where the firmware has no remote platform erase.
result<erase_targets> get_erase_capabilities(wsman::talk& t);
/// Arms it and boots. `ssd_password`: of the drives, if they have one. What this machine cannot do
/// is refused as problem::unsupported before anything is written.
status erase(wsman::talk& t, const erase_targets& what, const std::string& ssd_password);

/// erase.capabilities, erase.set
std::vector<operation> erase_operations();

} // namespace outband::amt
