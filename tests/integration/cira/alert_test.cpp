// Channels that a machine opens, to deliver events.
#include "raw_device.hpp"
#include "site.hpp"

#include "messages/amt/events.hpp"
#include "messages/http/parser.hpp"

#include <doctest/doctest.h>

#include <cstdio>
#include <utility>

using namespace outband;
using namespace outband::test;

namespace {

const device_ref ref_a{"acme", *parse_uuid(guid_a)};

apf::channel_data data(std::uint32_t channel, std::string_view octets) {
  apf::channel_data d;
  d.recipient = channel;
  d.data = octets;
  return d;
}

apf::channel_open delivery(std::uint32_t mine, const char* type = "direct-tcpip") {
  apf::channel_open o;
  o.channel_type = type;
  o.sender = mine;
  o.window = 4096;
  o.connected_address = std::string(amt::delivery::host);
  o.connected_port = amt::delivery::port;
  return o;
}

std::string event_soap(const std::string& argument = "1") {
  return "<a:Envelope xmlns:a=\"http://www.w3.org/2003/05/soap-envelope\" "
         "xmlns:b=\"http://schemas.xmlsoap.org/ws/2004/08/addressing\" xmlns:g=\"http://"
         "schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_AlertIndication\"><a:Header><b:Action>"
         "http://schemas.dmtf.org/wbem/wsman/1/wsman/Event</b:Action></a:Header><a:Body>"
         "<g:CIM_AlertIndication><g:MessageID>iAMT0052</g:MessageID><g:MessageArguments>" +
         argument + "</g:MessageArguments></g:CIM_AlertIndication></a:Body></a:Envelope>";
}

std::string posted(const std::string& body) {
  return "POST /outband/alerts HTTP/1.1\r\nHost: x\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

/// Our number `mine`; gives the server's.
std::uint32_t open_delivery(raw_device& device, std::uint32_t mine,
                            const char* type = "direct-tcpip") {
  device.send(delivery(mine, type));
  const auto yes = device.expect<apf::channel_open_confirmation>();
  CHECK(yes.recipient == mine);
  return yes.sender;
}

int status_of_answer(raw_device& device, std::uint32_t mine) {
  http::response_parser parser;
  for (;;) {
    const auto d = device.expect<apf::channel_data>();
    CHECK(d.recipient == mine);
    parser.feed(d.data);
    auto item = parser.next();
    if (auto* r = std::get_if<http::response>(&item))
      return r->status;
    REQUIRE(std::holds_alternative<http::starved>(item));
  }
}

} // namespace

TEST_CASE("events are taken over channels that the machine opens for them") {
  site s;
  const auto device = s.good_device();
  for (const auto* type : {"direct-tcpip", "forwarded-tcpip"}) {
    const auto channel = open_delivery(*device, 5, type);
    for (const auto* argument : {"1", "2"}) { // one after the other on one channel
      device->send(data(channel, posted(event_soap(argument))));
      CHECK(status_of_answer(*device, 5) == 200);
    }
    device->send(apf::channel_close{channel});
    CHECK(device->expect<apf::channel_close>().recipient == 5);
  }
  const auto channel = open_delivery(*device, 0);
  const auto body = event_soap();
  char size[16];
  std::snprintf(size, sizeof size, "%zx", body.size());
  for (const auto& piece : {std::string("POST / HTTP/1.1\r\nTransfer-Encoding: chu"),
                            std::string("nked\r\n\r\n") + size + "\r\n" + body.substr(0, 50),
                            body.substr(50) + "\r\n0\r\n\r\n"})
    device->send(data(channel, piece));
  CHECK(status_of_answer(*device, 0) == 200);
  REQUIRE(s.terminator.wait([](const auto& t) { return t.alerts.size() == 5; }));
  CHECK(s.terminator.alerts[0].first.device == ref_a.device);
  CHECK(s.terminator.alerts[0].second.find("A KVM session has started.") != std::string::npos);
  CHECK(s.terminator.alerts[1].second.find("A KVM session has ended.") != std::string::npos);
}

TEST_CASE("channels to anywhere else and more than two for events are refused") {
  site s;
  const auto device = s.good_device();
  auto elsewhere = delivery(7);
  elsewhere.connected_address = "192.0.2.1";
  device->send(elsewhere);
  CHECK(device->expect<apf::channel_open_failure>().reason ==
        apf::open_failure_reason::administratively_prohibited);
  elsewhere = delivery(7);
  elsewhere.connected_port = 22;
  device->send(elsewhere);
  CHECK(device->expect<apf::channel_open_failure>().reason ==
        apf::open_failure_reason::administratively_prohibited);
  device->send(delivery(7, "session"));
  CHECK(device->expect<apf::channel_open_failure>().reason ==
        apf::open_failure_reason::unknown_channel_type);
  const auto first = open_delivery(*device, 1);
  open_delivery(*device, 2);
  device->send(delivery(3));
  CHECK(device->expect<apf::channel_open_failure>().reason ==
        apf::open_failure_reason::resource_shortage);
  // One that we closed counts until the machine has closed it, too.
  device->send(data(first, "garbage\r\n\r\n"));
  CHECK(status_of_answer(*device, 1) == 400);
  CHECK(device->expect<apf::channel_close>().recipient == 1);
  device->send(delivery(3));
  CHECK(device->expect<apf::channel_open_failure>().recipient == 3);
  device->send(apf::channel_close{first});
  open_delivery(*device, 3);
}

TEST_CASE("whoever wants no events has no channels opened") {
  auto o = quick_options();
  o.accept_alerts = false;
  site s{o};
  const auto device = s.good_device();
  device->send(delivery(5));
  CHECK(device->expect<apf::channel_open_failure>().reason ==
        apf::open_failure_reason::administratively_prohibited);
}

TEST_CASE("nonsense where an event should be ends its channel and not the tunnel") {
  site s;
  const auto device = s.good_device();
  const std::pair<std::string, int> wrong[] = {
      {std::string(300, '\x01') + "\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", 405},
      {posted("<html/>"), 400},
      {posted(""), 400},
      {"POST / HTTP/1.1\r\nContent-Length: 65537\r\n\r\n", 413},
      {"POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nX: " + std::string(5000, 'x'), 413}};
  for (const auto& [octets, status] : wrong) {
    const auto begin = octets.substr(0, 60); // not in the macro: clang captures no binding
    CAPTURE(begin);
    const auto channel = open_delivery(*device, 4);
    device->send(data(channel, octets));
    CHECK(status_of_answer(*device, 4) == status);
    CHECK(device->expect<apf::channel_close>().recipient == 4);
    device->send(data(channel, octets)); // it goes on: nobody listens
    device->send(apf::channel_close{channel});
  }
  // A body that never ends is not stored beyond its bound.
  const auto channel = open_delivery(*device, 4);
  device->send(data(channel, "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"));
  const std::string chunk = "1000\r\n" + std::string(0x1000, 'x') + "\r\n";
  for (int i = 0; i < 17; ++i)
    device->send(data(channel, chunk));
  CHECK(device->expect<apf::channel_window_adjust>().recipient == 4);
  CHECK(status_of_answer(*device, 4) == 413);
  CHECK(device->expect<apf::channel_close>().recipient == 4);
  device->send(apf::channel_close{channel});
  // The tunnel carries calls as if nothing had been.
  device->send(apf::keepalive_request{77});
  CHECK(device->expect<apf::keepalive_reply>().cookie == 77);
  CHECK(s.terminator.wait([](const auto& t) { return t.alerts.empty() && t.downs.empty(); }));
}

TEST_CASE("a machine that tells too much is asked to tell it later") {
  auto o = quick_options();
  o.alerts_per_minute = 2;
  site s{o};
  const auto device = s.good_device();
  const auto channel = open_delivery(*device, 6);
  for (const int status : {200, 200, 503}) {
    device->send(data(channel, posted(event_soap())));
    CHECK(status_of_answer(*device, 6) == status);
  }
  CHECK(device->expect<apf::channel_close>().recipient == 6);
  CHECK(s.terminator.wait([](const auto& t) { return t.alerts.size() == 2; }));
}

TEST_CASE("a machine that leaves while it tells an event leaves nothing behind") {
  site s;
  {
    const auto device = s.good_device();
    const auto channel = open_delivery(*device, 6);
    device->send(data(channel, posted(event_soap()).substr(0, 100)));
    device->reset();
  }
  CHECK(s.terminator.wait([](const auto& t) { return t.downs.size() == 1; }));
  s.expect_service();
}
