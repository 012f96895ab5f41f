#include "messages/http/digest.hpp"
#include "tests/unit/messages/http/shapes.hpp"

#include <doctest/doctest.h>

namespace outband::http::test {
namespace {

struct check_vector {
  std::string realm, nonce, cnonce, uri, ha1, response;
};
// The first from the AMT 15 capture's challenge (uri of a redirection session and of WS-MAN).
const check_vector vectors[] = {
    {"Digest:34BF4B5A0561F95248F58509A406E046", "bQali2IAAAAAAAAAn0xaWCOcxNsRcEHX", "0a4f113b22",
     "/RedirectionService", "108e3fa187b8f94be8bcd0cedddb903c", "ca5c6b6d05a693dbb92930ecd4fcef7f"},
    {"Digest:34BF4B5A0561F95248F58509A406E046", "bQali2IAAAAAAAAAn0xaWCOcxNsRcEHX", "0a4f113b22",
     "/wsman", "108e3fa187b8f94be8bcd0cedddb903c", "ed5b2668d5648d52eb68b049e06c9581"},
    {"Digest:A3829B3827DE4D33D4449B366831FD01", "4kIBjAAAAAAAAAAA+wjZxQO0eg6bcAyN", "a1b2c3",
     "/wsman", "6654ceb9533dd0fd6d3e5a3c3e8499d7", "37654b624790351ea8e464f2c6771a60"},
};

digest_challenge challenge(const std::string& value) {
  auto c = parse_challenge(value);
  CAPTURE(value);
  REQUIRE(c.ok());
  return *c;
}

problem challenge_problem(const std::string& value) {
  auto c = parse_challenge(value);
  CAPTURE(value);
  REQUIRE_FALSE(c.ok());
  return c.error().what;
}

digest_authorization authorization(const std::string& value) {
  auto a = parse_authorization(value);
  CAPTURE(value);
  REQUIRE(a.ok());
  return *a;
}

} // namespace

TEST_CASE("responses agree with the check vectors") {
  for (const auto& v : vectors) {
    CHECK(digest_ha1("admin", v.realm, "P@ssw0rd") == v.ha1);
    const digest_authorization a{"admin", v.realm,    v.nonce,  v.uri, "auth",
                                 "",      "00000001", v.cnonce, ""};
    CHECK(digest_response(a, v.ha1, "POST", "") == v.response);
  }
  CHECK(md5_hex("POST:/wsman") == "d83ba950d85d6f9b22682df889d8b847");
  CHECK(md5_hex("POST:/RedirectionService") == "63719ae578d1b7ff84edbc5762bd658b");
}

TEST_CASE("the example of RFC 2617 holds") {
  const auto a = authorization(
      "Digest username=\"Mufasa\", realm=\"testrealm@host.com\", "
      "nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", uri=\"/dir/index.html\", qop=auth, "
      "nc=00000001, cnonce=\"0a4f113b\", response=\"6629fae49393a05397450978507c4ef1\", "
      "opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"");
  const auto ha1 = digest_ha1("Mufasa", "testrealm@host.com", "Circle Of Life");
  CHECK(verify(a, ha1, "GET", ""));
  CHECK_FALSE(verify(a, ha1, "POST", ""));
  CHECK_FALSE(verify(a, digest_ha1("Mufasa", "testrealm@host.com", "circle of life"), "GET", ""));
  CHECK_FALSE(verify(a, "", "GET", ""));
}

TEST_CASE("the captured challenge is read and written again") {
  const auto c = challenge(captured_challenge);
  CHECK(c.realm == "Digest:34BF4B5A0561F95248F58509A406E046");
  CHECK(c.nonce == "bQali2IAAAAAAAAAn0xaWCOcxNsRcEHX");
  CHECK(c.auth);
  CHECK_FALSE(c.auth_int);
  CHECK_FALSE(c.stale);
  CHECK(write_challenge(c) == captured_challenge);
}

TEST_CASE("challenges are read leniently") {
  const auto both = challenge("Digest realm=\"r\", nonce=\"n\",qop=\"auth-int, auth\"");
  CHECK(both.auth);
  CHECK(both.auth_int);
  const auto bare = challenge("digest  QOP=auth-int,auth , Nonce = n ,, stale=TRUE, realm=r,");
  CHECK(bare.auth);
  CHECK(bare.auth_int);
  CHECK(bare.stale);
  CHECK(bare.realm == "r");
  CHECK(bare.nonce == "n");
  const auto quoted =
      challenge("Digest nonce=\"a,b=\\\"c\\\\\",realm=\"x y\",extra=1,opaque=\"o\"");
  CHECK(quoted.nonce == "a,b=\"c\\");
  CHECK(quoted.realm == "x y");
  CHECK(quoted.opaque == "o");
  CHECK_FALSE(quoted.auth);
  CHECK(challenge("Digest realm=r,nonce=n,algorithm=md5").realm == "r");
  CHECK(challenge(write_challenge(quoted)).nonce == quoted.nonce);
}

TEST_CASE("challenges that cannot be answered are refused") {
  CHECK(challenge_problem("") == problem::unsupported);
  CHECK(challenge_problem("Basic realm=\"r\"") == problem::unsupported);
  CHECK(challenge_problem("Digestrealm=\"r\",nonce=\"n\"") == problem::unsupported);
  CHECK(challenge_problem("Digest realm=r,nonce=n,algorithm=SHA-256") == problem::unsupported);
  CHECK(challenge_problem("Digest realm=r,nonce=n,qop=magic") == problem::unsupported);
  CHECK(challenge_problem("Digest realm=r") == problem::malformed);
  CHECK(challenge_problem("Digest nonce=n") == problem::malformed);
  CHECK(challenge_problem("Digest realm=r,nonce=n,nonce=m") == problem::malformed);
  CHECK(challenge_problem("Digest realm=\"r,nonce=n") == problem::malformed);
  CHECK(challenge_problem("Digest realm=r,nonce") == problem::malformed);
  CHECK(challenge_problem("Digest realm=r,=n") == problem::malformed);
  CHECK(challenge_problem("Digest realm=r,nonce=\"a\rb\"") == problem::malformed);
  CHECK(challenge_problem("Digest realm=r,nonce=" + std::string(5000, 'n')) == problem::too_large);
  std::string many = "Digest realm=r,nonce=n";
  for (int i = 0; i < 40; ++i)
    many += ",p" + std::to_string(i) + "=x";
  CHECK(challenge_problem(many) == problem::too_large);
}

TEST_CASE("a Digest challenge is found among others") {
  CHECK(find_challenge({{"Server", "x"},
                        {"WWW-Authenticate", "Negotiate"},
                        {"www-authenticate", captured_challenge}})
            .ok());
  CHECK(find_challenge({{"Server", "x"}}).error().what == problem::malformed);
  CHECK(find_challenge({{"WWW-Authenticate", "Negotiate"}}).error().what == problem::unsupported);
}

TEST_CASE("the authorization is written as MPS writes it") {
  digest_session s;
  CHECK_FALSE(s.ready());
  CHECK(s.authorize("admin", "P@ssw0rd", "POST", "/wsman", "a1b2c3", "").error().what ==
        problem::device_auth);
  CHECK(s.used() == 0);
  const auto& v = vectors[2];
  REQUIRE(s.learn(challenge("Digest realm=\"" + v.realm + "\", nonce=\"" + v.nonce +
                            "\",stale=\"false\",qop=\"auth-int, auth\"")));
  const auto first = s.authorize("admin", "P@ssw0rd", "POST", "/wsman", v.cnonce, "<body/>");
  REQUIRE(first.ok());
  CHECK(*first == "Digest username=\"admin\",realm=\"Digest:A3829B3827DE4D33D4449B366831FD01\","
                  "nonce=\"4kIBjAAAAAAAAAAA+wjZxQO0eg6bcAyN\",uri=\"/wsman\",qop=\"auth\","
                  "response=\"37654b624790351ea8e464f2c6771a60\",nc=\"00000001\","
                  "cnonce=\"a1b2c3\"");
}

TEST_CASE("a nonce is used again with a growing count and a new one starts at 1") {
  digest_session s;
  REQUIRE(s.learn(challenge("Digest realm=r,nonce=n1,qop=auth")));
  const auto count = [&] {
    auto value = s.authorize("admin", "p", "POST", "/wsman", "c", "");
    REQUIRE(value.ok());
    const auto a = authorization(*value);
    CHECK(verify(a, digest_ha1("admin", "r", "p"), "POST", ""));
    return a.nc;
  };
  CHECK(count() == "00000001");
  CHECK(count() == "00000002");
  CHECK_FALSE(s.learn(challenge("Digest realm=r,nonce=n1,qop=auth"))); // wrong password
  CHECK(count() == "00000003");
  for (int i = 0; i < 7; ++i)
    count();
  CHECK(count() == "0000000b");
  CHECK(s.learn(challenge("Digest realm=r,nonce=n2,stale=true,qop=auth")));
  CHECK(count() == "00000001");
  s.forget();
  CHECK_FALSE(s.ready());
}

TEST_CASE("a session answers what is offered") {
  const auto ha1 = digest_ha1("u", "r", "p");
  digest_session s;
  s.learn(challenge("Digest realm=r,nonce=n,qop=auth-int,opaque=\"o\""));
  auto value = s.authorize("u", "p", "POST", "/wsman", "c", "<body/>");
  REQUIRE(value.ok());
  auto a = authorization(*value);
  CHECK(a.qop == "auth-int");
  CHECK(a.opaque == "o");
  CHECK(verify(a, ha1, "POST", "<body/>"));
  CHECK_FALSE(verify(a, ha1, "POST", "<other/>"));

  s.learn(challenge("Digest realm=r,nonce=m"));
  value = s.authorize("u", "p", "POST", "/wsman", "c", "");
  REQUIRE(value.ok());
  a = authorization(*value);
  CHECK(a.qop.empty());
  CHECK(a.nc.empty());
  CHECK(verify(a, ha1, "POST", ""));
}

TEST_CASE("an authorization is accepted from every known client") {
  const auto& v = vectors[1];
  const std::string common =
      "username=\"admin\",realm=\"" + v.realm + "\",nonce=\"" + v.nonce + "\",uri=\"/wsman\"";
  const auto good = [&](const std::string& value) {
    return verify(authorization(value), v.ha1, "POST", "");
  };
  // MPS, go-wsman-messages (other order), MeshCommander (unquoted), capital hex.
  CHECK(good("Digest " + common + ",qop=\"auth\",response=\"" + v.response +
             "\",nc=\"00000001\",cnonce=\"0a4f113b22\""));
  CHECK(good("Digest " + common + ", response=\"" + v.response +
             "\", qop=\"auth\", nc=\"00000001\", cnonce=\"0a4f113b22\""));
  CHECK(good("Digest nc=00000001, cnonce=0a4f113b22, qop=auth, response=" + v.response + ", " +
             common));
  CHECK(good("Digest " + common +
             ",qop=auth,nc=00000001,cnonce=\"0a4f113b22\","
             "response=\"ED5B2668D5648D52EB68B049E06C9581\""));
  CHECK_FALSE(good("Digest " + common + ",qop=auth,nc=00000002,cnonce=\"0a4f113b22\",response=\"" +
                   v.response + "\""));
  CHECK_FALSE(good("Digest " + common + ",qop=auth,nc=00000001,cnonce=\"0a4f113b22\",response="));

  // Any form of nc, and MPS's occasionally empty cnonce, count as they are written.
  for (const std::string nc : {"1", "17", "0000000A", "00000000000000000001"}) {
    digest_authorization a{"admin", v.realm, v.nonce, "/wsman", "auth", "", nc, "", ""};
    a.response = digest_response(a, v.ha1, "POST", "");
    CHECK(good(write_authorization(a)));
  }
}

TEST_CASE("broken authorizations are refused with the field at fault") {
  const auto field = [](const std::string& value) {
    auto a = parse_authorization(value);
    CAPTURE(value);
    REQUIRE_FALSE(a.ok());
    return a.error().field;
  };
  CHECK(field("Basic abc") == "Authorization");
  CHECK(field("Digest realm=r,nonce=n,uri=u,response=x") == "username");
  CHECK(field("Digest username=a,nonce=n,uri=u,response=x") == "realm");
  CHECK(field("Digest username=a,realm=r,nonce=n,uri=u") == "response");
  CHECK(field("Digest username=a,realm=r,nonce=n,uri=u,response=x,qop=auth") == "nc");
  CHECK(field("Digest username=a,realm=r,nonce=n,uri=u,response=x,qop=other,nc=1") == "qop");
  CHECK(field("Digest username=a,realm=r,nonce=n,uri=u,response=x,algorithm=MD5-sess") ==
        "algorithm");
  CHECK(field("Digest username=a,username=b") == "username");
}

TEST_CASE("quotation marks in a user name survive") {
  digest_authorization a{"do\"main\\admin", "r", "n", "/wsman", "auth", "x", "1", "c", ""};
  CHECK(authorization(write_authorization(a)).user == a.user);
}

} // namespace outband::http::test
