#include "tools/bench/site.hpp"

#include "bus/mqtt_endpoint.hpp"
#include "tools/bench/fleet.hpp"
#include "tools/common/https_client.hpp"

#include <nlohmann/json.hpp>

#include <condition_variable>
#include <fstream>
#include <mutex>
#include <sstream>
#include <stdexcept>

namespace outband::bench {

namespace {

using json = nlohmann::json;

constexpr std::size_t at_once = 500; ///< machines in one POST
constexpr std::chrono::seconds patience{30};

} // namespace

site::site(const std::string& folder) {
  std::ifstream in(folder + "/environment");
  for (std::string line; std::getline(in, line);)
    if (const auto at = line.find('='); at != std::string::npos)
      facts_[line.substr(0, at)] = line.substr(at + 1);
  user_ = fact("OUTBAND_USER");
  tenant_ = fact("OUTBAND_TENANT");
  https::options o;
  o.server = fact("OUTBAND_URL");
  o.ca_file = fact("OUTBAND_CA");
  auto made = https::make_transport(o);
  if (!made)
    throw std::runtime_error(to_string(made.error()));
  https_ = std::move(*made);
  const auto [status, body] =
      call("POST", "/api/v1/authorize",
           json{{"username", user_}, {"password", fact("OUTBAND_PASSWORD")}}.dump());
  if (status != 200)
    throw std::runtime_error("cannot sign in: " + body);
  token_ = json::parse(body).at("token");
}

site::~site() = default;

std::string site::fact(const std::string& name) const {
  const auto at = facts_.find(name);
  if (at == facts_.end())
    throw std::runtime_error("the site's environment file says nothing of " + name);
  return at->second;
}

pid_t site::pid(const std::string& name) const {
  return static_cast<pid_t>(std::stol(fact(name)));
}

std::uint16_t site::cira_port() const {
  return static_cast<std::uint16_t>(std::stoul(fact("OUTBAND_CIRA_PORT")));
}

rest_target site::rest() const {
  const auto url = https::parse_server(fact("OUTBAND_URL"));
  if (!url)
    throw std::runtime_error(to_string(url.error()));
  return {static_cast<std::uint16_t>(url->port), url->host + ":" + std::to_string(url->port),
          token_, tenant_};
}

std::pair<int, std::string> site::call(const std::string& method, const std::string& path,
                                       const std::string& body) {
  https::request q{method, path, {}, body};
  if (!token_.empty())
    q.headers = {{"Authorization", "Bearer " + token_}, {"x-tenant-id", tenant_}};
  auto a = https_->exchange(q);
  if (!a)
    throw std::runtime_error("no answer to " + method + " " + path + ": " + to_string(a.error()));
  return {a->status, a->body};
}

void site::register_machines(std::size_t from, std::size_t to) {
  while (from < to) {
    auto all = json::array();
    for (std::size_t n = 0; n < at_once && from < to; ++n, ++from)
      all.push_back({{"guid", to_string(guid_of(from))},
                     {"hostname", "bench-" + std::to_string(from)},
                     {"mpsusername", mps_user},
                     {"mpspassword", mps_password},
                     {"amtusername", "admin"},
                     {"amtpassword", "Bench-1-password"}});
    const auto [status, body] = call("POST", "/api/v1/devices", all.dump());
    if (status / 100 != 2)
      throw std::runtime_error("machines not registered: " + body.substr(0, 300));
  }
}

std::map<std::string, double> site::metrics() {
  std::istringstream in(call("GET", "/metrics").second);
  std::map<std::string, double> out;
  for (std::string line; std::getline(in, line);) {
    const auto space = line.rfind(' ');
    if (line.empty() || line[0] == '#' || space == std::string::npos)
      continue;
    const auto name = line.substr(0, std::min(space, line.find('{')));
    out[name] += std::strtod(line.c_str() + space, nullptr);
  }
  return out;
}

std::unique_ptr<bus::endpoint> site::connect_bus(const std::string& name) {
  const auto [status, body] = call("POST", "/api/v1/authorize/bus", "{}");
  if (status != 200)
    throw std::runtime_error("no bus ticket: " + body);
  const auto ticket = json::parse(body);
  bus::mqtt_options o;
  const auto broker = fact("OUTBAND_BROKER");
  o.host = broker.substr(0, broker.rfind(':'));
  o.port = static_cast<std::uint16_t>(std::stoul(broker.substr(broker.rfind(':') + 1)));
  o.ca_file = fact("OUTBAND_BROKER_CA");
  const std::string username = ticket.at("username");
  o.credentials = bus::fixed_credentials(username, ticket.at("password"));
  o.client_id = std::string(ticket.at("clientIdPrefix")) + name;
  o.response_prefix = "oob/v1/" + username + "/rsp";
  auto out = std::make_unique<bus::mqtt_endpoint>(o);
  std::mutex mutex;
  std::condition_variable changed;
  bool up = false;
  const auto told = out->on_connection([&](bool now) {
    const std::lock_guard lock(mutex);
    up = now;
    changed.notify_all();
  });
  std::unique_lock lock(mutex);
  if (!changed.wait_for(lock, patience, [&] { return up; }))
    throw std::runtime_error("no connection to the broker: " + out->last_error());
  return out;
}

} // namespace outband::bench
