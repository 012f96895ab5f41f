#include "actors/control.hpp"

#include "actors/legacy_events.hpp"
#include "messages/amt/catalogue.hpp"
#include "messages/bus/envelope.hpp"
#include "messages/bus/topics.hpp"

#include <spdlog/spdlog.h>

#include <utility>

namespace outband {

namespace {

desk_actor::behavior_type desk_behavior(desk_actor::stateful_pointer<desk_state> self,
                                        const services* with, desk_hooks hooks) {
  self->state.start(self, *with, std::move(hooks));
  return {
      [self](const request_submitted& m) { self->state.on(m); },
      [self](const outcome_arrived& m) { self->state.on(m); },
      [](const desk_step& m) { (*m.go)(); },
      [self](const desk_tick& m) { self->state.on(m); },
  };
}

bus::envelope envelope_of(const services& with, std::optional<device_ref> about = {}) {
  bus::envelope e;
  e.about = std::move(about);
  e.id = with.clock.new_id();
  e.time = with.clock.now();
  e.source = with.node;
  return e;
}

/// Who asked gets exactly one final word, also when the desk ends by a defect, a store's completion
/// finds it gone, or the process stops: whoever drops the last copy says that nobody knows.
/// Context: one thread at a time (the desk's, or whoever drops it).
class last_word {
public:
  last_word(const uuid& id, std::function<void(response)> tell) : id_(id), tell_(std::move(tell)) {}
  last_word(const last_word&) = delete;
  last_word& operator=(const last_word&) = delete;
  ~last_word() {
    if (said_)
      return;
    response r;
    r.id = id_;
    r.status = request_status::unknown;
    r.why = fail(problem::outcome_unknown, "the server's desk was restarted; the request may have "
                                           "been stored, so ask again with the same id");
    r.text = r.why->detail;
    try {
      tell_(std::move(r));
    } catch (...) {
      spdlog::error("request={} the last word was not taken", to_string(id_));
    }
  }
  void say(const response& answer) {
    if (said_)
      return;
    said_ = is_final(answer.status);
    tell_(answer);
  }

private:
  uuid id_;
  std::function<void(response)> tell_;
  bool said_ = false;
};

bus::message internal_message(std::string topic, std::string payload) {
  bus::message m;
  m.topic = std::move(topic);
  m.payload = std::make_shared<const std::string>(std::move(payload));
  m.content_type = std::string(bus::content_type_of(bus::root::native));
  return m;
}

} // namespace

control::control(caf::actor_system& system, const services& with) : system_(system), with_(with) {}

control::~control() {
  stop();
}

void control::start() {
  {
    std::lock_guard lock(mutex_);
    stopped_ = false;
  }
  if (gate_->closed())
    gate_ = std::make_shared<gate>();
  restart();
  bus::subscribe_options options;
  options.retain_handling = 2;
  subscriptions_.push_back(with_.internal.subscribe(
      bus::node_reply_topic(with_.node), options, [this, open = gate_](const bus::message& m) {
        auto inside = open->enter();
        if (!inside)
          return;
        auto decoded = bus::decode_response(*m.payload, bus::encoding::msgpack);
        if (!decoded) {
          ++with_.counters.decode_errors;
          spdlog::warn("reply on {} dropped: {}", m.topic, to_string(decoded.error()));
          return;
        }
        desk_actor to;
        {
          std::lock_guard lock(mutex_);
          to = desk_;
        }
        if (to)
          caf::anon_send(to, outcome_arrived{std::move(decoded->body)});
      }));
}

void control::restart() {
  std::lock_guard lock(mutex_);
  if (stopped_)
    return; // it ended while we were stopping
  desk_ = system_.spawn(desk_behavior, &with_, hooks());
}

void control::stop() {
  subscriptions_.clear();
  desk_actor last;
  {
    std::lock_guard lock(mutex_);
    stopped_ = true;
    last = std::exchange(desk_, nullptr);
  }
  if (last)
    caf::anon_send_exit(last, caf::exit_reason::user_shutdown);
  gate_->close();
}

caf::actor_addr control::address() const {
  std::lock_guard lock(mutex_);
  return desk_ ? caf::actor_cast<caf::actor_addr>(desk_) : caf::actor_addr{};
}

void control::submit(request r, role held, std::function<void(response)> on_response) {
  if (with_.legacy && std::holds_alternative<ask_action>(r.body))
    on_response = [legacy = with_.legacy, asked = r,
                   tell = std::move(on_response)](response answer) {
      legacy->ended(asked, answer);
      tell(std::move(answer));
    };
  desk_actor to;
  {
    std::lock_guard lock(mutex_);
    to = desk_;
  }
  if (!to) {
    response refused;
    refused.id = r.id;
    refused.why = stopping();
    refused.text = refused.why->detail;
    return on_response(std::move(refused));
  }
  auto word = std::make_shared<last_word>(r.id, std::move(on_response));
  caf::anon_send(to, request_submitted{std::move(r), held,
                                       std::make_shared<std::function<void(response)>>(
                                           [word](response answer) { word->say(answer); })});
}

void control::find_link(const device_ref& ref, std::function<void(result<std::string>)> cb) {
  if (auto here = with_.directory.find(ref))
    return cb(here->instance);
  // Not ours: perhaps another node's, perhaps nobody's, perhaps not this tenant's.
  with_.store.get_device(ref, [cb = std::move(cb), node = with_.node](result<device_record> r) {
    if (!r)
      return cb(r.error());
    if (!r->connected || r->instance.empty() || r->instance == node)
      return cb(fail(problem::link_down));
    cb(r->instance);
  });
}

void control::ask(device_ref ref, amt_operation op, std::chrono::milliseconds timeout,
                  answer<amt_outcome> cb) {
  const auto* named = std::get_if<amt::perform>(&op);
  const auto* known = named == nullptr ? nullptr : amt::find_operation(named->name);
  if (is_change(op) || (known != nullptr && known->effect == wsman::effect::change))
    return cb(fail(problem::internal, "a change is a request, not a live read"));
  ask_by(ref, std::move(op), with_.clock.new_id(), timeout, std::move(cb));
}

void control::deactivate(device_ref ref, std::chrono::milliseconds timeout,
                         answer<amt_outcome> cb) {
  ask_by(ref, amt::perform{"deactivate", {}, false}, with_.clock.new_id(), timeout, std::move(cb));
}

desk_hooks control::hooks() {
  desk_hooks h;
  h.ask = [this, open = gate_](const device_ref& ref, amt_operation op, const uuid& call,
                               std::chrono::milliseconds timeout, answer<amt_outcome> cb) {
    auto inside = open->enter();
    if (!inside)
      return cb(stopping());
    ask_by(ref, std::move(op), call, timeout, std::move(cb));
  };
  h.forget = [this, open = gate_](const device_ref& ref) {
    auto inside = open->enter();
    if (!inside)
      return;
    remove_device(ref, [ref](result<nothing> r) {
      if (!r)
        spdlog::warn("device={} was deactivated, but its registration stays: {}", to_string(ref),
                     to_string(r.error()));
    });
  };
  return h;
}

void control::ask_by(const device_ref& ref, amt_operation op, const uuid& call,
                     std::chrono::milliseconds timeout, answer<amt_outcome> cb) {
  find_link(ref, [this, open = gate_, ref, op = std::move(op), call, timeout,
                  cb = std::move(cb)](result<std::string> instance) mutable {
    auto inside = open->enter();
    if (!inside)
      return cb(stopping());
    if (!instance) {
      if (with_.legacy && instance.error().what != problem::store_unavailable)
        with_.legacy->not_connected(ref);
      return cb(instance.error());
    }
    if (with_.legacy)
      cb = with_.legacy->watched(ref, op, std::move(cb));
    ask_at(*instance, std::move(ref), std::move(op), call, timeout, std::move(cb));
  });
}

void control::ask_at(const std::string& instance, device_ref ref, amt_operation op, const uuid& id,
                     std::chrono::milliseconds timeout, answer<amt_outcome> cb) {
  if (auto* p = std::get_if<amt::perform>(&op); p != nullptr && !p->argument.empty()) {
    const auto* known = amt::find_operation(p->name);
    // Over the broker no password travels in clear.
    if (known != nullptr && known->secret && instance != with_.node) {
      auto sealed = with_.secrets.seal(ref, p->argument);
      if (!sealed)
        return cb(sealed.error());
      p->argument = std::move(*sealed);
      p->sealed = true;
    }
  }
  amt_call call;
  call.id = id;
  call.device = std::move(ref);
  call.operation = std::move(op);
  call.deadline = with_.clock.now() + timeout.count();
  auto m =
      internal_message(bus::node_ask_topic(instance),
                       bus::encode(envelope_of(with_), work_body{call}, bus::encoding::msgpack));
  // A little longer than the link's own deadline, so that its words reach us.
  with_.internal.request(std::move(m), timeout + std::chrono::milliseconds(500),
                         [cb = std::move(cb)](result<bus::message> answered) {
                           if (!answered) {
                             auto why = answered.error();
                             if (why.what == problem::expired)
                               why = fail(problem::device_timeout);
                             cb(std::move(why));
                             return true;
                           }
                           auto decoded =
                               bus::decode_answer(*answered->payload, bus::encoding::msgpack);
                           if (!decoded)
                             cb(decoded.error());
                           else
                             cb(std::move(decoded->body.outcome));
                           return true;
                         });
}

void control::disconnect(device_ref ref, answer<bool> cb) {
  find_link(ref, [this, open = gate_, ref, cb = std::move(cb)](result<std::string> instance) {
    auto inside = open->enter();
    if (!inside)
      return cb(stopping());
    if (!instance) {
      if (instance.error().what == problem::link_down)
        return cb(false);
      return cb(instance.error());
    }
    with_.internal.publish(
        internal_message(bus::node_work_topic(*instance),
                         bus::encode(envelope_of(with_), work_body{outband::disconnect{ref}},
                                     bus::encoding::msgpack)),
        [cb](status s) {
          if (!s)
            return cb(s.error());
          cb(true);
        });
  });
}

void control::device_added(const device_ref& ref) {
  wake_controller(ref, "changed");
}

void control::tenant_added(const tenant_key& tenant) {
  wake_controller({tenant, {}}, "tenant");
}

void control::removal_changed(const device_ref& ref) {
  wake_controller(ref, ref.device.is_nil() ? "tenant-leaves" : "removal");
}

void control::tenant_gone(const tenant_key& tenant) {
  const device_ref all{tenant, {}};
  wake_controller(all, "tenant-gone"); // first, so that its actors do not hear of their tunnels
  with_.internal.publish(
      internal_message(bus::node_work_topic(with_.node),
                       bus::encode(envelope_of(with_), work_body{outband::disconnect{all}},
                                   bus::encoding::msgpack)));
  connection_changed(all); // the other nodes
}

void control::wake_controller(const device_ref& ref, const char* what) {
  with_.internal.publish(internal_message(
      bus::controller_wake_topic(),
      bus::encode(envelope_of(with_), bus::wake{ref, what}, bus::encoding::msgpack)));
}

void control::connection_changed(const device_ref& ref) {
  if (connection_changed_)
    connection_changed_(ref);
}

void control::remove_device(device_ref ref, answer<nothing> cb) {
  std::vector<bus::outgoing> publish;
  for (auto root : {bus::root::native, bus::root::json}) {
    if (root == bus::root::json && !with_.mirror_json)
      continue;
    event gone;
    gone.cls = event_class::config;
    gone.type = "device.deleted";
    gone.text = "The device was removed.";
    auto enc = root == bus::root::native ? bus::encoding::msgpack : bus::encoding::cloudevents;
    publish.push_back({bus::event_topic(ref, event_class::config, root),
                       bus::encode(envelope_of(with_, ref), gone, enc),
                       std::string(bus::content_type_of(root)), false,
                       std::chrono::seconds(86'400)});
    // Who is connected gets the empty message, who comes later sees nothing at all.
    for (const auto& kind : amt::fact_kinds())
      publish.push_back({bus::fact_topic(ref, kind, root), {}, {}, true, std::nullopt});
    for (const auto& topic : {bus::desired_topic(ref, root), bus::current_topic(ref, root),
                              bus::presence_topic(ref, root)})
      publish.push_back({topic, {}, {}, true, std::nullopt});
  }
  with_.store.delete_device(
      ref, std::move(publish), [this, open = gate_, ref, cb = std::move(cb)](result<nothing> r) {
        if (!r)
          return cb(r.error());
        auto inside = open->enter();
        if (!inside)
          return cb(nothing{}); // removed; the next start finds nothing of it
        with_.internal.publish(internal_message(
            bus::controller_wake_topic(),
            bus::encode(envelope_of(with_), bus::wake{ref, "deleted"}, bus::encoding::msgpack)));
        // Its tunnel, if any, is nobody's any more; when it calls home again it is unknown.
        if (auto here = with_.directory.find(ref))
          with_.internal.publish(
              internal_message(bus::node_work_topic(here->instance),
                               bus::encode(envelope_of(with_), work_body{outband::disconnect{ref}},
                                           bus::encoding::msgpack)));
        connection_changed(ref); // whoever is connected to it lets go
        cb(nothing{});
      });
}

control_port::counts control::count() const {
  return {with_.counters.links.load(), with_.counters.device_actors.load(),
          with_.counters.queued_calls.load()};
}

} // namespace outband
