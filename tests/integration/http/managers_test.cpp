// The listener that knows callers by their certificates, with the real REST interface behind it.
#include "gateway/main/managers.hpp"
#include "tests/integration/http/running.hpp"
#include "tests/support/tempdir.hpp"
#include "tests/unit/gateway/rest/site.hpp"

#include <fstream>

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

TEST_CASE("a certificate without a common name acts under its DNS name") {
  both b;
  leaf_options leaf;
  leaf.dns_names = {"sol-manager.orch.example"};
  leaf.client = true;
  auto own = b.emf.issue(leaf);
  auto c = b.managers.client();
  c->certificate(own.certificate_pem, own.key_pem);
  auto who = c->get("/api/v1/authorize/whoami", {{"ActiveProjectID", acme_project}});
  CHECK(who.status == 200);
  CHECK(who.body.find(R"("name":"sol-manager-orch-example")") != std::string::npos);
}

namespace {

/// A site's own certificates and the configuration `emf: {...}`.
struct configured {
  test::tempdir dir;
  certificate_authority emf{"EMF CA"};
  net::io_pool pool{1};
  testing::site site;

  result<std::unique_ptr<web::server>> listen(const std::string& emf_members) {
    config::sources from;
    from.yaml = "emf: {bind: 127.0.0.1, port: 0, " + emf_members + "}";
    auto settings = config::load(from);
    REQUIRE(settings.ok());
    net::certificate_options o;
    o.directory = dir.path();
    o.cira_name = "localhost";
    o.https_names = o.bus_names = {"127.0.0.1"};
    o.node_name = "n1";
    auto made = net::certificates::open(o, std::time(nullptr));
    REQUIRE(made.ok());
    site_files files{std::move(*made), "localhost", *ticket::signing_key::generate(), {}};
    site.services.certificates = certificate_rule_of(*settings);
    auto api = rest::make_api(site.services);
    REQUIRE(api.ok());
    return listen_for_managers(*settings, files, pool, *api);
  }
  std::string ca_file(const std::string& text) const {
    auto file = dir.path() + "/emf-ca.pem";
    std::ofstream(file) << text;
    return file;
  }
};

} // namespace

TEST_CASE(
    "the managers' listener is off unless it is switched on and told whose clients to trust") {
  configured c;
  auto off = c.listen("enabled: false");
  REQUIRE(off.ok());
  CHECK(*off == nullptr);
  CHECK_FALSE(c.site.services.certificates);
  auto field = [&](const std::string& members) {
    auto r = c.listen(members);
    REQUIRE_FALSE(r.ok());
    return r.error().field;
  };
  CHECK(field("enabled: true") == "emf.client_ca_file");
  CHECK(field("enabled: true, tenant: 'No Key', client_ca_file: " +
              c.ca_file(c.emf.certificate_pem())) == "emf.tenant");
  CHECK(field("enabled: true, client_ca_file: " + c.ca_file("no certificate")) == "client_ca");
  CHECK_FALSE(c.listen("enabled: true, client_ca_file: " + c.dir.path() + "/none.pem").ok());
}

TEST_CASE("the managers' listener serves what its configuration says") {
  configured c;
  auto server = c.listen("enabled: true, role: viewer, tenant: acme, client_ca_file: " +
                         c.ca_file(c.emf.certificate_pem()));
  REQUIRE(server.ok());
  https_client client("https://127.0.0.1:" + std::to_string((*server)->port()), "");
  auto own = c.emf.issue_client("dm-manager");
  client.certificate(own.certificate_pem, own.key_pem);
  CHECK(client.get("/api/v1/devices").body.find("host-one") != std::string::npos);
  CHECK(client.send("DELETE", "/api/v1/devices/" + c.site.guid).status == 403);
  https_client nobody("https://127.0.0.1:" + std::to_string((*server)->port()), "");
  CHECK(nobody.get("/api/v1/version").status == 0);
}
