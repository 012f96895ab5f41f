#include "gateway/amt/http_exchange.hpp"
#include "messages/http/writer.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace outband;
using namespace outband::amt;

namespace {

const std::string host = "12345678-9abc-def0-1234-56789abcdef0:16992";
const std::string read_envelope =
    "<s:Envelope><s:Header><a:Action>http://schemas.xmlsoap.org/ws/2004/09/transfer/Get</a:Action>"
    "</s:Header><s:Body></s:Body></s:Envelope>";
const std::string change_envelope =
    "<s:Envelope><s:Header><a:Action>http://x/CIM_PowerManagementService/RequestPowerStateChange"
    "</a:Action></s:Header><s:Body>http://schemas.xmlsoap.org/ws/2004/09/transfer/Get</s:Body>"
    "</s:Envelope>";

login admin() {
  return {"admin", secret_text{"P@ssw0rd"}};
}

std::string challenge(const std::string& nonce, bool stale = false) {
  http::digest_challenge c;
  c.realm = "Digest:34BF4B5A0561F95248F58509A406E046";
  c.nonce = nonce;
  c.stale = stale;
  c.auth = true;
  return http::write_challenge(c);
}

std::string unauthorized(const std::string& nonce, bool stale = false) {
  std::string out;
  REQUIRE(
      http::write_sized(http::amt_unauthorized(challenge(nonce, stale), "Intel(R) AMT"), out).ok());
  return out;
}

std::string answered(const std::string& body, int code = 200) {
  std::string out;
  auto r = http::amt_answer(code, "Thu, 01 Jan 2026 00:00:00 GMT", "Intel(R) AMT", body);
  r.keep_alive = true;
  REQUIRE(http::write_chunked(r, out).ok());
  return out;
}

http::request parsed(const std::string& octets) {
  http::request_parser p;
  p.feed(octets);
  auto item = p.next();
  REQUIRE(std::holds_alternative<http::request>(item));
  return std::get<http::request>(item);
}

bool logged_on(const http::request& r, const std::string& password) {
  const auto* value = http::find(r.fields, "Authorization");
  REQUIRE(value != nullptr);
  const auto a = http::parse_authorization(*value);
  REQUIRE(a.ok());
  return http::verify(*a, http::digest_ha1("admin", a->realm, password), "POST", r.body);
}

template <class T> T as(http_exchange::verdict v) {
  REQUIRE(std::holds_alternative<T>(v));
  return std::get<T>(std::move(v));
}

} // namespace

TEST_CASE("the first call of all asks without credentials and then logs on") {
  auto who = admin();
  http_exchange x{who, host, read_envelope};
  const auto first = parsed(*x.request("c1"));
  CHECK(first.target == "/wsman");
  CHECK(*http::find(first.fields, "Host") == host);
  CHECK(http::find(first.fields, "Authorization") == nullptr);
  CHECK_FALSE(x.authorized());

  CHECK_FALSE(as<http_exchange::again>(x.on_data(unauthorized("n1"))).keep);
  const auto second = parsed(*x.request("c2"));
  CHECK(x.authorized());
  CHECK(logged_on(second, "P@ssw0rd"));
  CHECK(second.body == read_envelope);

  const auto d = as<http_exchange::done>(x.on_data(answered("<ok/>")));
  CHECK(d.answer.status == 200);
  CHECK(d.answer.body == "<ok/>");
  CHECK(d.keep);
}

TEST_CASE("a warm call logs on at once with the nonce it knows") {
  auto who = admin();
  http_exchange first{who, host, read_envelope};
  REQUIRE(first.request("c").ok());
  as<http_exchange::again>(first.on_data(unauthorized("n1")));
  REQUIRE(first.request("c").ok());
  as<http_exchange::done>(first.on_data(answered("<ok/>")));

  http_exchange second{who, host, read_envelope};
  const auto r = parsed(*second.request("c"));
  CHECK(logged_on(r, "P@ssw0rd"));
  const auto a = *http::parse_authorization(*http::find(r.fields, "Authorization"));
  CHECK(a.nonce == "n1");
  CHECK(a.nc == "00000002");
}

TEST_CASE("every split of a response gives the same answer") {
  const auto octets = answered("<s:Envelope>" + std::string(2000, 'x') + "</s:Envelope>");
  for (std::size_t cut = 1; cut < octets.size(); ++cut) {
    CAPTURE(cut);
    auto who = admin();
    http_exchange x{who, host, read_envelope};
    REQUIRE(x.request("c").ok());
    as<http_exchange::more>(x.on_data(octets.substr(0, cut)));
    CHECK(as<http_exchange::done>(x.on_data(octets.substr(cut))).answer.body.size() == 2025);
  }
}

TEST_CASE("a wrong password is reported after one refused logon") {
  auto who = admin();
  http_exchange x{who, host, read_envelope};
  REQUIRE(x.request("c").ok());
  as<http_exchange::again>(x.on_data(unauthorized("n1")));
  REQUIRE(x.request("c").ok());
  const auto why = as<failure>(x.on_data(unauthorized("n2")));
  CHECK(why.what == problem::device_auth);
  CHECK(to_string(why).find("P@ssw0rd") == std::string::npos);
  // The next call asks without credentials first, so that it too costs one refused logon only.
  http_exchange next{who, host, read_envelope};
  CHECK(http::find(parsed(*next.request("c")).fields, "Authorization") == nullptr);
}

TEST_CASE("a nonce that has aged is replaced without blaming the password") {
  auto who = admin();
  http_exchange first{who, host, read_envelope};
  REQUIRE(first.request("c").ok());
  as<http_exchange::again>(first.on_data(unauthorized("n1")));
  REQUIRE(first.request("c").ok());
  as<http_exchange::done>(first.on_data(answered("<ok/>")));

  http_exchange x{who, host, read_envelope};
  REQUIRE(x.request("c").ok()); // with n1
  as<http_exchange::again>(x.on_data(unauthorized("n2")));
  CHECK(logged_on(parsed(*x.request("c")), "P@ssw0rd"));
  SUBCASE("accepted") {
    as<http_exchange::done>(x.on_data(answered("<ok/>")));
  }
  SUBCASE("stale once more") {
    as<http_exchange::again>(x.on_data(unauthorized("n3", true)));
    REQUIRE(x.request("c").ok());
    CHECK(as<failure>(x.on_data(unauthorized("n4", true))).what == problem::device_auth);
  }
  SUBCASE("refused") {
    CHECK(as<failure>(x.on_data(unauthorized("n3"))).what == problem::device_auth);
  }
}

TEST_CASE("a challenge that another call learnt meanwhile is not a wrong password") {
  auto who = admin();
  http_exchange a{who, host, read_envelope};
  http_exchange b{who, host, read_envelope};
  REQUIRE(a.request("c").ok());
  as<http_exchange::again>(a.on_data(unauthorized("n1")));
  REQUIRE(a.request("c").ok());
  REQUIRE(b.request("c").ok()); // with n1
  http_exchange c{who, host, read_envelope};
  REQUIRE(c.request("c").ok());
  as<http_exchange::again>(c.on_data(unauthorized("n2")));
  as<http_exchange::again>(b.on_data(unauthorized("n2")));
  as<http_exchange::again>(a.on_data(unauthorized("n2")));
}

TEST_CASE("what is not HTTP or not complete is a protocol error and not an answer") {
  auto who = admin();
  const auto verdict_of = [&](const std::string& octets) {
    http_exchange x{who, host, read_envelope};
    REQUIRE(x.request("c").ok());
    auto v = x.on_data(octets);
    if (std::holds_alternative<http_exchange::more>(v))
      v = x.on_closed();
    return v;
  };
  for (const auto& octets : std::vector<std::string>{
           "SSH-2.0-OpenSSH\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0005\r\nab",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: 2097153\r\n\r\n",
           "HTTP/1.1 20",
           std::string(4, '\0'),
       }) {
    CAPTURE(octets);
    CHECK(as<failure>(verdict_of(octets)).what == problem::device_protocol);
  }
  CHECK(as<failure>(verdict_of("HTTP/1.1 401 U\r\nContent-Length: 0\r\n\r\n")).what ==
        problem::device_auth);
  CHECK(as<failure>(verdict_of("HTTP/1.1 401 U\r\nWWW-Authenticate: Basic realm=\"x\"\r\n"
                               "Content-Length: 0\r\n\r\n"))
            .what == problem::device_auth);
  as<http_exchange::lost>(verdict_of(""));
}

TEST_CASE("a body that ends with the connection is complete and the connection is not kept") {
  auto who = admin();
  http_exchange x{who, host, read_envelope};
  REQUIRE(x.request("c").ok());
  as<http_exchange::more>(x.on_data("HTTP/1.1 200 OK\r\n\r\n<ok/>"));
  const auto d = as<http_exchange::done>(x.on_closed());
  CHECK(d.answer.body == "<ok/>");
  CHECK_FALSE(d.keep);
}

TEST_CASE("a connection is not kept when the firmware says close or sends more than was asked") {
  auto who = admin();
  http_exchange a{who, host, read_envelope};
  REQUIRE(a.request("c").ok());
  CHECK_FALSE(as<http_exchange::done>(
                  a.on_data("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"))
                  .keep);
  http_exchange b{who, host, read_envelope};
  REQUIRE(b.request("c").ok());
  CHECK_FALSE(as<http_exchange::done>(b.on_data(answered("<ok/>") + "HTTP/1.1 200")).keep);
}

TEST_CASE("a fault is an answer") {
  auto who = admin();
  http_exchange x{who, host, read_envelope};
  REQUIRE(x.request("c").ok());
  const auto d = as<http_exchange::done>(x.on_data(answered("<fault/>", 400)));
  CHECK(d.answer.status == 400);
  CHECK(d.answer.body == "<fault/>");
}

TEST_CASE("only the action in the header tells what reads") {
  CHECK(only_reads(read_envelope));
  CHECK_FALSE(only_reads(change_envelope));
  CHECK_FALSE(only_reads(""));
}
