// The machine's tunnel: where it calls, when, and what becomes of it.
#include "messages/wsman/node.hpp"
#include "tools/amtsim/activation_state.hpp"
#include "tools/amtsim/cira_state.hpp"
#include "tools/amtsim/machine.hpp"

#include <algorithm>
#include <utility>

namespace outband::amtsim {

namespace {

constexpr sim_time handshake_deadline{30000};
/// For the last answer before the tunnel ends.
constexpr sim_time leave_after{500};

std::string place(const home_call& h) {
  return h.host + ":" + std::to_string(h.port);
}

/// "127.0.0.1:4433" or "[::1]:4433"; nullopt if it is none.
std::optional<boost::asio::ip::tcp::endpoint> endpoint_of(const std::string& text) {
  const auto colon = text.rfind(':');
  if (colon == std::string::npos)
    return std::nullopt;
  auto host = text.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2);
  boost::system::error_code ec;
  const auto address = boost::asio::ip::make_address(host, ec);
  const auto port = wsman::to_number(text.substr(colon + 1));
  if (ec || !port || *port == 0 || *port > 65535)
    return std::nullopt;
  return boost::asio::ip::tcp::endpoint(address, static_cast<std::uint16_t>(*port));
}

} // namespace

// -- where ------------------------------------------------------------------------------------

std::optional<home_call> machine::home() const {
  if (model_.control_mode == 0 || !model_.activation->amt_enabled)
    return std::nullopt;
  auto out = calls_home(model_, dhcp_suffix(model_));
  if (out && out->as_made && server_.address.port() == 0)
    return std::nullopt;
  return out;
}

void machine::call_home() {
  const auto to = home();
  if (!to)
    return;
  called_ = place(*to);
  model_.tunnel_connecting = true;
  handshake_until_ = now() + handshake_deadline;
  const auto mine = ++calls_;
  if (to->as_made)
    return call(server_.address);
  boost::system::error_code ec;
  const auto address = boost::asio::ip::make_address(to->host, ec);
  const auto& names = model_.shared().resolve;
  if (const auto known = names.find(to->host); known != names.end()) {
    if (const auto at = endpoint_of(known->second))
      return call(*at);
  } else if (!ec) {
    return call({address, to->port});
  }
  resolver_.async_resolve(
      to->host, std::to_string(to->port),
      [this, mine](boost::system::error_code failed,
                   const boost::asio::ip::tcp::resolver::results_type& found) {
        if (mine != calls_ || stopped_)
          return;
        if (failed || found.empty())
          return tunnel_down("the server's name cannot be resolved: " + failed.message(), false);
        call(found.begin()->endpoint());
      });
}

void machine::call(const boost::asio::ip::tcp::endpoint& to) {
  const auto h = home(); // it may have changed while the name was asked for
  if (!h || place(*h) != called_)
    return drop("its CIRA configuration was changed", sim_time{0}, false);
  tunnel_.connect(
      to, h->as_made ? server_.trust : server_.others->trusting(h->trusted_roots, h->common_name),
      {h->user, h->password});
}

bool machine::leads_home() const {
  const auto to = home();
  return to && place(*to) == called_;
}

void machine::settle() {
  const bool calling = tunnel_.busy() || model_.tunnel_connecting;
  const bool was_active = active_;
  active_ = model_.control_mode != 0 && model_.activation->amt_enabled;
  // Unprovisioned, or sent elsewhere: the answer goes, then the tunnel.
  if (was_active && !active_)
    leaving_ = local_;
  if (((was_active && !active_) || (calling && !leads_home())) && leave_at_.count() == 0)
    leave_at_ = now() + leave_after;
  if (calling || !wants_tunnel_ || connect_at_.count() != 0)
    return;
  if (const auto to = home()) {
    const auto soon =
        std::min(sim_time{std::chrono::seconds(to->interval_s)}, model_.shared().times.home_call);
    connect_at_ = now() + model_.jitter(soon / 10, soon);
  }
}

void machine::leave() {
  if ((tunnel_.busy() || model_.tunnel_connecting) && !leads_home())
    drop(active_ ? "its CIRA configuration was changed" : "the machine was unprovisioned",
         sim_time{0}, false);
  // Not those of whoever sets it up again already.
  for (auto& c : std::exchange(leaving_, {}))
    c.end(false);
  if (!active_ && lan_)
    lan_->end_connections();
}

// -- the tunnel -------------------------------------------------------------------------------

void machine::reconnect_after(sim_time delay) {
  connect_at_ = now() + delay;
  schedule();
}

void machine::drop(const std::string& why, sim_time back_after, bool with_reset) {
  const bool was_busy = tunnel_.busy();
  ++calls_;
  tunnel_.disconnect(with_reset);
  model_.tunnel_up = model_.tunnel_connecting = false;
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
  model_.tunnel_connecting = false;
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

} // namespace outband::amtsim
