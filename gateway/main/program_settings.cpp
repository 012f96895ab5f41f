#include "gateway/main/program_settings.hpp"

#include "messages/amt/base64.hpp"
#include "messages/provisioning/certificate.hpp"

namespace outband {

std::chrono::seconds seconds(const config::settings& s, std::string_view key) {
  return std::chrono::duration_cast<std::chrono::seconds>(s.duration(key));
}

std::uint16_t port(const config::settings& s, std::string_view key) {
  return static_cast<std::uint16_t>(s.integer(key));
}

std::string or_default(const std::string& given, const std::string& otherwise) {
  return given.empty() ? otherwise : given;
}

cluster_times cluster_of(const config::settings& s) {
  cluster_times t;
  t.beat = s.duration("cluster.beat");
  t.lease = s.duration("cluster.lease");
  t.silent_after = s.duration("cluster.silent_after");
  t.will_grace = s.duration("cluster.will_grace");
  t.links_grace = s.duration("cluster.links_grace");
  return t;
}

power_times times_of(const config::settings& s) {
  power_times t;
  t.graceful = s.duration("power.graceful_timeout");
  t.forced = s.duration("power.force_timeout");
  t.read_facts = s.flag("facts.at_connect");
  t.want_alerts = s.flag("facts.alerts");
  t.facts_after = s.duration("facts.calm");
  return t;
}

activation::provisioner::settings provisioner_of(const config::settings& s,
                                                 const site_files& site) {
  activation::provisioner::settings o;
  o.ca_certificate = site.certificates.cira_root_pem();
  o.ca_key = secret_text(site.certificates.cira_root_key_pem());
  o.bare = s.flag("activation.bare");
  o.at_once = static_cast<std::size_t>(s.integer("activation.at_once"));
  o.settle = s.duration("activation.settle");
  o.attempts.pause = o.settle;
  o.call_timeout = s.duration("activation.call_timeout");
  return o;
}

result<activation::home_address> home_of(const config::settings& s, const site_files& site) {
  activation::home_address home;
  home.server = or_default(s.text("provisioning.server"), site.cira_name);
  const auto port_told = port(s, "provisioning.port");
  home.port = port_told != 0 ? port_told : port(s, "cira.port");
  home.username = s.text("provisioning.username");
  home.one_password_per_tenant = s.flag("provisioning.one_password_per_tenant");
  auto root = provisioning::read_certificate(site.certificates.cira_root_pem());
  if (!root)
    return root.error();
  home.root_certificate = amt::base64_encode(root->der);
  return home;
}

bus::mqtt_options mqtt_options_of(const config::settings& s, const site_files& site,
                                  const announcement& who, clock_port& clock) {
  bus::mqtt_options o;
  o.host = s.text("broker.host");
  o.port = port(s, "broker.port_machines");
  o.ca_file = or_default(s.text("broker.ca_file"), site.certificates.bus_ca_path().string());
  o.cert_file = or_default(s.text("broker.cert_file"),
                           site.certificates.bus_node().certificate_path.string());
  o.key_file =
      or_default(s.text("broker.key_file"), site.certificates.bus_node().key_path.string());
  o.client_id = "inst-" + s.text("node.name");
  o.will = will_of(who, clock);
  return o;
}

} // namespace outband
