// What a link promises, whatever carries it: the same cases over CIRA, over TCP and over TLS.
#include "worlds.hpp"

using namespace outband;
using namespace outband::test;
using namespace std::chrono_literals;

namespace {

const std::string reading =
    "<s:Header><a:Action>http://schemas.xmlsoap.org/ws/2004/09/transfer/Get</a:Action></s:Header>"
    "<s:Body></s:Body>";
const std::string changing = "<s:Header><a:Action>http://x/RequestPowerStateChange</a:Action>"
                             "</s:Header><s:Body></s:Body>";

struct over_cira : cira_world {};
struct over_tcp : direct_world {
  over_tcp() : direct_world(false) {}
};
struct over_tls : direct_world {
  over_tls() : direct_world(true) {}
};

template <class World> struct contract {
  World w;
  result<soap_answer> ask(const std::string& envelope, std::chrono::milliseconds timeout = 20s) {
    awaited_call call;
    w.link()->post(envelope, timeout, call.cb());
    return call.get();
  }
};

} // namespace

#define OVER_EVERYTHING over_cira, over_tcp, over_tls

TEST_CASE_TEMPLATE("a call is answered and a warm one is one request", W, OVER_EVERYTHING) {
  contract<W> c;
  auto first = c.ask(reading);
  REQUIRE(first.ok());
  CHECK(first->status == 200);
  CHECK(first->body == reading);
  const auto before = c.w.fw().requests();
  CHECK(c.ask(changing)->body == changing);
  CHECK(c.ask(reading)->body == reading);
  CHECK(c.w.fw().requests() == before + 2);
}

TEST_CASE_TEMPLATE("an aged nonce costs one more round trip and no failure", W, OVER_EVERYTHING) {
  for (const bool close : {true, false}) {
    CAPTURE(close);
    contract<W> c;
    c.w.fw().close_after_401 = close;
    REQUIRE(c.ask(reading).ok());
    c.w.fw().ask_again();
    const auto before = c.w.fw().requests();
    CHECK(c.ask(changing).ok());
    CHECK(c.w.fw().requests() == before + 2);
  }
}

TEST_CASE_TEMPLATE("firmware that closes after every answer is talked to all the same", W,
                   OVER_EVERYTHING) {
  contract<W> c;
  c.w.fw().behave([](const http::request& r) {
    return firmware::reply{ok_octets(r.body, false), true};
  });
  for (int i = 0; i < 3; ++i)
    CHECK(c.ask(i % 2 == 0 ? reading : changing).ok());
}

TEST_CASE_TEMPLATE("three calls at a time are answered and a fourth is refused as busy", W,
                   OVER_EVERYTHING) {
  contract<W> c;
  REQUIRE(c.ask(reading).ok());
  c.w.fw().behave([](const http::request&) { return firmware::reply{}; });
  awaited_call calls[4];
  const auto before = c.w.fw().authorized();
  for (int i = 0; i < 3; ++i)
    c.w.link()->post(reading + std::to_string(i), 20s, calls[i].cb());
  REQUIRE(c.w.fw().wait_authorized(before + 3));
  c.w.link()->post(reading, 20s, calls[3].cb());
  CHECK(calls[3].get().error().what == problem::busy);
  // They are never answered; the link's end tells each of them, once.
  c.w.link()->close(link_end::requested, "enough");
  for (int i = 0; i < 3; ++i)
    CHECK(calls[i].get().error().what == problem::outcome_unknown);
}

TEST_CASE_TEMPLATE("a large answer arrives whole", W, OVER_EVERYTHING) {
  contract<W> c;
  const std::string large(600'000, 'x');
  c.w.fw().behave([&](const http::request&) { return firmware::reply{ok_octets(large), false}; });
  auto got = c.ask(reading);
  REQUIRE(got.ok());
  CHECK(got->body == large);
}

TEST_CASE_TEMPLATE("a large request arrives whole", W, OVER_EVERYTHING) {
  contract<W> c;
  const auto large = reading + std::string(200'000, 'y');
  auto got = c.ask(large);
  REQUIRE(got.ok());
  CHECK(got->body == large);
}

TEST_CASE_TEMPLATE(
    "nonsense and answers without end are the firmware's fault and harm no other call", W,
    OVER_EVERYTHING) {
  contract<W> c;
  for (const std::string octets :
       {"garbage\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 1048577\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"}) {
    c.w.fw().behave([&](const http::request&) { return firmware::reply{octets, false}; });
    CHECK(c.ask(reading).error().what == problem::device_protocol);
    c.w.fw().behave({});
    CHECK(c.ask(reading).ok());
  }
}

TEST_CASE_TEMPLATE("an answer that is cut short is the firmware's fault", W, OVER_EVERYTHING) {
  contract<W> c;
  c.w.fw().behave([](const http::request&) {
    return firmware::reply{"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", true};
  });
  CHECK(c.ask(reading).error().what == problem::device_protocol);
  c.w.fw().behave({});
  CHECK(c.ask(reading).ok());
}

TEST_CASE_TEMPLATE("a change that gets no answer is unknown and is not sent twice", W,
                   OVER_EVERYTHING) {
  contract<W> c;
  REQUIRE(c.ask(reading).ok());
  c.w.fw().behave([](const http::request&) { return firmware::reply{{}, true}; });
  const auto before = c.w.fw().authorized();
  CHECK(c.ask(changing).error().what == problem::outcome_unknown);
  CHECK(c.w.fw().authorized() == before + 1);
  c.w.fw().behave({});
  CHECK(c.ask(changing).ok());
}

TEST_CASE_TEMPLATE("silence ends a call at its deadline and nothing else", W, OVER_EVERYTHING) {
  contract<W> c;
  REQUIRE(c.ask(reading).ok());
  c.w.fw().behave([](const http::request&) { return firmware::reply{}; });
  CHECK(c.ask(reading, 50ms).error().what == problem::device_timeout);
  c.w.fw().behave({});
  CHECK(c.ask(reading).ok());
  CHECK(c.w.terminator().wait([](auto& t) { return t.downs.empty(); }));
}

TEST_CASE_TEMPLATE("a fault is an answer", W, OVER_EVERYTHING) {
  contract<W> c;
  c.w.fw().behave([](const http::request&) {
    return firmware::reply{"HTTP/1.1 400 Bad Request\r\nContent-Length: 8\r\n\r\n<fault/>", false};
  });
  auto got = c.ask(reading);
  REQUIRE(got.ok());
  CHECK(got->status == 400);
  CHECK(got->body == "<fault/>");
}

TEST_CASE_TEMPLATE("a machine that vanishes takes its link with it and every call is answered", W,
                   OVER_EVERYTHING) {
  contract<W> c;
  REQUIRE(c.ask(reading).ok());
  const auto link = c.w.link();
  c.w.fw().behave(c.w.vanish());
  CHECK(c.ask(changing).error().what == problem::outcome_unknown);
  CHECK(c.w.terminator().wait([](auto& t) {
    return t.downs.size() == 1 && t.downs[0].why == link_end::peer_closed &&
           t.downs[0].epoch == t.ups[0].epoch;
  }));
  CHECK(c.ask(reading).error().what == problem::link_down);
}
