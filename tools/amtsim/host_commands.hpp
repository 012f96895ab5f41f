/// A machine's answers over MEI: the PTHI commands of AMTHI and those of the watchdog client.
///
/// Knows the wire format (messages/pthi) and asks local_interface.hpp for what is true.
/// Context: pure; on the machine's thread.
#pragma once

#include "messages/pthi/clients.hpp"
#include "tools/amtsim/device_model.hpp"

#include <functional>
#include <string>
#include <string_view>

namespace outband::amtsim {

/// Runs what changes the machine, as machine::change() does.
using change_machine = std::function<void(const std::function<void(device_model&, sim_time)>&)>;

/// The answer to one message; empty: none, the client is told nothing (it was not understood at
/// all, as with firmware).
std::string answer_mei(pthi::mei_client client, std::string_view octets, const device_model& d,
                       const change_machine& change);
/// The same while AMT is not ready, as after boot: PTHI is refused with status 2, the rest is
/// answered.
std::string answer_not_ready(pthi::mei_client client, std::string_view octets,
                             const device_model& d, const change_machine& change);

} // namespace outband::amtsim
