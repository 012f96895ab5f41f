// What happens in a tunnel: calls, channels, windows, silence.
#include "raw_device.hpp"
#include "site.hpp"

#include "gateway/amt/carrier.hpp"
#include "messages/http/digest.hpp"
#include "messages/http/parser.hpp"
#include "messages/http/writer.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <deque>
#include <map>

using namespace outband;
using namespace outband::test;
using namespace std::chrono_literals;

namespace {

const std::string reading =
    "<s:Header><a:Action>http://schemas.xmlsoap.org/ws/2004/09/transfer/Get</a:Action></s:Header>"
    "<s:Body></s:Body>";
const std::string changing = "<s:Header><a:Action>http://x/RequestPowerStateChange</a:Action>"
                             "</s:Header><s:Body></s:Body>";
const device_ref ref_a{"acme", *parse_uuid(guid_a)};

apf::channel_data data(std::uint32_t channel, std::string_view octets) {
  apf::channel_data d;
  d.recipient = channel;
  d.data = octets;
  return d;
}

/// Confirms and collects one HTTP request; our number for every channel is `mine`.
struct incoming {
  std::uint32_t channel; ///< the server's number
  http::request request;
};

http::request read_request(raw_device& device, std::uint32_t mine) {
  http::request_parser parser;
  while (true) {
    const auto d = device.expect<apf::channel_data>();
    CHECK(d.recipient == mine);
    parser.feed(d.data);
    auto item = parser.next();
    if (auto* r = std::get_if<http::request>(&item))
      return std::move(*r);
    REQUIRE(std::holds_alternative<http::starved>(item));
  }
}

incoming take_call(raw_device& device, std::uint32_t mine, std::uint32_t window = 8192) {
  const auto open = device.expect<apf::channel_open>();
  CHECK(open.connected_port == 16992);
  CHECK(open.channel_type == "forwarded-tcpip");
  device.send(apf::channel_open_confirmation{open.sender, mine, window});
  return {open.sender, read_request(device, mine)};
}

std::string ok_response(const std::string& body) {
  std::string out;
  auto r = http::amt_answer(200, "Thu, 01 Jan 2026 00:00:00 GMT", "Intel(R) AMT", body);
  r.keep_alive = true;
  REQUIRE(http::write_chunked(r, out).ok());
  return out;
}

/// As AMT does it: the answer, then it closes the channel.
void challenge(raw_device& device, std::uint32_t channel, const std::string& nonce) {
  http::digest_challenge c;
  c.realm = "Digest:34BF4B5A0561F95248F58509A406E046";
  c.nonce = nonce;
  c.auth = true;
  std::string out;
  REQUIRE(http::write_sized(http::amt_unauthorized(http::write_challenge(c), "Intel(R) AMT"), out)
              .ok());
  device.send(data(channel, out));
  device.send(apf::channel_close{channel});
}

/// Past the first 401: the next call carries the credentials at once. Leaves channel 1 open.
std::uint32_t warm_up(site& s, raw_device& device) {
  awaited_call call;
  s.terminator.link()->post(reading, 20s, call.cb());
  challenge(device, take_call(device, 0).channel, "n1");
  device.expect<apf::channel_close>();
  const auto second = take_call(device, 1);
  device.send(data(second.channel, ok_response("<warm/>")));
  REQUIRE(call.get().ok());
  return second.channel;
}

/// A user of a channel that does what the test tells it, on the tunnel's thread.
class scripted_user final : public amt::channel_user {
public:
  void channel_opened() override { opened = true; }
  void channel_refused(amt::refusal) override { refused = true; }
  void channel_data(std::string_view octets) override { received += octets.size(); }
  void channel_writable() override {
    ++writable;
    if (on_writable)
      on_writable();
  }
  void channel_closed(bool gone) override {
    closed = true;
    carrier_gone = gone;
  }
  std::atomic<bool> opened{false}, refused{false}, closed{false}, carrier_gone{false};
  std::atomic<std::size_t> received{0};
  std::atomic<int> writable{0};
  std::function<void()> on_writable;
};

/// Runs `f` on the tunnel's thread and waits for it.
template <class F> void on_tunnel(site& s, F f) {
  const auto found = s.listener->find(ref_a);
  REQUIRE(found.has_value());
  std::mutex m;
  std::condition_variable done;
  bool ran = false;
  REQUIRE(found->way->run([&](amt::carrier* way) {
    if (way != nullptr)
      f(*way);
    const std::lock_guard lock{m};
    ran = true;
    done.notify_one();
  }));
  std::unique_lock lock{m};
  REQUIRE(done.wait_for(lock, 20s, [&] { return ran; }));
}

/// All that was sent before has been handled when the reply is here.
void round_trip(raw_device& device, std::uint32_t cookie) {
  device.send(apf::keepalive_request{cookie});
  CHECK(device.expect<apf::keepalive_reply>().cookie == cookie);
}

} // namespace

TEST_CASE("a cold call is challenged and answered and a warm one is one round trip") {
  site s;
  const auto device = s.good_device();
  const auto kept = warm_up(s, *device);
  awaited_call call;
  s.terminator.link()->post(changing, 20s, call.cb());
  // No open, no 401: the request itself is the next thing the machine hears.
  const auto r = read_request(*device, 1);
  CHECK(*http::find(r.fields, "Host") == std::string{guid_a} + ":16992");
  const auto a = http::parse_authorization(*http::find(r.fields, "Authorization"));
  REQUIRE(a.ok());
  CHECK(a->nc == "00000002");
  CHECK(http::verify(*a, http::digest_ha1("admin", a->realm, "P@ss"), "POST", r.body));
  device->send(data(kept, ok_response("<done/>")));
  const auto got = call.get();
  REQUIRE(got.ok());
  CHECK(got->body == "<done/>");
}

TEST_CASE("a machine that closes after every answer gets a new channel for every call") {
  site s;
  const auto device = s.good_device();
  for (std::uint32_t i = 0; i < 3; ++i) {
    awaited_call call;
    s.terminator.link()->post(reading, 20s, call.cb());
    const auto in = take_call(*device, 0); // AMT reuses its numbers
    device->send(data(in.channel, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n"
                                  "\r\nok"));
    device->send(apf::channel_close{in.channel});
    CHECK(call.get().ok());
    CHECK(device->expect<apf::channel_close>().recipient == 0);
    // AMT repeats its CLOSE; that must not hurt the next channel.
    device->send(apf::channel_close{in.channel});
  }
}

TEST_CASE("three calls share a tunnel and each waits for its own window") {
  site s;
  const auto device = s.good_device();
  const auto link = s.terminator.link();
  awaited_call calls[3];
  std::string bodies[3];
  for (int i = 0; i < 3; ++i) {
    bodies[i] = reading + std::string(6000, static_cast<char>('a' + i));
    link->post(bodies[i], 20s, calls[i].cb());
  }
  std::map<std::uint32_t, http::request_parser> parsers;
  std::map<std::uint32_t, std::uint32_t> theirs;
  std::map<std::uint32_t, std::size_t> credit;
  for (std::uint32_t mine = 0; mine < 3; ++mine) {
    const auto open = device->expect<apf::channel_open>();
    theirs[mine] = open.sender;
    credit[mine] = 100;
    parsers.try_emplace(mine);
    device->send(apf::channel_open_confirmation{open.sender, mine, 100});
  }
  int complete = 0;
  while (complete < 3) {
    const auto d = device->expect<apf::channel_data>();
    REQUIRE(credit[d.recipient] >= d.data.size()); // never more than we allowed
    CHECK(d.data.size() <= 4096);
    credit[d.recipient] -= d.data.size();
    auto& parser = parsers.at(d.recipient);
    parser.feed(d.data);
    auto item = parser.next();
    if (const auto* r = std::get_if<http::request>(&item)) {
      ++complete;
      device->send(data(theirs[d.recipient], ok_response(r->body)));
    } else if (credit[d.recipient] == 0) {
      credit[d.recipient] += 499; // as seen in a fleet's log
      device->send(apf::channel_window_adjust{theirs[d.recipient], 499});
    }
  }
  for (int i = 0; i < 3; ++i) {
    const auto got = calls[i].get();
    REQUIRE(got.ok());
    CHECK(got->body == bodies[i]);
  }
}

TEST_CASE("a response larger than our window arrives as we reopen it") {
  site s;
  const auto device = s.good_device();
  awaited_call call;
  s.terminator.link()->post(reading, 20s, call.cb());
  const auto in = take_call(*device, 0);
  const auto octets = ok_response(std::string(600'000, 'x'));
  std::size_t credit = 81920;
  for (std::size_t at = 0; at < octets.size();) {
    if (credit == 0) {
      const auto more = device->expect<apf::channel_window_adjust>();
      CHECK(more.recipient == 0);
      CHECK(more.add >= 40960);
      credit += more.add;
    }
    const auto n = std::min({credit, octets.size() - at, std::size_t{4087}});
    device->send(data(in.channel, std::string_view{octets}.substr(at, n)));
    credit -= n;
    at += n;
  }
  const auto got = call.get();
  REQUIRE(got.ok());
  CHECK(got->body.size() == 600'000);
}

TEST_CASE("a response beyond the limit or without sense is a protocol error of the machine") {
  site s;
  const auto device = s.good_device();
  for (const std::string octets :
       {"HTTP/1.1 200 OK\r\nContent-Length: 1048577\r\n\r\n", "garbage\r\n\r\n"}) {
    awaited_call call;
    s.terminator.link()->post(reading, 20s, call.cb());
    const auto in = take_call(*device, 0);
    device->send(data(in.channel, octets));
    CHECK(call.get().error().what == problem::device_protocol);
    CHECK(device->expect<apf::channel_close>().recipient == 0);
    device->send(apf::channel_close{in.channel});
  }
  awaited_call cut;
  s.terminator.link()->post(reading, 20s, cut.cb());
  const auto in = take_call(*device, 0);
  device->send(data(in.channel, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"));
  device->send(apf::channel_close{in.channel});
  CHECK(cut.get().error().what == problem::device_protocol);
}

TEST_CASE("more data than the window allows ends the tunnel") {
  site s;
  const auto device = s.good_device();
  scripted_user slow;
  on_tunnel(s, [&](amt::carrier& way) { CHECK(way.open(16994, slow).ok()); });
  const auto open = device->expect<apf::channel_open>();
  CHECK(open.connected_port == 16994);
  device->send(apf::channel_open_confirmation{open.sender, 0, 4096});
  const std::string piece(4096, 'x');
  for (int i = 0; i < 20; ++i)
    device->send(data(open.sender, piece)); // exactly the window
  round_trip(*device, 1);
  device->send(data(open.sender, "y"));
  CHECK(device->expect<apf::disconnect>().reason == apf::disconnect_reason::protocol_error);
  device->expect_end();
  REQUIRE(s.terminator.wait([](auto& t) { return t.downs.size() == 1; }));
  CHECK(s.terminator.downs[0].why == link_end::protocol);
  CHECK(slow.received == 81920);
  CHECK(slow.carrier_gone);
  s.expect_service();
}

TEST_CASE("a message that announces more than any window is refused before it is stored") {
  site s;
  const auto device = s.good_device();
  device->send(std::string_view{"\x5E\0\0\0\1\x00\x01\x40\x01", 9}); // 81921 octets of data
  CHECK(device->expect<apf::disconnect>().reason == apf::disconnect_reason::protocol_error);
  device->expect_end();
  REQUIRE(s.terminator.wait([](auto& t) { return t.downs.size() == 1; }));
  CHECK(s.terminator.downs[0].why == link_end::protocol);
}

TEST_CASE("a slow consumer stops its own channel and nobody else") {
  site s;
  const auto device = s.good_device();
  device->polite = false;
  device->expect<apf::keepalive_options_request>();
  scripted_user slow;
  std::uint32_t channel = 0;
  on_tunnel(s, [&](amt::carrier& way) { channel = *way.open(16994, slow); });
  const auto open = device->expect<apf::channel_open>();
  device->send(apf::channel_open_confirmation{open.sender, 0, 4096});
  const std::string piece(4096, 'x');
  for (int i = 0; i < 20; ++i)
    device->send(data(open.sender, piece));
  // The next thing heard is this reply: no window was given back.
  round_trip(*device, 1);
  CHECK(slow.received == 81920);

  awaited_call call;
  s.terminator.link()->post(reading, 20s, call.cb());
  const auto in = take_call(*device, 1);
  device->send(data(in.channel, ok_response("<ok/>")));
  CHECK(call.get().ok());

  on_tunnel(s, [&](amt::carrier& way) { way.consumed(channel, 50'000); });
  const auto more = device->expect<apf::channel_window_adjust>();
  CHECK(more.recipient == 0);
  CHECK(more.add == 50'000);
  on_tunnel(s, [&](amt::carrier& way) { way.close(channel); });
  CHECK(device->expect<apf::channel_close>().recipient == 0);
}

TEST_CASE("a machine that does not read stops the writer and then gets everything") {
  site s;
  raw_device device{s.port()};
  device_options small;
  small.receive_buffer = 128 << 10;
  REQUIRE(device.start_tls(small));
  device.log_in(guid_a, "mpsuser", "Secr3t!A");
  device.announce(16994);
  s.terminator.link();
  constexpr std::size_t total = 16 << 20;
  const std::string block(100'000, 'z');
  scripted_user writer;
  std::uint32_t channel = 0;
  std::atomic<std::size_t> written{0};
  amt::carrier* way = nullptr;
  const auto write_all = [&] {
    while (written < total) {
      const auto n = way->write(
          channel, std::string_view{block}.substr(0, std::min(block.size(), total - written)));
      if (n == 0)
        return;
      written += n;
    }
  };
  writer.on_writable = write_all;
  on_tunnel(s, [&](amt::carrier& c) {
    way = &c;
    channel = *c.open(16994, writer);
  });
  const auto open = device.expect<apf::channel_open>();
  device.send(apf::channel_open_confirmation{open.sender, 3, 0x7FFFFFFF});
  while (!writer.opened)
    on_tunnel(s, [](amt::carrier&) {});
  on_tunnel(s, [&](amt::carrier&) { write_all(); });
  CHECK(written > 0);
  CHECK(written < total); // the kernel's buffers and max_unsent, not all of it
  std::size_t got = 0;
  while (got < total) {
    const auto d = device.expect<apf::channel_data>();
    CHECK(d.recipient == 3);
    CHECK(d.data.size() <= 4096);
    got += d.data.size();
  }
  CHECK(got == total);
  CHECK(written == total);
  on_tunnel(s, [&](amt::carrier& c) { c.close(channel); });
}

TEST_CASE("a flood of requests whose answers are not read is not stored") {
  site s;
  raw_device device{s.port()};
  device_options small;
  small.receive_buffer = 128 << 10;
  REQUIRE(device.start_tls(small));
  device.log_in(guid_a, "mpsuser", "Secr3t!A");
  device.polite = false;
  std::string flood;
  for (int i = 0; i < 2000; ++i)
    flood += apf::encode(apf::keepalive_request{42});
  std::size_t sent = 0;
  // The server reads no more when 64 KiB of answers wait; then the kernel's buffers fill.
  while (device.try_send(flood) && sent < (1U << 30))
    sent += flood.size();
  CHECK(sent < (1U << 30));
  for (std::size_t replies = 0; replies < sent / 5;) {
    const auto m = device.next();
    if (std::holds_alternative<apf::keepalive_reply>(m))
      ++replies;
    else // no port was announced: that takes the server 5 s
      REQUIRE(std::holds_alternative<apf::keepalive_options_request>(m));
  }
  device.fin();
  REQUIRE(s.terminator.wait([](auto& t) { return t.downs.size() == 1; }));
  s.expect_service();
}

TEST_CASE("a machine that wants to open a channel is refused") {
  site s;
  const auto device = s.good_device();
  apf::channel_open o;
  o.sender = 5;
  o.window = 4096;
  o.connected_port = 16992;
  device->send(o);
  const auto no = device->expect<apf::channel_open_failure>();
  CHECK(no.recipient == 5);
  CHECK(no.reason == apf::open_failure_reason::administratively_prohibited);
}

TEST_CASE("a call waits until its port is announced") {
  site s;
  raw_device device{s.port()};
  REQUIRE(device.start_tls());
  device.log_in(guid_a, "mpsuser", "Secr3t!A");
  awaited_call call;
  s.terminator.link()->post(reading, 20s, call.cb());
  round_trip(device, 1); // nothing was opened
  device.announce(623);
  device.announce(16992);
  const auto in = take_call(device, 0);
  device.send(data(in.channel, ok_response("<ok/>")));
  CHECK(call.get().ok());
}

TEST_CASE("an open that is answered too late is closed") {
  site s;
  const auto device = s.good_device();
  awaited_call call;
  s.terminator.link()->post(reading, 200ms, call.cb());
  const auto open = device->expect<apf::channel_open>();
  CHECK(call.get().error().what == problem::device_timeout);
  device->send(apf::channel_open_confirmation{open.sender, 6, 4096});
  CHECK(device->expect<apf::channel_close>().recipient == 6);
  device->send(apf::channel_close{open.sender});
  round_trip(*device, 1);
}

TEST_CASE("a refused open is tried once more") {
  site s;
  const auto device = s.good_device();
  awaited_call call;
  s.terminator.link()->post(reading, 20s, call.cb());
  auto open = device->expect<apf::channel_open>();
  device->send(apf::channel_open_failure{open.sender, apf::open_failure_reason::resource_shortage});
  const auto in = take_call(*device, 0);
  CHECK(in.channel != open.sender);
  device->send(data(in.channel, ok_response("<ok/>")));
  CHECK(call.get().ok());
}

TEST_CASE("the end of a tunnel ends the calls on it as the request had come far") {
  site s;
  const auto device = s.good_device();
  const auto kept = warm_up(s, *device);
  awaited_call sent;
  awaited_call unsent;
  s.terminator.link()->post(changing, 20s, sent.cb());
  read_request(*device, 1);
  s.terminator.link()->post(changing, 20s, unsent.cb());
  device->expect<apf::channel_open>();
  auto why = link_end::peer_closed;
  SUBCASE("FIN") {
    device->fin();
  }
  SUBCASE("RST") {
    device->reset();
  }
  SUBCASE("broken protocol") {
    device->send("\x07");
    why = link_end::protocol;
  }
  SUBCASE("in the middle of the answer") {
    device->send(data(kept, "HTTP/1.1 200 OK\r\nContent-Le"));
    device->fin();
  }
  SUBCASE("asked for") {
    s.terminator.link()->close(link_end::requested, "an operator wants it");
    why = link_end::requested;
  }
  CHECK(sent.get().error().what == problem::outcome_unknown);
  CHECK(unsent.get().error().what == problem::link_down);
  REQUIRE(s.terminator.wait([](auto& t) { return t.downs.size() == 1; }));
  CHECK(s.terminator.downs[0].why == why);
  awaited_call after;
  s.terminator.link()->post(reading, 20s, after.cb());
  CHECK(after.get().error().what == problem::link_down);
  s.expect_service();
}

TEST_CASE("a wrong password of the firmware is said as such") {
  site s;
  const auto device = s.good_device();
  awaited_call call;
  s.terminator.link()->post(reading, 20s, call.cb());
  challenge(*device, take_call(*device, 0).channel, "n1");
  device->expect<apf::channel_close>();
  challenge(*device, take_call(*device, 0).channel, "n2");
  CHECK(call.get().error().what == problem::device_auth);
  CHECK_FALSE(s.log.contains("P@ss"));
}

TEST_CASE("keep-alive requests are answered") {
  site s;
  const auto device = s.good_device();
  for (std::uint32_t cookie : {0U, 1U, 0xFFFFFFFFU})
    round_trip(*device, cookie);
}

TEST_CASE("a quiet machine is asked and late and when it answers on time again") {
  auto o = quick_options();
  o.late_after = 300ms;
  o.down_after = 60s;
  site s{o};
  const auto device = s.good_device();
  device->polite = false;
  device->expect<apf::keepalive_options_request>();
  const auto asked = device->expect<apf::keepalive_request>();
  REQUIRE(s.terminator.wait([](auto& t) { return t.lates.size() == 1 && t.lates[0]; }));
  CHECK(s.listener->now().late == 1);
  device->send(apf::keepalive_reply{asked.cookie});
  REQUIRE(s.terminator.wait([](auto& t) { return t.lates.size() >= 2 && !t.lates[1]; }));
  CHECK(s.listener->now().fell_late >= 1);
  CHECK(s.terminator.wait([](auto& t) { return t.downs.empty(); }));
}

TEST_CASE("a silent machine is down") {
  auto o = quick_options();
  o.late_after = 200ms;
  o.down_after = 500ms;
  site s{o};
  const auto device = s.good_device();
  REQUIRE(s.terminator.wait([](auto& t) { return t.downs.size() == 1; }));
  CHECK(s.terminator.downs[0].why == link_end::silent);
  CHECK(s.terminator.lates == std::vector<bool>{true});
  const auto seen = s.listener->now();
  CHECK(seen.ended[static_cast<std::size_t>(link_end::silent)] == 1);
  CHECK(seen.late == 0);
  device->expect_end();
}

TEST_CASE("without the last port the options are sent after a silence") {
  auto o = quick_options();
  o.options_quiet = 1s;
  site s{o};
  raw_device device{s.port()};
  REQUIRE(device.start_tls());
  device.log_in(guid_a, "mpsuser", "Secr3t!A");
  device.announce(16993);
  device.polite = false;
  const auto asked = device.expect<apf::keepalive_options_request>();
  CHECK(asked.interval_s == 30);
  CHECK(asked.timeout_s == 90);
  device.send(apf::keepalive_options_reply{30, 90});
  round_trip(device, 1);
}
