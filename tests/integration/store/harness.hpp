/// A store on a fresh database, and blocking calls to its asynchronous functions.
#pragma once

#include "actors/store/migrations.hpp"
#include "actors/store/pg_cluster.hpp"
#include "actors/store/pg_direct.hpp"
#include "actors/store/pg_outbox.hpp"
#include "actors/store/pg_provisioning.hpp"
#include "actors/store/pg_secret_rows.hpp"
#include "actors/store/pg_store.hpp"
#include "tests/support/postgres.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <future>
#include <memory>
#include <stdexcept>

namespace outband::test {

/// The binary's server, started when first needed.
postgres& server();

/// Calls `start(cb)` and waits for the answer. A second answer, or none, is an error of the test.
template <class T, class F> result<T> call(F start) {
  struct box {
    std::promise<result<T>> promise;
    std::atomic<int> answers{0};
  };
  auto b = std::make_shared<box>();
  auto future = b->promise.get_future();
  start(answer<T>([b](result<T> r) {
    if (b->answers.fetch_add(1) == 0)
      b->promise.set_value(std::move(r));
    else
      std::terminate(); // "exactly once" does not hold
  }));
  if (future.wait_for(patience) != std::future_status::ready)
    throw std::runtime_error("the store never answered");
  return future.get();
}

/// The value; fails the test with the failure's words otherwise.
template <class T> T must(result<T> r) {
  if (!r)
    throw std::runtime_error(to_string(r.error()));
  return std::move(*r);
}

/// Polls a condition until it holds. For what only the database can tell; every look is a round
/// trip, so this does not spin.
template <class F> bool eventually(F condition) {
  auto until = std::chrono::steady_clock::now() + patience;
  while (!condition())
    if (std::chrono::steady_clock::now() > until)
      return false;
  return true;
}

uuid id(int n); ///< a different one for each number
inline device_ref dev(const std::string& tenant, int n) {
  return {tenant, id(n)};
}
device_record record(const device_ref& ref);
command_row command(const device_ref& ref, int n);
bus::outgoing message(const std::string& topic, const std::string& payload, bool retain = true);
desired_state wish(power_target target);

/// One life of a node.
inline instance_ref life(const std::string& name, int incarnation = 1) {
  return {name, id(incarnation)};
}
heartbeat_answer beat(cluster_port& on, heartbeat h);
/// The beat of a candidate.
heartbeat_answer beat(cluster_port& on, const instance_ref& self, controller_epoch held = 0,
                      controller_epoch usurp = 0);
void enrol(cluster_port& on, const instance_ref& self);

/// One node's connections.
struct node {
  explicit node(const std::string& dsn, store::pg_options options = {});

  store::database db;
  store::pg_store store;
  store::pg_cluster cluster;
  store::pg_direct direct;
  store::pg_provisioning provisioning;
  store::pg_outbox outbox;
  store::pg_secret_rows secret_rows;
};

/// A migrated database with tenants "acme" and "globex", and one node on it.
struct stage {
  explicit stage(store::pg_options options = {}, postgres& on = server());

  postgres& pg;
  std::string database;
  std::string dsn;
  std::unique_ptr<node> first;
  store::pg_store& store;

  std::unique_ptr<node> another(store::pg_options options = {}) const;
  std::string sql(const std::string& text) const { return pg.sql(database, text); }

  device_record add(const device_ref& ref);
  desired_row desired(const device_ref& ref);
  device_row load(const device_ref& ref);
  result<write_outcome> write(const device_ref& ref, revision expected, power_target target,
                              int command_number, std::vector<bus::outgoing> publish = {});
  result<epoch_grant> take(const device_ref& ref, const std::string& instance = "n1",
                           int incarnation = 1);
  std::vector<bus::outbox_row> queued();
};

} // namespace outband::test
