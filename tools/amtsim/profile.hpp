/// What is the same for all machines of a kind: firmware generation and timing.
/// Context: pure data; one per process, shared by all machines.
#pragma once

#include "tools/amtsim/activation_state.hpp"
#include "tools/amtsim/faults.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace outband::amtsim {

class on_die_authority;

struct firmware {
  std::string version; ///< "16.1.25"
  std::string build;   ///< "2049"
  std::string sku;     ///< decimal bit mask
  /// One Click Recovery (boot over HTTPS, WinRE, PBA) and remote platform erase.
  bool ocr = false;
  bool kvm = true; ///< Standard Manageability has none
  /// In the order in which they are announced.
  std::vector<std::uint16_t> ports;
  bool wifi = true;          ///< a radio that firmware can use
  bool tls_enforced = false; ///< its local ports speak TLS only, as from AMT 19 on
};
/// "amt16", "amt12", "amt19", "amt22", "ism16" (Standard Manageability, wired only); nullptr for
/// another name.
const firmware* find_firmware(std::string_view profile);

/// How long things take. Zero is allowed.
struct timing {
  sim_time power{600};          ///< from the request to off, on, sleep, reset
  sim_time off_before_on{1500}; ///< how long a power cycle stays off
  sim_time os_shutdown{4000};   ///< what the OS needs to shut down gracefully
  sim_time os_boot{0};          ///< after power-on, until the OS can shut down gracefully
  sim_time answer{0};           ///< added to every WS-MAN answer
  /// How long the tunnel is away after a power transition; max 0: it stays.
  sim_time link_drop_min{1000};
  sim_time link_drop_max{3000};
  /// Before connecting again after the server ended the tunnel.
  sim_time reconnect_min{1000};
  sim_time reconnect_max{3000};
  sim_time keepalive{30000}; ///< until the server sets another
  /// After it was configured and when it may call home, at most; its policy's interval if shorter.
  sim_time home_call{1000};
  sim_time setup_busy{0};   ///< after Setup, AdminSetup, upgrade: requests are answered 503
  sim_time port_restart{0}; ///< after CommitChanges with TLS: how long the ports are away; 0: not
};

struct settings {
  firmware kind;
  timing times;
  std::size_t batch = 0;       ///< items per Pull; 0: all at once, as most firmware does
  std::uint32_t window = 4096; ///< APF channel window, octets
  bool keeps_flash = false;    ///< reports say what the state file keeps
  bool factory = false;        ///< the machines are new, nobody has activated them
  std::string pki_suffix;      ///< that somebody entered in their MEBx
  std::string dns_suffix;      ///< of their wired network, from DHCP
  std::vector<trusted_hash> trusted_roots; ///< besides those that every machine knows
  /// Who certifies port 16993 at first; nullptr: each machine itself.
  std::shared_ptr<const on_die_authority> on_die;
  /// What the network's name service says of servers that machines are told: "mps.example.com" ->
  /// "127.0.0.1:4433".
  std::map<std::string, std::string> resolve;
  /// The management presence server that the machines are told to have been configured with.
  std::string server_host;
  std::uint16_t server_port = 4433;
};

} // namespace outband::amtsim
