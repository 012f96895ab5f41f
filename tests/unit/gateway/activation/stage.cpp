#include "tests/unit/gateway/activation/stage.hpp"

#include "messages/amt/base64.hpp"
#include "messages/http/writer.hpp"
#include "tests/unit/messages/rps/frames.hpp"

#include <doctest/doctest.h>

#include <boost/asio/post.hpp>

#include <chrono>

namespace outband::testing {

void scripted_websocket::receive(std::function<void(result<message>)> cb) {
  if (closed)
    boost::asio::post(context_, [cb] { cb(fail(problem::cancelled, "closed")); });
  else
    listener_ = std::move(cb);
}

void scripted_websocket::send(message m, std::function<void(bool)> done) {
  CHECK_FALSE(m.binary);
  if (!reads)
    return;
  sent.push_back(std::move(m.octets));
  boost::asio::post(context_, [done = std::move(done)] { done(true); });
}

void scripted_websocket::close(std::uint16_t code, std::string) {
  closed = code;
  hang_up();
}

bool scripted_websocket::say(std::string text, bool binary) {
  if (!listener_)
    return false;
  std::exchange(listener_, nullptr)(message{std::move(text), binary});
  return true;
}

void scripted_websocket::hang_up() {
  boost::asio::post(context_, [listener = std::exchange(listener_, nullptr)] {
    if (listener)
      listener(fail(problem::cancelled, "gone"));
  });
}

activation_stage::activation_stage() {
  opts.now = [] {
    return std::chrono::duration_cast<std::chrono::milliseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
  };
}

activation_stage::~activation_stage() {
  who.reset();
  if (ws)
    ws->hang_up();
  poll();
}

void activation_stage::opened(connection c, provisioning_wish w) {
  who = std::move(c);
  wish = std::move(w);
}

void activation_stage::connect(const std::string& path, const std::string& peer) {
  auto routes = activation::make_routes(opts, *this, counts);
  REQUIRE(routes.ok());
  web::request q;
  q.peer = peer;
  auto target = rest::parse_target(path);
  REQUIRE(target.ok());
  q.target = std::move(*target);
  refusal.reset();
  routes->front().on_upgrade(q, web::upgrade(
                                    [this](web::upgrade::accepted a) {
                                      ws = std::make_shared<scripted_websocket>(context);
                                      a.open(ws);
                                    },
                                    web::responder([this](web::response r) {
                                      if (!ws)
                                        refusal = std::move(r);
                                    })));
}

void activation_stage::begin() {
  connect();
  REQUIRE(ws);
  REQUIRE(ws->say(test::frame_with("activate --profile p1", test::claim_text)));
  REQUIRE(who);
  who->wire->sign_in("$$OsAdmin", secret_text("lsa pw"));
  poll();
}

void activation_stage::poll() {
  context.restart();
  context.poll();
}

void activation_stage::until(const std::function<bool()>& condition) {
  context.restart();
  while (!condition())
    REQUIRE(context.run_one() > 0);
}

json::value activation_stage::next() {
  poll();
  REQUIRE_FALSE(ws->sent.empty());
  auto doc = json::parse(ws->sent.front());
  ws->sent.pop_front();
  REQUIRE(doc.ok());
  return *doc;
}

std::string activation_stage::next_payload(const std::string& method) {
  const auto doc = next();
  REQUIRE(*doc.find("method")->text() == method);
  const auto* payload = doc.find("payload")->text();
  if (payload == nullptr || method == "port_switch")
    return payload ? *payload : "";
  return amt::base64_decode(*payload).value_or("not base64");
}

std::string activation_stage::next_error() {
  const auto doc = next();
  REQUIRE(*doc.find("method")->text() == "error");
  const auto status = json::parse(*doc.find("message")->text());
  REQUIRE(status.ok());
  return *status->find("Status")->text();
}

void activation_stage::respond(const std::string& octets) {
  REQUIRE(ws->say(test::frame_with("response", octets)));
  poll();
}

answer_box<soap_answer> activation_stage::post(const std::string& envelope,
                                               std::chrono::milliseconds timeout) {
  answer_box<soap_answer> box;
  who->wire->post(envelope, timeout, box.cb());
  poll();
  return box;
}

const std::string reading =
    "<s:Header><a:Action>http://schemas.xmlsoap.org/ws/2004/09/transfer/Get</a:Action>"
    "<a:MessageID>7</a:MessageID></s:Header><s:Body></s:Body>";
const std::string changing = "<s:Header><a:Action>http://x/Setup</a:Action>"
                             "<a:MessageID>8</a:MessageID></s:Header><s:Body></s:Body>";
const std::string challenge = [] {
  std::string out;
  (void)http::write_sized(
      http::amt_unauthorized(
          R"(Digest realm="Digest:A407", nonce="wlbEK1Et",stale="false",qop="auth")", "AMT"),
      out);
  return out;
}();

std::string answer_of(const std::string& body) {
  std::string out;
  auto r = http::amt_answer(200, "now", "AMT", body);
  r.keep_alive = false;
  (void)http::write_chunked(r, out);
  return out;
}

} // namespace outband::testing
