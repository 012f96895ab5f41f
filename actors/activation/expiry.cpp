#include "actors/activation/expiry.hpp"

#include "messages/provisioning/certificate_check.hpp"
#include "messages/rest/json.hpp"

#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <spdlog/spdlog.h>

#include <functional>

namespace outband::activation {

namespace {

constexpr std::chrono::hours period{24};
constexpr time_ms day = 86'400'000;

expiry_actor::behavior_type daily(expiry_actor::pointer self, const std::function<void()>& look) {
  return {[self, look](const look_at_expiry& again) {
    self->delayed_send(self, period, again);
    look();
  }};
}

} // namespace

std::string expiry_text(const domain& d, time_ms now) {
  const auto what =
      "The provisioning certificate of the domain '" + d.name + "' (" + d.suffix + ") ";
  if (d.expires <= now)
    return what + "has ended: no machine can be activated in admin mode with it.";
  const auto days = (d.expires - now + day - 1) / day;
  return what + "ends within " + std::to_string(days) + (days == 1 ? " day." : " days.");
}

expiry_watch::expiry_watch(caf::actor_system& system, const services& with)
    : system_(system), with_(with) {}

expiry_watch::~expiry_watch() {
  stop();
}

void expiry_watch::start() {
  std::lock_guard lock(mutex_);
  if (gate_->closed())
    gate_ = std::make_shared<gate>();
  timer_ = system_.spawn(daily, std::function<void()>([this, open = gate_] {
                           if (auto inside = open->enter())
                             look();
                         }));
  caf::anon_send(timer_, look_at_expiry{});
}

void expiry_watch::stop() {
  expiry_actor last;
  {
    std::lock_guard lock(mutex_);
    last = std::exchange(timer_, nullptr);
  }
  if (last)
    caf::anon_send_exit(last, caf::exit_reason::user_shutdown);
  gate_->close();
}

void expiry_watch::look() {
  const auto until = with_.clock.now() + provisioning::expiry_notices[0] * day + 1;
  with_.provisioning->expiring_domains(until, [this, open = gate_](result<found> all) {
    auto inside = open->enter();
    if (!inside)
      return;
    if (!all) // tomorrow is another day: a notice is not urgent to the hour
      return spdlog::warn("ends of certificates were not looked at: {}", to_string(all.error()));
    next(std::make_shared<const found>(std::move(*all)), 0);
  });
}

void expiry_watch::next(std::shared_ptr<const found> all, std::size_t at) {
  if (at >= all->size())
    return;
  const auto& [tenant, d] = (*all)[at];
  const auto days = provisioning::expiry_notice(d.expires, with_.clock.now());
  if (!days)
    return next(std::move(all), at + 1);
  with_.provisioning->notice_expiry(
      tenant, d.name, d.expires, *days, [this, open = gate_, all, at](result<bool> fresh) {
        auto inside = open->enter();
        if (!inside)
          return;
        if (!fresh)
          return spdlog::warn("ends of certificates are told tomorrow: {}",
                              to_string(fresh.error()));
        if (*fresh)
          tell((*all)[at].first, (*all)[at].second);
        next(all, at + 1);
      });
}

void expiry_watch::tell(const tenant_key& tenant, const domain& d) {
  const auto text = expiry_text(d, with_.clock.now());
  spdlog::warn("tenant={} {}", tenant, text);
  if (with_.audit == nullptr)
    return;
  audit_entry e;
  e.tenant = tenant;
  e.act = "domain.expires";
  e.by = "inst/" + with_.node;
  e.channel = "expiry";
  e.argument = json::dump(json::object{{"name", d.name}});
  audit_outcome said;
  said.text = text;
  with_.audit->record({std::move(e)}, said);
}

} // namespace outband::activation
