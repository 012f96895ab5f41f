/// WS-MAN as firmware serves it: one SOAP request in, one answer or fault out.
///
/// Every class answers both Get and Enumerate + Pull, because MPS and Console differ on which they
/// use. Context: pure; on the machine's thread.
#pragma once

#include "tools/amtsim/account_state.hpp"
#include "tools/amtsim/device_model.hpp"
#include "tools/amtsim/faults.hpp"

#include <string>
#include <string_view>

namespace outband::amtsim {

struct wsman_reply {
  int http_status = 200; ///< 400 for a fault
  std::string xml;
  std::string what;  ///< for counting: "CIM_SoftwareIdentity/Pull"; "malformed" if it was none
  sim_time delay{0}; ///< before it is sent
  bool cut = false;  ///< never sent: the connection ends instead
};

wsman_reply serve_wsman(std::string_view soap, device_model& device, fault_set& faults,
                        sim_time now, const caller& who = {});

} // namespace outband::amtsim
