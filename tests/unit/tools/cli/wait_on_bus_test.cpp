/// `set host --wait` and `watch` against an in-process bus that a scripted controller speaks on.
#include "bus/local_endpoint.hpp"
#include "messages/bus/envelope.hpp"
#include "messages/bus/topics.hpp"
#include "messages/rest/json.hpp"
#include "tests/unit/tools/cli/fakes.hpp"

#include <condition_variable>
#include <doctest/doctest.h>
#include <mutex>

using namespace outband;
using namespace outband::cli;
using namespace outband::cli::test;

namespace {

const device_ref machine{"demo", sim1};

class controller {
public:
  controller() : end_(bus_.attach()) {}

  template <class T>
  void say(const std::string& topic, const bus::envelope& e, const T& body, bool retain) {
    bus::message m;
    m.topic = topic;
    m.payload = std::make_shared<const std::string>(bus::encode(e, body, bus::encoding::msgpack));
    m.content_type = std::string(bus::content_type_of(bus::root::native));
    m.retain = retain;
    std::mutex mutex;
    std::condition_variable wake;
    bool done = false;
    end_->publish(std::move(m), [&](const status&) {
      std::lock_guard lock(mutex);
      done = true;
      wake.notify_one();
    });
    std::unique_lock lock(mutex);
    wake.wait(lock, [&] { return done; });
  }
  void state(revision rev, power_state power, revision satisfied, const char* code = "",
             const char* reason = "") {
    bus::envelope e;
    e.id = order_id;
    e.time = 1'780'000'000'000;
    e.rev = rev;
    current_state c;
    c.power.state = power;
    c.link.state = link_state::up;
    c.desired_rev = satisfied;
    if (*code)
      c.conditions.push_back({"power", false, code, reason, 1});
    say(bus::current_topic(machine), e, c, true);
  }
  void tell(event_class cls, const char* type, const char* text, std::optional<uuid> command = {}) {
    bus::envelope e;
    e.id = order_id;
    e.time = 1'780'000'000'000;
    e.seq = ++sequence_;
    event body;
    body.cls = cls;
    body.type = type;
    body.text = text;
    body.command = command;
    say(bus::event_topic(machine, cls), e, body, false);
  }
  /// Events that nobody gets.
  void lose(std::uint64_t n) { sequence_ += n; }
  bus_opener opener() {
    return [this](const bus_ticket& t, const session&, ticket_source) -> result<bus_link> {
      ticket = t;
      return bus_link{bus_.attach(), "broker.example:8883", {}};
    };
  }
  bus_ticket ticket;

private:
  bus::local_bus bus_;
  std::unique_ptr<bus::endpoint> end_;
  std::uint64_t sequence_ = 0;
};

struct waiting_stage : stage {
  controller site;
  waiting_stage() {
    signed_in();
    two_hosts();
    open_bus = site.opener();
    server.say("POST /api/v1/authorize/bus", 200,
               R"({"username":"demo/op/alice","password":"jwt","clientIdPrefix":"op-alice-",)"
               R"("tenant":"demo","mqttPort":18883})");
    server.say("PATCH /compute/hosts/11111111-2222-4333-8444-555555555555", 200, host_sim1);
  }
  void outcome(const char* body) {
    server.say("GET /api/v1/requests/01890000-0000-7000-8000-000000000001", 200, body);
  }
  /// What the controller does once the order has arrived.
  void when_ordered(std::function<void()> then) {
    server.on_request = [then = std::move(then)](const https::request& q) {
      if (q.method == "PATCH")
        then();
    };
  }
  std::string json_outcome() const {
    auto v = json::parse(out.str());
    return v && v->find("outcome") ? *v->find("outcome")->text() : "no JSON: " + out.str();
  }
};

const char* stored_8 = R"({"status":"done","final":true,"text":"Stored.","desiredRevision":8})";

} // namespace

TEST_CASE("waiting ends with 0 when the wish is observed") {
  waiting_stage s;
  s.site.state(40, power_state::on, 7);
  s.outcome(stored_8);
  s.when_ordered([&] {
    s.site.state(41, power_state::on, 7, "in-progress", "Asking the firmware for off.");
    s.site.state(42, power_state::off_soft, 8);
  });
  CHECK(s.run({"set", "host", "sim-1", "--power", "off", "--wait"}) == 0);
  CHECK(s.out.str() == "sim-1: The machine is off, as wanted.\n");
  CHECK(s.err.str().find("stored as revision 8") != std::string::npos);
  CHECK(s.site.ticket.username == "demo/op/alice");
  CHECK(s.site.ticket.mqtt_port == 18883);
}

TEST_CASE("waiting ends with 3 when the machine's state forbids it") {
  waiting_stage s;
  s.site.state(40, power_state::off_soft, 7);
  s.outcome(stored_8);
  s.when_ordered([&] {
    s.site.tell(event_class::power, "power.refused", "A machine that is off cannot sleep.");
  });
  CHECK(s.run({"set", "host", "sim-1", "--power", "sleep", "--wait", "-o", "json"}) == 3);
  CHECK(s.json_outcome() == "refused");
}

TEST_CASE("a refused reset ends with 3 by the outcome that the server stored") {
  waiting_stage s;
  s.outcome(R"({"status":"accepted","final":false})");
  s.outcome(R"({"status":"failed","final":true,"text":"It is off.","code":"transition-refused"})");
  s.when_ordered(
      [&] { s.site.tell(event_class::command, "command.failed", "It is off.", order_id); });
  CHECK(s.run({"set", "host", "sim-1", "--power", "reset", "--wait", "-o", "json"}) == 3);
  CHECK(s.json_outcome() == "refused");
}

TEST_CASE("a reset ends with 0 by its final event") {
  waiting_stage s;
  s.outcome(R"({"status":"accepted","final":false})");
  s.when_ordered(
      [&] { s.site.tell(event_class::command, "command.done", "The machine is on.", order_id); });
  CHECK(s.run({"set", "host", "sim-1", "--power", "cycle", "--wait"}) == 0);
}

TEST_CASE("waiting ends with 4 when nothing is observed in time") {
  waiting_stage s;
  s.site.state(40, power_state::off_soft, 7, "waiting", "Waiting for the machine's tunnel.");
  s.outcome(stored_8);
  CHECK(s.run({"set", "host", "sim-1", "--power", "on", "--wait", "--timeout", "1ms", "-o",
               "json"}) == 4);
  CHECK(s.json_outcome() == "timed-out");
  CHECK(s.out.str().find("Waiting for the machine's tunnel.") != std::string::npos);
}

TEST_CASE("nothing is ordered when the broker cannot be used") {
  waiting_stage s;
  s.open_bus = [](const bus_ticket&, const session&, ticket_source) -> result<bus_link> {
    return fail(problem::bus_unavailable, "no route to the broker");
  };
  CHECK(s.run({"set", "host", "sim-1", "--power", "off", "--wait"}) == 1);
  CHECK(s.server.last("PATCH", "/compute/hosts/11111111-2222-4333-8444-555555555555") == nullptr);
  CHECK(s.err.str().find("no route to the broker") != std::string::npos);
}

namespace {

/// A stream that fails after some lines stands for a closed pipe.
class some_lines : public std::stringbuf {
public:
  explicit some_lines(int lines) : left_(lines) {}
  std::function<void()> on_line;

protected:
  int overflow(int c) override {
    if (left_ <= 0)
      return traits_type::eof();
    if (c == '\n') {
      --left_;
      on_line();
    }
    return std::stringbuf::overflow(c);
  }
  std::streamsize xsputn(const char* text, std::streamsize n) override {
    for (std::streamsize i = 0; i < n; ++i)
      if (overflow(static_cast<unsigned char>(text[i])) == traits_type::eof())
        return i;
    return n;
  }

private:
  int left_;
};

} // namespace

TEST_CASE("watch prints what is retained and what happens until its output is closed") {
  waiting_stage s;
  s.site.state(40, power_state::on, 7);
  some_lines buffer(2);
  buffer.on_line = [&] {
    s.site.tell(event_class::power, "power.changed", "The machine is off.");
  };
  auto* before = s.out.std::ostream::rdbuf(&buffer);
  CHECK(s.run({"watch", "sim-1"}) == 1);
  s.out.std::ostream::rdbuf(before);
  CHECK(buffer.str() == "20:26:40  sim-1  state   on; tunnel up\n"
                        "20:26:40  sim-1  event   The machine is off.\n");
}

TEST_CASE("watch shows a document once however often it is delivered and counts missing events") {
  waiting_stage s;
  s.site.state(40, power_state::on, 7);
  some_lines buffer(3);
  int line = 0;
  buffer.on_line = [&] {
    if (++line == 1) {
      s.site.state(40, power_state::on, 7); // as after a new connection
      s.site.state(39, power_state::off_soft, 7);
      s.site.tell(event_class::power, "power.changed", "First.");
      s.site.lose(2);
      s.site.tell(event_class::power, "power.changed", "Fourth.");
      s.site.tell(event_class::power, "power.changed", "Fifth.");
    }
  };
  auto* before = s.out.std::ostream::rdbuf(&buffer);
  CHECK(s.run({"watch", "sim-1"}) == 1);
  s.out.std::ostream::rdbuf(before);
  CHECK(buffer.str() == "20:26:40  sim-1  state   on; tunnel up\n"
                        "20:26:40  sim-1  event   First.\n"
                        "20:26:40  sim-1  event   Fourth.\n");
  CHECK(s.err.str().find("2 events of sim-1 were missed") != std::string::npos);
}
