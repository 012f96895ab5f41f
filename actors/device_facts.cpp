/// Facts: what is known of a machine beyond power and link. They are looked at when a machine has
/// become calm after its arrival and after a boot, and learned whenever somebody else asks.
#include "actors/device_decision.hpp"

#include "messages/amt/catalogue.hpp"
#include "messages/domain/text.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace outband::detail {

namespace {

constexpr auto alerts_mark = "alerts"; ///< what became of the last wish to be told of events
constexpr std::size_t max_fact_looks = 8;
/// A look that fails is made again so often, after 2, 4, 8 and 16 times `facts_after`. Then the
/// next arrival, boot or question looks again.
constexpr int max_repeated_looks = 4;
constexpr std::size_t max_new_records = 32; ///< told one by one; of more, the newest
constexpr std::size_t max_detail = 16'000;
constexpr std::chrono::milliseconds turn_guard{60'000};

/// Of logs only a cursor is remembered, under these names; empty for what is no log.
std::string mark_of_log(std::string_view operation) {
  return operation == "log.event.news"   ? "eventlog"
         : operation == "log.audit.news" ? "auditlog"
                                         : std::string();
}

std::string text_of(const json::value& record, std::string_view name) {
  const auto* v = record.find(name);
  return v && v->text() ? *v->text() : std::string();
}

/// One plain sentence of a record of either log.
std::string sentence_of(const json::value& record) {
  auto text = text_of(record, "Desc");
  if (!text.empty())
    return text;
  text = text_of(record, "AuditApp");
  const auto what = text_of(record, "Event");
  return what.empty() ? text : text + ": " + what;
}

/// What was refused stays refused, and whoever is gone is looked at when he is back.
bool may_pass(problem why) {
  return why == problem::busy || why == problem::expired || why == problem::device_timeout ||
         why == problem::device_protocol || why == problem::outcome_unknown;
}

bool holds(const std::vector<std::string>& all, std::string_view operation) {
  return std::find(all.begin(), all.end(), operation) != all.end();
}

} // namespace

current_state::fact_mark* decision::mark(const std::string& kind) {
  auto& all = mem.current.facts;
  auto at = std::find_if(all.begin(), all.end(), [&](const auto& m) { return m.kind == kind; });
  return at == all.end() ? nullptr : &*at;
}

bool decision::remember(const std::string& kind, std::string fingerprint) {
  if (auto* known = mark(kind)) {
    if (known->fingerprint == fingerprint)
      return false;
    known->fingerprint = std::move(fingerprint);
    known->since = now;
  } else if (mem.current.facts.size() < max_facts) {
    mem.current.facts.push_back({kind, std::move(fingerprint), now});
  } else {
    return false;
  }
  changed = true;
  return true;
}

void decision::learn(const fact& f) {
  if (!valid_fact_kind(f.kind))
    return;
  const bool first = mark(f.kind) == nullptr;
  if (!remember(f.kind, text_fingerprint(f.json)))
    return;
  out.emplace_back(keep_fact{f});
  event e;
  e.cls = event_class::amt;
  e.type = f.kind + (first ? ".known" : ".changed");
  e.text = first ? "The machine's " + f.kind + " were read for the first time."
                 : "The machine's " + f.kind + " are not what they were.";
  if (f.json.size() <= max_detail)
    e.detail = f.json;
  out.emplace_back(emit_event{std::move(e)});
}

void decision::learn_log(std::string_view operation, const std::string& json) {
  auto news = json::parse(json);
  if (!news)
    return;
  const auto* cursor = news->find("cursor");
  if (cursor == nullptr || cursor->text() == nullptr)
    return;
  remember(mark_of_log(operation), *cursor->text());
  const auto* found = news->find("records");
  const auto* records = found == nullptr ? nullptr : found->items();
  if (records == nullptr)
    return;
  auto at = records->begin(); // oldest first
  if (records->size() > max_new_records)
    at = records->end() - max_new_records;
  for (; at != records->end(); ++at) {
    event e;
    e.cls = event_class::log;
    e.type = operation.substr(0, operation.rfind('.'));
    e.text = sentence_of(*at);
    auto detail = json::dump(*at);
    if (detail.size() <= max_detail)
      e.detail = std::move(detail);
    out.emplace_back(emit_event{std::move(e)});
  }
}

void decision::want_fact(std::string_view operation) {
  if (!mem.times.read_facts)
    return;
  forget_failure(operation); // there is another reason now
  auto& due = mem.fact_looks;
  if (!holds(due, operation) && due.size() < max_fact_looks)
    due.emplace_back(operation);
  // Several reasons in short order become one look.
  mem.facts_at = std::max(mem.facts_at, now + mem.times.facts_after.count());
}

void decision::forget_failure(std::string_view operation) {
  auto& all = mem.failed_looks;
  all.erase(std::remove_if(all.begin(), all.end(),
                           [&](const auto& l) { return l.operation == operation; }),
            all.end());
}

void decision::look_failed(problem why) {
  if (!may_pass(why))
    return forget_failure(mem.fact_name);
  auto& all = mem.failed_looks;
  auto at = std::find_if(all.begin(), all.end(),
                         [&](const auto& l) { return l.operation == mem.fact_name; });
  if (at == all.end())
    at = all.insert(all.end(), failed_look{mem.fact_name});
  if (at->failures < max_repeated_looks)
    at->at = now + mem.times.facts_after.count() * (time_ms{2} << at->failures++);
}

/// Those whose time has come are due again. When the next one's comes; 0: none waits.
time_ms decision::failed_looks_due() {
  time_ms next_at = 0;
  for (auto& l : mem.failed_looks) {
    if (l.at != 0 && l.at <= now) {
      l.at = 0;
      if (!holds(mem.fact_looks, l.operation) && mem.fact_looks.size() < max_fact_looks)
        mem.fact_looks.push_back(l.operation);
    } else if (l.at != 0 && (next_at == 0 || l.at < next_at)) {
      next_at = l.at;
    }
  }
  return next_at;
}

void decision::facts_on_arrival(bool another_firmware, bool by_tunnel) {
  mem.fact_call = uuid{};
  mem.failed_looks.clear();
  if (!mark("features") || another_firmware)
    want_fact("features.get");
  if (!mark("hardware"))
    want_fact("hardware.get");
  if (!mark("eventlog") || another_firmware)
    want_fact("log.event.news");
  if (!mark("auditlog") || another_firmware)
    want_fact("log.audit.news");
  // Last, and once: firmware remembers its subscriptions, over links and restarts.
  if (mem.times.want_alerts && by_tunnel && (!mark(alerts_mark) || another_firmware))
    want_fact("events.subscribe");
}

void decision::facts_after_boot() {
  want_fact("hardware.get");
  want_fact("log.event.news");
}

void decision::look_for_facts() {
  if (!link_usable())
    return;
  if (!mem.fact_call.is_nil()) {
    if (now < mem.fact_until)
      return;
    mem.fact_call = uuid{}; // its answer is lost
    look_failed(problem::device_timeout);
  }
  const auto again = failed_looks_due();
  if (mem.fact_looks.empty()) {
    if (again != 0)
      arm(std::chrono::milliseconds(again - now));
    return;
  }
  if (now < mem.facts_at)
    return arm(std::chrono::milliseconds(mem.facts_at - now));
  if (!mem.fact_turn) {
    mem.facts_at = now + turn_guard.count();
    out.emplace_back(want_turn{});
    return;
  }
  const auto* operation = amt::find_operation(mem.fact_looks.front());
  mem.fact_name = mem.fact_looks.front();
  mem.fact_looks.erase(mem.fact_looks.begin());
  if (mem.fact_looks.empty())
    mem.fact_turn = false;
  if (operation == nullptr)
    return look_for_facts();
  send_call s;
  s.call.id = fresh_id();
  s.call.device = mem.ref;
  s.call.epoch = mem.current.link.epoch;
  s.call.deadline = now + operation->deadline.count();
  std::string argument;
  if (const auto log = mark_of_log(operation->name); !log.empty()) {
    const auto* known = mark(log);
    argument = json::dump(json::object{{"cursor", known ? known->fingerprint : std::string()}});
  }
  s.call.operation = amt::perform{std::string(operation->name), std::move(argument)};
  s.instance = mem.current.link.instance;
  mem.fact_call = s.call.id;
  mem.fact_until = s.call.deadline + 5000;
  out.emplace_back(std::move(s));
  arm(std::chrono::milliseconds(mem.fact_until - now));
}

void decision::on(const turn_given& turn) {
  mem.fact_turn = true;
  mem.facts_at = now + turn.wait.count();
  next();
}

void decision::fact_answered(const amt_answer& a) {
  mem.fact_call = uuid{};
  if (a.outcome)
    forget_failure(mem.fact_name);
  else
    look_failed(a.outcome.error().what);
  const auto* operation = amt::find_operation(mem.fact_name);
  if (mem.fact_name == "events.subscribe") {
    // Refused or absent is no failure: such a firmware is without alerts until it is another one.
    if (a.outcome)
      remember(alerts_mark, "subscribed");
    else if (a.outcome.error().what == problem::unsupported ||
             a.outcome.error().what == problem::device_refused)
      remember(alerts_mark, "none");
    return next();
  }
  if (a.outcome && operation != nullptr)
    if (const auto* told = std::get_if<amt::document>(&*a.outcome)) {
      if (!mark_of_log(operation->name).empty())
        learn_log(operation->name, told->json);
      else
        learn(fact{std::string(operation->fact), amt::without_headers(told->json)});
    }
  next();
}

void decision::alerted(const alert_seen& a) {
  event e;
  e.cls = event_class::alert;
  e.type = "alert";
  e.text = "The firmware sent an alert.";
  if (auto parsed = json::parse(a.json))
    if (auto text = text_of(*parsed, "text"); !text.empty())
      e.text = std::move(text);
  e.detail = a.json;
  out.emplace_back(emit_event{std::move(e)});
  want_fact("log.event.news");
  next();
}

} // namespace outband::detail
