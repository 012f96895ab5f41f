#include "tools/amtsim/activation_state.hpp"

#include "messages/domain/text.hpp"
#include "tools/amtsim/cira_state.hpp"
#include "tools/amtsim/device_model.hpp"
#include "tools/amtsim/firmware_version.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace outband::amtsim {

namespace {

struct known_root {
  const char* name;
  const char* sha256;
  const char* sha384;
};

/// Public roots that machines are delivered with. Fingerprints of the published certificates.
constexpr std::array<known_root, 6> known_roots{{
    {"Go Daddy Class 2 CA", "c3846bf24b9e93ca64274c0ec67c1ecc5e024ffcacd2d74019350e81fe546ae4",
     "882710ef4e42c3151067a8aab5fe63963209b444b1fb3d35594a5dc938ac3c4a"
     "ce5f0d3a7bc4b176ca0e5e555ef03590"},
    {"Comodo AAA CA", "d7a7a0fb5d7e2731d771e9484ebcdef71d5f0c3e0a2948782bc83ee0ea699ef4",
     "9a6308c587fe81766b61ace47e0228750b210dedcb0961803635927405cf8581"
     "d075ff6e2d7e06c4d5e9054e6c89faca"},
    {"Starfield Class 2 CA", "1465fa205397b876faa6f0a9958e5590e40fcc7faa4fb7c2c8677521fb5fb658",
     "555926edb7e0f9019f3bf550b961b89c56e42550628a5f1d9671fd07484dd918"
     "4ca7c61dea28ae205333b0cbdd5ec84a"},
    {"Go Daddy Root CA-G2", "45140b3247eb9cc8c5b4f0d7b53091f73292089e6e5a63e2749dd3aca9198eda",
     "3e54bb0fe56fa7d9eda000ac3a2d5362507b89b94e1c41adb48044e0b73a855a"
     "6d87aaf22c861d2168dc5bc90dce5d57"},
    {"Starfield Root CA-G2", "2ce1cb0bf9d2f9e102993fbe215152c3b2dd0cabde1c68e5319b839154dbb7f5",
     "ed1c0cb4a95687b69175cb7f158dd8b9742bfecae5b72ce9f40589d088d63d54"
     "e40ae5d39f2fdba095acd7708b4a9d59"},
    {"Entrust G2", "43df5774b03e7fef5fe40d931a7bedf1bb2e6b42738c4e6d3841103d3aa7f339",
     "e54eacb44898ccdcafd73c8ac171a1281ce942e7d42c1bdf8db2cff0372cfb41"
     "d5db735c0aad8924053ae9c4012a413b"},
}};

std::string from_hex(std::string_view digits) {
  std::string out;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2)
    out += static_cast<char>(hex_digit(digits[i]) << 4 | hex_digit(digits[i + 1]));
  return out;
}

/// AMT 22 knows its roots by SHA-384, as it wants no SHA-256 in a chain.
std::vector<trusted_hash> factory_list(const settings& of) {
  std::vector<trusted_hash> out;
  const bool sha384 = version_at_least(of.kind.version, 22);
  for (const auto& root : known_roots)
    out.push_back({0, root.name, true, true,
                   sha384 ? hash_algorithm::sha384 : hash_algorithm::sha256,
                   from_hex(sha384 ? root.sha384 : root.sha256)});
  for (const auto& root : of.trusted_roots)
    if (out.size() < max_trusted_hashes && sha384 == (root.algorithm == hash_algorithm::sha384))
      out.push_back(root);
  for (std::size_t i = 0; i < out.size(); ++i)
    out[i].handle = static_cast<std::uint32_t>(i);
  return out;
}

} // namespace

std::size_t octets_of(hash_algorithm a) {
  return a == hash_algorithm::sha1 ? 20 : a == hash_algorithm::sha256 ? 32 : 48;
}

std::vector<trusted_hash> trusted_hashes(const device_model& d) {
  return d.activation->hashes ? *d.activation->hashes : factory_list(d.shared());
}

std::vector<trusted_hash>& change_trusted_hashes(device_model& d) {
  auto& a = d.activation.change();
  if (!a.hashes)
    a.hashes = factory_list(d.shared());
  return *a.hashes;
}

std::string pki_suffix(const device_model& d) {
  return d.activation->pki_suffix.value_or(d.shared().pki_suffix);
}

std::string dhcp_suffix(const device_model& d) {
  if (!d.activation->wired_link)
    return {};
  return d.activation->dhcp_suffix.value_or(d.shared().dns_suffix);
}

bool tls_enforced(const device_model& d) {
  return d.activation->tls_enforced.value_or(d.shared().kind.tls_enforced);
}

std::uint32_t provisioning_state(const device_model& d) {
  return d.activation->in_provisioning ? 1 : d.control_mode == 0 ? 0 : 2;
}

void leave_factory(device_model& d) {
  d.control_mode = 0;
  forget_cira(d); // the command line's server is not what it was given
}

void forget_own_trust(device_model& d) {
  if (!pki_suffix(d).empty())
    d.activation.change().pki_suffix = "";
  if (!d.activation.changed() || !d.activation->hashes)
    return;
  auto& all = change_trusted_hashes(d);
  all.erase(
      std::remove_if(all.begin(), all.end(), [](const trusted_hash& h) { return !h.is_default; }),
      all.end());
}

void forget_attempt(device_model& d) {
  if (!d.activation.changed())
    return;
  auto& a = d.activation.change();
  ++a.nonces_used;
  a.chain.clear();
  a.chain_complete = false;
  a.in_provisioning = false;
  a.secure.reset();
  a.pending_admin_ha1.clear();
  a.rcfg_certificate.clear();
  a.rcfg_key.clear();
  a.busy_until = sim_time{0};
}

bool is_busy(const device_model& d, sim_time now) {
  return d.activation.changed() && now < d.activation->busy_until;
}

void begin_busy(device_model& d, sim_time now) {
  // Where TLS is enforced the change holds with CommitChanges only, which follows at once.
  const auto lasts = d.shared().times.setup_busy;
  if (lasts.count() > 0 && !tls_enforced(d))
    d.activation.change().busy_until = now + lasts;
}

void restart_ports(device_model& d, sim_time now) {
  const auto lasts = d.shared().times.port_restart;
  if (lasts.count() == 0)
    return;
  auto& a = d.activation.change();
  ++a.port_restarts;
  a.ports_back_at = now + lasts;
}

} // namespace outband::amtsim
