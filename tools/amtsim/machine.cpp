#include "tools/amtsim/machine.hpp"

#include "tools/amtsim/activation_state.hpp"
#include "tools/amtsim/cira_state.hpp"
#include "tools/amtsim/subscription_state.hpp"

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <utility>

namespace outband::amtsim {

namespace {

constexpr sim_time handshake_deadline{30000};

std::int64_t utc_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

} // namespace

machine::machine(boost::asio::io_context& io, const tls_context& tls,
                 const boost::asio::ip::tcp::endpoint& server, identity who, const settings* shared,
                 std::uint64_t seed, surroundings& around)
    : io_(io), server_(server), around_(around), model_(std::move(who), shared, seed),
      tunnel_(io, tls, model_, *this), timer_(io) {
  model_.set_utc_origin(utc_ms() - now().count());
  wants_tunnel_ = server_.port() != 0;
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

void machine::start(sim_time after) {
  reconnect_after(after);
}

void machine::connect() {
  if (lan_ && lan_open_at_.count() == 0) {
    lan_open_at_ = now();
    schedule();
  }
  wants_tunnel_ = server_.port() != 0;
  failures_ = 0;
  if (wants_tunnel_ && !tunnel_.busy())
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
  schedule();
}

void machine::new_lan_certificate() {
  if (lan_)
    lan_->new_certificate();
}

void machine::restore(power_state power, std::uint64_t boots, const flash& kept) {
  model_.restore(power, boots);
  write_flash(kept, model_);
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
          model_.shared().keeps_flash ? read_flash(model_) : flash{}};
}

void machine::stop() {
  stopped_ = true;
  wants_tunnel_ = false;
  timer_.cancel();
  tunnel_.disconnect();
  channels_.clear();
  end_local(true);
  lan_.reset();
  events_.reset();
}

// -- tunnel -----------------------------------------------------------------------------------

void machine::reconnect_after(sim_time delay) {
  connect_at_ = now() + delay;
  schedule();
}

void machine::drop(const std::string& why, sim_time back_after, bool with_reset) {
  const bool was_busy = tunnel_.busy();
  tunnel_.disconnect(with_reset);
  model_.tunnel_up = false;
  channels_.clear();
  if (events_)
    events_->tunnel_lost();
  handshake_until_ = keepalive_at_ = connect_at_ = sim_time{0};
  if (was_busy)
    last_down_ = why;
  if (told_up_) {
    told_up_ = false;
    tell(link_event{false, why});
  }
  if (wants_tunnel_)
    reconnect_after(back_after);
  else
    schedule();
}

void machine::tunnel_up() {
  ++links_;
  model_.tunnel_up = true;
  failures_ = 0;
  handshake_until_ = sim_time{0};
  keepalive_at_ = now() + tunnel_.keepalive_interval();
  told_up_ = true;
  schedule();
  tell(link_event{true, {}});
  send_events();
}

void machine::tunnel_down(const std::string& why, bool refused) {
  const auto& t = model_.shared().times;
  sim_time delay = model_.jitter(t.reconnect_min, t.reconnect_max);
  if (refused) {
    ++refused_;
    // Firmware tries again twice soon and then keeps quiet for long.
    static constexpr sim_time waits[] = {sim_time{2000}, sim_time{10000}, sim_time{60000}};
    const auto base = waits[std::min<std::uint32_t>(failures_, 2)];
    delay = model_.jitter(base * 8 / 10, base * 12 / 10);
  } else if (!told_up_ && failures_ > 0) {
    // Nobody there, or no handshake: ever slower, up to 10 s.
    const auto longer = std::min(t.reconnect_max * (1U << std::min(failures_, 6U)),
                                 std::max(t.reconnect_max, sim_time{10000}));
    delay = model_.jitter(t.reconnect_min, longer);
  }
  ++failures_;
  drop(why, delay, false);
  last_down_ = why;
}

void machine::keepalive_changed() {
  keepalive_at_ = now() + tunnel_.keepalive_interval();
  schedule();
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
  if (due(leave_at_)) {
    wants_tunnel_ = false;
    drop(model_.control_mode == 0 ? "the machine was unprovisioned"
                                  : "its CIRA configuration was removed",
         sim_time{0}, false);
    if (model_.control_mode == 0) {
      end_local(false);
      if (lan_)
        lan_->end_connections();
    }
  }
  if (due(ports_down_at_)) {
    end_local(true);
    const auto back_at = model_.activation->ports_back_at;
    lan_down(back_at > t ? back_at - t : sim_time{0}, true);
  }
  if (due(connect_at_) && wants_tunnel_ && !tunnel_.busy() && model_.control_mode != 0) {
    handshake_until_ = t + handshake_deadline;
    tunnel_.connect(server_);
  }
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
