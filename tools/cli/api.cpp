#include "tools/cli/api.hpp"

#include "messages/domain/text.hpp"
#include "messages/rest/host.hpp"
#include "messages/rest/json.hpp"
#include "tools/cli/outcome.hpp"

#include <algorithm>

namespace outband::cli {

namespace {

constexpr std::size_t page = 100;
constexpr std::size_t max_pages = 2000; // 200,000 hosts; a server that never ends is ended

std::string text_of(const json::value& v, std::string_view name) {
  const auto* m = v.find(name);
  const auto* t = m ? m->text() : nullptr;
  return t ? *t : std::string();
}

failure odd(std::string what) {
  return fail(problem::device_protocol, std::move(what), "https.answer");
}

problem problem_of(int status) {
  switch (status) {
  case 400:
  case 405:
    return problem::malformed;
  case 401:
    return problem::unauthenticated;
  case 403:
    return problem::forbidden;
  case 404:
    return problem::not_found;
  case 409:
    return problem::revision_conflict;
  case 413:
    return problem::too_large;
  case 429:
    return problem::busy;
  case 503:
    return problem::store_unavailable;
  case 504:
    return problem::device_timeout;
  default:
    return problem::internal;
  }
}

json::limits limits_of(const std::string& body) {
  json::limits within;
  within.octets = body.size() + 1; // the transport has bounded it
  return within;
}

} // namespace

failure failure_of(const https::answer& a) {
  auto parsed = json::parse(a.body, limits_of(a.body));
  if (!parsed || !parsed->members()) {
    if (a.status == 401)
      return fail(problem::unauthenticated);
    return odd("status " + std::to_string(a.status) + " without the words of an Outband server");
  }
  const auto& body = *parsed;
  auto what = problem_of(a.status);
  for (const auto* name : {"code", "problem"})
    if (auto known = problem_from_code(text_of(body, name)))
      what = *known;
  auto field = text_of(body, "field");
  std::string words;
  if (const auto* errors = body.find("errors"); errors && errors->items()) {
    for (const auto& e : *errors->items()) {
      auto path = text_of(e, "path"), msg = text_of(e, "msg");
      words.append(words.empty() ? "" : "; ").append(path).append(path.empty() ? "" : ": ") += msg;
    }
  }
  for (const auto* name : {"errorDescription", "message", "error"})
    if (words.empty())
      words = text_of(body, name);
  // EMF's message starts with the field already.
  if (!field.empty() && words.rfind(field + ": ", 0) == 0)
    words.erase(0, field.size() + 2);
  return fail(what, std::move(words), std::move(field));
}

result<json::value> api::call(https::request what) {
  if (!as_.token.empty() && what.path != "/api/v1/authorize")
    what.headers.emplace_back("Authorization", "Bearer " + as_.token);
  if (!as_.tenant.empty())
    what.headers.emplace_back("x-tenant-id", as_.tenant);
  auto got = to_.exchange(what);
  if (!got)
    return got.error();
  if (got->status < 200 || got->status > 299)
    return failure_of(*got);
  auto within = limits_of(got->body);
  within.values = 2'000'000;
  auto parsed = json::parse(got->body, within);
  if (!parsed)
    return odd("the answer to " + what.method + " " + what.path + " is not JSON");
  return std::move(*parsed);
}

result<json::value> api::get(std::string path) {
  if (as_.token.empty())
    return fail(problem::unauthenticated,
                "You are not signed in to " + (as_.server.empty() ? "a server" : as_.server) + ".");
  https::request q;
  q.path = std::move(path);
  return call(std::move(q));
}

result<std::string> api::sign_in(const std::string& user, const std::string& password) {
  https::request q;
  q.method = "POST";
  q.path = "/api/v1/authorize";
  q.body = json::dump(json::object{{"username", user}, {"password", password}});
  auto got = call(std::move(q));
  if (!got)
    return got.error();
  auto token = text_of(*got, "token");
  if (token.empty())
    return odd("the answer to a sign-in holds no token");
  return token;
}

result<whoami> api::who() {
  auto got = get("/api/v1/authorize/whoami");
  if (!got)
    return got.error();
  whoami out;
  out.name = text_of(*got, "name");
  out.tenant = text_of(*got, "tenant");
  out.role = text_of(*got, "role");
  const auto* above = got->find("siteAdmin");
  out.site_admin = above && above->boolean() && *above->boolean();
  return out;
}

result<std::vector<tenant>> api::tenants() {
  auto got = get("/api/v1/tenants");
  if (!got)
    return got.error();
  const auto* rows = got->items();
  if (!rows)
    if (const auto* data = got->find("data"))
      rows = data->items();
  if (!rows)
    return odd("the list of tenants is no list");
  std::vector<tenant> out;
  for (const auto& r : *rows)
    out.push_back({text_of(r, "key"), text_of(r, "displayName")});
  return out;
}

result<std::string> api::server_version() {
  https::request q;
  q.path = "/api/v1/version";
  auto got = call(std::move(q));
  if (!got)
    return got.error();
  return text_of(*got, "serviceVersion");
}

result<std::vector<host>> api::hosts() {
  std::vector<host> out;
  for (std::size_t i = 0, skip = 0;; ++i) {
    auto got =
        get("/compute/hosts?pageSize=" + std::to_string(page) + "&offset=" + std::to_string(skip));
    if (!got)
      return got.error();
    auto rows = parse_host_page(*got);
    if (!rows)
      return rows.error();
    skip += rows->rows.size();
    for (auto& h : rows->rows)
      out.push_back(std::move(h));
    if (!rows->more || rows->rows.empty())
      break;
    if (i == max_pages)
      return odd("the list of hosts does not end");
  }
  std::sort(out.begin(), out.end(), [](const host& a, const host& b) {
    return a.name != b.name ? a.name < b.name : a.guid < b.guid;
  });
  return out;
}

result<host> api::find_host(const std::string& named) {
  auto got = get("/compute/hosts/" + https::encoded(named));
  if (got)
    return parse_host(*got);
  const auto& why = got.error();
  if (why.what == problem::not_found)
    return fail(problem::not_found, "There is no host '" + named + "'.");
  if (why.what != problem::already_exists)
    return why;
  auto all = hosts();
  return fail(problem::malformed,
              "Several hosts are called '" + named + "'" +
                  (all ? ": " + candidates(*all, named) : std::string()) +
                  ". Name one of them by its GUID.",
              usage_field);
}

result<std::vector<device_id>> api::create_hosts(const std::string& devices) {
  if (as_.token.empty())
    return fail(problem::unauthenticated, "You are not signed in to " + as_.server + ".");
  https::request q;
  q.method = "POST";
  q.path = "/api/v1/devices";
  q.body = devices;
  auto got = call(std::move(q));
  if (!got)
    return got.error();
  std::vector<device_id> out;
  auto add = [&](const json::value& v) {
    auto guid = parse_uuid(lower(text_of(v, "guid")));
    if (guid)
      out.push_back(*guid);
    return guid.has_value();
  };
  bool complete = true;
  if (const auto* list = got->items()) {
    for (const auto& v : *list)
      complete = add(v) && complete;
  } else {
    complete = add(*got);
  }
  if (!complete)
    return odd("the list of registered machines holds one without a GUID");
  return out;
}

result<host> api::order_power(const host& h, const set_host_command& c, const uuid& request) {
  std::string wish;
  if (const auto* once = std::get_if<power_once>(&c.power))
    wish = *once == power_once::reset ? "POWER_STATE_RESET" : "POWER_STATE_POWER_CYCLE";
  else
    wish = rest::power_state_name(std::get<power_target>(c.power));
  https::request q;
  q.method = "PATCH";
  q.path = "/compute/hosts/" + to_string(h.guid);
  q.headers.emplace_back("Idempotency-Key", to_string(request));
  q.body = json::dump(json::object{{"desiredPowerState", wish},
                                   {"powerCommandPolicy", rest::power_policy_name(c.policy)}});
  auto got = call(std::move(q));
  if (!got)
    return got.error();
  return parse_host(*got);
}

result<request_outcome> api::outcome(const uuid& request) {
  auto got = get("/api/v1/requests/" + to_string(request));
  if (!got)
    return got.error();
  request_outcome out;
  auto status = parse_request_status(text_of(*got, "status"));
  if (!status)
    return odd("the outcome of a request has no status");
  out.status = *status;
  out.text = text_of(*got, "text");
  out.why = problem_from_code(text_of(*got, "code"));
  if (const auto* rev = got->find("desiredRevision"))
    if (const auto* n = rev->integer(); n && *n > 0)
      out.rev = static_cast<revision>(*n);
  return out;
}

result<audit_rows> api::audit(const std::string& query) {
  auto got = get("/api/v1/audit" + query);
  if (!got)
    return got.error();
  const auto* data = got->find("data");
  if (!data || !data->items())
    return odd("the audit trail is no list");
  audit_rows out;
  out.rows = *data->items();
  out.next = text_of(*got, "next");
  return out;
}

result<bus_ticket> api::ticket() {
  https::request q;
  q.method = "POST";
  q.path = "/api/v1/authorize/bus";
  if (as_.token.empty())
    return fail(problem::unauthenticated, "You are not signed in.");
  auto got = call(std::move(q));
  if (!got)
    return got.error();
  bus_ticket t;
  t.username = text_of(*got, "username");
  t.password = text_of(*got, "password");
  t.client_id_prefix = text_of(*got, "clientIdPrefix");
  t.tenant = text_of(*got, "tenant");
  t.mqtt_host = text_of(*got, "mqttHost");
  t.mqtt_ca = text_of(*got, "mqttCa");
  if (const auto* port = got->find("mqttPort"))
    if (const auto* n = port->integer(); n && *n > 0 && *n < 65536)
      t.mqtt_port = static_cast<int>(*n);
  if (t.username.empty() || t.password.empty() || !valid_tenant_key(t.tenant))
    return odd("the ticket for the broker is incomplete");
  return t;
}

} // namespace outband::cli
