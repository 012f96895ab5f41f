#include "actors/secrets/builtin_secrets.hpp"
#include "actors/secrets/key_file.hpp"
#include "tests/integration/store/harness.hpp"
#include "tests/support/tempdir.hpp"

using namespace outband;
using namespace outband::test;
using secrets::builtin_secrets;

namespace {

struct safe {
  stage s;
  tempdir folder;
  builtin_secrets secrets{must(secrets::load_or_create_key(folder.file("key"))),
                          s.first->secret_rows};
  device_ref ref = dev("acme", 1);
  secret_name name = secret_name::amt_password;

  safe() { s.add(ref); }
  secret_versions get() {
    return must(call<secret_versions>([&](auto cb) { secrets.get(ref, name, cb); }));
  }
  void active(const std::string& text) {
    must(call<nothing>([&](auto cb) { secrets.put_active(ref, name, secret_text(text), cb); }));
  }
  void pending(const std::string& text) {
    must(call<nothing>([&](auto cb) { secrets.put_pending(ref, name, secret_text(text), cb); }));
  }
};

} // namespace

TEST_CASE("a password is found again and never in clear in the database") {
  safe s;
  CHECK(!s.get().active);
  s.active("P@ssw0rd-in-clear");
  auto got = s.get();
  REQUIRE(got.active);
  CHECK(got.active->reveal() == "P@ssw0rd-in-clear");
  CHECK(!got.pending);
  CHECK(s.s.sql("select encode(sealed, 'escape') from secret").find("P@ssw0rd") ==
        std::string::npos);
  s.active("second");
  CHECK(s.get().active->reveal() == "second");
  CHECK(s.s.sql("select count(*) from secret") == "1");
}

TEST_CASE("a pending password is promoted or discarded and the old one kept until then") {
  safe s;
  auto none = call<nothing>([&](auto cb) { s.secrets.promote(s.ref, s.name, cb); });
  REQUIRE(!none);
  CHECK(none.error().what == problem::not_found);
  s.active("old");
  s.pending("draft");
  s.pending("new");
  auto both = s.get();
  CHECK(both.active->reveal() == "old");
  CHECK(both.pending->reveal() == "new");
  must(call<nothing>([&](auto cb) { s.secrets.promote(s.ref, s.name, cb); }));
  CHECK(s.get().active->reveal() == "new");
  CHECK(!s.get().pending);
  s.pending("never");
  must(call<nothing>([&](auto cb) { s.secrets.discard_pending(s.ref, s.name, cb); }));
  must(call<nothing>([&](auto cb) { s.secrets.discard_pending(s.ref, s.name, cb); }));
  CHECK(s.get().active->reveal() == "new");
  CHECK(!s.get().pending);
}

TEST_CASE("a first password can be pending without an active one") {
  safe s;
  s.pending("first");
  CHECK(!s.get().active);
  must(call<nothing>([&](auto cb) { s.secrets.promote(s.ref, s.name, cb); }));
  CHECK(s.get().active->reveal() == "first");
}

TEST_CASE("names are kept apart") {
  safe s;
  s.active("amt");
  s.name = secret_name::mps_password;
  CHECK(!s.get().active);
  s.active("mps");
  s.name = secret_name::amt_password;
  CHECK(s.get().active->reveal() == "amt");
}

TEST_CASE("a row that was moved does not open") {
  safe s;
  s.active("mine");
  auto other = dev("globex", 2);
  s.s.add(other);
  auto refused = [&](const std::string& how, const device_ref& who, secret_name name) {
    CAPTURE(how);
    s.s.sql(how);
    auto r = call<secret_versions>([&](auto cb) { s.secrets.get(who, name, cb); });
    REQUIRE(!r);
    CHECK(r.error().what == problem::internal);
    CHECK(r.error().detail.find("does not open") != std::string::npos);
    CHECK(r.error().detail.find("mine") == std::string::npos);
  };
  auto to = "update secret set tenant = 'globex', guid = '" + to_string(other.device) + "'";
  auto back = "update secret set tenant = 'acme', guid = '" + to_string(s.ref.device) + "'";
  refused(to, other, s.name);
  s.s.sql(back);
  CHECK(s.get().active);
  refused("update secret set name = 'mps-password'", s.ref, secret_name::mps_password);
  s.s.sql("update secret set name = 'amt-password'");
  refused("update secret set version = version - 1", s.ref, s.name);
  s.s.sql("update secret set version = version + 1");
  CHECK(s.get().active);
  refused("update secret set sealed = set_byte(sealed, 12, get_byte(sealed, 12) # 1)", s.ref,
          s.name);
}

TEST_CASE("another master key is told apart from damage and crashes nothing") {
  safe s;
  s.active("mine");
  tempdir elsewhere;
  builtin_secrets wrong(must(secrets::load_or_create_key(elsewhere.file("key"))),
                        s.s.first->secret_rows);
  auto r = call<secret_versions>([&](auto cb) { wrong.get(s.ref, s.name, cb); });
  REQUIRE(!r);
  CHECK(r.error().detail.find("master key") != std::string::npos);
  CHECK(s.get().active->reveal() == "mine");
}

TEST_CASE("a password that is too long is refused") {
  safe s;
  auto r = call<nothing>([&](auto cb) {
    s.secrets.put_active(s.ref, s.name, secret_text(std::string(4097, 'x')), cb);
  });
  REQUIRE(!r);
  CHECK(r.error().what == problem::too_large);
}
