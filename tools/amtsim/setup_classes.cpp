// Activation and its end: IPS_HostBasedSetupService, AMT_SetupAndConfigurationService.
#include "messages/domain/text.hpp"
#include "tools/amtsim/account_state.hpp"
#include "tools/amtsim/activation_state.hpp"
#include "tools/amtsim/cira_state.hpp"
#include "tools/amtsim/classes.hpp"
#include "tools/amtsim/kept_members.hpp"
#include "tools/amtsim/provisioning_chain.hpp"
#include "tools/amtsim/setup_state.hpp"
#include "tools/amtsim/status.hpp"
#include "tools/amtsim/tls_state.hpp"

#include <algorithm>
#include <utility>

namespace outband::amtsim {

namespace {

constexpr std::uint32_t not_permitted = 16;
constexpr std::uint32_t invalid_password = 2054;
constexpr std::uint32_t everything = 0xFFFFFFFF;
constexpr std::uint16_t security_admin = 16; // application of the audit log

/// ReturnValues of Setup, AdminSetup and UpgradeClientToAdmin
/// (go-wsman-messages pkg/wsman/ips/hostbasedsetup/decoder.go).
namespace setup_rv {
constexpr std::uint32_t internal_error = 1;
constexpr std::uint32_t invalid_state = 2;
constexpr std::uint32_t invalid_parameter = 3;
constexpr std::uint32_t disabled = 4;
constexpr std::uint32_t authentication_failed = 5;
} // namespace setup_rv

/// AddNextCertInChain numbers its own.
namespace chain_rv {
constexpr std::uint32_t invalid_parameter = 1;
constexpr std::uint32_t invalid_state = 3;
constexpr std::uint32_t not_verified = 4;
constexpr std::uint32_t too_long = 5;
} // namespace chain_rv

std::string octets_of(const uuid& id) {
  return {reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size()};
}

// -- IPS_HostBasedSetupService ----------------------------------------------------------------

/// 20 octets, another one after each attempt.
std::string configuration_nonce(const device_model& d) {
  return d.derived("nonce|" + std::to_string(d.activation->nonces_used));
}

instances host_based_setup(const device_model& d) {
  const auto& a = *d.activation;
  auto out = with(service("IPS_HostBasedSetupService", "Intel(r) AMT Host Based Setup Service"),
                  {{"CertChainStatus", a.chain_complete  ? "2"
                                       : a.chain.empty() ? "0"
                                                         : "1"},
                   {"ConfigurationNonce", base64(configuration_nonce(d))},
                   {"CurrentControlMode", std::to_string(d.control_mode)}});
  if (a.host_based)
    for (const auto* mode : {"2", "1"})
      out.fields.push_back({"AllowedControlModes", mode});
  return {out};
}

/// MD5 of user, realm and password as 32 hex digits, in lower case; empty if it is something else.
std::string admin_secret(const wsman::node& input) {
  std::string out(input.child_text("NetworkAdminPassword"));
  for (auto& c : out)
    c = ascii_lower(c);
  const bool hex =
      out.size() == 32 && out.find_first_not_of("0123456789abcdef") == std::string::npos;
  return hex && input.child_text("NetAdminPassEncryptionType") == "2" ? out : std::string{};
}

/// How a machine is right after its activation: redirection off, consent as its mode has it.
void activate(context& c, int mode, std::string secret) {
  auto& d = c.device;
  const bool fresh = !secret.empty(); // else an upgrade
  d.control_mode = mode;
  if (fresh) {
    auto& a = d.accounts.change();
    a.admin_name.clear();
    a.admin_ha1 = std::move(secret);
    d.feature.listener = false;
    d.feature.kvm = false;
    d.cira.change(); // what it was made with is not what it was given
  }
  // Client control mode asks the user for everything, and the upgrade leaves it so. A machine that
  // comes to admin control mode directly protects KVM only, as the MEBx has it by default.
  if (mode == 1)
    d.feature.opt_in_required = everything;
  else if (fresh)
    d.feature.opt_in_required = 1;
  forget_attempt(d);
  // Where TLS is enforced CommitChanges is to follow; until then the machine is "in provisioning".
  d.activation.change().in_provisioning = fresh && mode == 1 && tls_enforced(d);
  d.failed_logins = 0;
  if (fresh) // RPS 2.40 waits after Setup and AdminSetup, but goes on at once after an upgrade
    begin_busy(d, c.now);
  record_audit(c, security_admin, 1); // provisioning completed
}

/// The answer to what was carried out, unless a controller wants something to go wrong.
outcome carried_out(context& c) {
  outcome out(status::success);
  if (c.faults.take(fault_kind::setup_error))
    out.return_value = setup_rv::internal_error;
  out.delay = c.faults.take(fault_kind::slow_setup).value_or(sim_time{0});
  out.cut = c.faults.take(fault_kind::setup_unanswered).has_value();
  return out;
}

outcome setup(const wsman::node& input, context& c) {
  auto& d = c.device;
  if (d.control_mode != 0)
    return setup_rv::invalid_state;
  if (!d.activation->host_based)
    return setup_rv::disabled;
  auto secret = admin_secret(input);
  if (secret.empty())
    return setup_rv::invalid_parameter;
  if (c.faults.take(fault_kind::setup_refused))
    return setup_rv::internal_error;
  activate(c, 1, std::move(secret));
  ++d.activation.change().counts.setups;
  return carried_out(c);
}

outcome add_next(const wsman::node& input, context& c) {
  auto& d = c.device;
  if (d.control_mode == 2 || !d.activation->host_based)
    return chain_rv::invalid_state;
  bool leaf = false;
  bool root = false;
  if (input.child("IsLeafCertificate") == nullptr || input.child("IsRootCertificate") == nullptr)
    return soap_fault::schema_validation_error;
  if (!take(input, "IsLeafCertificate", leaf) || !take(input, "IsRootCertificate", root))
    return soap_fault::schema_validation_error;
  const auto der = from_base64(input.child_text("NextCertificate"));
  if (!der || der->empty() || der->size() > 8192)
    return chain_rv::invalid_parameter;
  auto& a = d.activation.change();
  if (leaf) { // a new attempt; whoever was interrupted begins anew
    a.chain.clear();
    a.chain_complete = false;
  } else if (a.chain.empty() || a.chain_complete) {
    return chain_rv::invalid_state;
  }
  const auto refuse = [&](std::uint32_t why) {
    a.chain.clear();
    return why;
  };
  if (a.chain.size() == max_chain)
    return refuse(chain_rv::too_long);
  auto problem = check_alone(*der, leaf, d, c.now);
  if (problem == chain_problem::malformed)
    return refuse(chain_rv::invalid_parameter);
  if (problem == chain_problem::none && !leaf)
    problem = check_link(a.chain.back(), *der);
  if (problem == chain_problem::none && root)
    problem = check_root(*der, d);
  if (problem != chain_problem::none)
    return refuse(chain_rv::not_verified);
  a.chain.push_back(*der);
  a.chain_complete = root;
  return status::success;
}

/// Nothing: the caller has the key of a certificate that may set up this machine, right now.
std::optional<std::uint32_t> refuses_proof(const wsman::node& input, context& c) {
  auto& d = c.device;
  const auto mc_nonce = from_base64(input.child_text("McNonce"));
  const auto signature = from_base64(input.child_text("DigitalSignature"));
  const auto hash = signing_hash(input.child_text("SigningAlgorithm"), d);
  if (!mc_nonce || mc_nonce->size() != 20 || !signature || signature->empty() || !hash)
    return setup_rv::invalid_parameter;
  const auto nonce = configuration_nonce(d);
  auto& a = d.activation.change();
  ++a.nonces_used; // whatever comes of it
  const auto leaf = a.chain.front();
  if (signed_octets(leaf, nonce + *mc_nonce, *signature, *hash) && belongs_to_domain(leaf, d))
    return std::nullopt;
  a.chain.clear();
  a.chain_complete = false;
  return setup_rv::authentication_failed;
}

outcome admin_setup(const wsman::node& input, context& c) {
  auto& d = c.device;
  // "Disabled" is not among AdminSetup's values.
  if (d.control_mode != 0 || !d.activation->host_based || !d.activation->chain_complete)
    return setup_rv::invalid_state;
  auto secret = admin_secret(input);
  if (secret.empty())
    return setup_rv::invalid_parameter;
  if (const auto why = refuses_proof(input, c))
    return *why;
  if (c.faults.take(fault_kind::setup_refused))
    return setup_rv::internal_error;
  activate(c, 2, std::move(secret));
  ++d.activation.change().counts.admin_setups;
  return carried_out(c);
}

outcome upgrade(const wsman::node& input, context& c) {
  auto& d = c.device;
  if (d.control_mode != 1 || !d.activation->chain_complete)
    return setup_rv::invalid_state;
  if (const auto why = refuses_proof(input, c))
    return *why;
  if (c.faults.take(fault_kind::setup_refused))
    return setup_rv::internal_error;
  activate(c, 2, {});
  ++d.activation.change().counts.upgrades;
  return carried_out(c);
}

// -- AMT_SetupAndConfigurationService -----------------------------------------------------------

instances setup_service(const device_model& d) {
  return {with(
      service("AMT_SetupAndConfigurationService", "Intel(r) AMT Setup and Configuration Service"),
      {{"EnabledState", "5"},
       {"PasswordModel", "1"},
       {"ProvisioningMode", d.control_mode == 1 ? "4" : "1"},
       {"ProvisioningServerOTP", std::string(43, 'A') + "="},
       {"ProvisioningState", text(provisioning_state(d))},
       {"RequestedState", "12"},
       {"ZeroTouchConfigurationEnabled", "true"}})};
}

outcome get_uuid(const wsman::node&, context& c) {
  return {0, {{"UUID", base64(octets_of(swap_smbios(c.device.who().guid)))}}};
}

/// The end of a secure configuration: what the server was allowed to do holds from now on.
void commit_secure(context& c) {
  activate(c, 2, c.device.activation->pending_admin_ha1);
  ++c.device.activation.change().counts.admin_setups;
}

outcome commit(const wsman::node&, context& c) {
  auto& d = c.device;
  const bool was_on = d.tls->in_force[0].enabled || d.tls->in_force[1].enabled;
  const bool secure = d.control_mode == 0;
  if (secure && !d.activation->secure)
    return not_permitted;
  if (secure && (d.activation->pending_admin_ha1.empty() || d.accounts->mebx_set == 0))
    return status::data_missing;
  const auto rv = commit_tls(c);
  if (rv != status::success)
    return rv;
  if (secure)
    commit_secure(c);
  d.activation.change().in_provisioning = false;
  ++d.activation.change().counts.commits;
  if (was_on || tls_enforced(d) || d.tls->in_force[0].enabled || d.tls->in_force[1].enabled)
    restart_ports(d, c.now);
  outcome out(rv);
  out.cut = c.faults.take(fault_kind::commit_unanswered).has_value();
  return out;
}

/// As the MEBx wants it: of every kind of character one.
bool is_strong(std::string_view password) {
  const auto has = [&](auto kind) {
    return std::any_of(password.begin(), password.end(), kind);
  };
  const auto between = [](char lo, char hi) {
    return [=](char c) {
      return c >= lo && c <= hi;
    };
  };
  return password.size() >= 8 && password.size() <= 32 && has(between('a', 'z')) &&
         has(between('A', 'Z')) && has(between('0', '9')) && has([](char c) {
           return c > ' ' && c < 127 && !(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'z') &&
                  !(c >= 'A' && c <= 'Z');
         });
}

outcome set_mebx_password(const wsman::node& input, context& c) {
  auto& d = c.device;
  if (!is_strong(input.child_text("Password")))
    return invalid_password;
  if (d.control_mode == 1 || (d.control_mode == 0 && !d.activation->secure))
    return not_permitted;
  ++d.accounts.change().mebx_set;
  ++d.activation.change().counts.mebx_passwords;
  return status::success;
}

outcome unprovisioned(context& c, bool full) {
  auto& d = c.device;
  record_audit(c, security_admin, 19, "\4"); // unprovisioning started by remote WS-MAN
  ++d.activation.change().counts.unprovisions;
  d.unprovision(full);
  outcome out(status::success);
  out.cut = c.faults.take(fault_kind::unprovision_unanswered).has_value();
  return out;
}

outcome unprovision(const wsman::node& input, context& c) {
  std::uint32_t mode = 1;
  if (!take(input, "ProvisioningMode", mode))
    return soap_fault::schema_validation_error;
  if (mode != 1 && mode != 4)
    return status::invalid_parameter;
  if (c.device.control_mode == 0)
    return not_permitted;
  return unprovisioned(c, true);
}

/// Of admin control mode only. Keeps names, trusted roots and the suffix.
outcome partial_unprovision(const wsman::node&, context& c) {
  if (c.device.control_mode != 2)
    return not_permitted;
  auto names = *c.device.setup;
  auto done = unprovisioned(c, false);
  names.realm = c.device.setup->realm;
  c.device.setup.change() = std::move(names);
  return done;
}

// -- flash ------------------------------------------------------------------------------------

template <class V, class T> void count_members(V& v, T& t) {
  v("setups", t.setups);
  v("admin_setups", t.admin_setups);
  v("upgrades", t.upgrades);
  v("admin_passwords", t.admin_passwords);
  v("mebx_passwords", t.mebx_passwords);
  v("commits", t.commits);
  v("unprovisions", t.unprovisions);
}

template <class V, class T> void members(V& v, T& t) {
  v("wired_link", t.wired_link);
  v("amt_enabled", t.amt_enabled);
  v("may_be_enabled", t.may_be_enabled);
  v("host_based", t.host_based);
  v("nonces_used", t.nonces_used);
  v("in_provisioning", t.in_provisioning);
  v.within("count.", [&](auto& w) { count_members(w, t.counts); });
}

void save_hashes(kept_writer& to, const std::vector<trusted_hash>& all) {
  to.list("hashes", all, [](auto& w, const trusted_hash& h) {
    w("name", h.name);
    w("default", h.is_default);
    w("active", h.active);
    w("algorithm", static_cast<std::uint32_t>(h.algorithm));
    w.octets("hash", h.hash);
  });
}

void load_hashes(const kept_reader& from, activation_state& into) {
  std::vector<trusted_hash> all;
  from.list("hashes", all, [](auto& r, trusted_hash& h) {
    std::uint32_t algorithm = 2;
    r("name", h.name);
    r("default", h.is_default);
    r("active", h.active);
    r("algorithm", algorithm);
    r.octets("hash", h.hash);
    h.algorithm = algorithm == 1   ? hash_algorithm::sha1
                  : algorithm == 3 ? hash_algorithm::sha384
                                   : hash_algorithm::sha256;
  });
  all.erase(
      std::remove_if(all.begin(), all.end(),
                     [](const trusted_hash& h) { return h.hash.size() != octets_of(h.algorithm); }),
      all.end());
  if (all.size() > max_trusted_hashes)
    all.resize(max_trusted_hashes);
  for (std::size_t i = 0; i < all.size(); ++i)
    all[i].handle = static_cast<std::uint32_t>(i);
  into.hashes = std::move(all);
}

void save(const device_model& d, kept_texts& to) {
  if (!d.activation.changed())
    return;
  const auto& a = *d.activation;
  kept_writer w{to};
  members(w, a);
  if (a.hashes)
    save_hashes(w, *a.hashes);
  if (a.pki_suffix)
    w("pki_suffix", *a.pki_suffix);
  if (a.dhcp_suffix)
    w("dhcp_suffix", *a.dhcp_suffix);
  if (a.tls_enforced)
    w("tls_enforced", *a.tls_enforced);
}

void load(const kept_texts& from, device_model& d) {
  if (from.empty())
    return;
  auto& a = d.activation.change();
  kept_reader r{from};
  members(r, a);
  if (from.count("hashes") != 0)
    load_hashes(r, a);
  if (const auto at = from.find("pki_suffix"); at != from.end())
    a.pki_suffix = at->second;
  if (const auto at = from.find("dhcp_suffix"); at != from.end())
    a.dhcp_suffix = at->second;
  if (const auto at = from.find("tls_enforced"); at != from.end())
    a.tls_enforced = at->second == "true";
}

} // namespace

class_table setup_classes() {
  return {{{"AMT_SetupAndConfigurationService", setup_service},
           {"IPS_HostBasedSetupService", host_based_setup}},
          {{"AMT_SetupAndConfigurationService", "CommitChanges", commit},
           {"AMT_SetupAndConfigurationService", "GetUuid", get_uuid},
           {"AMT_SetupAndConfigurationService", "PartialUnprovision", partial_unprovision},
           {"AMT_SetupAndConfigurationService", "SetMEBxPassword", set_mebx_password},
           {"AMT_SetupAndConfigurationService", "Unprovision", unprovision},
           {"IPS_HostBasedSetupService", "AddNextCertInChain", add_next},
           {"IPS_HostBasedSetupService", "AdminSetup", admin_setup},
           {"IPS_HostBasedSetupService", "Setup", setup},
           {"IPS_HostBasedSetupService", "UpgradeClientToAdmin", upgrade}},
          {},
          {{"activation", save, load}}};
}

} // namespace outband::amtsim
