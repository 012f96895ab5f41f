#include "messages/amt/argument.hpp"
#include "messages/amt/catalogue.hpp"
#include "messages/amt/certificates.hpp"

#include <algorithm>
#include <utility>

namespace outband::amt {

namespace {

using namespace std::chrono_literals;

/// As MPS builds it: per certificate who uses it, per user which certificates.
struct view {
  const certificate_store& store;

  std::string key_of(const std::string& certificate) const {
    for (const auto& p : store.pairs)
      if (p.certificate == certificate)
        for (const auto& k : store.keys)
          if (k.instance_id == p.key)
            return k.instance_id;
    return {};
  }
  bool in_use(const std::string& certificate) const {
    return std::any_of(store.contexts.begin(), store.contexts.end(),
                       [&](const auto& c) { return c.certificate == certificate; });
  }

  json::value certificate_json(const certificate& c) const {
    json::array profiles;
    for (const auto& x : store.contexts)
      if (x.certificate == c.instance_id)
        profiles.push_back(x.use == certificate_use::wireless ? in_words(x)
                                                              : std::string(to_string(x.use)));
    json::object out{{"elementName", c.element_name},
                     {"instanceID", c.instance_id},
                     {"x509Certificate", c.x509},
                     {"trustedRootCertificate", c.trusted_root},
                     {"issuer", c.issuer},
                     {"subject", c.subject}};
    if (c.read_only)
      out.push_back({"readOnlyCertificate", *c.read_only});
    if (!c.trusted_root && in_use(c.instance_id))
      out.push_back({"publicKeyHandle", key_of(c.instance_id)});
    out.push_back({"associatedProfiles", std::move(profiles)});
    out.push_back({"displayName", common_name(c.subject, c.instance_id)});
    return out;
  }

  json::value key_json(const key_pair& k) const {
    json::object out{
        {"elementName", k.element_name}, {"instanceID", k.instance_id}, {"derKey", k.der_key}};
    for (const auto& p : store.pairs)
      if (p.key == k.instance_id && in_use(p.certificate)) {
        out.push_back({"certificateHandle", p.certificate});
        break;
      }
    return out;
  }

  /// Type by type in MPS's order; all certificates of one profile in one element.
  json::value associations() const {
    json::array out;
    for (auto use : {certificate_use::tls, certificate_use::wireless, certificate_use::wired})
      for (const auto& x : store.contexts)
        if (x.use == use)
          associate(out, x);
    return out;
  }

private:
  static void set(json::value& object, std::string_view name, json::value v) {
    for (auto& m : *object.members())
      if (m.name == name) {
        m.val = std::move(v);
        return;
      }
    object.members()->push_back({std::string(name), std::move(v)});
  }

  void associate(json::array& out, const credential_context& x) const {
    auto at = std::find_if(out.begin(), out.end(), [&](const auto& o) {
      return *o.find("type")->text() == to_string(x.use) &&
             *o.find("profileID")->text() == x.profile;
    });
    if (at == out.end())
      at =
          out.insert(out.end(), json::object{{"type", to_string(x.use)}, {"profileID", x.profile}});
    for (const auto& c : store.certificates) {
      if (c.instance_id != x.certificate)
        continue;
      set(*at, c.trusted_root ? "rootCertificate" : "clientCertificate", certificate_json(c));
      const auto key = c.trusted_root ? std::string{} : key_of(c.instance_id);
      for (const auto& k : store.keys)
        if (k.instance_id == key)
          set(*at, "publicKey", key_json(k));
    }
  }
};

result<json::value> list(wsman::talk& t, const json::value&) {
  auto store = get_certificate_store(t);
  if (!store)
    return store.error();
  const view v{*store};
  json::array certificates;
  for (const auto& c : store->certificates)
    certificates.push_back(v.certificate_json(c));
  json::array keys;
  for (const auto& k : store->keys)
    keys.push_back(v.key_json(k));
  return json::value(json::object{
      {"certificates", json::object{{"keyManagementItems", json::array{}},
                                    {"publicKeyCertificateItems", std::move(certificates)}}},
      {"publicKeys", json::object{{"publicPrivateKeyPairItems", std::move(keys)}}},
      {"profileAssociation", v.associations()}});
}

std::vector<rest::field_error> check_add(const json::value& argument) {
  argument_reader in(argument);
  const auto read = read_certificate(text_at(argument, "cert"));
  if (!read)
    in.wrong("cert", read.error().detail);
  in.boolean("isTrusted");
  return std::move(in).errors();
}

std::optional<expiry> end_of(const json::value& argument) {
  const auto read = read_certificate(text_at(argument, "cert"));
  return read ? std::optional(expiry{"cert", read->not_after}) : std::nullopt;
}

result<json::value> add(wsman::talk& t, const json::value& argument) {
  auto read = read_certificate(text_at(argument, "cert"));
  if (!read)
    return read.error();
  auto handle = add_certificate(t, read->der, boolean_at(argument, "isTrusted").value_or(false));
  if (!handle)
    return handle.error();
  return json::value(json::object{{"handle", *handle}});
}

std::string handle_in(const json::value& argument) {
  auto handle = text_at(argument, "instanceId"); // of the path; the body's "handle" is older
  return handle.empty() ? text_at(argument, "handle") : handle;
}

std::vector<rest::field_error> check_remove(const json::value& argument) {
  argument_reader in(argument);
  in.text("instanceId", 256);
  in.text("handle", 256);
  if (in.good() && handle_in(argument).empty())
    in.wrong("instanceId", "must be the certificate's handle");
  return std::move(in).errors();
}

result<json::value> remove(wsman::talk& t, const json::value& argument) {
  const auto handle = handle_in(argument);
  if (auto ok = remove_certificate(t, handle); !ok)
    return ok.error();
  return json::value(
      json::object{{"message", "Certificate deleted successfully"}, {"handle", handle}});
}

} // namespace

std::vector<operation> certificate_operations() {
  constexpr auto reads = wsman::effect::none;
  constexpr auto changes = wsman::effect::change;
  constexpr auto again = std::string_view("certificates.list");
  return {{"certificates.list", reads, list, nullptr, 20s, false, "certificates"},
          {"certificates.add", changes, add, check_add, 15s, false, {}, again, end_of},
          {"certificates.remove", changes, remove, check_remove, 20s, false, {}, again}};
}

} // namespace outband::amt
