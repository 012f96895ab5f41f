// AMT_TLSSettingData, AMT_TLSCredentialContext, AMT_TLSProtocolEndpointCollection.
#include "tools/amtsim/tls_state.hpp"

#include "tools/amtsim/certificate_state.hpp"
#include "tools/amtsim/classes.hpp"
#include "tools/amtsim/firmware_version.hpp"
#include "tools/amtsim/kept_members.hpp"
#include "tools/amtsim/status.hpp"

#include <algorithm>

namespace outband::amtsim {

namespace {

using wsman::endpoint;
using wsman::instance;

constexpr const char* names[] = {"Intel(r) AMT 802.3 TLS Settings",
                                 "Intel(r) AMT LMS TLS Settings"};
constexpr std::size_t max_trusted_names = 4;
const std::string collection = "TLSProtocolEndpoint Instances Collection";

/// From CSME 16.1 on the network interface is for TLS only, once TLS is on.
bool tls_only(const device_model& d) {
  return version_at_least(d.shared().kind.version, 16, 1);
}

instances settings_list(const device_model& d) {
  instances out;
  for (std::size_t i = 0; i < 2; ++i) {
    const auto& s = d.tls->stored.at(i);
    instance one{"AMT_TLSSettingData",
                 {{"AcceptNonSecureConnections", text(s.accept_plain)},
                  {"ElementName", names[i]},
                  {"Enabled", text(s.enabled)},
                  {"InstanceID", names[i]},
                  {"MutualAuthentication", text(s.mutual)}}};
    if (tls_only(d))
      one.fields.push_back({"NonSecureConnectionsSupported", "false"});
    for (const auto& n : s.trusted_names)
      one.fields.push_back({"TrustedCN", n});
    out.push_back(std::move(one));
  }
  return out;
}

refusal put_settings(const wsman::node& body, const instance& target, context& c) {
  const std::size_t which = text_of(target, "InstanceID") == names[0] ? 0 : 1;
  const auto before = c.device.tls->stored.at(which);
  auto next = before;
  if (!take(body, "Enabled", next.enabled) || !take(body, "MutualAuthentication", next.mutual) ||
      !take(body, "AcceptNonSecureConnections", next.accept_plain))
    return soap_fault::invalid_representation;
  next.trusted_names.clear();
  for (const auto& child : body.children) {
    if (child.name != "TrustedCN")
      continue;
    if (child.value().size() > 256 || next.trusted_names.size() == max_trusted_names)
      return soap_fault::invalid_representation;
    if (!child.value().empty())
      next.trusted_names.emplace_back(child.value());
  }
  if (which == 1)
    next.accept_plain = before.accept_plain; // read-only on the local interface
  else if (tls_only(c.device) && (next.accept_plain || (before.enabled && !next.enabled)))
    return soap_fault::access_denied; // NOT_PERMITTED
  c.device.tls.change().stored.at(which) = std::move(next);
  return {};
}

// -- which certificate ----------------------------------------------------------------------------

endpoint collection_endpoint() {
  return {wsman::class_uri("AMT_TLSProtocolEndpointCollection"), {{"ElementName", collection}}};
}

instances contexts(const device_model& d) {
  if (!d.tls->certificate)
    return {};
  return {{"AMT_TLSCredentialContext",
           {{"ElementInContext", certificate_endpoint(*d.tls->certificate)},
            {"ElementProvidingContext", collection_endpoint()}}}};
}

/// The certificate that a body names: it must be there, and its key too.
std::optional<std::uint32_t> named_certificate(const wsman::node& body, const device_model& d) {
  const auto element = endpoint_of(body, "ElementInContext");
  const auto providing = endpoint_of(body, "ElementProvidingContext");
  if (!element || !providing)
    return std::nullopt;
  // The name has a blank; clients write it without.
  auto of = selector_of(*providing, "ElementName");
  of.erase(std::remove(of.begin(), of.end(), ' '), of.end());
  if (of != "TLSProtocolEndpointInstancesCollection")
    return std::nullopt;
  const auto* found = find_certificate(d, *element);
  if (found == nullptr || found->trusted_root || !has_key(d, *found))
    return std::nullopt;
  return found->handle;
}

void show(context& c, std::uint32_t handle) {
  c.device.tls.change().certificate = handle;
  record_audit(c, 16, 8, find_certificate(c.device, handle)->serial);
}

creation create_context(const wsman::node& body, context& c) {
  if (c.device.tls->certificate)
    return soap_fault::already_exists;
  const auto handle = named_certificate(body, c.device);
  if (!handle)
    return soap_fault::invalid_representation;
  show(c, *handle);
  const auto reference = [](const char* name, const endpoint& to) {
    return wsman::selector{name, {}, to.resource_uri, to.selectors};
  };
  return std::vector<wsman::selector>{reference("ElementInContext", certificate_endpoint(*handle)),
                                      reference("ElementProvidingContext", collection_endpoint())};
}

refusal put_context(const wsman::node& body, const instance&, context& c) {
  const auto handle = named_certificate(body, c.device);
  if (!handle)
    return soap_fault::invalid_representation;
  show(c, *handle);
  return {};
}

refusal remove_context(const instance&, context& c) {
  const auto& now = c.device.tls->in_force;
  if (now[0].enabled || now[1].enabled)
    return soap_fault::access_denied; // its web server shows that certificate
  if (const auto* cert = find_certificate(c.device, *c.device.tls->certificate))
    record_audit(c, 16, 9, cert->serial);
  c.device.tls.change().certificate.reset();
  return {};
}

instances collection_list(const device_model&) {
  return {{"AMT_TLSProtocolEndpointCollection", {{"ElementName", collection}}}};
}

// -- flash ----------------------------------------------------------------------------------------

template <class V, class T> void members(V& v, T& t) {
  v("certificate", t.certificate);
  const auto interface = [](auto& w, auto& s) {
    w("enabled", s.enabled);
    w("plain", s.accept_plain);
    w("mutual", s.mutual);
    w.list("names", s.trusted_names, [](auto& x, auto& n) { x("name", n); });
  };
  for (std::size_t i = 0; i < 2; ++i) {
    auto& stored = t.stored[i];
    auto& in_force = t.in_force[i];
    v.within("stored." + std::to_string(i) + ".", [&](auto& w) { interface(w, stored); });
    v.within("in_force." + std::to_string(i) + ".", [&](auto& w) { interface(w, in_force); });
  }
}

void save(const device_model& d, kept_texts& out) {
  if (!d.tls.changed())
    return;
  kept_writer to(out);
  members(to, *d.tls);
}

void load(const kept_texts& in, device_model& d) {
  if (in.empty())
    return;
  kept_reader from(in);
  members(from, d.tls.change());
}

} // namespace

std::uint32_t commit_tls(context& c) {
  if (!c.device.tls.changed())
    return status::success;
  auto& tls = c.device.tls.change();
  if ((tls.stored[0].enabled || tls.stored[1].enabled) && !tls.certificate)
    return status::data_missing;
  const auto kind = [](const tls_settings& s) {
    return static_cast<char>(!s.enabled ? 0 : s.mutual ? 2 : 1);
  };
  const std::string before{kind(tls.in_force[0]), kind(tls.in_force[1])};
  tls.in_force = tls.stored;
  const std::string after{kind(tls.in_force[0]), kind(tls.in_force[1])};
  if (after != before)
    record_audit(c, 16, 7, after);
  return status::success;
}

class_table tls_classes() {
  return {{{"AMT_TLSSettingData", settings_list, put_settings},
           {"AMT_TLSCredentialContext", contexts, put_context, remove_context, create_context},
           {"AMT_TLSProtocolEndpointCollection", collection_list}},
          {},
          {{"CIM_CredentialContext",
            {"AMT_TLSCredentialContext", "AMT_8021XCredentialContext",
             "AMT_8021XWiredCredentialContext"}}},
          {{"tls", save, load}}};
}

} // namespace outband::amtsim
