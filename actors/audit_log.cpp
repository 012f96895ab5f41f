#include "actors/audit_log.hpp"

#include "messages/bus/envelope.hpp"
#include "messages/bus/topics.hpp"
#include "messages/rest/audit.hpp"

#include <spdlog/spdlog.h>

#include <utility>

namespace outband {

namespace {

constexpr std::chrono::seconds event_expiry{86'400};

/// What two records of one flood do not share is dropped.
void merge(audit_entry& all, const audit_entry& one) {
  if (all.tenant != one.tenant)
    all.tenant = std::string(site_tenant);
  if (all.by != one.by)
    all.by.clear();
  if (all.device != one.device)
    all.device.reset();
  if (all.argument != one.argument)
    all.argument.clear();
  if (all.address != one.address)
    all.address.clear();
  if (all.act != one.act)
    all.act = "flood";
}

} // namespace

audit_entry entry_of(const command_row& c) {
  audit_entry e;
  e.tenant = c.ref.tenant;
  e.id = c.id;
  e.act = c.act;
  e.device = c.ref.device;
  e.by = c.by;
  e.channel = c.channel.substr(0, c.channel.find(':')); // "rest:n1": who waits, and where
  e.address = c.address;
  e.argument_hash = c.argument_hash;
  e.deadline = c.deadline;
  return e;
}

std::vector<bus::outgoing> audit_documents(clock_port& clock, const std::string& node,
                                           bool mirror_json, const audit_entry& e,
                                           const audit_outcome& o) {
  std::vector<bus::outgoing> out;
  if (!valid_tenant_key(e.tenant))
    return out;
  const auto what = event_of(e, o);
  bus::envelope env;
  env.id = clock.new_id();
  env.time = clock.now();
  env.source = node;
  env.by = e.by;
  env.correlation = e.id;
  if (e.device)
    env.about = device_ref{e.tenant, *e.device};
  for (auto root : {bus::root::native, bus::root::json}) {
    if (root == bus::root::json && !mirror_json)
      continue;
    auto topic = env.about ? bus::event_topic(*env.about, event_class::audit, root)
                           : bus::admin_topic(e.tenant, "audit", root);
    out.push_back({std::move(topic), bus::encode(env, what, bus::encoding_of(root)),
                   std::string(bus::content_type_of(root)), false, event_expiry});
  }
  return out;
}

void record_forbidden(audit_port* to, const request& r, const failure& why) {
  if (!to || why.what != problem::forbidden || r.channel != "mqtt")
    return;
  audit_entry e;
  e.tenant = r.target.tenant;
  e.act = std::string(act_name(r.body));
  e.device = r.target.device;
  e.by = to_string(r.by);
  e.channel = r.channel;
  e.argument = audit_argument(r.body);
  to->record_limited(to_string(r.by), std::move(e), outcome_of(audit_status::rejected, why));
}

void record_misdirected(audit_port* to, const bus::parsed_topic& of) {
  if (!to || !of.caller)
    return;
  audit_entry e;
  e.tenant = of.tenant;
  e.act = "request";
  e.device = of.device;
  e.by = to_string(*of.caller);
  e.channel = "mqtt";
  const auto source = e.by;
  to->record_limited(
      source, std::move(e),
      outcome_of(audit_status::rejected,
                 fail(problem::forbidden, "the response topic is not the requester's own")));
}

/// Outlives the log for as long as an answer or a timer is under way.
struct audit_log::state : std::enable_shared_from_this<audit_log::state> {
  state(store_port& s, clock_port& c, options o) : store(&s), clock(&c), opts(std::move(o)) {}

  void write(std::vector<audit_record> all) {
    std::vector<bus::outgoing> publish;
    for (auto& r : all) {
      if (r.entry.id.is_nil())
        r.entry.id = clock->new_id();
      r.entry.node = opts.node;
    }
    auto tell = [&](const audit_entry& e, const audit_outcome& o) {
      auto documents = audit_documents(*clock, opts.node, opts.mirror_json, e, o);
      publish.insert(publish.end(), documents.begin(), documents.end());
    };
    if (all.size() <= max_told) {
      for (const auto& r : all)
        tell(r.entry, r.outcome);
    } else if (!all.empty()) {
      // An import of thousands is one event for administrators; the rows are all there.
      auto e = all.front().entry;
      e.device.reset();
      tell(e, all.front().outcome);
    }
    const auto words = all.empty() ? std::string() : all.front().entry.act;
    const auto count = all.size();
    store->record_audit(std::move(all), std::move(publish),
                        [words, count](const result<nothing>& r) {
                          if (!r)
                            spdlog::error("audit: {} records, the first of them {}, are lost: {}",
                                          count, words, to_string(r.error()));
                        });
  }

  void limited(std::string source, audit_record r) {
    std::vector<audit_record> now_written;
    bool arm = false;
    {
      std::lock_guard lock(mutex);
      const auto now = clock->now();
      if (now - collected >= 1'000)
        collect(now, now_written);
      if (now - minute >= window) {
        minute = now;
        in_minute = 0;
      }
      if (in_minute >= together || (floods.size() >= max_sources && floods.count(source) == 0)) {
        source.clear(); // all of them together
      }
      auto [at, fresh] = floods.try_emplace(source);
      auto& f = at->second;
      if (fresh)
        f.since = now;
      if (!source.empty() && f.written < singly) {
        ++f.written;
        ++in_minute;
        now_written.push_back(std::move(r));
      } else {
        if (f.held++ == 0)
          f.like = std::move(r);
        else
          merge(f.like.entry, r.entry);
        arm = !std::exchange(armed, true);
      }
    }
    if (arm)
      arm_timer();
    for (auto& one : now_written)
      write({std::move(one)});
  }

  /// Ends the floods whose minute is over. Under the lock.
  void collect(time_ms now, std::vector<audit_record>& out) {
    collected = now;
    for (auto at = floods.begin(); at != floods.end();) {
      auto& f = at->second;
      if (now - f.since < window) {
        ++at;
        continue;
      }
      if (f.held != 0) {
        f.like.count = f.held;
        out.push_back(std::move(f.like));
      }
      at = floods.erase(at);
    }
  }

  void arm_timer() {
    if (!opts.later) {
      std::lock_guard lock(mutex);
      armed = false; // the next record looks
      return;
    }
    opts.later(std::chrono::milliseconds(window), [weak = weak_from_this()] {
      if (auto me = weak.lock())
        me->minute_over();
    });
  }

  void minute_over() {
    std::vector<audit_record> ended;
    bool again = false;
    {
      std::lock_guard lock(mutex);
      collect(clock->now(), ended);
      for (const auto& [source, f] : floods)
        again = again || f.held != 0;
      armed = again;
    }
    if (again)
      arm_timer();
    for (auto& one : ended)
      write({std::move(one)});
  }

  store_port* store;
  clock_port* clock;
  options opts;
  std::mutex mutex;
  std::map<std::string, flood> floods;
  time_ms minute = 0, collected = 0;
  int in_minute = 0;
  bool armed = false;
};

audit_log::audit_log(store_port& store, clock_port& clock, options o)
    : state_(std::make_shared<state>(store, clock, std::move(o))) {}
audit_log::~audit_log() = default;

void audit_log::record(std::vector<audit_entry> what, const audit_outcome& outcome) {
  std::vector<audit_record> all;
  all.reserve(what.size());
  for (auto& e : what)
    all.push_back({std::move(e), outcome});
  state_->write(std::move(all));
}

void audit_log::record_limited(const std::string& source, audit_entry what, audit_outcome outcome) {
  state_->limited(source, {std::move(what), std::move(outcome)});
}

} // namespace outband
