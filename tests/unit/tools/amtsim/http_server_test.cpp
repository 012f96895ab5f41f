#include "tools/amtsim/http_server.hpp"

#include "messages/http/digest.hpp"
#include "messages/http/writer.hpp"
#include "messages/wsman/envelope.hpp"
#include "tests/unit/tools/amtsim/bench_machine.hpp"
#include "tools/amtsim/activation_state.hpp"
#include "tools/amtsim/event_log_state.hpp"

#include <doctest/doctest.h>

namespace outband::amtsim {
namespace {

using test::bench_machine;

constexpr std::string_view date = "Tue, 22 Mar 2022 04:29:40 GMT";

const std::string& soap() {
  static const std::string text = wsman::write_request(
      {std::string(wsman::action::get), wsman::class_uri("CIM_BootService"), 3}, {});
  return text;
}

std::string post(const std::string& authorization) {
  std::string out;
  REQUIRE(http::write_wsman("guid:16992", authorization, soap(), out).ok());
  return out;
}

http_reply ask(http_server& s, bench_machine& m, const std::string& octets) {
  s.feed(octets);
  auto reply = s.next(m.model, m.faults, m.now, date);
  REQUIRE(reply.has_value());
  return *reply;
}

/// What an AMT client does: be refused once, then answer the challenge.
struct client {
  http::digest_session session;
  std::string password = "P@ssw0rd";

  void learn(const http_reply& refusal) {
    http::response_parser p;
    p.feed(refusal.octets);
    auto item = p.next();
    REQUIRE(std::holds_alternative<http::response>(item));
    auto c = http::find_challenge(std::get<http::response>(item).fields);
    REQUIRE(c.ok());
    session.learn(*c);
  }
  std::string authorization() {
    auto a = session.authorize("admin", password, "POST", "/wsman", "c0ffee", soap());
    REQUIRE(a.ok());
    return *a;
  }
};

TEST_CASE("the first request is challenged and the channel closes") {
  bench_machine m;
  http_server s;
  const auto reply = ask(s, m, post(""));
  CHECK(reply.status == 401);
  CHECK(reply.close);
  CHECK(reply.what.empty());
  CHECK(reply.octets.find("WWW-Authenticate: Digest realm=\"" + test::who().realm +
                          "\", nonce=\"") != std::string::npos);
  // MPS ends a message at this text or at "0\r\n\r\n", whichever it sees first.
  CHECK(reply.octets.find("</html>") != std::string::npos);
  CHECK(reply.octets.find("0\r\n\r\n") == std::string::npos);
}

TEST_CASE("a nonce is good on every channel and for many requests") {
  bench_machine m;
  client c;
  {
    http_server first;
    c.learn(ask(first, m, post("")));
  }
  for (int i = 0; i < 3; ++i) {
    http_server next;
    const auto reply = ask(next, m, post(c.authorization()));
    CHECK(reply.status == 200);
    CHECK_FALSE(reply.close);
    CHECK(reply.what == "CIM_BootService/Get");
    CHECK(ask(next, m, post(c.authorization())).status == 200);
  }
}

TEST_CASE("an answer is chunked as firmware chunks it") {
  bench_machine m;
  client c;
  http_server first;
  c.learn(ask(first, m, post("")));
  http_server s;
  const auto reply = ask(s, m, post(c.authorization()));
  const std::string head = "HTTP/1.1 200 OK\r\n"
                           "Date: Tue, 22 Mar 2022 04:29:40 GMT\r\n"
                           "Server: Intel(R) Active Management Technology 16.1.25.2049\r\n"
                           "X-Frame-Options: DENY\r\n"
                           "Content-Type: application/soap+xml; charset=UTF-8\r\n"
                           "Transfer-Encoding: chunked\r\n\r\n02FA\r\n";
  CHECK(reply.octets.substr(0, head.size()) == head);
  // The end of the message, and nothing before it, reads "0\r\n\r\n".
  CHECK(reply.octets.find("0\r\n\r\n") == reply.octets.size() - 5);
}

TEST_CASE("wrong passwords and foreign or old nonces are challenged again") {
  bench_machine m;
  client c;
  http_server s1;
  c.learn(ask(s1, m, post("")));
  auto right = c.authorization();
  c.password = "wrong";
  http_server s2;
  CHECK(ask(s2, m, post(c.authorization())).status == 401);
  http_server s3;
  CHECK(ask(s3, m, post("Basic YWRtaW46UEBzc3cwcmQ=")).status == 401);
  for (int i = 0; i < 4; ++i)
    m.model.new_nonce();
  http_server s4;
  CHECK(ask(s4, m, post(right)).status == 401);
}

TEST_CASE("a fault that an answer carries closes the channel") {
  bench_machine m;
  client c;
  http_server s1;
  c.learn(ask(s1, m, post("")));
  m.faults.add(fault_kind::bad_digest, sim_time{0}, 1, m.now);
  http_server s2;
  const auto again = ask(s2, m, post(c.authorization()));
  CHECK(again.status == 401);
  c.learn(again);
  m.faults.add(fault_kind::truncate, sim_time{0}, 1, m.now);
  m.faults.add(fault_kind::slow, sim_time{700}, 1, m.now);
  http_server s3;
  const auto cut = ask(s3, m, post(c.authorization()));
  CHECK(cut.close);
  CHECK(cut.delay == sim_time{700});
  CHECK(cut.octets.find("0\r\n\r\n") == std::string::npos);
  m.faults.add(fault_kind::no_answer, sim_time{0}, 1, m.now);
  http_server s4;
  CHECK(ask(s4, m, post(c.authorization())).silent);
}

/// The body of the answer under that fault; what http::response_parser makes of it.
http::response_parser::item under(bench_machine& m, client& c, fault_kind kind) {
  REQUIRE(m.faults.add(kind, sim_time{0}, 1, m.now));
  http_server s;
  const auto reply = ask(s, m, post(c.authorization()));
  http::response_parser p({8 << 10, 64, 4 << 20});
  p.feed(reply.octets);
  return p.next();
}

TEST_CASE("hostile answers are as hostile as they were ordered") {
  bench_machine m;
  client c;
  http_server first;
  c.learn(ask(first, m, post("")));
  const auto body = [&](fault_kind kind) {
    const auto item = under(m, c, kind);
    REQUIRE(std::holds_alternative<http::response>(item));
    return std::get<http::response>(item).body;
  };
  CHECK(body(fault_kind::huge_text).size() > (1U << 20));
  const auto other = wsman::parse_response(body(fault_kind::wrong_class));
  REQUIRE(other.ok());
  CHECK(other->body.children.front().name == "CIM_Toaster");
  CHECK_FALSE(wsman::parse_response(body(fault_kind::deep_xml)).ok());
  CHECK(wsman::parse_response(body(fault_kind::soap_fault))->refused->subcode == "InternalError");
  const auto empty = std::get<http::response>(under(m, c, fault_kind::empty_fault));
  CHECK(empty.status == 400);
  CHECK(empty.body.empty());
  CHECK(std::holds_alternative<http::starved>(under(m, c, fault_kind::endless)));
  CHECK(wsman::parse_response(body(fault_kind::slow)).ok());
}

TEST_CASE("an endless answer goes on in whole chunks") {
  bench_machine m;
  client c;
  http_server first;
  c.learn(ask(first, m, post("")));
  m.faults.add(fault_kind::endless, sim_time{0}, 1, m.now);
  http_server s;
  const auto reply = ask(s, m, post(c.authorization()));
  http::response_parser p;
  p.feed(reply.octets);
  for (int i = 0; i < 100; ++i) {
    p.feed(reply.repeat);
    REQUIRE(std::holds_alternative<http::starved>(p.next()));
  }
}

TEST_CASE("every tenth wrong password in a row is an event") {
  bench_machine m;
  client c;
  http_server first;
  c.learn(ask(first, m, post("")));
  const auto before = m.model.events->records.size();
  c.password = "wrong";
  for (int i = 0; i < 9; ++i) {
    http_server s;
    c.learn(ask(s, m, post(c.authorization())));
  }
  CHECK(m.model.events->records.size() == before);
  http_server s;
  c.learn(ask(s, m, post(c.authorization())));
  REQUIRE(m.model.events->records.size() == before + 1);
  const auto& record = m.model.events->records.back();
  CHECK(record[5] == 6); // sensor type: authentication failed ...
  CHECK(record.substr(13, 3) == std::string("\xAA\x0A\0", 3)); // ... ten times
}

TEST_CASE("requests that are none are answered shortly and end the channel") {
  bench_machine m;
  for (const auto& [octets, status] :
       {std::pair<std::string, int>{"GET /wsman HTTP/1.1\r\nHost: x\r\n\r\n", 405},
        {"POST /index.htm HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", 404},
        {"\x16\x03\x01\r\n\r\n", 400},
        {"POST /wsman HTTP/1.1\r\nContent-Length: 999999999\r\n\r\n", 400}}) {
    CAPTURE(octets);
    http_server s;
    const auto reply = ask(s, m, octets);
    CHECK(reply.status == status);
    CHECK(reply.close);
  }
}

TEST_CASE("a request arrives in any pieces") {
  bench_machine m;
  client c;
  http_server s1;
  c.learn(ask(s1, m, post("")));
  const auto whole = post(c.authorization());
  http_server s;
  for (std::size_t i = 0; i + 1 < whole.size(); ++i) {
    s.feed(whole.substr(i, 1));
    REQUIRE_FALSE(s.next(m.model, m.faults, m.now, date).has_value());
  }
  CHECK(ask(s, m, whole.substr(whole.size() - 1)).status == 200);
}

TEST_CASE("three wrong passwords lock everybody out for a while") {
  bench_machine m;
  m.model.activation.change().lock = sim_time{5000};
  client guesser;
  guesser.password = "guess";
  for (int i = 0; i < 3; ++i) {
    http_server s;
    guesser.learn(ask(s, m, post("")));
    http_server next;
    CHECK(ask(next, m, post(guesser.authorization())).status == 401);
  }
  client owner;
  http_server s;
  owner.learn(ask(s, m, post("")));
  http_server locked;
  CHECK(ask(locked, m, post(owner.authorization())).status == 401);
  m.after(5001);
  http_server open;
  CHECK(ask(open, m, post(owner.authorization())).status == 200);
}

TEST_CASE("a stale nonce is said to be one") {
  bench_machine m;
  client c;
  http_server s;
  c.learn(ask(s, m, post("")));
  m.faults.add(fault_kind::stale_nonce, sim_time{0}, 1, m.now);
  http_server next;
  const auto refusal = ask(next, m, post(c.authorization()));
  CHECK(refusal.status == 401);
  CHECK(refusal.octets.find("stale=\"true\"") != std::string::npos);
  c.learn(refusal);
  http_server again;
  CHECK(ask(again, m, post(c.authorization())).status == 200);
}

TEST_CASE("a machine is busy for a while after it was set up") {
  auto s = test::exact();
  s.times.setup_busy = sim_time{1000};
  bench_machine m(s);
  client c;
  http_server first;
  c.learn(ask(first, m, post("")));
  begin_busy(m.model, m.now);
  http_server busy;
  CHECK(ask(busy, m, post(c.authorization())).status == 503);
  m.after(1001);
  http_server ready;
  CHECK(ask(ready, m, post(c.authorization())).status == 200);
}

} // namespace
} // namespace outband::amtsim
