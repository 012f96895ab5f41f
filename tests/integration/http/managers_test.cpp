// The listener that knows callers by their certificates, with the real REST interface behind it.
#include "tests/integration/http/running.hpp"
#include "tests/unit/gateway/rest/site.hpp"

using namespace outband;
using namespace outband::test;

namespace {

const std::string acme_project = "11111111-1111-1111-1111-111111111111";

/// The people's listener and the managers' in front of one handler, as outbandd has them.
struct both {
  testing::site site;
  certificate_authority emf{"EMF CA"};
  running people, managers;

  both() {
    site.services.certificates = rest::certificate_rule{};
    auto api = rest::make_api(site.services);
    REQUIRE(api.ok());
    people.handler = managers.handler = *api;
    auto own = authority().issue_server();
    auto tls = net::tls_context::make(net::tls_profile::https_mutual, own.certificate_pem,
                                      own.key_pem, emf.certificate_pem());
    REQUIRE(tls.ok());
    managers.options.tls = *tls;
    managers.options.client_certificates = true;
    people.start();
    managers.start();
  }
};

} // namespace

TEST_CASE("a manager with a certificate of the configured CA needs no token") {
  both b;
  auto c = b.managers.client();
  auto own = b.emf.issue_client("dm-manager");
  c->certificate(own.certificate_pem, own.key_pem);
  for (int i = 0; i < 2; ++i) { // the second one on the same connection
    auto r = c->get("/api/v1/devices", {{"ActiveProjectID", acme_project}});
    CHECK(r.status == 200);
    CHECK(r.body.find("host-one") != std::string::npos);
    CHECK(r.connects == (i == 0 ? 1 : 0));
  }
  CHECK(c->get("/api/v1/devices").status == 400); // no tenant is named
}

TEST_CASE("without a certificate of that CA nothing is answered at all") {
  both b;
  auto nobody = b.managers.client();
  CHECK(nobody->get("/api/v1/version").status == 0);
  auto stranger = b.managers.client();
  auto own = authority().issue_client("dm-manager"); // of another CA
  stranger->certificate(own.certificate_pem, own.key_pem);
  CHECK(stranger->get("/api/v1/version").status == 0);
  auto late = b.managers.client();
  leaf_options expired;
  expired.common_name = "dm-manager";
  expired.client = true;
  expired.valid_from_s = -7200;
  expired.valid_to_s = -3600;
  own = b.emf.issue(expired);
  late->certificate(own.certificate_pem, own.key_pem);
  CHECK(late->get("/api/v1/version").status == 0);
}

TEST_CASE("a certificate opens nothing on the people's listener") {
  both b;
  auto c = b.people.client();
  auto own = b.emf.issue_client("dm-manager");
  c->certificate(own.certificate_pem, own.key_pem);
  CHECK(c->get("/api/v1/devices", {{"ActiveProjectID", acme_project}}).status == 401);
}
