#include "messages/amt/catalogue.hpp"
#include "messages/domain/roles.hpp"

#include <doctest/doctest.h>

#include <set>
#include <string>

namespace outband::amt {
namespace {

TEST_CASE("every operation has one name, a function and a row in the role table") {
  std::set<std::string> names;
  for (const auto& o : operations()) {
    CAPTURE(std::string(o.name));
    CHECK(names.insert(std::string(o.name)).second);
    CHECK((o.run != nullptr));
    CHECK(o.deadline.count() > 0);
    CHECK(role_needed(access_kind::act, "amt." + std::string(o.name)).has_value());
    CHECK((find_operation(o.name) == &o));
    if (!o.look_after.empty()) {
      REQUIRE((find_operation(o.look_after) != nullptr));
      CHECK(find_operation(o.look_after)->effect == wsman::effect::none);
      CHECK_FALSE(find_operation(o.look_after)->fact.empty());
    }
  }
  CHECK((find_operation("no.such") == nullptr));
}

TEST_CASE("every amt act of the role table is an operation") {
  for (const auto& r : access_rules())
    if (r.kind == access_kind::act && r.name.substr(0, 4) == "amt.") {
      CAPTURE(std::string(r.name));
      CHECK((find_operation(r.name.substr(4)) != nullptr));
    }
}

TEST_CASE("a change needs a higher role than looking does") {
  for (const auto& o : operations()) {
    CAPTURE(std::string(o.name));
    const auto needed = role_needed(access_kind::act, "amt." + std::string(o.name));
    REQUIRE(needed.has_value());
    if (o.effect == wsman::effect::change)
      CHECK(*needed >= role::operator_);
  }
}

} // namespace
} // namespace outband::amt
