/// Signing in, passwords, control modes.
#include "actors/activation/activation.hpp"
#include "actors/activation/passwords.hpp"
#include "messages/amt/base64.hpp"
#include "messages/provisioning/nonce_signature.hpp"
#include "messages/rest/json.hpp"

#include <algorithm>

namespace outband::activation {

namespace {

constexpr const char* admin = "admin";
/// The firmware restarts its ports for TLS; rpc waits as long (RPS sends the same).
constexpr std::chrono::seconds port_switch_delay{15};

} // namespace

void activation_run::sign_in_local() {
  const auto& m = wish_->machine;
  connection_.wire->sign_in(m.local_user.empty() ? "$$OsAdmin" : m.local_user, m.password);
  done();
}

void activation_run::sign_in_known(std::size_t candidate) {
  // Few, and each once: after some wrong ones the firmware locks the account.
  if (candidate >= known_.candidates.size())
    return failed(fail(problem::device_auth));
  connection_.wire->sign_in(admin, known_.candidates[candidate]);
  attempt<std::string>([](wsman::talk& t) { return amt::read_realm(t); },
                       [this, candidate](result<std::string> realm) {
                         if (realm) {
                           known_.realm = std::move(*realm);
                           known_.present = known_.candidates[candidate];
                           return done();
                         }
                         if (realm.error().what != problem::device_auth)
                           return failed(realm.error());
                         sign_in_known(candidate + 1);
                       });
}

void activation_run::open_tls() {
  firmware_pin pin;
  if (known_.our_certificate) {
    pin.how = firmware_trust::pinned;
    pin.ca_pem = site_->ca_certificate;
    pin.leaf_sha256 = known_.certificate_sha256; // no other machine's
  } else if (wish_->machine.mode != 0 || known_.tls_restarts) {
    // Nobody knows this certificate yet. What is said here goes through the machine's own host,
    // which is trusted with as much where the port does not speak TLS.
    pin.how = firmware_trust::self_made;
  }
  connection_.wire->use_tls(std::move(pin), or_fail<nothing>([this](nothing) {
                              known_.in_tls = true;
                              done();
                            }));
}

void activation_run::switch_port() {
  connection_.wire->switch_port(port_switch_delay, or_fail<nothing>([this](nothing) { done(); }));
}

void activation_run::read_settings() {
  converse<std::string>([](wsman::talk& t) { return amt::read_realm(t); },
                        [this](std::string realm) {
                          known_.realm = std::move(realm);
                          done();
                        });
}

void activation_run::reserve_passwords() {
  auto& secrets = site_->with.secrets;
  // What turned out to be right is not to be lost, whatever the store thought of it.
  if (!known_.present.empty()) {
    const auto& present = known_.present;
    if (known_.amt.pending && equal(*known_.amt.pending, present.reveal())) {
      return secrets.promote(known_.device, secret_name::amt_password,
                             or_fail<nothing>([this](nothing) {
                               known_.amt.active = std::move(known_.amt.pending);
                               known_.amt.pending.reset();
                               reserve_passwords();
                             }));
    }
    if (!known_.amt.active || !equal(*known_.amt.active, present.reveal()))
      return secrets.put_active(known_.device, secret_name::amt_password, present,
                                or_fail<nothing>([this](nothing) {
                                  known_.amt.active = known_.present;
                                  reserve_passwords();
                                }));
  }
  if (wish_->act == provisioning_act::maintain) {
    known_.new_amt =
        wish_->task_argument.empty() ? make_password(site_->random) : wish_->task_argument;
  } else if (known_.profile->base.what.random_amt_password) {
    // The machine may have the pending one already: the answer to a setup gets lost at times.
    known_.new_amt = known_.amt.pending && known_.present.empty() ? *known_.amt.pending
                                                                  : make_password(site_->random);
  } else {
    const auto& fields = known_.profile->base.secrets;
    const auto at = fields.find("amt_password");
    auto text =
        at == fields.end()
            ? result<secret_text>(fail(problem::internal, "the profile has no password"))
            : site_->with.secrets.open_named(
                  known_.device.tenant,
                  secret_label(object_kind::profile, chosen()->name, "amt_password"), at->second);
    if (!text)
      return failed(text.error());
    known_.new_amt = std::move(*text);
  }
  if (!acceptable_password(known_.new_amt.reveal()))
    return failed(fail(problem::malformed,
                       "The new AMT password must have 8 to 32 characters with upper case, lower "
                       "case, digit and special, and none of : , \"",
                       "password"));
  if (known_.amt.pending && equal(*known_.amt.pending, known_.new_amt.reveal()))
    return reserve_mebx();
  // One that the machine may have must not go because somebody says that the machine is new.
  if (known_.amt.pending && known_.present.empty() && !known_.token.device)
    return failed(fail(problem::forbidden,
                       "An earlier activation of " + who() +
                           " was cut and may have set another password. Make a token for this very "
                           "machine.",
                       "currentMode"));
  // One that the machine may have must not be overwritten; the place of a proven one is free.
  if (known_.amt.pending && !known_.amt.active)
    return secrets.promote(known_.device, secret_name::amt_password,
                           or_fail<nothing>([this](nothing) {
                             known_.amt.active = std::move(known_.amt.pending);
                             known_.amt.pending.reset();
                             reserve_passwords();
                           }));
  secrets.put_pending(known_.device, secret_name::amt_password, known_.new_amt,
                      or_fail<nothing>([this](nothing) {
                        known_.amt.pending = known_.new_amt;
                        reserve_mebx();
                      }));
}

void activation_run::reserve_mebx() {
  if (wish_->act != provisioning_act::activate || !where_we_are().mebx || known_.token_hash.empty())
    return done();
  const auto& p = known_.profile->base;
  if (p.what.random_mebx_password) {
    known_.new_mebx = known_.mebx.pending ? *known_.mebx.pending : make_password(site_->random);
  } else {
    auto text = site_->with.secrets.open_named(
        known_.device.tenant, secret_label(object_kind::profile, p.what.name, "mebx_password"),
        p.secrets.at("mebx_password"));
    if (!text)
      return failed(text.error());
    known_.new_mebx = std::move(*text);
  }
  if (known_.mebx.pending && equal(*known_.mebx.pending, known_.new_mebx.reveal()))
    return done();
  site_->with.secrets.put_pending(known_.device, secret_name::mebx_password, known_.new_mebx,
                                  or_fail<nothing>([this](nothing) { done(); }));
}

void activation_run::setup_client_mode() {
  auto ha1 = amt::admin_ha1(known_.realm, admin, known_.new_amt.reveal());
  converse<nothing>([ha1](wsman::talk& t) { return amt::setup_client_mode(t, ha1); },
                    [this](nothing) { done(); });
}

void activation_run::read_host_setup() {
  converse<amt::host_setup>([](wsman::talk& t) { return amt::read_host_setup(t); },
                            [this](amt::host_setup s) {
                              known_.setup = std::move(s);
                              const auto real = static_cast<int>(known_.setup.mode);
                              if (real != known_.mode)
                                return failed(fail(problem::transition_refused,
                                                   "The client says that the machine is in mode " +
                                                       std::to_string(known_.mode) +
                                                       ", the firmware says " +
                                                       std::to_string(real) + ". Do it again."));
                              done();
                            });
}

void activation_run::add_certificates() {
  std::vector<std::string> chain;
  for (const auto& c : known_.certificate->chain_for(wish_->machine.root_hashes))
    chain.push_back(amt::base64_encode(c.der));
  // Some of it may be there from an attempt that was cut; the firmware then wants to begin anew.
  converse<nothing>([chain](wsman::talk& t) { return amt::add_certificate_chain(t, chain); },
                    [this](nothing) { done(); });
}

/// One signature for one nonce of 20 octets, which the firmware told a moment ago; ours is random,
/// so nobody can choose what is signed. Firmware that was busy is shown the same one again.
void activation_run::sign_nonce(std::function<void(amt::setup_proof)> then) {
  if (known_.proof)
    return then(*known_.proof);
  amt::setup_proof proof;
  proof.our_nonce = site_->random(amt::nonce_size);
  const auto choice = provisioning::choose_signing(
      known_.certificate->leaf(), provisioning::policy_for(wish_->machine.version));
  auto signature = provisioning::sign_nonces(
      known_.certificate->key, amt::base64_encode(known_.setup.nonce), proof.our_nonce, choice);
  if (!signature)
    return failed(signature.error());
  proof.algorithm = choice.algorithm;
  proof.signature = amt::base64_decode(*signature).value_or(std::string());
  known_.proof = proof;
  then(std::move(proof));
}

void activation_run::admin_setup() {
  sign_nonce([this](amt::setup_proof proof) {
    auto ha1 = amt::admin_ha1(known_.realm, admin, known_.new_amt.reveal());
    converse<nothing>([ha1, proof](wsman::talk& t) { return amt::admin_setup(t, ha1, proof); },
                      [this](nothing) { done(); });
  });
}

void activation_run::upgrade_to_admin() {
  sign_nonce([this](amt::setup_proof proof) {
    converse<nothing>([proof](wsman::talk& t) { return amt::upgrade_to_admin(t, proof); },
                      [this](nothing) { done(); });
  });
}

void activation_run::set_admin_password() {
  auto ha1 = amt::admin_ha1_base64(known_.realm, admin, known_.new_amt.reveal());
  converse<nothing>([ha1](wsman::talk& t) { return amt::set_admin_password(t, admin, ha1); },
                    [this](nothing) { done(); });
}

void activation_run::sign_in_new() {
  connection_.wire->sign_in(admin, known_.new_amt);
  done();
}

void activation_run::confirm_mode(amt::control_mode wanted) {
  converse<amt::control_mode>(
      [](wsman::talk& t) { return amt::read_control_mode(t); },
      [this, wanted](amt::control_mode mode) {
        known_.mode = static_cast<int>(mode);
        if (known_.present.empty())
          known_.present = known_.new_amt;
        if (mode != wanted)
          return failed(fail(problem::device_refused,
                             "The firmware is in " + std::string(amt::to_string(mode)) + "."));
        component_done(component::activation,
                       wanted == amt::control_mode::admin ? "Admin control mode."
                                                          : "Client control mode.",
                       wanted == amt::control_mode::admin ? "ACM" : "CCM");
        done();
      });
}

void activation_run::confirm_password() {
  converse<amt::control_mode>([](wsman::talk& t) { return amt::read_control_mode(t); },
                              [this](amt::control_mode mode) {
                                known_.mode = static_cast<int>(mode);
                                known_.present = known_.new_amt;
                                done();
                              });
}

void activation_run::keep_passwords() {
  site_->with.secrets.promote(
      known_.device, secret_name::amt_password, or_fail<nothing>([this](nothing) {
        known_.amt.active = known_.new_amt;
        known_.amt.pending.reset();
        site_->control.connection_changed(known_.device);
        // A tunnel from before holds the former password.
        if (wish_->machine.mode != 0)
          site_->control.disconnect(known_.device, [](const result<bool>&) {});
        done();
      }));
}

void activation_run::set_mebx_password() {
  // It is told in clear, and whoever comes without a token might be anybody.
  if (known_.token_hash.empty())
    return failed(fail(problem::forbidden, "The MEBx password needs a token in the URL."));
  auto text = std::make_shared<secret_text>(known_.new_mebx);
  converse<nothing>([text](wsman::talk& t) { return amt::set_mebx_password(t, text->reveal()); },
                    [this](nothing) {
                      site_->with.secrets.promote(known_.device, secret_name::mebx_password,
                                                  or_fail<nothing>([this](nothing) { done(); }));
                    });
}

void activation_run::commit_changes() {
  known_.tls_restarts = true;
  converse<nothing>([](wsman::talk& t) { return amt::commit_changes(t); },
                    [this](nothing) { done(); });
}

void activation_run::settle() {
  later(site_->settle, [this] { done(); });
}

void activation_run::record_device() {
  const auto& m = wish_->machine;
  device_change change;
  change.ref = known_.device;
  change.amt_username = admin;
  if (!m.hostname.empty())
    change.hostname = m.hostname;
  if (!m.friendly_name.empty())
    change.friendly_name.emplace(m.friendly_name);
  if (!m.dns_suffix.empty())
    change.dns_suffix.emplace(m.dns_suffix);
  if (const auto* p = chosen(); p != nullptr && !p->tags.empty())
    change.tags = p->tags;
  change.device_info = device_info();
  site_->with.store.update_device(std::move(change), or_fail<device_record>([this](device_record&) {
                                    site_->control.device_added(known_.device);
                                    done();
                                  }));
}

void activation_run::unprovision() {
  converse<nothing>([](wsman::talk& t) { return amt::unprovision(t); },
                    [this](nothing) {
                      unprovisioned_ = true;
                      known_.mode = 0;
                      done();
                    });
}

/// Firmware may close the connection instead of answering. If it took our password a moment ago and
/// refuses it now, it has forgotten us.
void activation_run::confirm_unprovisioned() {
  if (unprovisioned_)
    return done();
  attempt<amt::control_mode>(
      [](wsman::talk& t) { return amt::read_control_mode(t); },
      [this](result<amt::control_mode> mode) {
        if ((!mode && mode.error().what == problem::device_auth) ||
            (mode && *mode == amt::control_mode::pre_provisioning)) {
          known_.mode = 0;
          return done();
        }
        if (!mode)
          return failed(mode.error());
        failed(fail(problem::device_refused,
                    "The firmware is still in " + std::string(amt::to_string(*mode)) + "."));
      });
}

void activation_run::forget_device() {
  auto remove = [this] {
    site_->control.remove_device(known_.device, here<nothing>([this](result<nothing>& r) {
                                   if (!r && r.error().what != problem::not_found)
                                     return failed(r.error());
                                   noted_ = false; // the row went with the machine
                                   done();
                                 }));
  };
  if (tries_ > 1)
    return remove();
  // The row goes with the machine, by another connection to the database: a last word that meets
  // the removal would read as if another activation had begun.
  note(activation_state::done, "Deactivated.", {},
       [then = here<nothing>([remove](result<nothing>&) { remove(); })] { then(nothing{}); });
}

} // namespace outband::activation
