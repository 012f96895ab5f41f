#include "messages/amt/certificates.hpp"

#include "messages/amt/properties.hpp"
#include "messages/amt/status.hpp"

#include <algorithm>
#include <utility>

namespace outband::amt {

namespace {

constexpr std::string_view certificate_class = "AMT_PublicKeyCertificate";
constexpr std::string_view key_class = "AMT_PublicPrivateKeyPair";
constexpr std::string_view service = "AMT_PublicKeyManagementService";
constexpr std::string_view ieee8021x_prefix = "Intel(r) AMT:IEEE 802.1x Settings ";
constexpr std::size_t max_blob = 16 * 1024;
constexpr std::uint32_t duplicate = 2058;

/// An endpoint reference's class and the first selector's value.
struct reference {
  std::string cls;
  std::string id;
};
std::optional<reference> read_reference(const wsman::node& item, std::string_view property) {
  const auto* found = item.child(property);
  auto to = found == nullptr ? std::nullopt : wsman::read_endpoint(*found);
  if (!to || to->selectors.empty())
    return std::nullopt;
  return reference{std::string(wsman::class_of_uri(to->resource_uri)), to->selectors.front().value};
}

std::optional<certificate_use> use_of(const wsman::node& context, std::string_view provider) {
  if (context.name == "AMT_TLSCredentialContext" || provider == "AMT_TLSProtocolEndpointCollection")
    return certificate_use::tls;
  if (context.name == "AMT_8021XWiredCredentialContext" || provider == "IPS_IEEE8021xSettings")
    return certificate_use::wired;
  if (context.name == "AMT_8021XCredentialContext" || provider == "CIM_IEEE8021xSettings")
    return certificate_use::wireless;
  return std::nullopt;
}

std::vector<credential_context> read_contexts(const std::vector<wsman::node>& items) {
  std::vector<credential_context> out;
  for (const auto& item : items) {
    const auto what = read_reference(item, "ElementInContext");
    const auto whom = read_reference(item, "ElementProvidingContext");
    if (!what)
      continue;
    const auto use = use_of(item, whom ? whom->cls : std::string_view{});
    if (!use)
      continue;
    auto profile = whom ? whom->id : std::string{};
    if (profile.compare(0, ieee8021x_prefix.size(), ieee8021x_prefix) == 0)
      profile.erase(0, ieee8021x_prefix.size());
    out.push_back({*use, what->id, std::move(profile)});
  }
  return out;
}

std::vector<key_of_certificate> read_pairs(const std::vector<wsman::node>& items) {
  std::vector<key_of_certificate> out;
  for (const auto& item : items) {
    const auto a = read_reference(item, "Antecedent");
    const auto d = read_reference(item, "Dependent");
    if (a && d && a->cls == certificate_class && d->cls == key_class)
      out.push_back({a->id, d->id});
  }
  return out;
}

} // namespace

std::string_view to_string(certificate_use use) {
  switch (use) {
  case certificate_use::tls:
    return "TLS";
  case certificate_use::wireless:
    return "Wireless";
  case certificate_use::wired:
    return "Wired";
  }
  return {};
}

std::string common_name(std::string_view subject, std::string_view otherwise) {
  const auto at = subject.find("CN=");
  const auto name = at == std::string_view::npos
                        ? std::string_view{}
                        : subject.substr(at + 3, subject.find(',', at) - at - 3);
  return std::string(name.empty() ? otherwise : name);
}

std::string in_words(const credential_context& use) {
  return std::string(to_string(use.use)) + " - " +
         (use.profile.empty() ? "Unknown Profile" : use.profile);
}

result<std::vector<certificate>> get_certificates(wsman::talk& t) {
  auto items = t.list(certificate_class);
  if (!items)
    return items.error();
  std::vector<certificate> out;
  for (const auto* item : wsman::instances(**items, certificate_class)) {
    certificate c;
    property_reader in(*item);
    in.text("ElementName", c.element_name)
        .text("InstanceID", c.instance_id)
        .text("Issuer", c.issuer)
        .text("Subject", c.subject)
        .text("X509Certificate", c.x509, max_blob)
        .flag("TrustedRootCertficate", c.trusted_root) // the firmware's own spelling
        .flag("ReadOnlyCertificate", c.read_only);
    if (in.wrong())
      return *in.wrong();
    out.push_back(std::move(c));
  }
  return out;
}

result<std::vector<key_pair>> get_keys(wsman::talk& t) {
  auto items = t.list(key_class);
  if (!items)
    return items.error();
  std::vector<key_pair> out;
  for (const auto* item : wsman::instances(**items, key_class)) {
    key_pair k;
    property_reader in(*item);
    in.text("ElementName", k.element_name)
        .text("InstanceID", k.instance_id)
        .text("DERKey", k.der_key, max_blob);
    if (in.wrong())
      return *in.wrong();
    out.push_back(std::move(k));
  }
  return out;
}

result<certificate_store> get_certificate_store(wsman::talk& t) {
  certificate_store out;
  // MPS's order of asking.
  auto dependencies = t.list("CIM_ConcreteDependency");
  if (!dependencies)
    return dependencies.error();
  out.pairs = read_pairs(**dependencies);
  auto certificates = get_certificates(t);
  if (!certificates)
    return certificates.error();
  out.certificates = std::move(*certificates);
  auto keys = get_keys(t);
  if (!keys)
    return keys.error();
  out.keys = std::move(*keys);
  auto contexts = t.list("CIM_CredentialContext");
  if (!contexts)
    return contexts.error();
  out.contexts = read_contexts(**contexts);
  return out;
}

result<std::string> add_certificate(wsman::talk& t, const std::string& der_base64, bool trusted) {
  const std::string_view method = trusted ? "AddTrustedRootCertificate" : "AddCertificate";
  auto told = t.invoke(service, method, wsman::property("CertificateBlob", der_base64));
  if ((!told && t.refused_with("AlreadyExists")) || (told && told->value == duplicate)) {
    auto all = get_certificates(t);
    if (!all)
      return all.error();
    for (const auto& c : *all)
      if (c.x509 == der_base64 && c.trusted_root == trusted)
        return c.instance_id;
    return fail(problem::already_exists,
                "the firmware holds this certificate already, and not as one of this kind");
  }
  if (auto ok = done(told, method); !ok)
    return ok.error();
  auto created = read_reference(*told->out, "CreatedCertificate");
  if (!created || created->id.empty())
    return fail(problem::device_protocol, "the answer does not say what was created");
  return created->id;
}

result<provided_certificate> provide_certificate(wsman::talk& t, const std::string& der_base64,
                                                 bool trusted) {
  auto held = get_certificates(t);
  if (!held)
    return held.error();
  for (const auto& c : *held)
    if (c.x509 == der_base64 && c.trusted_root == trusted)
      return provided_certificate{c.instance_id, true};
  auto handle = add_certificate(t, der_base64, trusted);
  if (!handle)
    return handle.error();
  return provided_certificate{std::move(*handle), false};
}

status add_private_key(wsman::talk& t, const std::string& pkcs1_base64) {
  auto told = t.invoke(service, "AddKey", wsman::property("KeyBlob", pkcs1_base64));
  if (told && told->value == duplicate)
    return success();
  return done(told, "AddKey");
}

status remove_certificate(wsman::talk& t, const std::string& handle) {
  auto store = get_certificate_store(t);
  if (!store)
    return store.error();
  const auto at = std::find_if(store->certificates.begin(), store->certificates.end(),
                               [&](const auto& c) { return c.instance_id == handle; });
  if (at == store->certificates.end())
    return fail(problem::not_found, "Certificate with handle '" + handle + "' not found",
                "instanceId");
  if (at->read_only.value_or(false))
    return fail(problem::malformed,
                "Cannot delete certificate '" + handle +
                    "': Certificate is read-only and cannot be removed",
                "instanceId");
  std::string users;
  for (const auto& c : store->contexts)
    if (c.certificate == handle)
      users += (users.empty() ? "" : ", ") + in_words(c);
  if (!users.empty())
    return fail(problem::transition_refused,
                "Cannot delete certificate '" + handle +
                    "': Certificate is currently referenced by the following AMT "
                    "profiles/configurations: " +
                    users + ". Remove these references before deleting the certificate.",
                "instanceId");
  return t.remove(certificate_class, wsman::named("InstanceID", handle));
}

} // namespace outband::amt
