/// The networks that the profile wants a machine to be in: wired, 802.1x, wireless, proxies.
#include "actors/activation/activation.hpp"
#include "messages/amt/configure_network.hpp"
#include "messages/domain/text.hpp"
#include "messages/provisioning/ieee8021x_check.hpp"

#include <algorithm>
#include <utility>

namespace outband::activation {

/// Whether the run goes on without that part: not where the machine is gone.
bool activation_run::goes_on_without(component part, const failure& why) {
  if (why.what == problem::link_down) {
    failed(why);
    return false;
  }
  component_failed(part, why);
  return true;
}

bool activation_run::all_added(component part, const amt::additions& told) {
  for (const auto& refused : told.failed)
    component_failed(part, fail(problem::device_refused, refused.name + ": " + refused.why.detail));
  return told.failed.empty();
}

void activation_run::configure_network() {
  converse<amt::step_result>(
      [](wsman::talk& t) { return amt::configure_general_settings(t); },
      [this](amt::step_result) {
        // A machine whose local ports speak TLS only cannot be reached after
        // this Put.
        if (wish_->machine.tls_enforced)
          return configure_wireless();
        amt::wired_wish wish;
        wish.dhcp = chosen()->dhcp;
        wish.ip_sync = chosen()->ip_sync;
        attempt<amt::step_result>(
            [wish](wsman::talk& t) { return amt::configure_wired(t, wish); },
            [this](result<amt::step_result> wired) {
              if (!wired && !goes_on_without(component::wired_network, wired.error()))
                return;
              if (wired && *wired != amt::step_result::absent)
                component_done(component::wired_network, "Wired Network Configured");
              configure_wireless();
            });
      });
}

void activation_run::configure_wireless() {
  const auto& p = *known_.profile;
  if (p.wifi.empty() && !p.base.what.local_wifi_sync && !p.base.what.uefi_wifi_sync)
    return configure_proxies();
  // Whoever comes without a token might be anybody.
  if (known_.token_hash.empty() && !p.wifi.empty()) {
    component_failed(component::wireless_network,
                     fail(problem::forbidden, "WiFi keys need a token in the URL."));
    return configure_proxies();
  }
  amt::wireless_wish wish;
  wish.local_sync = p.base.what.local_wifi_sync;
  wish.uefi_sync = p.base.what.uefi_wifi_sync;
  for (const auto& [config, priority] : p.wifi) {
    auto made = wifi_profile(config, priority);
    if (!made) {
      component_failed(component::wireless_network, made.error());
      continue;
    }
    wish.profiles.push_back(std::move(*made));
  }
  attempt<amt::wireless_report>(
      [wish](wsman::talk& t) { return amt::configure_wireless(t, wish); },
      [this](result<amt::wireless_report> told) {
        if (!told && !goes_on_without(component::wireless_network, told.error()))
          return;
        if (told && all_added(component::wireless_network, told->profiles) && told->present)
          component_done(component::wireless_network, "Wireless Configured");
        configure_proxies();
      });
}

/// Opened in the tenant's name.
result<secret_text> activation_run::open_secret(object_kind kind, const std::string& of,
                                                const sealed_fields& all, const char* field) const {
  const auto at = all.find(field);
  if (at == all.end())
    return fail(problem::internal, of + ": the " + field + " is not stored.");
  return site_->with.secrets.open_named(known_.device.tenant, secret_label(kind, of, field),
                                        at->second);
}

/// The wired or wireless 802.1x configuration of that name, fit to be written.
result<const stored<ieee8021x_config>*>
activation_run::ieee8021x_named(const std::string& of) const {
  const auto& all = known_.profile->ieee8021x;
  const auto at = all.find(lower(of));
  if (at == all.end())
    return fail(problem::not_found, "802.1x configuration '" + of + "' does not exist.",
                "ieee8021xProfileName");
  if (auto fit =
          provisioning::check_ieee8021x(at->second.what, at->second.secrets.count("password") != 0);
      !fit)
    return fit.error();
  return &at->second;
}

/// The same with its password.
result<std::pair<ieee8021x_config, secret_text>>
activation_run::open_ieee8021x(const std::string& of) const {
  auto found = ieee8021x_named(of);
  if (!found)
    return found.error();
  const auto& c = (*found)->what;
  auto password = open_secret(object_kind::ieee8021x_config, c.name, (*found)->secrets, "password");
  if (!password)
    return password.error();
  return std::pair(c, std::move(*password));
}

/// What of the profile's networks cannot be written to any machine: known before one is touched.
std::optional<failure> activation_run::unfit_networks() const {
  std::vector<std::optional<std::string>> names{chosen()->ieee8021x};
  for (const auto& w : known_.profile->wifi)
    names.push_back(w.first.what.ieee8021x);
  for (const auto& one : names)
    if (one)
      if (auto found = ieee8021x_named(*one); !found)
        return found.error();
  return std::nullopt;
}

result<amt::wired_8021x_settings> activation_run::wired_8021x() const {
  auto opened = open_ieee8021x(*chosen()->ieee8021x);
  if (!opened)
    return opened.error();
  const auto& [c, password] = *opened;
  amt::wired_8021x_settings out;
  out.profile = c.name;
  out.protocol = static_cast<amt::eap>(c.protocol);
  out.user = c.username;
  out.password = password.reveal();
  out.pxe_timeout_s = static_cast<std::uint32_t>(c.pxe_timeout);
  out.credentials.ca_certificate = c.ca_certificate;
  out.identity = {c.domain, c.roaming_identity, c.server_name};
  return out;
}

void activation_run::configure_8021x() {
  if (known_.token_hash.empty())
    return failed(fail(problem::forbidden, "The password of 802.1x needs a token in the URL."));
  auto wish = wired_8021x();
  if (!wish)
    return failed(wish.error());
  converse<amt::step_result>(
      [wish = std::move(*wish)](wsman::talk& t) { return amt::configure_wired_access(t, wish); },
      [this](amt::step_result told) {
        // Otherwise configure_network() has told it.
        if (told == amt::step_result::done && wish_->machine.tls_enforced)
          component_done(component::wired_network, "Wired Network Configured");
        done();
      });
}

result<amt::wifi_profile_request::enterprise>
activation_run::wifi_8021x(const std::string& of) const {
  auto opened = open_ieee8021x(of);
  if (!opened)
    return opened.error();
  const auto& [c, password] = *opened;
  amt::wifi_profile_request::enterprise out;
  out.user = c.username;
  out.password = password.reveal();
  out.protocol = static_cast<std::uint32_t>(c.protocol);
  out.ca_certificate = c.ca_certificate;
  out.domain = c.domain;
  out.roaming_identity = c.roaming_identity;
  out.server_name = c.server_name;
  return out;
}

result<amt::wifi_profile_request>
activation_run::wifi_profile(const stored<wireless_config>& config, int priority) const {
  amt::wifi_profile_request out;
  out.name = config.what.name;
  out.ssid = config.what.ssid;
  out.priority = static_cast<std::uint32_t>(priority);
  out.auth = static_cast<amt::authentication>(config.what.authentication);
  out.cipher = static_cast<amt::encryption>(config.what.encryption);
  if (config.what.ieee8021x) {
    auto enterprise = wifi_8021x(*config.what.ieee8021x);
    if (!enterprise)
      return enterprise.error();
    out.ieee8021x = std::move(*enterprise);
    return out;
  }
  auto text =
      open_secret(object_kind::wireless_config, config.what.name, config.secrets, "psk_passphrase");
  if (!text)
    return text.error();
  out.password = text->reveal();
  return out;
}

void activation_run::configure_proxies() {
  std::vector<amt::proxy_point> wanted;
  auto sorted = known_.profile->proxies;
  std::sort(sorted.begin(), sorted.end(),
            [](const auto& a, const auto& b) { return a.second < b.second; });
  for (const auto& [proxy, priority] : sorted)
    wanted.push_back({proxy.address, static_cast<amt::server_address>(proxy.format), proxy.port,
                      proxy.dns_suffix});
  if (wanted.empty())
    return done();
  attempt<amt::additions>([wanted](wsman::talk& t) { return amt::configure_proxies(t, wanted); },
                          [this](result<amt::additions> told) {
                            if (!told && !goes_on_without(component::cira_proxy, told.error()))
                              return;
                            if (told && all_added(component::cira_proxy, *told))
                              component_done(component::cira_proxy, "Proxy Configured");
                            done();
                          });
}

} // namespace outband::activation
