// AMT_PublicKeyCertificate, AMT_PublicPrivateKeyPair, AMT_PublicKeyManagementService,
// CIM_ConcreteDependency.
#include "tools/amtsim/certificate_state.hpp"
#include "tools/amtsim/cira_state.hpp"
#include "tools/amtsim/classes.hpp"
#include "tools/amtsim/firmware_version.hpp"
#include "tools/amtsim/kept_members.hpp"
#include "tools/amtsim/network_state.hpp"
#include "tools/amtsim/status.hpp"
#include "tools/amtsim/tls_state.hpp"
#include "tools/amtsim/wifi_state.hpp"

#include <algorithm>

namespace outband::amtsim {

namespace {

using wsman::endpoint;
using wsman::instance;

constexpr std::uint32_t unsupported = 2066;
const std::string certificate_prefix = "Intel(r) AMT Certificate: Handle: ";
const std::string key_prefix = "Intel(r) AMT Key: Handle: ";

std::string key_id(std::uint32_t handle) {
  return key_prefix + std::to_string(handle);
}

endpoint by_id(const char* class_name, const std::string& id) {
  return {wsman::class_uri(class_name), {{"InstanceID", id}}};
}

/// The entry of a store whose InstanceID that is; nullptr if there is none.
template <class T>
const T* entry(const std::vector<T>& store, const std::string& prefix, const std::string& id) {
  for (const auto& e : store)
    if (id == prefix + std::to_string(e.handle))
      return &e;
  return nullptr;
}

template <class T> std::uint32_t put_in(std::vector<T>& store, T what) {
  what.handle = 0;
  auto at = store.begin();
  for (; at != store.end() && at->handle == what.handle; ++at)
    ++what.handle;
  return store.insert(at, std::move(what))->handle;
}

template <class T> void take_out(std::vector<T>& store, std::uint32_t handle) {
  store.erase(
      std::remove_if(store.begin(), store.end(), [&](const T& e) { return e.handle == handle; }),
      store.end());
}

/// Something would stop working without it.
bool in_use(const device_model& d, std::uint32_t handle) {
  if (d.tls->certificate == handle || d.network->ieee8021x.client_cert == handle ||
      d.network->ieee8021x.ca_cert == handle)
    return true;
  const auto& profiles = d.wifi->profiles;
  const auto& servers = d.cira->servers;
  return std::any_of(profiles.begin(), profiles.end(),
                     [&](const wifi_profile& p) {
                       return p.enterprise && (p.enterprise->client_cert == handle ||
                                               p.enterprise->ca_cert == handle);
                     }) ||
         std::any_of(servers.begin(), servers.end(),
                     [&](const mps_server& s) { return s.certificate == handle; });
}

instances certificates(const device_model& d) {
  instances out;
  for (const auto& c : d.certificates->certificates)
    out.push_back({"AMT_PublicKeyCertificate",
                   {{"ElementName", "Intel(r) AMT Certificate"},
                    {"InstanceID", certificate_id(c.handle)},
                    {"Issuer", c.issuer},
                    {"Subject", c.subject},
                    {"TrustedRootCertficate", text(c.trusted_root)}, // sic
                    {"X509Certificate", base64(c.der)}}});
  return out;
}

instances keys(const device_model& d) {
  instances out;
  for (const auto& k : d.certificates->keys)
    out.push_back({"AMT_PublicPrivateKeyPair",
                   {{"DERKey", base64(k.public_key)},
                    {"ElementName", "Intel(r) AMT Key"},
                    {"InstanceID", key_id(k.handle)}}});
  return out;
}

instances management_service(const device_model&) {
  auto out =
      with(service("AMT_PublicKeyManagementService", "Intel(r) AMT Public Key Management Service"),
           {{"EnabledDefault", "5"}, {"EnabledState", "5"}, {"RequestedState", "12"}});
  out.fields.front().value = "Intel(r) AMT Certificate Store Service"; // its ElementName
  return {out};
}

/// Who is who, which certificate has a key, which profile has 802.1x.
instances dependencies(const device_model& d) {
  const auto pair = [](endpoint antecedent, endpoint dependent) {
    return instance{"CIM_ConcreteDependency",
                    {{"Antecedent", std::move(antecedent)}, {"Dependent", std::move(dependent)}}};
  };
  instances out{pair(by_id("CIM_Identity", "Intel(r) AMT:$$OsAdmin"),
                     {wsman::class_uri("CIM_Role"),
                      {{"CreationClassName", "CIM_Role"}, {"Name", "Intel(r) AMT:$$OsAdmin"}}})};
  for (const auto& c : d.certificates->certificates)
    for (const auto& k : d.certificates->keys)
      if (c.public_key == k.public_key)
        out.push_back(pair(certificate_endpoint(c.handle),
                           by_id("AMT_PublicPrivateKeyPair", key_id(k.handle))));
  for (const auto& p : d.wifi->profiles)
    if (p.enterprise)
      out.push_back(pair(by_id("CIM_WiFiEndpointSettings", p.id),
                         by_id("CIM_IEEE8021xSettings", p.enterprise->id)));
  return out;
}

// -- Put and Delete -------------------------------------------------------------------------------

std::optional<std::string> octets_of(const wsman::node& from, std::string_view name) {
  const auto* found = from.child(name);
  return found == nullptr ? std::nullopt : from_base64(found->value());
}

refusal put_certificate(const wsman::node& body, const instance& target, context& c) {
  if (body.child("X509Certificate") == nullptr)
    return {};
  const auto der = octets_of(body, "X509Certificate");
  if (!der || der->size() > max_certificate_octets)
    return soap_fault::invalid_representation;
  auto next = read_certificate(*der);
  if (!next)
    return soap_fault::invalid_representation;
  for (auto& old : c.device.certificates.change().certificates) {
    if (certificate_id(old.handle) != text_of(target, "InstanceID"))
      continue;
    next->handle = old.handle;
    next->trusted_root = old.trusted_root;
    old = std::move(*next);
    break;
  }
  return {};
}

refusal remove_certificate(const instance& target, context& c) {
  const auto* found =
      entry(c.device.certificates->certificates, certificate_prefix, text_of(target, "InstanceID"));
  if (found == nullptr)
    return soap_fault::destination_unreachable;
  if (in_use(c.device, found->handle))
    return soap_fault::access_denied;
  if (found->trusted_root)
    record_audit(c, 16, 11, found->serial);
  take_out(c.device.certificates.change().certificates, found->handle);
  return {};
}

refusal remove_key(const instance& target, context& c) {
  const auto& store = *c.device.certificates;
  const auto* found = entry(store.keys, key_prefix, text_of(target, "InstanceID"));
  if (found == nullptr)
    return soap_fault::destination_unreachable;
  for (const auto& cert : store.certificates)
    if (cert.public_key == found->public_key && in_use(c.device, cert.handle))
      return soap_fault::access_denied;
  take_out(c.device.certificates.change().keys, found->handle);
  return {};
}

// -- methods --------------------------------------------------------------------------------------

outcome add_certificate(const wsman::node& input, context& c, bool trusted_root) {
  const auto der = octets_of(input, "CertificateBlob");
  if (!der || der->empty() || der->size() > max_certificate_octets)
    return status::invalid_cert;
  auto made = read_certificate(*der);
  if (!made)
    return status::invalid_cert;
  const auto& have = c.device.certificates->certificates;
  if (std::any_of(have.begin(), have.end(), [&](const certificate& k) {
        return k.der == *der && k.trusted_root == trusted_root;
      }))
    // A 200 with PT_STATUS_DUPLICATE, of a root too: what the Go management library's
    // AddTrustedRootCertificate names "Root Certificate already exists" and stock rpc passes over.
    // RPS depends on it: with TLS and CIRA under one root it adds that root twice, and looks at
    // the HTTP status only.
    return status::duplicate;
  if (have.size() >= max_certificates)
    return status::max_limit_reached;
  made->trusted_root = trusted_root;
  if (trusted_root)
    record_audit(c, 16, 10, made->serial);
  const auto handle = put_in(c.device.certificates.change().certificates, std::move(*made));
  return {status::success, {{"CreatedCertificate", certificate_endpoint(handle)}}};
}

outcome add_leaf(const wsman::node& input, context& c) {
  return add_certificate(input, c, false);
}

outcome add_root(const wsman::node& input, context& c) {
  return add_certificate(input, c, true);
}

outcome store_key(key_pair pair, context& c, const char* parameter, const char* class_name) {
  const auto& have = c.device.certificates->keys;
  if (std::any_of(have.begin(), have.end(),
                  [&](const key_pair& k) { return k.public_key == pair.public_key; }))
    return status::duplicate;
  const auto handle = put_in(c.device.certificates.change().keys, std::move(pair));
  return {status::success, {{parameter, by_id(class_name, key_id(handle))}}};
}

outcome add_key(const wsman::node& input, context& c) {
  const auto der = octets_of(input, "KeyBlob");
  auto pair = der && der->size() <= 4096 ? read_key(*der) : std::nullopt;
  if (!pair)
    return status::invalid_key;
  if (c.device.certificates->keys.size() >= max_keys)
    return status::max_limit_reached;
  // The certificate's class, although it is a key: so says a captured device.
  return store_key(std::move(*pair), c, "CreatedKey", "AMT_PublicKeyCertificate");
}

outcome generate(const wsman::node& input, context& c) {
  const auto algorithm = wsman::to_number(input.child_text("KeyAlgorithm"));
  const auto length = wsman::to_number(input.child_text("KeyLength"));
  if (!algorithm || !length)
    return soap_fault::schema_validation_error;
  const auto& version = c.device.shared().kind.version;
  const bool curve = *algorithm == 1 && *length == 384 && version_at_least(version, 21);
  const bool rsa = *algorithm == 0 && (*length == 1024 || *length == 2048 || *length == 3072);
  if (!curve && !rsa)
    return status::invalid_parameter;
  // What is too weak for AMT 22, and the length that new firmware never learned (rps,
  // src/utils/amtCertificatePolicy.ts).
  if (rsa && version_at_least(version, 21) && (*length != 2048 || version_at_least(version, 22)))
    return unsupported;
  if (c.device.certificates->keys.size() >= max_keys)
    return status::max_limit_reached;
  auto pair = curve ? generate_curve_key() : generate_key(*length);
  if (!pair)
    return status::internal_error;
  return store_key(std::move(*pair), c, "KeyPair", "AMT_PublicPrivateKeyPair");
}

outcome sign(const wsman::node& input, context& c) {
  const auto to = endpoint_of(input, "KeyPair");
  const auto algorithm = wsman::to_number(input.child_text("SigningAlgorithm"));
  const auto request = octets_of(input, "NullSignedCertificateRequest");
  if (!algorithm || input.child("NullSignedCertificateRequest") == nullptr)
    return soap_fault::schema_validation_error;
  const auto* key =
      to ? entry(c.device.certificates->keys, key_prefix, selector_of(*to, "InstanceID")) : nullptr;
  if (key == nullptr)
    return status::invalid_handle;
  if (*algorithm > 1 || !request || request->size() > max_certificate_octets)
    return status::invalid_parameter;
  auto why = request_problem::malformed;
  const auto made = sign_request(*key, *request, *algorithm == 1, why);
  if (!made)
    return why == request_problem::other_key ? status::cert_key_not_match
                                             : status::invalid_parameter;
  return {status::success, {{"SignedCertificateRequest", base64(*made)}}};
}

// -- flash ----------------------------------------------------------------------------------------

void save(const device_model& d, kept_texts& out) {
  if (!d.certificates.changed())
    return;
  kept_writer to(out);
  to.list("certificates", d.certificates->certificates, [](kept_writer& w, const certificate& c) {
    w("handle", c.handle);
    w("root", c.trusted_root);
    w.octets("der", c.der);
  });
  to.list("keys", d.certificates->keys, [](kept_writer& w, const key_pair& k) {
    w("handle", k.handle);
    w.octets("private", k.private_key);
  });
}

void load(const kept_texts& in, device_model& d) {
  if (in.empty())
    return;
  const kept_reader from(in);
  std::vector<certificate> certs;
  from.list("certificates", certs, [](const kept_reader& r, certificate& c) {
    std::string der;
    r.octets("der", der);
    c = read_certificate(der).value_or(certificate{});
    r("handle", c.handle);
    r("root", c.trusted_root);
  });
  std::vector<key_pair> pairs;
  from.list("keys", pairs, [](const kept_reader& r, key_pair& k) {
    std::string der;
    r.octets("private", der);
    k = read_own_key(der).value_or(key_pair{});
    r("handle", k.handle);
  });
  auto& store = d.certificates.change();
  for (auto& c : certs)
    if (!c.der.empty() && store.certificates.size() < max_certificates)
      store.certificates.push_back(std::move(c));
  for (auto& k : pairs)
    if (!k.private_key.empty() && store.keys.size() < max_keys)
      store.keys.push_back(std::move(k));
}

} // namespace

std::string certificate_id(std::uint32_t handle) {
  return certificate_prefix + std::to_string(handle);
}

endpoint certificate_endpoint(std::uint32_t handle) {
  return by_id("AMT_PublicKeyCertificate", certificate_id(handle));
}

const certificate* find_certificate(const device_model& device, const endpoint& to) {
  return entry(device.certificates->certificates, certificate_prefix,
               selector_of(to, "InstanceID"));
}

const certificate* find_certificate(const device_model& device, std::uint32_t handle) {
  return entry(device.certificates->certificates, certificate_prefix, certificate_id(handle));
}

bool has_key(const device_model& device, const certificate& c) {
  const auto& all = device.certificates->keys;
  return !c.public_key.empty() && std::any_of(all.begin(), all.end(), [&](const key_pair& k) {
    return k.public_key == c.public_key;
  });
}

class_table certificate_classes() {
  return {{{"AMT_PublicKeyCertificate", certificates, put_certificate, remove_certificate},
           {"AMT_PublicPrivateKeyPair", keys, nullptr, remove_key},
           {"AMT_PublicKeyManagementService", management_service},
           {"CIM_ConcreteDependency", dependencies}},
          {{"AMT_PublicKeyManagementService", "AddCertificate", add_leaf},
           {"AMT_PublicKeyManagementService", "AddTrustedRootCertificate", add_root},
           {"AMT_PublicKeyManagementService", "AddKey", add_key},
           {"AMT_PublicKeyManagementService", "GenerateKeyPair", generate},
           {"AMT_PublicKeyManagementService", "GeneratePKCS10RequestEx", sign}},
          {},
          {{"certificates", save, load}}};
}

} // namespace outband::amtsim
