/// How a machine comes from new to activated: control mode, trusted roots, chain, who may when.
///
/// Mode 0 (new): only the local system account signs in, on the local ports only. Modes 1 (client)
/// and 2 (admin): the administrator. What the machine is told at the factory or by its owner
/// (hashes, suffix, link) and what tests count survives device_model::unprovision(); the rest is of
/// one attempt.
/// Source: go-wsman-messages pkg/wsman/ips/hostbasedsetup, rpc-go, open-amt-cloud-toolkit/rps;
/// which of it is a guess about firmware is said where it is done.
/// Context: pure. Limits: 33 trusted roots (that many fit into PTHI's answer), chains of 4.
#pragma once

#include "tools/amtsim/faults.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace outband::amtsim {

class device_model;

inline constexpr std::size_t max_trusted_hashes = 33;
inline constexpr std::size_t max_chain = 4;

/// PTHI's numbers.
enum class hash_algorithm : std::uint8_t { sha1 = 1, sha256 = 2, sha384 = 3 };
std::size_t octets_of(hash_algorithm a);

/// A root that may have signed a provisioning certificate.
struct trusted_hash {
  std::uint32_t handle = 0;
  std::string name;
  bool is_default = true; ///< from the factory; others are lost with a full unprovision
  bool active = true;
  hash_algorithm algorithm = hash_algorithm::sha256;
  std::string hash; ///< octets
};

/// How often something was carried out (not: asked for); for tests.
struct activation_counts {
  std::uint32_t setups = 0;
  std::uint32_t admin_setups = 0;
  std::uint32_t upgrades = 0;
  std::uint32_t admin_passwords = 0; ///< SetAdminAclEntryEx
  std::uint32_t mebx_passwords = 0;
  std::uint32_t commits = 0;
  std::uint32_t unprovisions = 0;
};

/// StartConfigurationHBased: whoever shows this certificate over TLS is the configuration server.
struct secure_configuration {
  hash_algorithm algorithm = hash_algorithm::sha256;
  std::string client_hash;           ///< of the leaf that the client will show
  std::vector<std::string> suffixes; ///< of the host's networks
};

struct activation_state {
  // -- what the machine is told, and what it is --
  std::optional<std::vector<trusted_hash>> hashes; ///< nothing: those of its kind
  std::optional<std::string> pki_suffix;           ///< of the MEBx; nothing: as its kind
  std::optional<std::string> dhcp_suffix;          ///< option 15 on the wired port
  std::optional<bool> tls_enforced;                ///< local ports speak TLS only
  bool wired_link = true;
  bool amt_enabled = true;    ///< in the BIOS, or by SetAMTOperationalState
  bool may_be_enabled = true; ///< false: the BIOS does not let the host change that
  bool host_based = true;     ///< false: setup by the host is disabled in the BIOS
  sim_time lock{0};           ///< three wrong passwords lock everybody out for so long; 0: never
  activation_counts counts;

  // -- of the attempt under way --
  std::uint32_t nonces_used = 0;
  std::vector<std::string> chain; ///< DER, leaf first; verified as far as it goes
  bool chain_complete = false;
  bool in_provisioning = false; ///< ProvisioningState 1
  std::optional<secure_configuration> secure;
  std::string pending_admin_ha1; ///< secure configuration: valid once it is committed

  std::string rcfg_certificate; ///< DER, what 16993 shows during a secure configuration
  std::string rcfg_key;         ///< PKCS#8

  // -- for a while --
  sim_time locked_until{0};
  sim_time busy_until{0};          ///< requests are answered 503
  sim_time ports_back_at{0};       ///< nobody listens before
  std::uint32_t port_restarts = 0; ///< each ends all connections but the tunnel
};

// -- what holds now -----------------------------------------------------------------------------

/// The roots that every machine knows from the factory, then those of settings::trusted_roots.
std::vector<trusted_hash> trusted_hashes(const device_model& d);
/// Changeable; copies the list of its kind first.
std::vector<trusted_hash>& change_trusted_hashes(device_model& d);
std::string pki_suffix(const device_model& d);
/// Of the network on the wired port; empty without a link.
std::string dhcp_suffix(const device_model& d);
bool tls_enforced(const device_model& d);
/// 0 pre, 1 in, 2 post.
std::uint32_t provisioning_state(const device_model& d);

/// A new machine, as the factory made it.
void leave_factory(device_model& d);
/// The roots that were added, the suffix that was entered: gone with a full unprovision.
void forget_own_trust(device_model& d);
/// Nobody is waited for: what must end when the machine is unprovisioned.
void forget_attempt(device_model& d);

/// Are requests refused because firmware is still busy with a change of its setup?
bool is_busy(const device_model& d, sim_time now);
/// Setup, AdminSetup, CommitChanges: busy, and with TLS on the ports restart.
void begin_busy(device_model& d, sim_time now);
void restart_ports(device_model& d, sim_time now);

} // namespace outband::amtsim
