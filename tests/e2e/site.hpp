/// A whole site for tests: broker, database, server, simulated machines. One per test binary.
///
/// Tests wait for conditions (until()), never for time to pass. Context: the test's own thread,
/// which must outlive the site (processes end with the thread that started them).
#pragma once

#include "bus/mqtt_endpoint.hpp"
#include "messages/bus/envelope.hpp"
#include "tests/support/mosquitto.hpp"
#include "tests/support/postgres.hpp"
#include "tests/support/process.hpp"
#include "tests/support/tempdir.hpp"

#include <nlohmann/json_fwd.hpp>

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace outband::e2e {

using json = nlohmann::json;

struct reply {
  int status = 0;
  std::string body;
  json parsed() const;
};

/// Someone who is signed in: token, and the tenant they mean.
struct person {
  std::string name, token, tenant;
};

struct machine {
  std::string guid, hostname;
};

/// What a subscriber saw: the newest document per topic, and all events.
class watcher {
public:
  watcher(bus::endpoint& on, const std::string& filter);
  /// Waits until `enough` says so of what has arrived; false after test::patience.
  bool wait(const std::function<bool(const std::vector<bus::message>&)>& enough);
  std::vector<bus::message> seen() const;

private:
  /// Shared with the handler, which may be under way when the watcher goes.
  struct record {
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<bus::message> seen;
  };
  std::shared_ptr<record> record_ = std::make_shared<record>();
  bus::subscription subscription_;
};

class site {
public:
  static site& get(); ///< started at the first call
  ~site();

  // -- REST
  reply call(const person* who, const std::string& method, const std::string& path,
             const std::string& body = {},
             std::vector<std::pair<std::string, std::string>> headers = {});
  person sign_in(const std::string& name, const std::string& password,
                 const std::string& tenant = "demo");
  const person& admin() const { return admin_; }
  /// Makes an account with a role in a tenant and signs it in.
  person make_person(const std::string& name, const std::string& role, const std::string& tenant);

  // -- bus
  struct ticket {
    std::string username, password, client_prefix;
  };
  ticket ticket_for(const person& who);
  std::unique_ptr<bus::mqtt_endpoint> connect(const person& who);
  /// Publishes a request and waits for its final answer.
  response ask(bus::endpoint& on, const person& who, const std::string& guid, request_body body);

  // -- machines
  const std::vector<machine>& machines() const { return machines_; }
  /// One for a test of its own: connected, powered on, no wish.
  const machine& fresh();
  /// The simulator's control interface: the truth about a machine.
  json sim(const json& command);
  json truth(const std::string& guid);
  void fault(const std::string& guid, const std::string& kind, int count = 1, int ms = 0);

  /// Polls the truth (never the server's promises) until `ready`; false after test::patience.
  bool until(const std::function<bool()>& ready);
  bool connected(const std::string& guid);
  int power(const std::string& guid); ///< CIM code, as the simulated machine really is

  test::postgres& database() { return *database_; }
  test::mosquitto& broker() { return *broker_; }
  std::string server_log() const { return server_->output(); }
  void restart_server(int signal);
  std::uint16_t people_port() const { return people_port_; }
  std::uint16_t cira_port() const { return cira_port_; }
  std::string https_url() const;
  std::string bus_ca() const;
  std::string https_ca() const { return https_ca_; }
  std::string folder() const { return folder_.path(); }

private:
  site();
  void start_server();

  test::tempdir folder_;
  std::unique_ptr<test::postgres> database_;
  std::unique_ptr<test::mosquitto> broker_;
  std::unique_ptr<test::process> server_, simulator_;
  std::string config_, https_ca_;
  std::uint16_t cira_port_, https_port_, people_port_, machines_port_, control_port_;
  person admin_;
  std::vector<machine> machines_;
  std::size_t next_ = 0;
};

} // namespace outband::e2e
