/// Signing in: built-in accounts, the tokens they get, tickets for the bus.
///
/// Threads: members may be called from any thread and never block; password hashing runs on a
/// worker thread of its own, where callbacks of sign_in() and hash() then run. Limits: the worker's
/// queue (`queue`), failures per address and name (`failures` within `window`).
#pragma once

#include "actors/ports/clock.hpp"
#include "actors/ports/secrets.hpp"
#include "actors/ports/store.hpp"
#include "gateway/auth/identity.hpp"
#include "messages/ticket/jwt.hpp"
#include "messages/ticket/redirection.hpp"

#include <chrono>
#include <memory>

namespace outband::auth {

/// Cost of scrypt: memory is 128 * n * r octets (16 MiB).
struct scrypt_cost {
  std::uint64_t n = 1 << 14;
  std::uint32_t r = 8, p = 1;
};

struct options {
  std::string issuer = "outband";
  std::chrono::seconds token_lifetime{24 * 3600};
  std::chrono::seconds ticket_lifetime{15 * 60};
  tenant_key default_tenant = "default";
  scrypt_cost cost;
  std::size_t queue = 64;
  int failures = 10;
  std::chrono::milliseconds window{300'000};
  bool built_in = true; ///< false: nobody signs in with a password, POST /authorize answers 405
  std::chrono::seconds redirection_lifetime{5 * 60}; ///< MPS's value
  /// Random and the same on every node of a site; empty: redirection tokens are refused.
  std::string redirection_key;
};

struct bus_ticket {
  std::string username, password, client_id_prefix;
  std::int64_t expires_s = 0;
};

/// What a verified bus ticket says, for whoever passes it on (/mqtt).
struct bus_pass {
  std::string username;
  std::int64_t expires_s = 0;
};

class service {
public:
  service(store_port& store, clock_port& clock, ticket::signing_key key, options o);
  ~service(); ///< ends the worker; what waits is answered with problem::cancelled
  service(const service&) = delete;
  service& operator=(const service&) = delete;

  struct signed_in {
    identity who;
    std::string token;
  };
  /// unauthenticated: wrong name or password, without telling which. busy: too many failures, or
  /// the worker's queue is full.
  void sign_in(std::string name, secret_text password, std::string peer, answer<signed_in> cb);

  /// Of an `Authorization: Bearer` header's token. `detail` is "token expired" if it was right
  /// once.
  result<identity> verify(std::string_view token) const;

  result<bus_ticket> issue_bus_ticket(const identity& who, const tenant_key& tenant) const;
  result<bus_pass> verify_bus_ticket(std::string_view token) const;

  /// Opens the relay to one machine; see messages/ticket/redirection.hpp.
  result<std::string> issue_redirection(const principal& by, const device_ref& to) const;
  result<ticket::redirection_claims> verify_redirection(std::string_view token) const;

  /// For new accounts: "scrypt$..." on the worker.
  void hash(secret_text password, answer<std::string> cb);

  const options& settings() const;

private:
  struct state;
  std::shared_ptr<state> state_;
};

/// At start: the default tenant and the first site admin, if the store has none. With an empty
/// password a random one is made and written to `password_file` (mode 0600); the answer is then
/// that file's name, else empty.
void ensure_first_admin(store_port& store, service& s, clock_port& clock, std::string name,
                        secret_text password, std::string password_file, answer<std::string> cb);

/// The ES256 key that signs tokens: read from `file`, or made and written there (mode 0600), with
/// the public half next to it as `<file>.pub` (0644) for the broker's plugin.
result<ticket::signing_key> load_or_make_key(const std::string& file);

} // namespace outband::auth
