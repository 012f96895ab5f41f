#include "gateway/amt/amt_client.hpp"
#include "gateway/net/timers.hpp"
#include "messages/http/parser.hpp"

#include <doctest/doctest.h>

#include <boost/asio/io_context.hpp>

#include <map>
#include <optional>
#include <set>

using namespace outband;
using namespace outband::amt;
using namespace std::chrono_literals;

namespace {

const std::string reading =
    "<s:Header><a:Action>http://schemas.xmlsoap.org/ws/2004/09/transfer/Get</a:Action></s:Header>"
    "<s:Body></s:Body>";
const std::string changing = "<s:Header><a:Action>http://x/RequestPowerStateChange</a:Action>"
                             "</s:Header><s:Body></s:Body>";
const std::string ok_answer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n<ok/>";
const std::string closing_answer =
    "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\n<ok/>";
const std::string challenge = "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Digest realm=\"r\", "
                              "nonce=\"n\",stale=\"false\",qop=\"auth\"\r\nConnection: close\r\n"
                              "Content-Length: 0\r\n\r\n";

/// A machine made of a table: what was opened and written, and who is to hear of it.
class fake_carrier final : public carrier {
public:
  explicit fake_carrier(net::timers& t) : timers_(t) {}

  result<std::uint32_t> open(std::uint16_t port, channel_user& user) override {
    CHECK(port == 16992);
    users[++last] = &user;
    return last;
  }
  void hand_over(std::uint32_t channel, channel_user& user) override {
    REQUIRE(users.count(channel) == 1);
    users[channel] = &user;
  }
  std::size_t write(std::uint32_t channel, std::string_view octets) override {
    REQUIRE(users.count(channel) == 1);
    const auto n = std::min(octets.size(), credit);
    credit -= n;
    written[channel] += octets.substr(0, n);
    return n;
  }
  void consumed(std::uint32_t, std::size_t octets) override { consumed_octets += octets; }
  void close(std::uint32_t channel) override {
    REQUIRE(users.erase(channel) == 1);
    closed.insert(channel);
  }
  bool announced(std::uint16_t port) const override { return port == 16992 && serves; }
  net::timers& timers() override { return timers_; }
  void end(link_end why, std::string) override { ended = why; }

  channel_user& user(std::uint32_t channel) {
    REQUIRE(users.count(channel) == 1);
    return *users[channel];
  }
  /// The machine closes or refuses: nobody hears of that channel again.
  channel_user& drop(std::uint32_t channel) {
    auto& u = user(channel);
    users.erase(channel);
    return u;
  }

  net::timers& timers_;
  std::map<std::uint32_t, channel_user*> users;
  std::map<std::uint32_t, std::string> written;
  std::set<std::uint32_t> closed;
  std::uint32_t last = 0;
  std::size_t credit = 1 << 20;
  std::size_t consumed_octets = 0;
  bool serves = true;
  std::optional<link_end> ended;
};

class fake_handle final : public carrier_handle {
public:
  explicit fake_handle(fake_carrier& c) : carrier_(&c) {}
  bool run(std::function<void(carrier*)> f) override {
    if (carrier_ == nullptr)
      return false;
    f(carrier_);
    return true;
  }
  void gone() { carrier_ = nullptr; }

private:
  fake_carrier* carrier_;
};

/// Shared with the callback, which may come after the test's own copy is gone.
class outcome {
public:
  std::function<void(result<soap_answer>)> cb() {
    return [s = state_](result<soap_answer> r) {
      s->got = std::move(r);
      ++s->times;
    };
  }
  bool has() const { return state_->got.has_value(); }
  int times() const { return state_->times; }
  bool ok() const { return has() && state_->got->ok(); }
  const std::string& body() const {
    REQUIRE(ok());
    return (*state_->got)->body;
  }
  problem why() const {
    REQUIRE(has());
    REQUIRE_FALSE(state_->got->ok());
    return state_->got->error().what;
  }

private:
  struct state {
    std::optional<result<soap_answer>> got;
    int times = 0;
  };
  std::shared_ptr<state> state_ = std::make_shared<state>();
};

struct bench {
  boost::asio::io_context context;
  net::timers& timers = net::timers::of(context);
  fake_carrier machine{timers};
  std::shared_ptr<fake_handle> handle = std::make_shared<fake_handle>(machine);
  client_timing timing{1ms, 1ms, 1ms, 1ms, 1h};
  std::shared_ptr<amt_client> client;
  bench() { restart(); }
  void restart() {
    client =
        std::make_shared<amt_client>(handle, "guid", login{"admin", secret_text{"pw"}}, timing);
  }
  ~bench() { client->carrier_gone(); }

  std::uint32_t opened() {
    machine.user(machine.last).channel_opened();
    return machine.last;
  }
  /// Runs timers until it holds; fails if nothing is left to run.
  template <class F> void until(F holds) {
    while (!holds())
      REQUIRE(context.run_one() == 1);
  }
};

} // namespace

TEST_CASE("a cold call is challenged on one channel and answered on the next") {
  bench b;
  outcome o;
  b.client->post(reading, 1h, o.cb());
  const auto first = b.opened();
  CHECK(b.machine.written[first].find("Host: guid:16992\r\n") != std::string::npos);
  b.machine.user(first).channel_data(challenge);
  CHECK(b.machine.closed.count(first) == 1);
  const auto second = b.opened();
  CHECK(second != first);
  CHECK(b.machine.written[second].find("Authorization: Digest username=\"admin\"") !=
        std::string::npos);
  b.machine.user(second).channel_data(ok_answer);
  CHECK(o.body() == "<ok/>");
  CHECK(o.times() == 1);
  CHECK(b.machine.consumed_octets == challenge.size() + ok_answer.size());
}

TEST_CASE("a second call takes the channel that the first one left open") {
  bench b;
  b.timing.idle = 1h;
  b.restart();
  outcome one;
  outcome two;
  b.client->post(reading, 1h, one.cb());
  const auto channel = b.opened();
  b.machine.user(channel).channel_data(ok_answer);
  b.machine.written[channel].clear();
  b.client->post(changing, 1h, two.cb());
  CHECK(b.machine.last == channel); // no open: one round trip
  CHECK(b.machine.written[channel].find("POST /wsman") == 0);
  b.machine.user(channel).channel_data(ok_answer);
  CHECK(two.ok());
}

TEST_CASE("a kept channel that nobody wants is closed") {
  bench b;
  outcome o;
  b.client->post(reading, 1h, o.cb());
  const auto channel = b.opened();
  b.machine.user(channel).channel_data(ok_answer);
  CHECK(b.machine.closed.empty());
  b.until([&] { return b.machine.closed.count(channel) == 1; });
}

TEST_CASE("a channel that the firmware wants closed is not kept") {
  bench b;
  outcome o;
  b.client->post(reading, 1h, o.cb());
  const auto channel = b.opened();
  b.machine.user(channel).channel_data(closing_answer);
  CHECK(b.machine.closed.count(channel) == 1);
  CHECK(o.ok());
}

TEST_CASE("a kept channel that is gone is replaced for a reading and not for a change") {
  bench b;
  b.timing.idle = 1h;
  b.restart();
  outcome warm;
  b.client->post(reading, 1h, warm.cb());
  b.machine.user(b.opened()).channel_data(challenge);
  const auto kept = b.opened();
  b.machine.user(kept).channel_data(ok_answer);

  outcome o;
  SUBCASE("reading") {
    b.client->post(reading, 1h, o.cb());
    b.machine.drop(kept).channel_closed(false);
    const auto fresh = b.opened();
    CHECK(fresh != kept);
    SUBCASE("once") {
      b.machine.user(fresh).channel_data(ok_answer);
      CHECK(o.ok());
    }
    SUBCASE("not twice") {
      b.machine.drop(fresh).channel_closed(false);
      CHECK(o.why() == problem::device_protocol);
    }
  }
  SUBCASE("change") {
    b.client->post(changing, 1h, o.cb());
    b.machine.drop(kept).channel_closed(false);
    CHECK(o.why() == problem::outcome_unknown);
    CHECK(b.machine.last == kept);
  }
  SUBCASE("an idle channel that the firmware closes is forgotten") {
    b.machine.drop(kept).channel_closed(false);
    b.client->post(changing, 1h, o.cb());
    CHECK(b.machine.last == kept + 1);
  }
  SUBCASE("an idle channel that speaks unasked is closed") {
    b.machine.user(kept).channel_data("HTTP/1.1 200 OK\r\n");
    CHECK(b.machine.closed.count(kept) == 1);
  }
}

TEST_CASE("a change does not take a kept channel that has rested for long") {
  bench b;
  b.timing.idle = 1h;
  b.timing.reuse = -1ms;
  b.restart();
  outcome one;
  outcome two;
  b.client->post(reading, 1h, one.cb());
  const auto channel = b.opened();
  b.machine.user(channel).channel_data(ok_answer);
  b.client->post(changing, 1h, two.cb());
  CHECK(b.machine.last == channel + 1);
}

TEST_CASE("a call waits for its port and then opens") {
  bench b;
  b.timing.port_wait = 1h;
  b.restart();
  b.machine.serves = false;
  outcome o;
  b.client->post(reading, 1h, o.cb());
  CHECK(b.machine.last == 0);
  b.client->port_announced(16994);
  CHECK(b.machine.last == 0);
  b.client->port_announced(16992);
  CHECK(b.machine.last == 1);
}

TEST_CASE("a port that is never announced is tried once and then without waiting") {
  bench b;
  b.machine.serves = false;
  outcome one;
  b.client->post(reading, 1h, one.cb());
  b.until([&] { return b.machine.last == 1; });
  b.machine.user(b.opened()).channel_data(closing_answer);
  CHECK(one.ok());
  outcome two;
  b.client->post(reading, 1h, two.cb());
  CHECK(b.machine.last == 2);
}

TEST_CASE("a refused open is repeated once and then named") {
  bench b;
  b.timing.open = 1h;
  b.restart();
  const auto refuse_twice = [&](refusal why) {
    outcome o;
    b.client->post(reading, 1h, o.cb());
    const auto first = b.machine.last;
    b.machine.drop(first).channel_refused(why);
    CHECK_FALSE(o.has());
    b.until([&] { return b.machine.last == first + 1; });
    b.machine.drop(b.machine.last).channel_refused(why);
    return o.why();
  };
  CHECK(refuse_twice(refusal::shortage) == problem::busy);
  CHECK(refuse_twice(refusal::no_service) == problem::device_timeout);
  outcome o;
  b.client->post(reading, 1h, o.cb());
  b.machine.drop(b.machine.last).channel_refused(refusal::prohibited);
  CHECK(o.why() == problem::device_refused);
}

TEST_CASE("an open that is not answered is given up and closed") {
  bench b;
  outcome o;
  b.client->post(reading, 1h, o.cb());
  b.until([&] { return o.has(); });
  CHECK(o.why() == problem::device_timeout);
  CHECK(b.machine.closed.count(1) == 1);
}

TEST_CASE("a response that does not come in time ends the call and its channel") {
  bench b;
  outcome o;
  b.client->post(reading, 1ms, o.cb());
  const auto channel = b.opened();
  b.machine.user(channel).channel_data("HTTP/1.1 200 OK\r\n");
  b.until([&] { return o.has(); });
  CHECK(o.why() == problem::device_timeout);
  CHECK(b.machine.closed.count(channel) == 1);
  CHECK(o.times() == 1);
}

TEST_CASE("a request larger than the window leaves as the window opens") {
  bench b;
  b.machine.credit = 10;
  outcome o;
  b.client->post(reading, 1h, o.cb());
  const auto channel = b.opened();
  CHECK(b.machine.written[channel].size() == 10);
  while (b.machine.credit == 0) {
    b.machine.credit = 7;
    b.machine.user(channel).channel_writable();
  }
  http::request_parser p;
  p.feed(b.machine.written[channel]);
  auto item = p.next();
  REQUIRE(std::holds_alternative<http::request>(item));
  CHECK(std::get<http::request>(item).body == reading);
}

TEST_CASE("the end of the tunnel says whether the request may have been carried out") {
  bench b;
  outcome before;
  outcome unauthorized;
  outcome after;
  b.client->post(changing, 1h, after.cb());
  b.machine.user(b.opened()).channel_data(challenge);
  const auto sent = b.machine.last;
  b.machine.user(sent).channel_opened();
  b.client->post(changing, 1h, before.cb());
  CHECK(b.client->calls() == 2);
  b.handle->gone();
  for (auto [channel, user] : std::exchange(b.machine.users, {}))
    user->channel_closed(true);
  b.client->carrier_gone();
  CHECK(after.why() == problem::outcome_unknown);
  CHECK(before.why() == problem::link_down);
  CHECK(b.client->calls() == 0);
  outcome late;
  b.client->post(changing, 1h, late.cb());
  CHECK(late.why() == problem::link_down);
  CHECK(after.times() == 1);
  CHECK(before.times() == 1);
}

TEST_CASE("three calls run side by side and a fourth is told to wait") {
  bench b;
  outcome o[4];
  for (auto& one : o)
    b.client->post(reading, 1h, one.cb());
  CHECK(b.client->calls() == 3);
  CHECK(o[3].why() == problem::busy);
  for (std::uint32_t channel = 1; channel <= 3; ++channel) {
    b.machine.user(channel).channel_opened();
    b.machine.user(channel).channel_data(ok_answer);
  }
  for (int i = 0; i < 3; ++i)
    CHECK(o[i].ok());
  CHECK(b.machine.users.size() == 1); // one channel is kept, not three
}

TEST_CASE("close asks the carrier to end") {
  bench b;
  b.client->close(link_end::evicted, "a newer tunnel");
  CHECK(b.machine.ended == link_end::evicted);
}

TEST_CASE("an envelope beyond the limit is not sent") {
  bench b;
  outcome o;
  b.client->post(std::string((256 << 10) + 1, 'x'), 1h, o.cb());
  CHECK(o.why() == problem::too_large);
  CHECK(b.machine.last == 0);
}
