#include "tests/e2e/chaos_clients.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <stdexcept>

namespace outband::e2e {

using namespace std::chrono_literals;

client::client(const stage& s, progress& p, std::uint64_t seed, std::vector<machine> own)
    : stage_(s), progress_(p), rest_(s.client()), random_(seed), own_(std::move(own)) {}

client::~client() = default;

void client::run() {
  thread_ = std::thread([this] {
    try {
      while (!progress_.over)
        step(own_[static_cast<std::size_t>(random(0, static_cast<int>(own_.size()) - 1))]);
    } catch (const std::exception& e) {
      complain(std::string("ended by ") + e.what());
    }
  });
}

void client::finish() {
  if (thread_.joinable())
    thread_.join();
}

void client::insist(const std::string& what, const std::function<bool()>& attempt) {
  const bool done = until([&] {
    ++progress_.attempts;
    return attempt();
  });
  if (!done)
    complain("no end: " + what);
}

// -- wishes -------------------------------------------------------------------------------------

void wisher::step(const machine& m) {
  const std::string state = random(0, 1) == 0 ? "ON" : "OFF";
  const std::string policy = random(0, 3) == 0 ? "ORDERED" : "IMMEDIATE";
  const auto body = json{{"name", m.hostname},
                         {"desiredPowerState", "POWER_STATE_" + state},
                         {"powerCommandPolicy", "POWER_COMMAND_POLICY_" + policy}}
                        .dump();
  const header_list id{{"Idempotency-Key", to_string(random_id())}};
  insist("PATCH " + m.guid, [&] {
    auto r = rest_.call(&stage_.admin(), "PATCH", "/compute/hosts/" + m.guid, body, id);
    // 504: the database went away before it said whether it has it.
    if (r.status == 0 || r.status == 503 || r.status == 504)
      return false;
    if (r.status != 200) {
      complain("PATCH was answered " + std::to_string(r.status) + " " + r.body);
      return true;
    }
    const auto rev = r.parsed().at("power").at("desiredRevision").get<std::uint64_t>();
    if (rev < promises_[m.guid].revision)
      complain("revision " + std::to_string(rev) + " after " +
               std::to_string(promises_[m.guid].revision));
    promises_[m.guid] = {state, rev};
    ++progress_.acknowledged;
    return true;
  });
}

// -- commands -----------------------------------------------------------------------------------

void commander::order_by_rest(const machine& m, const uuid& id, int code) {
  const header_list key{{"Idempotency-Key", to_string(id)}};
  insist("POST power/action " + m.guid, [&] {
    auto r = rest_.call(&stage_.admin(), "POST", "/api/v1/amt/power/action/" + m.guid,
                        json{{"action", code}}.dump(), key);
    // Any answer but "I could not" is looked up afterwards: 404 is also said of a machine whose
    // tunnel went with the very cycle that is asked for again.
    return r.status != 0 && r.status != 503;
  });
}

void commander::order_by_bus(const machine& m, const uuid& id, int code) {
  const ask_once what{code == 5 ? power_once::cycle : power_once::reset, power_policy::immediate};
  insist("power.once " + m.guid, [&] {
    auto r = people::ask(*bus_, stage_.admin(), m.guid, id, what, 3s);
    if (r && r->status == request_status::rejected && r->why &&
        r->why->what != problem::store_unavailable && r->why->what != problem::outcome_unknown) {
      complain("power.once was rejected: " + to_string(*r->why));
      return true;
    }
    return r && is_final(r->status) && r->status != request_status::rejected;
  });
}

std::string commander::outcome_of(const uuid& id) {
  std::string out;
  insist("GET requests/" + to_string(id), [&] {
    auto r = rest_.call(&stage_.admin(), "GET", "/api/v1/requests/" + to_string(id));
    if (r.status == 404)
      return true;
    if (r.status == 0 || r.status == 503)
      return false;
    if (r.status != 200) {
      complain("GET requests was answered " + std::to_string(r.status) + " " + r.body);
      return true;
    }
    auto j = r.parsed();
    if (!j.at("final").get<bool>())
      return false;
    out = j.at("status");
    return true;
  });
  return out;
}

void commander::step(const machine& m) {
  insist("waiting for " + m.guid, [&] {
    auto r = rest_.call(&stage_.admin(), "GET", "/api/v1/devices/" + m.guid);
    return progress_.over || (r.status == 200 && r.parsed().value("connectionStatus", false));
  });
  const int code = random(0, 1) == 0 ? 10 : 5;
  const auto id = random_id();
  by_bus_ ? order_by_bus(m, id, code) : order_by_rest(m, id, code);
  const auto how = outcome_of(id);
  ++outcomes_[how.empty() ? "not stored" : how];
  auto& limit = expected_[m.guid][code];
  if (how == "done")
    ++limit.least, ++limit.most;
  else if (how == "unknown" || how == "failed")
    ++limit.most;
  else if (how != "expired" && !how.empty())
    complain("a stored request is '" + how + "'");
  if (how == "done") {
    ++progress_.acknowledged;
    progress_.by_bus += by_bus_ ? 1 : 0;
  }
  auto really = stage_.carried_out(m.guid);
  for (const auto& [c, n] : really)
    if (n > expected_[m.guid][c].most)
      complain("machine " + m.hostname + " carried out " + std::to_string(c) + " " +
               std::to_string(n) + " times, at most " + std::to_string(expected_[m.guid][c].most) +
               " were ordered; the last was " + to_string(id) + ", " + how);
}

} // namespace outband::e2e
