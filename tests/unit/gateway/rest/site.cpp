#include "tests/unit/gateway/rest/site.hpp"

#include <doctest/doctest.h>

#include <future>
#include <stdexcept>

namespace outband::testing {

std::string reply::header(const std::string& name) const {
  for (const auto& [k, v] : headers)
    if (http::same_token(k, name))
      return v;
  return {};
}

std::string reply::at(const std::string& name) const {
  const auto* v = body.find(name);
  return v && v->text() ? *v->text() : std::string();
}

std::int64_t reply::number(const std::string& name) const {
  const auto* v = body.find(name);
  return v && v->integer() ? *v->integer() : -1;
}

site::site() {
  store.tenants = {{"acme", "Acme Inc", "11111111-1111-1111-1111-111111111111", 1},
                   {"beta", "Beta", "22222222-2222-2222-2222-222222222222", 2}};
  store.add(machine, "host-one");
  store.add(foreign, "secret-name-of-beta");

  auth::options o;
  o.default_tenant = "acme";
  o.cost = {16, 1, 1}; // as cheap as it gets
  o.failures = 3;
  o.redirection_key = std::string(32, 'r');
  auth = std::make_unique<auth::service>(store, clock, *ticket::signing_key::generate(), o);

  services.store = &store;
  services.secrets = &secrets;
  services.provisioning = &provisioning;
  removals.away_with = &store.away;
  services.removals = &removals;
  services.control = &control;
  services.clock = &clock;
  services.auth = auth.get();
  services.audit = &audit;
  services.bus_state = [this] {
    return bus;
  };
  services.version = "0.1.0";
  services.node = "n1";
  services.cira_ca = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n";
  rebuild();

  account("vera", {{"acme", "viewer"}});
  account("olaf", {{"acme", "operator"}});
  account("ada", {{"acme", "admin"}});
  account("bob", {{"beta", "admin"}});
  account("root", {}, true);
  viewer = sign_in("vera");
  operator_ = sign_in("olaf");
  admin = sign_in("ada");
  stranger = sign_in("bob");
  root = sign_in("root");
}

site::~site() = default;

void site::rebuild() {
  auto api = rest::make_api(services);
  if (!api)
    throw std::runtime_error(to_string(api.error()));
  api_ = *api;
}

void site::account(const std::string& name, std::map<tenant_key, std::string> roles,
                   bool site_admin) {
  std::promise<std::string> hash;
  auth->hash(secret_text("correct horse"),
             [&](result<std::string> h) { hash.set_value(h ? *h : std::string()); });
  store.accounts[name] = {name, hash.get_future().get(), site_admin, std::move(roles), 1};
}

std::string site::sign_in(const std::string& name, const std::string& password) {
  auto r = send("POST", "/api/v1/authorize", {},
                R"({"username":")" + name + R"(","password":")" + password + "\"}");
  return r.status == 200 ? r.at("token") : std::string();
}

reply site::send(const std::string& method, const std::string& target, const std::string& token,
                 const std::string& body, header_list headers) {
  std::promise<reply> answer;
  begin(
      method, target, token, body, [&](reply r) { answer.set_value(std::move(r)); },
      std::move(headers));
  return answer.get_future().get();
}

reply site::send_as(const std::string& who, const std::string& method, const std::string& target,
                    const std::string& body, header_list headers) {
  certificate_name_ = who;
  auto r = send(method, target, {}, body, std::move(headers));
  certificate_name_.reset();
  return r;
}

void site::change_auth(const std::function<void(auth::options&)>& change) {
  auto o = auth->settings();
  change(o);
  auth = std::make_unique<auth::service>(store, clock, *ticket::signing_key::generate(), o);
  services.auth = auth.get();
  rebuild();
}

web::request site::request_of(const std::string& method, const std::string& target,
                              const std::string& token, const std::string& body,
                              header_list headers) {
  web::request q;
  for (auto v : {web::verb::get, web::verb::post, web::verb::put, web::verb::patch,
                 web::verb::delete_, web::verb::options})
    if (method == web::to_string(v))
      q.method = v;
  auto parsed = rest::parse_target(target);
  REQUIRE(parsed.ok());
  q.target = *parsed;
  q.body = body;
  q.peer = "192.0.2.1";
  q.certificate_name = certificate_name_;
  if (!token.empty())
    q.headers.push_back({"Authorization", "Bearer " + token});
  for (auto& [k, v] : headers)
    q.headers.push_back({k, v});
  return q;
}

web::response site::raw(const std::string& method, const std::string& target,
                        const std::string& token) {
  std::promise<web::response> answer;
  api_(request_of(method, target, token, {}, {}),
       web::responder([&](web::response r) { answer.set_value(std::move(r)); }));
  return answer.get_future().get();
}

void site::begin(const std::string& method, const std::string& target, const std::string& token,
                 const std::string& body, std::function<void(reply)> then, header_list headers) {
  api_(request_of(method, target, token, body, std::move(headers)),
       web::responder([then = std::move(then)](web::response r) {
         reply out{r.status, r.content_type, r.body, {}, r.headers};
         if (auto v = json::parse(r.body))
           out.body = *v;
         then(std::move(out));
       }));
}

} // namespace outband::testing
