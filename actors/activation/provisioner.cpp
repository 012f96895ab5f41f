#include "actors/activation/provisioner.hpp"

#include "actors/activation/activation.hpp"
#include "actors/activation/passwords.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <deque>
#include <unordered_map>

namespace outband::activation {

/// What the role's actor keeps: who is at work for which connection.
class provisioner_state {
public:
  static inline const char* name = "outband.provisioner";
  ~provisioner_state() {
    for (const auto& [id, a] : running) {
      caf::anon_send_exit(a.who, caf::exit_reason::user_shutdown);
      a.wire->refuse("The server is shutting down. Do it again later.");
    }
    for (const auto& w : waiting)
      w.who.wire->refuse("The server is shutting down. Do it again later.");
  }
  struct activation {
    activation_actor who;
    std::shared_ptr<activation_wire> wire;
  };
  std::unordered_map<std::uint64_t, activation> running;
  std::deque<activation_opened> waiting; ///< in the order in which they came
};

namespace {

provisioner_actor::behavior_type
provisioner_behavior(provisioner_actor::stateful_pointer<provisioner_state> self, const site* where,
                     std::size_t at_once) {
  auto begin = [self, where](const activation_opened& m) {
    self->state.running[m.who.id] = {
        self->spawn<caf::monitored>(activation_behavior, where, m.who, m.wish), m.who.wire};
  };
  self->set_down_handler([self, begin, at_once](const caf::down_msg& m) {
    auto& running = self->state.running;
    for (auto at = running.begin(); at != running.end(); ++at)
      if (at->second.who.address() == m.source) {
        if (m.reason && m.reason != caf::exit_reason::user_shutdown) {
          spdlog::error("an activation ended by a defect; doing it again goes on");
          at->second.wire->refuse("The server has failed. Do it again.");
        }
        running.erase(at);
        break;
      }
    auto& waiting = self->state.waiting;
    while (!waiting.empty() && running.size() < at_once) {
      begin(waiting.front());
      waiting.pop_front();
    }
  });
  return {
      [self, begin, at_once](const activation_opened& m) {
        if (self->state.running.size() < at_once)
          return begin(m);
        m.who.wire->progress("Waiting for other machines");
        self->state.waiting.push_back(m);
      },
      [self](const activation_left& m) {
        auto at = self->state.running.find(m.connection);
        if (at != self->state.running.end())
          return caf::anon_send(at->second.who, activation_closed{});
        auto& waiting = self->state.waiting;
        waiting.erase(std::remove_if(waiting.begin(), waiting.end(),
                                     [&](const auto& w) { return w.who.id == m.connection; }),
                      waiting.end());
      },
  };
}

} // namespace

workshop::workshop() : thread_([this] { work(); }) {}

workshop::~workshop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  more_.notify_all();
  thread_.join();
}

void workshop::run(std::function<void()> job) {
  {
    std::lock_guard lock(mutex_);
    jobs_.push_back(std::move(job));
  }
  more_.notify_one();
}

void workshop::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    more_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
    if (stopping_)
      return;
    auto job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    try {
      job();
    } catch (const std::exception& e) {
      // Nothing waits for a thread that has ended; whoever asked is ended by its client's patience.
      spdlog::error("a job of an activation failed: {}", e.what());
    }
    job = nullptr;
    lock.lock();
  }
}

provisioner::provisioner(caf::actor_system& system, const services& with, provisioning_port& rows,
                         control_port& control, settings s)
    : system_(system), site_{with,
                             rows,
                             control,
                             [this](std::function<void()> job) { workshop_.run(std::move(job)); },
                             random_octets,
                             std::move(s.ca_certificate),
                             std::move(s.ca_key),
                             s.bare,
                             s.call_timeout,
                             s.settle,
                             s.attempts},
      at_once_(std::max<std::size_t>(s.at_once, 1)) {}

provisioner::~provisioner() {
  stop();
}

void provisioner::start() {
  std::lock_guard lock(mutex_);
  if (!actor_)
    actor_ = system_.spawn(provisioner_behavior, static_cast<const site*>(&site_), at_once_);
}

void provisioner::stop() {
  std::lock_guard lock(mutex_);
  stopped_ = true;
  if (actor_)
    caf::anon_send_exit(actor_, caf::exit_reason::user_shutdown);
  actor_ = nullptr;
}

void provisioner::opened(connection who, provisioning_wish wish) {
  std::lock_guard lock(mutex_);
  if (stopped_ || !actor_)
    return who.wire->refuse("The server is shutting down. Do it again later.");
  caf::anon_send(actor_, activation_opened{std::move(who),
                                           std::make_shared<provisioning_wish>(std::move(wish))});
}

void provisioner::closed(std::uint64_t id) {
  std::lock_guard lock(mutex_);
  if (actor_)
    caf::anon_send(actor_, activation_left{id});
}

} // namespace outband::activation
