// The activation WebSocket on a real socket: paths, messages, ends; the provisioner is a table.
#include "gateway/activation/routes.hpp"
#include "messages/amt/base64.hpp"
#include "tests/integration/http/raw_client.hpp"
#include "tests/integration/http/running.hpp"
#include "tests/unit/messages/rps/frames.hpp"

#include <condition_variable>

using namespace outband;
using namespace outband::test;

namespace {

/// Answers every wish with one reading of the firmware and a report about it.
struct table final : activation_port {
  void opened(connection who, provisioning_wish w) override {
    const std::lock_guard hold(mutex);
    seen = who;
    wish = std::move(w);
    changed.notify_all();
    if (silent)
      return;
    auto wire = who.wire;
    wire->sign_in(wish.machine.local_user, wish.machine.password);
    wire->progress("Starting provisioning");
    wire->post("<Envelope/>", std::chrono::seconds(30), [wire](result<soap_answer> r) {
      provisioning_report report;
      report.success = r.ok() && r->body == "<ok/>";
      report.status = r ? "Admin control mode." : r.error().detail;
      report.cira = "Configured";
      wire->finish(report);
    });
  }
  void closed(std::uint64_t id) override {
    const std::lock_guard hold(mutex);
    over = id;
    seen.wire.reset();
    changed.notify_all();
  }
  void wait_for(const std::function<bool()>& condition) {
    std::unique_lock hold(mutex);
    changed.wait(hold, condition);
  }

  std::mutex mutex;
  std::condition_variable changed;
  connection seen;
  provisioning_wish wish;
  std::uint64_t over = 0;
  bool silent = false;
};

/// Before what uses it: connections speak to it until the pool's threads have ended.
struct deciding {
  table decides;
  activation::counters counts;
};

struct activating : deciding, running {
  activating() {
    opts.now = [] {
      return time_ms{1};
    };
  }
  void serve_it() {
    auto routes = activation::make_routes(opts, decides, counts);
    REQUIRE(routes.ok());
    upgrades = std::move(*routes);
    start();
  }

  activation::options opts;
};

json::value message(raw_client& c) {
  for (;;) {
    auto f = c.receive_frame();
    REQUIRE(f);
    if (f->opcode == 9)
      continue;
    REQUIRE(f->opcode == 1);
    auto doc = json::parse(f->payload);
    REQUIRE(doc.ok());
    return *doc;
  }
}
std::string text(const json::value& doc, const char* name) {
  REQUIRE(doc.find(name));
  REQUIRE(doc.find(name)->text());
  return *doc.find(name)->text();
}

} // namespace

TEST_CASE("a client with a token in its address is served to the end") {
  for (const char* path :
       {"/activate/abc_DEF-1", "/deactivate/abc_DEF-1", "/MAINTENANCE/abc_DEF-1/"}) {
    CAPTURE(path);
    activating site;
    site.serve_it();
    raw_client c(site.port());
    // A page of another site has nothing here that it could use, so its origin does not matter.
    REQUIRE(c.upgrade(path, "Origin: https://elsewhere.example\r\n").find(" 101 ") !=
            std::string::npos);
    c.send_frame(1, frame_with("activate --profile p1", claim_text));
    CHECK(text(message(c), "message") == "Starting provisioning");
    const auto ask = message(c);
    CHECK(text(ask, "method") == "wsman");
    CHECK(amt::base64_decode(text(ask, "payload"))->find("<Envelope/>") != std::string::npos);
    c.send_frame(1, frame_with("response", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
                                           "Connection: close\r\n\r\n0005\r\n<ok/>\r\n0\r\n\r\n"));
    const auto last = message(c);
    CHECK(text(last, "method") == "success");
    CHECK(text(last, "message") ==
          R"({"Status":"Admin control mode.","CIRAConnection":"Configured"})");
    c.send_frame(8, "\x03\xe8");
    site.decides.wait_for([&] { return site.decides.over != 0; });
    CHECK(site.decides.seen.token == "abc_DEF-1");
    CHECK(site.decides.seen.peer == "127.0.0.1");
    CHECK(site.decides.wish.profile == "p1");
  }
}

TEST_CASE("a client that keeps TCP open after its WebSocket gives its place to the next one") {
  activating site;
  site.options.max_connections = 1;
  site.options.linger = std::chrono::milliseconds(1);
  site.opts.max_connections = 1;
  site.decides.silent = true;
  SUBCASE("over TLS") {}
  SUBCASE("in clear") {
    site.options.tls.reset();
  }
  site.serve_it();
  const auto enter = [&](raw_client& c) {
    return c.upgrade("/activate/t", "").find(" 101 ") != std::string::npos;
  };
  std::vector<std::unique_ptr<raw_client>> open; // and remain so
  for (std::uint64_t turn = 1; turn <= 3; ++turn) {
    const bool tls = site.options.tls.has_value();
    auto c = std::make_unique<raw_client>(site.port(), tls);
    while (!enter(*c)) // who comes too early is closed at once
      c = std::make_unique<raw_client>(site.port(), tls);
    c->send_frame(1, frame_with("activate", claim_text));
    site.decides.wait_for([&] { return site.decides.seen.wire != nullptr; });
    c->send_frame(8, "\x03\xe8");
    auto end = c->receive_frame();
    open.push_back(std::move(c));
    REQUIRE(end);
    CHECK(end->opcode == 8);
    site.decides.wait_for([&] { return site.decides.over == turn; });
  }
}

TEST_CASE("the bare path is refused before the upgrade in a sentence") {
  activating site;
  site.serve_it();
  raw_client c(site.port());
  CHECK(c.upgrade("/activate", "").find(" 403 ") != std::string::npos);
  auto https = site.client();
  raw_client other(site.port());
  CHECK(other.upgrade("/activate/a/b", "").find(" 404 ") != std::string::npos);
  raw_client plain(site.port());
  REQUIRE(plain.send("GET /activate/abc HTTP/1.1\r\nHost: x\r\n\r\n"));
  CHECK(plain.receive_until("\r\n\r\n").find(" 426 ") != std::string::npos);
  raw_client wrong(site.port());
  CHECK(wrong.upgrade("/activated/abc", "").find(" 101 ") == std::string::npos);
}

TEST_CASE("the bare path serves where the site wants it") {
  activating site;
  site.opts.bare = true;
  site.decides.silent = true;
  site.serve_it();
  raw_client c(site.port());
  REQUIRE(c.upgrade("/activate", "").find(" 101 ") != std::string::npos);
  c.send_frame(1, frame_with("activate --profile p1", claim_text));
  site.decides.wait_for([&] { return site.decides.seen.wire != nullptr; });
  CHECK(site.decides.seen.token.empty());
}

TEST_CASE("what is wrong is answered with an error message before the connection ends") {
  struct wrong {
    int opcode;
    std::string payload;
    const char* says;
  };
  const wrong all[] = {{1, "hello", "not a JSON object"},
                       {2, frame_with("activate", claim_text), "Binary"},
                       {1, std::string(200'000, 'x'), "102400"}};
  for (const auto& w : all) {
    CAPTURE(w.says);
    activating site;
    site.opts.leave = std::chrono::milliseconds(1);
    site.serve_it();
    raw_client c(site.port());
    REQUIRE(c.upgrade("/activate/t", "").find(" 101 ") != std::string::npos);
    c.send_frame(w.opcode, w.payload);
    const auto error = message(c);
    CHECK(text(error, "method") == "error");
    CHECK(text(error, "status") == "failed");
    CHECK(text(error, "message").find(w.says) != std::string::npos);
    auto end = c.receive_frame();
    while (end && end->opcode == 9)
      end = c.receive_frame();
    REQUIRE(end);
    CHECK(end->opcode == 8);
    CHECK(end->close_code() == 1000);
  }
}

TEST_CASE("a client that says nothing is told so and a server that stops ends its calls") {
  activating quiet;
  quiet.opts.first_frame = std::chrono::milliseconds(1);
  quiet.serve_it();
  raw_client c(quiet.port());
  REQUIRE(c.upgrade("/activate/t", "").find(" 101 ") != std::string::npos);
  CHECK(text(message(c), "message").find("did not come in time") != std::string::npos);

  activating site;
  site.decides.silent = true;
  site.serve_it();
  raw_client d(site.port());
  REQUIRE(d.upgrade("/activate/t", "").find(" 101 ") != std::string::npos);
  d.send_frame(1, frame_with("activate", claim_text));
  site.decides.wait_for([&] { return site.decides.seen.wire != nullptr; });
  auto wire = site.decides.seen.wire;
  wire->sign_in("admin", secret_text("x"));
  std::promise<problem> ended;
  wire->post("<Envelope/>", std::chrono::seconds(30), [&](result<soap_answer> r) {
    ended.set_value(r ? problem::internal : r.error().what);
  });
  message(d);
  site.server->stop();
  CHECK(ended.get_future().get() == problem::link_down);
  site.decides.wait_for([&] { return site.decides.over != 0; });
}
