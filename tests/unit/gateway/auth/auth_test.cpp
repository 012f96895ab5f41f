#include "gateway/auth/auth.hpp"
#include "gateway/auth/failures.hpp"
#include "gateway/auth/files.hpp"
#include "gateway/auth/password.hpp"
#include "gateway/auth/worker.hpp"
#include "tests/support/tempdir.hpp"
#include "tests/unit/gateway/rest/fake_ports.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <future>
#include <sys/stat.h>

using namespace outband;
using namespace outband::testing;

namespace {
constexpr auth::scrypt_cost cheap{16, 1, 1};

unsigned mode_of(const std::string& path) {
  struct ::stat st {};
  return ::stat(path.c_str(), &st) == 0 ? st.st_mode & 0777 : 0;
}
} // namespace

TEST_CASE("a password matches its own hash and no other does") {
  auto h = auth::hash_password(secret_text("correct horse"), cheap);
  REQUIRE(h.ok());
  CHECK(h->rfind("scrypt$16$1$1$", 0) == 0);
  CHECK(auth::password_matches(secret_text("correct horse"), *h));
  CHECK_FALSE(auth::password_matches(secret_text("correct horsE"), *h));
  CHECK_FALSE(auth::password_matches(secret_text(""), *h));
  CHECK(*auth::hash_password(secret_text("correct horse"), cheap) != *h); // salted
}

TEST_CASE("scrypt is the one of RFC 7914") {
  // Section 12, third vector's parameters are too dear for a test; the second: N=1024 r=8 p=16,
  // password "password", salt "NaCl", first 32 octets.
  CHECK(auth::password_matches(
      secret_text("password"),
      "scrypt$1024$8$16$TmFDbA$_bq-HJ00cgB4VucZDQHp_nxq18vII3gw53N2Y0s3MWI"));
}

TEST_CASE("a stored text that is no hash of ours matches nothing and costs nothing") {
  for (auto stored :
       {"", "scrypt", "scrypt$16$1$1$$", "md5$16$1$1$AAAA$AAAA", "scrypt$0$1$1$TmFDbA$AAAA",
        "scrypt$1099511627776$8$1$TmFDbA$AAAA", "scrypt$1048576$64$1$TmFDbA$AAAA",
        "scrypt$16$1$1$TmFDbA$AAAA", "scrypt$16$1$1$TmFDbA$AAAA$x", "scrypt$-1$1$1$TmFDbA$AAAA"})
    CHECK_FALSE(auth::password_matches(secret_text("password"), stored));
}

TEST_CASE("passwords have a length") {
  CHECK_FALSE(auth::hash_password(secret_text("1234567"), cheap).ok());
  CHECK_FALSE(auth::hash_password(secret_text(std::string(257, 'x')), cheap).ok());
  CHECK(auth::hash_password(secret_text("12345678"), cheap).ok());
}

TEST_CASE("failures are counted per address and name and forgiven in time") {
  auth::failures f(3, std::chrono::milliseconds(1000));
  for (int i = 0; i < 3; ++i) {
    CHECK(f.blocked("a", "x", 100).count() == 0);
    f.failed("a", "x", 100);
  }
  CHECK(f.blocked("a", "x", 100).count() == 1000);
  CHECK(f.blocked("a", "x", 1100).count() == 0);
  CHECK(f.blocked("a", "y", 100).count() == 0);
  CHECK(f.blocked("b", "x", 100).count() == 0);
  f.failed("a", "x", 1101); // a new window
  CHECK(f.blocked("a", "x", 1101).count() == 0);
}

TEST_CASE("one address that tries many names is blocked for all") {
  auth::failures f(3, std::chrono::milliseconds(1000));
  for (int i = 0; i < 30; ++i)
    f.failed("a", "n" + std::to_string(i), 100);
  CHECK(f.blocked("a", "new", 100).count() > 0);
  CHECK(f.blocked("b", "new", 100).count() == 0);
}

TEST_CASE("a success forgives what one address did under one name") {
  auth::failures f(3, std::chrono::milliseconds(1000));
  f.failed("a", "x", 100);
  f.failed("a", "x", 100);
  f.succeeded("a", "x");
  f.failed("a", "x", 100);
  CHECK(f.blocked("a", "x", 100).count() == 0);
}

TEST_CASE("the worker refuses what does not fit and answers what it drops") {
  std::promise<void> begun, hold;
  std::atomic<int> ran{0}, dropped{0};
  {
    auth::worker w(2);
    auto held = hold.get_future().share();
    REQUIRE(w.post([&, held](bool) {
      begun.set_value();
      held.wait();
    }));
    begun.get_future().wait();
    auto count = [&](bool run) {
      ++(run ? ran : dropped);
    };
    CHECK(w.post(count));
    CHECK(w.post(count));
    CHECK_FALSE(w.post(count));
    std::thread release([&] { hold.set_value(); });
    release.join();
  }
  CHECK(ran + dropped == 2);
}

TEST_CASE("the signing key is made once with its public half for the broker") {
  test::tempdir dir;
  const auto file = dir.path() + "/auth.key";
  auto first = auth::load_or_make_key(file);
  REQUIRE(first.ok());
  CHECK(mode_of(file) == 0600);
  CHECK(mode_of(file + ".pub") == 0644);
  auto again = auth::load_or_make_key(file);
  REQUIRE(again.ok());
  CHECK(again->kid() == first->kid());
  std::ifstream in(file + ".pub");
  std::string pem((std::istreambuf_iterator<char>(in)), {});
  CHECK(ticket::verifying_keys::from_pem(pem).ok());
}

TEST_CASE("a key that others can read or that is damaged stops the start") {
  test::tempdir dir;
  const auto file = dir.path() + "/auth.key";
  REQUIRE(auth::load_or_make_key(file).ok());
  ::chmod(file.c_str(), 0644);
  auto open = auth::load_or_make_key(file);
  REQUIRE_FALSE(open.ok());
  CHECK(open.error().detail.find("chmod 600") != std::string::npos);
  REQUIRE(auth::write_file(file, "nonsense", 0600).ok());
  CHECK_FALSE(auth::load_or_make_key(file).ok());
  CHECK_FALSE(auth::load_or_make_key("/nonexistent/dir/auth.key").ok());
}

TEST_CASE("the first admin is made once with a given or a random password") {
  test::tempdir dir;
  const auto file = dir.path() + "/first-password";
  fake_clock clock;
  registry store;
  auth::options o;
  o.default_tenant = "default";
  o.cost = cheap;
  auth::service s(store, clock, *ticket::signing_key::generate(), o);
  auto ensure = [&](const std::string& password) {
    std::promise<result<std::string>> done;
    auth::ensure_first_admin(store, s, clock, "admin", secret_text(password), file,
                             [&](result<std::string> r) { done.set_value(std::move(r)); });
    return done.get_future().get();
  };
  auto sign_in = [&](const std::string& password) {
    std::promise<bool> done;
    s.sign_in("admin", secret_text(password), "::1",
              [&](result<auth::service::signed_in> r) { done.set_value(r.ok()); });
    return done.get_future().get();
  };
  auto first = ensure("");
  REQUIRE(first.ok());
  CHECK(*first == file);
  CHECK(mode_of(file) == 0600);
  CHECK(store.tenants.size() == 1);
  REQUIRE(store.accounts.count("admin") == 1);
  CHECK(store.accounts.at("admin").site_admin);
  std::ifstream in(file);
  std::string password;
  std::getline(in, password);
  CHECK(password.size() == 24);
  CHECK(sign_in(password));

  auto again = ensure("another password");
  REQUIRE(again.ok());
  CHECK(again->empty());
  CHECK_FALSE(sign_in("another password"));

  store.accounts.clear();
  auto given = ensure("another password");
  REQUIRE(given.ok());
  CHECK(given->empty());
  CHECK(sign_in("another password"));

  store.away = true;
  CHECK_FALSE(ensure("x").ok());
}

TEST_CASE("claims that a signature does not make right are refused") {
  auto read = [](const std::string& json) {
    return auth::identity_from_claims(json).ok();
  };
  const std::string good =
      R"({"sub":"a","iat":1,"exp":2,"tenantId":"t","tenants":{"t":"viewer"},"siteAdmin":false})";
  CHECK(read(good));
  auto with = [&](const std::string& from, const std::string& to) {
    auto text = good;
    text.replace(text.find(from), from.size(), to);
    return read(text);
  };
  CHECK_FALSE(with("\"a\"", "\"A/B\""));
  CHECK_FALSE(with("\"a\"", "7"));
  CHECK_FALSE(with("\"viewer\"", "\"site-admin\""));
  CHECK_FALSE(with("\"viewer\"", "\"none\""));
  CHECK_FALSE(with("{\"t\"", "{\"T\""));
  CHECK_FALSE(with("false", "\"true\""));
  CHECK_FALSE(with("\"tenantId\":\"t\"", "\"tenantId\":5"));
  CHECK_FALSE(with("{\"t\":\"viewer\"}", "[]"));
  CHECK_FALSE(read("[]"));
}
