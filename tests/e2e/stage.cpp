#include "tests/e2e/stage.hpp"

#include "tests/support/ports.hpp"

#include <nlohmann/json.hpp>

#include <stdexcept>
#include <sys/stat.h>

namespace outband::e2e {

namespace {
constexpr const char* admin_password = "Adm1n-of-the-tests";
}

stage::stage(const std::string& more) {
  database_ = std::make_unique<test::postgres>();
  database_name_ = database_->create_database();
  people_port_ = test::free_port();
  // The broker gives up root and must reach its folder below ours.
  chmod(folder_.path().c_str(), 0711);
  config_ = folder_.write("outband.yaml",
                          "data_dir: " + folder_.file("data") +
                              "\n"
                              "database: {dsn: \"" +
                              database_->dsn(database_name_) +
                              "\"}\n"
                              "broker: {host: localhost, bind: [127.0.0.1], names: [localhost], "
                              "port_people: " +
                              std::to_string(people_port_) +
                              ", port_machines: " + std::to_string(test::free_port()) +
                              ", plugin_file: \"" OUTBAND_PLUGIN "\", run_as: root}\n"
                              "auth: {admin_password: " +
                              admin_password +
                              ", default_tenant: demo}\n"
                              "power: {graceful_timeout: 6s, force_timeout: 6s}\n"
                              // A test that orders a fault means it for the call that it makes.
                              "facts: {at_connect: false}\n" +
                              more);
  test::process writer({OUTBANDD, "--config", config_, "--write-broker-config"});
  if (writer.wait() != 0)
    throw std::runtime_error("no broker configuration: " + writer.output());
  broker_ = std::make_unique<test::mosquitto>(folder_.file("data/broker/mosquitto.conf"));
  https_ca_ = folder_.file("data/certificates/cira-root.crt");
  bus_ca_ = folder_.file("data/certificates/bus-ca.crt");
}

void stage::sign_in_admin() {
  admin_ = sign_in("admin", admin_password);
}

void stage::add_machines(std::uint16_t server_port, std::size_t count) {
  machine_options o;
  o.server_port = server_port;
  o.root_ca = https_ca_;
  o.devices_file = folder_.file("devices.json");
  o.count = count;
  machines_ = std::make_unique<e2e::machines>(o);
  auto added = call(&admin_, "POST", "/api/v1/devices", machines_->devices());
  if (added.status / 100 != 2)
    throw std::runtime_error("devices not added: " + added.body);
}

std::string stage::sql(const std::string& statements) const {
  return database_->sql(database_name_, statements);
}

json stage::sim(const json& command) const {
  return machines_->sim(command);
}

json stage::truth(const std::string& guid) const {
  return machines_->truth(guid);
}

bool stage::connected(const std::string& guid) const {
  auto r = call(&admin_, "GET", "/api/v1/devices/" + guid);
  return r.status == 200 && r.parsed().value("connectionStatus", false);
}

json stage::host(const std::string& guid) const {
  auto r = call(&admin_, "GET", "/compute/hosts/" + guid);
  if (r.status != 200)
    throw std::runtime_error("GET host: " + std::to_string(r.status) + " " + r.body);
  return r.parsed();
}

reply stage::wish(const machine& m, const std::string& state, const std::string& policy,
                  header_list headers) const {
  return call(&admin_, "PATCH", "/compute/hosts/" + m.guid,
              json{{"name", m.hostname},
                   {"desiredPowerState", "POWER_STATE_" + state},
                   {"powerCommandPolicy", "POWER_COMMAND_POLICY_" + policy}}
                  .dump(),
              std::move(headers));
}

void stage::bring_to_rest(const machine& m) const {
  const auto rests = [&] {
    return host(m.guid).at("power").at("converged") == true && power(m.guid) == 2;
  };
  if (host(m.guid).at("power").at("wanted") == "keep" && rests())
    return;
  const auto on = wish(m, "ON", "IMMEDIATE");
  if (on.status != 200 || !until(rests))
    throw std::runtime_error(m.hostname + " does not come on: " + on.body);
  ask_desired keep;
  keep.patch.target = power_target::keep;
  auto bus = connect(admin());
  const auto kept = ask(*bus, admin(), m.guid, keep);
  if (kept.status != request_status::done)
    throw std::runtime_error(m.hostname + " keeps its wish: " + kept.text);
}

} // namespace outband::e2e
