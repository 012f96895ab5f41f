#include "actors/direct_links.hpp"

#include "messages/bus/envelope.hpp"
#include "messages/bus/platform.hpp"
#include "messages/bus/topics.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace outband {

namespace {

constexpr std::size_t page = 500;
constexpr std::chrono::milliseconds store_pause{5'000}, after_retiring{500};

direct_actor::behavior_type sweeper(direct_actor::pointer, const std::function<void()>& sweep) {
  return {[sweep](const sweep_direct&) {
    sweep();
  }};
}

} // namespace

direct_links::direct_links(caf::actor_system& system, const services& with, terminator& links,
                           bus::endpoint& outside)
    : system_(system), with_(with), links_(links), outside_(outside) {}

direct_links::~direct_links() {
  stop();
}

void direct_links::start() {
  if (gate_->closed())
    gate_ = std::make_shared<gate>();
  {
    std::lock_guard lock(mutex_);
    timer_ = system_.spawn(sweeper, std::function<void()>([this, open = gate_] {
                             if (auto inside = open->enter())
                               sweep();
                           }));
  }
  subscriptions_.push_back(outside_.subscribe(bus::node_presence_filter(), {},
                                              [this, open = gate_](const bus::message& m) {
                                                if (auto inside = open->enter())
                                                  hear(m);
                                              }));
  subscriptions_.push_back(outside_.on_connection([this, open = gate_](bool up) {
    auto inside = open->enter();
    if (inside && up)
      sweep(); // a death may have been missed meanwhile
  }));
}

void direct_links::stop() {
  subscriptions_.clear();
  direct_actor last;
  {
    std::lock_guard lock(mutex_);
    dialer_ = nullptr;
    last = std::exchange(timer_, nullptr);
  }
  if (last)
    caf::anon_send_exit(last, caf::exit_reason::user_shutdown);
  gate_->close();
}

void direct_links::attach(direct_dialer& dialer) {
  {
    std::lock_guard lock(mutex_);
    dialer_ = &dialer;
  }
  sweep();
}

void direct_links::detach() {
  std::lock_guard lock(mutex_);
  dialer_ = nullptr;
}

// -- who holds what -----------------------------------------------------------------------------

void direct_links::hear(const bus::message& m) {
  if (m.payload->empty())
    return;
  auto decoded = bus::decode_node_presence(*m.payload, bus::encoding::msgpack);
  if (!decoded) {
    ++with_.counters.decode_errors;
    return;
  }
  const auto& p = decoded->body;
  const bool takes = std::find(p.roles.begin(), p.roles.end(), "terminator") != p.roles.end();
  if (p.instance == with_.node || (p.up && !takes)) // a will may not say the roles
    return;
  {
    std::lock_guard lock(mutex_);
    if (p.up)
      others_.insert(p.instance);
    else
      others_.erase(p.instance);
  }
  if (p.up)
    return;
  // One that has retired is out of the database at once, one that was buried soon after its will,
  // and one that nobody buries counts as dead when it has been silent for long enough.
  const auto& t = with_.cluster_timing;
  sweep_later(after_retiring);
  sweep_later(t.will_grace + after_retiring);
  sweep_later(t.silent_after + t.beat);
}

void direct_links::sweep_later(std::chrono::milliseconds after) {
  std::lock_guard lock(mutex_);
  if (timer_)
    caf::delayed_anon_send(timer_, after, sweep_direct{});
}

void direct_links::sweep() {
  {
    std::lock_guard lock(mutex_);
    if (!dialer_ || !with_.direct)
      return;
    again_ = sweeping_;
    if (sweeping_)
      return;
    sweeping_ = true;
  }
  next_page();
}

void direct_links::next_page() {
  std::size_t limit = 0;
  {
    std::lock_guard lock(mutex_);
    limit = dialer_ ? std::min(page, dialer_->room()) : 0;
    if (limit == 0)
      sweeping_ = false;
  }
  if (limit != 0)
    with_.direct->claim(self(), with_.cluster_timing.silent_after, limit,
                        [this, open = gate_](result<std::vector<device_ref>> r) {
                          if (auto inside = open->enter())
                            claimed(std::move(r));
                        });
}

void direct_links::claimed(result<std::vector<device_ref>> found) {
  bool more = false;
  {
    std::lock_guard lock(mutex_);
    if (found) {
      for (const auto& ref : *found)
        if (dialer_)
          dialer_->look_at(ref);
      if (dialer_ && dialer_->room() == 0)
        spdlog::warn("direct: no more machines are taken, direct.max_devices is reached");
    }
    more = found && (found->size() == page || std::exchange(again_, false));
    sweeping_ = more;
  }
  if (more)
    return next_page();
  if (!found) {
    ++with_.counters.store_retries;
    spdlog::warn("direct: machines not claimed: {}", to_string(found.error()));
    sweep_later(store_pause);
  }
}

void direct_links::changed(const device_ref& ref) {
  std::vector<std::string> others;
  {
    std::lock_guard lock(mutex_);
    others.assign(others_.begin(), others_.end());
  }
  if (!ref.device.is_nil())
    look_at(ref); // first, so that a new one is rather held by who was asked
  for (const auto& instance : others) {
    bus::envelope e;
    e.id = with_.clock.new_id();
    e.time = with_.clock.now();
    e.source = with_.node;
    e.incarnation = with_.incarnation;
    bus::message m;
    m.topic = bus::node_work_topic(instance);
    m.payload = std::make_shared<const std::string>(
        bus::encode(e, work_body{disconnect{ref}}, bus::encoding::msgpack));
    m.content_type = std::string(bus::content_type_of(bus::root::native));
    with_.internal.publish(std::move(m), [instance, ref](status s) {
      if (!s)
        spdlog::warn("device={} node {} does not know that its connection changed: {}",
                     to_string(ref), instance, to_string(s.error()));
    });
  }
}

void direct_links::look_at(const device_ref& ref) {
  std::lock_guard lock(mutex_);
  if (dialer_)
    dialer_->look_at(ref);
}

// -- one attempt --------------------------------------------------------------------------------

void direct_links::prepare(device_ref ref, answer<direct_target> cb) {
  if (!with_.direct)
    return cb(fail(problem::not_found));
  with_.direct->hold(self(), ref, with_.cluster_timing.silent_after,
                     [this, open = gate_, ref, cb = std::move(cb)](result<direct_row> row) mutable {
                       auto inside = open->enter();
                       if (!inside)
                         return cb(stopping());
                       if (!row)
                         return cb(row.error());
                       with_.secrets.get(ref, secret_name::amt_password,
                                         [ref, row = std::move(*row), cb = std::move(cb)](
                                             result<secret_versions> kept) mutable {
                                           if (!kept)
                                             return cb(kept.error());
                                           direct_target t;
                                           t.ref = std::move(ref);
                                           t.how = std::move(row.how);
                                           t.amt_username = std::move(row.amt_username);
                                           t.amt_password = kept->active.value_or(secret_text{});
                                           cb(std::move(t));
                                         });
                     });
}

void direct_links::admit(const direct_target& who, std::string peer, answer<admission> cb) {
  links_.admit_direct(who.ref, who.amt_username, who.amt_password, std::move(peer), std::move(cb));
}

void direct_links::pin(device_ref ref, std::string sha256, answer<bool> cb) {
  spdlog::info("direct: device={} certificate pinned at first use: sha256:{}", to_string(ref),
               sha256);
  with_.direct->pin(std::move(ref), std::move(sha256), std::move(cb));
}

void direct_links::trouble(const device_ref& ref, direct_trouble what, std::string text) {
  if (what != direct_trouble::none)
    spdlog::warn("direct: device={} not let in: {} ({})", to_string(ref), text, to_string(what));
  auto inside = gate_->enter();
  if (!inside)
    return;
  const bool fine = what == direct_trouble::none;
  links_.trouble(ref, fine ? "" : std::string(to_string(what)), fine ? "" : std::move(text));
}

} // namespace outband
