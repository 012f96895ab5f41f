/// What is decided before a word is said to the machine.
#include "actors/activation/activation.hpp"
#include "actors/activation/claim.hpp"
#include "actors/ports/removal.hpp"
#include "messages/domain/text.hpp"
#include "messages/provisioning/certificate_check.hpp"
#include "messages/provisioning/domain_suffix.hpp"
#include "messages/provisioning/token_hash.hpp"

#include <algorithm>

namespace outband::activation {

namespace {

/// One answer for every token that is no good: who guesses learns nothing.
failure no_good() {
  return fail(problem::unauthenticated,
              "The token in the URL is not valid: unknown, used or expired. Make a new one.",
              "token");
}

} // namespace

void activation_run::find_token() {
  if (connection_.token.empty())
    return find_token_less();
  known_.token_hash = provisioning::token_hash(connection_.token);
  site_->rows.find_token(
      known_.token_hash, here<activation_token>([this](result<activation_token>& t) {
        if (!t)
          return failed(t.error().what == problem::not_found ? no_good() : t.error());
        if (t->used != 0 || t->expires <= site_->with.clock.now())
          return failed(no_good());
        if (t->act != wish_->act)
          return failed(fail(problem::forbidden,
                             "The token is for '" + std::string(to_string(t->act)) +
                                 "', not for '" + std::string(to_string(wish_->act)) + "'.",
                             "method"));
        if (t->device && *t->device != wish_->machine.guid)
          return failed(fail(problem::forbidden, "The token is for another machine.", "uuid"));
        if (!wish_->tenant.empty() && wish_->tenant != t->tenant)
          return failed(fail(problem::forbidden, "The token is of another tenant.", "tenantId"));
        if (t->profile && !wish_->profile.empty() && !same_text(*t->profile, wish_->profile))
          return failed(fail(problem::forbidden,
                             "The token is for the profile '" + *t->profile + "'.", "profile"));
        known_.token = std::move(*t);
        known_.device.tenant = known_.token.tenant;
        done();
      }));
}

/// Without a token only a machine that somebody has registered is served, and neither its tenant's
/// provisioning certificate nor a WiFi key is used for it: anybody may say that he is this machine.
void activation_run::find_token_less() {
  if (!site_->bare)
    return failed(fail(problem::unauthenticated,
                       "The URL has no token. Make one, and use wss://.../activate/{token}.",
                       "token"));
  site_->with.store.find_cira_identity(
      wish_->machine.guid, here<cira_identity>([this](result<cira_identity>& who_is) {
        if (!who_is)
          return failed(who_is.error().what == problem::not_found
                            ? fail(problem::unauthenticated, who() + " is not registered.", "uuid")
                            : who_is.error());
        if (!wish_->tenant.empty() && wish_->tenant != who_is->ref.tenant)
          return failed(fail(problem::unauthenticated, who() + " is not registered.", "uuid"));
        known_.device.tenant = who_is->ref.tenant;
        known_.token.tenant = who_is->ref.tenant;
        known_.token.act = wish_->act;
        done();
      }));
}

void activation_run::find_device() {
  site_->with.store.get_device(
      known_.device, here<device_record>([this](result<device_record>& r) {
        if (r)
          known_.record = std::move(*r);
        else if (r.error().what != problem::not_found)
          return failed(r.error());
        else if (wish_->act != provisioning_act::activate)
          return failed(fail(problem::not_found, who() + " is not registered.", "uuid"));
        find_removal();
      }));
}

/// What was sent away does not come back by itself, whatever token it has got hold of: not before
/// somebody takes that back. To deactivate it is what is wanted.
void activation_run::find_removal() {
  if (!known_.record || wish_->act != provisioning_act::activate || site_->with.removals == nullptr)
    return done();
  site_->with.removals->get(
      known_.device, here<kept_removal>([this](result<kept_removal>& r) {
        if (!r)
          return r.error().what == problem::not_found ? done() : failed(r.error());
        const auto take_back = "DELETE /compute/hosts/" + to_string(known_.device.device) +
                               "/invalidate takes that back.";
        if (r->what.kind == removal_kind::deauthorize)
          return failed(fail(problem::forbidden,
                             who() +
                                 " was deauthorized. It is not activated again before an "
                                 "administrator authorises it: " +
                                 take_back,
                             "uuid"));
        failed(fail(problem::transition_refused,
                    who() + " is being removed. It can be activated when it has gone. " + take_back,
                    "uuid"));
      }));
}

void activation_run::read_passwords() {
  if (!known_.record)
    return done();
  auto& secrets = site_->with.secrets;
  secrets.get(known_.device, secret_name::amt_password,
              or_fail<secret_versions>([this, &secrets](secret_versions& amt) {
                known_.amt = std::move(amt);
                secrets.get(known_.device, secret_name::mebx_password,
                            or_fail<secret_versions>([this](secret_versions& mebx) {
                              known_.mebx = std::move(mebx);
                              if (noted_)
                                if (auto refused = claim_refused())
                                  return failed(std::move(*refused));
                              done();
                            }));
              }));
}

/// What the claim does not allow, once it is known what the store knows of the machine.
std::optional<failure> activation_run::claim_refused() const {
  const auto& m = wish_->machine;
  if (auto unfit = unfit_firmware(m))
    return unfit;
  const bool named = known_.token.device.has_value();
  // Whoever may say that a managed machine is new again may make us throw away its password.
  if (m.mode == 0 && wish_->act == provisioning_act::activate && known_.amt.active && !named)
    return fail(problem::forbidden,
                who() + " is managed already. If it really was reset, make a token for this very "
                        "machine.",
                "currentMode");
  return std::nullopt;
}

void activation_run::load_profile() {
  if (auto refused = claim_refused())
    return failed(std::move(*refused));
  const auto asked = known_.token.profile.value_or(wish_->profile);
  if (asked.empty())
    return failed(
        fail(problem::malformed, who() + " activation failed. Missing profile.", "profile"));
  site_->rows.resolve(known_.device.tenant, asked,
                      here<resolved_profile>([this, asked](result<resolved_profile>& p) {
                        if (!p)
                          return failed(
                              p.error().what == problem::not_found
                                  ? fail(problem::not_found,
                                         who() + " activation failed. " + asked +
                                             " does not match list of available AMT profiles.",
                                         "profile")
                                  : p.error());
                        known_.profile = std::move(*p);
                        if (auto unfit = unfit_networks()) {
                          unfit->detail = who() + " activation failed. " + unfit->detail;
                          return failed(std::move(*unfit));
                        }
                        auto way = plan_for(where_we_are());
                        if (!way) {
                          auto why = way.error();
                          why.detail = who() + " " + why.detail;
                          return failed(std::move(why));
                        }
                        done();
                      }));
}

void activation_run::load_domain() {
  const auto way = plan_for(where_we_are());
  if (!way || std::find(way->begin(), way->end(), step::add_certificates) == way->end())
    return done();
  const auto& m = wish_->machine;
  const auto failed_for = who() + " activation failed. ";
  if (known_.token_hash.empty())
    return failed(fail(problem::forbidden,
                       failed_for + "Admin control mode needs a token in the URL.", "token"));
  if (m.root_hashes.empty())
    return failed(fail(problem::malformed,
                       failed_for + "Missing certificate hashes from the device.", "certHashes"));
  if (m.dns_suffix.empty())
    return failed(fail(problem::malformed, failed_for + "Missing DNS Suffix.", "fqdn"));
  site_->rows.find_domain(
      known_.device.tenant, provisioning::suffix_candidates(m.dns_suffix),
      here<stored<domain>>([this, failed_for](result<stored<domain>>& d) {
        if (!d)
          return failed(d.error().what == problem::not_found
                            ? fail(problem::not_found,
                                   failed_for +
                                       "Specified AMT domain suffix: " + wish_->machine.dns_suffix +
                                       " does not match list of available AMT domain suffixes.",
                                   "fqdn")
                            : d.error());
        const auto& tenant = known_.device.tenant;
        auto open = [&](std::string_view field) {
          const auto at = d->secrets.find(std::string(field));
          if (at == d->secrets.end())
            return result<secret_text>(
                fail(problem::internal, "the domain has no " + std::string(field)));
          return site_->with.secrets.open_named(
              tenant, secret_label(object_kind::domain, d->what.name, field), at->second);
        };
        auto pfx = open("pfx");
        auto password = open("pfx_password");
        if (!pfx || !password)
          return failed(pfx ? password.error() : pfx.error());
        using opened = std::shared_ptr<const provisioning::provisioning_certificate>;
        auto then = or_fail<opened>([this](opened& c) {
          const auto& claim = wish_->machine;
          const auto report = provisioning::check_for_machine(
              *c, {claim.version, claim.root_hashes, claim.dns_suffix}, site_->with.clock.now());
          if (!report.usable())
            return failed(fail(problem::unsupported, who() + " activation failed. " + report.text(),
                               "provisioningCert"));
          known_.certificate = std::move(c);
          done();
        });
        site_->work(
            [pfx = std::move(*pfx), password = std::move(*password), then = std::move(then)] {
              auto c = provisioning::open_pfx_base64(pfx.reveal(), password.reveal());
              if (!c)
                return then(c.error());
              then(opened(
                  std::make_shared<const provisioning::provisioning_certificate>(std::move(*c))));
            });
      }));
}

void activation_run::use_token() {
  if (auto refused = claim_refused())
    return failed(std::move(*refused));
  if (wish_->act != provisioning_act::activate || known_.mode != 0) {
    const bool named = known_.token.device.has_value();
    const bool compared = !named && (known_.amt.active || known_.amt.pending);
    if (compared && !site_->guesses->may_compare(known_.device, site_->with.clock.now()))
      return failed(fail(problem::forbidden,
                         "Too many wrong AMT passwords were given for " + who() +
                             ". Make a token for this very machine, or wait for an hour.",
                         "password"));
    auto may = candidates(known_.amt, wish_->machine.password, named, who());
    if (!may)
      return failed(may.error());
    if (compared)
      site_->guesses->was_right(known_.device);
    known_.candidates = std::move(*may);
  }
  if (auto way = plan_for(where_we_are()); !way) {
    auto why = way.error();
    why.detail = who() + " " + why.detail;
    return failed(std::move(why));
  }
  if (known_.token_hash.empty())
    return done();
  site_->rows.use_token(known_.token_hash, wish_->machine.guid,
                        here<activation_token>([this](result<activation_token>& used) {
                          if (used)
                            return done();
                          const auto what = used.error().what;
                          failed(what == problem::store_unavailable ? used.error() : no_good());
                        }));
}

void activation_run::register_device() {
  if (known_.record)
    return done();
  device_record r;
  r.ref = known_.device;
  r.hostname = wish_->machine.hostname;
  r.amt_username = "admin";
  site_->with.store.upsert_devices(
      {std::move(r)}, here<std::vector<upserted>>([this](result<std::vector<upserted>>& made) {
        if (!made)
          return failed(made.error().what == problem::already_exists
                            ? fail(problem::forbidden,
                                   "Device belongs to another tenant. Please "
                                   "unprovision and re-activate device.",
                                   "uuid")
                            : made.error());
        known_.record = made->front().record;
        site_->control.device_added(known_.device);
        done();
      }));
}

void activation_run::begin_row() {
  activation_note n;
  n.row.device = known_.device;
  n.row.id = id_;
  n.row.act = wish_->act;
  if (const auto* p = chosen())
    n.row.profile = p->name;
  n.row.step = std::string(row_of(step::begin).name);
  n.row.text = "Begun.";
  n.row.mode = known_.mode;
  n.row.node = site_->with.node;
  n.row.started = n.row.updated = started_;
  site_->rows.begin_activation(
      std::move(n), site_->quiet, here<nothing>([this](result<nothing>& r) {
        if (!r) {
          auto why = r.error();
          if (why.what == problem::busy)
            // Not to be tried again by us: the other one goes on.
            why = fail(problem::cancelled, "Another activation of this machine is under way.");
          return failed(std::move(why));
        }
        noted_ = true;
        ++site_->with.counters.activations.begun;
        done();
      }));
}

} // namespace outband::activation
