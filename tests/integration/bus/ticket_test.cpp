// Who gets past the broker's door, and what ends a connection.
#include "tests/integration/bus/broker.hpp"
#include "tests/integration/bus/client.hpp"

#include "messages/ticket/base64url.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>
#include <ostream>

namespace {

using namespace outband;
using namespace outband::test;

constexpr int not_authorized = 0x87;
const std::string guid = "4c4c4544-004b-3510-8052-b4c04f564433";

bus_identity alice() {
  return identity(principal::kind::person, "acme", "alice", role::operator_);
}

int enter(broker& b, const std::string& username, const std::string& password,
          const std::string& client_id = "op-alice-1") {
  raw_client c(b.person(username, password, client_id));
  return c.connect();
}

std::string with_header(const std::string& token, const std::string& header) {
  return ticket::base64url_encode(header) + token.substr(token.find('.'));
}

TEST_CASE("only a good ticket for this very user opens the door") {
  auto& b = shared_broker();
  const auto good = b.ticket_for(alice());
  CHECK(enter(b, "acme/op/alice", good) == 0);

  CHECK(enter(b, "acme/op/bob", good) == not_authorized);
  CHECK(enter(b, "globex/op/alice", good) == not_authorized);
  CHECK(enter(b, "-/inst/n1", good) == not_authorized);
  CHECK(enter(b, "-/inst/n1", good, "inst-n1") == not_authorized);
  CHECK(enter(b, "acme/dev/" + guid, good, guid) == not_authorized);
  CHECK(enter(b, "acme/op/alice", "") == not_authorized);
  CHECK(enter(b, "acme/op/alice", "secret") == not_authorized);
  CHECK(enter(b, "acme/op/alice", good, "op-bob-1") == not_authorized);
  CHECK(enter(b, "acme/op/alice", good, "inst-n1") == not_authorized);
  CHECK(b.process().wait_log("outband: refused connection user='-/inst/n1' client='inst-n1'"));
}

TEST_CASE("nobody is anonymous") {
  auto& b = shared_broker();
  auto o = b.person("", "", "op-alice-1");
  o.credentials = nullptr;
  raw_client c(o);
  CHECK(c.connect() == not_authorized);
}

TEST_CASE("forged and tampered tickets are refused") {
  auto& b = shared_broker();
  const auto good = b.ticket_for(alice());
  CHECK(enter(b, "acme/op/alice", with_header(good, R"({"alg":"none"})")) == not_authorized);
  CHECK(enter(b, "acme/op/alice", with_header(good, R"({"alg":"HS256"})")) == not_authorized);
  CHECK(enter(b, "acme/op/alice",
              with_header(good, R"({"alg":"none"})").substr(0, good.rfind('.'))) == not_authorized);
  // A payload that says more than was signed.
  const auto first = good.find('.') + 1, second = good.rfind('.');
  auto payload = nlohmann::json::parse(
      *ticket::base64url_decode(std::string_view(good).substr(first, second - first)));
  payload["role"] = "admin";
  CHECK(enter(b, "acme/op/alice",
              good.substr(0, first) + ticket::base64url_encode(payload.dump()) +
                  good.substr(second)) == not_authorized);
  // Somebody else's key.
  auto key = *ticket::signing_key::generate();
  auto claims = *ticket::make_bus_claims(alice(), "j", std::time(nullptr), std::chrono::hours(1));
  CHECK(enter(b, "acme/op/alice", *ticket::sign_claims(claims, key)) == not_authorized);
  // Ours, but not for the bus, and one that has ended.
  claims.audience = ticket::rest_audience;
  CHECK(enter(b, "acme/op/alice", *ticket::sign_claims(claims, b.key())) == not_authorized);
  auto old =
      *ticket::make_bus_claims(alice(), "j", std::time(nullptr) - 100, std::chrono::seconds(50));
  CHECK(enter(b, "acme/op/alice", *ticket::sign_claims(old, b.key())) == not_authorized);
  CHECK(b.process().wait_log("the ticket expired"));
}

TEST_CASE("a certificate of another authority or of no machine gets nowhere") {
  auto& b = shared_broker();
  certificate_authority stranger("somebody else");
  auto cert = stranger.issue_client("-/inst/n1");
  auto o = b.machine("-/inst/n1", "inst-n1-x");
  o.cert_file = b.folder().write("stranger.pem", cert.certificate_pem);
  o.key_file = b.folder().write("stranger.key", cert.key_pem);
  raw_client c(o);
  CHECK(c.connect() != 0);
  o.cert_file.clear();
  o.key_file.clear();
  raw_client none(o);
  CHECK(none.connect() != 0);

  // Mosquitto 2.0 lets every certificate of the authority connect; the plugin gives it nothing.
  for (std::string name : {"acme/op/alice", "-/ctl/ctl", "localhost", "-/inst/"}) {
    CAPTURE(name);
    raw_client person(b.machine(name, "op-alice-cert"));
    if (person.connect() != 0)
      continue;
    CHECK(person.subscribe("oob/v1/acme/dev/+/current") == not_authorized);
    const int published = person.publish("oob/v1/acme/op/alice/req/" + guid);
    CHECK(published != 0);
  }
}

TEST_CASE("a node with another node's client id is thrown out") {
  auto& b = shared_broker();
  raw_client c(b.machine("-/inst/n7", "inst-n8"));
  REQUIRE(c.connect() == 0);
  CHECK(c.publish("oob/v1/-/inst/n7/node/obs") == not_authorized);
  CHECK(c.wait_disconnected());
}

TEST_CASE("a connection ends with its ticket") {
  auto& b = shared_broker();
  // Two seconds: long enough to connect on any machine that passes the other tests in a minute,
  // and what is waited for is the end.
  auto token = b.ticket_for(alice(), std::chrono::seconds(2));
  raw_client c(b.person("acme/op/alice", token, "op-alice-brief"));
  const int entered = c.connect();
  if (entered == 0)
    CHECK(c.wait_disconnected());
  else
    CHECK(entered == not_authorized); // the machine was slower than the ticket
  CHECK(enter(b, "acme/op/alice", token, "op-alice-brief") == not_authorized);
}

TEST_CASE("revocation ends a connection and keeps the door shut") {
  broker b;
  auto token = b.ticket_for(alice());
  raw_client c(b.person("acme/op/alice", token, "op-alice-1"));
  REQUIRE(c.connect() == 0);
  auto bob = identity(principal::kind::person, "acme", "bob", role::viewer);
  raw_client other(b.person("acme/op/bob", b.ticket_for(bob), "op-bob-1"));
  REQUIRE(other.connect() == 0);
  b.revoke("acme/op/alice");
  CHECK(c.wait_disconnected());
  CHECK(enter(b, "acme/op/alice", token) == not_authorized);
  CHECK(other.connected());
  CHECK(other.subscribe("oob/v1/acme/dev/+/current") <= 2);
}

TEST_CASE("an endpoint with an expired ticket fetches a fresh one and comes back") {
  auto& b = shared_broker();
  auto o = b.person("acme/op/alice", "", "op-alice-fresh");
  std::atomic<int> asked{0};
  o.credentials = [&](const std::function<void(result<bus::credentials>)>& answer) {
    // The first answers are for both connections of the endpoint and end soon.
    const auto lifetime = std::chrono::seconds(++asked <= 2 ? 3 : 3600);
    answer(bus::credentials{"acme/op/alice", b.ticket_for(alice(), lifetime)});
  };
  std::mutex mutex;
  std::condition_variable changed;
  int ups = 0, downs = 0;
  bus::mqtt_endpoint e(o);
  auto sub = e.on_connection([&](bool up) {
    std::lock_guard<std::mutex> lock(mutex);
    ++(up ? ups : downs);
    changed.notify_all();
  });
  std::unique_lock<std::mutex> lock(mutex);
  // It starts disconnected (1), is up, loses both connections and is up again for good.
  CHECK(changed.wait_for(lock, patience, [&] { return asked >= 4 && e.connected(); }));
  lock.unlock();
  CHECK(e.last_error().empty());
}

TEST_CASE("credentials that cannot be had are asked for again") {
  auto& b = shared_broker();
  auto o = b.person("acme/op/alice", "", "op-alice-later");
  std::atomic<int> asked{0};
  o.credentials = [&](const std::function<void(result<bus::credentials>)>& answer) {
    if (++asked <= 6)
      answer(fail(problem::store_unavailable, "not yet"));
    else
      answer(bus::credentials{"acme/op/alice", b.ticket_for(alice())});
  };
  bus::mqtt_endpoint e(o);
  CHECK(wait_connected(e));
  CHECK(asked >= 8);
  CHECK(e.counters().connects_failed >= 6);
}

TEST_CASE("the broker's certificate must be for the host that was asked for") {
  auto& b = shared_broker();
  auto good = b.machine("-/inst/n1", "inst-n1-host");
  good.host = "127.0.0.1"; // also in the certificate
  raw_client by_address(good);
  CHECK(by_address.connect() == 0);
  auto other = good;
  other.host = "127.0.0.2"; // reaches nothing, or the same broker under a wrong name
  raw_client wrong(other);
  CHECK(wrong.connect() != 0);
  certificate_authority stranger("somebody else");
  auto untrusted = good;
  untrusted.ca_file = b.folder().write("other-ca.pem", stranger.certificate_pem());
  raw_client distrusting(untrusted);
  CHECK(distrusting.connect() != 0);
}

} // namespace
