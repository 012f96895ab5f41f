#include "actors/removals.hpp"

#include "messages/amt/catalogue.hpp"
#include "messages/bus/envelope.hpp"
#include "messages/bus/platform.hpp"
#include "messages/bus/topics.hpp"
#include "messages/rest/json.hpp"

#include <spdlog/spdlog.h>

#include <utility>

namespace outband {

namespace {

constexpr std::size_t page = 500;
constexpr std::chrono::seconds patience{30};

/// What messages/amt/lifecycle.cpp says of a ReturnValue of 0.
bool says_success(const std::string& json) {
  const auto v = json::parse(json);
  const auto* status = v ? v->find("status") : nullptr;
  return status != nullptr && status->text() != nullptr && *status->text() == "SUCCESS";
}

} // namespace

removals::removals(const services& with, control_port& control) : with_(with), control_(control) {}

removals::~removals() {
  stop();
}

void removals::start() {
  if (gate_->closed())
    gate_ = std::make_shared<gate>();
  subscriptions_.push_back(with_.internal.subscribe(
      bus::controller_wake_topic(), {}, [this, open = gate_](const bus::message& m) {
        auto inside = open->enter();
        if (!inside)
          return;
        auto decoded = bus::decode_wake(*m.payload, bus::encoding::msgpack);
        if (!decoded)
          return;
        if (decoded->body.what == "removal")
          look_at(decoded->body.device);
        else if (decoded->body.what == "deleted")
          gone(decoded->body.device);
        else if (decoded->body.what == "tenant-leaves")
          load({});
        else if (decoded->body.what == "tenant-gone")
          forget_all_of(decoded->body.device.tenant);
      }));
  subscriptions_.push_back(with_.internal.subscribe(bus::node_observations_filter(), {},
                                                    [this, open = gate_](const bus::message& m) {
                                                      if (auto inside = open->enter())
                                                        hear(m);
                                                    }));
  load({});
}

void removals::stop() {
  subscriptions_.clear();
  gate_->close();
  std::lock_guard lock(mutex_);
  wanted_.clear();
}

void removals::load(device_ref after) {
  with_.removals->open(after, page, [this, open = gate_](result<std::vector<removal>> rows) {
    auto inside = open->enter();
    if (!inside)
      return;
    if (!rows)
      return spdlog::warn("removals were not looked at: {}", to_string(rows.error()));
    for (const auto& r : *rows) {
      {
        std::lock_guard lock(mutex_);
        wanted_.try_emplace(r.device, entry{r});
      }
      attempt(r.device);
    }
    if (rows->size() == page)
      return load(rows->back().device);
    empty_tenants();
  });
}

/// Somebody has changed his mind about this machine.
void removals::look_at(const device_ref& ref) {
  with_.removals->get(ref, [this, open = gate_, ref](result<kept_removal> r) {
    auto inside = open->enter();
    if (!inside)
      return;
    if (!r || r->what.state == removal_state::done) {
      if (r || r.error().what == problem::not_found)
        forget(ref);
      return;
    }
    {
      std::lock_guard lock(mutex_);
      wanted_[ref].what = r->what;
    }
    attempt(ref);
  });
}

/// Somebody forced it.
void removals::gone(const device_ref& ref) {
  if (forget(ref))
    empty_tenants();
}

void removals::hear(const bus::message& m) {
  {
    std::lock_guard lock(mutex_);
    if (wanted_.empty())
      return; // nobody is to go: what machines say is not even read
  }
  auto decoded = bus::decode_observations(*m.payload, bus::encoding::msgpack);
  if (!decoded)
    return;
  for (const auto& o : decoded->body)
    if (std::holds_alternative<link_up>(o.body)) {
      {
        std::lock_guard lock(mutex_);
        if (auto at = wanted_.find(o.device); at != wanted_.end())
          at->second.called = at->second.asked;
      }
      attempt(o.device);
    }
}

void removals::attempt(const device_ref& ref) {
  bool clean = false;
  {
    std::lock_guard lock(mutex_);
    auto at = wanted_.find(ref);
    if (at == wanted_.end() || at->second.asked)
      return;
    at->second.asked = true;
    clean = at->second.clean;
  }
  // Whoever withdrew it may not have been heard: the row decides.
  again(ref, [this, open = gate_, ref, clean](const kept_removal& now) {
    if (clean)
      return finish(now.what, "Deactivated.");
    if (!now.managed)
      return finish(now.what, "There was nothing to deactivate.");
    control_.deactivate(ref, patience, [this, open, ref](result<amt_outcome> outcome) {
      if (auto still = open->enter())
        answered(ref, outcome);
    });
  });
}

/// What is stored of it now.
void removals::again(const device_ref& ref, std::function<void(const kept_removal&)> then) {
  with_.removals->get(ref, [this, open = gate_, ref, then](result<kept_removal> r) {
    auto inside = open->enter();
    if (!inside)
      return;
    if (!r && r.error().what != problem::not_found)
      return stays(ref, removal_state::waiting, r.error());
    if (!r || r->what.state == removal_state::done) {
      forget(ref);
      return;
    }
    {
      std::lock_guard lock(mutex_);
      auto at = wanted_.find(ref);
      if (at == wanted_.end())
        return;
      at->second.what = r->what;
    }
    then(*r);
  });
}

void removals::answered(const device_ref& ref, const result<amt_outcome>& outcome) {
  if (!outcome) {
    const auto& why = outcome.error();
    if (why.what == problem::link_down)
      return stays(ref, removal_state::waiting,
                   fail(problem::link_down, "The machine is not connected. It is deactivated when "
                                            "it calls, or removed as it is if you force it."));
    if (why.what == problem::outcome_unknown || why.what == problem::device_timeout)
      return stays(ref, removal_state::waiting,
                   fail(problem::outcome_unknown,
                        "The machine was told to deactivate itself and did not answer. If it calls "
                        "again it is told again; if it is gone, force it."));
    return stays(ref, removal_state::refused, why);
  }
  const auto* told = std::get_if<amt::document>(&*outcome);
  // Nothing but a success is a success.
  if (told == nullptr || !says_success(told->json)) {
    const auto value = told ? amt::return_value_in(told->json) : std::nullopt;
    return stays(ref, removal_state::refused,
                 fail(problem::device_refused,
                      value ? "The firmware answered " + std::string(pt_status_name(*value)) +
                                  " (" + std::to_string(*value) + ")."
                            : "The firmware's answer could not be understood."));
  }
  {
    std::lock_guard lock(mutex_);
    if (auto at = wanted_.find(ref); at != wanted_.end())
      at->second.clean = true;
  }
  again(ref, [this](const kept_removal& now) { finish(now.what, "Deactivated."); });
}

void removals::finish(removal now, const std::string& how) {
  const auto ref = now.device;
  auto done = [this, open = gate_, now, how](result<nothing> r) {
    auto inside = open->enter();
    if (!inside)
      return;
    if (!r && r.error().what != problem::not_found)
      return stays(now.device, removal_state::waiting, r.error());
    audit_outcome said;
    said.text = how;
    tell(now, said);
    forget(now.device);
    if (now.kind == removal_kind::remove)
      return empty_tenants();
    if (!r) // it is to be removed since
      look_at(now.device);
  };
  if (now.kind == removal_kind::remove)
    return control_.remove_device(ref, std::move(done));
  // A machine that is not trusted any more is known, and not let in.
  with_.removals->forget_secrets(ref, [this, open = gate_, now, done](result<nothing> r) mutable {
    auto inside = open->enter();
    if (!inside)
      return;
    if (!r)
      return done(r.error());
    control_.connection_changed(now.device);
    control_.disconnect(now.device, [](const result<bool>&) {});
    now.state = removal_state::done;
    now.text = "Deauthorized.";
    now.code.clear();
    with_.removals->note(now, std::move(done));
  });
}

void removals::stays(const device_ref& ref, removal_state state, failure why) {
  removal now;
  bool news = false, called = false;
  {
    std::lock_guard lock(mutex_);
    auto at = wanted_.find(ref);
    if (at == wanted_.end())
      return;
    at->second.asked = false;
    called = std::exchange(at->second.called, false);
    auto& r = at->second.what;
    const auto code = std::string(explain(why.what).code);
    const auto text = why.detail.empty() ? std::string(explain(why.what).what) : why.detail;
    news = r.code != code || r.state != state || r.text != text;
    r.state = state;
    r.code = code;
    r.text = text;
    now = r;
  }
  if (news) {
    with_.removals->note(now, [this, open = gate_, ref](result<nothing> r) {
      auto inside = open->enter();
      if (inside && !r && r.error().what == problem::not_found)
        forget(ref);
    });
    tell(now, outcome_of(audit_status::failed, why));
  }
  if (called)
    attempt(ref);
}

void removals::empty_tenants() {
  with_.removals->empty_tenants([this, open = gate_](result<std::vector<tenant_key>> all) {
    auto inside = open->enter();
    if (!inside || !all)
      return;
    for (const auto& key : *all)
      with_.store.delete_tenant(key, false, {}, [this, open, key](result<nothing> r) {
        if (auto still = open->enter(); still && !r && r.error().what != problem::not_found)
          spdlog::warn("tenant={} not removed: {}", key, to_string(r.error()));
        else if (still && r) {
          spdlog::info("tenant={} removed", key);
          control_.tenant_gone(key);
        }
      });
  });
}

bool removals::forget(const device_ref& ref) {
  std::lock_guard lock(mutex_);
  return wanted_.erase(ref) != 0;
}

void removals::forget_all_of(const tenant_key& tenant) {
  std::lock_guard lock(mutex_);
  for (auto at = wanted_.begin(); at != wanted_.end();)
    at = at->first.tenant == tenant ? wanted_.erase(at) : std::next(at);
}

void removals::tell(const removal& r, const audit_outcome& outcome) {
  if (with_.audit == nullptr)
    return;
  audit_entry e;
  e.tenant = r.device.tenant;
  e.device = r.device.device;
  e.act = r.kind == removal_kind::remove ? "host.remove" : "host.deauthorize";
  e.by = r.by;
  e.channel = "removal";
  with_.audit->record({std::move(e)}, outcome);
}

} // namespace outband
