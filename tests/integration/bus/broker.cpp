#include "tests/integration/bus/broker.hpp"

#include "tests/support/ports.hpp"

#include <cstdlib>
#include <stdexcept>

namespace outband::test {

namespace {

/// The build hands in where the plugin is.
std::string plugin_file() {
  return OUTBAND_BROKER_PLUGIN;
}

template <class T> T value_or_throw(result<T> r) {
  if (!r)
    throw std::runtime_error(to_string(r.error()));
  return std::move(*r);
}

} // namespace

broker::broker(const std::function<void(bus::broker_options&)>& change)
    : key_(value_or_throw(ticket::signing_key::generate())) {
  auto server = ca_.issue_server();
  options_.data_dir = folder_.path();
  options_.bind_addresses = {"127.0.0.1"};
  options_.machine_port = free_port();
  options_.people_port = free_port();
  options_.ca_file = folder_.write("ca.pem", ca_.certificate_pem());
  options_.cert_file = folder_.write("server.pem", server.certificate_pem);
  options_.key_file = folder_.write("server.key", server.key_pem);
  options_.plugin_file = plugin_file();
  options_.ticket_key_file = folder_.write("tickets.pem", key_.public_pem());
  options_.revocation_file = folder_.file("revoked");
  if (!mosquitto_user_line().empty())
    options_.run_as = "root";
  if (change)
    change(options_);
  auto text = value_or_throw(bus::broker_config(options_));
  process_ = std::make_unique<mosquitto>(folder_.write("mosquitto.conf", text));
}

void broker::revoke(const std::string& line) {
  folder_.write("revoked", line + "\n");
}

bus::mqtt_options broker::machine(const std::string& common_name, const std::string& client_id) {
  auto cert = ca_.issue_client(common_name);
  auto name = "client" + std::to_string(++serial_);
  bus::mqtt_options o;
  o.host = "localhost";
  o.port = options_.machine_port;
  o.ca_file = options_.ca_file;
  o.cert_file = folder_.write(name + ".pem", cert.certificate_pem);
  o.key_file = folder_.write(name + ".key", cert.key_pem);
  o.client_id = client_id;
  o.reconnect_base = std::chrono::milliseconds(20);
  o.reconnect_cap = std::chrono::milliseconds(200);
  return o;
}

bus::mqtt_options broker::person(const std::string& username, const std::string& ticket,
                                 const std::string& client_id) const {
  bus::mqtt_options o;
  o.host = "localhost";
  o.port = options_.people_port;
  o.ca_file = options_.ca_file;
  o.credentials = bus::fixed_credentials(username, ticket);
  o.client_id = client_id;
  o.reconnect_base = std::chrono::milliseconds(20);
  o.reconnect_cap = std::chrono::milliseconds(200);
  return o;
}

std::string broker::ticket_for(const bus_identity& who, std::chrono::seconds lifetime) const {
  static int serial = 0;
  auto claims = value_or_throw(ticket::make_bus_claims(who, "jti-" + std::to_string(++serial),
                                                       std::time(nullptr), lifetime));
  return value_or_throw(ticket::sign_claims(claims, key_));
}

broker& shared_broker() {
  static broker instance;
  return instance;
}

bool wait_connected(bus::endpoint& e, bool up) {
  struct shared {
    std::mutex mutex;
    std::condition_variable changed;
    bool seen = false;
  };
  auto s = std::make_shared<shared>();
  auto sub = e.on_connection([s, up](bool now) {
    std::lock_guard<std::mutex> lock(s->mutex);
    s->seen = now == up;
    s->changed.notify_all();
  });
  std::unique_lock<std::mutex> lock(s->mutex);
  return s->changed.wait_for(lock, patience, [&] { return s->seen; });
}

} // namespace outband::test
