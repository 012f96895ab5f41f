/// The control interface: what tests and people use to look at simulated machines and to make
/// things go wrong. JSON, one object per line; each request gets one answer with the same "id".
///
///   {"op":"list"}                              ->
///   {"ok":true,"machines":[{guid,hostname,power,...}]}
///   {"op":"get","guid":"..."}                  -> {"ok":true,"machine":{..., "requests":{...},
///   "carried_out":{"8":2}, "consent":{"state":2,"code":"012345"}, "last_boot":"BIOS setup", ...}}
///   {"op":"fault","guid":"...","kind":"slow","ms":500,"count":3}     kinds: faults.hpp
///   {"op":"clear_faults","guid":"..."}
///   {"op":"press_power_button","guid":"..."}
///   {"op":"set","guid":"...","os_power_saving":3,"control_mode":1,"clock_offset_s":-60,
///    "hardware":{"CIM_Chassis.SerialNumber":"X"},"memory":[octets],"disks":[kilobytes],
///    "screens":[{"width":1920,"height":1080,"left":0,"top":0}]}       what is not named stays
///   {"op":"set",...,"factory":true,"wired_link":false,"dhcp_suffix":"a.example","pki_suffix":"",
///    "tls_enforced":true,"amt_enabled":false,"may_be_enabled":false,"host_based":false,
///    "account_lock_ms":5000,"admin_password":"of somebody else",
///    "hashes":[{"name":"Ours","pem":"...","active":true,"default":false},{"name":"X","hash":"hex"}],
///    "hash_active":{"name":"Go Daddy Class 2 CA","active":false}}
///   {"op":"check_password","guid":"...","password":"..."}   -> {"ok":true,"matches":true}: the
///                                                              administrator's
///   {"op":"local_account","guid":"..."}   -> {"ok":true,"user":"$$OsAdmin","password":"..."}, what
///                                            a host reads from its MEI
///   {"op":"add_event","guid":"...","sensor":6,"offset":5,"severity":16,"entity":38,"data":[170,10]}
///   {"op":"add_audit","guid":"...","app":16,"event":1,"user":"admin","data":[]}
///   {"op":"alert","guid":"...","message":"iAMT0055","argument":"3","severity":2,"platform":false}
///   {"op":"open_session","guid":"...","kind":"kvm"} {"op":"close_session",...}     sol, ider, kvm
///   {"op":"new_lan_certificate","guid":"..."}
///   {"op":"connect","guid":"..."} {"op":"disconnect","guid":"..."}
///   {"op":"watch"}                             -> events follow, as they happen, without "id"
///
/// "guid":"*" means every machine. An event: {"event":"power","guid":...,"from":2,"to":8,...} or
/// {"event":"link","guid":...,"up":true}. A mistake: {"ok":false,"error":"..."}.
/// Context: the main io_context. Limits: 32 controllers, 64 KiB per line, 4 MiB unread by a
/// controller, who is then cut off. Only loopback addresses and Unix sockets.
#pragma once

#include "tools/amtsim/fleet.hpp"

#include <memory>
#include <string>

namespace outband::amtsim {

class control {
public:
  /// `where`: "127.0.0.1:9000" or "unix:PATH". Throws std::runtime_error if it cannot listen.
  control(boost::asio::io_context& main, fleet& machines, const std::string& where);
  ~control();
  /// To all controllers that watch.
  void tell(const machine_event& e);
  /// "127.0.0.1:41233": with the port that was chosen for port 0.
  const std::string& address() const;

private:
  class server;
  std::shared_ptr<server> server_;
};

} // namespace outband::amtsim
