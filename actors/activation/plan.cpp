#include "actors/activation/plan.hpp"

#include <array>
#include <initializer_list>

namespace outband::activation {

namespace {

using f = on_failure;
using q = on_silence;
using c = component;

// One row per step, in the order of the enumeration.
constexpr std::array rows{
    step_row{step::find_token, "find-token", "The token is looked up"},
    step_row{step::find_device, "find-device", "The machine is looked up"},
    step_row{step::load_profile, "load-profile", "The profile is read"},
    step_row{step::load_domain, "load-domain", "The provisioning certificate is read and checked"},
    step_row{step::use_token, "use-token", "The token is used up"},
    step_row{step::register_device, "register-device", "The machine is registered"},
    step_row{step::begin, "begin", "Begun"},
    step_row{step::read_passwords, "read-passwords", "The known passwords are read"},

    step_row{step::sign_in_local, "sign-in-local", "The local system account is used"},
    step_row{step::sign_in_known, "sign-in", "The known passwords are tried"},
    step_row{step::open_tls, "open-tls", "A TLS session with the firmware begins"},
    step_row{step::switch_port, "switch-port", "The client goes over to the TLS port"},
    step_row{step::read_settings, "read-settings", "The general settings are read", f::ends,
             q::repeats, c::activation, "Starting provisioning"},

    step_row{step::reserve_passwords, "reserve-passwords",
             "The new passwords are stored before the machine is told"},
    step_row{step::setup_client_mode, "setup-client-mode",
             "The machine is put into client control mode", f::ends, q::looks},
    step_row{step::read_host_setup, "read-host-setup", "The state of setup is read"},
    step_row{step::add_certificates, "add-certificates",
             "The machine is shown the provisioning certificate", f::ends, q::fails},
    step_row{step::admin_setup, "admin-setup", "The machine is put into admin control mode",
             f::ends, q::looks},
    step_row{step::upgrade_to_admin, "upgrade-to-admin",
             "The machine is put from client into admin control mode", f::ends, q::looks},
    step_row{step::set_admin_password, "set-admin-password", "The machine's password is changed",
             f::ends, q::looks},
    step_row{step::sign_in_new, "sign-in-new", "The new password is used"},
    step_row{step::confirm_client_mode, "confirm-client-mode",
             "The new password and client control mode are proven", f::ends, q::repeats,
             c::activation, "Activation completed", 2},
    step_row{step::confirm_admin_mode, "confirm-admin-mode",
             "The new password and admin control mode are proven", f::ends, q::repeats,
             c::activation, "Activation completed", 2},
    step_row{step::confirm_password,
             "confirm-password",
             "The new password is proven",
             f::ends,
             q::repeats,
             c::activation,
             {},
             2},
    step_row{step::keep_passwords, "keep-passwords", "The proven password is kept"},
    step_row{step::set_mebx_password, "set-mebx-password", "The MEBx password is set", f::recorded,
             q::fails},
    step_row{step::commit_changes, "commit-changes", "The firmware is told to apply its settings",
             f::ends, q::looks},
    step_row{step::settle, "settle", "The firmware restarts its ports"},
    step_row{step::record_device, "record-device", "The registration is brought up to date"},

    step_row{step::sync_time, "sync-time", "The machine's clock is set", f::recorded, q::repeats,
             c::activation},
    step_row{step::clear_configuration, "clear-configuration",
             "What an earlier configuration left is removed", f::recorded, q::repeats,
             c::activation, "Clearing previous configuration"},
    step_row{step::configure_network, "configure-network", "The network settings are written",
             f::recorded, q::repeats, c::wired_network, "Configuring network settings"},
    step_row{step::configure_8021x, "configure-8021x", "802.1x of the wired port is switched on",
             f::recorded, q::repeats, c::wired_network},
    step_row{step::configure_features, "configure-features", "Consoles and user consent are set",
             f::recorded, q::repeats, c::activation, "Configuring AMT features"},
    step_row{step::tls_key, "tls-key", "The machine makes its TLS key", f::recorded, q::fails,
             c::tls, "Configuring TLS"},
    step_row{step::tls_settings, "tls-settings", "TLS is switched on", f::recorded, q::looks,
             c::tls, "TLS configuration completed"},
    step_row{step::reserve_mps_password, "reserve-mps-password",
             "A password for calling home is stored", f::recorded, q::repeats, c::cira_connection},
    step_row{step::configure_cira, "configure-cira", "The machine is told whom to call",
             f::recorded, q::repeats, c::cira_connection, "Configuring CIRA remote access"},

    step_row{step::unprovision, "unprovision", "The machine is deactivated", f::ends, q::looks},
    step_row{step::confirm_unprovisioned, "confirm-unprovisioned",
             "That the machine is deactivated is proven"},
    step_row{step::forget_device, "forget-device", "Its registration and secrets are removed"},

    step_row{step::do_sync_time, "sync-time", "The machine's clock is set"},
    step_row{step::do_sync_ip, "sync-ip", "The machine's address is set"},
    step_row{step::do_sync_hostname, "sync-hostname", "The machine's host name is set"},
    step_row{step::do_sync_device_info, "sync-device-info", "What is known of the machine is kept"},
    step_row{step::finish, "finish", "Done"},
};

constexpr bool in_order() {
  for (std::size_t i = 0; i < rows.size(); ++i)
    if (static_cast<std::size_t>(rows[i].what) != i)
      return false;
  return true;
}
static_assert(in_order() && rows.size() == static_cast<std::size_t>(step::finish) + 1);

using s = step;
using steps = std::vector<step>;

void append(steps& to, std::initializer_list<step> more) {
  to.insert(to.end(), more);
}

void append_configuration(steps& to, const situation& at) {
  append(to, {s::record_device, s::sync_time, s::clear_configuration, s::configure_network});
  if (at.ieee8021x)
    append(to, {s::configure_8021x});
  append(to, {s::configure_features});
}

void append_cira(steps& to, const situation& at) {
  if (at.cira)
    append(to, {s::reserve_mps_password, s::configure_cira});
  append(to, {s::finish});
}

void append_tls(steps& to) {
  append(to, {s::tls_key, s::tls_settings});
}

void append_mebx(steps& to, const situation& at) {
  if (at.mebx)
    append(to, {s::set_mebx_password});
}

constexpr std::initializer_list<step> prove_client = {s::settle, s::sign_in_new,
                                                      s::confirm_client_mode, s::keep_passwords};
constexpr std::initializer_list<step> prove_admin = {s::settle, s::sign_in_new,
                                                     s::confirm_admin_mode, s::keep_passwords};

/// A new machine whose local ports answer without TLS.
steps new_in_clear(const situation& at) {
  steps out;
  append(out, {s::sign_in_local, s::read_settings, s::read_host_setup, s::reserve_passwords});
  if (at.wanted == activation_kind::admin_mode && !at.tls_tunnel) {
    append(out, {s::add_certificates, s::admin_setup});
    append(out, prove_admin);
    append_mebx(out, at);
  } else {
    append(out, {s::setup_client_mode});
    append(out, prove_client);
  }
  if (at.tls_tunnel) {
    append(out, {s::sync_time, s::tls_key, s::tls_settings, s::switch_port, s::open_tls});
    if (at.wanted == activation_kind::admin_mode) {
      append(out, {s::read_settings, s::read_host_setup, s::add_certificates, s::upgrade_to_admin,
                   s::settle, s::confirm_admin_mode});
      append_mebx(out, at);
    }
    append_configuration(out, at);
  } else {
    append_configuration(out, at);
    if (at.tls)
      append_tls(out);
  }
  append_cira(out, at);
  return out;
}

/// A new machine whose local ports speak TLS only: client control mode first, a certificate of
/// ours, and only then admin control mode.
steps new_behind_tls(const situation& at) {
  steps out;
  append(out, {s::open_tls, s::sign_in_local, s::read_settings, s::read_host_setup,
               s::reserve_passwords, s::setup_client_mode, s::sign_in_new, s::commit_changes,
               s::settle, s::open_tls, s::confirm_client_mode, s::keep_passwords});
  if (at.wanted == activation_kind::admin_mode || at.tls)
    append(out, {s::sync_time, s::tls_key, s::tls_settings, s::settle, s::open_tls});
  if (at.wanted == activation_kind::admin_mode) {
    append(out, {s::read_settings, s::read_host_setup, s::add_certificates, s::upgrade_to_admin,
                 s::commit_changes, s::settle, s::open_tls, s::confirm_admin_mode});
    append_mebx(out, at);
  }
  append_configuration(out, at);
  append_cira(out, at);
  return out;
}

/// A machine that is activated: it gets a new password and the profile's configuration.
steps again(const situation& at) {
  steps out;
  if (at.tls_enforced)
    append(out, {s::open_tls});
  append(out, {s::sign_in_known});
  const bool upgrade = at.mode == 1 && at.wanted == activation_kind::admin_mode;
  if (upgrade) {
    append(out, {s::read_host_setup, s::add_certificates, s::upgrade_to_admin, s::settle});
    if (at.tls_enforced)
      append(out, {s::open_tls});
    append(out, {s::confirm_admin_mode});
  }
  append(out, {s::reserve_passwords, s::set_admin_password, s::sign_in_new, s::confirm_password,
               s::keep_passwords});
  if (at.wanted == activation_kind::admin_mode)
    append_mebx(out, at);
  append_configuration(out, at);
  if (at.tls && !at.tls_enforced)
    append_tls(out);
  append_cira(out, at);
  return out;
}

steps leaving(const situation& at) {
  steps out;
  if (at.tls_enforced)
    append(out, {s::open_tls});
  append(out,
         {s::sign_in_known, s::unprovision, s::confirm_unprovisioned, s::forget_device, s::finish});
  return out;
}

result<steps> maintenance(const situation& at) {
  using t = maintenance_task;
  steps out;
  if (at.task == t::sync_device_info) {
    append(out, {s::do_sync_device_info, s::finish});
    return out;
  }
  if (at.tls_enforced)
    append(out, {s::open_tls});
  append(out, {s::sign_in_known});
  switch (at.task) {
  case t::sync_time:
    append(out, {s::do_sync_time});
    break;
  case t::sync_ip:
    append(out, {s::do_sync_ip});
    break;
  case t::sync_hostname:
    append(out, {s::do_sync_hostname});
    break;
  case t::change_password:
    append(out, {s::reserve_passwords, s::set_admin_password, s::sign_in_new, s::confirm_password,
                 s::keep_passwords});
    break;
  case t::sync_device_info:
    break;
  case t::none:
    return fail(problem::malformed, "missing maintenance task in message", "method");
  }
  append(out, {s::finish});
  return out;
}

} // namespace

const step_row& row_of(step what) {
  return rows[static_cast<std::size_t>(what)];
}

std::vector<step> admission(provisioning_act act) {
  // Passwords are read once more when nobody else is at work: somebody may have been.
  if (act == provisioning_act::activate)
    return {s::find_token, s::find_device,     s::read_passwords, s::load_profile,  s::load_domain,
            s::use_token,  s::register_device, s::begin,          s::read_passwords};
  return {s::find_token, s::find_device, s::read_passwords,
          s::use_token,  s::begin,       s::read_passwords};
}

result<std::vector<step>> plan_for(const situation& at) {
  if (at.mode < 0 || at.mode > 2)
    return fail(problem::malformed, "It is in unknown mode.", "currentMode");
  if (at.act != provisioning_act::activate && at.mode == 0)
    return fail(problem::transition_refused, "is in pre-provisioning mode.", "currentMode");
  switch (at.act) {
  case provisioning_act::deactivate:
    return leaving(at);
  case provisioning_act::maintain:
    return maintenance(at);
  case provisioning_act::activate:
    break;
  }
  if (at.mode == 2 && at.wanted == activation_kind::client_mode)
    return fail(problem::transition_refused, "already enabled in admin control mode.",
                "currentMode");
  if (at.mode != 0)
    return again(at);
  return at.tls_enforced ? new_behind_tls(at) : new_in_clear(at);
}

verdict after(const step_row& row, const failure* why, int attempt, const attempt_times& times) {
  if (why == nullptr)
    return {};
  const bool silent = why->what == problem::device_timeout ||
                      why->what == problem::outcome_unknown || why->what == problem::expired;
  // What may be tried again: no answer, or the firmware says that it is not ready.
  if ((silent && row.silence == on_silence::repeats) || why->what == problem::busy ||
      why->what == problem::store_unavailable)
    if (attempt < times.attempts)
      return {move::repeat, false, times.pause * (1 << (attempt - 1))};
  if (silent && row.silence == on_silence::looks)
    return {};
  if (why->what == problem::device_auth && attempt < row.sign_ins)
    return {move::repeat, false, times.pause};
  // The client has left: nobody is there for whom, or through whom, to go on.
  if (why->what == problem::link_down || row.fails == on_failure::ends)
    return {move::end, true, {}};
  return {move::go_on, true, {}};
}

} // namespace outband::activation
