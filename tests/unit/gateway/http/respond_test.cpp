#include "gateway/http/mqtt_proxy.hpp"
#include "gateway/http/respond.hpp"

#include <doctest/doctest.h>

using namespace outband;

namespace {

struct wired {
  std::string head, body;
  bool has(const std::string& line) const {
    return head.find("\r\n" + line + "\r\n") != std::string::npos;
  }
};

wired send(const web::request* q, web::response r, std::vector<std::string> origins = {"*"},
           bool keep = true) {
  auto text = web::wire(q, std::move(r), {&origins, keep, 1'800'000'000});
  auto end = text.find("\r\n\r\n");
  return {text.substr(0, end + 2), text.substr(end + 4)};
}

web::request get() {
  web::request q;
  q.method = web::verb::get;
  return q;
}

} // namespace

TEST_CASE("a response has its length, its date and no sniffing") {
  auto q = get();
  auto w = send(&q, web::json_response(200, "{}"));
  CHECK(w.head.rfind("HTTP/1.1 200 OK\r\n", 0) == 0);
  CHECK(w.has("Content-Length: 2"));
  CHECK(w.has("Content-Type: application/json; charset=utf-8"));
  CHECK(w.has("Date: Fri, 15 Jan 2027 08:00:00 GMT"));
  CHECK(w.has("X-Content-Type-Options: nosniff"));
  CHECK(w.body == "{}");
  CHECK_FALSE(w.has("Connection: close"));
  CHECK(send(&q, web::json_response(200, "{}"), {}, false).has("Connection: close"));
}

TEST_CASE("JSON that is known already is not sent again") {
  auto q = get();
  auto first = send(&q, web::json_response(200, "{\"a\":1}"));
  auto etag = web::weak_etag("{\"a\":1}");
  CHECK(first.has("ETag: " + etag));
  q.headers.push_back({"If-None-Match", "\"x\", " + etag});
  auto again = send(&q, web::json_response(200, "{\"a\":1}"));
  CHECK(again.head.rfind("HTTP/1.1 304 ", 0) == 0);
  CHECK(again.body.empty());
  CHECK(again.has("ETag: " + etag));
  CHECK(send(&q, web::json_response(200, "{\"a\":2}")).body == "{\"a\":2}");
  CHECK(send(&q, web::json_response(404, "{\"a\":1}")).body == "{\"a\":1}");
  q.method = web::verb::post;
  CHECK(send(&q, web::json_response(200, "{\"a\":1}")).body == "{\"a\":1}");
}

TEST_CASE("what must not be cached gets no ETag") {
  auto q = get();
  auto r = web::json_response(200, "{}");
  r.headers.emplace_back("Cache-Control", "no-store");
  CHECK(send(&q, r).head.find("ETag") == std::string::npos);
}

TEST_CASE("HEAD tells the length and sends nothing") {
  auto q = get();
  q.head = true;
  auto w = send(&q, web::json_response(200, "{\"a\":1}"));
  CHECK(w.has("Content-Length: 7"));
  CHECK(w.body.empty());
}

TEST_CASE("204 has neither body nor length") {
  auto q = get();
  auto w = send(&q, {204, "text/plain", "x", {}});
  CHECK(w.body.empty());
  CHECK(w.head.find("Content-Length") == std::string::npos);
}

TEST_CASE("CORS answers any origin by default and only known ones when told") {
  auto q = get();
  CHECK(send(&q, {}).head.find("Access-Control") == std::string::npos);
  q.headers.push_back({"Origin", "https://ui.example"});
  CHECK(send(&q, {}).has("Access-Control-Allow-Origin: *"));
  auto known = send(&q, {}, {"https://ui.example"});
  CHECK(known.has("Access-Control-Allow-Origin: https://ui.example"));
  CHECK(known.has("Vary: Origin"));
  CHECK(send(&q, {}, {"https://other.example"}).head.find("Access-Control") == std::string::npos);
  q.method = web::verb::options;
  auto allowed = [&](const std::vector<std::string>& origins) {
    auto head = send(&q, {204, {}, {}, {}}, origins).head;
    auto at = head.find("Access-Control-Allow-Headers: ");
    return at == std::string::npos ? std::string() : head.substr(at, head.find("\r\n", at) - at);
  };
  CHECK(allowed({"*"}).find(": Authorization, ") != std::string::npos);
  CHECK(allowed({"*"}).find(", *") != std::string::npos); // whatever else a page sends
  CHECK(allowed({"https://ui.example"}).find('*') == std::string::npos);
}

TEST_CASE("a header's value cannot become another header") {
  auto q = get();
  auto r = web::json_response(200, "{}");
  r.headers.emplace_back("Location", "/a\r\nSet-Cookie: x=1");
  CHECK(send(&q, r).has("Location: /a  Set-Cookie: x=1"));
}

TEST_CASE("a lost request is answered with 500 and a second answer is ignored") {
  std::vector<int> statuses;
  {
    web::responder lost([&](web::response r) { statuses.push_back(r.status); });
  }
  {
    web::responder twice([&](web::response r) { statuses.push_back(r.status); });
    auto copy = twice;
    copy(web::json_response(201, "{}"));
    twice(web::json_response(202, "{}"));
  }
  CHECK(statuses == std::vector<int>{500, 201});
}

TEST_CASE("only pages of the same scheme, host and port are of the same origin") {
  CHECK(web::same_origin("https://h:8443", "h:8443", true));
  CHECK(web::same_origin("https://H", "h:443", true));
  CHECK(web::same_origin("http://h", "h:80", false));
  CHECK_FALSE(web::same_origin("http://h:8443", "h:8443", true));
  CHECK_FALSE(web::same_origin("https://h", "h:8443", true));
  CHECK_FALSE(web::same_origin("https://h.evil", "h", true));
  CHECK_FALSE(web::same_origin("null", "h", true));
  CHECK_FALSE(web::same_origin("https://", "", false));
}

TEST_CASE("a body of parts has no length and is chunked where that is known") {
  auto q = get();
  web::response r{200, "text/plain", "one", {}};
  r.more = [](auto) {
  };
  auto w = send(&q, r);
  CHECK(w.has("Transfer-Encoding: chunked"));
  CHECK(w.head.find("Content-Length") == std::string::npos);
  CHECK(w.body == "3\r\none\r\n");
  r.body.clear();
  CHECK(send(&q, r).body.empty()); // an empty chunk would be the last one
  CHECK(web::chunk("") == "0\r\n\r\n");
  CHECK(web::chunk(std::string(4096, 'x')).rfind("1000\r\nxxx", 0) == 0);
}
