#include "actors/activation/bootstrap.hpp"
#include "actors/activation/passwords.hpp"
#include "messages/bus/envelope.hpp"
#include "messages/bus/topics.hpp"
#include "tests/unit/activation/stage.hpp"

#include <doctest/doctest.h>

using namespace outband;
using namespace outband::testing;

namespace {

activation::home_address site() {
  activation::home_address h;
  h.server = "mps.example.com";
  h.port = 4433;
  h.root_certificate = "AAAA";
  return h;
}

void say_tenant(activation_stage& s, const std::string& tenant) {
  bus::envelope e;
  e.id = s.clock.new_id();
  e.time = s.clock.now();
  e.source = "n1";
  bus::message m;
  m.topic = bus::controller_wake_topic();
  m.payload = std::make_shared<const std::string>(
      bus::encode(e, bus::wake{{tenant, {}}, "tenant"}, bus::encoding::msgpack));
  m.content_type = std::string(bus::content_type_of(bus::root::native));
  REQUIRE(bus::decode_wake(*m.payload, bus::encoding::msgpack));
  s.internal->publish(std::move(m), [](status) {});
  s.settle();
}

} // namespace

TEST_CASE("a new tenant gets a CIRA configuration and a profile for each control mode") {
  activation_stage s;
  activation::bootstrap b(s.with, site(), s.where.random);
  b.start();
  say_tenant(s, "acme");
  const auto* c = s.rows.cira_rows.find("acme", "acme");
  REQUIRE(c != nullptr);
  CHECK(c->what.ours);
  CHECK(c->what.server == "mps.example.com");
  CHECK(c->what.format == address_format::fqdn);
  const auto* ccm = s.rows.profile_rows.find("acme", "acme_ccm");
  const auto* acm = s.rows.profile_rows.find("acme", "acme_acm");
  REQUIRE(ccm != nullptr);
  REQUIRE(acm != nullptr);
  CHECK(ccm->what.activation == activation_kind::client_mode);
  CHECK(ccm->what.consent == consent_rule::all);
  CHECK(ccm->what.random_amt_password);
  CHECK(acm->what.activation == activation_kind::admin_mode);
  CHECK(acm->what.consent == consent_rule::none);
  CHECK(acm->what.random_mebx_password);
  CHECK(acm->what.cira_config == std::optional<std::string>("acme"));
  CHECK(s.rows.cira_rows.find("other", "other") == nullptr);
}

TEST_CASE("what an admin removed or changed is not made again") {
  activation_stage s;
  activation::bootstrap b(s.with, site(), s.where.random);
  b.start();
  say_tenant(s, "acme");
  s.rows.profile_rows.kept.erase({"acme", "acme_acm"});
  s.rows.profile_rows.kept[{"acme", "acme_ccm"}].what.kvm = false;
  say_tenant(s, "acme");
  CHECK(s.rows.profile_rows.find("acme", "acme_acm") == nullptr);
  CHECK(!s.rows.profile_rows.find("acme", "acme_ccm")->what.kvm);
}

TEST_CASE("a renamed site is told to its own configuration and to no other") {
  activation_stage s;
  {
    activation::bootstrap b(s.with, site(), s.where.random);
    b.start();
    say_tenant(s, "acme");
    say_tenant(s, "zeta");
  }
  s.rows.cira_rows.kept[{"zeta", "zeta"}].what.ours = false;
  auto renamed = site();
  renamed.server = "192.0.2.7";
  activation::bootstrap b(s.with, renamed, s.where.random);
  b.start();
  say_tenant(s, "acme");
  say_tenant(s, "zeta");
  CHECK(s.rows.cira_rows.find("acme", "acme")->what.server == "192.0.2.7");
  CHECK(s.rows.cira_rows.find("acme", "acme")->what.format == address_format::ipv4);
  CHECK(s.rows.cira_rows.find("zeta", "zeta")->what.server == "mps.example.com");
}

TEST_CASE("with one password per tenant both profiles hold the same one and tenants differ") {
  activation_stage s;
  auto home = site();
  home.one_password_per_tenant = true;
  activation::bootstrap b(s.with, home, s.where.random);
  b.start();
  say_tenant(s, "acme");
  say_tenant(s, "zeta");
  auto open = [&](const std::string& tenant, const std::string& name, const char* field) {
    const auto* p = s.rows.profile_rows.find(tenant, name);
    REQUIRE(p != nullptr);
    CHECK(!p->what.random_amt_password);
    auto text = s.secrets.open_named(tenant, secret_label(object_kind::profile, name, field),
                                     p->secrets.at(field));
    REQUIRE(text);
    return text->reveal();
  };
  const auto mine = open("acme", "acme_ccm", "amt_password");
  CHECK(activation::acceptable_password(mine));
  CHECK(mine == open("acme", "acme_acm", "amt_password"));
  CHECK(mine == open("acme", "acme_acm", "mebx_password"));
  CHECK(mine != open("zeta", "zeta_ccm", "amt_password"));
}
