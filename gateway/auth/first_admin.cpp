#include "gateway/auth/auth.hpp"
#include "gateway/auth/files.hpp"
#include "messages/ticket/base64url.hpp"

#include <openssl/rand.h>

#include <array>

namespace outband::auth {

namespace {

std::string random_password() {
  std::array<char, 18> octets{};
  if (RAND_bytes(reinterpret_cast<unsigned char*>(octets.data()), octets.size()) != 1)
    return {};
  return ticket::base64url_encode({octets.data(), octets.size()});
}

void make_admin(store_port& store, service& s, clock_port& clock, const std::string& name,
                secret_text password, const std::string& file, const answer<std::string>& cb) {
  std::string written;
  if (password.empty()) {
    auto text = random_password();
    if (text.empty())
      return cb(fail(problem::internal, "no random numbers"));
    // Written before the account exists: a crash in between leaves a useless file, not a lost door.
    if (auto ok = write_file(file, text + "\n", 0600); !ok)
      return cb(ok.error());
    password = secret_text(text);
    written = file;
  }
  s.hash(std::move(password), [&store, &clock, name, written, cb](result<std::string> hash) {
    if (!hash)
      return cb(hash.error());
    account_row row;
    row.name = name;
    row.password_hash = *hash;
    row.site_admin = true;
    row.created = clock.now();
    store.put_account(
        row, [written, cb](result<nothing> done) { done ? cb(written) : cb(done.error()); });
  });
}

} // namespace

void ensure_first_admin(store_port& store, service& s, clock_port& clock, std::string name,
                        secret_text password, std::string password_file, answer<std::string> cb) {
  if (!valid_level(name))
    return cb(fail(problem::malformed, "must be [a-z0-9-]{1,64}", "auth.admin_name"));
  const auto tenant = s.settings().default_tenant;
  if (!valid_tenant_key(tenant))
    return cb(fail(problem::malformed, "must be [a-z0-9-]{1,20}", "auth.default_tenant"));
  auto admin = [&store, &s, &clock, name, password, password_file, cb] {
    store.list_accounts([&store, &s, &clock, name, password, password_file,
                         cb](result<std::vector<account_row>> all) {
      if (!all)
        return cb(all.error());
      if (!all->empty())
        return cb(std::string());
      make_admin(store, s, clock, name, password, password_file, cb);
    });
  };
  store.list_tenants([&store, &clock, tenant, admin, cb](result<std::vector<tenant_row>> all) {
    if (!all)
      return cb(all.error());
    if (!all->empty())
      return admin();
    tenant_row row;
    row.key = tenant;
    row.display_name = tenant;
    row.created = clock.now();
    store.create_tenant(row, [admin, cb](result<tenant_row> made) {
      // Another node may have been faster.
      if (!made && made.error().what != problem::already_exists)
        return cb(made.error());
      admin();
    });
  });
}

} // namespace outband::auth
