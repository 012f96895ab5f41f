#include "gateway/auth/auth.hpp"

#include "gateway/auth/failures.hpp"
#include "gateway/auth/password.hpp"
#include "gateway/auth/worker.hpp"
#include "messages/domain/text.hpp"
#include "messages/ticket/claims.hpp"

#include <algorithm>

namespace outband::auth {

namespace {
failure wrong() {
  return fail(problem::unauthenticated, "Incorrect Username and/or Password!");
}
} // namespace

struct service::state {
  state(store_port& s, clock_port& c, ticket::signing_key k, ticket::verifying_keys v, options o)
      : store(s), clock(c), key(std::move(k)), keys(std::move(v)), opts(std::move(o)),
        tries(opts.failures, opts.window), hasher(opts.queue) {
    // Compared with for a name that does not exist, so that both take equally long.
    if (auto h = hash_password(secret_text("no such account"), opts.cost))
      nobody = *h;
  }

  std::int64_t now_s() const { return clock.now() / 1000; }

  store_port& store;
  clock_port& clock;
  ticket::signing_key key;
  ticket::verifying_keys keys;
  options opts;
  failures tries;
  std::string nobody;
  worker hasher; // last: ends first
};

service::service(store_port& store, clock_port& clock, ticket::signing_key key, options o) {
  auto keys = ticket::verifying_keys::of(key);
  state_ = std::make_shared<state>(store, clock, std::move(key),
                                   keys ? *keys : ticket::verifying_keys{}, std::move(o));
}

service::~service() = default;

const options& service::settings() const {
  return state_->opts;
}

void service::sign_in(std::string name, secret_text password, std::string peer,
                      answer<signed_in> cb) {
  name = lower(name);
  auto* s = state_.get();
  if (auto wait = s->tries.blocked(peer, name, s->clock.now()); wait.count() > 0)
    return cb(fail(problem::busy, "too many failed sign-ins, try again in " +
                                      std::to_string(wait.count() / 1000 + 1) + " s"));
  if (!valid_level(name)) { // cannot be an account; counts as a failure all the same
    s->tries.failed(peer, name.substr(0, 64), s->clock.now());
    return cb(wrong());
  }
  // The callbacks of the store may come after this service is gone.
  std::weak_ptr<state> weak = state_;
  s->store.get_account(name, [weak, name, password = std::move(password), peer = std::move(peer),
                              cb = std::move(cb)](result<account_row> row) {
    auto self = weak.lock();
    if (!self)
      return cb(fail(problem::cancelled, "the server is stopping"));
    if (!row && row.error().what != problem::not_found)
      return cb(row.error());
    // What the worker runs must not own the state, which owns the worker.
    auto* raw = self.get();
    auto work = [raw, name, password, peer, cb, row](bool run) {
      if (!run)
        return cb(fail(problem::cancelled, "the server is stopping"));
      const bool right = password_matches(password, row ? row->password_hash : raw->nobody) && row;
      if (!right) {
        raw->tries.failed(peer, name, raw->clock.now());
        return cb(wrong());
      }
      raw->tries.succeeded(peer, name);
      signed_in done;
      done.who.name = name;
      done.who.site_admin = row->site_admin;
      for (const auto& [tenant, text] : row->roles)
        if (auto held = parse_role(text); held && *held != role::none && *held != role::site_admin)
          done.who.tenants.emplace(tenant, *held);
      const auto& preferred = raw->opts.default_tenant;
      if (row->site_admin || done.who.tenants.count(preferred))
        done.who.default_tenant = preferred;
      else if (!done.who.tenants.empty())
        done.who.default_tenant = done.who.tenants.begin()->first;
      done.who.issued_s = raw->now_s();
      done.who.expires_s = raw->now_s() + raw->opts.token_lifetime.count();
      auto token = ticket::sign(claims_json(done.who, raw->opts.issuer), raw->key);
      if (!token)
        return cb(token.error());
      done.token = std::move(*token);
      cb(std::move(done));
    };
    if (!self->hasher.post(std::move(work)))
      cb(fail(problem::busy, "too many people are signing in"));
  });
}

result<identity> service::verify(std::string_view token) const {
  auto payload = ticket::verify(token, state_->keys,
                                {state_->opts.issuer, std::string(ticket::rest_audience), {}},
                                state_->now_s());
  if (!payload) {
    auto f = payload.error();
    if (f.field == "exp")
      f.detail = "token expired"; // the Sample Web UI looks for these words
    return f;
  }
  return identity_from_claims(*payload);
}

result<bus_ticket> service::issue_bus_ticket(const identity& who, const tenant_key& tenant) const {
  const auto held = held_in(who, tenant);
  bus_identity id{{principal::kind::person, tenant, who.name}, held};
  auto now = state_->now_s();
  // A ticket never outlives the sign-in it came from.
  auto life = std::min<std::int64_t>(state_->opts.ticket_lifetime.count(), who.expires_s - now);
  auto claims = ticket::make_bus_claims(id, to_string(state_->clock.new_id()), now,
                                        std::chrono::seconds(life));
  if (!claims)
    return claims.error();
  claims->issuer = state_->opts.issuer;
  auto token = ticket::sign_claims(*claims, state_->key);
  if (!token)
    return token.error();
  return bus_ticket{claims->username, std::move(*token), "op-" + who.name + "-", claims->expires_s};
}

result<bus_pass> service::verify_bus_ticket(std::string_view token) const {
  auto claims = ticket::verify_claims(token, state_->keys,
                                      {state_->opts.issuer, std::string(ticket::bus_audience), {}},
                                      state_->now_s());
  if (!claims)
    return claims.error();
  auto id = ticket::identity_of(*claims);
  if (!id)
    return id.error();
  return bus_pass{claims->username, claims->expires_s};
}

result<std::string> service::issue_redirection(const principal& by, const device_ref& to) const {
  ticket::redirection_claims c;
  c.issuer = state_->opts.issuer;
  c.tenant = to.tenant;
  c.device = to.device;
  c.subject = to_string(by);
  c.expires_s = state_->now_s() + state_->opts.redirection_lifetime.count();
  return ticket::sign_redirection(c, state_->opts.redirection_key);
}

result<ticket::redirection_claims> service::verify_redirection(std::string_view token) const {
  return ticket::verify_redirection(token, state_->opts.redirection_key, state_->opts.issuer,
                                    state_->now_s());
}

void service::hash(secret_text password, answer<std::string> cb) {
  auto cost = state_->opts.cost;
  auto work = [password = std::move(password), cb, cost](bool run) {
    cb(run ? hash_password(password, cost)
           : result<std::string>(fail(problem::cancelled, "the server is stopping")));
  };
  if (!state_->hasher.post(std::move(work)))
    cb(fail(problem::busy, "too many passwords are being hashed"));
}

} // namespace outband::auth
