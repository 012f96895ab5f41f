#include "messages/provisioning/nonce_signature.hpp"

#include "messages/amt/base64.hpp"
#include "tests/support/provisioning_pki.hpp"

#include <doctest/doctest.h>

namespace outband::provisioning {
namespace {

const std::string theirs("\0\x01\x02 the machine's..", 20);
const std::string ours = "twenty random octets";
const std::string theirs_base64 = amt::base64_encode(theirs);

const provisioning_certificate& usual() {
  static const auto opened = open_pfx(test::make_pfx(test::make_provisioning_pki()), "P@ssw0rd");
  REQUIRE(opened.ok());
  return *opened;
}

TEST_CASE("the firmware verifies what the server signed") {
  for (const auto& choice :
       {signing_choice{hash_kind::sha256, 2}, signing_choice{hash_kind::sha384, 3}}) {
    const auto signature = sign_nonces(usual().key, theirs_base64, ours, choice);
    REQUIRE(signature.ok());
    CHECK(amt::base64_decode(*signature)->size() == 256);
    CHECK(verify_nonces(usual().leaf(), theirs, ours, choice.algorithm, *signature).ok());
    // Under the other algorithm, with another nonce, or with the nonces swapped it is nothing.
    CHECK_FALSE(verify_nonces(usual().leaf(), theirs, ours, 5 - choice.algorithm, *signature).ok());
    CHECK_FALSE(verify_nonces(usual().leaf(), ours, theirs, choice.algorithm, *signature).ok());
    CHECK_FALSE(verify_nonces(usual().leaf(), ours, ours, choice.algorithm, *signature).ok());
    CHECK_FALSE(
        verify_nonces(usual().chains[0][1], theirs, ours, choice.algorithm, *signature).ok());
  }
}

TEST_CASE("only a nonce of twenty octets is signed") {
  // Whoever sent a digest, a certificate request or nothing would otherwise have it signed.
  for (const auto size : {0U, 1U, 19U, 21U, 32U, 40U, 48U, 1000U}) {
    const auto refused =
        sign_nonces(usual().key, amt::base64_encode(std::string(size, 'x')), ours, {});
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().what == problem::device_protocol);
    CHECK(refused.error().field == "ConfigurationNonce");
  }
  CHECK_FALSE(sign_nonces(usual().key, "not base64!", ours, {}).ok());
  CHECK(sign_nonces(usual().key, theirs_base64, ours.substr(1), {}).error().what ==
        problem::internal);
  CHECK(sign_nonces(usual().key, theirs_base64, ours + "x", {}).error().what == problem::internal);
  // SHA-1 is not for signing.
  CHECK_FALSE(sign_nonces(usual().key, theirs_base64, ours, {hash_kind::sha1, 2}).ok());
}

TEST_CASE("what is no signature is not verified") {
  const auto good = sign_nonces(usual().key, theirs_base64, ours, {});
  REQUIRE(good.ok());
  auto bad = *amt::base64_decode(*good);
  bad[100] = static_cast<char>(bad[100] ^ 1);
  const auto check = [&](const std::string& signature, int algorithm, const char* field) {
    const auto ok = verify_nonces(usual().leaf(), theirs, ours, algorithm, signature);
    REQUIRE_FALSE(ok.ok());
    CHECK(ok.error().what == problem::unauthenticated);
    CHECK(ok.error().field == field);
  };
  check(amt::base64_encode(bad), 2, "DigitalSignature");
  check("", 2, "DigitalSignature");
  check("!", 2, "DigitalSignature");
  check(std::string(5000, 'A'), 2, "DigitalSignature");
  check(*good, 0, "SigningAlgorithm");
  check(*good, 4, "SigningAlgorithm");
  CHECK_FALSE(verify_nonces(usual().leaf(), theirs + "x", ours, 2, *good).ok());
  CHECK_FALSE(verify_nonces(usual().leaf(), theirs, "", 2, *good).ok());
}

TEST_CASE("the hash follows what certificate and firmware have in common") {
  certificate longer;
  longer.signed_with = hash_kind::sha384;
  certificate usual_one;
  usual_one.signed_with = hash_kind::sha256;
  CHECK(choose_signing(longer, policy_for("11.8.50")).algorithm == 2);
  CHECK(choose_signing(longer, policy_for("20.0.5")).algorithm == 2);
  CHECK(choose_signing(longer, policy_for("21.0.6")).algorithm == 3);
  CHECK(choose_signing(longer, policy_for("22.0.0")).algorithm == 3);
  CHECK(choose_signing(usual_one, policy_for("21.0.6")).algorithm == 2);
  CHECK(choose_signing(usual_one, policy_for("")).algorithm == 2);
  for (const char* version : {"", "16.1", "21.0", "22.0"})
    for (const auto& leaf : {longer, usual_one}) {
      const auto choice = choose_signing(leaf, policy_for(version));
      CHECK((choice.algorithm == 3) == (choice.hash == hash_kind::sha384));
    }
}

} // namespace
} // namespace outband::provisioning
