#include "messages/apf/channels.hpp"

#include "messages/apf/decoder.hpp"
#include "messages/apf/encoder.hpp"
#include "tests/unit/messages/apf/vectors.hpp"

#include <doctest/doctest.h>

namespace outband::apf::test {
namespace {

template <class T> T is(const channel_event& e) {
  REQUIRE(std::holds_alternative<T>(e));
  return std::get<T>(e);
}

/// One side of a tunnel: what it wants to send collects in `out`.
struct party {
  channels ours;
  decoder in;
  std::string out;

  party(side s, channels_config c) : ours(c), in(s, decoder_limits{}) {}

  /// Reads what the other side wrote and hands each event to `f`.
  template <class F> void hear(party& other, F f) {
    const auto wire = std::move(other.out);
    other.out.clear();
    std::string_view octets = wire;
    for (auto got = in.next(octets); !std::holds_alternative<starved>(got); got = in.next(octets)) {
      REQUIRE(std::holds_alternative<message>(got));
      f(ours.on(std::get<message>(got), out));
    }
  }
};

struct pair {
  party server{side::server, channels_config::server()};
  party device{side::device, channels_config::device()};

  pair() = default;
  explicit pair(std::uint32_t device_window) {
    auto c = channels_config::device();
    c.receive_window = device_window;
    device.ours = channels{c};
  }
  /// The server's number of a channel that the device accepted as `expected`.
  std::uint32_t open(std::uint32_t expected) {
    const auto id = server.ours.open(16992, server.out);
    REQUIRE(id.ok());
    device.hear(server, [&](const channel_event& e) {
      const auto asked = is<open_asked>(e);
      CHECK(asked.channel == expected);
      CHECK(asked.what.connected_port == 16992);
      CHECK(device.ours.accept(asked.channel, device.out));
    });
    server.hear(device, [&](const channel_event& e) { CHECK(is<opened>(e).channel == *id); });
    return *id;
  }
};

std::string text(const std::string& octets) {
  return hex(octets);
}

} // namespace

TEST_CASE("an open asks for the port with our window and a number of ours") {
  channels c;
  std::string out;
  const auto id = c.open(16992, out);
  REQUIRE(id.ok());
  CHECK(*id == 1);
  CHECK(text(out) == "5a0000000f666f727761726465642d7463706970000000010001"
                     "4000ffffffff000000033a3a3100004260000000033a3a310000007b");
}

TEST_CASE("a device asks the server to connect somewhere for it") {
  pair p;
  auto config = channels_config::server();
  config.accept_opens = true;
  p.server.ours = channels{config};
  const auto id = p.device.ours.open_to("events.example", 8080, p.device.out);
  REQUIRE(id.ok());
  std::uint32_t theirs = 0;
  p.server.hear(p.device, [&](const channel_event& e) {
    const auto asked = is<open_asked>(e);
    CHECK(asked.what.channel_type == "direct-tcpip");
    CHECK(asked.what.connected_address == "events.example");
    CHECK(asked.what.connected_port == 8080);
    theirs = asked.channel;
    CHECK(p.server.ours.accept(asked.channel, p.server.out));
  });
  p.device.hear(p.server, [&](const channel_event& e) { CHECK(is<opened>(e).channel == *id); });
  CHECK(p.device.ours.write(*id, "POST", p.device.out) == 4);
  p.server.hear(p.device, [&](const channel_event& e) {
    CHECK(is<data_arrived>(e).channel == theirs);
    CHECK(is<data_arrived>(e).data == "POST");
  });
}

TEST_CASE("the ninth channel is refused and the lowest free slot is used again") {
  pair p;
  std::vector<std::uint32_t> ids;
  for (std::uint32_t slot = 0; slot < 8; ++slot)
    ids.push_back(p.open(slot));
  const auto ninth = p.server.ours.open(16992, p.server.out);
  REQUIRE(ninth.ok());
  p.device.hear(p.server, [](const channel_event& e) { is<ignored>(e); });
  p.server.hear(p.device, [&](const channel_event& e) {
    const auto no = is<open_refused>(e);
    CHECK(no.channel == *ninth);
    CHECK(no.reason == open_failure_reason::resource_shortage);
  });
  CHECK(p.server.ours.size() == 8);

  p.server.ours.close(ids[3], p.server.out);
  p.device.hear(p.server,
                [](const channel_event& e) { CHECK(is<channel_closed>(e).channel == 3); });
  p.server.hear(p.device,
                [&](const channel_event& e) { CHECK(is<channel_closed>(e).channel == ids[3]); });
  const auto retry = p.open(3);
  CHECK(retry == 10); // ours never come back
}

TEST_CASE("a 60 KB body passes through a window of 1024 octets") {
  pair p{1024};
  const auto id = p.open(0);
  std::string body;
  for (int i = 0; i < 60000; ++i)
    body += static_cast<char>('a' + i % 26);
  std::string arrived;
  std::size_t sent = 0;
  int rounds = 0;
  while (sent < body.size() && ++rounds < 1000) {
    const auto n = p.server.ours.write(id, std::string_view{body}.substr(sent), p.server.out);
    CHECK(n <= 1024);
    sent += n;
    p.device.hear(p.server, [&](const channel_event& e) {
      const auto piece = is<data_arrived>(e);
      arrived += piece.data;
      p.device.ours.consumed(piece.channel, piece.data.size(), p.device.out);
    });
    p.server.hear(p.device, [&](const channel_event& e) { CHECK(is<writable>(e).channel == id); });
  }
  CHECK(sent == body.size());
  CHECK(arrived == body);
}

TEST_CASE("one message carries at most 4096 octets") {
  pair p{20000};
  const auto id = p.open(0);
  const std::string body(10000, 'x');
  CHECK(p.server.ours.credit(id) == 20000);
  CHECK(p.server.ours.write(id, body, p.server.out) == 10000);
  CHECK(p.server.ours.credit(id) == 10000);
  std::vector<std::size_t> sizes;
  p.device.hear(p.server,
                [&](const channel_event& e) { sizes.push_back(is<data_arrived>(e).data.size()); });
  CHECK(sizes == std::vector<std::size_t>{4096, 4096, 1808});
}

TEST_CASE("a consumer that stops keeps the peer's window shut") {
  channels c;
  std::string out;
  const auto id = *c.open(16994, out);
  is<opened>(c.on(channel_open_confirmation{id, 0, 4096}, out));
  out.clear();
  const std::string piece(40960, 'x');
  is<data_arrived>(c.on(channel_data{id, piece}));
  is<data_arrived>(c.on(channel_data{id, piece}));
  CHECK(out.empty());
  CHECK(is<violation>(c.on(channel_data{id, "x"})).what == "more data than our window allows");
}

TEST_CASE("the window is reopened at half and never by more than was taken") {
  channels c;
  std::string out;
  const auto id = *c.open(16994, out);
  is<opened>(c.on(channel_open_confirmation{id, 7, 4096}, out));
  out.clear();
  is<data_arrived>(c.on(channel_data{id, std::string(40961, 'x')}));
  c.consumed(id, 40959, out);
  CHECK(out.empty());
  c.consumed(id, 1, out);
  CHECK(text(out) == "5d000000070000a000");
  out.clear();
  c.consumed(id, 1000000, out); // only one octet is owed
  CHECK(out.empty());
  is<data_arrived>(c.on(channel_data{id, std::string(81919, 'x')}));
  is<violation>(c.on(channel_data{id, "x"}));
  c.consumed(99, 5, out); // unknown: the channel closed meanwhile
  CHECK(out.empty());
}

TEST_CASE("a device's channel number may be 0") {
  channels c;
  std::string out;
  const auto id = *c.open(16992, out);
  is<opened>(c.on(channel_open_confirmation{id, 0, 10}, out));
  out.clear();
  CHECK(c.write(id, "hello", out) == 5);
  CHECK(text(out) == "5e000000000000000568656c6c6f");
  CHECK(c.write(id, "hello world", out) == 5);
  CHECK(c.write(id, "hello", out) == 0);
  out.clear();
  CHECK(is<writable>(c.on(channel_window_adjust{id, 3}, out)).channel == id);
  CHECK(c.write(id, "hello", out) == 3);
}

TEST_CASE("a stale close before the confirmation does not kill the new channel") {
  channels c;
  std::string out;
  const auto id = *c.open(16992, out);
  out.clear();
  is<ignored>(c.on(channel_close{id}, out));
  is<ignored>(c.on(channel_close{0}, out));
  is<ignored>(c.on(channel_data{id, "early"}, out));
  is<ignored>(c.on(channel_window_adjust{id, 5}, out));
  CHECK(out.empty());
  CHECK(is<opened>(c.on(channel_open_confirmation{id, 0, 4096}, out)).channel == id);
  CHECK(c.credit(id) == 4096);
}

TEST_CASE("an open that nobody waits for any more is closed when it is confirmed") {
  channels c;
  std::string out;
  const auto id = *c.open(16992, out);
  out.clear();
  c.close(id, out);
  c.close(id, out);
  CHECK(out.empty());
  CHECK(c.write(id, "x", out) == 0);
  is<ignored>(c.on(channel_open_confirmation{id, 5, 4096}, out));
  CHECK(text(out) == "6100000005");
  out.clear();
  is<ignored>(c.on(channel_data{id, "late"}));
  is<ignored>(c.on(channel_window_adjust{id, 10}, out));
  CHECK(is<channel_closed>(c.on(channel_close{id}, out)).channel == id);
  CHECK(out.empty());
  CHECK(c.size() == 0);
}

TEST_CASE("an abandoned open that is refused is over") {
  channels c;
  std::string out;
  const auto id = *c.open(16992, out);
  c.close(id, out);
  CHECK(is<channel_closed>(c.on(channel_open_failure{id, open_failure_reason::connect_failed}, out))
            .channel == id);
  CHECK(c.size() == 0);
}

TEST_CASE("a close is answered once and late messages are swallowed") {
  channels c;
  std::string out;
  const auto id = *c.open(16992, out);
  is<opened>(c.on(channel_open_confirmation{id, 2, 4096}, out));
  out.clear();
  CHECK(is<channel_closed>(c.on(channel_close{id}, out)).channel == id);
  CHECK(text(out) == "6100000002");
  out.clear();
  is<ignored>(c.on(channel_close{id}, out));
  is<ignored>(c.on(channel_data{id, "late"}));
  is<ignored>(c.on(channel_window_adjust{id, 1}, out));
  is<ignored>(c.on(channel_open_confirmation{id, 2, 4096}, out));
  is<ignored>(c.on(channel_open_failure{id, open_failure_reason::connect_failed}, out));
  CHECK(out.empty());
  c.close(id, out);
  CHECK(out.empty());
}

TEST_CASE("both may close at the same time") {
  pair p;
  const auto id = p.open(0);
  p.server.ours.close(id, p.server.out);
  p.device.ours.close(0, p.device.out);
  int closed = 0;
  const auto count = [&](const channel_event& e) {
    closed += std::holds_alternative<channel_closed>(e) ? 1 : 0;
  };
  auto device_close = std::move(p.device.out);
  p.device.out.clear();
  p.device.hear(p.server, count);
  CHECK(p.device.out.empty());
  p.device.out = std::move(device_close);
  p.server.hear(p.device, count);
  CHECK(p.server.out.empty());
  CHECK(closed == 2);
  CHECK(p.server.ours.size() + p.device.ours.size() == 0);
}

TEST_CASE("a window beyond 32 bits is a violation") {
  channels c;
  std::string out;
  const auto id = *c.open(16992, out);
  is<opened>(c.on(channel_open_confirmation{id, 2, 0xFFFFFFF0}, out));
  is<writable>(c.on(channel_window_adjust{id, 0xF}, out));
  CHECK(c.credit(id) == 0xFFFFFFFF);
  is<violation>(c.on(channel_window_adjust{id, 1}, out));
}

TEST_CASE("a burst of unknown numbers is a violation but single ones are not") {
  channels c;
  std::string out;
  const auto id = *c.open(16992, out);
  is<opened>(c.on(channel_open_confirmation{id, 2, 4096}, out));
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 64; ++i)
      is<ignored>(c.on(channel_data{77, "x"}));
    is<data_arrived>(c.on(channel_data{id, "x"})); // in between all is well
  }
  for (int i = 0; i < 64; ++i)
    is<ignored>(c.on(channel_close{77}, out));
  is<violation>(c.on(channel_close{77}, out));
}

TEST_CASE("a device that opens a channel is refused unless we accept opens") {
  channels c;
  std::string out;
  channel_open wish;
  wish.sender = 3;
  is<ignored>(c.on(wish, out));
  CHECK(text(out) == "5c00000003000000010000000000000000");
  CHECK(c.size() == 0);

  auto config = channels_config::server();
  config.accept_opens = true;
  channels open_minded{config};
  out.clear();
  wish.channel_type = "session";
  is<ignored>(open_minded.on(wish, out));
  CHECK(text(out) == "5c00000003000000030000000000000000");
  wish.channel_type = "direct-tcpip";
  wish.window = 9;
  const auto asked = is<open_asked>(open_minded.on(wish, out));
  is<ignored>(open_minded.on(channel_close{asked.channel}, out));
  CHECK(open_minded.write(asked.channel, "x", out) == 0);
  out.clear();
  CHECK(open_minded.accept(asked.channel, out));
  CHECK_FALSE(open_minded.accept(asked.channel, out));
  CHECK_FALSE(open_minded.refuse(asked.channel, open_failure_reason::connect_failed, out));
  CHECK(text(out) == "5b000000030000000100014000ffffffff");
  CHECK(open_minded.credit(asked.channel) == 9);
}

TEST_CASE("a device refuses a port that it does not serve") {
  pair p;
  const auto id = p.server.ours.open(1, p.server.out);
  REQUIRE(id.ok());
  p.device.hear(p.server, [&](const channel_event& e) {
    CHECK(p.device.ours.refuse(is<open_asked>(e).channel, open_failure_reason::connect_failed,
                               p.device.out));
  });
  p.server.hear(p.device, [](const channel_event& e) {
    CHECK(is<open_refused>(e).reason == open_failure_reason::connect_failed);
  });
  CHECK(p.device.ours.size() == 0);
}

TEST_CASE("no more channels than configured are asked for") {
  auto config = channels_config::server();
  config.max_channels = 2;
  channels c{config};
  std::string out;
  const auto first = c.open(1, out);
  REQUIRE(c.open(2, out).ok());
  out.clear();
  const auto third = c.open(3, out);
  REQUIRE_FALSE(third.ok());
  CHECK(third.error().what == problem::busy);
  CHECK(out.empty());
  c.close(*first, out); // abandoned: the device may still hold its slot
  CHECK_FALSE(c.open(3, out).ok());
  is<ignored>(c.on(channel_open_confirmation{*first, 0, 1}, out));
  is<channel_closed>(c.on(channel_close{*first}, out));
  CHECK(c.open(3, out).ok());
}

} // namespace outband::apf::test
