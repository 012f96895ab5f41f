#include "tests/unit/tools/amtsim/bench_client.hpp"
#include "tests/unit/tools/amtsim/made_certificates.hpp"
#include "tools/amtsim/classes.hpp"
#include "tools/amtsim/tls_state.hpp"

#include <openssl/x509.h>

namespace outband::amtsim {
namespace {

using namespace test;

const std::string store_class = "AMT_PublicKeyManagementService";

std::string blob(const std::string& der, const char* name = "CertificateBlob") {
  return wsman::property(name, base64(der));
}

/// The InstanceID in the reference that a method gave.
std::string created(const wsman::node& output, const char* parameter) {
  const auto* found = output.child(parameter);
  REQUIRE(found != nullptr);
  const auto to = wsman::read_endpoint(*found);
  REQUIRE(to.has_value());
  REQUIRE(to->selectors.size() == 1);
  return to->selectors.front().value;
}

std::string generated(bench_machine& m) {
  return created(
      invoke(m, store_class, "GenerateKeyPair",
             wsman::property("KeyAlgorithm", "0") + wsman::property("KeyLength", "2048")),
      "KeyPair");
}

std::string public_part(bench_machine& m, const std::string& id) {
  const auto shown = get(m, "AMT_PublicPrivateKeyPair", {{"InstanceID", id}});
  return from_base64(shown.child_text("DERKey")).value_or("");
}

std::size_t pairs(bench_machine& m, const std::string& antecedent, const std::string& dependent) {
  std::size_t out = 0;
  for (const auto& d : list(m, "CIM_ConcreteDependency")) {
    const auto from = wsman::read_endpoint(*d.child("Antecedent"));
    const auto to = wsman::read_endpoint(*d.child("Dependent"));
    out += selector_of(*from, "InstanceID") == antecedent &&
                   selector_of(*to, "InstanceID") == dependent
               ? 1U
               : 0U;
  }
  return out;
}

TEST_CASE("a fresh store is empty and that is no fault") {
  bench_machine m;
  CHECK(list(m, "AMT_PublicKeyCertificate").empty());
  CHECK(list(m, "AMT_PublicPrivateKeyPair").empty());
  CHECK(list(m, "CIM_CredentialContext").empty());
  CHECK(list(m, "CIM_ConcreteDependency").size() == 1);
  CHECK(refused(serve(m, request(wsman::action::get, "AMT_PublicKeyCertificate"))) ==
        "DestinationUnreachable");
  CHECK_FALSE(m.model.certificates.changed());
}

TEST_CASE("certificates get the lowest free handle and say who they are") {
  bench_machine m;
  const auto root = made_root("MPSRoot-1");
  const auto added = invoke(m, store_class, "AddTrustedRootCertificate", blob(root));
  CHECK(returned(added) == "0");
  CHECK(created(added, "CreatedCertificate") == "Intel(r) AMT Certificate: Handle: 0");
  const auto leaf = invoke(m, store_class, "AddCertificate", blob(made_root("client")));
  CHECK(created(leaf, "CreatedCertificate") == "Intel(r) AMT Certificate: Handle: 1");
  const auto all = list(m, "AMT_PublicKeyCertificate");
  REQUIRE(all.size() == 2);
  CHECK(all[0].child_text("Subject") == "O=Example,CN=MPSRoot-1");
  CHECK(all[0].child_text("TrustedRootCertficate") == "true");
  CHECK(all[1].child_text("TrustedRootCertficate") == "false");
  CHECK(from_base64(all[0].child_text("X509Certificate")) == root);

  CHECK(refused(remove(m, "AMT_PublicKeyCertificate",
                       {{"InstanceID", "Intel(r) AMT Certificate: Handle: 0"}}))
            .empty());
  CHECK(list(m, "AMT_PublicKeyCertificate").size() == 1);
  const auto again = invoke(m, store_class, "AddTrustedRootCertificate", blob(made_root("b")));
  CHECK(created(again, "CreatedCertificate") == "Intel(r) AMT Certificate: Handle: 0");
  CHECK(refused(remove(m, "AMT_PublicKeyCertificate",
                       {{"InstanceID", "Intel(r) AMT Certificate: Handle: 9"}})) ==
        "DestinationUnreachable");
}

TEST_CASE("the same root twice and the same leaf twice are duplicates") {
  bench_machine m;
  const auto der = made_root("one");
  CHECK(returned(invoke(m, store_class, "AddTrustedRootCertificate", blob(der))) == "0");
  CHECK(returned(invoke(m, store_class, "AddTrustedRootCertificate", blob(der))) == "2058");
  CHECK(returned(invoke(m, store_class, "AddCertificate", blob(der))) == "0");
  CHECK(returned(invoke(m, store_class, "AddCertificate", blob(der))) == "2058");
  CHECK(list(m, "AMT_PublicKeyCertificate").size() == 2);
}

TEST_CASE("what is no certificate is not stored") {
  bench_machine m;
  auto der = made_root("one");
  const auto add = [&](const std::string& octets) {
    return returned(invoke(m, store_class, "AddCertificate", blob(octets)));
  };
  CHECK(add("") == "2063");
  CHECK(add("nonsense") == "2063");
  CHECK(add(der + "x") == "2063");
  CHECK(add(der.substr(0, der.size() - 1)) == "2063");
  CHECK(add(std::string(100000, 'x')) == "2063");
  CHECK(returned(invoke(m, store_class, "AddCertificate",
                        wsman::property("CertificateBlob", "-----BEGIN CERTIFICATE-----"))) ==
        "2063");
  CHECK(list(m, "AMT_PublicKeyCertificate").empty());
}

TEST_CASE("a store that is full says so") {
  bench_machine m;
  const auto key = fresh_key();
  for (std::size_t i = 0; i < max_certificates; ++i)
    CHECK(returned(invoke(m, store_class, "AddCertificate",
                          blob(made_certificate("c", key, key, static_cast<long>(i) + 1)))) == "0");
  CHECK(returned(invoke(m, store_class, "AddCertificate",
                        blob(made_certificate("c", key, key, 99)))) == "23");
}

TEST_CASE("a generated key signs a certificate request that holds") {
  bench_machine m;
  const auto id = generated(m);
  CHECK(id == "Intel(r) AMT Key: Handle: 0");
  const auto key = public_key(public_part(m, id));
  CHECK(EVP_PKEY_get_bits(key.get()) == 2048);

  // A console cannot sign with the machine's key, so it sends a request with a foreign signature.
  const auto foreign = fresh_key();
  const std::unique_ptr<X509_REQ, decltype(&X509_REQ_free)> blank(X509_REQ_new(), X509_REQ_free);
  X509_REQ_set_version(blank.get(), 0);
  X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(blank.get()), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>("edge-0001"), 9, -1, 0);
  X509_REQ_set_pubkey(blank.get(), key.get());
  X509_REQ_sign(blank.get(), foreign.get(), EVP_sha256());
  const auto ask = [&](const std::string& handle, const std::string& der, const char* algorithm) {
    return invoke(
        m, store_class, "GeneratePKCS10RequestEx",
        wsman::endpoint_parameter(
            "KeyPair", {wsman::class_uri("AMT_PublicPrivateKeyPair"), {{"InstanceID", handle}}}) +
            wsman::property("SigningAlgorithm", algorithm) +
            blob(der, "NullSignedCertificateRequest"));
  };
  const auto unsigned_der = der_of<X509_REQ>(i2d_X509_REQ, blank.get());
  const auto answer = ask(id, unsigned_der, "1");
  REQUIRE(returned(answer) == "0");
  const auto der = from_base64(answer.child_text("SignedCertificateRequest")).value_or("");
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  const std::unique_ptr<X509_REQ, decltype(&X509_REQ_free)> made(
      d2i_X509_REQ(nullptr, &at, static_cast<long>(der.size())), X509_REQ_free);
  const bool read = made != nullptr;
  REQUIRE(read);
  CHECK(X509_REQ_verify(made.get(), key.get()) == 1);
  CHECK(X509_REQ_verify(made.get(), foreign.get()) != 1);

  CHECK(returned(ask("Intel(r) AMT Key: Handle: 5", unsigned_der, "1")) == "2053");
  CHECK(returned(ask(id, "nonsense", "1")) == "36");
  CHECK(returned(ask(id, unsigned_der, "2")) == "36");
  X509_REQ_set_pubkey(blank.get(), foreign.get());
  X509_REQ_sign(blank.get(), foreign.get(), EVP_sha256());
  CHECK(returned(ask(id, der_of<X509_REQ>(i2d_X509_REQ, blank.get()), "1")) == "2064");
}

TEST_CASE("a certificate of a stored key depends on it") {
  bench_machine m;
  const auto id = generated(m);
  const auto leaf = made_certificate("edge", public_key(public_part(m, id)), fresh_key());
  const auto added = invoke(m, store_class, "AddCertificate", blob(leaf));
  CHECK(pairs(m, created(added, "CreatedCertificate"), id) == 1);
  CHECK(refused(remove(m, "AMT_PublicPrivateKeyPair", {{"InstanceID", id}})).empty());
  CHECK(pairs(m, created(added, "CreatedCertificate"), id) == 0);
}

TEST_CASE("a certificate and its key stay while TLS shows them") {
  bench_machine m;
  const auto key = generated(m);
  const auto leaf = made_certificate("edge", public_key(public_part(m, key)), fresh_key());
  const auto id =
      created(invoke(m, store_class, "AddCertificate", blob(leaf)), "CreatedCertificate");
  m.model.tls.change().certificate = 0;
  CHECK(refused(remove(m, "AMT_PublicKeyCertificate", {{"InstanceID", id}})) == "AccessDenied");
  CHECK(refused(remove(m, "AMT_PublicPrivateKeyPair", {{"InstanceID", key}})) == "AccessDenied");
  m.model.tls.change().certificate.reset();
  CHECK(refused(remove(m, "AMT_PublicKeyCertificate", {{"InstanceID", id}})).empty());
  CHECK(refused(remove(m, "AMT_PublicPrivateKeyPair", {{"InstanceID", key}})).empty());
}

TEST_CASE("a key is taken over from PKCS1 only and once") {
  bench_machine m;
  const auto key = fresh_key();
  const auto pkcs1 = der_of<EVP_PKEY>(i2d_PrivateKey, key.get());
  const auto add = [&](const std::string& der) {
    return returned(invoke(m, store_class, "AddKey", blob(der, "KeyBlob")));
  };
  CHECK(add(pkcs1) == "0");
  CHECK(add(pkcs1) == "2058");
  CHECK(add("nonsense") == "2062");
  CHECK(add(pkcs1.substr(0, 600)) == "2062");
  const auto pkcs8 = [&] {
    auto* info = EVP_PKEY2PKCS8(key.get());
    auto out = der_of<PKCS8_PRIV_KEY_INFO>(i2d_PKCS8_PRIV_KEY_INFO, info);
    PKCS8_PRIV_KEY_INFO_free(info);
    return out;
  }();
  CHECK(add(pkcs8) == "2062");
  CHECK(list(m, "AMT_PublicPrivateKeyPair").size() == 1);
  CHECK(public_part(m, "Intel(r) AMT Key: Handle: 0") ==
        der_of<EVP_PKEY>(i2d_PublicKey, key.get()));
}

TEST_CASE("a key of another kind or length is refused") {
  bench_machine m;
  const auto ask = [&](const char* algorithm, const char* length) {
    return returned(
        invoke(m, store_class, "GenerateKeyPair",
               wsman::property("KeyAlgorithm", algorithm) + wsman::property("KeyLength", length)));
  };
  CHECK(ask("1", "2048") == "36");
  CHECK(ask("0", "512") == "36");
  CHECK(ask("0", "65536") == "36");
  CHECK(refused(serve(m, method(store_class, "GenerateKeyPair"))) == "SchemaValidationError");
}

TEST_CASE("certificates and keys come back from flash") {
  bench_machine before;
  generated(before);
  invoke(before, store_class, "AddTrustedRootCertificate", blob(made_root("r")));
  kept_texts kept;
  for (const auto& row : certificate_classes().flash)
    row.save(before.model, kept);
  bench_machine after;
  for (const auto& row : certificate_classes().flash)
    row.load(kept, after.model);
  CHECK(list(after, "AMT_PublicKeyCertificate").size() == 1);
  CHECK(list(after, "AMT_PublicKeyCertificate").front().child_text("Subject") == "O=Example,CN=r");
  CHECK(public_part(after, "Intel(r) AMT Key: Handle: 0") ==
        public_part(before, "Intel(r) AMT Key: Handle: 0"));
  kept["certificates.0.der"] = "nonsense";
  kept["keys.0.private"] = "AAAA";
  bench_machine damaged;
  for (const auto& row : certificate_classes().flash)
    row.load(kept, damaged.model);
  CHECK(list(damaged, "AMT_PublicKeyCertificate").empty());
  CHECK(list(damaged, "AMT_PublicPrivateKeyPair").empty());
}

TEST_CASE("AMT 22 makes keys on a curve and none of RSA") {
  auto s = exact();
  s.kind = *find_firmware("amt22");
  bench_machine m(s);
  const auto generate = [](bench_machine& on, const char* algorithm, const char* length) {
    return invoke(on, "AMT_PublicKeyManagementService", "GenerateKeyPair",
                  wsman::property("KeyAlgorithm", algorithm) +
                      wsman::property("KeyLength", length));
  };
  CHECK(returned(generate(m, "0", "2048")) == "2066");
  CHECK(returned(generate(m, "1", "384")) == "0");
  const auto shown = from_base64(list(m, "AMT_PublicPrivateKeyPair").at(0).child_text("DERKey"));
  const auto* at = reinterpret_cast<const unsigned char*>(shown->data());
  const owned_key key(d2i_PUBKEY(nullptr, &at, static_cast<long>(shown->size())), EVP_PKEY_free);
  const bool is_curve = key && EVP_PKEY_get_bits(key.get()) == 384;
  CHECK(is_curve);
  const auto cert = read_certificate(made_certificate("leaf", key, fresh_key()));
  REQUIRE(cert.has_value());
  CHECK(has_key(m.model, *cert));
  bench_machine again(s);
  write_flash(read_flash(m.model), again.model);
  CHECK(has_key(again.model, *cert));
  bench_machine older; // AMT 16 knows no curve
  CHECK(returned(generate(older, "1", "384")) == "36");
}

} // namespace
} // namespace outband::amtsim
