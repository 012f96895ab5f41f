// Domains: certificates are judged before they are stored.
#include "tests/unit/gateway/rest/site.hpp"

#include "messages/amt/base64.hpp"
#include "tests/support/provisioning_pki.hpp"

#include <doctest/doctest.h>

using namespace outband;
using namespace outband::testing;

namespace {

const std::string path = "/api/v1/admin/domains";
using words = std::vector<std::string>;

/// The site's clock, in seconds: certificates are valid around it.
std::int64_t now_s(site& s) {
  return s.clock.time / 1000;
}

test::pki_options options(site& s) {
  test::pki_options o;
  o.now_s = now_s(s);
  return o;
}

std::string pfx_of(const test::pki_options& o, const test::pfx_options& p = {}) {
  return amt::base64_encode(test::make_pfx(test::make_provisioning_pki(o), p));
}

std::string body(const std::string& pfx, const std::string& suffix = "example.com",
                 const std::string& password = "P@ssw0rd") {
  return R"({"profileName":"d1","domainSuffix":")" + suffix + R"(","provisioningCert":")" + pfx +
         R"(","provisioningCertPassword":")" + password +
         R"(","provisioningCertStorageFormat":"string"})";
}

words told(const reply& r, const std::string& member) {
  words out;
  CHECK(r.status == 400);
  const auto* errors = r.body.find("errors");
  if (!errors || !errors->items())
    return {"no list of errors: " + r.text.substr(0, 300)};
  for (const auto& e : *errors->items())
    if (*e.find("path")->text() == member)
      out.push_back(*e.find("msg")->text());
  return out;
}

bool has_code(const reply& r, const std::string& code) {
  for (const auto& d : *r.body.find("defects")->items())
    if (*d.find("code")->text() == code)
      return true;
  return false;
}

} // namespace

TEST_CASE("a domain is stored with the end of its certificate and gives neither back") {
  site s;
  const auto pfx = pfx_of(options(s));
  auto made = s.send("POST", path, s.admin, body(pfx));
  CAPTURE(made.text);
  REQUIRE(made.status == 201);
  CHECK(made.at("domainSuffix") == "example.com");
  CHECK(made.at("provisioningCertStorageFormat") == "string");
  CHECK(made.at("expirationDate").substr(0, 4) == "2028"); // a year after the site's clock
  CHECK(made.text.find(pfx.substr(0, 40)) == std::string::npos);
  CHECK(made.text.find("P@ssw0rd") == std::string::npos);
  const auto* kept = s.provisioning.domain_rows.find("acme", "D1");
  REQUIRE(kept);
  CHECK(kept->secrets.at("pfx") == "sealed:acme:domain/d1/pfx:" + pfx);
  CHECK(kept->secrets.at("pfx_password") == "sealed:acme:domain/d1/pfx_password:P@ssw0rd");
  CHECK(s.send("GET", path + "/d1", s.viewer).text == made.text);
  auto again = s.send("POST", path, s.admin, body(pfx));
  CHECK(again.at("error") == "Unique key violation");
  CHECK(again.at("message") == "Domain d1 ID or Suffix already exists");
  CHECK(s.send("DELETE", path + "/d1", s.admin).status == 204);
  CHECK(s.send("DELETE", path + "/d1", s.admin).at("message") == "Domain profile d1 Not Found");
}

TEST_CASE("a certificate that cannot activate anything is refused in RPS's words") {
  site s;
  auto cert = [&](const std::string& b) {
    return told(s.send("POST", path, s.admin, b), "provisioningCert");
  };
  const auto good = pfx_of(options(s));
  const words unopened{"Unable to decrypt provisioning certificate. Please check that the password "
                       "is correct, and that the certificate is a valid certificate."};
  CHECK(cert(body(good, "example.com", "wrong")) == unopened);
  CHECK(cert(body("bm90IGEgcGZ4")) == unopened);
  CHECK(cert(body("!!!")) == unopened);
  CHECK(cert(body(good, "example.org")) ==
        words{"FQDN not associated with provisioning certificate"});
  auto late = options(s);
  late.valid_from_s = -10 * 86400;
  late.valid_to_s = -86400;
  CHECK(cert(body(pfx_of(late))) == words{"Uploaded certificate has expired"});
  auto other_use = options(s);
  other_use.amt_usage = false;
  CHECK(cert(body(pfx_of(other_use))) ==
        words{"Leaf certificate is missing the Intel AMT Activation EKU OID "
              "(2.16.840.1.113741.1.2.3)"});
  test::pfx_options rootless;
  rootless.leave_out = {2};
  CHECK(cert(body(pfx_of(options(s), rootless))) ==
        words{"Provisioning certificate does not contain a root certificate"});
  CHECK(s.provisioning.domain_rows.kept.empty());
  auto nothing = s.send("POST", path, s.admin, "{}");
  CHECK(told(nothing, "profileName").size() == 2);
  CHECK(told(nothing, "provisioningCert") == words{"Provisioning certificate is required"});
  CHECK(told(nothing, "provisioningCertPassword") ==
        words{"Provisioning Cert Password is required"});
  CHECK(told(nothing, "domainSuffix") == words{"Domain suffix name is required"});
  CHECK(told(nothing, "provisioningCertStorageFormat").size() == 2);
  CHECK(told(s.send("POST", path, s.admin, body(good, "example.com", std::string(65, 'p'))),
             "provisioningCertPassword") ==
        words{"Password should not exceed 64 characters in length"});
}

TEST_CASE("a change of a domain is judged like a new one") {
  site s;
  auto made = s.send("POST", path, s.admin, body(pfx_of(options(s))));
  REQUIRE(made.status == 201);
  auto patch = [&](const std::string& members) {
    return s.send("PATCH", path, s.admin,
                  R"({"profileName":"d1",)" + members + R"(,"version":")" +
                      s.send("GET", path + "/d1", s.viewer).at("version") + "\"}");
  };
  CHECK(told(patch(R"("domainSuffix":"example.org")"), "provisioningCert") ==
        words{"FQDN not associated with provisioning certificate"});
  CHECK(told(patch(R"("provisioningCertPassword":"wrong")"), "provisioningCert").size() == 1);
  auto suffix = patch(R"("domainSuffix":"provisioning.example.com")");
  CHECK(suffix.status == 200);
  CHECK(suffix.at("domainSuffix") == "provisioning.example.com");
  // A new certificate with the stored password, and one with its own.
  auto longer = options(s);
  longer.valid_to_s = 3 * 365 * 86400LL;
  auto renewed = patch("\"provisioningCert\":\"" + pfx_of(longer) + "\"");
  CHECK(renewed.status == 200);
  CHECK(renewed.at("expirationDate") > suffix.at("expirationDate"));
  test::pfx_options other;
  other.password = "Other-1!";
  CHECK(patch("\"provisioningCert\":\"" + pfx_of(longer, other) + "\"").status == 400);
  CHECK(patch("\"provisioningCert\":\"" + pfx_of(longer, other) +
              R"(","provisioningCertPassword":"Other-1!")")
            .status == 200);
  CHECK(s.provisioning.domain_rows.find("acme", "d1")->secrets.at("pfx_password") ==
        "sealed:acme:domain/d1/pfx_password:Other-1!");
  CHECK(patch(R"("provisioningCertStorageFormat":"raw")").at("provisioningCertStorageFormat") ==
        "raw");
  CHECK(s.send("PATCH", path, s.admin, R"({"profileName":"d1"})").status == 409);
}

TEST_CASE(
    "a domain's certificate is checked for a machine and the suffixes that would fit are shown") {
  site s;
  REQUIRE(s.send("POST", path, s.admin, body(pfx_of(options(s)))).status == 201);
  auto r = s.send("GET", path + "/d1/check", s.viewer);
  REQUIRE(r.status == 200);
  CHECK(*r.body.find("usable")->boolean());
  CHECK(r.body.find("device")->is_null());
  CHECK(r.body.find("chain")->items()->size() == 3);
  CHECK_FALSE(r.body.find("suffixes")->items()->empty());
  auto& record = s.store.devices.at(s.machine.device).record;
  record.dns_suffix = "elsewhere.org";
  record.device_info = R"({"fwVersion":"22.0.1"})";
  auto wrong = s.send("GET", path + "/d1/check?device=" + s.guid, s.viewer);
  REQUIRE(wrong.status == 200);
  CHECK_FALSE(*wrong.body.find("usable")->boolean());
  CHECK(has_code(wrong, "suffix-mismatch"));
  CHECK(has_code(wrong, "needs-sha384"));
  CHECK(*wrong.body.find("device")->find("version")->text() == "22.0.1");
  record.dns_suffix = "example.com";
  record.device_info = R"({"fwVersion":"16.1.27"})";
  CHECK(
      *s.send("GET", path + "/d1/check?device=" + s.guid, s.viewer).body.find("usable")->boolean());
  // What ends soon says so.
  s.clock.time += 360 * 86'400'000LL;
  auto soon = s.send("GET", path + "/d1/check", s.sign_in("vera"));
  CHECK(has_code(soon, "expires-soon"));
  CHECK(soon.number("expiryNotice") == 7);
  CHECK(s.send("GET", path + "/none/check", s.sign_in("vera")).status == 404);
  CHECK(s.send("GET", path + "/d1/check?device=x", s.sign_in("vera")).status == 400);
  CHECK(s.send("GET", path + "/d1/check?device=" + to_string(s.foreign.device), s.sign_in("vera"))
            .status == 404);
}

TEST_CASE("certificates are opened elsewhere and too many at once are refused") {
  site s;
  std::vector<std::function<void()>> waiting;
  bool full = false;
  s.services.heavy = [&](std::function<void()> work) {
    if (full)
      return false;
    waiting.push_back(std::move(work));
    return true;
  };
  s.rebuild();
  int status = 0;
  s.begin("POST", path, s.admin, body(pfx_of(options(s))), [&](reply r) { status = r.status; });
  CHECK(status == 0);
  REQUIRE(waiting.size() == 1);
  waiting[0]();
  CHECK(status == 201);
  full = true;
  auto r = s.send("POST", path, s.admin, body(pfx_of(options(s))));
  CHECK(r.status == 429);
  CHECK(r.header("Retry-After") == "5");
}
