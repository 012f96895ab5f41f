#include "tests/integration/http/raw_client.hpp"
#include "tests/integration/http/running.hpp"

using namespace outband;
using namespace outband::test;

TEST_CASE("requests over TLS share one connection") {
  running s;
  s.start();
  auto c = s.client();
  auto first = c->send("POST", "/a?b=c", "12345", {{"X-Echo", "hello"}});
  CHECK(first.status == 200);
  CHECK(
      first.body ==
      R"({"method":"POST","path":"/a","body":5,"peer":"127.0.0.1","secure":true,"echo":"hello"})");
  CHECK(first.connects == 1);
  auto second = c->get("/b");
  CHECK(second.status == 200);
  CHECK(second.connects == 0);
  CHECK(s.server->count().requests == 2);
}

TEST_CASE("a client that does not trust our root gets nothing") {
  running s;
  s.start();
  certificate_authority other("somebody else");
  https_client c(s.base(), other.certificate_pem());
  CHECK(c.get("/a").status == 0);
}

TEST_CASE("without TLS the same server speaks plain HTTP") {
  running s;
  s.options.tls.reset();
  s.start();
  auto r = s.client()->get("/a");
  CHECK(r.status == 200);
  CHECK(r.body.find(R"("secure":false)") != std::string::npos);
}

TEST_CASE("known JSON is answered with 304 and HEAD without a body") {
  running s;
  s.start();
  auto c = s.client();
  auto first = c->get("/a");
  auto etag = first.header("etag");
  REQUIRE_FALSE(etag.empty());
  CHECK(c->get("/a", {{"If-None-Match", etag}}).status == 304);
  auto head = c->send("HEAD", "/a");
  CHECK(head.status == 200);
  CHECK(head.body.empty());
  CHECK(head.header("content-length") == std::to_string(first.body.size()));
  CHECK(c->get("/a").connects == 0);
}

TEST_CASE("answers may come from another thread and lost ones are 500") {
  running s;
  s.start();
  auto c = s.client();
  CHECK(c->get("/thread").body == "\"later\"");
  auto lost = c->get("/lost");
  CHECK(lost.status == 500);
  CHECK(lost.body.find("internal") != std::string::npos);
  CHECK(c->get("/throw").status == 500);
  CHECK(c->get("/a").status == 200);
}

TEST_CASE("pipelined requests are answered in order") {
  running s;
  s.start();
  raw_client c(s.port());
  std::string many;
  for (int i = 0; i < 50; ++i)
    many += "GET /p" + std::to_string(i) + " HTTP/1.1\r\nHost: h\r\n\r\n";
  REQUIRE(c.send(many + "GET /last HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"));
  auto all = c.receive_all();
  std::size_t at = 0;
  for (int i = 0; i < 50; ++i) {
    at = all.find("\"/p" + std::to_string(i) + "\"", at);
    REQUIRE(at != std::string::npos);
  }
  CHECK(all.find("\"/last\"", at) != std::string::npos);
}

TEST_CASE("a request in single octets is understood") {
  running s;
  s.start();
  raw_client c(s.port());
  for (char ch : std::string("POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"))
    REQUIRE(c.send(std::string(1, ch)));
  CHECK(c.receive_until("}").find("\"body\":3") != std::string::npos);
}

TEST_CASE("HTTP/1.0 is answered and the connection closed") {
  running s;
  s.start();
  raw_client c(s.port());
  REQUIRE(c.send("GET /x HTTP/1.0\r\n\r\n"));
  CHECK(c.receive_all().find("200 OK") != std::string::npos);
}

TEST_CASE("a large answer arrives whole") {
  running s;
  s.start();
  auto r = s.client()->get("/big");
  CHECK(r.status == 200);
  CHECK(r.body.size() == 32u << 20);
}

TEST_CASE("a body within a route's own limit is taken and one beyond it is refused") {
  running s;
  s.options.max_body = [](const web::request& q) {
    return q.target.path == "/bulk" ? std::size_t{8} << 20 : std::size_t{1000};
  };
  s.start();
  auto c = s.client();
  CHECK(c->send("POST", "/bulk", std::string(5u << 20, 'x')).body.find("5242880") !=
        std::string::npos); // with Expect: 100-continue, as curl does it
  CHECK(c->send("POST", "/a", std::string(1000, 'x')).status == 200);
  CHECK(c->send("POST", "/a", std::string(1001, 'x')).status == 413);
  CHECK(c->send("POST", "/a", std::string(4u << 20, 'x')).status == 413);
  CHECK(c->send("POST", "/a", std::string(5000, 'x'), {{"Transfer-Encoding", "chunked"}}).status ==
        413);
  CHECK(c->send("POST", "/a", std::string(500, 'x'), {{"Transfer-Encoding", "chunked"}}).status ==
        200);
}

TEST_CASE("a client that left before its answer harms nobody") {
  running s;
  s.start();
  {
    raw_client c(s.port());
    c.send("GET /keep HTTP/1.1\r\nHost: h\r\n\r\n");
    while (true) {
      std::lock_guard lock(s.mutex);
      if (!s.kept.empty())
        break;
    }
  }
  s.kept.front()(web::json_response(200, "{}"));
  CHECK(s.client()->get("/a").status == 200);
}

TEST_CASE("stopping ends idle and waiting connections") {
  running s;
  s.start();
  raw_client idle(s.port()), waiting(s.port());
  waiting.send("GET /keep HTTP/1.1\r\nHost: h\r\n\r\n");
  while (true) {
    std::lock_guard lock(s.mutex);
    if (!s.kept.empty())
      break;
  }
  s.server->stop();
  CHECK(idle.receive_all().empty());
  CHECK(waiting.receive_all().empty());
  s.kept.front()(web::json_response(200, "{}")); // too late, and harmless
}

TEST_CASE("a port that is taken and an address that is none are refused in words") {
  running s;
  s.start();
  auto o = s.options;
  o.port = s.port();
  auto taken = web::server::start(s.pool, o, s.handler, {});
  REQUIRE_FALSE(taken.ok());
  CHECK(taken.error().detail.find(std::to_string(s.port())) != std::string::npos);
  o.bind = "not an address";
  CHECK(web::server::start(s.pool, o, s.handler, {}).error().field == "https.bind");
}

TEST_CASE("a body of parts arrives whole and the connection goes on") {
  running s;
  s.start();
  auto c = s.client();
  auto r = c->get("/parts");
  CHECK(r.status == 200);
  CHECK(r.header("transfer-encoding") == "chunked");
  CHECK(r.header("content-length").empty());
  REQUIRE(r.body.size() == 6 + (6u << 20));
  CHECK(r.body.substr(0, 6) == "first\n");
  CHECK(r.body[6] == 'b');
  CHECK(r.body.back() == 'g');
  CHECK(c->get("/a").connects == 0);
  auto head = c->send("HEAD", "/parts");
  CHECK(head.status == 200);
  CHECK(head.body.empty());
  CHECK(c->get("/a").connects == 0);
}

TEST_CASE("a body whose next part fails is cut and not ended") {
  running s;
  s.start();
  auto r = s.client()->get("/cut");
  CHECK_FALSE(r.error.empty());
}

TEST_CASE("over HTTP 1.0 the end of the connection ends a body of parts") {
  running s;
  s.options.tls.reset();
  s.start();
  raw_client c(s.port(), false);
  c.send("GET /parts HTTP/1.0\r\n\r\n");
  auto all = c.receive_all();
  CHECK(all.find("chunked") == std::string::npos);
  CHECK(all.find("Connection: close") != std::string::npos);
  CHECK(all.size() > 6 + (6u << 20));
  CHECK(all.back() == 'g');
}

TEST_CASE("no further part is asked for while the client takes none") {
  running s;
  s.options.tls.reset();
  s.options.send_buffer = 4096;
  s.options.write = std::chrono::milliseconds(300);
  s.start();
  auto c = raw_client::narrow(s.port());
  REQUIRE(c.send("GET /parts HTTP/1.1\r\nHost: a\r\n\r\n"));
  REQUIRE(c.sip(1) == 1); // it has begun, and nothing is taken any more
  while (s.server->count().connections > 0)
    std::this_thread::yield();
  CHECK(s.parts == 1);
}
