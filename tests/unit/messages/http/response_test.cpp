#include "messages/http/parser.hpp"
#include "messages/http/writer.hpp"
#include "tests/unit/messages/http/shapes.hpp"

#include <doctest/doctest.h>

namespace outband::http::test {
namespace {

response one(response_parser& p) {
  auto got = p.next();
  REQUIRE(std::holds_alternative<response>(got));
  return std::get<response>(std::move(got));
}

failure must_fail(const std::string& wire, limits l = {}) {
  CAPTURE(wire);
  response_parser p{l};
  p.feed(wire);
  const auto got = p.next();
  REQUIRE(std::holds_alternative<failure>(got));
  p.feed("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  CHECK(std::holds_alternative<failure>(p.next()));
  CHECK(std::holds_alternative<failure>(p.finish()));
  return std::get<failure>(got);
}

std::string ok_with(const std::string& fields, const std::string& rest = "") {
  return "HTTP/1.1 200 OK\r\n" + fields + "\r\n" + rest;
}

void check_401(const response& r) {
  CHECK(r.status == 401);
  CHECK(r.reason == "Unauthorized");
  CHECK_FALSE(r.keep_alive);
  CHECK(r.fields.size() == 5);
  REQUIRE(find(r.fields, "www-authenticate") != nullptr);
  CHECK(*find(r.fields, "www-authenticate") == captured_challenge);
  CHECK(r.body == page_401());
}

void check_200(const response& r) {
  CHECK(r.status == 200);
  CHECK(r.keep_alive);
  REQUIRE(find(r.fields, "server") != nullptr);
  CHECK(*find(r.fields, "server") == amt_server);
  CHECK(r.body == body_200());
}

} // namespace

TEST_CASE("the captured 401 is read at every cut") {
  const auto wire = captured_401();
  for (std::size_t cut = 0; cut <= wire.size(); ++cut) {
    CAPTURE(cut);
    response_parser p;
    p.feed(wire.substr(0, cut));
    if (cut < wire.size())
      REQUIRE(std::holds_alternative<starved>(p.next()));
    p.feed(wire.substr(cut));
    check_401(one(p));
    CHECK(p.between_messages());
  }
}

TEST_CASE("the captured 200 is read at every cut and with the next response behind it") {
  const auto wire = captured_200();
  for (std::size_t cut = 0; cut <= wire.size(); ++cut) {
    CAPTURE(cut);
    response_parser p;
    p.feed(wire.substr(0, cut));
    if (cut < wire.size())
      REQUIRE(std::holds_alternative<starved>(p.next()));
    p.feed(wire.substr(cut) + captured_401());
    check_200(one(p));
    check_401(one(p));
    CHECK(std::holds_alternative<starved>(p.next()));
  }
}

TEST_CASE("responses may come in pieces of any size") {
  const auto wire = captured_200() + captured_401();
  for (const std::size_t piece : {1U, 2U, 3U, 7U, 100U, 1000U}) {
    CAPTURE(piece);
    response_parser p;
    std::vector<response> got;
    for (std::size_t at = 0; at < wire.size(); at += piece) {
      p.feed(wire.substr(at, piece));
      for (auto item = p.next(); !std::holds_alternative<starved>(item); item = p.next()) {
        REQUIRE(std::holds_alternative<response>(item));
        got.push_back(std::get<response>(item));
      }
    }
    REQUIRE(got.size() == 2);
    check_200(got[0]);
    check_401(got[1]);
  }
}

TEST_CASE("chunk sizes may be of either case with leading zeros and extensions") {
  for (const auto* size : {"A", "a", "000a", "0000000000000000000A", "A;x=\"y\"", "A ; x", "a "}) {
    CAPTURE(size);
    response_parser p;
    p.feed(ok_with("Transfer-Encoding: Chunked\r\n",
                   std::string{size} + "\r\n0123456789\r\n0\r\n\r\n"));
    CHECK(one(p).body == "0123456789");
  }
}

TEST_CASE("trailers are dropped") {
  response_parser p;
  p.feed(ok_with("Transfer-Encoding: chunked\r\n",
                 "1\r\nx\r\n0\r\nSet-Cookie: a\r\nX: y\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n"));
  const auto r = one(p);
  CHECK(r.body == "x");
  CHECK(r.fields.size() == 1);
  CHECK(one(p).status == 204);
}

TEST_CASE("a body without a length ends with the connection") {
  response_parser p;
  p.feed(ok_with("", "some"));
  CHECK(std::holds_alternative<starved>(p.next()));
  p.feed(" body");
  auto got = p.finish();
  REQUIRE(std::holds_alternative<response>(got));
  CHECK(std::get<response>(got).body == "some body");
  CHECK_FALSE(std::get<response>(got).keep_alive);
}

TEST_CASE("a connection that ends between responses is no failure") {
  response_parser p;
  CHECK(std::holds_alternative<starved>(p.finish()));
  p.feed(captured_200());
  check_200(one(p));
  CHECK(std::holds_alternative<starved>(p.finish()));
}

TEST_CASE("a connection that ends inside a response is a failure") {
  const auto wire = captured_200();
  for (const std::size_t cut :
       {std::size_t{1}, std::size_t{20}, wire.size() / 2, wire.size() - 1}) {
    CAPTURE(cut);
    response_parser p;
    p.feed(wire.substr(0, cut));
    const auto got = p.finish();
    REQUIRE(std::holds_alternative<failure>(got));
    CHECK(std::get<failure>(got).what == problem::malformed);
  }
}

TEST_CASE("interim responses are skipped") {
  response_parser p;
  p.feed("HTTP/1.1 100 Continue\r\nX: y\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n" + captured_200());
  check_200(one(p));
  must_fail("HTTP/1.1 101 Switching Protocols\r\n\r\n");
}

TEST_CASE("204 and 304 have no body whatever they say") {
  response_parser p;
  p.feed("HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\n\r\n" + captured_401());
  CHECK(one(p).body.empty());
  check_401(one(p));
}

TEST_CASE("whether a connection may be used again depends on version and header") {
  const auto keeps = [](const std::string& wire) {
    response_parser p;
    p.feed(wire);
    return one(p).keep_alive;
  };
  CHECK(keeps(ok_with("Content-Length: 0\r\n")));
  CHECK_FALSE(keeps(ok_with("Content-Length: 0\r\nConnection: Close\r\n")));
  CHECK_FALSE(keeps(ok_with("Content-Length: 0\r\nConnection: x , close\r\n")));
  CHECK_FALSE(keeps("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"));
  CHECK(keeps("HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n"));
}

TEST_CASE("ambiguous or broken framing is refused") {
  const std::string chunked = "Transfer-Encoding: chunked\r\n";
  for (const auto& wire : {
           ok_with("Content-Length: 5\r\n" + chunked),
           ok_with("Content-Length: 5\r\nContent-Length: 6\r\n"),
           ok_with("Content-Length: 5, 5\r\n"),
           ok_with("Content-Length: +5\r\n"),
           ok_with("Content-Length: 0x5\r\n"),
           ok_with("Content-Length: -1\r\n"),
           ok_with("Content-Length:\r\n"),
           ok_with("Transfer-Encoding: gzip, chunked\r\n"),
           ok_with("Transfer-Encoding: identity\r\n"),
           ok_with(chunked + chunked),
           std::string{"HTTP/1.0 200 OK\r\n"} + chunked + "\r\n",
           ok_with("Content-Length : 5\r\n"),
           ok_with("X: a\r\n folded\r\n"),
           ok_with("no colon\r\n"),
           ok_with(": no name\r\n"),
           ok_with("X: a\rb\r\n"),
           ok_with(std::string{"X: a\0b\r\n", 8}),
           std::string{"HTTP/1.1 200 OK\nContent-Length: 0\n\n"},
           std::string{"HTTP/2 200 OK\r\n\r\n"},
           std::string{"HTTP/1.1 20 OK\r\n\r\n"},
           std::string{"HTTP/1.1 2000 OK\r\n\r\n"},
           std::string{"HTTP/1.1 099 OK\r\n\r\n"},
           std::string{"HTTP/1.1 abc\r\n\r\n"},
           std::string{"HTTP/1.1\r\n\r\n"},
           std::string{"\x16\x03\x01\x02\r\n"},
           ok_with(chunked, "\r\n"),
           ok_with(chunked, "g\r\n"),
           ok_with(chunked, "-1\r\n"),
           ok_with(chunked, "0x1\r\n"),
           ok_with(chunked, "1 1\r\n"),
           ok_with(chunked, "2\r\nabc\r\n"), // RPS counts characters instead of octets
           ok_with(chunked, "2\r\nabX"),
           ok_with(chunked, "2\r\nab\rX"),
           ok_with(chunked, "1\nx\r\n"),
       })
    CHECK(must_fail(wire).what == problem::malformed);
}

TEST_CASE("a status line may lack its reason") {
  for (const auto* line : {"HTTP/1.1 204", "HTTP/1.1 204 "}) {
    response_parser p;
    p.feed(std::string{line} + "\r\n\r\n");
    CHECK(one(p).reason.empty());
  }
}

TEST_CASE("everything has a bound") {
  limits l;
  l.head = 200;
  l.header_count = 3;
  l.body = 10;
  std::string empty_lines;
  while (empty_lines.size() < 250)
    empty_lines += "\r\n";
  const std::string chunked = "Transfer-Encoding: chunked\r\n";
  for (const auto& wire : {
           "HTTP/1.1 200 " + std::string(200, 'x'),
           ok_with("X: " + std::string(200, 'x')),
           ok_with("A: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\n"),
           ok_with("Content-Length: 11\r\n"),
           ok_with("Content-Length: 99999999999999999999999999\r\n"),
           ok_with(chunked, "B\r\n"),
           ok_with(chunked, "6\r\n123456\r\n5\r\n"),
           ok_with(chunked, "FFFFFFFFFFFFFFFFF\r\n"),
           ok_with(chunked, "1;" + std::string(300, 'x')),
           ok_with(chunked, "0\r\nX: " + std::string(200, 'x')),
           ok_with("", "12345678901"),
           empty_lines,
       })
    CHECK(must_fail(wire, l).what == problem::too_large);

  response_parser p{l};
  p.feed(ok_with(chunked, "5\r\n12345\r\n5\r\n67890\r\n0\r\n\r\n"));
  CHECK(one(p).body == "1234567890");
  // Trailers have a bound of their own, the same as the head's.
  p.feed(ok_with("X: " + std::string(140, 'x') + "\r\n" + chunked,
                 "0\r\nX: " + std::string(140, 'x') + "\r\n\r\n"));
  CHECK(one(p).body.empty());
  p.feed("\r\n\r\n" + ok_with("Content-Length: 10\r\n", "1234567890"));
  CHECK(one(p).body == "1234567890");
}

TEST_CASE("what our device writes is what AMT writes") {
  auto r = amt_answer(200, "Tue, 22 Mar 2022 04:29:40 GMT", amt_server, body_200());
  std::string out;
  REQUIRE(write_chunked(r, out).ok());
  const auto size_at = out.find("\r\n\r\n") + 4;
  CHECK(out.substr(0, size_at) == captured_200().substr(0, size_at));
  CHECK(out.substr(size_at, 6) == "02FA\r\n");
  CHECK(out.substr(out.size() - 5) == "0\r\n\r\n");
  response_parser p;
  p.feed(out);
  check_200(one(p));

  auto fault = amt_answer(400, "now", amt_server, "<fault/>");
  out.clear();
  REQUIRE(write_chunked(fault, out).ok());
  CHECK(out.find(
            "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n0008\r\n<fault/>\r\n0\r\n") !=
        std::string::npos);

  out.clear();
  REQUIRE(write_sized(amt_unauthorized(captured_challenge, amt_server), out).ok());
  const auto length_at = out.find("Content-Length: ");
  CHECK(out.substr(0, length_at) == captured_401().substr(0, length_at));
  CHECK(out.substr(out.size() - 8) == "</html>\n");
  CHECK(out.find("\r\nConnection: close\r\n\r\n<html>") != std::string::npos);
}

TEST_CASE("no header block ends in 0 where MPS would take it for the end of the body") {
  for (std::size_t size = 0; size <= 1000; size += 10) {
    response r{200, "OK", {}, std::string(size, 'x'), true};
    std::string out;
    REQUIRE(write_sized(r, out).ok());
    CHECK(out.find("0\r\n\r\n") == std::string::npos);
  }
}

TEST_CASE("a written response is read again for every chunk size") {
  const response r{200, "OK", {{"X", "y"}}, body_200(), false};
  for (const std::size_t chunk : {0U, 1U, 15U, 16U, 762U, 4096U, 100000U}) {
    CAPTURE(chunk);
    std::string out;
    REQUIRE(write_chunked(r, out, chunk).ok());
    response_parser p;
    p.feed(out);
    const auto back = one(p);
    CHECK(back.body == r.body);
    CHECK_FALSE(back.keep_alive);
  }
}

TEST_CASE("a header cannot be smuggled into a response") {
  std::string out;
  for (const auto& bad : {header{"X", "a\r\nY: b"}, header{"X", "a\nb"}, header{"", "a"},
                          header{"X: y", "a"}, header{"X\r", "a"}}) {
    CHECK(write_chunked({200, "OK", {bad}, "", true}, out).error().what == problem::malformed);
    CHECK(write_sized({200, "OK", {bad}, "", true}, out).error().what == problem::malformed);
  }
  CHECK_FALSE(write_sized({200, "O\r\nK", {}, "", true}, out).ok());
  CHECK_FALSE(write_sized({99, "OK", {}, "", true}, out).ok());
  CHECK(out.empty());
}

} // namespace outband::http::test
