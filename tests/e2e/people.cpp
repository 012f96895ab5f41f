#include "tests/e2e/people.hpp"

#include "messages/bus/topics.hpp"
#include "tests/support/process.hpp"
#include "tools/common/https_client.hpp"

#include <nlohmann/json.hpp>

#include <atomic>
#include <chrono>
#include <poll.h>
#include <random>
#include <stdexcept>

namespace outband::e2e {

json reply::parsed() const {
  auto j = json::parse(body, nullptr, false);
  if (j.is_discarded())
    throw std::runtime_error("not JSON: " + body);
  return j;
}

uuid random_id() {
  thread_local std::mt19937_64 generator{std::random_device{}()};
  std::array<std::uint8_t, 10> r{};
  for (auto& b : r)
    b = static_cast<std::uint8_t>(generator());
  return make_uuid_v7(std::chrono::duration_cast<std::chrono::milliseconds>(
                          std::chrono::system_clock::now().time_since_epoch())
                          .count(),
                      r);
}

bool until(const std::function<bool()>& ready) {
  const auto end = std::chrono::steady_clock::now() + test::patience;
  while (!ready()) {
    if (std::chrono::steady_clock::now() > end)
      return false;
    // Real processes tell of themselves by being asked. Between two questions the processor belongs
    // to who is being waited for; a test ends when the answer is right, not when time has passed.
    poll(nullptr, 0, 20);
  }
  return true;
}

// -- REST ---------------------------------------------------------------------------------------

rest_client::rest_client(const std::string& url, const std::string& ca_file) {
  https::options o;
  o.server = url;
  o.ca_file = ca_file;
  o.timeout = test::patience;
  auto made = https::make_transport(o);
  if (!made)
    throw std::runtime_error(to_string(made.error()));
  transport_ = std::move(*made);
}

rest_client::~rest_client() = default;

reply rest_client::call(const person* who, const std::string& method, const std::string& path,
                        const std::string& body, header_list headers) {
  https::request q;
  q.method = method;
  q.path = path;
  q.body = body;
  q.headers = std::move(headers);
  if (who) {
    q.headers.emplace_back("Authorization", "Bearer " + who->token);
    q.headers.emplace_back("x-tenant-id", who->tenant);
  }
  auto a = transport_->exchange(q);
  if (!a)
    return {0, to_string(a.error())};
  return {a->status, a->body};
}

reply people::call(const person* who, const std::string& method, const std::string& path,
                   const std::string& body, header_list headers) const {
  return client().call(who, method, path, body, std::move(headers));
}

bool people::ready() const {
  return call(nullptr, "GET", "/readyz").status == 200;
}

person people::sign_in(const std::string& name, const std::string& password,
                       const std::string& tenant) const {
  auto r = call(nullptr, "POST", "/api/v1/authorize",
                json{{"username", name}, {"password", password}}.dump());
  if (r.status != 200)
    throw std::runtime_error("cannot sign in " + name + ": " + r.body);
  return {name, r.parsed().at("token"), tenant};
}

person people::make_person(const std::string& name, const std::string& role,
                           const std::string& tenant) const {
  auto known = call(&admin_, "GET", "/api/v1/tenants");
  if (known.body.find('"' + tenant + '"') == std::string::npos) {
    auto made = call(&admin_, "POST", "/api/v1/tenants", json{{"key", tenant}}.dump());
    if (made.status / 100 != 2)
      throw std::runtime_error("no tenant: " + made.body);
  }
  person boss = admin_;
  boss.tenant = tenant;
  auto made = call(
      &boss, "POST", "/api/v1/accounts",
      json{{"name", name}, {"password", "Secret-of-" + name}, {"roles", {{tenant, role}}}}.dump());
  if (made.status / 100 != 2)
    throw std::runtime_error("no account: " + made.body);
  return sign_in(name, "Secret-of-" + name, tenant);
}

// -- bus ----------------------------------------------------------------------------------------

watcher::watcher(bus::endpoint& on, const std::string& filter) {
  subscription_ = on.subscribe(filter, {}, [r = record_](const bus::message& m) {
    std::lock_guard lock(r->mutex);
    r->seen.push_back(m);
    r->changed.notify_all();
  });
}

bool watcher::wait(const std::function<bool(const std::vector<bus::message>&)>& enough) {
  std::unique_lock lock(record_->mutex);
  return record_->changed.wait_for(lock, test::patience, [&] { return enough(record_->seen); });
}

std::vector<bus::message> watcher::seen() const {
  std::lock_guard lock(record_->mutex);
  return record_->seen;
}

people::ticket people::ticket_for(const person& who) const {
  auto r = call(&who, "POST", "/api/v1/authorize/bus", "{}");
  if (r.status != 200)
    throw std::runtime_error("no ticket: " + r.body);
  auto j = r.parsed();
  return {j.at("username"), j.at("password"), j.at("clientIdPrefix")};
}

std::unique_ptr<bus::mqtt_endpoint> people::connect(const person& who) const {
  static std::atomic<int> count{0};
  auto t = ticket_for(who);
  bus::mqtt_options o;
  o.host = "localhost";
  o.port = people_port_;
  o.ca_file = bus_ca_;
  o.credentials = bus::fixed_credentials(t.username, t.password);
  const auto client = "t" + std::to_string(++count);
  o.client_id = t.client_prefix + client;
  o.response_prefix = "oob/v1/" + t.username + "/rsp";
  // A test waits for the broker to be back, and for nothing else.
  o.reconnect_cap = std::chrono::seconds(2);
  auto e = std::make_unique<bus::mqtt_endpoint>(o);
  if (!until([&] { return e->connected(); }))
    throw std::runtime_error("no connection to the broker: " + e->last_error());
  return e;
}

std::optional<response> people::ask(bus::endpoint& on, const person& who, const std::string& guid,
                                    const uuid& id, request_body body,
                                    std::chrono::milliseconds patience) {
  request r;
  r.id = id;
  r.target = {who.tenant, *parse_uuid(guid)};
  r.body = std::move(body);
  bus::envelope e;
  e.id = r.id;
  bus::message m;
  m.topic = bus::request_topic(who.tenant, {principal::kind::person, who.tenant, who.name},
                               r.target.device);
  m.payload = std::make_shared<const std::string>(bus::encode(e, r, bus::encoding::msgpack));
  m.content_type = std::string(bus::content_type_of(bus::root::native));
  struct outcome {
    std::mutex mutex;
    std::condition_variable changed;
    std::optional<response> last;
    bool over = false;
  };
  auto o = std::make_shared<outcome>();
  on.request(m, patience, [o](result<bus::message> a) {
    std::lock_guard lock(o->mutex);
    if (a)
      if (auto d = bus::decode_response(*a->payload, bus::encoding::msgpack))
        o->last = d->body;
    o->over = !a || (o->last && is_final(o->last->status));
    o->changed.notify_all();
    return o->over;
  });
  std::unique_lock lock(o->mutex);
  o->changed.wait(lock, [&] { return o->over; }); // request() has a deadline of its own
  return o->last;
}

response people::ask(bus::endpoint& on, const person& who, const std::string& guid,
                     request_body body) {
  auto r = ask(on, who, guid, random_id(), std::move(body), test::patience);
  if (!r)
    throw std::runtime_error("no answer");
  return *r;
}

} // namespace outband::e2e
