#include "tools/amtsim/host.hpp"

#include "tools/amtsim/faults.hpp"
#include "tools/amtsim/host_commands.hpp"
#include "tools/amtsim/machine.hpp"

#include <cerrno>

namespace outband::amtsim {

host::host(machine& firmware, fault_set& faults, const host_place& where)
    : firmware_(firmware), faults_(faults), mei_path_(where.mei_path) {
  mei_server::owner& mei = *this; // the bases are private to everybody else
  lms_server::owner& lms = *this;
  if (!mei_path_.empty())
    mei_ = std::make_unique<mei_server>(firmware.executor(), mei_path_, mei);
  if (where.lms.plain || where.lms.tls)
    lms_ = std::make_unique<lms_server>(firmware.executor(), where.lms, lms);
}

int host::mei_connect(pthi::mei_client client) {
  if (client == pthi::mei_client::lme)
    return ENOTTY; // this host reaches the local ports by its LMS
  return faults_.take(fault_kind::mei_busy) ? EBUSY : 0;
}

std::string host::mei_answer(pthi::mei_client client, std::string_view octets) {
  if (faults_.take(fault_kind::mei_silent))
    return {};
  if (faults_.take(fault_kind::mei_garbage))
    return std::string(octets.size(), '\xEE');
  const auto change = [this](const std::function<void(device_model&, sim_time)>& what) {
    firmware_.change(what);
  };
  return faults_.take(fault_kind::mei_not_ready)
             ? answer_not_ready(client, octets, firmware_.model(), change)
             : answer_mei(client, octets, firmware_.model(), change);
}

std::unique_ptr<local_connection> host::open_local(std::uint16_t port, local_peer& peer) {
  return firmware_.open_local(port, peer);
}

} // namespace outband::amtsim
