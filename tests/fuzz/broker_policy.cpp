// Hostile clients of the broker: whatever name, client id, ticket and topic they come with, nobody
// gets in without a ticket or a certificate, or gets anything of another tenant.
//
// Lines: user name, client id, password, topic, the certificate's name (none if the line is
// missing), what was revoked. A password "!alice" stands for alice's valid ticket.
#include "bus/broker-plugin/policy.hpp"

#include <array>
#include <cstdint>
#include <cstdlib>

using namespace outband;

namespace {

constexpr std::int64_t now = 1'800'000'000;

void check(bool holds) {
  if (!holds)
    std::abort();
}

const ticket::signing_key& key() {
  static const auto one = *ticket::signing_key::generate();
  return one;
}

std::string ticket_of(const std::string& name, role r) {
  const bus_identity who{{principal::kind::person, "acme", name}, r};
  auto claims = ticket::make_bus_claims(who, "j1", now, std::chrono::minutes(10));
  auto token = ticket::sign_claims(*claims, key());
  check(token.ok());
  return *token;
}

bool starts_with(std::string_view text, std::string_view with) {
  return text.substr(0, with.size()) == with;
}

/// The tenant's own branch, in both roots; "-" is nobody's.
bool within(std::string_view tenant, std::string_view topic) {
  for (std::string root : {"oob/v1/", "oobx/v1/"})
    if (starts_with(topic, root + std::string(tenant) + "/"))
      return true;
  return false;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto alice = ticket_of("alice", role::admin);
  static const auto keys = *ticket::verifying_keys::of(key());
  std::string_view text(reinterpret_cast<const char*>(data), size);
  std::array<std::string_view, 6> line{};
  std::size_t lines = 0;
  for (; lines < line.size() && !text.empty(); ++lines) {
    const auto end = lines + 1 == line.size() ? std::string_view::npos : text.find('\n');
    line[lines] = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
  }
  broker::policy rules{keys, std::string(ticket::default_issuer)};
  rules.set_revoked(line[5]);
  int self = 0;
  broker::client_view c;
  c.key = &self;
  c.username = line[0];
  c.id = line[1];
  if (lines > 4 && !line[4].empty())
    c.certificate_name = std::string(line[4]);
  const bool has_ticket = line[2] == "!alice";
  const auto topic = line[3];
  const auto in = rules.authenticate(c, has_ticket ? std::string_view(alice) : line[2], now);
  check(in.allowed == in.why.empty());
  if (in.allowed && c.certificate_name)
    check(broker::is_machine_name(c.username) && *c.certificate_name == c.username &&
          broker::machine_client_id_allowed(c.username, c.id));
  else if (in.allowed)
    check(has_ticket && c.username == "acme/op/alice" && starts_with(c.id, "op-alice-"));
  for (auto what : {broker::access::publish, broker::access::receive, broker::access::subscribe}) {
    const auto may = rules.check(c, what, topic, now);
    check(may.allowed == may.why.empty());
    if (!may.allowed)
      continue;
    // Mosquitto does not ask authenticate() about a certificate, so a machine's name is proof.
    const bool machine = broker::is_machine_name(c.username);
    check(in.allowed || machine);
    const auto tenant = c.username.substr(0, c.username.find('/'));
    check(within(tenant, topic) || (machine && starts_with(c.username, "-/inst/")) ||
          starts_with(topic, "oob/v1/-/") || starts_with(topic, "oobx/v1/-/"));
    // Ended tickets give nothing.
    if (!machine)
      check(!rules.check(c, what, topic, now + 601).allowed);
  }
  for (const auto& id : rules.to_kick(now))
    check(id == c.id);
  rules.disconnected(&self, (size & 1) != 0);
  check(rules.to_kick(now + 601).size() <= 1);
  check(rules.known() == 0);
  return 0;
}
