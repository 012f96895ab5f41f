#include "messages/http/parser.hpp"
#include "messages/http/writer.hpp"

#include <doctest/doctest.h>

namespace outband::http::test {
namespace {

request one(request_parser& p) {
  auto got = p.next();
  REQUIRE(std::holds_alternative<request>(got));
  return std::get<request>(std::move(got));
}

failure must_fail(const std::string& wire, limits l = {}) {
  CAPTURE(wire);
  request_parser p{l};
  p.feed(wire);
  const auto got = p.next();
  REQUIRE(std::holds_alternative<failure>(got));
  return std::get<failure>(got);
}

/// MPS: no Content-Type. RPS: one chunk, upper-case hex. rpc-go over LME: one chunk, lower case.
const std::string mps = "POST /wsman HTTP/1.1\r\nAuthorization: Digest x=\"y\"\r\n"
                        "Host: 12345678-9abc-def0-1234-56789abcdef0:16992\r\n"
                        "Content-Length: 11\r\n\r\n<Envelope/>";
const std::string rps = "POST /wsman HTTP/1.1\r\nHost: g:16992\r\nTransfer-Encoding: chunked\r\n"
                        "Connection: close\r\n\r\nB\r\n<Envelope/>\r\n0\r\n\r\n";
const std::string rpc_go = "POST /wsman HTTP/1.1\r\nHost: localhost:16992\r\nUser-Agent: Go\r\n"
                           "Connection: close\r\nContent-Type: application/soap+xml\r\n"
                           "Transfer-Encoding: chunked\r\n\r\nb\r\n<Envelope/>\r\n0\r\n\r\n";

} // namespace

TEST_CASE("requests of every known client are read at every cut") {
  for (const auto* wire : {&mps, &rps, &rpc_go})
    for (std::size_t cut = 0; cut <= wire->size(); ++cut) {
      CAPTURE(cut);
      request_parser p;
      p.feed(wire->substr(0, cut));
      if (cut < wire->size())
        REQUIRE(std::holds_alternative<starved>(p.next()));
      p.feed(wire->substr(cut) + mps.substr(0, 9));
      const auto r = one(p);
      CHECK(r.method == "POST");
      CHECK(r.target == "/wsman");
      CHECK(r.body == "<Envelope/>");
      CHECK(r.keep_alive == (wire == &mps));
      CHECK(std::holds_alternative<starved>(p.next()));
      p.feed(mps.substr(9));
      CHECK(one(p).body == "<Envelope/>");
    }
}

TEST_CASE("a request may come octet by octet") {
  request_parser p;
  for (std::size_t i = 0; i + 1 < rps.size(); ++i) {
    p.feed(rps.substr(i, 1));
    REQUIRE(std::holds_alternative<starved>(p.next()));
  }
  p.feed(rps.substr(rps.size() - 1));
  CHECK(one(p).body == "<Envelope/>");
}

TEST_CASE("a request without a length has no body") {
  request_parser p;
  p.feed("GET /index.htm HTTP/1.1\r\nHost: h\r\n\r\nGET / HTTP/1.0\r\n\r\n");
  CHECK(one(p).body.empty());
  const auto old = one(p);
  CHECK(old.target == "/");
  CHECK_FALSE(old.keep_alive);
}

TEST_CASE("a client that wants 100-continue is read like any other") {
  request_parser p;
  p.feed("POST /wsman HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nx");
  CHECK(one(p).body == "x");
}

TEST_CASE("requests that two readers could understand differently are refused") {
  const std::string start = "POST /wsman HTTP/1.1\r\n";
  for (const auto& wire : {
           start + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
           start + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
           start + "Content-Length: 5\r\ncontent-length: 4\r\n\r\n",
           start + "Transfer-Encoding: xchunked\r\n\r\n",
           start + "Transfer-Encoding : chunked\r\n\r\n",
           start + "Transfer-Encoding:\tchunked, identity\r\n\r\n",
           start + "X: y\r\n Content-Length: 5\r\n\r\n",
           start + "Content-Length: 5\n\r\n",
           std::string{"POST /wsman\r\n\r\n"},
           std::string{"POST  HTTP/1.1\r\n\r\n"},
           std::string{"POST /a b HTTP/1.1\r\n\r\n"},
           std::string{" POST / HTTP/1.1\r\n\r\n"},
           std::string{"P(ST / HTTP/1.1\r\n\r\n"},
           std::string{"POST / HTTP/1.2\r\n\r\n"},
           std::string{"POST / http/1.1\r\n\r\n"},
           std::string{"A23456789012345678 / HTTP/1.1\r\n\r\n"},
           std::string{"x\r\n\r\n"},
       })
    CHECK(must_fail(wire).what == problem::malformed);
}

TEST_CASE("the same length twice is no contradiction") {
  request_parser p;
  p.feed("POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx");
  CHECK(one(p).body == "x");
}

TEST_CASE("a request body has a bound of one MiB by default") {
  const std::string start = "POST /wsman HTTP/1.1\r\nContent-Length: ";
  const auto f = must_fail(start + "1048577\r\n\r\n");
  CHECK(f.what == problem::too_large);
  CHECK(f.field == "body");
  request_parser p;
  p.feed(start + "1048576\r\n\r\n");
  CHECK(std::holds_alternative<starved>(p.next()));
  p.feed(std::string(1048576, 'x'));
  CHECK(one(p).body.size() == 1048576);
}

TEST_CASE("a WS-MAN call is written in the order that AMT knows") {
  std::string out;
  REQUIRE(write_wsman("g:16992", "", "<E/>", out).ok());
  CHECK(out ==
        "POST /wsman HTTP/1.1\r\nHost: g:16992\r\n"
        "Content-Type: application/soap+xml; charset=utf-8\r\nContent-Length: 4\r\n\r\n<E/>");
  out.clear();
  REQUIRE(write_wsman("g:16992", "Digest a", "<E/>", out).ok());
  CHECK(out.rfind("POST /wsman HTTP/1.1\r\nAuthorization: Digest a\r\nHost: g:16992\r\n", 0) == 0);
  request_parser p;
  p.feed(out);
  CHECK(one(p).body == "<E/>");
  CHECK_FALSE(write_wsman("g\r\nX: y", "", "", out).ok());
  CHECK_FALSE(write_wsman("g", "Digest\r\nX: y", "", out).ok());
}

TEST_CASE("a written request is read again") {
  const request r{"PUT", "/a?b=c", {{"X-A", "1"}, {"X-B", ""}}, "body", false};
  std::string out;
  REQUIRE(write(r, out).ok());
  request_parser p;
  p.feed(out);
  const auto back = one(p);
  CHECK(back.method == r.method);
  CHECK(back.target == r.target);
  CHECK(*find(back.fields, "x-a") == "1");
  CHECK(find(back.fields, "x-b")->empty());
  CHECK(find(back.fields, "x-c") == nullptr);
  CHECK(back.body == r.body);
  CHECK_FALSE(back.keep_alive);

  for (const auto& bad : {request{"GET", "/a b", {}, "", true}, request{"GET", "", {}, "", true},
                          request{"G\r\nT", "/", {}, "", true}, request{"GET", "/\n", {}, "", true},
                          request{"GET", "/", {{"X", "a\r\nb"}}, "", true}})
    CHECK_FALSE(write(bad, out).ok());
}

} // namespace outband::http::test
