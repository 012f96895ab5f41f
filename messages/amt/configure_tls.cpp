#include "messages/amt/configure_tls.hpp"

#include "messages/amt/certificates.hpp"
#include "messages/amt/if_there.hpp"
#include "messages/amt/put_back.hpp"
#include "messages/amt/setup.hpp"
#include "messages/amt/status.hpp"

#include <utility>

namespace outband::amt {

namespace {

constexpr std::string_view key_service = "AMT_PublicKeyManagementService";
constexpr std::string_view setting_class = "AMT_TLSSettingData";
constexpr std::string_view context_class = "AMT_TLSCredentialContext";
constexpr std::string_view sha256_rsa = "1"; // SigningAlgorithm of requests
constexpr std::size_t max_request = 16 * 1024;
// The name has a blank before "Instances"; RPS, rpc-go and MeshCommander write it without, and
// firmware takes that.
constexpr std::string_view collection = "TLSProtocolEndpointInstances Collection";

struct interfaces {
  const wsman::node* network = nullptr; ///< "Intel(r) AMT 802.3 TLS Settings"
  const wsman::node* local = nullptr;   ///< "Intel(r) AMT LMS TLS Settings"
};
result<interfaces> get_interfaces(wsman::talk& t) {
  auto items = instances_if_any(t, setting_class);
  if (!items)
    return items.error();
  interfaces out;
  for (const auto* item : *items) {
    const auto id = item->child_text("InstanceID");
    if (out.network == nullptr && id.find("802.3") != std::string_view::npos)
      out.network = item;
    if (out.local == nullptr && id.find("LMS") != std::string_view::npos)
      out.local = item;
  }
  return out;
}

status put_interface(wsman::talk& t, const wsman::node& now, const std::vector<new_value>& changes,
                     const std::vector<std::string>& trusted_names) {
  std::string body = put_back(now, changes, {"TrustedCN"});
  for (const auto& n : trusted_names)
    body += wsman::property("TrustedCN", n);
  auto put = t.put(setting_class, body,
                   wsman::named("InstanceID", std::string(now.child_text("InstanceID"))));
  if (!put)
    return put.error();
  return success();
}

std::vector<std::string> names_in(const wsman::node& setting) {
  std::vector<std::string> out;
  for (const auto& c : setting.children)
    if (c.name == "TrustedCN" && !c.value().empty())
      out.emplace_back(c.value());
  return out;
}

/// May AcceptNonSecureConnections be written? Where firmware says nothing, it may.
result<bool> plain_may_change(const wsman::node& setting) {
  return wsman::bool_or(setting, "NonSecureConnectionsSupported", true);
}

result<std::string> handle_in(const wsman::node& output, std::string_view property) {
  const auto* found = output.child(property);
  const auto to = found == nullptr ? std::nullopt : wsman::read_endpoint(*found);
  if (!to || to->selectors.empty() || to->selectors.front().value.empty())
    return fail(problem::device_protocol, "the answer does not say what was created");
  return to->selectors.front().value;
}

std::string context_body(const std::string& certificate) {
  return wsman::endpoint_parameter("ElementInContext",
                                   {wsman::class_uri("AMT_PublicKeyCertificate"),
                                    wsman::named("InstanceID", certificate)}) +
         wsman::endpoint_parameter("ElementProvidingContext",
                                   {wsman::class_uri("AMT_TLSProtocolEndpointCollection"),
                                    wsman::named("ElementName", std::string(collection))});
}

failure no_tls() {
  return fail(problem::unsupported, "this firmware has no TLS settings");
}

} // namespace

result<tls_key> prepare_tls(wsman::talk& t, const std::string& root_certificate, key_kind kind) {
  auto root = read_certificate(root_certificate);
  if (!root)
    return fail(root.error().what, root.error().detail, "rootCertificate");
  tls_key out;
  auto held = provide_certificate(t, root->der, true);
  if (!held)
    return held.error();
  out.root = held->handle;
  out.root_was_there = held->was_there;
  auto made = t.invoke(key_service, "GenerateKeyPair",
                       wsman::property("KeyAlgorithm", std::to_string(kind.algorithm)) +
                           wsman::property("KeyLength", std::to_string(kind.length)));
  if (auto ok = done(made, "GenerateKeyPair"); !ok)
    return ok.error();
  auto key = handle_in(*made->out, "KeyPair");
  if (!key)
    return key.error();
  out.key = std::move(*key);
  auto keys = get_keys(t);
  if (!keys)
    return keys.error();
  for (const auto& k : *keys)
    if (k.instance_id == out.key)
      out.public_key = k.der_key;
  if (out.public_key.empty())
    return fail(problem::device_protocol,
                "the firmware made a key pair and does not tell its public key");
  return out;
}

result<std::string> sign_request(wsman::talk& t, const std::string& key_handle,
                                 const std::string& unsigned_request) {
  auto told =
      t.invoke(key_service, "GeneratePKCS10RequestEx",
               wsman::endpoint_parameter("KeyPair", {wsman::class_uri("AMT_PublicPrivateKeyPair"),
                                                     wsman::named("InstanceID", key_handle)}) +
                   wsman::property("SigningAlgorithm", sha256_rsa) +
                   wsman::property("NullSignedCertificateRequest", unsigned_request));
  if (auto ok = done(told, "GeneratePKCS10RequestEx"); !ok)
    return ok.error();
  auto text = wsman::text_in(*told->out, "SignedCertificateRequest", max_request);
  if (text && text->empty())
    return fail(problem::device_protocol, "the answer holds no SignedCertificateRequest");
  return text;
}

result<std::string> install_tls_certificate(wsman::talk& t, const std::string& leaf) {
  auto read = read_certificate(leaf);
  if (!read)
    return fail(read.error().what, read.error().detail, "certificate");
  auto handle = add_certificate(t, read->der, false);
  if (!handle)
    return handle;
  auto contexts = instances_if_any(t, context_class);
  if (!contexts)
    return contexts.error();
  if (!contexts->empty()) {
    auto put = t.put(context_class, context_body(*handle));
    if (!put)
      return put.error();
    return handle;
  }
  auto made = t.create(context_class, context_body(*handle));
  if (!made && !t.refused_with("AlreadyExists"))
    return made.error();
  return handle;
}

result<applied_tls> put_network_tls(wsman::talk& t, tls_mode mode,
                                    const std::vector<std::string>& trusted_names) {
  auto all = get_interfaces(t);
  if (!all)
    return all.error();
  if (all->network == nullptr)
    return no_tls();
  auto may = plain_may_change(*all->network);
  if (!may)
    return may.error();
  auto plain = wsman::bool_or(*all->network, "AcceptNonSecureConnections", false);
  if (!plain)
    return plain.error();
  applied_tls out{*may ? allows_plain(mode) : *plain, is_mutual(mode)};
  if (auto ok = put_interface(t, *all->network,
                              {{"Enabled", "true"},
                               {"AcceptNonSecureConnections", truth(out.plain)},
                               {"MutualAuthentication", truth(out.mutual)}},
                              out.mutual ? trusted_names : std::vector<std::string>{});
      !ok)
    return ok.error();
  return out;
}

status put_local_tls(wsman::talk& t) {
  auto all = get_interfaces(t);
  if (!all)
    return all.error();
  if (all->local == nullptr)
    return success();
  return put_interface(t, *all->local, {{"Enabled", "true"}}, names_in(*all->local));
}

result<applied_tls> enable_tls(wsman::talk& t, tls_mode mode,
                               const std::vector<std::string>& trusted_names) {
  auto applied = put_network_tls(t, mode, trusted_names);
  if (!applied)
    return applied;
  if (auto ok = put_local_tls(t); !ok)
    return ok.error();
  if (auto ok = commit_changes(t); !ok)
    return ok.error();
  return applied;
}

result<tls_off> disable_tls(wsman::talk& t) {
  auto all = get_interfaces(t);
  if (!all)
    return all.error();
  bool on = false;
  for (const auto* one : {all->network, all->local}) {
    if (one == nullptr)
      continue;
    auto enabled = wsman::bool_or(*one, "Enabled", false);
    if (!enabled)
      return enabled.error();
    on = on || *enabled;
  }
  if (!on)
    return tls_off::was_off;
  if (all->network != nullptr) {
    auto may = plain_may_change(*all->network);
    if (!may)
      return may.error();
    if (!*may)
      return tls_off::kept;
    auto put = put_interface(t, *all->network,
                             {{"Enabled", "false"},
                              {"AcceptNonSecureConnections", "true"},
                              {"MutualAuthentication", "false"}},
                             {});
    if (!put && put.error().what == problem::device_refused)
      return tls_off::kept;
    if (!put)
      return put.error();
  }
  if (all->local != nullptr)
    if (auto put = put_interface(t, *all->local, {{"Enabled", "false"}}, {}); !put)
      return put.error();
  if (auto ok = commit_changes(t); !ok)
    return ok.error();
  return tls_off::done;
}

} // namespace outband::amt
