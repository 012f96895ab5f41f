#include "tools/amtsim/cira_client.hpp"

#include "messages/apf/encoder.hpp"
#include "messages/apf/handshake.hpp"

#include <algorithm>
#include <utility>

namespace outband::amtsim {

namespace {

/// What firmware's receive buffer for one APF message amounts to.
constexpr std::size_t max_payload = 4087;

apf::channels_config channel_config(const settings& s) {
  auto out = apf::channels_config::device();
  out.receive_window = s.window;
  return out;
}

} // namespace

cira_client::cira_client(boost::asio::io_context& io, const device_model& device, owner& to)
    : device_(device), owner_(to), tls_(io, *this), decoder_(apf::side::device),
      channels_(channel_config(device.shared())), keepalive_(device.shared().times.keepalive) {}

void cira_client::connect(const boost::asio::ip::tcp::endpoint& to, shared_tls trust, account who) {
  reset_state();
  account_ = std::move(who);
  stage_ = stage::connecting;
  tls_.connect(to, std::move(trust));
}

void cira_client::disconnect(bool with_reset) {
  if (with_reset)
    tls_.reset();
  else
    tls_.close();
  reset_state();
}

void cira_client::reset_state() {
  const auto window = device_.shared().window;
  decoder_ = apf::decoder(apf::side::device, apf::decoder_limits::after_authentication(window));
  channels_ = apf::channels(channel_config(device_.shared()));
  keepalive_ = device_.shared().times.keepalive;
  stage_ = stage::idle;
  announced_ = 0;
}

void cira_client::send(const std::string& octets) {
  if (!octets.empty())
    tls_.send(octets);
}

void cira_client::send(const apf::message& m) {
  send(apf::encode(m));
}

void cira_client::tls_up() {
  apf::protocol_version version;
  version.guid = apf::to_wire(device_.who().guid);
  send(apf::message{version});
  send(apf::message{apf::service_request{std::string(apf::auth_service_name)}});
  stage_ = stage::auth_service;
}

void cira_client::tls_down(const std::string& why) {
  end(why);
}

bool cira_client::end(const std::string& why, bool refused) {
  disconnect();
  owner_.tunnel_down(why, refused);
  return false;
}

void cira_client::tls_data(std::string_view octets) {
  while (true) {
    auto item = decoder_.next(octets);
    if (std::holds_alternative<apf::starved>(item))
      return;
    if (const auto* bad = std::get_if<apf::defect>(&item)) {
      end("the server broke APF: " + apf::to_string(*bad));
      return;
    }
    if (!take(std::get<apf::message>(item)))
      return;
  }
}

bool cira_client::take(const apf::message& m) {
  if (apf::is_channel_traffic(m))
    return take_channel(m);
  const auto out_of_order = [&] {
    return end("the server sent " + std::string(apf::to_string(apf::type_of(m))) + " out of order");
  };
  switch (apf::type_of(m)) {
  case apf::type::protocol_version: // Console echoes it, MPS does not
    return true;
  case apf::type::service_accept:
    if (stage_ == stage::auth_service) {
      stage_ = stage::auth;
      apf::userauth_request ask;
      auto who = std::exchange(account_, {});
      ask.user = std::move(who.user);
      ask.password = std::move(who.password);
      send(apf::message{ask});
      return true;
    }
    return stage_ == stage::pfwd_service ? announce_next() : out_of_order();
  case apf::type::userauth_success:
    if (stage_ != stage::auth)
      return out_of_order();
    stage_ = stage::pfwd_service;
    send(apf::message{apf::service_request{std::string(apf::pfwd_service_name)}});
    return true;
  case apf::type::userauth_failure:
    return end("the server refused user name or password", true);
  case apf::type::request_success:
  case apf::type::request_failure: // a port the server does not want; go on with the others
    return stage_ == stage::ports ? announce_next() : out_of_order();
  case apf::type::keepalive_request:
    if (!quiet_)
      send(apf::message{apf::keepalive_reply{std::get<apf::keepalive_request>(m).cookie}});
    return true;
  case apf::type::keepalive_reply:
    return true;
  case apf::type::keepalive_options_request: {
    const auto& asked = std::get<apf::keepalive_options_request>(m);
    if (asked.interval_s > 0)
      keepalive_ = std::chrono::seconds(asked.interval_s);
    send(apf::message{apf::keepalive_options_reply{asked.interval_s, asked.timeout_s}});
    owner_.keepalive_changed();
    return true;
  }
  case apf::type::disconnect:
    return end("the server said DISCONNECT: " +
               std::string(apf::to_string(std::get<apf::disconnect>(m).reason)));
  default:
    return out_of_order();
  }
}

bool cira_client::announce_next() {
  const auto& ports = device_.shared().kind.ports;
  stage_ = stage::ports;
  if (announced_ == ports.size()) {
    stage_ = stage::ready;
    owner_.tunnel_up();
    return stage_ == stage::ready;
  }
  apf::tcpip_forward ask;
  ask.address = device_.who().hostname;
  ask.port = ports[announced_++];
  decoder_.asked_forward();
  send(apf::message{ask});
  return true;
}

bool cira_client::take_channel(const apf::message& m) {
  std::string out;
  const auto event = channels_.on(m, out);
  send(out);
  if (const auto* asked = std::get_if<apf::open_asked>(&event)) {
    const auto& ports = device_.shared().kind.ports;
    const auto port = asked->what.connected_port;
    std::string answer;
    // Only the plain WS-MAN port leads anywhere: whoever wants TLS inside the tunnel is refused.
    const bool known = std::find(ports.begin(), ports.end(), port) != ports.end();
    if (asked->what.channel_type != "forwarded-tcpip") {
      channels_.refuse(asked->channel, apf::open_failure_reason::unknown_channel_type, answer);
    } else if (!known || port != 16992) {
      channels_.refuse(asked->channel, apf::open_failure_reason::connect_failed, answer);
    } else if (channels_.accept(asked->channel, answer)) {
      send(answer);
      owner_.channel_opened(asked->channel, port);
      return busy();
    }
    send(answer);
    return true;
  }
  if (const auto* ours = std::get_if<apf::opened>(&event))
    owner_.channel_answered(ours->channel, true);
  else if (const auto* refused = std::get_if<apf::open_refused>(&event))
    owner_.channel_answered(refused->channel, false);
  else if (const auto* data = std::get_if<apf::data_arrived>(&event))
    owner_.channel_data(data->channel, data->data);
  else if (const auto* more = std::get_if<apf::writable>(&event))
    owner_.channel_writable(more->channel);
  else if (const auto* gone = std::get_if<apf::channel_closed>(&event))
    owner_.channel_closed(gone->channel);
  else if (const auto* bad = std::get_if<apf::violation>(&event))
    return end("the server broke the rules of channels: " + std::string(bad->what));
  return busy(); // an owner may have ended the tunnel
}

std::optional<std::uint32_t> cira_client::open_to(const std::string& host, std::uint16_t port) {
  std::string out;
  const auto channel = channels_.open_to(host, port, out);
  if (!channel)
    return std::nullopt;
  send(out);
  return *channel;
}

std::size_t cira_client::write(std::uint32_t channel, std::string_view octets) {
  std::size_t done = 0;
  while (done < octets.size()) {
    std::string record;
    const auto taken = channels_.write(channel, octets.substr(done, max_payload), record);
    if (taken == 0)
      break;
    send(record);
    done += taken;
  }
  return done;
}

void cira_client::consumed(std::uint32_t channel, std::size_t octets) {
  std::string out;
  channels_.consumed(channel, octets, out);
  send(out);
}

void cira_client::close_channel(std::uint32_t channel) {
  std::string out;
  channels_.close(channel, out);
  send(out);
}

void cira_client::keep_alive() {
  if (!quiet_)
    send(apf::message{apf::keepalive_request{++cookie_}});
}

} // namespace outband::amtsim
