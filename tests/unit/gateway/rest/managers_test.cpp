// Who shows a client certificate instead of a token: EMF's managers.
#include "tests/unit/gateway/rest/site.hpp"

#include <doctest/doctest.h>

using namespace outband;
using namespace outband::testing;

namespace {

const std::string acme_project = "11111111-1111-1111-1111-111111111111";
const std::string beta_project = "22222222-2222-2222-2222-222222222222";

struct emf : site {
  explicit emf(role held = role::operator_, const tenant_key& tenant = {}) {
    services.certificates = rest::certificate_rule{held, tenant};
    rebuild();
    store.devices.at(machine.device).record.connected = true;
    store.devices.at(foreign.device).record.connected = true;
  }
};

} // namespace

TEST_CASE("a manager acts in the tenant that it names in either spelling of the header") {
  emf s;
  for (auto header : {"ActiveProjectID", "activeprojectid", "ActiveProjectId"}) {
    auto r = s.send_as("kvm-manager", "GET", "/api/v1/devices", "", {{header, acme_project}});
    CHECK(r.status == 200);
    CHECK(r.text.find("host-one") != std::string::npos);
    CHECK(r.text.find("secret-name-of-beta") == std::string::npos);
  }
  CHECK(s.send_as("kvm-manager", "GET", "/api/v1/devices", "", {{"ActiveProjectID", beta_project}})
            .text.find("secret-name-of-beta") != std::string::npos);
  CHECK(
      s.send_as("kvm-manager", "GET", "/api/v1/devices", "", {{"ActiveProjectID", "nix"}}).status ==
      403);
}

TEST_CASE("a manager that names no tenant is in the configured one or is told what is missing") {
  emf none;
  auto r = none.send_as("dm-manager", "GET", "/api/v1/devices");
  CHECK(r.status == 400);
  CHECK(r.at("errorDescription") == "ActiveProjectID header not found");
  emf beta(role::operator_, "beta");
  CHECK(beta.send_as("dm-manager", "GET", "/api/v1/devices").text.find("secret-name-of-beta") !=
        std::string::npos);
  CHECK(beta.send_as("dm-manager", "GET", "/api/v1/devices", "", {{"ActiveProjectID", "acme"}})
            .text.find("host-one") != std::string::npos);
}

TEST_CASE("what a manager asks for is recorded under its certificate's name") {
  emf s(role::operator_, "acme");
  response done;
  done.status = request_status::done;
  s.control.script = {done};
  auto r = s.send_as("dm-manager.Orch_Infra", "POST", "/api/v1/amt/power/action/" + s.guid,
                     R"({"action":8,"useSOL":false})");
  CHECK(r.status == 200);
  REQUIRE(s.control.submitted.size() == 1);
  CHECK(to_string(s.control.submitted[0].by) == "ext/dm-manager-orch-infra");
  CHECK(s.control.submitted[0].target.tenant == "acme");
}

TEST_CASE("managers have the configured role and no more") {
  emf viewer(role::viewer, "acme");
  CHECK(viewer.send_as("m", "GET", "/api/v1/devices").status == 200);
  CHECK(viewer.send_as("m", "POST", "/api/v1/amt/power/action/" + viewer.guid, R"({"action":8})")
            .status == 403);
  emf admin(role::admin, "acme");
  CHECK(admin.send_as("m", "DELETE", "/api/v1/devices/" + admin.guid).status == 204);
  CHECK(admin.send_as("m", "POST", "/api/v1/tenants", R"({"key":"new"})").status == 403);
  CHECK(admin.send_as("m", "POST", "/api/v1/authorize/bus").status == 403);
}

TEST_CASE("a certificate that names nobody opens nothing") {
  emf s(role::operator_, "acme");
  CHECK(s.send_as("", "GET", "/api/v1/devices").status == 401);
  CHECK(s.send_as(std::string(500, 'x'), "GET", "/api/v1/devices").status == 200); // cut, a name
}

TEST_CASE("without the listener's configuration a certificate's name counts for nothing") {
  site s;
  CHECK(s.send_as("dm-manager", "GET", "/api/v1/devices", "", {{"ActiveProjectID", acme_project}})
            .status == 401);
}
