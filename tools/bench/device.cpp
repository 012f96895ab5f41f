#include "tools/bench/device.hpp"

#include "messages/apf/encoder.hpp"
#include "messages/apf/handshake.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace outband::bench {

namespace {

constexpr std::size_t max_payload = 4087; // what firmware takes and sends in one APF message
constexpr std::uint32_t wsman_port = 16992;

const std::vector<std::uint16_t>& ports() {
  return amtsim::find_firmware("amt16")->ports;
}

apf::decoder fresh_decoder() {
  return apf::decoder(apf::side::device, apf::decoder_limits::after_authentication(4096));
}

/// Of a header in a request head; empty if there is none. Our server writes names in one form.
std::string_view field(std::string_view head, std::string_view name) {
  const auto at = head.find(name);
  if (at == std::string_view::npos)
    return {};
  const auto from = at + name.size();
  return head.substr(from, head.find('\r', from) - from);
}

} // namespace

device::device(surroundings& around, device_id guid)
    : around_(around), guid_(guid), decoder_(fresh_decoder()),
      channels_(apf::channels_config::device()) {}

device::~device() = default;

void device::reset() {
  decoder_ = fresh_decoder();
  channels_ = apf::channels(apf::channels_config::device());
  std::vector<http_channel>{}.swap(open_);
  announced_ = 0;
  stage_ = stage::idle;
}

void device::connect() {
  close();
  stage_ = stage::connecting;
  if (!socket_.connect(around_.tls, around_.port))
    return around_.io.later([this] { end("no descriptor"); });
  around_.io.add(socket_.fd(), *this);
}

void device::close() {
  socket_.close();
  reset();
}

void device::cut() {
  socket_.cut();
  reset();
}

void device::end(const char* why) {
  if (stage_ == stage::idle)
    return;
  close();
  why_ = why;
  if (around_.down)
    around_.down(*this);
}

void device::ready(std::uint32_t) {
  if (stage_ == stage::idle)
    return;
  const auto now = socket_.advance();
  if (now == tls_socket::state::over)
    return end("the server ended the connection");
  if (now != tls_socket::state::up)
    return;
  if (stage_ == stage::connecting) {
    stage_ = stage::auth_service;
    apf::protocol_version version;
    version.guid = apf::to_wire(guid_);
    say(version);
    say(apf::service_request{std::string(apf::auth_service_name)});
  }
  for (auto& c : open_)
    if (!c.out.empty())
      push(c);
  read();
}

void device::read() {
  static std::array<char, 16384> buffer;
  while (stage_ != stage::idle) {
    const auto got = socket_.read(buffer.data(), buffer.size());
    if (got == 0) {
      if (socket_.now() == tls_socket::state::over)
        end("the server closed the tunnel");
      return;
    }
    std::string_view octets{buffer.data(), got};
    while (true) {
      auto item = decoder_.next(octets);
      if (std::holds_alternative<apf::starved>(item))
        break;
      const auto* m = std::get_if<apf::message>(&item);
      if (m == nullptr)
        return end("the server broke APF");
      if (!take(*m))
        return;
    }
  }
}

void device::say(const apf::message& m) {
  static std::string record;
  record.clear();
  apf::encode(m, record);
  socket_.send(record);
}

bool device::take(const apf::message& m) {
  if (apf::is_channel_traffic(m))
    return take_channel(m);
  switch (apf::type_of(m)) {
  case apf::type::service_accept:
    if (stage_ != stage::auth_service)
      return announce_next();
    stage_ = stage::auth;
    {
      apf::userauth_request ask;
      ask.user = around_.user;
      ask.password = around_.password;
      say(ask);
    }
    return true;
  case apf::type::userauth_success:
    stage_ = stage::pfwd_service;
    say(apf::service_request{std::string(apf::pfwd_service_name)});
    return true;
  case apf::type::userauth_failure:
    end("user name or password refused");
    return false;
  case apf::type::request_success:
    return announce_next();
  case apf::type::keepalive_request:
    say(apf::keepalive_reply{std::get<apf::keepalive_request>(m).cookie});
    return true;
  case apf::type::keepalive_options_request: {
    const auto& asked = std::get<apf::keepalive_options_request>(m);
    say(apf::keepalive_options_reply{asked.interval_s, asked.timeout_s});
    return true;
  }
  case apf::type::disconnect:
    end("the server said DISCONNECT");
    return false;
  default:
    return true;
  }
}

bool device::announce_next() {
  if (announced_ == ports().size()) {
    stage_ = stage::ready;
    if (around_.up)
      around_.up(*this);
    return stage_ == stage::ready;
  }
  stage_ = stage::ports;
  apf::tcpip_forward ask;
  ask.address = "bench";
  ask.port = ports()[announced_++];
  decoder_.asked_forward();
  say(ask);
  return true;
}

bool device::take_channel(const apf::message& m) {
  std::string out;
  const auto event = channels_.on(m, out);
  if (const auto* asked = std::get_if<apf::open_asked>(&event)) {
    if (asked->what.connected_port != wsman_port)
      channels_.refuse(asked->channel, apf::open_failure_reason::connect_failed, out);
    else if (channels_.accept(asked->channel, out))
      open_.push_back({asked->channel, {}, {}});
  }
  if (const auto* data = std::get_if<apf::data_arrived>(&event)) {
    channels_.consumed(data->channel, data->data.size(), out);
    for (auto& c : open_)
      if (c.number == data->channel) {
        c.in.append(data->data);
        socket_.send(out);
        out.clear();
        serve(c);
        break;
      }
  } else if (const auto* more = std::get_if<apf::writable>(&event)) {
    for (auto& c : open_)
      if (c.number == more->channel)
        push(c);
  } else if (const auto* gone = std::get_if<apf::channel_closed>(&event)) {
    open_.erase(std::remove_if(open_.begin(), open_.end(),
                               [&](const auto& c) { return c.number == gone->channel; }),
                open_.end());
    if (open_.empty())
      std::vector<http_channel>{}.swap(open_);
  }
  socket_.send(out);
  return stage_ != stage::idle;
}

void device::serve(http_channel& c) {
  const auto head_end = c.in.find("\r\n\r\n");
  if (head_end == std::string::npos || c.close_after)
    return;
  const auto head = std::string_view{c.in}.substr(0, head_end + 2);
  const auto length = field(head, "Content-Length: ");
  std::size_t size = 0;
  std::from_chars(length.data(), length.data() + length.size(), size);
  if (c.in.size() < head_end + 4 + size)
    return;
  ++around_.requests;
  if (field(head, "Authorization: ").empty()) {
    static const auto challenge = soap_challenge();
    c.out += challenge;
    c.close_after = true;
  } else {
    const auto body = std::string_view{c.in}.substr(head_end + 4, size);
    if (around_.flicker &&
        body.find("CIM_ServiceAvailableToElement</w:") != std::string_view::npos &&
        body.find("enumeration/Pull<") != std::string_view::npos)
      power = power == power_state::on ? power_state::off_soft : power_state::on;
    around_.soap.answer(body, power, c.out);
  }
  std::string{}.swap(c.in); // our server does not pipeline
  push(c);
}

void device::push(http_channel& c) {
  std::string records;
  std::size_t done = 0;
  while (done < c.out.size()) {
    const auto n =
        channels_.write(c.number, std::string_view{c.out}.substr(done, max_payload), records);
    if (n == 0)
      break;
    done += n;
  }
  const auto number = c.number;
  if (done == c.out.size()) {
    std::string{}.swap(c.out);
    if (c.close_after)
      channels_.close(number, records);
  } else {
    c.out.erase(0, done);
  }
  socket_.send(records);
}

void device::keep_alive() {
  if (stage_ == stage::ready)
    say(apf::keepalive_request{++cookie_});
}

} // namespace outband::bench
