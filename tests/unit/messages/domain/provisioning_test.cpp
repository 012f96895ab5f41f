#include "messages/domain/provisioning.hpp"
#include "messages/domain/removal.hpp"

#include <doctest/doctest.h>

using namespace outband;

namespace {

/// Every value has a name of its own that is read back; nothing else is.
template <class E, class Parse> void check_names(std::initializer_list<E> all, Parse parse) {
  for (const auto e : all) {
    const auto name = to_string(e);
    CAPTURE(name);
    CHECK_FALSE(name.empty());
    CHECK(parse(name) == e);
    CHECK_FALSE(parse(std::string(name) + "x"));
    CHECK_FALSE(parse(name.substr(1)));
  }
  CHECK_FALSE(parse(std::string_view("")));
}

} // namespace

TEST_CASE("values of provisioning are read by the names that they are written with") {
  check_names({activation_kind::client_mode, activation_kind::admin_mode}, parse_activation_kind);
  check_names({consent_rule::none, consent_rule::kvm, consent_rule::all}, parse_consent_rule);
  check_names(
      {provisioning_act::activate, provisioning_act::deactivate, provisioning_act::maintain},
      parse_provisioning_act);
  check_names({activation_state::running, activation_state::done, activation_state::failed,
               activation_state::interrupted},
              parse_activation_state);
}

TEST_CASE("values of removals are read by the names that they are written with") {
  check_names({removal_kind::remove, removal_kind::deauthorize}, parse_removal_kind);
  check_names({removal_state::waiting, removal_state::refused, removal_state::done},
              parse_removal_state);
}

TEST_CASE("profiles and commands have the names that RPS gives them") {
  CHECK(to_string(activation_kind::client_mode) == "ccmactivate");
  CHECK(to_string(activation_kind::admin_mode) == "acmactivate");
  CHECK(to_string(consent_rule::all) == "All");
  CHECK(to_string(provisioning_act::maintain) == "maintenance");
  CHECK_FALSE(parse_consent_rule("all"));
}

TEST_CASE(
    "two configurations are of one site where machines find the same server with the same root") {
  cira_config a;
  a.name = "acme";
  a.server = "mps.example.org";
  a.root_certificate = "MIIB";
  auto b = a;
  b.name = "other";
  b.username = "somebody";
  b.proxy_details = "x";
  b.ours = true;
  b.version = 7;
  CHECK(same_site(a, b));
  b = a;
  b.server = "mps.example.com";
  CHECK_FALSE(same_site(a, b));
  b = a;
  b.format = address_format::ipv4;
  CHECK_FALSE(same_site(a, b));
  b = a;
  b.port = 4434;
  CHECK_FALSE(same_site(a, b));
  b = a;
  b.common_name = "mps";
  CHECK_FALSE(same_site(a, b));
  b = a;
  b.root_certificate = "MIIC";
  CHECK_FALSE(same_site(a, b));
}
