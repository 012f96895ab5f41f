#include "tools/amtsim/machine.hpp"

#include "tools/amtsim/account_state.hpp"
#include "tools/amtsim/activation_state.hpp"
#include "tools/amtsim/cira_state.hpp"
#include "tools/amtsim/subscription_state.hpp"
#include "tools/amtsim/tls_state.hpp"

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <utility>

namespace outband::amtsim {

namespace {

std::int64_t utc_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

} // namespace

machine::machine(boost::asio::io_context& io, const known_server& server, identity who,
                 const settings* shared, std::uint64_t seed, surroundings& around)
    : io_(io), server_(server), around_(around), model_(std::move(who), shared, seed),
      tunnel_(io, model_, *this), timer_(io), resolver_(io) {
  model_.set_utc_origin(utc_ms() - now().count());
  active_ = model_.control_mode != 0;
}

sim_time machine::now() {
  // Never 0, which stands for "not set".
  return std::chrono::duration_cast<sim_time>(std::chrono::steady_clock::now().time_since_epoch()) +
         sim_time{1};
}

void machine::listen(const lan_place& where) {
  lan_server::owner& me = *this;
  lan_ = std::make_unique<lan_server>(io_, model_, where, me);
}

void machine::boot_host(const host_place& where) {
  host_ = std::make_unique<host>(*this, faults_, where);
}

void machine::start(sim_time after) {
  reconnect_after(after);
}

void machine::connect() {
  if (lan_ && lan_open_at_.count() == 0) {
    lan_open_at_ = now();
    schedule();
  }
  wants_tunnel_ = true;
  failures_ = 0;
  if (!tunnel_.busy())
    reconnect_after(sim_time{0});
}

void machine::disconnect() {
  wants_tunnel_ = false;
  lan_open_at_ = sim_time{0};
  if (lan_)
    lan_->close(false);
  drop("a controller asked for it", sim_time{0}, false);
}

std::string machine::order(fault_kind kind, sim_time ms, std::uint32_t count) {
  switch (kind) {
  case fault_kind::drop:
  case fault_kind::rst:
    lan_down(ms, kind == fault_kind::rst);
    drop("fault: " + std::string(to_string(kind)), ms, kind == fault_kind::rst);
    return {};
  case fault_kind::garbage:
    if (!tunnel_.up())
      return "the machine has no tunnel";
    tunnel_.send_raw(std::string(64, '\xEE'));
    return {};
  case fault_kind::reboot:
    if (level_of(model_.power()) != power_level::on)
      return "the machine is not on";
    model_.crash(now());
    break;
  default:
    if (!faults_.add(kind, ms, count, now()))
      return "the machine has 16 faults already";
  }
  on_timer();
  return {};
}

void machine::clear_faults() {
  faults_.clear();
  on_timer();
}

void machine::press_power_button() {
  model_.press_button(now());
  schedule();
}

void machine::change(const std::function<void(device_model&, sim_time)>& what) {
  what(model_, now());
  around_.changed();
  send_events();
  settle();
  schedule();
}

void machine::new_lan_certificate() {
  if (lan_)
    lan_->new_certificate();
}

void machine::restore(power_state power, std::uint64_t boots, const flash& kept) {
  model_.restore(power, boots);
  write_flash(kept, model_);
  active_ = model_.control_mode != 0 && model_.activation->amt_enabled;
}

machine_report machine::report() const {
  const auto& consent = model_.consent;
  std::string code;
  if (consent.state == opt_in_state::displayed) {
    code = std::to_string(consent.code);
    code.insert(0, 6 - code.size(), '0');
  }
  return {who().guid,
          who().hostname,
          model_.power(),
          model_.os_power_saving,
          model_.boots(),
          tunnel_.up(),
          links_,
          refused_,
          challenges_,
          last_down_,
          requests_,
          model_.carried_out(),
          lan_ ? lan_->plain_port() : std::uint16_t{0},
          lan_ ? lan_->tls_port() : std::uint16_t{0},
          lan_ ? lan_->connections() : 0,
          model_.control_mode,
          static_cast<int>(consent.state),
          code,
          model_.boot_source,
          !model_.boot_options_cleared || !model_.boot_source.empty(),
          model_.last_boot,
          events_ ? events_->delivered() : 0,
          events_ ? events_->lost() : 0,
          model_.subscriptions->subscriptions.size(),
          host_ ? host_->lms_port() : std::uint16_t{0},
          host_ ? host_->lms_tls_port() : std::uint16_t{0},
          host_ ? host_->mei_path() : std::string{},
          provisioning_state(model_),
          model_.activation->counts,
          model_.accounts->mebx_set,
          home(),
          model_.tls->in_force[0].enabled,
          model_.tls->in_force[1].enabled,
          model_.tls->in_force[0].mutual || model_.tls->in_force[1].mutual,
          model_.shared().keeps_flash ? read_flash(model_) : flash{}};
}

void machine::stop() {
  stopped_ = true;
  wants_tunnel_ = false;
  timer_.cancel();
  resolver_.cancel();
  tunnel_.disconnect();
  channels_.clear();
  host_.reset();
  end_local(true);
  lan_.reset();
  events_.reset();
}

// -- time -------------------------------------------------------------------------------------

void machine::schedule() {
  if (stopped_)
    return;
  sim_time next{0};
  const auto sooner = [&next](sim_time t) {
    if (t.count() != 0 && (next.count() == 0 || t < next))
      next = t;
  };
  sooner(connect_at_);
  sooner(handshake_until_);
  sooner(keepalive_at_);
  sooner(lan_open_at_);
  sooner(leave_at_);
  sooner(ports_down_at_);
  sooner(model_.next_due().value_or(sim_time{0}));
  if (!faults_.empty())
    sooner(faults_.next_end(now()).value_or(sim_time{0}));
  for (const auto& c : channels_)
    sooner(c->send_at);
  if (next == armed_)
    return;
  armed_ = next;
  if (next.count() == 0) {
    timer_.cancel();
    return;
  }
  timer_.expires_at(std::chrono::steady_clock::time_point(next));
  timer_.async_wait([this](boost::system::error_code ec) {
    if (ec || stopped_)
      return;
    armed_ = sim_time{0};
    on_timer();
  });
}

void machine::on_timer() {
  const auto t = now();
  const auto due = [t](sim_time& when) {
    if (when.count() == 0 || when > t)
      return false;
    when = sim_time{0};
    return true;
  };
  bool dropped = false;
  for (const auto& change : model_.advance(t)) {
    tell(change);
    const auto& times = model_.shared().times;
    if (change.drops_link && times.link_drop_max.count() > 0 && !dropped) {
      dropped = true;
      const auto away = model_.jitter(times.link_drop_min, times.link_drop_max);
      lan_down(away, false);
      if (wants_tunnel_)
        drop("the machine's network went away with its power", away, false);
    }
  }
  send_events();
  tunnel_.set_quiet(faults_.lasts(fault_kind::silent_keepalive, t));
  tunnel_.pause(faults_.lasts(fault_kind::stall, t));
  if (due(handshake_until_) && tunnel_.busy() && !tunnel_.up()) {
    tunnel_.disconnect();
    tunnel_down("the server did not complete the connection in 30 s", false);
  }
  if (due(leave_at_))
    leave();
  if (due(ports_down_at_)) {
    end_local(true);
    const auto back_at = model_.activation->ports_back_at;
    lan_down(back_at > t ? back_at - t : sim_time{0}, true);
  }
  if (due(connect_at_) && wants_tunnel_ && !tunnel_.busy())
    call_home();
  if (due(lan_open_at_) && lan_) {
    try {
      lan_->open();
    } catch (const std::runtime_error&) {
      lan_open_at_ = t + sim_time{1000}; // somebody else took the port; perhaps not for long
    }
  }
  if (due(keepalive_at_) && tunnel_.up()) {
    tunnel_.keep_alive();
    keepalive_at_ = t + tunnel_.keepalive_interval();
  }
  for (std::size_t i = 0; i < channels_.size();) {
    auto& c = *channels_[i];
    const auto id = c.id;
    if (due(c.send_at) && push(c))
      serve(c);
    i += i < channels_.size() && channels_[i]->id == id ? 1 : 0; // it may have closed
  }
  schedule();
}

void machine::tell(power_change what) {
  around_.happened({who().guid, who().hostname, utc_ms(), what});
  around_.changed();
}

void machine::tell(link_event what) {
  around_.happened({who().guid, who().hostname, utc_ms(), std::move(what)});
}

} // namespace outband::amtsim
