// A connection of `rpc` in clear: messages, calls, limits, ends.
#include "tests/unit/gateway/activation/stage.hpp"
#include "tests/unit/messages/rps/frames.hpp"

#include <doctest/doctest.h>

using namespace outband;
using namespace outband::testing;
using namespace std::chrono_literals;
using test::claim_text;
using test::frame_with;

namespace {

std::uint64_t counted(const activation_stage& s, activation::refused why) {
  return s.counts.refusal[static_cast<std::size_t>(why)];
}

/// Both rounds of a call that has no nonce yet; the second request.
std::string authorized_request(activation_stage& s) {
  const auto first = s.next_payload("wsman");
  CHECK(first.find("Authorization") == std::string::npos);
  s.respond(challenge);
  return s.next_payload("wsman");
}

} // namespace

TEST_CASE("the first message reaches the provisioner with token and address") {
  activation_stage s;
  s.begin();
  CHECK(s.who->token == "token-1");
  CHECK(s.who->peer == "10.0.0.7");
  CHECK(s.wish->profile == "p1");
  CHECK(s.wish->machine.hostname == "edge-01");
  CHECK(s.counts.wishes == 1);
  CHECK(s.counts.open == 1);
  CHECK(s.ws->sent.empty());
}

TEST_CASE("a call is one wsman message for each of its attempts") {
  activation_stage s;
  s.begin();
  auto got = s.post(reading);
  const auto request = authorized_request(s);
  CHECK(request.find("POST /wsman HTTP/1.1\r\nAuthorization: Digest username=\"$$OsAdmin\"") == 0);
  CHECK(request.find("Host: 4c4c4544-004d-4d10-8050-b2c04f325133:16992\r\n") != std::string::npos);
  CHECK(request.find("Connection: close\r\n") != std::string::npos);
  CHECK(request.find(reading) != std::string::npos);
  s.respond(answer_of("<ok/>"));
  REQUIRE(got.ok());
  CHECK(got.value().body == "<ok/>");
  CHECK(got.times() == 1);

  // The nonce serves the next one, and a length is as good as chunks.
  auto more = s.post(changing);
  CHECK(s.next_payload("wsman").find("Authorization") != std::string::npos);
  s.respond("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<more>");
  REQUIRE(more.ok());
  CHECK(more.value().body == "<more>");
  CHECK(s.ws->sent.empty());
}

TEST_CASE("another account begins without the nonce of the former one") {
  activation_stage s;
  s.begin();
  auto got = s.post(reading);
  authorized_request(s);
  s.respond(answer_of("<ok/>"));
  REQUIRE(got.ok());
  s.who->wire->sign_in("admin", secret_text("P@ssw0rd"));
  auto more = s.post(reading);
  CHECK(authorized_request(s).find("username=\"admin\"") != std::string::npos);
}

TEST_CASE("a wrong password ends the call after one try") {
  activation_stage s;
  s.begin();
  auto got = s.post(reading);
  authorized_request(s);
  s.respond(challenge);
  CHECK(got.why() == problem::device_auth);
  CHECK(s.ws->sent.empty());
}

TEST_CASE("an answer that is cut or no HTTP leaves a change unknown and fails a reading") {
  for (const std::string& octets : {answer_of("<ok/>").substr(0, 150), std::string("HTTP/1.1 200"),
                                    std::string("nonsense\r\n"), std::string()}) {
    CAPTURE(octets);
    activation_stage s;
    s.begin();
    auto read = s.post(reading);
    authorized_request(s);
    s.respond(octets);
    CHECK(read.why() == problem::device_protocol);
    auto change = s.post(changing);
    s.next_payload("wsman");
    s.respond(octets);
    CHECK(change.why() == problem::outcome_unknown);
    // The connection is as good as before.
    auto again = s.post(reading);
    s.next_payload("wsman");
    s.respond(answer_of("<ok/>"));
    CHECK(again.ok());
  }
}

TEST_CASE("one call at a time and none before somebody signed in") {
  activation_stage s;
  s.connect();
  REQUIRE(s.ws->say(frame_with("activate --profile p1", claim_text)));
  CHECK(s.post(reading).why() == problem::internal);
  s.who->wire->sign_in("admin", secret_text("x"));
  auto first = s.post(reading);
  CHECK(s.post(reading).why() == problem::busy);
  CHECK_FALSE(first.has());
}

TEST_CASE("the answer to a call that was given up is not taken for the next one's") {
  activation_stage s;
  s.begin();
  auto got = s.post(reading);
  authorized_request(s);
  s.respond(answer_of("<ok/>"));
  REQUIRE(got.ok());
  auto late = s.post(reading, 1ms);
  s.next_payload("wsman");
  s.until([&] { return late.has(); });
  CHECK(late.why() == problem::device_timeout);
  auto next = s.post(changing);
  s.next_payload("wsman");
  s.respond(answer_of("<a:RelatesTo>7</a:RelatesTo>"));
  CHECK_FALSE(next.has());
  CHECK(s.counts.stray == 1);
  s.respond(answer_of("<a:RelatesTo>8</a:RelatesTo>"));
  REQUIRE(next.ok());
  s.respond(answer_of("<a:RelatesTo>9</a:RelatesTo>")); // nobody asked
  CHECK(s.counts.stray == 2);
}

TEST_CASE("what is no message of the protocol gets an error before the end") {
  struct defect {
    std::string text;
    bool binary;
    activation::refused why;
    const char* says;
  };
  const defect defects[] = {
      {"hello", false, activation::refused::malformed, "not a JSON object"},
      {"{}", false, activation::refused::malformed, "Not a supported method"},
      {frame_with("activate", "{}"), false, activation::refused::malformed,
       "Invalid payload from client"},
      {frame_with("response", "x"), false, activation::refused::order, "The first message"},
      {frame_with("activate", claim_text), true, activation::refused::binary, "Binary"},
      {std::string(102401, ' '), false, activation::refused::too_large, "102400"},
  };
  for (const auto& d : defects) {
    CAPTURE(d.says);
    activation_stage s;
    s.opts.leave = 1ms;
    s.connect();
    REQUIRE(s.ws->say(d.text, d.binary));
    CHECK(s.next_error().find(d.says) != std::string::npos);
    CHECK(counted(s, d.why) == 1);
    CHECK_FALSE(s.wish);
    s.until([&] { return s.ws->closed.has_value(); });
    CHECK(*s.ws->closed == 1000);
    s.poll();
    CHECK(s.ended.empty());
    s.ws.reset();
    s.poll();
    CHECK(s.counts.open == 0);
  }
}

TEST_CASE("a second first message ends it and the provisioner hears so once") {
  activation_stage s;
  s.begin();
  auto got = s.post(reading);
  s.next();
  REQUIRE(s.ws->say(frame_with("activate --profile p2", claim_text)));
  CHECK(s.next_error() == "The first message came twice.");
  CHECK(got.why() == problem::link_down);
  CHECK(s.ended == std::vector<std::uint64_t>{s.who->id});
  s.ws->hang_up();
  s.poll();
  CHECK(s.ended.size() == 1);
}

TEST_CASE("a connection that ends leaves a sent change unknown") {
  activation_stage s;
  s.begin();
  auto got = s.post(changing);
  authorized_request(s);
  s.ws->hang_up();
  s.poll();
  CHECK(got.why() == problem::outcome_unknown);
  CHECK(got.times() == 1);
  CHECK(s.ended.size() == 1);
  CHECK(s.post(reading).why() == problem::link_down);
  answer_box<nothing> other;
  s.who->wire->switch_port(1s, other.cb());
  s.who->wire->use_tls({}, other.cb());
  s.poll();
  CHECK(other.times() == 2);
  CHECK(other.why() == problem::link_down);
}

TEST_CASE("a connection that ends before the password was sent leaves nothing unknown") {
  activation_stage s;
  s.begin();
  auto got = s.post(changing);
  s.next_payload("wsman");
  s.ws->hang_up();
  s.poll();
  CHECK(got.why() == problem::link_down);
}

TEST_CASE("the client's word that its local connection is gone ends the call") {
  activation_stage s;
  s.begin();
  auto got = s.post(reading);
  authorized_request(s);
  REQUIRE(s.ws->say(frame_with("connection_reset", "lms_error")));
  CHECK(got.why() == problem::device_timeout);
  auto change = s.post(changing);
  s.next_payload("wsman");
  REQUIRE(s.ws->say(frame_with("connection_reset", "connection_closed")));
  CHECK(change.why() == problem::outcome_unknown);
}

TEST_CASE("labels go only to clients that understand them") {
  activation_stage s;
  s.begin();
  s.who->wire->progress("Configuring TLS");
  CHECK(*s.next().find("message")->text() == "Configuring TLS");

  activation_stage old;
  old.connect();
  REQUIRE(old.ws->say(
      frame_with("activate --profile p1", test::with(claim_text, "progressSupported", ""))));
  old.who->wire->progress("Configuring TLS");
  old.poll();
  CHECK(old.ws->sent.empty());
}

TEST_CASE("the port is switched when the client says so or too late") {
  activation_stage s;
  s.opts.port_switch = 1ms;
  s.begin();
  answer_box<nothing> done;
  s.who->wire->switch_port(15s, done.cb());
  CHECK(s.next_payload("port_switch") == R"({"port":"16993","delay":15})");
  CHECK(s.post(reading).why() == problem::busy);
  REQUIRE(s.ws->say(frame_with("port_switch_ack", "ok")));
  CHECK(done.ok());

  answer_box<nothing> late;
  s.who->wire->switch_port(0s, late.cb());
  s.until([&] { return late.has(); });
  CHECK(late.why() == problem::device_timeout);
  REQUIRE(s.ws->say(frame_with("port_switch_ack", "ok"))); // nobody waits for it any more
  CHECK(late.times() == 1);
}

TEST_CASE("the last word is a report and nothing is listened to after it") {
  activation_stage s;
  s.begin();
  auto got = s.post(reading);
  s.next();
  provisioning_report r;
  r.success = true;
  r.status = "Admin control mode.";
  r.cira = "Configured";
  s.who->wire->finish(r);
  const auto doc = s.next();
  CHECK(*doc.find("method")->text() == "success");
  CHECK(*doc.find("message")->text() ==
        R"({"Status":"Admin control mode.","CIRAConnection":"Configured"})");
  CHECK(got.why() == problem::link_down);
  REQUIRE(s.ws->say("whatever"));
  s.who->wire->refuse("too late");
  s.who.reset();
  s.poll();
  CHECK(s.ws->sent.empty());
  CHECK_FALSE(s.ws->closed);
  CHECK(s.ended.empty());
  s.ws->hang_up();
  s.poll();
  CHECK(s.ended.size() == 1);
}

TEST_CASE("components are in the report if the site wants them") {
  activation_stage s;
  s.opts.components = true;
  s.begin();
  s.who->wire->finish({});
  CHECK(s.next().find("message")->text()->find("\"Components\"") != std::string::npos);
}

TEST_CASE("a provisioner that fails does not leave the client without a word") {
  activation_stage s;
  s.begin();
  s.who->wire.reset();
  CHECK(s.next_error() == "The server has failed. Do it again.");
  CHECK(counted(s, activation::refused::abandoned) == 1);
}

TEST_CASE("a refusal is the provisioner's sentence") {
  activation_stage s;
  s.begin();
  s.who->wire->refuse("The token has expired.");
  CHECK(s.next_error() == "The token has expired.");
}

TEST_CASE("silence is answered") {
  activation_stage first;
  first.opts.first_frame = 1ms;
  first.connect();
  first.until([&] { return !first.ws->sent.empty(); });
  CHECK(first.next_error() == "The first message did not come in time.");

  activation_stage later;
  later.opts.idle = 2ms;
  later.begin();
  later.until([&] { return !later.ws->sent.empty(); });
  CHECK(*later.next().find("method")->text() == "heartbeat_request");
  REQUIRE(later.ws->say(R"({"method":"heartbeat_response","status":"success","payload":""})"));
  later.until([&] { return !later.ws->sent.empty(); });
  CHECK(*later.next().find("method")->text() == "heartbeat_request");
  later.until([&] { return !later.ws->sent.empty(); });
  CHECK(later.next_error() == "The client does not answer any more.");
  CHECK(counted(later, activation::refused::idle) == 1);
  CHECK(later.ended.size() == 1);
}

TEST_CASE("no connection lasts for ever and none may flood") {
  activation_stage s;
  s.opts.overall = 1ms;
  s.begin();
  s.until([&] { return !s.ws->sent.empty(); });
  CHECK(s.next_error().find("took too long") != std::string::npos);

  activation_stage flood;
  flood.opts.max_frames = 3;
  flood.begin();
  for (int i = 0; i < 3; ++i)
    REQUIRE(flood.ws->say(R"({"method":"heartbeat_response"})"));
  CHECK(flood.next_error() == "Too many messages.");
}

TEST_CASE("a client that reads nothing is given up") {
  activation_stage s;
  s.begin();
  s.ws->reads = false;
  for (int i = 0; i < 200; ++i)
    s.who->wire->progress(std::string(30000, 'x'));
  s.poll();
  CHECK(s.ws->closed.has_value());
  CHECK(s.ended.size() == 1);
}

TEST_CASE("the upgrade is refused without a token unless the site allows it") {
  activation_stage s;
  s.connect("/activate");
  REQUIRE(s.refusal);
  CHECK(s.refusal->status == 403);
  CHECK(s.refusal->body.find("/activate/<token>") != std::string::npos);
  for (const char* path : {"/activate/a/b", "/activate/a%20b", "/activate/%2e%2e"}) {
    CAPTURE(path);
    s.connect(path);
    REQUIRE(s.refusal);
    CHECK(s.refusal->status == 404);
  }
  s.connect("/activate/" + std::string(129, 'a'));
  REQUIRE(s.refusal);
  CHECK(s.refusal->status == 404);
  CHECK(counted(s, activation::refused::no_token) == 5);

  activation_stage open;
  open.opts.bare = true;
  open.connect("/activate");
  REQUIRE(open.ws);
  REQUIRE(open.ws->say(frame_with("activate --profile p1", claim_text)));
  CHECK(open.who->token.empty());
}

TEST_CASE("connections are limited in total and for each address") {
  for (const bool total : {true, false}) {
    CAPTURE(total);
    activation_stage s;
    (total ? s.opts.max_connections : s.opts.per_address) = 1;
    auto routes = activation::make_routes(s.opts, s, s.counts);
    REQUIRE(routes.ok());
    std::optional<web::response> refusal;
    std::shared_ptr<scripted_websocket> ws;
    const auto ask = [&](const std::string& peer) {
      web::request q;
      q.peer = peer;
      q.target = *rest::parse_target("/activate/t");
      refusal.reset();
      routes->front().on_upgrade(q, web::upgrade(
                                        [&](web::upgrade::accepted a) {
                                          ws = std::make_shared<scripted_websocket>(s.context);
                                          a.open(ws);
                                        },
                                        web::responder([&, before = ws](web::response r) {
                                          if (ws == before)
                                            refusal = std::move(r);
                                        })));
    };
    ask("10.0.0.1");
    REQUIRE(ws);
    CHECK(s.counts.open == 1);
    ask("10.0.0.1");
    REQUIRE(refusal);
    CHECK(refusal->status == 503);
    CHECK(counted(s, total ? activation::refused::full : activation::refused::address) == 1);
    auto first = ws;
    ask("10.0.0.2");
    CHECK(refusal.has_value() == total);
    if (!total)
      ws->hang_up();
    first->hang_up();
    first.reset();
    ws.reset();
    s.poll();
    CHECK(s.counts.open == 0);
    ask("10.0.0.1");
    CHECK(ws);
    ws->hang_up();
    ws.reset();
    s.poll();
  }
}
