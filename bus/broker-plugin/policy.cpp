#include "bus/broker-plugin/policy.hpp"

#include <algorithm>

namespace outband::broker {

namespace {

verdict refuse(std::string why) {
  return {false, std::move(why)};
}

bool starts_with(std::string_view text, std::string_view with) {
  return text.substr(0, with.size()) == with;
}

/// The text is the name, or goes on with a '-': "n1" does not own "n10".
bool is_or_continues(std::string_view text, std::string_view name) {
  return starts_with(text, name) && (text.size() == name.size() || text[name.size()] == '-');
}

} // namespace

bool is_machine_name(std::string_view username) {
  // Any topic that a machine of this name surely may use shows that it is one.
  const std::string own = "oob/v1/" + std::string(username);
  return machine_may(username, access_kind::publish, own + "/agent/presence") ||
         machine_may(username, access_kind::publish, own + "/node/presence");
}

bool client_id_allowed(const bus_identity& who, std::string_view client_id) {
  if (who.who.what == principal::kind::person)
    return starts_with(client_id, "op-" + who.who.name + "-");
  if (!starts_with(client_id, who.who.name))
    return false;
  // A system called "inst-n1" must not be able to throw out the node n1, or an agent by its GUID.
  for (std::string_view others : {std::string_view("inst-"), std::string_view("op-"),
                                  std::string_view("ctl-"), controller_client_id})
    if (starts_with(client_id, others))
      return false;
  return !parse_uuid(client_id.substr(0, 36));
}

bool machine_client_id_allowed(std::string_view username, std::string_view client_id) {
  const auto name = username.substr(username.rfind('/') + 1);
  if (starts_with(username, "-/inst/"))
    return is_or_continues(client_id, "inst-" + std::string(name)) ||
           client_id == controller_client_id ||
           client_id == std::string(controller_client_id) + "-rx";
  return is_or_continues(client_id, name);
}

policy::policy(ticket::verifying_keys keys, std::string issuer) : keys_(std::move(keys)) {
  expected_.issuer = std::move(issuer);
  expected_.audience = ticket::bus_audience;
}

void policy::set_revoked(std::string_view text) {
  revoked_.clear();
  while (!text.empty()) {
    auto end = text.find('\n');
    auto line = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    line = line.substr(0, line.find('#'));
    auto first = line.find_first_not_of(" \t\r");
    if (first == std::string_view::npos)
      continue;
    auto last = line.find_last_not_of(" \t\r");
    revoked_.emplace(line.substr(first, last - first + 1));
  }
}

verdict policy::authenticate_machine(const client_view& c) const {
  if (*c.certificate_name != c.username)
    return refuse("the certificate is '" + *c.certificate_name + "'");
  if (!is_machine_name(c.username))
    return refuse("the certificate names neither a node nor an agent");
  if (revoked_.count(c.username) != 0)
    return refuse("revoked");
  if (!machine_client_id_allowed(c.username, c.id))
    return refuse("this machine may not use this client id");
  return {true, {}};
}

verdict policy::authenticate(const client_view& c, std::string_view password, std::int64_t now_s) {
  people_.erase(c.key); // of an earlier client at the same address
  if (c.username.empty())
    return refuse("no user name; nobody is anonymous here");
  if (c.certificate_name)
    return authenticate_machine(c);
  if (password.empty())
    return refuse("no ticket");
  auto claims = ticket::verify_claims(password, keys_, expected_, now_s);
  if (!claims)
    return refuse("ticket: " + to_string(claims.error()));
  auto who = ticket::identity_of(*claims);
  if (!who)
    return refuse("ticket: " + to_string(who.error()));
  if (claims->username != c.username)
    return refuse("the ticket is for '" + claims->username + "'");
  if (revoked_.count(claims->id) != 0 || revoked_.count(claims->username) != 0)
    return refuse("revoked");
  if (!client_id_allowed(*who, c.id))
    return refuse("'" + claims->username + "' may not use this client id");
  // Two tenants may both have a system "ha": one must not end the other's session.
  if (taken_by_another(c.id, c.username))
    return refuse("the client id is in use by another user");
  // The broker ends an older connection with this client id; it must not end this one later.
  for (auto it = people_.begin(); it != people_.end();)
    it = it->second.client_id == c.id ? people_.erase(it) : std::next(it);
  person p;
  p.client_id = c.id;
  p.username = claims->username;
  p.jti = claims->id;
  p.expires_s = claims->expires_s;
  p.publish = allowed_topics(*who, access_kind::publish);
  p.subscribe = allowed_topics(*who, access_kind::subscribe);
  people_.emplace(c.key, std::move(p));
  return {true, {}};
}

bool policy::taken_by_another(std::string_view client_id, std::string_view username) const {
  return std::any_of(people_.begin(), people_.end(), [&](const auto& entry) {
    return entry.second.client_id == client_id && entry.second.username != username;
  });
}

std::optional<std::string> policy::why_ended(const person& p, std::int64_t now_s) const {
  if (now_s >= p.expires_s)
    return "the ticket has expired";
  if (revoked_.count(p.jti) != 0 || revoked_.count(p.username) != 0)
    return "revoked";
  return std::nullopt;
}

verdict policy::check(const client_view& c, access what, std::string_view topic,
                      std::int64_t now_s) {
  const auto kind = what == access::publish ? access_kind::publish : access_kind::subscribe;
  if (auto it = people_.find(c.key);
      it != people_.end() && it->second.username == c.username && it->second.client_id == c.id) {
    auto& p = it->second;
    if (auto why = why_ended(p, now_s))
      return refuse(std::move(*why)); // to_kick() does the rest
    const auto& granted = what == access::publish ? p.publish : p.subscribe;
    for (const auto& filter : granted)
      if (what == access::subscribe ? filter_covered(filter, topic) : topic_matches(filter, topic))
        return {true, {}};
    return refuse("the role has no such right");
  }
  // authenticate() lets nobody in under a machine's name without its certificate, so here the name
  // is proof: Mosquitto 2.0 does not ask the plugin about clients with a certificate.
  if (!is_machine_name(c.username))
    return refuse("not signed in");
  if (revoked_.count(c.username) != 0 || !machine_client_id_allowed(c.username, c.id)) {
    strangers_.emplace(c.id);
    return refuse("revoked, or not this machine's client id");
  }
  if (machine_may(c.username, kind, topic))
    return {true, {}};
  return refuse("this machine has no such right");
}

void policy::disconnected(const void* key, bool keep) {
  auto it = people_.find(key);
  if (it == people_.end())
    return;
  if (keep)
    it->second.connected = false;
  else
    people_.erase(it);
}

std::vector<std::string> policy::to_kick(std::int64_t now_s) {
  std::vector<std::string> out(strangers_.begin(), strangers_.end());
  strangers_.clear();
  for (auto it = people_.begin(); it != people_.end();) {
    if (!why_ended(it->second, now_s)) {
      ++it;
      continue;
    }
    if (it->second.connected)
      out.push_back(it->second.client_id);
    it = people_.erase(it); // from now on check() finds nobody there
  }
  return out;
}

} // namespace outband::broker
