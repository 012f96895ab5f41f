// Machines and tenants that are to go, as REST begins, shows and withdraws it.
#include "tests/unit/gateway/rest/site.hpp"

#include "messages/rest/host.hpp"

#include <doctest/doctest.h>

using namespace outband;
using namespace outband::testing;

namespace {

struct leaving : site {
  std::string id = rest::host_id(machine.device);
  std::string path = "/compute/hosts/" + id;
  const json::value* removal_of(const reply& r) { return r.body.find("removal"); }
};

std::string text(const json::value* object, const char* name) {
  const auto* v = object != nullptr ? object->find(name) : nullptr;
  return v != nullptr && v->text() != nullptr ? *v->text() : std::string();
}

} // namespace

TEST_CASE("a deleted host is kept and shown with its reason until it has gone") {
  leaving s;
  auto r = s.send("DELETE", s.path + "?note=scrapped", s.admin);
  CHECK(r.status == 202);
  CHECK(r.at("kind") == "remove");
  CHECK(r.at("state") == "waiting");
  CHECK(r.at("resourceId") == s.id);
  CHECK(r.at("by") == "op/ada");
  CHECK(s.control.removed.empty());
  CHECK(s.control.changed == std::vector<device_ref>{s.machine});

  s.removals.note({s.machine, removal_kind::remove, removal_state::refused, "device-refused",
                   "The firmware answered X (1).", "op/ada"},
                  [](const result<nothing>&) {});
  auto shown = s.send("GET", s.path, s.viewer);
  CHECK(shown.status == 200);
  CHECK(shown.at("desiredState") == "HOST_STATE_DELETED");
  CHECK(shown.at("currentState") == "HOST_STATE_ONBOARDED");
  CHECK(text(s.removal_of(shown), "state") == "refused");
  CHECK(text(s.removal_of(shown), "code") == "device-refused");
  CHECK(text(s.removal_of(shown), "reason") == "The firmware answered X (1).");
}

TEST_CASE("the list shows who is to go and nobody else") {
  leaving s;
  s.store.add({"acme", *parse_uuid("cccccccc-0000-0000-0000-000000000001")}, "other");
  CHECK(s.send("PUT", s.path + "/invalidate", s.admin).status == 202);
  auto r = s.send("GET", "/compute/hosts", s.viewer);
  REQUIRE(r.body.find("hosts")->items()->size() == 2);
  int going = 0;
  for (const auto& h : *r.body.find("hosts")->items()) {
    const auto* removal = h.find("removal");
    CHECK((removal != nullptr) == (text(&h, "uuid") == s.guid));
    CHECK((h.find("desiredState") != nullptr) == (removal != nullptr));
    going += removal != nullptr ? 1 : 0;
    if (removal != nullptr)
      CHECK(text(&h, "desiredState") == "HOST_STATE_UNTRUSTED");
  }
  CHECK(going == 1);
}

TEST_CASE("to delete outweighs to invalidate and the wish can be withdrawn") {
  leaving s;
  CHECK(s.send("PUT", s.path + "/invalidate", s.admin).at("kind") == "deauthorize");
  CHECK(s.send("DELETE", s.path, s.admin).at("kind") == "remove");
  CHECK(s.send("PUT", s.path + "/invalidate", s.admin).at("kind") == "remove");
  CHECK(s.send("DELETE", s.path + "/invalidate", s.admin).status == 204);
  CHECK(s.control.changed.size() == 4);
  CHECK(s.removal_of(s.send("GET", s.path, s.viewer)) == nullptr);
  auto again = s.send("DELETE", s.path + "/invalidate", s.admin);
  CHECK(again.status == 404);
  CHECK(again.at("message") == "This host is not to be removed.");
}

TEST_CASE("a forced removal happens at once and nothing else can be forced") {
  leaving s;
  for (const char* bad : {"?force=yes", "?force=", "?force=TRUE", "?force=1"}) {
    auto r = s.send("DELETE", s.path + bad, s.admin);
    CHECK(r.status == 400);
    CHECK(r.at("field") == "force");
  }
  auto r = s.send("PUT", s.path + "/invalidate?force=true", s.admin);
  CHECK(r.status == 400);
  CHECK(r.at("message").find("only a removal can be forced") != std::string::npos);
  CHECK(s.removals.kept.empty());
  CHECK(s.control.removed.empty());
  CHECK(s.send("DELETE", s.path + "?force=true", s.admin).status == 204);
  CHECK(s.control.removed == std::vector<device_ref>{s.machine});
  CHECK(s.send("GET", s.path, s.viewer).status == 404);
  CHECK(s.send("DELETE", s.path + "?force=true", s.admin).status == 404);
}

TEST_CASE("who is no admin of the tenant removes nothing of it") {
  leaving s;
  for (const auto& token : {s.viewer, s.operator_}) {
    CHECK(s.send("DELETE", s.path, token).status == 403);
    CHECK(s.send("DELETE", s.path + "?force=true", token).status == 403);
    CHECK(s.send("PUT", s.path + "/invalidate", token).status == 403);
    CHECK(s.send("DELETE", s.path + "/invalidate", token).status == 403);
  }
  for (const auto& name : {s.id, s.guid, std::string("host-one")}) {
    CHECK(s.send("DELETE", "/compute/hosts/" + name, s.stranger).status == 404);
    CHECK(s.send("DELETE", "/compute/hosts/" + name + "?force=true", s.stranger).status == 404);
    CHECK(s.send("PUT", "/compute/hosts/" + name + "/invalidate", s.stranger).status == 404);
    CHECK(s.send("DELETE", "/compute/hosts/" + name + "/invalidate", s.stranger).status == 404);
  }
  CHECK(s.removals.kept.empty());
  CHECK(s.store.devices.count(s.machine.device) == 1);
  CHECK(s.control.changed.empty());
}

TEST_CASE("a tenant is asked to leave by the site's admin only and goes at once when forced") {
  leaving s;
  for (const auto& token : {s.viewer, s.admin, s.stranger})
    CHECK(s.send("DELETE", "/api/v1/tenants/acme", token).status == 403);
  auto r = s.send("DELETE", "/api/v1/tenants/acme", s.root);
  CHECK(r.status == 202);
  CHECK(r.at("state") == "leaving");
  CHECK(r.number("machines") == 1);
  CHECK(s.removals.leaving == std::set<tenant_key>{"acme"});
  REQUIRE(s.control.changed.size() == 1);
  CHECK(s.control.changed[0].tenant == "acme");
  CHECK(s.control.changed[0].device.is_nil());
  CHECK(s.store.tenants.size() == 2);
  CHECK(s.removals.find(s.foreign) == nullptr);
  CHECK(s.send("DELETE", "/api/v1/tenants/acme?force=perhaps", s.root).status == 400);
  CHECK(s.control.gone.empty());
  CHECK(s.send("DELETE", "/api/v1/tenants/acme?force=true", s.root).status == 204);
  CHECK(s.control.gone == std::vector<tenant_key>{"acme"}); // its tunnels, on whatever node
  REQUIRE(s.store.tenants.size() == 1);
  CHECK(s.store.tenants[0].key == "beta");
}
