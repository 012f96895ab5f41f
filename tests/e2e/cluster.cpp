#include "tests/e2e/cluster.hpp"

#include "tests/support/https_client.hpp"
#include "tests/support/ports.hpp"

#include <nlohmann/json.hpp>

#include <stdexcept>

namespace outband::e2e {

namespace {

constexpr std::size_t how_many = 24;

constexpr const char* common =
    "cira: {bind: 127.0.0.1, common_name: localhost, never_block: [127.0.0.1]}\n"
    "https: {bind: 127.0.0.1, names: [localhost, 127.0.0.1]}\n"
    "cluster: {beat: 300ms, lease: 3s, silent_after: 3s, will_grace: 500ms, links_grace: 2s, "
    "drain: 3s}\n"
    "direct: {allow_own: true, longest_pause: 1s}\n"
    "metrics: {enabled: true}\n";

} // namespace

cluster& cluster::get() {
  static cluster one(test::free_port());
  return one;
}

cluster::cluster(std::uint16_t https_port) : stage(common), https_port_(https_port) {
  for (const char* name : {"term-a", "term-b"})
    cira_[name] = test::free_port();
  front_ = std::make_unique<test::balancer>(
      std::vector<std::uint16_t>{cira_.at("term-a"), cira_.at("term-b")});
  add("ctl-a", "controller");
  add("ctl-b", "controller");
  add("term-a", "terminator");
  add("term-b", "terminator");
  add("api-a", "api");
  talk_to(https_port_);
  // One makes keys and tables, then all the others at once.
  node("ctl-a").start();
  for (const auto& [name, n] : nodes_)
    if (name != "ctl-a")
      n->launch();
  for (const auto& [name, n] : nodes_)
    if (!n->says("is ready"))
      throw std::runtime_error(name + " does not start: " + n->log());
  if (!until([&] { return ready(); }))
    throw std::runtime_error("not ready: " + logs());
  sign_in_admin();
  add_machines(front_->port(), how_many);
  fleet().connect();
  heal();
}

void cluster::add(const std::string& name, const std::string& role) {
  std::vector<std::pair<std::string, std::string>> env{
      {"OUTBAND_NODE_NAME", name},
      {"OUTBAND_ROLES", role},
      {"OUTBAND_HTTPS_PORT", std::to_string(https_port_)},
      {"OUTBAND_METRICS_PORT", std::to_string(watched_[name] = test::free_port())}};
  if (cira_.count(name) != 0)
    env.emplace_back("OUTBAND_CIRA_PORT", std::to_string(cira_.at(name)));
  nodes_[name] = std::make_unique<server>(config(), std::move(env));
}

reply cluster::watched(const std::string& node, const std::string& path) const {
  auto r =
      test::https_client("http://127.0.0.1:" + std::to_string(watched_.at(node)), {}).get(path);
  return {r.status, r.status == 0 ? r.error : r.body};
}

std::string cluster::logs() const {
  std::string out;
  for (const auto& [name, n] : nodes_)
    out += "==== " + name + "\n" + n->log();
  return out;
}

void cluster::heal() {
  for (const auto& [name, n] : nodes_) {
    n->resume();
    if (!n->running())
      n->start();
  }
  front_->spread();
  fleet().connect();
  if (!until([&] { return ready() && !controller().holder.empty(); }))
    throw std::runtime_error("nobody controls: " + logs());
  for (const auto& m : machines())
    if (!until([&] { return !terminator_of(m).empty(); })) {
      const auto what = m.hostname + " has no tunnel: " + host(m.guid).dump();
      fault(m.guid, "drop", 1, 1); // the next test shall say something of its own
      throw std::runtime_error(what);
    }
}

void cluster::place(const machine& m, const std::string& terminator) {
  front_->prefer(cira_.at(terminator));
  if (terminator_of(m) != terminator)
    fault(m.guid, "drop", 1, 1);
  if (!until([&] { return terminator_of(m) == terminator; }))
    throw std::runtime_error(m.hostname + " is not at " + terminator + ": " +
                             host(m.guid).at("link").dump());
}

void cluster::place_all(const std::string& terminator) {
  front_->prefer(cira_.at(terminator));
  for (const auto& [name, port] : cira_)
    if (name != terminator)
      front_->cut(port);
  for (const auto& m : machines())
    if (!until([&] { return terminator_of(m) == terminator; }))
      throw std::runtime_error(m.hostname + " is not at " + terminator + ": " +
                               host(m.guid).at("link").dump());
}

std::string cluster::terminator_of(const machine& m) const {
  const auto link = host(m.guid).at("link");
  return link.at("state") == "up" ? link.at("instance").get<std::string>() : std::string();
}

cluster::lease cluster::controller() const {
  const auto row = sql("select instance || ' ' || epoch from controller where expires_at > "
                       "extract(epoch from clock_timestamp()) * 1000");
  const auto space = row.find(' ');
  if (space == std::string::npos)
    return {};
  return {row.substr(0, space), std::stoull(row.substr(space + 1))};
}

cluster::lease cluster::next_controller(const lease& after) const {
  lease found;
  const bool taken = until([&] {
    found = controller();
    return !found.holder.empty() && found.epoch > after.epoch;
  });
  if (!taken)
    throw std::runtime_error("nobody takes the lease over: " + logs());
  return found;
}

} // namespace outband::e2e
