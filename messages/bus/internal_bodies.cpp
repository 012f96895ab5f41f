// The field lists of what only our own programs exchange, in both encodings. A new field
// needs one line here; readers that do not know it ignore it.
#include "messages/bus/bodies.hpp"
#include "messages/bus/envelope.hpp"
#include "messages/bus/fields.hpp"

namespace outband::bus {

namespace {

constexpr std::array<std::string_view, 5> operations{"power.read", "capabilities.read",
                                                     "versions.read", "power.request", "perform"};
constexpr std::array<std::string_view, 5> outcomes{"power", "capabilities", "versions", "ack",
                                                   "document"};
constexpr std::array<std::string_view, 8> observations{"link.up",    "link.down", "link.late",
                                                       "power.seen", "answer",    "fact.seen",
                                                       "alert.seen", "trouble"};
constexpr std::array<std::string_view, 3> works{"amt", "evict", "disconnect"};

template <class A, class T> void describe_operation(A& a, T& x) {
  a.one_of("op", x, operations, [&](auto& op) {
    using alternative = std::decay_t<decltype(op)>;
    if constexpr (std::is_same_v<alternative, amt::request_power>)
      a.object("arg", need::required,
               [&](auto& o) { o.number_of("action", op.action, power_action_from_code, 2, 16); });
    else if constexpr (std::is_same_v<alternative, amt::perform>)
      a.object("arg", need::required, [&](auto& o) {
        o.text("name", op.name, name_limit, need::required);
        o.text("json", op.argument, amt::max_argument * 2);
        o.flag("sealed", op.sealed);
      });
  });
}

template <class A, class T> void describe_outcome(A& a, T& x) {
  using alternative = std::remove_const_t<T>;
  if constexpr (std::is_same_v<alternative, amt::power_reading>) {
    power_code(a, "code", x.state);
    a.integer("os", x.os_power_saving, 0, 255);
  } else if constexpr (std::is_same_v<alternative, power_capabilities>) {
    a.integer("major", x.amt_major, 0, 1000);
    a.flag("bios", x.bios_setup);
    a.flag("erase", x.secure_erase);
    a.flag("diag", x.force_diagnostic_boot);
    a.integers("now", x.available_now, 64, 0, 65535);
  } else if constexpr (std::is_same_v<alternative, amt::versions>) {
    a.text("amt", x.amt, name_limit);
    a.text("sku", x.sku, name_limit);
    a.text("build", x.build, name_limit);
    a.integer("mode", x.provisioning_mode, 0, 255);
  } else if constexpr (std::is_same_v<alternative, amt::document>) {
    a.text("json", x.json, amt::max_document, need::required);
  } else {
    static_assert(std::is_same_v<alternative, amt::power_ack>);
    a.integer("rv", x.return_value, 0, 0xFFFFFFFF);
  }
}

/// An answer is an outcome or a failure.
template <class A> void describe_outcome_or_failure(A& a, const result<amt_outcome>& x) {
  if (x.ok())
    a.one_of("is", *x, outcomes, [&](auto& o) {
      a.object("out", need::required, [&](auto& inner) { describe_outcome(inner, o); });
    });
  else
    a.object("why", need::required, [&](auto& o) { describe_failure(o, x.error()); });
}
void describe_outcome_or_failure(reader& a, result<amt_outcome>& x) {
  if (a.has("why")) {
    failure f;
    a.object("why", need::required, [&](auto& o) { describe_failure(o, f); });
    x = f;
    return;
  }
  amt_outcome good;
  a.one_of("is", good, outcomes, [&](auto& o) {
    a.object("out", need::required, [&](auto& inner) { describe_outcome(inner, o); });
  });
  x = good;
}

template <class A, class T> void describe_answer(A& a, T& x) {
  a.id("cmd", x.id, need::required);
  describe_ref(a, x.device);
  a.integer("ep", x.epoch, 0, any_number);
  describe_outcome_or_failure(a, x.outcome);
}

template <class A, class T> void describe_seen(A& a, T& x) {
  using alternative = std::remove_const_t<T>;
  if constexpr (std::is_same_v<alternative, link_up>) {
    a.text("inst", x.instance, name_limit, need::required);
    a.id("inc", x.incarnation, need::required);
    a.text("peer", x.peer, name_limit);
    a.integer("trigger", x.trigger, 0, 255);
  } else if constexpr (std::is_same_v<alternative, link_down>) {
    a.choice("why", x.why, need::required);
    a.text("text", x.text, sentence);
  } else if constexpr (std::is_same_v<alternative, link_late>) {
    a.flag("late", x.late, need::required);
  } else if constexpr (std::is_same_v<alternative, power_seen>) {
    describe_outcome(a, x.reading);
  } else if constexpr (std::is_same_v<alternative, fact_seen>) {
    a.text("kind", x.what.kind, 32, need::required);
    a.text("json", x.what.json, amt::max_document, need::required);
  } else if constexpr (std::is_same_v<alternative, alert_seen>) {
    a.text("json", x.json, detail_limit, need::required);
  } else if constexpr (std::is_same_v<alternative, connection_trouble>) {
    a.text("code", x.code, name_limit);
    a.text("text", x.text, sentence);
  } else {
    static_assert(std::is_same_v<alternative, amt_answer>);
    describe_answer(a, x);
  }
}

template <class A, class T> void describe_batch(A& a, T& all) {
  a.list("items", all, max_batch, need::required, [](auto& item, auto& x) {
    describe_ref(item, x.device);
    item.integer("ep", x.epoch, 0, any_number);
    item.time("at", x.at);
    item.one_of("what", x.body, observations, [&](auto& seen) {
      item.object("d", need::required, [&](auto& o) { describe_seen(o, seen); });
    });
  });
}

template <class A, class T> void describe_tenant(A& a, T& key) {
  a.text("ten", key, 20, need::required);
  a.check(valid_tenant_key(key), "ten", "is not a tenant's key");
}

template <class A, class T> void describe_work(A& a, T& x) {
  a.one_of("act", x, works, [&](auto& w) {
    using alternative = std::decay_t<decltype(w)>;
    if constexpr (std::is_same_v<alternative, amt_call>)
      a.id("cmd", w.id, need::required);
    if constexpr (std::is_same_v<alternative, disconnect>) {
      describe_tenant(a, w.device.tenant);
      a.id("dev", w.device.device, need::optional); // without one: of a tenant that was removed
    } else {
      describe_ref(a, w.device);
      a.integer("ep", w.epoch, 0, any_number);
    }
    if constexpr (std::is_same_v<alternative, amt_call>) {
      describe_operation(a, w.operation);
      a.time("deadline", w.deadline, need::required);
    }
  });
}

template <class A, class T> void describe_wake(A& a, T& x) {
  describe_tenant(a, x.device.tenant);
  a.text("what", x.what, name_limit);
  // What concerns a tenant as a whole names no machine.
  a.id("dev", x.device.device, x.what.rfind("tenant", 0) == 0 ? need::optional : need::required);
}

template <class A, class T> void describe_node(A& a, T& x) {
  a.id("inc", x.incarnation, need::required);
  a.text("inst", x.instance, name_limit, need::required);
  a.flag("up", x.up, need::required);
  a.integer("links", x.links, 0, any_number);
  a.texts("roles", x.roles, max_node_roles, name_limit);
  a.flag("draining", x.draining);
}

template <class A, class T> void describe_instances(A& a, T& x) {
  a.list("instances", x.instances, max_bus_instances, need::required, [](auto& o, auto& i) {
    o.text("inst", i.instance, name_limit, need::required);
    o.id("inc", i.incarnation, need::required);
    o.flag("up", i.up, need::required);
  });
}

template <class A, class T> void describe_controller(A& a, T& x) {
  a.text("inst", x.instance, name_limit, need::required);
  a.id("inc", x.incarnation, need::required);
  a.integer("epoch", x.epoch, 0, any_number);
  a.flag("up", x.up, need::required);
}

template <class A, class T> void describe_canary(A& a, T& x) {
  a.integer("gen", x.gen, 0, any_number, need::required);
  a.time("at", x.at);
}

} // namespace

void write_body(writer& to, const std::vector<observation>& x) {
  describe_batch(to, x);
}
void read_body(reader& from, std::vector<observation>& x) {
  describe_batch(from, x);
}

void write_body(writer& to, const work_body& x) {
  describe_work(to, x);
}
void read_body(reader& from, work_body& x) {
  describe_work(from, x);
}

void write_body(writer& to, const amt_answer& x) {
  describe_answer(to, x);
}
void read_body(reader& from, amt_answer& x) {
  describe_answer(from, x);
}

void write_body(writer& to, const wake& x) {
  describe_wake(to, x);
}
void read_body(reader& from, wake& x) {
  describe_wake(from, x);
}

void write_body(writer& to, const node_presence& x) {
  describe_node(to, x);
}
void read_body(reader& from, node_presence& x) {
  describe_node(from, x);
}

void write_body(writer& to, const bus_instances& x) {
  describe_instances(to, x);
}
void read_body(reader& from, bus_instances& x) {
  describe_instances(from, x);
}

void write_body(writer& to, const controller_presence& x) {
  describe_controller(to, x);
}
void read_body(reader& from, controller_presence& x) {
  describe_controller(from, x);
}

void write_body(writer& to, const canary& x) {
  describe_canary(to, x);
}
void read_body(reader& from, canary& x) {
  describe_canary(from, x);
}

} // namespace outband::bus
