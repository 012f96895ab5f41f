#include "messages/ticket/claims.hpp"

#include <nlohmann/json.hpp>

namespace outband::ticket {

namespace {

using nlohmann::json;

constexpr std::size_t max_name = 64;        ///< sub and jti, octets
constexpr std::size_t max_acl_entries = 64; ///< per list; the role table needs fewer than 20

failure refuse(std::string why, std::string field) {
  return fail(problem::unauthenticated, std::move(why), std::move(field));
}

result<std::string> text_of(const json& payload, const char* name, std::size_t limit,
                            bool required) {
  auto it = payload.find(name);
  if (it == payload.end()) {
    if (required)
      return refuse("is missing", name);
    return std::string();
  }
  if (!it->is_string())
    return refuse("must be a string", name);
  const auto& text = it->get_ref<const std::string&>();
  if (text.size() > limit || (required && text.empty()))
    return refuse("must have 1 to " + std::to_string(limit) + " octets", name);
  return text;
}

status read_list(const json& acl, const char* name, std::vector<std::string>& out) {
  auto it = acl.find(name);
  if (it == acl.end())
    return success();
  const std::string field = std::string("acl.") + name;
  if (!it->is_array() || it->size() > max_acl_entries)
    return refuse("must be a list of at most " + std::to_string(max_acl_entries) + " topics",
                  field);
  for (const auto& e : *it) {
    if (!e.is_string())
      return refuse("must list strings", field);
    out.push_back(e.get<std::string>());
  }
  return success();
}

status read_acl(const json& payload, topic_acl& out) {
  auto it = payload.find("acl");
  if (it == payload.end())
    return success();
  if (!it->is_object())
    return refuse("must be an object", "acl");
  if (auto ok = read_list(*it, "pub", out.publish); !ok)
    return ok;
  if (auto ok = read_list(*it, "sub", out.subscribe); !ok)
    return ok;
  return read_list(*it, "all", out.both);
}

/// What verify_claims would refuse must not be signed either.
status check_names(const claims& c) {
  if (!valid_tenant_key(c.tenant))
    return refuse("must be a tenant key", "tenant");
  if (c.subject.empty() || c.subject.size() > max_name)
    return refuse("must have 1 to " + std::to_string(max_name) + " octets", "sub");
  if (c.id.empty() || c.id.size() > max_name)
    return refuse("must have 1 to " + std::to_string(max_name) + " octets", "jti");
  if (c.held == role::none)
    return refuse("must be viewer, operator, admin or site-admin", "role");
  return success();
}

} // namespace

result<claims> make_bus_claims(const bus_identity& who, std::string jti, std::int64_t now_s,
                               std::chrono::seconds lifetime) {
  claims c;
  c.acl.publish = allowed_topics(who, access_kind::publish);
  c.acl.subscribe = allowed_topics(who, access_kind::subscribe);
  if (c.acl.subscribe.empty())
    return fail(problem::forbidden, "no bus ticket for " + bus_username(who));
  c.audience = bus_audience;
  c.subject = who.who.name;
  c.tenant = who.who.tenant;
  c.held = who.held;
  c.id = std::move(jti);
  c.issued_s = now_s;
  c.expires_s = now_s + lifetime.count();
  c.username = bus_username(who);
  return c;
}

result<std::string> sign_claims(const claims& c, const signing_key& key) {
  if (auto ok = check_names(c); !ok)
    return fail(problem::malformed, ok.error().detail, ok.error().field);
  json payload = {{"iss", c.issuer},    {"aud", c.audience},
                  {"sub", c.subject},   {"jti", c.id},
                  {"tenant", c.tenant}, {"role", std::string(to_string(c.held))},
                  {"iat", c.issued_s},  {"exp", c.expires_s}};
  if (c.not_before_s != 0)
    payload["nbf"] = c.not_before_s;
  if (!c.username.empty()) {
    payload["username"] = c.username;
    payload["acl"] = {{"pub", c.acl.publish}, {"sub", c.acl.subscribe}, {"all", c.acl.both}};
  }
  // Names were checked for length only, so invalid UTF-8 is replaced rather than thrown at us.
  return sign(payload.dump(-1, ' ', false, json::error_handler_t::replace), key);
}

result<claims> verify_claims(std::string_view token, const verifying_keys& keys,
                             const expectations& expected, std::int64_t now_s) {
  auto text = verify(token, keys, expected, now_s);
  if (!text)
    return text.error();
  auto payload = json::parse(*text, nullptr, false); // verify() has parsed it already
  if (!payload.is_object())
    return refuse("not a JSON object", "payload");
  claims c;
  c.issuer = expected.issuer;
  c.audience = expected.audience;
  struct wanted {
    const char* name;
    std::string& into;
    std::size_t limit;
    bool required;
  };
  std::string held;
  for (const auto& w :
       {wanted{"sub", c.subject, max_name, true}, wanted{"jti", c.id, max_name, true},
        wanted{"tenant", c.tenant, 20, true}, wanted{"role", held, 16, true},
        wanted{"username", c.username, 128, false}}) {
    auto value = text_of(payload, w.name, w.limit, w.required);
    if (!value)
      return value.error();
    w.into = std::move(*value);
  }
  c.held = parse_role(held).value_or(role::none);
  if (auto ok = check_names(c); !ok)
    return ok.error();
  if (auto ok = read_acl(payload, c.acl); !ok)
    return ok.error();
  c.issued_s = payload.at("iat").get<std::int64_t>();
  c.expires_s = payload.at("exp").get<std::int64_t>();
  c.not_before_s = payload.value("nbf", std::int64_t{0});
  return c;
}

result<bus_identity> identity_of(const claims& c) {
  bus_identity id;
  id.held = c.held;
  id.who.tenant = c.tenant;
  id.who.name = c.subject;
  for (auto kind : {principal::kind::person, principal::kind::external}) {
    id.who.what = kind;
    if (bus_username(id) == c.username && valid_tenant_key(c.tenant) && valid_level(c.subject))
      return id;
  }
  return refuse("'" + c.username + "' is not a person or external system of tenant '" + c.tenant +
                    "'",
                "username");
}

} // namespace outband::ticket
