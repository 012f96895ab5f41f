#include "actors/node.hpp"

#include "actors/activation/expiry.hpp"
#include "actors/activation/passwords.hpp"
#include "actors/removals.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/atom.hpp>
#include <caf/event_based_actor.hpp>

#include "messages/bus/envelope.hpp"
#include "messages/bus/topics.hpp"

#include <spdlog/spdlog.h>

namespace outband {

namespace {

struct config : caf::actor_system_config {
  explicit config(std::size_t threads) {
    set("scheduler.policy", caf::atom("sharing"));
    set("scheduler.max-threads", std::max<std::size_t>(threads, 1));
    set("scheduler.max-throughput", std::size_t{100});
  }
};

} // namespace

struct node::impl {
  impl(std::size_t threads, const services& with, const node_roles& roles, bus::endpoint& outside)
      : cfg(threads), system(cfg), terminator(system, with), control(system, with),
        controller(system, with), requests(with, control, outside), keeper(system, with, outside),
        direct(system, with, terminator, outside) {
    terminator.on_disconnect([this](const device_ref& ref) { direct.look_at(ref); });
    control.on_connection_changed([this](const device_ref& ref) { direct.changed(ref); });
    if (roles.provisioner && with.provisioning != nullptr)
      provisioner = std::make_unique<activation::provisioner>(system, with, *with.provisioning,
                                                              control, *roles.provisioner);
    if (roles.controller && with.removals != nullptr)
      removals = std::make_unique<outband::removals>(with, control);
    if (roles.controller && with.provisioning != nullptr)
      expiry = std::make_unique<activation::expiry_watch>(system, with);
    if (roles.controller && roles.home && with.provisioning != nullptr)
      bootstrap =
          std::make_unique<activation::bootstrap>(with, *roles.home, activation::random_octets);
  }

  config cfg;
  caf::actor_system system;
  outband::terminator terminator;
  outband::control control;
  outband::controller controller;
  bus_requests requests;
  outband::keeper keeper;
  direct_links direct;
  std::unique_ptr<activation::provisioner> provisioner; ///< nullptr: not this node's role
  std::unique_ptr<activation::bootstrap> bootstrap;     ///< likewise
  std::unique_ptr<activation::expiry_watch> expiry;     ///< likewise
  std::unique_ptr<outband::removals> removals;          ///< nullptr: no controller, or none wanted
  caf::actor guard;
};

namespace {

struct watch_all {};

} // namespace
} // namespace outband

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(outband::watch_all)

namespace outband {

node::node(services with, node_roles roles, bus::endpoint& outside, std::size_t actor_threads)
    : with_(std::move(with)), roles_(std::move(roles)), outside_(outside),
      impl_(std::make_unique<impl>(actor_threads, with_, roles_, outside)) {}

node::~node() {
  stop();
}

/// On the keeper's thread, as the following.
void node::control_begins(controller_epoch epoch) {
  std::lock_guard lock(shift_);
  if (stopping_)
    return;
  // Whoever listens comes before whoever speaks.
  impl_->controller.start(epoch);
  impl_->requests.start(epoch);
  hooks_.gained(epoch);
  caf::anon_send(impl_->guard, watch_all{});
  if (impl_->bootstrap)
    impl_->bootstrap->start();
  if (impl_->removals)
    impl_->removals->start();
  if (impl_->expiry)
    impl_->expiry->start();
}

void node::control_ends() {
  std::lock_guard lock(shift_);
  if (stopping_)
    return;
  if (impl_->bootstrap)
    impl_->bootstrap->stop();
  if (impl_->removals)
    impl_->removals->stop();
  if (impl_->expiry)
    impl_->expiry->stop();
  hooks_.lost();
  impl_->requests.stop();
  impl_->controller.stop();
}

/// Retained per tenant: nobody may look over the fence, and everybody must know which terminators
/// live. Not by way of the outbox: it is about nodes, not about anything stored.
void node::tell_tenants(std::vector<bus::bus_instance> all) {
  bus::envelope e;
  e.id = with_.clock.new_id();
  e.time = with_.clock.now();
  e.source = with_.node;
  auto payload = std::make_shared<const std::string>(
      bus::encode(e, bus::bus_instances{std::move(all)}, bus::encoding::msgpack));
  with_.store.list_tenants([this, open = gate_, payload](result<std::vector<tenant_row>> tenants) {
    auto inside = open->enter();
    if (!inside)
      return;
    if (!tenants)
      return spdlog::warn("terminators not announced: {}", to_string(tenants.error()));
    for (const auto& t : *tenants) {
      bus::message m;
      m.topic = bus::meta_topic(t.key, "bus");
      m.payload = payload;
      m.content_type = std::string(bus::content_type_of(bus::root::native));
      m.retain = true;
      outside_.publish(std::move(m));
    }
  });
}

void node::start(keeper_hooks hooks) {
  hooks_ = std::move(hooks);
  auto* i = impl_.get();
  const auto& r = roles_;
  // The order matters: whoever listens comes before whoever speaks.
  if (r.api || r.controller)
    i->control.start();
  if (r.terminator)
    i->terminator.start();
  keeper_hooks ours;
  ours.gained = [this](controller_epoch epoch) {
    control_begins(epoch);
  };
  ours.lost = [this] {
    control_ends();
  };
  ours.look_around = [i](std::chrono::milliseconds after) {
    i->controller.look_around(after);
  };
  ours.buried = [i, r] {
    if (r.terminator)
      i->terminator.reclaim();
  };
  ours.terminators = [this](std::vector<bus::bus_instance> all) {
    tell_tenants(std::move(all));
  };
  ours.superseded = hooks_.superseded;
  auto* restarts = &with_.counters.actor_restarts;
  i->guard = i->system.spawn([i, r, restarts](caf::event_based_actor* self) -> caf::behavior {
    self->set_down_handler([i, r, restarts, self](const caf::down_msg& m) {
      if (!m.reason || m.reason == caf::exit_reason::user_shutdown)
        return;
      ++*restarts;
      spdlog::error("an actor of this node ended by a defect and is started again");
      if (r.controller && i->controller.address() == m.source)
        i->controller.restart();
      else if (r.terminator && i->terminator.address() == m.source)
        i->terminator.restart();
      else if (i->control.address() == m.source)
        i->control.restart();
      else if (i->keeper.address() == m.source)
        i->keeper.restart();
      self->send(self, watch_all{});
    });
    return {[i, r, self](const watch_all&) {
      for (const auto& who : {r.controller ? i->controller.address() : caf::actor_addr{},
                              r.terminator ? i->terminator.address() : caf::actor_addr{},
                              i->control.address(), i->keeper.address()}) {
        if (!who)
          continue;
        self->demonitor(who); // at most one watch each
        self->monitor(who);
      }
    }};
  });
  if (with_.direct && (r.terminator || r.api))
    i->direct.start();
  if (i->provisioner)
    i->provisioner->start();
  i->keeper.start(r.controller, std::move(ours));
  caf::anon_send(i->guard, watch_all{});
}

void node::stop() {
  if (!impl_)
    return;
  {
    std::lock_guard lock(shift_);
    stopping_ = true;
  }
  gate_->close();
  if (impl_->guard) {
    caf::anon_send_exit(impl_->guard, caf::exit_reason::user_shutdown);
    impl_->guard = nullptr;
  }
  if (impl_->provisioner)
    impl_->provisioner->stop();
  if (impl_->bootstrap)
    impl_->bootstrap->stop();
  if (impl_->removals)
    impl_->removals->stop();
  if (impl_->expiry)
    impl_->expiry->stop();
  impl_->keeper.stop();
  impl_->requests.stop();
  impl_->direct.stop();
  impl_->terminator.stop();
  impl_->control.stop();
  impl_->controller.stop();
  // The guard looks at the roles, which are destroyed before the actor system.
  impl_->system.await_all_actors_done();
  impl_.reset();
}

void node::resign() {
  impl_->keeper.resign();
}

std::size_t node::other_terminators() const {
  return impl_->keeper.other_terminators();
}

terminator_port& node::terminator() {
  return impl_->terminator;
}

activation_port* node::activations() {
  return impl_->provisioner.get();
}

direct_links& node::direct() {
  return impl_->direct;
}

control_port& node::control() {
  return impl_->control;
}

} // namespace outband
