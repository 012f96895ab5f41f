#include "messages/rest/connection_body.hpp"

#include <doctest/doctest.h>

using namespace outband;

namespace {

const std::string digits = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

struct reading {
  std::optional<direct_connection> how;
  std::vector<rest::field_error> errors;
};
reading read(const std::string& text) {
  auto v = json::parse(text);
  REQUIRE(v.ok());
  reading out;
  out.how = rest::parse_connection(*v, "connection", out.errors);
  return out;
}
/// The path of the only mistake.
std::string mistake(const std::string& text) {
  auto got = read(text);
  return got.errors.size() == 1 ? got.errors[0].path : std::to_string(got.errors.size());
}
std::string with(const std::string& members) {
  return R"({"kind":"direct","host":"10.0.0.5",)" + members + "}";
}

} // namespace

TEST_CASE("a direct connection is read with its defaults and shown as it was given") {
  auto got = read(with("\"pin\":\"sha256:" + digits + "\""));
  REQUIRE(got.errors.empty());
  REQUIRE(got.how);
  CHECK(got.how->host == "10.0.0.5");
  CHECK(got.how->port == 16993);
  CHECK(got.how->tls);
  CHECK_FALSE(got.how->legacy_tls);
  CHECK(got.how->pins == std::vector<std::string>{digits});
  const auto shown = rest::connection_json(got.how);
  CHECK(json::dump(shown) ==
        R"({"kind":"direct","host":"10.0.0.5","port":16993,"tls":true,"pin":"sha256:)" + digits +
            "\"}");
  auto again = read(json::dump(shown));
  CHECK(again.errors.empty());
  CHECK(again.how == got.how);
}

TEST_CASE("what is shown of a connection can be sent back") {
  for (const std::string& text :
       {std::string("null"), std::string(R"({"kind":"cira"})"), with("\"tls\":false"),
        with("\"pin\":\"first-use\",\"legacyTls\":true"),
        with("\"port\":26993,\"pin\":[\"sha256:" + digits + "\",\"sha256:" + std::string(64, 'f') +
             "\"]")}) {
    CAPTURE(text);
    auto got = read(text);
    CHECK(got.errors.empty());
    auto again = read(json::dump(rest::connection_json(got.how)));
    CHECK(again.errors.empty());
    CHECK(again.how == got.how);
  }
}

TEST_CASE("without TLS the usual port is another one and a pin makes no sense") {
  CHECK(read(with("\"tls\":false")).how->port == 16992);
  CHECK(mistake(with("\"tls\":false,\"pin\":\"first-use\"")) == "connection.pin");
  CHECK(mistake(with("\"tls\":false,\"legacyTls\":true")) == "connection.legacyTls");
}

TEST_CASE("a fingerprint is taken with colons and in capitals as openssl prints it") {
  std::string printed = "sha256:";
  for (std::size_t i = 0; i < digits.size(); i += 2)
    printed += (i ? ":" : "") + digits.substr(i, 2);
  for (auto& c : printed)
    c = c >= 'a' && c <= 'f' && &c - printed.data() > 7 ? static_cast<char>(c - 'a' + 'A') : c;
  auto got = read(with("\"pin\":\"" + printed + "\""));
  CHECK(got.errors.empty());
  CHECK(got.how->pins == std::vector<std::string>{digits});
}

TEST_CASE("each mistake in a connection is named by its path") {
  const std::string pin = "\"pin\":\"first-use\"";
  CHECK(mistake("7") == "connection");
  CHECK(mistake("{}") == "connection.kind");
  CHECK(mistake(R"({"kind":"lan"})") == "connection.kind");
  CHECK(mistake(R"({"kind":"direct",)" + pin + "}") == "connection.host");
  CHECK(mistake(with("\"tls\":1," + pin)) == "connection.tls");
  CHECK(mistake(with("\"port\":0," + pin)) == "connection.port");
  CHECK(mistake(with("\"port\":65534," + pin)) == "connection.port");
  CHECK(mistake(with("\"port\":\"16993\"," + pin)) == "connection.port");
  CHECK(mistake(with("\"port\":16993.5," + pin)) == "connection.port");
  CHECK(mistake(with("\"tls\":true")) == "connection.pin");
  CHECK(mistake(with("\"pin\":\"\"")) == "connection.pin");
  CHECK(mistake(with("\"pin\":\"sha1:00\"")) == "connection.pin");
  CHECK(mistake(with("\"pin\":\"sha256:" + digits + "0\"")) == "connection.pin");
  CHECK(mistake(with("\"pin\":[]")) == "connection.pin");
  CHECK(mistake(with("\"pin\":[7]")) == "connection.pin");
  std::string five;
  for (int i = 0; i < 5; ++i)
    five += (i ? ",\"sha256:" : "\"sha256:") + digits + "\"";
  CHECK(mistake(with("\"pin\":[" + five + "]")) == "connection.pin");
}

TEST_CASE("a host is a name or a numeric address and nothing that is more or less than that") {
  for (const auto* good : {"amt-5", "amt5.example.org", "AMT5.Example.org.", "10.0.0.5",
                           "2001:db8::5", "::ffff:10.0.0.5", "a_b", "5.example"})
    CHECK_MESSAGE(rest::valid_host(good), good);
  for (const auto* bad :
       {"",          ".",          "a..b",       "-a",        "a-",        "http://a",
        "a:16992",   "[::1]",      "a/b",        "a b",       "user@host", "10.0.0",
        "10.1",      "0x7f000001", "2130706433", "010.0.0.5", "256.0.0.1", "fe80::1%eth0",
        "10.0.0.5.", "a\n",        ":",          "1.2.3.4.5"})
    CHECK_MESSAGE(!rest::valid_host(bad), bad);
  CHECK(rest::valid_host(std::string(63, 'a') + ".b"));
  CHECK_FALSE(rest::valid_host(std::string(64, 'a')));
  std::string longest;
  while (longest.size() < 250)
    longest += "aaaa.";
  CHECK_FALSE(rest::valid_host(longest + "aaaa"));
}
