/// What every site of these tests stands on: a database, a broker, simulated machines, people.
/// site.hpp puts one server on it, cluster.hpp several.
///
/// Tests wait for conditions (until()), never for time to pass. Context: the test's own thread,
/// which must outlive the stage (processes end with the thread that started them).
#pragma once

#include "tests/e2e/machines.hpp"
#include "tests/e2e/people.hpp"
#include "tests/e2e/server.hpp"
#include "tests/support/mosquitto.hpp"
#include "tests/support/postgres.hpp"
#include "tests/support/tempdir.hpp"

#include <memory>
#include <string>
#include <vector>

namespace outband::e2e {

class stage : public people {
public:
  // -- machines
  const std::vector<machine>& machines() const { return machines_->all(); }
  /// One for a test of its own: connected, powered on, no wish.
  const machine& fresh() { return machines_->fresh(); }
  e2e::machines& fleet() { return *machines_; }
  json sim(const json& command) const;
  json truth(const std::string& guid) const;
  void fault(const std::string& guid, const std::string& kind, int count = 1, int ms = 0) const {
    machines_->fault(guid, kind, count, ms);
  }
  int power(const std::string& guid) const { return machines_->power(guid); }

  std::map<int, int> carried_out(const std::string& guid) const {
    return machines_->carried_out(guid);
  }

  /// Polls the truth (never the server's promises) until `ready`; false after test::patience.
  bool until(const std::function<bool()>& ready) const { return e2e::until(ready); }
  bool connected(const std::string& guid) const; ///< as the server sees it
  /// All that GET /compute/hosts/{guid} says; throws when it is refused.
  json host(const std::string& guid) const;
  /// PATCH of the desired power state: "OFF", "ON".
  reply wish(const machine& m, const std::string& state, const std::string& policy = "ORDERED",
             header_list headers = {}) const;

  /// Brings a machine to where it was at the start: on, and nobody wants it to be.
  void bring_to_rest(const machine& m) const;

  test::postgres& database() { return *database_; }
  test::mosquitto& broker() { return *broker_; }
  /// SQL on the site's own database.
  std::string sql(const std::string& statements) const;
  std::string folder() const { return folder_.path(); }

protected:
  /// Database and broker run afterwards; `more` is YAML besides what all sites need.
  explicit stage(const std::string& more);
  /// Registers the machines, which then wait to be told to connect.
  void add_machines(std::uint16_t server_port, std::size_t count);
  /// Instead: machines that nobody has registered.
  void set_machines(std::unique_ptr<e2e::machines> those) { machines_ = std::move(those); }
  void sign_in_admin();
  const std::string& config() const { return config_; }

private:
  test::tempdir folder_;
  std::string config_, database_name_;
  std::unique_ptr<test::postgres> database_;
  std::unique_ptr<test::mosquitto> broker_;
  std::unique_ptr<e2e::machines> machines_;
};

} // namespace outband::e2e
