/// An activation on a stage: the actor under test on CAF's deterministic scheduler, stores in
/// memory, and instead of a WebSocket a wire straight into a simulated machine's firmware
/// (tools/amtsim), whose accounts are checked as its web server checks them. No threads, no sleeps.
///
/// Cuts: `wire::cut_at` ends the connection at that exchange with the firmware, either before the
/// machine has heard it or after it has carried it out and before we hear the answer.
#pragma once

#include "actors/activation/activation.hpp"
#include "tests/support/provisioning_pki.hpp"
#include "tests/unit/activation/memory_provisioning.hpp"
#include "tests/unit/actors/stage.hpp"
#include "tools/amtsim/activation_state.hpp"
#include "tools/amtsim/device_model.hpp"
#include "tools/amtsim/faults.hpp"
#include "tools/amtsim/local_interface.hpp"
#include "tools/amtsim/wsman_server.hpp"

#include <optional>
#include <string>
#include <vector>

namespace outband::testing {

/// A machine with its firmware, and nothing around it.
struct bench {
  explicit bench(std::string version = "16.1.25", int number = 1);
  std::string admin_password_matches(const std::vector<secret_text>& those) const;
  machine_claim claim() const;

  amtsim::settings kind;
  amtsim::device_model model;
  amtsim::fault_set faults;
  amtsim::sim_time now{1000};
};

class sim_wire final : public activation_wire {
public:
  enum class when : std::uint8_t { before, after };
  sim_wire(bench& machine, std::deque<std::function<void()>>& later)
      : machine_(machine), later_(later) {}

  void sign_in(std::string user, secret_text password) override;
  void post(std::string envelope, std::chrono::milliseconds timeout,
            std::function<void(result<soap_answer>)> cb) override;
  void switch_port(std::chrono::seconds, std::function<void(status)> cb) override;
  void use_tls(firmware_pin pin, std::function<void(status)> cb) override;
  void progress(std::string label) override { labels.push_back(std::move(label)); }
  void finish(provisioning_report r) override { reports.push_back(std::move(r)); }
  void refuse(std::string text) override {
    provisioning_report r;
    r.status = std::move(text);
    reports.push_back(std::move(r));
  }

  int cut_at = -1; ///< number of the exchange, from 0; -1: never
  when cut = when::before;
  std::string cut_on;           ///< instead of a number: what the firmware calls it; always `after`
  std::function<void()> on_cut; ///< tells the actor
  std::string busy_on;   ///< once, the firmware is too busy for what has this in its question
  std::string silent_on; ///< once, that is carried out and its answer is lost; the client stays
  /// A hostile client: what the machine says is changed on its way.
  std::function<std::string(std::string)> rewrite;
  bool is_cut = false;
  int exchanges = 0;
  std::vector<std::string> asked; ///< what each exchange was, as the firmware names it
  std::vector<std::string> labels;
  std::vector<firmware_pin> sessions;
  std::vector<provisioning_report> reports;

private:
  std::pair<result<soap_answer>, bool> serve(const std::string& envelope);
  bench& machine_;
  std::deque<std::function<void()>>& later_;
  std::string user_;
  secret_text password_;
};

class recording_control final : public control_port {
public:
  explicit recording_control(memory_store& store, memory_secrets& secrets)
      : store_(store), secrets_(secrets) {}
  void submit(request, role, std::function<void(response)>) override {}
  void ask(device_ref, amt_operation, std::chrono::milliseconds, answer<amt_outcome> cb) override {
    cb(fail(problem::link_down));
  }
  void deactivate(device_ref, std::chrono::milliseconds, answer<amt_outcome> cb) override {
    cb(fail(problem::link_down));
  }
  void disconnect(device_ref, answer<bool> cb) override { cb(false); }
  void device_added(const device_ref& ref) override { added.push_back(ref); }
  void connection_changed(const device_ref& ref) override { changed.push_back(ref); }
  void remove_device(device_ref ref, answer<nothing> cb) override {
    removed.push_back(ref);
    for (auto at = secrets_.kept.begin(); at != secrets_.kept.end();)
      at = at->first.first == to_string(ref) ? secrets_.kept.erase(at) : std::next(at);
    if (std::exchange(unheard, false))
      cb = [cb = std::move(cb)](const result<nothing>&) {
        cb(fail(problem::outcome_unknown));
      };
    store_.delete_device(ref, {}, std::move(cb));
  }
  counts count() const override { return {}; }
  std::vector<device_ref> added, changed, removed;
  bool unheard = false; ///< the next removal is carried out, and nobody hears of it

private:
  memory_store& store_;
  memory_secrets& secrets_;
};

class activation_stage {
public:
  static constexpr const char* tenant = "acme";
  activation_stage();
  ~activation_stage();

  /// A profile "p1" of that kind, with what it names: CIRA configuration "home".
  profile& prepare(activation_kind kind);
  /// Gives "p1" a wired 802.1x configuration, "cable", and a WiFi with one, "radio": PEAP, with the
  /// certificate of its authority.
  void prepare_8021x();
  /// A domain for "example.com" with a chain that machines made by `bench` trust.
  void prepare_domain(const test::pki_options& options = {});
  /// A fresh token; its text.
  std::string token(std::optional<device_id> device = {},
                    provisioning_act act = provisioning_act::activate);
  provisioning_wish wish(const bench& m, provisioning_act act = provisioning_act::activate) const;

  /// A connection, started; nothing has run yet.
  std::shared_ptr<sim_wire> open(bench& m, provisioning_wish w, std::string token_text);
  /// Until nothing moves any more, timers included.
  void settle();
  /// open() and settle(): the report.
  provisioning_report go(bench& m, provisioning_act act = provisioning_act::activate,
                         bool named = false);
  device_ref ref(const bench& m) const { return {tenant, m.model.who().guid}; }
  secret_versions secret(const bench& m, secret_name name = secret_name::amt_password) {
    return secrets.kept[{to_string(ref(m)), name}];
  }
  /// Which password of the store the machine takes: "active", "pending", "none".
  std::string known_password(const bench& m);

  stage_clock clock;
  memory_store store;
  memory_cluster cluster{store};
  memory_secrets secrets;
  bus::scripted_bus bus{1};
  std::unique_ptr<bus::scripted_endpoint> internal =
      bus.attach({"oob/v1/-/inst/n1/node/reply", 10'000});
  link_directory directory;
  actor_counters counters;
  services with{store, cluster, secrets, clock, *internal, directory, counters};
  memory_provisioning rows{clock};
  recording_control control{store, secrets};
  std::deque<std::function<void()>> wire_events;
  activation::site where;
  test::provisioning_pki pki;
  stage_config cfg;
  caf::actor_system sys{cfg};
  caf::scheduler::test_coordinator& sched =
      dynamic_cast<caf::scheduler::test_coordinator&>(sys.scheduler());
  std::vector<activation_actor> actors;
  std::uint64_t connections = 0;
  unsigned random_state = 1;
};

} // namespace outband::testing
