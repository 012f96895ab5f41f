// The field lists of the public documents, in both encodings. A new field
// needs one line here; readers that do not know it ignore it, except in requests.
#include "messages/bus/bodies.hpp"
#include "messages/bus/fields.hpp"

namespace outband::bus {

namespace {

/// AMT's two control modes as people call them. CIM: 1 admin, 4 client.
enum class control_mode : std::uint8_t { none, acm, ccm };
std::string_view to_string(control_mode m) {
  return m == control_mode::acm ? "acm" : m == control_mode::ccm ? "ccm" : "none";
}
constexpr std::array<control_mode, 3> values_of(control_mode) {
  return {control_mode::none, control_mode::acm, control_mode::ccm};
}

constexpr std::size_t max_conditions = 16;

// -- state ------------------------------------------------------------------------------------

template <class A, class T> void describe_desired(A& a, T& x) {
  a.object("power", need::required, [&](auto& o) {
    o.choice("target", x.power.target, need::required);
    o.choice("policy", x.power.policy, need::required);
  });
}

template <class A, class T> void describe_current(A& a, T& x) {
  a.object("power", need::required, [&](auto& o) {
    o.derived("state", std::string(to_string(level_of(x.power.state))));
    power_code(o, "code", x.power.state);
    o.integer("os", x.power.os_power_saving, 0, 255);
    o.time("since", x.power.since);
    o.time("observed", x.power.observed);
  });
  a.object("link", need::required, [&](auto& o) {
    o.choice("state", x.link.state, need::required);
    o.text("inst", x.link.instance, name_limit);
    o.integer("epoch", x.link.epoch, 0, any_number);
    o.text("peer", x.link.peer, name_limit);
    o.text("why", x.link.why, sentence);
    o.time("since", x.link.since);
  });
  a.object("amt", need::optional, [&](auto& o) {
    o.text("version", x.amt.version, name_limit);
    const int code = x.amt.provisioning_mode;
    auto mode = code == 1 ? control_mode::acm : code == 4 ? control_mode::ccm : control_mode::none;
    o.choice("mode", mode);
    if constexpr (A::reading)
      x.amt.provisioning_mode = mode == control_mode::acm ? 1 : mode == control_mode::ccm ? 4 : 0;
  });
  a.list("facts", x.facts, max_facts, need::optional, [&](auto& o, auto& f) {
    o.text("kind", f.kind, 32, need::required);
    o.text("print", f.fingerprint, 4096);
    o.time("since", f.since);
  });
  a.integer("desiredRev", x.desired_rev, 0, any_number);
  a.list("conds", x.conditions, max_conditions, need::required, [&](auto& o, auto& c) {
    o.text("type", c.type, name_limit, need::required);
    o.flag("status", c.ok, need::required);
    o.text("code", c.code, name_limit);
    o.text("reason", c.reason, sentence);
    o.time("since", c.since);
  });
}

template <class A, class T> void describe_presence(A& a, T& x) {
  a.choice("link", x.link, need::required);
  a.text("inst", x.instance, name_limit);
  a.integer("ep", x.epoch, 0, any_number);
  a.text("why", x.why, sentence);
  a.time("since", x.since);
}

template <class A, class T> void describe_event(A& a, T& x) {
  a.choice("class", x.cls, need::required);
  a.text("t", x.type, name_limit, need::required);
  a.text("text", x.text, sentence);
  a.text("from", x.from, 128);
  a.text("to", x.to, 128);
  a.text("by", x.by, 128);
  a.maybe("command", x.command, [&](auto& id) { a.id("command", id, need::required); });
  a.json("detail", x.detail, detail_limit);
}

template <class A, class T> void describe_fact(A& a, T& x) {
  a.text("kind", x.kind, 32, need::required);
  a.check(valid_fact_kind(x.kind), "kind", "must be a lower-case word of at most 32 letters");
  a.json("data", x.json, amt::max_document, need::required);
}

// -- requests and answers ---------------------------------------------------------------------

constexpr std::string_view operation_prefix = "amt.";
using plain_request = std::variant<ask_desired, ask_once, ask_action, ask_snapshot>;
constexpr std::array<std::string_view, 4> acts{"desired.patch", "power.once", "power.action",
                                               "snapshot"};

/// Nobody outside may name a sealed boot: it is our own form of "amt.boot.set".
bool may_boot(const writer&) {
  return true;
}
bool may_boot(reader& r) {
  return !r.state().strict;
}

template <class A, class T> void describe_act(A& a, T& x) {
  using alternative = std::remove_const_t<T>;
  if constexpr (std::is_same_v<alternative, ask_desired>) {
    a.object("arg", need::required, [&](auto& arg) {
      arg.object("power", need::optional, [&](auto& o) {
        o.maybe("target", x.patch.target, [&](auto& t) { o.choice("target", t, need::required); });
        o.maybe("policy", x.patch.policy, [&](auto& p) { o.choice("policy", p, need::required); });
      });
    });
    a.maybe("ifRev", x.if_rev,
            [&](auto& rev) { a.integer("ifRev", rev, 0, any_number, need::required); });
  } else if constexpr (std::is_same_v<alternative, ask_once>) {
    a.object("arg", need::required, [&](auto& arg) {
      arg.choice("what", x.what, need::required);
      arg.choice("policy", x.policy);
    });
  } else if constexpr (std::is_same_v<alternative, ask_action>) {
    a.object("arg", need::required, [&](auto& arg) {
      arg.number_of("action", x.action, power_action_from_code, 2, 16);
      if (may_boot(arg))
        arg.text("boot", x.boot, amt::max_argument * 2);
    });
  } else {
    static_assert(std::is_same_v<alternative, ask_snapshot>);
    a.object("arg", need::optional, [](auto&) {});
  }
}

void describe_request_body(writer& a, const request_body& x) {
  if (const auto* operation = std::get_if<ask_operation>(&x)) {
    a.text("act", operation->act, name_limit, need::required);
    return a.json("arg", operation->argument, amt::max_argument);
  }
  plain_request plain;
  std::visit(
      [&](const auto& one) {
        if constexpr (!std::is_same_v<std::decay_t<decltype(one)>, ask_operation>)
          plain = one;
      },
      x);
  a.one_of("act", std::as_const(plain), acts,
           [&](const auto& alternative) { describe_act(a, alternative); });
}

void describe_request_body(reader& a, request_body& x) {
  std::string act;
  a.text("act", act, name_limit, need::required);
  if (act.substr(0, operation_prefix.size()) == operation_prefix) {
    ask_operation operation{std::move(act), {}};
    a.json("arg", operation.argument, amt::max_argument);
    x = std::move(operation);
    return;
  }
  plain_request plain;
  a.one_of("act", plain, acts, [&](auto& alternative) { describe_act(a, alternative); });
  std::visit([&](auto& one) { x = std::move(one); }, plain);
}

template <class A, class T> void describe_words(A& a, T& x) {
  describe_request_body(a, x.body);
  a.maybe("deadline", x.deadline, [&](auto& t) { a.time("deadline", t, need::required); });
}

/// B.4's numbers: 0 fine, HTTP's status for our own refusals, 1000 and more: the firmware's.
std::uint64_t response_number(const response& x) {
  if (x.return_value && *x.return_value != 0)
    return std::uint64_t{1000} + *x.return_value;
  return x.why ? static_cast<std::uint64_t>(explain(x.why->what).status) : 0;
}

template <class A, class T> void describe_response(A& a, T& x) {
  a.id("request", x.id, need::optional);
  a.choice("status", x.status, need::required);
  a.derived("code", response_number(x));
  a.text("msg", x.text, sentence);
  a.maybe("why", x.why, [&](auto& f) {
    a.object("why", need::required, [&](auto& o) { describe_failure(o, f); });
  });
  a.integer("rev", x.rev, 0, any_number);
  a.maybe("returnValue", x.return_value,
          [&](auto& v) { a.integer("returnValue", v, 0, 0xFFFFFFFF, need::required); });
  a.json("result", x.result, amt::max_document);
  a.maybe("data", x.snapshot, [&](auto& s) {
    a.object("data", need::required, [&](auto& o) {
      o.object("desired", need::required, [&](auto& d) { describe_desired(d, s.desired); });
      o.integer("desiredRev", s.desired_rev, 0, any_number);
      o.object("current", need::required, [&](auto& c) { describe_current(c, s.current); });
      o.integer("currentRev", s.current_rev, 0, any_number);
    });
  });
}

} // namespace

void write_body(writer& to, const desired_state& x) {
  describe_desired(to, x);
}
void read_body(reader& from, desired_state& x) {
  describe_desired(from, x);
}

void write_body(writer& to, const current_state& x) {
  describe_current(to, x);
}
void read_body(reader& from, current_state& x) {
  describe_current(from, x);
}

void write_body(writer& to, const presence& x) {
  describe_presence(to, x);
}
void read_body(reader& from, presence& x) {
  describe_presence(from, x);
}

void write_body(writer& to, const event& x) {
  describe_event(to, x);
}
void read_body(reader& from, event& x) {
  describe_event(from, x);
}

void write_body(writer& to, const fact& x) {
  describe_fact(to, x);
}
void read_body(reader& from, fact& x) {
  describe_fact(from, x);
}

void write_body(writer& to, const request_words& x) {
  describe_words(to, x);
}
void read_body(reader& from, request_words& x) {
  describe_words(from, x);
}

void write_body(writer& to, const request_body& x) {
  describe_request_body(to, x);
}
void read_body(reader& from, request_body& x) {
  describe_request_body(from, x);
}

void write_body(writer& to, const response& x) {
  describe_response(to, x);
}
void read_body(reader& from, response& x) {
  describe_response(from, x);
}

} // namespace outband::bus
