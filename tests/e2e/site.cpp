#include "tests/e2e/site.hpp"

#include "messages/bus/topics.hpp"
#include "tests/support/ports.hpp"
#include "tools/common/https_client.hpp"

#include <nlohmann/json.hpp>

#include <arpa/inet.h>
#include <atomic>
#include <chrono>
#include <csignal>
#include <poll.h>
#include <random>
#include <stdexcept>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace outband::e2e {

namespace {

constexpr int how_many = 24;
constexpr const char* admin_password = "Adm1n-of-the-tests";

uuid random_id() {
  static std::mt19937_64 generator{std::random_device{}()};
  std::array<std::uint8_t, 10> r{};
  for (auto& b : r)
    b = static_cast<std::uint8_t>(generator());
  return make_uuid_v7(std::chrono::duration_cast<std::chrono::milliseconds>(
                          std::chrono::system_clock::now().time_since_epoch())
                          .count(),
                      r);
}

} // namespace

json reply::parsed() const {
  auto j = json::parse(body, nullptr, false);
  if (j.is_discarded())
    throw std::runtime_error("not JSON: " + body);
  return j;
}

// -- watcher ------------------------------------------------------------------------------------

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

// -- site ---------------------------------------------------------------------------------------

site& site::get() {
  static site one;
  return one;
}

site::site()
    : cira_port_(test::free_port()), https_port_(test::free_port()),
      people_port_(test::free_port()), machines_port_(test::free_port()),
      control_port_(test::free_port()) {
  database_ = std::make_unique<test::postgres>();
  const auto name = database_->create_database();
  // The broker gives up root and must reach its folder below ours.
  chmod(folder_.path().c_str(), 0711);
  config_ = folder_.write("outband.yaml",
                          "data_dir: " + folder_.file("data") +
                              "\n"
                              "database: {dsn: \"" +
                              database_->dsn(name) +
                              "\"}\n"
                              "cira: {bind: 127.0.0.1, port: " +
                              std::to_string(cira_port_) +
                              ", common_name: localhost}\n"
                              "https: {bind: 127.0.0.1, port: " +
                              std::to_string(https_port_) +
                              ", names: [localhost, 127.0.0.1]}\n"
                              "broker: {host: localhost, bind: [127.0.0.1], names: [localhost], "
                              "port_people: " +
                              std::to_string(people_port_) +
                              ", port_machines: " + std::to_string(machines_port_) +
                              ", plugin_file: \"" OUTBAND_PLUGIN "\", run_as: root}\n"
                              "auth: {admin_password: " +
                              admin_password +
                              ", default_tenant: demo}\n"
                              "power: {graceful_timeout: 6s, force_timeout: 6s}\n");
  test::process writer({OUTBANDD, "--config", config_, "--write-broker-config"});
  if (writer.wait() != 0)
    throw std::runtime_error("no broker configuration: " + writer.output());
  broker_ = std::make_unique<test::mosquitto>(folder_.file("data/broker/mosquitto.conf"));
  https_ca_ = folder_.file("data/certificates/cira-root.crt");
  start_server();
  admin_ = sign_in("admin", admin_password);

  const auto devices = folder_.file("devices.json");
  simulator_ = std::make_unique<test::process>(
      std::vector<std::string>{OUTBAND_AMTSIM,
                               "--server",
                               "127.0.0.1:" + std::to_string(cira_port_),
                               "--root-ca",
                               folder_.file("data/certificates/cira-root.crt"),
                               "--cn",
                               "localhost",
                               "--devices",
                               std::to_string(how_many),
                               "--write-devices",
                               devices,
                               "--control",
                               "127.0.0.1:" + std::to_string(control_port_),
                               "--power-ms",
                               "200",
                               "--off-ms",
                               "300",
                               "--os-shutdown-ms",
                               "800",
                               "--link-drop-ms",
                               "50:150",
                               "--reconnect-ms",
                               "50:100",
                               "--wait"});
  if (!simulator_->wait_output("control interface"))
    throw std::runtime_error("no simulator: " + simulator_->output());
  const auto list = test::read_file(devices);
  auto added = call(&admin_, "POST", "/api/v1/devices", list);
  if (added.status / 100 != 2)
    throw std::runtime_error("devices not added: " + added.body);
  for (const auto& d : json::parse(list))
    machines_.push_back({d.at("guid"), d.at("hostname")});
  sim({{"op", "connect"}, {"guid", "*"}});
  for (const auto& m : machines_)
    if (!until([&] { return connected(m.guid); }))
      throw std::runtime_error("machine " + m.hostname + " does not connect: " + server_log());
}

site::~site() {
  if (simulator_)
    simulator_->stop();
  if (server_)
    server_->stop();
}

void site::start_server() {
  server_ =
      std::make_unique<test::process>(std::vector<std::string>{OUTBANDD, "--config", config_});
  if (!server_->wait_output("is ready"))
    throw std::runtime_error("the server does not start: " + server_->output());
  if (!until([&] {
        auto r = call(nullptr, "GET", "/readyz");
        return r.status == 200;
      }))
    throw std::runtime_error("the server does not become ready: " + server_->output());
}

void site::restart_server(int signal) {
  server_->signal(signal);
  server_->wait();
  start_server();
}

std::string site::https_url() const {
  return "https://localhost:" + std::to_string(https_port_);
}

std::string site::bus_ca() const {
  return folder_.file("data/certificates/bus-ca.crt");
}

reply site::call(const person* who, const std::string& method, const std::string& path,
                 const std::string& body,
                 std::vector<std::pair<std::string, std::string>> headers) {
  https::options o;
  o.server = https_url();
  o.ca_file = https_ca_;
  auto client = https::make_transport(o);
  if (!client)
    throw std::runtime_error(to_string(client.error()));
  https::request q;
  q.method = method;
  q.path = path;
  q.body = body;
  q.headers = std::move(headers);
  if (who) {
    q.headers.emplace_back("Authorization", "Bearer " + who->token);
    q.headers.emplace_back("x-tenant-id", who->tenant);
  }
  auto a = (*client)->exchange(q);
  if (!a)
    return {0, to_string(a.error())};
  return {a->status, a->body};
}

person site::sign_in(const std::string& name, const std::string& password,
                     const std::string& tenant) {
  auto r = call(nullptr, "POST", "/api/v1/authorize",
                json{{"username", name}, {"password", password}}.dump());
  if (r.status != 200)
    throw std::runtime_error("cannot sign in " + name + ": " + r.body);
  return {name, r.parsed().at("token"), tenant};
}

person site::make_person(const std::string& name, const std::string& role,
                         const std::string& tenant) {
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

site::ticket site::ticket_for(const person& who) {
  auto r = call(&who, "POST", "/api/v1/authorize/bus", "{}");
  if (r.status != 200)
    throw std::runtime_error("no ticket: " + r.body);
  auto j = r.parsed();
  return {j.at("username"), j.at("password"), j.at("clientIdPrefix")};
}

std::unique_ptr<bus::mqtt_endpoint> site::connect(const person& who) {
  static std::atomic<int> count{0};
  auto t = ticket_for(who);
  bus::mqtt_options o;
  o.host = "localhost";
  o.port = people_port_;
  o.ca_file = bus_ca();
  o.credentials = bus::fixed_credentials(t.username, t.password);
  const auto client = "t" + std::to_string(++count);
  o.client_id = t.client_prefix + client;
  o.response_prefix = "oob/v1/" + t.username + "/rsp";
  auto e = std::make_unique<bus::mqtt_endpoint>(o);
  if (!until([&] { return e->connected(); }))
    throw std::runtime_error("no connection to the broker: " + e->last_error() + broker_->log());
  return e;
}

response site::ask(bus::endpoint& on, const person& who, const std::string& guid,
                   request_body body) {
  request r;
  r.id = random_id();
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
  on.request(m, test::patience, [o](result<bus::message> a) {
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
  if (!o->last)
    throw std::runtime_error("no answer");
  return *o->last;
}

// -- machines -----------------------------------------------------------------------------------

const machine& site::fresh() {
  if (next_ >= machines_.size())
    throw std::runtime_error("more fresh machines are needed than there are");
  return machines_[next_++];
}

json site::sim(const json& command) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(control_port_);
  inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
  std::string line;
  if (::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0) {
    const auto text = command.dump() + "\n";
    if (send(fd, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size())) {
      char c = 0;
      while (recv(fd, &c, 1, 0) == 1 && c != '\n')
        line.push_back(c);
    }
  }
  close(fd);
  auto j = json::parse(line, nullptr, false);
  if (j.is_discarded() || !j.value("ok", false))
    throw std::runtime_error("the simulator answered: " + line);
  return j;
}

json site::truth(const std::string& guid) {
  return sim({{"op", "get"}, {"guid", guid}}).at("machine");
}

void site::fault(const std::string& guid, const std::string& kind, int count, int ms) {
  json j{{"op", "fault"}, {"guid", guid}, {"kind", kind}, {"count", count}};
  if (ms > 0)
    j["ms"] = ms;
  sim(j);
}

bool site::until(const std::function<bool()>& ready) {
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

bool site::connected(const std::string& guid) {
  auto r = call(&admin_, "GET", "/api/v1/devices/" + guid);
  return r.status == 200 && r.parsed().value("connectionStatus", false);
}

int site::power(const std::string& guid) {
  return truth(guid).at("power");
}

} // namespace outband::e2e
