#include "messages/amt/configure_clear.hpp"

#include "messages/amt/certificates.hpp"
#include "messages/amt/configure_8021x.hpp"
#include "messages/amt/if_there.hpp"
#include "messages/amt/wifi.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace outband::amt {

namespace {

constexpr std::size_t max_text = 120;

/// Counts what went and notes what did not; what was gone before is neither.
class sweep {
public:
  sweep(wsman::talk& t, what_is_left& left) : talk_(t), left_(left) {}

  void one(const status& gone, const std::string& what, std::size_t& count) {
    if (gone)
      ++count;
    else if (!talk_.is_absent())
      note(what, gone.error());
  }
  void note(const std::string& what, const failure& why) {
    left_.push_back(what.substr(0, max_text) + ": " + why.detail);
  }

private:
  wsman::talk& talk_;
  what_is_left& left_;
};

void clear_wifi(wsman::talk& t, cleared_settings& out, sweep& s) {
  auto networks = get_wifi_networks(t);
  if (!networks) {
    s.note("Wi-Fi profiles", networks.error());
    return;
  }
  for (const auto& n : *networks)
    if (n.priority != 0)
      s.one(t.remove("CIM_WiFiEndpointSettings", wsman::named("InstanceID", n.instance_id)),
            "Wi-Fi profile '" + n.name + "'", out.wifi_profiles);
}

void clear_proxies(wsman::talk& t, cleared_settings& out, sweep& s) {
  constexpr std::string_view proxies = "IPS_HTTPProxyAccessPoint";
  auto items = instances_if_any(t, proxies);
  if (!items) {
    s.note("proxies", items.error());
    return;
  }
  for (const auto* item : *items) {
    const std::string name(item->child_text("Name"));
    s.one(t.remove(proxies, wsman::named("Name", name)), "proxy '" + name + "'", out.proxies);
  }
}

void clear_contexts(wsman::talk& t, cleared_credentials& out, sweep& s) {
  constexpr std::string_view contexts = "AMT_TLSCredentialContext";
  auto items = instances_if_any(t, contexts);
  if (!items) {
    s.note("TLS credential contexts", items.error());
    return;
  }
  for (const auto* item : *items) {
    std::vector<wsman::selector> at;
    for (const auto* name : {"ElementInContext", "ElementProvidingContext"})
      if (const auto* end = item->child(name))
        if (auto to = wsman::read_endpoint(*end))
          at.push_back({name, {}, to->resource_uri, std::move(to->selectors)});
    s.one(t.remove(contexts, at), "TLS credential context", out.contexts);
  }
}

bool contains(const std::set<std::string>& all, const std::string& one) {
  return all.count(one) != 0;
}

/// Handles of certificates that must not go: those in use, their issuers, read-only ones.
std::set<std::string> kept_certificates(const certificate_store& store) {
  std::set<std::string> out, issuers;
  for (const auto& c : store.contexts)
    out.insert(c.certificate);
  for (const auto& c : store.certificates) {
    if (contains(out, c.instance_id))
      issuers.insert(c.issuer);
    if (c.read_only.value_or(false))
      out.insert(c.instance_id);
  }
  for (const auto& c : store.certificates)
    if (c.trusted_root && contains(issuers, c.subject))
      out.insert(c.instance_id);
  return out;
}

std::set<std::string> kept_keys(const certificate_store& store,
                                const std::set<std::string>& certificates) {
  std::set<std::string> out;
  for (const auto& p : store.pairs)
    if (contains(certificates, p.certificate))
      out.insert(p.key);
  return out;
}

} // namespace

result<cleared_settings> clear_settings(wsman::talk& t) {
  cleared_settings out;
  sweep s(t, out.left);
  if (auto off = disable_wired_8021x(t))
    out.wired_8021x = *off;
  else
    s.note("wired 802.1x", off.error());
  clear_wifi(t, out, s);
  clear_proxies(t, out, s);
  // Policies and servers of before would bring the machine home to somebody else.
  auto cira = clear_cira(t);
  if (!cira)
    return cira.error();
  out.cira = *cira;
  if (auto detection = clear_environment_detection(t))
    out.detection = *detection;
  else
    s.note("environment detection", detection.error());
  return out;
}

result<cleared_credentials> clear_credentials(wsman::talk& t, bool tls_stays) {
  cleared_credentials out;
  sweep s(t, out.left);
  if (!tls_stays)
    clear_contexts(t, out, s);
  auto store = get_certificate_store(t);
  if (!store) {
    s.note("keys and certificates", store.error());
    return out;
  }
  const auto certificates = kept_certificates(*store);
  const auto keys = kept_keys(*store, certificates);
  out.kept = certificates.size();
  for (const auto& k : store->keys)
    if (!contains(keys, k.instance_id))
      s.one(t.remove("AMT_PublicPrivateKeyPair", wsman::named("InstanceID", k.instance_id)),
            "key pair '" + k.instance_id + "'", out.keys);
  for (const auto& c : store->certificates)
    if (!contains(certificates, c.instance_id))
      s.one(t.remove("AMT_PublicKeyCertificate", wsman::named("InstanceID", c.instance_id)),
            "certificate '" + c.instance_id + "'", out.certificates);
  return out;
}

result<cleared_configuration> clear_configuration(wsman::talk& t, bool tls_enforced) {
  cleared_configuration out;
  auto settings = clear_settings(t);
  if (!settings)
    return settings.error();
  out.settings = std::move(*settings);
  if (tls_enforced) {
    out.tls = tls_off::kept;
  } else {
    auto tls = disable_tls(t);
    if (!tls)
      return tls.error();
    out.tls = *tls;
  }
  auto credentials = clear_credentials(t, out.tls == tls_off::kept);
  if (!credentials)
    return credentials.error();
  out.credentials = std::move(*credentials);
  return out;
}

} // namespace outband::amt
