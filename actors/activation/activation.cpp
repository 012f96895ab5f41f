#include "actors/activation/activation.hpp"

#include "actors/legacy_events.hpp"
#include "messages/bus/envelope.hpp"
#include "messages/bus/topics.hpp"

#include "messages/domain/time.hpp"
#include "messages/rest/json.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace outband::activation {

namespace {

constexpr std::chrono::seconds event_expiry{3600};

/// The words that RPS has for the end of that step, which people and agents look for.
std::string_view peers_words(step s) {
  switch (s) {
  case step::setup_client_mode:
  case step::confirm_client_mode:
    return "Failed to activate in client control mode.";
  case step::admin_setup:
    return "Failed to activate in admin control mode.";
  case step::upgrade_to_admin:
    return "Failed to upgrade to admin control mode.";
  case step::switch_port:
    return "Failed to complete port switch to TLS.";
  case step::open_tls:
    return "Failed to establish TLS tunnel connection.";
  case step::reserve_passwords:
  case step::keep_passwords:
    return "Failed to save device information to Secret Provider.";
  default:
    return {};
  }
}

/// As rpc names it.
std::string task_name(maintenance_task t) {
  switch (t) {
  case maintenance_task::sync_time:
    return "synctime";
  case maintenance_task::sync_ip:
    return "syncip";
  case maintenance_task::sync_hostname:
    return "synchostname";
  case maintenance_task::change_password:
    return "changepassword";
  case maintenance_task::sync_device_info:
    return "syncdeviceinfo";
  case maintenance_task::none:
    break;
  }
  return "maintenance";
}

std::string words_of(const failure& why) {
  return why.detail.empty() ? std::string(explain(why.what).what) : why.detail;
}

} // namespace

activation_actor::behavior_type
activation_behavior(activation_actor::stateful_pointer<activation_run> self, const site* where,
                    activation_port::connection who, std::shared_ptr<provisioning_wish> wish) {
  self->state.start(self, where, std::move(who), std::move(wish));
  return {
      [](const activation_step& m) { (*m.go)(); },
      [self](const activation_closed&) { self->state.closed(); },
  };
}

void activation_run::start(activation_actor::pointer self, const site* where,
                           activation_port::connection who,
                           std::shared_ptr<provisioning_wish> wish) {
  self_ = self;
  site_ = where;
  connection_ = std::move(who);
  wish_ = std::move(wish);
  id_ = site_->with.clock.new_id();
  started_ = site_->with.clock.now();
  known_.mode = wish_->machine.mode;
  known_.device.device = wish_->machine.guid;
  ++site_->with.counters.activations.running;
  plan_ = admission(wish_->act);
  // Not from here: what ends at once could not quit before it has a behaviour.
  caf::anon_send(self_, activation_step{std::make_shared<std::function<void()>>([this] {
                   if (!over_)
                     perform();
                 })});
}

activation_run::~activation_run() {
  if (site_)
    --site_->with.counters.activations.running;
}

std::string activation_run::who() const {
  return "Device " + to_string(wish_->machine.guid);
}

situation activation_run::where_we_are() const {
  situation s;
  s.act = wish_->act;
  s.mode = known_.mode;
  s.tls_enforced = wish_->machine.tls_enforced;
  s.tls_tunnel = wish_->machine.tls_tunnel;
  s.task = wish_->task;
  if (const auto* p = chosen()) {
    s.wanted = p->activation;
    s.mebx = p->activation == activation_kind::admin_mode &&
             (p->random_mebx_password || known_.profile->base.secrets.count("mebx_password") != 0);
    s.tls = p->tls_mode.has_value();
    s.cira = known_.profile->cira.has_value();
    s.ieee8021x = p->ieee8021x.has_value();
  }
  return s;
}

void activation_run::perform() {
  const auto& row = row_of(plan_[at_]);
  ++attempt_id_;
  ++tries_;
  on_silence_ = nullptr;
  if (tries_ == 1 && noted_) {
    note(activation_state::running, std::string(row.doing) + ".", {});
    if (!row.label.empty())
      connection_.wire->progress(std::string(row.label));
  }
  using s = step;
  switch (row.what) {
  case s::find_token:
    return find_token();
  case s::find_device:
    return find_device();
  case s::load_profile:
    return load_profile();
  case s::load_domain:
    return load_domain();
  case s::use_token:
    return use_token();
  case s::register_device:
    return register_device();
  case s::begin:
    return begin_row();
  case s::read_passwords:
    return read_passwords();
  case s::sign_in_local:
    return sign_in_local();
  case s::sign_in_known:
    return sign_in_known(0);
  case s::open_tls:
    return open_tls();
  case s::switch_port:
    return switch_port();
  case s::read_settings:
    return read_settings();
  case s::reserve_passwords:
    return reserve_passwords();
  case s::setup_client_mode:
    return setup_client_mode();
  case s::read_host_setup:
    return read_host_setup();
  case s::add_certificates:
    return add_certificates();
  case s::admin_setup:
    return admin_setup();
  case s::upgrade_to_admin:
    return upgrade_to_admin();
  case s::set_admin_password:
    return set_admin_password();
  case s::sign_in_new:
    return sign_in_new();
  case s::confirm_client_mode:
    return confirm_mode(amt::control_mode::client);
  case s::confirm_admin_mode:
    return confirm_mode(amt::control_mode::admin);
  case s::confirm_password:
    return confirm_password();
  case s::keep_passwords:
    return keep_passwords();
  case s::set_mebx_password:
    return set_mebx_password();
  case s::commit_changes:
    return commit_changes();
  case s::settle:
    return settle();
  case s::record_device:
    return record_device();
  case s::sync_time:
  case s::do_sync_time:
    return sync_time();
  case s::clear_configuration:
    return clear_configuration();
  case s::configure_network:
    return configure_network();
  case s::configure_8021x:
    return configure_8021x();
  case s::configure_features:
    return configure_features();
  case s::tls_key:
    return tls_key();
  case s::tls_settings:
    return tls_settings();
  case s::reserve_mps_password:
    return reserve_mps_password();
  case s::configure_cira:
    return configure_cira();
  case s::unprovision:
    return unprovision();
  case s::confirm_unprovisioned:
    return confirm_unprovisioned();
  case s::forget_device:
    return forget_device();
  case s::do_sync_ip:
    return sync_ip();
  case s::do_sync_hostname:
    return sync_hostname();
  case s::do_sync_device_info:
    return sync_device_info();
  case s::finish:
    return conclude(activation_state::done, {});
  }
}

void activation_run::next() {
  ++at_;
  tries_ = 0;
  if (at_ < plan_.size())
    return perform();
  // Admission is through: now it is known which way leads to what is wanted.
  auto plan = plan_for(where_we_are());
  if (!plan || planned_)
    return conclude(activation_state::failed,
                    plan ? fail(problem::internal, "the plan had no end") : plan.error());
  planned_ = true;
  plan_ = std::move(*plan);
  at_ = 0;
  perform();
}

void activation_run::done() {
  if (!over_)
    next();
}

void activation_run::failed(failure why) {
  if (over_)
    return;
  const auto& row = row_of(plan_[at_]);
  const auto what = after(row, &why, tries_, site_->attempts);
  if (what.next == move::repeat)
    return later(what.pause, [this] { perform(); });
  // A machine that is to be reached over TLS from here on cannot do without it.
  const bool needed =
      row.part == component::tls &&
      std::find(plan_.begin() + static_cast<long>(at_), plan_.end(), step::open_tls) != plan_.end();
  if (what.next == move::go_on && !(what.failed && needed)) {
    if (what.failed)
      component_failed(row.part, why);
    return next();
  }
  conclude(why.what == problem::link_down && planned_ ? activation_state::interrupted
                                                      : activation_state::failed,
           why);
}

void activation_run::component_failed(component what, const failure& why) {
  components_.push_back({what, component_result::verdict::failure, words_of(why), {}});
  if (!trouble_)
    trouble_ = why.what;
  if (noted_)
    note(activation_state::running, words_of(why), std::string(explain(why.what).code));
}

void activation_run::component_done(component what, std::string details, std::string mode) {
  components_.push_back(
      {what, component_result::verdict::success, std::move(details), std::move(mode)});
}

void activation_run::conclude(activation_state how, failure why) {
  if (over_)
    return;
  // No success with a broken configuration inside.
  const bool incomplete = how == activation_state::done && trouble_;
  if (incomplete) {
    how = activation_state::failed;
    why.what = *trouble_;
  }
  auto last = report(how == activation_state::done, why);
  if (incomplete)
    last.status = "The machine is activated, but its configuration is incomplete.";
  over_ = true;
  ++attempt_id_;
  auto& f = site_->with.counters.activations;
  ++(how == activation_state::done          ? f.done
     : how == activation_state::interrupted ? f.interrupted
     : noted_                               ? f.failed
                                            : f.refused);
  tell_rps_events(how == activation_state::done || incomplete);
  // Who is told that it is done may look it up at once.
  auto tell = [wire = connection_.wire, last]() mutable {
    wire->finish(std::move(last));
  };
  // Not when the client leaves: one that stays would keep another machine from its turn.
  self_->quit();
  if (noted_)
    return note(how, last.status,
                how == activation_state::done ? "" : std::string(explain(why.what).code),
                std::move(tell));
  // Of a machine that is not registered, or not any more.
  spdlog::info("device={} {} from {} {}: {}", to_string(wish_->machine.guid), to_string(wish_->act),
               connection_.peer, how == activation_state::done ? "is done" : "refused",
               last.status);
  tell();
}

/// On RPS's topic, where that is switched on. RPS tells of modes: a machine that was in its mode
/// before is no news, and one whose configuration is incomplete is activated all the same. Nothing
/// is told of who was turned away at the door: his GUID is a claim.
void activation_run::tell_rps_events(bool activated) const {
  if (site_->with.legacy == nullptr || !noted_ || wish_->act != provisioning_act::activate)
    return;
  if (activated && wish_->machine.mode == known_.mode)
    return;
  site_->with.legacy->activated(activated ? words_for_mode() : std::string(), known_.device);
}

std::string activation_run::words_for_mode() const {
  const int before = wish_->machine.mode;
  return before == 0 && known_.mode == 1   ? "Client control mode."
         : before == 0                     ? "Activated to admin control mode."
         : before == 1 && known_.mode == 2 ? "Upgraded to admin control mode."
         : known_.mode == 2                ? "Admin control mode."
                                           : "Client control mode.";
}

provisioning_report activation_run::report(bool success, const failure& why) const {
  provisioning_report out;
  out.success = success;
  out.details = components_;
  for (const auto& c : components_) {
    auto& line = c.what == component::cira_connection ? out.cira
                 : c.what == component::tls           ? out.tls
                                                      : out.network;
    if (c.what == component::activation)
      continue;
    line += (line.empty() ? "" : ". ") + c.details;
  }
  if (success) {
    switch (wish_->act) {
    case provisioning_act::activate:
      out.status = words_for_mode();
      break;
    case provisioning_act::deactivate:
      out.status = "Deactivated";
      break;
    case provisioning_act::maintain:
      out.status = task_name(wish_->task) + " completed succesfully"; // sic: RPS's words
      break;
    }
    return out;
  }
  if (why.what == problem::device_auth) {
    out.status = "Unable to authenticate with AMT"; // agents look for these very words
    return out;
  }
  const auto words = at_ < plan_.size() ? peers_words(plan_[at_]) : std::string_view{};
  out.status = words.empty() ? words_of(why) : std::string(words) + " " + words_of(why);
  return out;
}

/// Writes what is happening to the machine's row, with the event that tells it.
void activation_run::note(activation_state how, const std::string& text, const std::string& code,
                          std::function<void()> then) {
  activation_note n;
  auto& row = n.row;
  row.device = known_.device;
  row.id = id_;
  row.act = wish_->act;
  if (const auto* p = chosen())
    row.profile = p->name;
  row.state = how;
  row.step = std::string(at_ < plan_.size() ? row_of(plan_[at_]).name : "finish");
  row.code = code;
  row.text = text;
  row.mode = known_.mode;
  row.node = site_->with.node;
  row.started = started_;
  row.updated = site_->with.clock.now();

  event e;
  e.cls = event_class::activation;
  e.type = "activation." + (how == activation_state::running && !code.empty() ? "trouble"
                            : how == activation_state::running                ? std::string("step")
                                                               : std::string(to_string(how)));
  e.text = text;
  e.from = row.step;
  e.to = how == activation_state::running ? code : std::string(to_string(how));
  e.by = known_.token.by;
  e.command = id_;
  bus::envelope env;
  env.id = site_->with.clock.new_id();
  env.time = row.updated;
  env.source = site_->with.node;
  env.correlation = id_;
  env.about = known_.device;
  for (auto root : {bus::root::native, bus::root::json}) {
    if (root == bus::root::json && !site_->with.mirror_json)
      continue;
    n.publish.push_back({bus::event_topic(known_.device, event_class::activation, root),
                         bus::encode(env, e, bus::encoding_of(root)),
                         std::string(bus::content_type_of(root)), false, event_expiry});
  }
  site_->rows.note_activation(std::move(n), [me = weak_handle<activation_actor>(self_), this,
                                             device = to_string(known_.device),
                                             activating = wish_->act == provisioning_act::activate,
                                             then = std::move(then)](result<nothing> stored) {
    if (then)
      then();
    if (stored)
      return;
    spdlog::warn("device={} what its activation has come to was not stored: {}", device,
                 to_string(stored.error()));
    // Somebody else is at it: two must not set passwords.
    if (stored.error().what == problem::stale_epoch)
      me.tell(activation_step{std::make_shared<std::function<void()>>([this] {
        noted_ = false;
        conclude(activation_state::failed,
                 fail(problem::cancelled, "Another activation of this machine has begun."));
      })});
    // Its tenant was removed, or it was, by force. Who leaves removes his registration himself.
    if (stored.error().what == problem::not_found && activating)
      me.tell(activation_step{std::make_shared<std::function<void()>>([this] {
        noted_ = false;
        conclude(activation_state::failed,
                 fail(problem::cancelled, "The machine's registration was removed meanwhile."));
      })});
  });
}

void activation_run::closed() {
  // Every open post has been answered with a failure already; what waits for nothing ends here.
  conclude(planned_ ? activation_state::interrupted : activation_state::failed,
           fail(problem::link_down, "The connection ended."));
  self_->quit();
}

void activation_run::later(std::chrono::milliseconds dt, std::function<void()> what) {
  const auto attempt = attempt_id_;
  self_->delayed_send(self_, dt,
                      activation_step{std::make_shared<std::function<void()>>(
                          [this, attempt, what = std::move(what)] {
                            if (attempt == attempt_id_ && !over_)
                              what();
                          })});
}

std::uint32_t activation_run::next_message_id() {
  const auto id = message_id_;
  message_id_ += wsman::conversation_base::max_messages;
  return id;
}

void activation_run::exchange(std::shared_ptr<wsman::conversation_base> c,
                              std::function<void()> finished) {
  auto soap = c->next_request();
  if (!soap)
    return finished();
  connection_.wire->post(
      std::move(*soap), site_->call_timeout,
      here<soap_answer>([this, c, finished = std::move(finished)](result<soap_answer>& told) {
        if (told && told->status == 503)
          // Firmware that has just changed its setup is busy with itself for a while.
          told = fail(problem::busy, c->last_question() + ": the firmware is busy.");
        if (told) {
          c->feed(told->status, told->body);
          return exchange(c, finished);
        }
        auto why = told.error();
        if (why.what != problem::link_down && why.detail.empty())
          why.detail = c->last_question() + ": " + std::string(explain(why.what).what);
        if (on_silence_)
          return std::exchange(on_silence_, nullptr)(std::move(why));
        failed(std::move(why));
      }));
}

} // namespace outband::activation
