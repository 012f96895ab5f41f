#include "actors/bus_requests.hpp"

#include "actors/audit_log.hpp"
#include "messages/bus/envelope.hpp"
#include "messages/bus/topics.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace outband {

role role_of(const account_row& account, const tenant_key& tenant) {
  if (account.site_admin)
    return role::site_admin;
  auto at = account.roles.find(tenant);
  if (at == account.roles.end())
    return role::none;
  auto held = parse_role(at->second).value_or(role::none);
  return held == role::site_admin ? role::none : held; // only the flag makes one
}

bus_requests::bus_requests(const services& with, control_port& control, bus::endpoint& outside)
    : with_(with), control_(control), outside_(outside) {}

bus_requests::~bus_requests() {
  stop();
}

void bus_requests::start(controller_epoch fence) {
  fence_ = fence;
  if (gate_->closed())
    gate_ = std::make_shared<gate>();
  bus::subscribe_options options;
  options.retain_handling = 2; // a request is never taken from the broker's store
  options.retain_as_published = true;
  for (auto kind : {principal::kind::person, principal::kind::external})
    for (auto root : {bus::root::native, bus::root::json})
      subscriptions_.push_back(outside_.subscribe(bus::request_filter(kind, root), options,
                                                  [this, open = gate_](const bus::message& m) {
                                                    if (auto inside = open->enter())
                                                      arrived(m);
                                                  }));
}

void bus_requests::stop() {
  subscriptions_.clear();
  gate_->close();
}

/// A bucket that would be full by now says nothing.
void bus_requests::forget_idle(time_ms now) {
  constexpr auto refill = static_cast<time_ms>(burst / per_second * 1000);
  for (auto at = buckets_.begin(); at != buckets_.end();)
    at = now - at->second.at >= refill ? buckets_.erase(at) : std::next(at);
}

bool bus_requests::take(const tenant_key& tenant) {
  std::lock_guard lock(mutex_);
  const auto now = with_.clock.now();
  if (buckets_.size() >= max_buckets && buckets_.count(tenant) == 0)
    forget_idle(now);
  auto& b = buckets_[tenant];
  if (b.at != 0)
    b.left = std::min(burst, b.left + static_cast<double>(now - b.at) / 1000.0 * per_second);
  b.at = now;
  if (b.left < 1)
    return false;
  b.left -= 1;
  return true;
}

void bus_requests::refuse(const bus::message& m, const uuid& id, const device_ref& ref,
                          failure why) {
  ++with_.counters.requests_refused;
  spdlog::info("request on {} refused: {}", m.topic, to_string(why));
  auto to = bus::parse_topic(m.response_topic);
  if (!to || to->kind != bus::topic_kind::response)
    return;
  response r;
  r.id = id;
  r.status = request_status::rejected;
  r.text = why.detail.empty() ? std::string(explain(why.what).what) : why.detail;
  r.why = std::move(why);
  bus::envelope e;
  e.id = with_.clock.new_id();
  e.time = with_.clock.now();
  e.source = with_.node;
  e.correlation = id;
  e.about = ref;
  bus::message out;
  out.topic = m.response_topic;
  out.correlation = m.correlation;
  out.payload = std::make_shared<const std::string>(bus::encode(e, r, bus::encoding_of(to->root)));
  out.content_type = std::string(bus::content_type_of(to->root));
  out.expiry = std::chrono::seconds(60);
  outside_.publish(std::move(out));
}

void bus_requests::arrived(const bus::message& m) {
  auto topic = bus::parse_topic(m.topic);
  if (!topic || topic->kind != bus::topic_kind::request)
    return;
  if (m.payload->empty())
    return; // our own clearing, which is a retained message itself
  if (m.retain) {
    ++with_.counters.retained_commands;
    spdlog::warn("retained request on {} refused and cleared: a request is never retained",
                 m.topic);
    bus::message clear;
    clear.topic = m.topic;
    clear.payload = std::make_shared<const std::string>();
    clear.retain = true;
    outside_.publish(std::move(clear));
    return;
  }
  const device_ref ref = topic->ref();
  bus::message shallow = m; // the payload is shared
  if (!m.response_topic.empty() && !bus::may_answer(*topic, m.response_topic)) {
    ++with_.counters.requests_refused;
    ++with_.counters.tenant_mismatch;
    spdlog::warn("request on {} refused: its response topic {} is not the requester's own", m.topic,
                 m.response_topic);
    record_misdirected(with_.audit, *topic);
    return; // and nothing is sent anywhere
  }
  if (auto fits = bus::check_content_type(topic->root, m.content_type); !fits)
    return refuse(shallow, {}, ref, fits.error());
  if (!take(topic->tenant))
    return refuse(shallow, {}, ref, fail(problem::busy, "this tenant may ask 50 times a second"));
  auto decoded = bus::decode_request(*m.payload, *topic);
  if (!decoded) {
    ++with_.counters.decode_errors;
    return refuse(shallow, {}, ref, decoded.error());
  }
  auto r = std::move(decoded->body);
  if (!decoded->id)
    r.id = with_.clock.new_id();
  r.fence = fence_;
  auto name = r.by.name;
  with_.store.get_account(name, [this, open = gate_, shallow, r = std::move(r),
                                 root = topic->root](result<account_row> account) mutable {
    auto inside = open->enter();
    if (!inside)
      return;
    if (!account) {
      auto why = account.error();
      if (why.what == problem::not_found)
        why = fail(problem::forbidden, "this account does not exist any more");
      record_forbidden(with_.audit, r, why);
      return refuse(shallow, r.id, r.target, std::move(why));
    }
    const auto held = role_of(*account, r.target.tenant);
    auto ref_of = r.target;
    control_.submit(std::move(r), held, [this, open, shallow, root, ref_of](response answer) {
      auto again = open->enter();
      if (!again || shallow.response_topic.empty())
        return;
      bus::envelope e;
      e.id = with_.clock.new_id();
      e.time = with_.clock.now();
      e.source = with_.node;
      e.correlation = answer.id;
      e.rev = answer.rev;
      e.about = ref_of;
      bus::message out;
      out.topic = shallow.response_topic;
      out.correlation = shallow.correlation;
      out.payload =
          std::make_shared<const std::string>(bus::encode(e, answer, bus::encoding_of(root)));
      out.content_type = std::string(bus::content_type_of(root));
      out.expiry = std::chrono::seconds(60);
      outside_.publish(std::move(out));
    });
  });
}

} // namespace outband
