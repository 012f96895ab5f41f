/// A WS-MAN call as it travels: 401, close, a new channel, 200 in small pieces.
#include "messages/apf/channels.hpp"
#include "messages/apf/decoder.hpp"
#include "messages/http/digest.hpp"
#include "messages/http/parser.hpp"
#include "messages/http/writer.hpp"
#include "tests/unit/messages/http/shapes.hpp"

#include <doctest/doctest.h>

#include <map>

namespace outband::http::test {
namespace {

const std::string realm = "Digest:34BF4B5A0561F95248F58509A406E046";

/// Firmware that answers one request per channel, in DATA messages of seven octets.
class device {
public:
  device() : channels_(small()), in_(apf::side::device) {}

  void hear(std::string_view octets) {
    for (auto got = in_.next(octets); auto* m = std::get_if<apf::message>(&got);
         got = in_.next(octets))
      act(channels_.on(*m, out));
  }
  std::string out;

private:
  static apf::channels_config small() {
    auto c = apf::channels_config::device();
    c.receive_window = 1024;
    c.max_payload = 7;
    return c;
  }
  void act(const apf::channel_event& e) {
    if (const auto* asked = std::get_if<apf::open_asked>(&e)) {
      CHECK(channels_.accept(asked->channel, out));
      parsers_.erase(asked->channel);
    } else if (const auto* data = std::get_if<apf::data_arrived>(&e)) {
      auto& parser = parsers_[data->channel];
      parser.feed(data->data);
      channels_.consumed(data->channel, data->data.size(), out);
      auto got = parser.next();
      if (const auto* r = std::get_if<request>(&got))
        answer(data->channel, *r);
    }
  }
  void answer(std::uint32_t channel, const request& r) {
    std::string wire;
    const auto* value = find(r.fields, "Authorization");
    if (value == nullptr) {
      REQUIRE(write_sized(amt_unauthorized(captured_challenge, amt_server), wire).ok());
    } else {
      const auto a = parse_authorization(*value);
      REQUIRE(a.ok());
      CHECK(verify(*a, digest_ha1("admin", realm, "P@ssw0rd"), r.method, r.body));
      wire = captured_200();
    }
    CHECK(channels_.write(channel, wire, out) == wire.size());
    if (value == nullptr)
      channels_.close(channel, out);
  }

  apf::channels channels_;
  apf::decoder in_;
  std::map<std::uint32_t, request_parser> parsers_;
};

} // namespace

TEST_CASE("a call is refused and authenticated on a second channel") {
  device amt;
  apf::channels channels;
  apf::decoder in{apf::side::server};
  digest_session session;
  response_parser parser;
  std::string out;
  std::string pending;
  std::uint32_t current = 0;
  std::vector<int> statuses;
  int closed = 0;
  std::string body;

  const auto call = [&] {
    const auto id = channels.open(16992, out);
    REQUIRE(id.ok());
    current = *id;
    std::string authorization;
    if (session.ready()) {
      auto value = session.authorize("admin", "P@ssw0rd", "POST", "/wsman", "c", "");
      REQUIRE(value.ok());
      authorization = *value;
    }
    pending.clear();
    // Larger than the device's window, so that credit must come back.
    REQUIRE(write_wsman("g:16992", authorization, std::string(5000, 'x'), pending).ok());
    parser = response_parser{};
  };
  const auto flush = [&] {
    pending.erase(0, channels.write(current, pending, out));
  };
  const auto act = [&](const apf::channel_event& e) {
    if (std::holds_alternative<apf::opened>(e) || std::holds_alternative<apf::writable>(e)) {
      flush();
    } else if (const auto* data = std::get_if<apf::data_arrived>(&e)) {
      CHECK(data->data.size() <= 7);
      parser.feed(data->data);
      channels.consumed(data->channel, data->data.size(), out);
      auto got = parser.next();
      if (const auto* r = std::get_if<response>(&got)) {
        statuses.push_back(r->status);
        body = r->body;
        if (r->status == 401) {
          const auto c = find_challenge(r->fields);
          REQUIRE(c.ok());
          CHECK(session.learn(*c));
        }
      }
    } else if (std::holds_alternative<apf::channel_closed>(e)) {
      ++closed;
      call();
    }
  };

  call();
  for (int round = 0; round < 100 && statuses.size() < 2; ++round) {
    const auto to_device = std::exchange(out, {});
    amt.hear(to_device);
    const auto to_server = std::exchange(amt.out, {});
    std::string_view octets = to_server;
    for (auto got = in.next(octets); auto* m = std::get_if<apf::message>(&got);
         got = in.next(octets))
      act(channels.on(*m, out));
  }
  CHECK(statuses == std::vector<int>{401, 200});
  CHECK(closed == 1);
  CHECK(current == 2);
  CHECK(body == body_200());
}

} // namespace outband::http::test
