#include "messages/amt/setup.hpp"

#include "messages/amt/base64.hpp"
#include "messages/amt/lifecycle.hpp"
#include "messages/amt/status.hpp"
#include "messages/http/digest.hpp"

#include <algorithm>

namespace outband::amt {

namespace {

constexpr std::string_view host_service = "IPS_HostBasedSetupService";
constexpr std::string_view setup_service = "AMT_SetupAndConfigurationService";
constexpr std::string_view http_md5 = "2";  // NetAdminPassEncryptionType
constexpr std::size_t max_signature = 1024; // octets: RSA-8192
constexpr std::size_t max_certificate = 16 * 1024;
constexpr std::size_t max_chain = 8;

bool is_hex(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
  });
}

/// What a ReturnValue of one method means to whoever ordered it.
struct meaning {
  std::uint32_t value;
  problem what;
  std::string_view field;
  std::string_view words;
};

/// Those of the table, else those of status.hpp.
template <std::size_t N>
status judged(const result<wsman::returned>& told, std::string_view method,
              const meaning (&table)[N]) {
  if (!told)
    return told.error();
  if (told->value == 0)
    return success();
  for (const auto& m : table)
    if (m.value == told->value)
      return fail(m.what,
                  std::string(method) + " was refused (" + std::to_string(m.value) +
                      "): " + std::string(m.words),
                  std::string(m.field));
  return status_failure(method, told->value);
}

// These values are not PT_STATUS.
constexpr meaning internal_error{
    1, problem::device_refused, "",
    "the firmware failed inside; try again, and if it stays so, update the firmware"};
constexpr meaning flash_limit{
    6, problem::busy, "",
    "the firmware's memory was written too often lately; wait some minutes, then try again"};

status judged_setup(const result<wsman::returned>& told, std::string_view method) {
  return judged(told, method,
                {internal_error,
                 {2, problem::transition_refused, "",
                  "the machine is not in the state that this needs: somebody has activated it "
                  "already, or it is being activated this very moment; read its control mode"},
                 {3, problem::device_refused, "password",
                  "the firmware does not accept one of the values; was the password's digest made "
                  "with this machine's realm?"},
                 {4, problem::unsupported, "",
                  "the machine's BIOS or firmware settings forbid activation from the host; enable "
                  "Intel AMT and host based setup in its management BIOS extension"},
                 {5, problem::device_refused, "signature",
                  "the firmware does not accept the proof: the certificate's name does not end in "
                  "the machine's DNS suffix (management BIOS extension, else DHCP option 15 of the "
                  "wired port), or the signature is not that of the leaf's key"},
                 flash_limit});
}

constexpr meaning password_refused[] = {
    {36, problem::device_refused, "password",
     "the firmware does not accept the password: 8 to 32 characters of all four kinds, and none of "
     "colon, comma and double quote"},
    {2054, problem::device_refused, "password",
     "the firmware does not accept the password: 8 to 32 characters of all four kinds, and none of "
     "colon, comma and double quote"},
    {16, problem::transition_refused, "",
     "the machine's control mode does not permit it; the management BIOS extension's password can "
     "be set in admin control mode only"}};

constexpr meaning unprovision_refused[] = {
    {16, problem::transition_refused, "",
     "the machine's control mode does not permit it; partial unprovisioning needs admin control "
     "mode"},
    {36, problem::device_refused, "", "the firmware does not know this kind of unprovisioning"},
    {2076, problem::busy, "",
     "another component blocks it, such as an audit log that only the auditor may release; look at "
     "the audit log, then try again"}};

status checked_ha1(const std::string& hex) {
  if (hex.size() == 32 && is_hex(hex))
    return success();
  return fail(problem::malformed, "an HA1 is 32 hexadecimal digits", "password");
}

status checked(const setup_proof& p) {
  if (p.our_nonce.size() != nonce_size)
    return fail(problem::malformed, "our nonce must be of 20 octets", "signature");
  if (p.signature.empty() || p.signature.size() > max_signature)
    return fail(problem::malformed, "a signature is of 1 to 1024 octets", "signature");
  return success();
}

std::string proof_parameters(const setup_proof& p) {
  return wsman::property("McNonce", base64_encode(p.our_nonce)) +
         wsman::property("SigningAlgorithm", std::to_string(p.algorithm)) +
         wsman::property("DigitalSignature", base64_encode(p.signature));
}

std::string password_parameters(const std::string& ha1_hex) {
  return wsman::property("NetAdminPassEncryptionType", http_md5) +
         wsman::property("NetworkAdminPassword", ha1_hex);
}

result<control_mode> mode_in(const wsman::node& service) {
  auto code = wsman::number_in(service, "CurrentControlMode",
                               static_cast<std::uint32_t>(control_mode::admin));
  if (!code)
    return code.error();
  return static_cast<control_mode>(*code);
}

std::string chain_words(std::size_t n, const std::vector<std::string>& chain) {
  const bool leaf = n == 0;
  const bool root = n + 1 == chain.size();
  return "AddNextCertInChain for certificate " + std::to_string(n + 1) + " of " +
         std::to_string(chain.size()) +
         (leaf   ? " (leaf)"
          : root ? " (root)"
                 : "");
}

} // namespace

std::string_view to_string(control_mode m) {
  switch (m) {
  case control_mode::pre_provisioning:
    return "pre-provisioning";
  case control_mode::client:
    return "client control mode";
  case control_mode::admin:
    return "admin control mode";
  }
  return {};
}

bool host_setup::allows(control_mode m) const {
  return std::find(allowed.begin(), allowed.end(), m) != allowed.end();
}

result<host_setup> read_host_setup(wsman::talk& t) {
  auto service = t.get(host_service);
  if (!service)
    return service.error();
  host_setup out;
  auto mode = mode_in(**service);
  if (!mode)
    return mode.error();
  out.mode = *mode;
  auto chain = wsman::number_or(**service, "CertChainStatus", 0,
                                static_cast<std::uint32_t>(chain_status::complete));
  if (!chain)
    return chain.error();
  out.chain = static_cast<chain_status>(*chain);
  for (const auto& c : (*service)->children) {
    if (c.name != "AllowedControlModes")
      continue;
    const auto code = wsman::to_number(c.value());
    if (!code || *code > static_cast<std::uint32_t>(control_mode::admin))
      return fail(problem::device_protocol, "IPS_HostBasedSetupService.AllowedControlModes is '" +
                                                std::string(c.value().substr(0, 40)) +
                                                "', none of 0, 1, 2");
    if (!out.allows(static_cast<control_mode>(*code)))
      out.allowed.push_back(static_cast<control_mode>(*code));
  }
  const auto text = (*service)->child_text("ConfigurationNonce");
  const auto nonce = base64_decode(text.substr(0, 64));
  if (nonce && nonce->size() == nonce_size && text.size() < 64)
    out.nonce = *nonce;
  else if (!text.empty() || out.mode != control_mode::admin)
    return fail(problem::device_protocol, "IPS_HostBasedSetupService.ConfigurationNonce is not "
                                          "base64 of 20 octets");
  return out;
}

result<control_mode> read_control_mode(wsman::talk& t) {
  auto service = t.get(host_service);
  if (!service)
    return service.error();
  return mode_in(**service);
}

result<std::string> read_realm(wsman::talk& t) {
  auto settings = t.get("AMT_GeneralSettings");
  if (!settings)
    return settings.error();
  constexpr std::string_view prefix = "Digest:";
  const auto realm = (*settings)->child_text("DigestRealm");
  const auto digits = realm.substr(std::min(realm.size(), prefix.size()));
  if (realm.substr(0, prefix.size()) != prefix || digits.size() != 32 || !is_hex(digits))
    return fail(problem::device_protocol, "AMT_GeneralSettings.DigestRealm is not 'Digest:' and 32 "
                                          "hexadecimal digits");
  return std::string(realm);
}

std::string admin_ha1(std::string_view realm, std::string_view user, std::string_view password) {
  return http::digest_ha1(user, realm, password);
}

std::string admin_ha1_base64(std::string_view realm, std::string_view user,
                             std::string_view password) {
  const auto hash =
      http::md5(std::string(user) + ":" + std::string(realm) + ":" + std::string(password));
  return hash ? base64_encode({reinterpret_cast<const char*>(hash->data()), hash->size()})
              : std::string{};
}

status setup_client_mode(wsman::talk& t, const std::string& ha1_hex) {
  if (auto good = checked_ha1(ha1_hex); !good)
    return good;
  return judged_setup(t.invoke(host_service, "Setup", password_parameters(ha1_hex)), "Setup");
}

status add_certificate_chain(wsman::talk& t, const std::vector<std::string>& chain) {
  if (chain.empty() || chain.size() > max_chain)
    return fail(problem::malformed, "a chain is of 1 to 8 certificates", "certificateChain");
  for (std::size_t n = 0; n < chain.size(); ++n) {
    const auto der = base64_decode(chain[n]);
    if (!der || der->empty() || der->size() > max_certificate)
      return fail(problem::malformed,
                  "certificate " + std::to_string(n + 1) + " is not base64 of at most 16384 octets",
                  "certificateChain");
    auto told = t.invoke(
        host_service, "AddNextCertInChain",
        wsman::property("NextCertificate", base64_encode(*der)) + // without line breaks
            wsman::property("IsLeafCertificate", n == 0 ? "true" : "false") +
            wsman::property("IsRootCertificate", n + 1 == chain.size() ? "true" : "false"));
    auto ok = judged(
        told, chain_words(n, chain),
        {{1, problem::device_refused, "certificateChain",
          "the firmware cannot read the certificate; it must be X.509 with an RSA key"},
         {2, problem::device_refused, "certificateChain",
          "the firmware could not take it: the chain is out of order, or it failed inside"},
         {3, problem::transition_refused, "certificateChain",
          "the firmware does not wait for this certificate: the chain is out of order, or an "
          "earlier attempt stopped half-way; try again after a minute"},
         {4, problem::device_refused, "certificateChain",
          "the firmware does not trust the chain: its root's hash is not among the machine's "
          "active "
          "ones (AMT 16 and later want no SHA-1 roots), one certificate was not issued by the "
          "next, "
          "is expired, or is too weak for this generation, or the leaf is not for AMT "
          "provisioning"},
         {5, problem::device_refused, "certificateChain",
          "the chain is longer than the firmware can hold; four certificates are the usual "
          "limit"}});
    if (!ok)
      return ok;
  }
  return success();
}

status admin_setup(wsman::talk& t, const std::string& ha1_hex, const setup_proof& proof) {
  if (auto good = checked_ha1(ha1_hex); !good)
    return good;
  if (auto good = checked(proof); !good)
    return good;
  return judged_setup(
      t.invoke(host_service, "AdminSetup", password_parameters(ha1_hex) + proof_parameters(proof)),
      "AdminSetup");
}

status upgrade_to_admin(wsman::talk& t, const setup_proof& proof) {
  if (auto good = checked(proof); !good)
    return good;
  return judged_setup(t.invoke(host_service, "UpgradeClientToAdmin", proof_parameters(proof)),
                      "UpgradeClientToAdmin");
}

status set_admin_password(wsman::talk& t, const std::string& user, const std::string& ha1_base64) {
  if (user.empty() || user.size() > 16)
    return fail(problem::malformed, "a user name is of 1 to 16 characters", "user");
  const auto hash = base64_decode(ha1_base64);
  if (!hash || hash->size() != 16)
    return fail(problem::malformed, "an HA1 is base64 of 16 octets", "password");
  return judged(
      t.invoke("AMT_AuthorizationService", "SetAdminAclEntryEx",
               wsman::property("Username", user) + wsman::property("DigestPassword", ha1_base64)),
      "SetAdminAclEntryEx", password_refused);
}

status set_mebx_password(wsman::talk& t, const std::string& password) {
  return judged(t.invoke(setup_service, "SetMEBxPassword", wsman::property("Password", password)),
                "SetMEBxPassword", password_refused);
}

status commit_changes(wsman::talk& t) {
  return judged(
      t.invoke(setup_service, "CommitChanges"), "CommitChanges",
      {{2057, problem::transition_refused, "",
        "something that must be set first is missing: the password of the management BIOS "
        "extension if it was never changed, or a certificate if TLS is on"},
       {38, problem::busy, "",
        "the firmware's memory was written too often lately; wait some minutes, then try "
        "again"}});
}

status unprovision(wsman::talk& t) {
  auto value = deactivate(t);
  if (!value)
    return value.error();
  return judged(wsman::returned{nullptr, *value}, "Unprovision", unprovision_refused);
}

status partial_unprovision(wsman::talk& t) {
  return judged(t.invoke(setup_service, "PartialUnprovision"), "PartialUnprovision",
                unprovision_refused);
}

} // namespace outband::amt
