/// What the profile wants of a machine that is ours; and maintenance, which is parts of it.
#include "actors/activation/activation.hpp"
#include "actors/activation/passwords.hpp"
#include "messages/amt/base64.hpp"
#include "messages/amt/cira.hpp"
#include "messages/amt/configure_clear.hpp"
#include "messages/amt/configure_network.hpp"
#include "messages/amt/configure_tls.hpp"
#include "messages/amt/features.hpp"
#include "messages/amt/maintenance.hpp"
#include "messages/domain/time.hpp"
#include "messages/provisioning/firmware_policy.hpp"
#include "messages/provisioning/tls_leaf.hpp"
#include "messages/rest/json.hpp"

#include <algorithm>
#include <utility>

namespace outband::activation {

std::string activation_run::device_info() const {
  const auto& m = wish_->machine;
  json::object former;
  if (known_.record && !known_.record->device_info.empty())
    if (auto parsed = json::parse(known_.record->device_info); parsed && parsed->members())
      former = *parsed->members();
  const auto now = to_rfc3339(site_->with.clock.now());
  auto set = [&](std::string key, json::value v) {
    auto at = std::find_if(former.begin(), former.end(),
                           [&](const auto& had) { return had.name == key; });
    if (at == former.end())
      former.push_back({std::move(key), std::move(v)});
    else
      at->val = std::move(v);
  };
  set("fwVersion", m.version);
  set("fwBuild", m.build);
  set("fwSku", m.sku);
  set("currentMode", std::to_string(known_.mode));
  set("features", m.features);
  set("ipAddress", m.ip.address);
  if (wish_->act == provisioning_act::activate) {
    if (std::none_of(former.begin(), former.end(),
                     [](const auto& had) { return had.name == "activatedAt"; }))
      set("activatedAt", now);
    set("lastProvisionedAt", now);
  }
  set("lastUpdated", now);
  return json::dump(former);
}

void activation_run::sync_time() {
  const auto now = static_cast<std::uint32_t>(site_->with.clock.now() / 1000);
  converse<amt::clock_reading>([now](wsman::talk& t) { return amt::sync_time(t, now); },
                               [this](amt::clock_reading) { done(); });
}

void activation_run::sync_ip() {
  const auto& ip = wish_->machine.ip;
  const amt::host_address host{ip.address, ip.netmask, ip.gateway, ip.primary_dns,
                               ip.secondary_dns};
  converse<amt::synchronised>([host](wsman::talk& t) { return amt::sync_ip(t, host); },
                              [this](amt::synchronised) { done(); });
}

void activation_run::sync_hostname() {
  const auto wanted = wish_->machine.os_hostname;
  if (wanted.empty())
    return failed(fail(problem::malformed, "host name was not provided", "hostnameInfo.hostname"));
  converse<amt::synchronised>([wanted](wsman::talk& t) { return amt::sync_hostname(t, wanted); },
                              [this, wanted](amt::synchronised) {
                                device_change change;
                                change.ref = known_.device;
                                change.hostname = wanted;
                                if (!wish_->machine.os_dns_suffix.empty())
                                  change.dns_suffix.emplace(wish_->machine.os_dns_suffix);
                                site_->with.store.update_device(
                                    std::move(change),
                                    or_fail<device_record>([this](device_record&) { done(); }));
                              });
}

void activation_run::sync_device_info() {
  device_change change;
  change.ref = known_.device;
  change.device_info = device_info();
  site_->with.store.update_device(std::move(change),
                                  or_fail<device_record>([this](device_record&) { done(); }));
}

/// Settings first, then TLS, then what it used: the middle one restarts the firmware's web server.
void activation_run::clear_configuration() {
  converse<amt::cleared_settings>(
      [](wsman::talk& t) { return amt::clear_settings(t); },
      [this](amt::cleared_settings cleared) {
        if (!cleared.left.empty())
          return failed(fail(problem::device_refused, cleared.left.front()));
        const bool keep = wish_->machine.tls_enforced || known_.our_certificate;
        if (keep)
          return clear_credentials(true);
        attempt<amt::tls_off>([](wsman::talk& t) { return amt::disable_tls(t); },
                              [this](result<amt::tls_off> off) {
                                // Its commit breaks the connection; the next words tell.
                                if (!off && off.error().what != problem::outcome_unknown)
                                  return failed(off.error());
                                if (off && *off == amt::tls_off::was_off)
                                  return clear_credentials(false);
                                const bool stays = off && *off == amt::tls_off::kept;
                                later(site_->settle, [this, stays] { clear_credentials(stays); });
                              });
      });
}

void activation_run::clear_credentials(bool tls_stays) {
  converse<amt::cleared_credentials>(
      [tls_stays](wsman::talk& t) { return amt::clear_credentials(t, tls_stays); },
      [this](amt::cleared_credentials cleared) {
        if (!cleared.left.empty())
          return failed(fail(problem::device_refused, cleared.left.front()));
        done();
      });
}

void activation_run::tls_key() {
  if (site_->ca_key.empty())
    return failed(fail(problem::unsupported,
                       "This site was given its certificates and has no key to sign one for the "
                       "machine with."));
  if (chosen()->tls_authority.value_or("SelfSigned") != "SelfSigned")
    return failed(fail(problem::unsupported, "tlsSigningAuthority: MicrosoftCA needs an Enterprise "
                                             "Assistant."));
  const auto policy = provisioning::policy_for(wish_->machine.version);
  const amt::key_kind kind{policy.key_algorithm, policy.key_length};
  const auto root = site_->ca_certificate;
  converse<amt::tls_key>([root, kind](wsman::talk& t) { return amt::prepare_tls(t, root, kind); },
                         [this](amt::tls_key key) {
                           machine_key_ = std::move(key.public_key);
                           done();
                         });
}

void activation_run::tls_settings() {
  auto ca =
      provisioning::issuing_authority::from_pem(site_->ca_certificate, site_->ca_key.reveal());
  if (!ca)
    return failed(ca.error());
  provisioning::tls_leaf_request what;
  const auto& m = wish_->machine;
  what.common_name = "AMT-" + (m.hostname.empty() ? to_string(m.guid) : m.hostname).substr(0, 60);
  what.serial = site_->random(provisioning::serial_octets);
  what.hash = provisioning::policy_for(m.version).tls_leaf_hash;
  auto leaf = provisioning::issue_tls_leaf(*ca, machine_key_, what);
  if (!leaf)
    return failed(leaf.error());
  const auto der = amt::base64_encode(leaf->der);
  const auto mode = static_cast<amt::tls_mode>(
      chosen()->tls_mode.value_or(static_cast<int>(amt::tls_mode::server_and_plain)));
  converse<std::string>([der](wsman::talk& t) { return amt::install_tls_certificate(t, der); },
                        [this, mode, print = leaf->prints.sha256](std::string) {
                          attempt<amt::applied_tls>(
                              [mode](wsman::talk& t) { return amt::enable_tls(t, mode); },
                              [this, print](result<amt::applied_tls> applied) {
                                // The commit restarts the ports, so its answer is often lost.
                                if (!applied && applied.error().what != problem::outcome_unknown &&
                                    applied.error().what != problem::device_timeout)
                                  return failed(applied.error());
                                known_.our_certificate = true;
                                known_.certificate_sha256 = print;
                                component_done(component::tls, "Configured");
                                later(site_->settle, [this] { done(); });
                              });
                        });
}

void activation_run::reserve_mps_password() {
  auto& secrets = site_->with.secrets;
  const auto& cira = *known_.profile->cira;
  secrets.get(known_.device, secret_name::mps_password,
              or_fail<secret_versions>([this, &secrets, &cira](secret_versions& stored) {
                known_.mps = std::move(stored);
                const auto fixed = cira.secrets.find("mps_password");
                // One that others have as well is not for those who might be anybody.
                if (fixed != cira.secrets.end() && !known_.token_hash.empty()) {
                  auto text = secrets.open_named(
                      known_.device.tenant,
                      secret_label(object_kind::cira_config, cira.what.name, "mps_password"),
                      fixed->second);
                  if (!text)
                    return failed(text.error());
                  known_.new_mps = std::move(*text);
                } else {
                  known_.new_mps =
                      known_.mps.pending ? *known_.mps.pending : make_password(site_->random);
                }
                if (known_.mps.pending && equal(*known_.mps.pending, known_.new_mps.reveal()))
                  return done();
                // It becomes the active one when the machine calls home with it.
                secrets.put_pending(known_.device, secret_name::mps_password, known_.new_mps,
                                    or_fail<nothing>([this](nothing) { done(); }));
              }));
}

void activation_run::configure_cira() {
  const auto& c = known_.profile->cira->what;
  amt::cira_settings wanted;
  wanted.root_certificate = c.root_certificate;
  wanted.address = c.server;
  wanted.format = static_cast<amt::server_address>(c.format);
  wanted.port = c.port;
  wanted.user = c.username;
  wanted.password = known_.new_mps.reveal();
  wanted.common_name = c.common_name;
  // A suffix that no network has, so that the machine always believes to be outside.
  wanted.inside = {to_string(site_->with.clock.new_id()) + ".com"};
  device_change change;
  change.ref = known_.device;
  change.mps_username = c.username;
  // First the registration: the machine calls seconds after the last answer.
  site_->with.store.update_device(
      std::move(change), or_fail<device_record>([this, wanted](device_record&) {
        converse<amt::configured_cira>(
            [wanted](wsman::talk& t) { return amt::configure_cira(t, wanted); },
            [this](amt::configured_cira) {
              component_done(component::cira_connection, "Configured");
              done();
            });
      }));
}

void activation_run::configure_features() {
  const auto& p = *chosen();
  amt::feature_wish wish;
  // In client control mode the user at the machine is always asked; firmware insists.
  wish.user_consent = known_.mode == 1                  ? amt::consent_policy::all
                      : p.consent == consent_rule::none ? amt::consent_policy::none
                      : p.consent == consent_rule::kvm  ? amt::consent_policy::kvm
                                                        : amt::consent_policy::all;
  wish.sol = p.sol;
  wish.ider = p.ider;
  wish.kvm = p.kvm;
  converse<amt::features_report>(
      [wish](wsman::talk& t) { return amt::configure_features(t, wish); },
      [this](amt::features_report) { done(); });
}

} // namespace outband::activation
