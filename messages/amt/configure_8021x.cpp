#include "messages/amt/configure_8021x.hpp"

#include "messages/amt/certificates.hpp"
#include "messages/amt/if_there.hpp"
#include "messages/amt/network.hpp"
#include "messages/amt/put_back.hpp"
#include "messages/amt/status.hpp"

#include <algorithm>
#include <utility>

namespace outband::amt {

namespace {

constexpr std::string_view settings = "IPS_IEEE8021xSettings";

std::string code(std::uint32_t value) {
  return std::to_string(value);
}
std::string code(ieee8021x_state s) {
  return code(static_cast<std::uint32_t>(s));
}

/// Certificates that the firmware holds already are not added again.
result<std::string> handle_of(wsman::talk& t, const std::vector<certificate>& held,
                              const std::string& der, bool root) {
  for (const auto& c : held)
    if (c.x509 == der && c.trusted_root == root)
      return c.instance_id;
  return add_certificate(t, der, root);
}

std::string certificate_parameter(std::string_view name, const std::string& handle) {
  return wsman::endpoint_parameter(
      name, {wsman::class_uri("AMT_PublicKeyCertificate"), wsman::named("InstanceID", handle)});
}

/// "Intel(r) AMT: 8021X Settings corp", however often it is configured.
std::string named_for(const wsman::node& now, const std::string& profile) {
  std::string name(now.child_text("InstanceID"));
  if (name.empty())
    name = "Intel(r) AMT: 8021X Settings";
  return profile.empty() ? name : name + " " + profile;
}

/// Properties that are absent where they are empty.
void take_identity(const ieee8021x_identity& who, std::vector<new_value>& changes,
                   std::vector<std::string_view>& without) {
  const auto optional = [&](const char* name, const std::string& value) {
    if (value.empty())
      without.emplace_back(name);
    else
      changes.push_back({name, value});
  };
  optional("Domain", who.domain);
  optional("RoamingIdentity", who.roaming_identity);
  optional("ServerCertificateName", who.server_name);
  optional("ServerCertificateNameComparison",
           who.server_name.empty() ? std::string() : code(server_name_in_full));
}

/// Firmware that answers with the settings of before has not taken the new ones over.
status taken_over(const wsman::node* echoed, ieee8021x_state wanted) {
  if (echoed == nullptr)
    return success();
  auto enabled = wsman::number_or(*echoed, "Enabled", static_cast<std::uint32_t>(wanted));
  if (!enabled)
    return enabled.error();
  if (*enabled != static_cast<std::uint32_t>(wanted))
    return fail(problem::device_refused,
                "the firmware accepted the 802.1x settings and did not take them over (Enabled " +
                    code(*enabled) + ")");
  return success();
}

} // namespace

result<ieee8021x_handles> provide_credentials(wsman::talk& t, const ieee8021x_credentials& what) {
  ieee8021x_handles out;
  if (what.client_certificate.empty() && what.private_key.empty() && what.ca_certificate.empty())
    return out;
  auto held = get_certificates(t);
  if (!held)
    return held.error();
  if (!what.private_key.empty()) {
    auto key = read_private_key(what.private_key);
    if (!key)
      return key.error();
    auto keys = get_keys(t);
    if (!keys)
      return keys.error();
    const bool known = std::any_of(keys->begin(), keys->end(),
                                   [&](const auto& k) { return k.der_key == key->public_key; });
    if (!known)
      if (auto added = add_private_key(t, key->private_key); !added)
        return added.error();
  }
  const auto provide = [&](const std::string& text, bool root, std::string& handle) -> status {
    if (text.empty())
      return success();
    auto c = read_certificate(text);
    if (!c)
      return c.error();
    auto told = handle_of(t, *held, c->der, root);
    if (!told)
      return told.error();
    handle = std::move(*told);
    return success();
  };
  if (auto ok = provide(what.client_certificate, false, out.client); !ok)
    return ok.error();
  if (auto ok = provide(what.ca_certificate, true, out.ca); !ok)
    return ok.error();
  // MPS waits a second before it uses what it added. Firmware that lists it can use it.
  const auto known_before = [&](const std::string& handle) {
    return handle.empty() || std::any_of(held->begin(), held->end(),
                                         [&](const auto& c) { return c.instance_id == handle; });
  };
  if (!known_before(out.client) || !known_before(out.ca)) {
    auto then = get_certificates(t);
    if (!then)
      return then.error();
  }
  return out;
}

result<ieee8021x_handles> configure_wired_8021x(wsman::talk& t, const wired_8021x_settings& what) {
  if (what.user.empty())
    return fail(problem::malformed, "802.1x needs a user name", "username");
  if (what.protocol == eap::peap_mschapv2 && what.password.empty())
    return fail(problem::malformed, "PEAP needs a password", "password");
  if (what.protocol == eap::tls &&
      (what.credentials.client_certificate.empty() || what.credentials.ca_certificate.empty()))
    return fail(problem::malformed, "EAP-TLS needs the machine's and the authority's certificate",
                "certificate");
  auto now = get_if_there(t, settings);
  if (!now)
    return now.error();
  if (*now == nullptr)
    return fail(problem::unsupported, "this firmware has no wired 802.1x");
  auto handles = provide_credentials(t, what.credentials);
  if (!handles)
    return handles;
  const auto state = handles->ca.empty() ? ieee8021x_state::without_certificates
                                         : ieee8021x_state::with_certificates;
  std::vector<new_value> changes{
      {"AuthenticationProtocol", code(static_cast<std::uint32_t>(what.protocol))},
      {"AvailableInS0", "true"},
      {"ElementName", named_for(**now, what.profile)},
      {"Enabled", code(state)},
      {"PxeTimeout", code(what.pxe_timeout_s)},
      {"Username", what.user}};
  std::vector<std::string_view> without;
  if (what.protocol == eap::peap_mschapv2) {
    changes.push_back({"Password", what.password});
    without = {"PSK", "PACPassword", "ProtectedAccessCredential"};
  } else {
    without = {"Password"};
  }
  take_identity(what.identity, changes, without);
  auto put = t.put(settings, put_back(**now, changes, without));
  if (!put)
    return put.error();
  if (auto ok = taken_over(*put, state); !ok)
    return ok.error();
  if (what.protocol == eap::tls) {
    auto told = t.invoke(settings, "SetCertificates",
                         certificate_parameter("ServerCertificateIssuer", handles->ca) +
                             certificate_parameter("ClientCertificate", handles->client));
    if (auto ok = done(told, "SetCertificates"); !ok)
      return ok.error();
  }
  return handles;
}

result<bool> disable_wired_8021x(wsman::talk& t) {
  auto now = get_if_there(t, settings);
  if (!now)
    return now.error();
  if (*now == nullptr)
    return false;
  auto enabled =
      wsman::number_or(**now, "Enabled", static_cast<std::uint32_t>(ieee8021x_state::disabled));
  if (!enabled)
    return enabled.error();
  const auto state = static_cast<ieee8021x_state>(*enabled);
  if (state != ieee8021x_state::with_certificates && state != ieee8021x_state::without_certificates)
    return false;
  auto put = t.put(settings, put_back(**now, {{"Enabled", code(ieee8021x_state::disabled)}},
                                      {"Username", "Password", "AuthenticationProtocol"}));
  if (!put)
    return put.error();
  return true;
}

} // namespace outband::amt
