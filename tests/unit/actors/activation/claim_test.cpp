#include "actors/activation/claim.hpp"
#include "actors/activation/password_guesses.hpp"
#include "actors/activation/passwords.hpp"

#include <doctest/doctest.h>

#include <set>

using namespace outband;
using namespace outband::activation;

namespace {

machine_claim sound() {
  machine_claim m;
  m.guid = *parse_uuid("12345678-9abc-def0-1234-56789abcdef0");
  m.version = "16.1.27";
  m.build = "2192";
  m.password = secret_text("P@ssw0rd");
  return m;
}

std::vector<std::string> texts(const result<std::vector<secret_text>>& r) {
  std::vector<std::string> out;
  if (r)
    for (const auto& s : *r)
      out.push_back(s.reveal());
  return out;
}

using list = std::vector<std::string>;

} // namespace

TEST_CASE("firmware that cannot be activated is refused with the words of RPS") {
  CHECK(!unfit_firmware(sound()));
  auto m = sound();
  m.version = "6.2.10";
  auto why = unfit_firmware(m);
  REQUIRE(why);
  CHECK(why->detail == "AMT version: 6.2.10. Version less than 7 cannot be remotely configured ");
  m = sound();
  m.version = "11.6.29";
  m.build = "2999";
  why = unfit_firmware(m);
  REQUIRE(why);
  CHECK(why->detail == "Device 12345678-9abc-def0-1234-56789abcdef0 activation failed. Please "
                       "check with your OEM for a firmware update.");
  m.build = "3000";
  CHECK(!unfit_firmware(m));
  m = sound();
  m.version = "11.8.50"; // the rule of builds is for older releases
  m.build = "1";
  CHECK(!unfit_firmware(m));
  m = sound();
  m.password = secret_text();
  why = unfit_firmware(m);
  REQUIRE(why);
  CHECK(why->field == "password");
  for (const char* nonsense : {"", "x", "-1", ".16"}) {
    m = sound();
    m.version = nonsense;
    CHECK(unfit_firmware(m));
  }
}

TEST_CASE("stored passwords are used for who knows one of them or has a token for the machine") {
  secret_versions stored;
  stored.active = secret_text("old");
  stored.pending = secret_text("new");
  CHECK(texts(candidates(stored, secret_text("old"), false, "")) == list{"new", "old"});
  CHECK(texts(candidates(stored, secret_text("new"), false, "")) == list{"new", "old"});
  CHECK(texts(candidates(stored, secret_text("guess"), true, "")) == list{"new", "old", "guess"});
  const auto refused = candidates(stored, secret_text("guess"), false, "Device X");
  REQUIRE(!refused);
  CHECK(refused.error().what == problem::forbidden);
  CHECK(refused.error().detail == "AMT password DOES NOT match stored version for Device X");
}

TEST_CASE("of a machine that the store does not know the client's password is tried") {
  CHECK(texts(candidates({}, secret_text("theirs"), false, "")) == list{"theirs"});
}

TEST_CASE("a made password has all four kinds of characters and none that firmware refuses") {
  unsigned state = 1;
  auto random = [&](std::size_t n) {
    std::string out;
    while (out.size() < n) {
      state = state * 1664525U + 1013904223U;
      out.push_back(static_cast<char>(state >> 24));
    }
    return out;
  };
  std::set<std::string> seen;
  for (int i = 0; i < 500; ++i) {
    const auto made = make_password(random);
    CHECK(made.reveal().size() == 16);
    CHECK(acceptable_password(made.reveal()));
    seen.insert(made.reveal());
  }
  CHECK(seen.size() == 500);
}

TEST_CASE("what firmware does not take as a password is known before it is asked") {
  CHECK(acceptable_password("Passw0rd!"));
  for (const char* bad : {"Pass0!", "password1!", "PASSWORD1!", "Password!!", "Password11",
                          "Passw0rd!:", "Passw0rd!,", "Passw0rd!\"", "Passw0rd! x",
                          "Passw0rd!Passw0rd!Passw0rd!Passw0"})
    CHECK_MESSAGE(!acceptable_password(bad), bad);
}

TEST_CASE("a machine's wrong passwords are counted for an hour and each machine's by itself") {
  password_guesses g;
  const device_ref one{"acme", sound().guid}, other{"globex", sound().guid};
  for (int i = 0; i < password_guesses::most; ++i)
    CHECK(g.may_compare(one, 1'000 + i));
  CHECK_FALSE(g.may_compare(one, 2'000));
  CHECK(g.may_compare(other, 2'000));
  CHECK_FALSE(g.may_compare(one, 1'000 + password_guesses::window - 1));
  CHECK(g.may_compare(one, 1'000 + password_guesses::window));
  g.was_right(other);
  for (int i = 0; i < password_guesses::most; ++i)
    CHECK(g.may_compare(other, 3'000));
}

TEST_CASE("of too many machines the oldest one's wrong passwords are forgotten") {
  password_guesses g;
  const auto machine = [](std::size_t n) {
    return device_ref{"t" + std::to_string(n), sound().guid};
  };
  for (std::size_t n = 0; n < password_guesses::max_machines; ++n)
    for (int i = 0; i < password_guesses::most; ++i)
      REQUIRE(g.may_compare(machine(n), static_cast<time_ms>(n)));
  CHECK_FALSE(g.may_compare(machine(0), 20'000));
  CHECK(g.may_compare(machine(password_guesses::max_machines), 20'000));
  CHECK_FALSE(g.may_compare(machine(1), 20'000));
  CHECK(g.may_compare(machine(0), 20'000));
}
