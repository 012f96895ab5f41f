#include "tools/bench/floor_connection.hpp"

#include "messages/apf/encoder.hpp"
#include "messages/apf/handshake.hpp"
#include "messages/http/writer.hpp"

#include <array>
#include <utility>

namespace outband::bench {

namespace {

constexpr std::uint32_t wsman_port = 16992;
constexpr std::uint32_t last_announced_port = 5900;

} // namespace

floor_connection::floor_connection(floor_server& owner, int fd)
    : owner_(owner), decoder_(apf::side::server, apf::decoder_limits::after_authentication(81920)),
      channels_(apf::channels_config::server()) {
  socket_.accept(owner.tls_, fd);
  owner.io_.add(fd, *this);
}

void floor_connection::end() {
  if (std::exchange(over_, true))
    return;
  if (reading_)
    finish(false);
  owner_.ended(*this);
}

void floor_connection::ready(std::uint32_t) {
  if (over_)
    return;
  const auto now = socket_.advance();
  if (now == tls_socket::state::over)
    return end();
  if (now != tls_socket::state::up)
    return;
  static std::array<char, 16384> buffer;
  while (true) {
    const auto got = socket_.read(buffer.data(), buffer.size());
    if (got == 0)
      break;
    std::string_view octets{buffer.data(), got};
    while (!over_) {
      auto item = decoder_.next(octets);
      if (std::holds_alternative<apf::starved>(item))
        break;
      const auto* m = std::get_if<apf::message>(&item);
      if (m == nullptr)
        return end();
      take(*m);
    }
  }
  if (socket_.now() == tls_socket::state::over)
    end();
}

void floor_connection::say(const apf::message& m) {
  std::string record;
  apf::encode(m, record);
  socket_.send(record);
}

void floor_connection::take(const apf::message& m) {
  if (apf::is_channel_traffic(m))
    return take_channel(m);
  if (const auto* version = std::get_if<apf::protocol_version>(&m))
    guid_ = to_string(apf::to_uuid(version->guid));
  else if (const auto* service = std::get_if<apf::service_request>(&m))
    say(apf::service_accept{service->service});
  else if (std::holds_alternative<apf::userauth_request>(m))
    say(apf::userauth_success{});
  else if (const auto* forward = std::get_if<apf::tcpip_forward>(&m)) {
    say(apf::request_success{forward->port});
    if (forward->port == last_announced_port && !up_) {
      up_ = true;
      ++owner_.up_;
      say(apf::keepalive_options_request{30, 90});
    }
  } else if (const auto* alive = std::get_if<apf::keepalive_request>(&m))
    say(apf::keepalive_reply{alive->cookie});
}

// -- a power reading --------------------------------------------------------------------------

void floor_connection::read_power(std::function<void(bool)> done) {
  if (!reading_)
    reading_ = std::make_unique<reader>();
  auto& r = *reading_;
  r.next_id = (r.next_id + 64) & 0x7fffffffU;
  r.run = amt::operation_run(amt::read_power{}, r.next_id);
  r.done = std::move(done);
  post();
}

void floor_connection::post() {
  auto& r = *reading_;
  if (!r.channel) {
    std::string out;
    if (auto made = channels_.open(wsman_port, out))
      r.channel = *made;
    socket_.send(out);
    return; // goes on when it is open
  }
  const auto soap = r.run.next_request();
  if (!soap)
    return finish(static_cast<bool>(r.run.outcome()));
  std::string authorization;
  if (r.digest.ready())
    if (auto made =
            r.digest.authorize("admin", "Bench-1-password", "POST", "/wsman", "00000001", *soap))
      authorization = *made;
  r.unsent.clear();
  if (!http::write_wsman(guid_ + ":16992", authorization, *soap, r.unsent))
    return finish(false);
  push();
}

void floor_connection::push() {
  auto& r = *reading_;
  std::string out;
  std::size_t done = 0;
  while (done < r.unsent.size()) {
    const auto n = channels_.write(*r.channel, std::string_view{r.unsent}.substr(done), out);
    if (n == 0)
      break;
    done += n;
  }
  r.unsent.erase(0, done);
  socket_.send(out);
}

void floor_connection::take_channel(const apf::message& m) {
  std::string out;
  const auto event = channels_.on(m, out);
  if (const auto* data = std::get_if<apf::data_arrived>(&event))
    channels_.consumed(data->channel, data->data.size(), out);
  socket_.send(out);
  if (!reading_)
    return;
  auto& r = *reading_;
  if (std::holds_alternative<apf::opened>(event)) {
    post();
  } else if (std::holds_alternative<apf::writable>(event)) {
    push();
  } else if (std::holds_alternative<apf::open_refused>(event)) {
    finish(false);
  } else if (const auto* closed = std::get_if<apf::channel_closed>(&event)) {
    if (r.channel != closed->channel)
      return;
    r.channel.reset();
    if (r.done)
      post(); // after a 401, on a new channel
  } else if (const auto* data = std::get_if<apf::data_arrived>(&event)) {
    r.parser.feed(data->data);
    auto item = r.parser.next();
    if (const auto* answer = std::get_if<http::response>(&item))
      answered(*answer);
    else if (std::holds_alternative<failure>(item))
      finish(false);
  }
}

void floor_connection::answered(const http::response& answer) {
  auto& r = *reading_;
  if (answer.status == 401) {
    const auto challenge = http::find_challenge(answer.fields);
    if (!challenge || !r.digest.learn(*challenge))
      finish(false);
    return; // the machine closes the channel
  }
  r.run.feed(answer.status, answer.body);
  if (r.run.finished())
    return finish(static_cast<bool>(r.run.outcome()));
  post();
}

void floor_connection::finish(bool ok) {
  if (!reading_)
    return;
  const auto done = std::exchange(reading_->done, {});
  if (done)
    done(ok);
}

} // namespace outband::bench
