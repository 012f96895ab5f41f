#include "tests/unit/tools/amtsim/bench_client.hpp"
#include "tests/unit/tools/amtsim/made_certificates.hpp"
#include "tools/amtsim/classes.hpp"
#include "tools/amtsim/tls_state.hpp"

namespace outband::amtsim {
namespace {

using namespace test;

const std::string network = "Intel(r) AMT 802.3 TLS Settings";
const std::string local = "Intel(r) AMT LMS TLS Settings";
const std::string collection = "TLSProtocolEndpoint Instances Collection";
const std::string as_clients_write = "TLSProtocolEndpointInstances Collection";

settings firmware12() {
  auto out = test::exact();
  out.kind = *find_firmware("amt12");
  return out;
}

std::string flags(bool enabled, bool mutual, const char* plain = nullptr) {
  auto out = wsman::property("Enabled", text(enabled)) +
             wsman::property("MutualAuthentication", text(mutual));
  if (plain != nullptr)
    out += wsman::property("AcceptNonSecureConnections", plain);
  return out;
}

wsman_reply set(bench_machine& m, const std::string& id, const std::string& inner) {
  return put(m, "AMT_TLSSettingData", inner, {{"InstanceID", id}});
}

/// Stores a certificate with a key and gives its InstanceID.
std::string with_certificate(bench_machine& m) {
  auto pair = *generate_key(2048);
  auto cert = *read_certificate(made_certificate("edge", public_key(pair.public_key), fresh_key()));
  auto& store = m.model.certificates.change();
  cert.handle = static_cast<std::uint32_t>(store.certificates.size());
  pair.handle = static_cast<std::uint32_t>(store.keys.size());
  store.certificates.push_back(cert);
  store.keys.push_back(pair);
  return certificate_id(cert.handle);
}

std::string context_body(const std::string& certificate, const std::string& name) {
  return wsman::endpoint_parameter(
             "ElementInContext",
             {wsman::class_uri("AMT_PublicKeyCertificate"), {{"InstanceID", certificate}}}) +
         wsman::endpoint_parameter(
             "ElementProvidingContext",
             {wsman::class_uri("AMT_TLSProtocolEndpointCollection"), {{"ElementName", name}}});
}

wsman_reply create(bench_machine& m, const std::string& inner) {
  const std::string name = "AMT_TLSCredentialContext";
  return serve(m, request(wsman::action::create, name,
                          wsman::class_body(name, wsman::class_uri(name), inner)));
}

/// The audit log's records as octets, oldest first.
std::vector<std::string> list_audit(bench_machine& m) {
  std::vector<std::string> out;
  for (const auto& r :
       all_texts(invoke(m, "AMT_AuditLog", "ReadRecords", wsman::property("StartIndex", "1")),
                 "EventRecords"))
    out.push_back(from_base64(r).value_or(""));
  return out;
}

TEST_CASE("TLS settings come in the order network then local") {
  const auto old = firmware12();
  bench_machine m(old);
  const auto all = list(m, "AMT_TLSSettingData");
  REQUIRE(all.size() == 2);
  CHECK(all[0].child_text("InstanceID") == network);
  CHECK(all[0].child_text("AcceptNonSecureConnections") == "false");
  CHECK(all[0].child("NonSecureConnectionsSupported") == nullptr);
  CHECK(all[1].child_text("InstanceID") == local);
  CHECK(all[1].child_text("AcceptNonSecureConnections") == "true");
  bench_machine newer;
  CHECK(list(newer, "AMT_TLSSettingData")[0].child_text("NonSecureConnectionsSupported") ==
        "false");
}

TEST_CASE("a Put shows at once and takes effect with CommitChanges") {
  const auto old = firmware12();
  bench_machine m(old);
  const auto id = with_certificate(m);
  CHECK(refused(create(m, context_body(id, as_clients_write))).empty());
  const auto echoed =
      body_of(set(m, network,
                  flags(true, true, "true") + wsman::property("TrustedCN", "a.example") +
                      wsman::property("TrustedCN", "b.example")));
  CHECK(echoed.child_text("InstanceID") == network);
  CHECK(echoed.child_text("Enabled") == "true");
  CHECK(all_texts(echoed, "TrustedCN") == std::vector<std::string>{"a.example", "b.example"});
  CHECK(list(m, "AMT_TLSSettingData")[0].child_text("MutualAuthentication") == "true");
  CHECK_FALSE(m.model.tls->in_force[0].enabled);
  CHECK(returned(invoke(m, "AMT_SetupAndConfigurationService", "CommitChanges")) == "0");
  CHECK(m.model.tls->in_force[0].enabled);
  CHECK(m.model.tls->in_force[0].accept_plain);
  CHECK_FALSE(m.model.tls->in_force[1].enabled);
  // TLS state changed: mutual on the network, none on the local interface.
  const auto last = list_audit(m).back();
  CHECK(last.substr(0, 4) == std::string("\0\x10\0\x07", 4));
  CHECK(last.substr(last.size() - 3) == std::string("\2\2\0", 3));

  CHECK(refused(set(m, network, flags(false, false, "true"))).empty());
  CHECK(list(m, "AMT_TLSSettingData")[0].child("TrustedCN") == nullptr);
  CHECK(m.model.tls->in_force[0].enabled);
}

TEST_CASE("TLS without a certificate cannot be committed") {
  bench_machine m;
  CHECK(refused(set(m, local, flags(true, false))).empty());
  CHECK(returned(invoke(m, "AMT_SetupAndConfigurationService", "CommitChanges")) == "2057");
  CHECK_FALSE(m.model.tls->in_force[1].enabled);
}

TEST_CASE("newer firmware never goes back to plain connections on the network") {
  bench_machine m;
  CHECK(refused(set(m, network, flags(true, false, "true"))) == "AccessDenied");
  CHECK(refused(set(m, network, flags(false, false))).empty());
  CHECK(refused(set(m, network, flags(true, false))).empty());
  CHECK(refused(set(m, network, flags(false, false))) == "AccessDenied");
  CHECK(list(m, "AMT_TLSSettingData")[0].child_text("Enabled") == "true");
  CHECK(refused(set(m, local, flags(true, false))).empty());
  CHECK(refused(set(m, local, flags(false, false))).empty());
}

TEST_CASE("on the local interface plain connections cannot be switched off") {
  const auto old = firmware12();
  bench_machine m(old);
  const auto echoed = body_of(set(m, local, flags(true, false, "false")));
  CHECK(echoed.child_text("AcceptNonSecureConnections") == "true");
}

TEST_CASE("settings that do not fit are refused whole") {
  bench_machine m;
  CHECK(refused(set(m, network, wsman::property("Enabled", "perhaps"))) == "InvalidRepresentation");
  std::string names;
  for (int i = 0; i < 5; ++i)
    names += wsman::property("TrustedCN", "x");
  CHECK(refused(set(m, network, flags(true, true) + names)) == "InvalidRepresentation");
  CHECK(refused(set(m, "Intel(r) AMT 802.4 TLS Settings", flags(true, true))) ==
        "DestinationUnreachable");
  CHECK_FALSE(m.model.tls.changed());
}

TEST_CASE("a TLS credential context is made once and then replaced") {
  const auto old = firmware12();
  bench_machine m(old);
  CHECK(list(m, "AMT_TLSCredentialContext").empty());
  const auto first = with_certificate(m);
  const auto second = with_certificate(m);
  CHECK(refused(put(m, "AMT_TLSCredentialContext", context_body(first, collection))) ==
        "DestinationUnreachable");
  const auto made = body_of(create(m, context_body(first, as_clients_write)));
  CHECK(made.name == "ResourceCreated");
  const auto to = wsman::read_endpoint(made);
  REQUIRE(to.has_value());
  REQUIRE(to->selectors.size() == 2);
  CHECK(to->selectors[0].name == "ElementInContext");
  CHECK(to->selectors[0].reference.front().value == first);
  CHECK(refused(create(m, context_body(first, collection))) == "AlreadyExists");

  const auto echoed =
      body_of(put(m, "AMT_TLSCredentialContext", context_body(second, as_clients_write)));
  CHECK(selector_of(*wsman::read_endpoint(*echoed.child("ElementInContext")), "InstanceID") ==
        second);
  CHECK(selector_of(*wsman::read_endpoint(*echoed.child("ElementProvidingContext")),
                    "ElementName") == collection);
  const auto shown = list(m, "CIM_CredentialContext");
  REQUIRE(shown.size() == 1);
  CHECK(shown[0].name == "AMT_TLSCredentialContext");

  const auto selectors = [&](const std::string& certificate, const std::string& name) {
    return std::vector<wsman::selector>{{"ElementInContext",
                                         {},
                                         wsman::class_uri("AMT_PublicKeyCertificate"),
                                         {{"InstanceID", certificate}}},
                                        {"ElementProvidingContext",
                                         {},
                                         wsman::class_uri("AMT_TLSProtocolEndpointCollection"),
                                         {{"ElementName", name}}}};
  };
  CHECK(refused(remove(m, "AMT_TLSCredentialContext", selectors(first, collection))) ==
        "DestinationUnreachable");
  m.model.tls.change().in_force[0].enabled = true;
  CHECK(refused(remove(m, "AMT_TLSCredentialContext", selectors(second, collection))) ==
        "AccessDenied");
  m.model.tls.change().in_force[0].enabled = false;
  CHECK(
      refused(remove(m, "AMT_TLSCredentialContext", selectors(second, as_clients_write))).empty());
  CHECK(list(m, "AMT_TLSCredentialContext").empty());
}

TEST_CASE("only a certificate with its key can be shown") {
  bench_machine m;
  auto root = *read_certificate(made_root("r"));
  m.model.certificates.change().certificates.push_back(root);
  CHECK(refused(create(m, context_body(certificate_id(0), collection))) == "InvalidRepresentation");
  CHECK(refused(create(m, context_body(certificate_id(7), collection))) == "InvalidRepresentation");
  const auto good = with_certificate(m);
  CHECK(refused(create(m, context_body(good, "Another Collection"))) == "InvalidRepresentation");
  CHECK(refused(create(m, "")) == "InvalidRepresentation");
}

TEST_CASE("TLS settings come back from flash") {
  const auto old = firmware12();
  bench_machine before(old);
  set(before, network, flags(true, true, "true") + wsman::property("TrustedCN", "a"));
  before.model.tls.change().certificate = 3;
  kept_texts kept;
  for (const auto& row : tls_classes().flash)
    row.save(before.model, kept);
  bench_machine after(old);
  for (const auto& row : tls_classes().flash)
    row.load(kept, after.model);
  const auto& tls = *after.model.tls;
  CHECK(tls.stored[0].enabled);
  CHECK(tls.stored[0].trusted_names == std::vector<std::string>{"a"});
  CHECK_FALSE(tls.in_force[0].enabled);
  CHECK(tls.certificate == 3U);
}

} // namespace
} // namespace outband::amtsim
