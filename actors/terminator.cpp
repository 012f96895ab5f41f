#include "actors/terminator.hpp"

#include "actors/instance.hpp"
#include "actors/terminator_says.hpp"
#include "messages/bus/topics.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <mutex>
#include <optional>
#include <utility>

namespace outband {

namespace {

/// Constant time in the contents.
bool same(const std::string& a, const std::string& b) {
  return equal(secret_text(a), b);
}

} // namespace

// -- terminator ---------------------------------------------------------------------------------

terminator::terminator(caf::actor_system& system, const services& with)
    : system_(system), with_(with) {}

terminator::~terminator() {
  stop();
}

/// Under the lock, so that the actor hears things in the order in which `open_` changed: a tunnel's
/// end must not overtake its adoption by a restarted actor.
template <class Message> void terminator::tell(Message m) {
  std::lock_guard lock(mutex_);
  if (actor_)
    caf::anon_send(actor_, std::move(m));
}

void terminator::start() {
  {
    std::lock_guard lock(mutex_);
    stopped_ = false;
  }
  if (gate_->closed())
    gate_ = std::make_shared<gate>();
  restart();
  auto work_topic = bus::node_work_topic(with_.node);
  auto ask_topic = bus::node_ask_topic(with_.node);
  bus::subscribe_options options;
  options.retain_handling = 2;
  subscriptions_.push_back(
      with_.internal.subscribe(work_topic, options, [this, open = gate_](const bus::message& m) {
        if (auto inside = open->enter())
          work(m, false);
      }));
  subscriptions_.push_back(
      with_.internal.subscribe(ask_topic, options, [this, open = gate_](const bus::message& m) {
        if (auto inside = open->enter())
          work(m, true);
      }));
}

void terminator::restart() {
  std::lock_guard lock(mutex_);
  if (stopped_)
    return; // it ended while we were stopping
  actor_ = system_.spawn(instance_behavior, &with_);
  for (const auto& [ref, link] : open_)
    caf::anon_send(actor_, link);
}

void terminator::stop() {
  subscriptions_.clear();
  instance_actor last;
  {
    std::lock_guard lock(mutex_);
    stopped_ = true;
    last = std::exchange(actor_, nullptr);
    open_.clear();
  }
  if (last)
    caf::anon_send_exit(last, caf::exit_reason::user_shutdown);
  gate_->close();
}

caf::actor_addr terminator::address() const {
  std::lock_guard lock(mutex_);
  return actor_ ? caf::actor_cast<caf::actor_addr>(actor_) : caf::actor_addr{};
}

void terminator::work(const bus::message& m, bool live) {
  if (m.retain) {
    ++with_.counters.retained_commands;
    spdlog::warn("refused a retained message on {}: work is never retained", m.topic);
    return;
  }
  auto decoded = bus::decode_work(*m.payload, bus::encoding::msgpack);
  if (!decoded) {
    ++with_.counters.decode_errors;
    spdlog::warn("refused work on {}: {}", m.topic, to_string(decoded.error()));
    return;
  }
  const auto* d = std::get_if<disconnect>(&decoded->body);
  if (d && disconnected_ && !d->device.device.is_nil()) // who has lost his row finds that out
    disconnected_(d->device);
  call_origin origin;
  if (live) {
    if (m.response_topic.empty())
      return;
    origin = {m.response_topic, m.correlation};
  }
  tell(work_arrived{std::move(decoded->body), std::move(origin), decoded->env.ctl});
}

void terminator::reclaim() {
  tell(reclaim_links{});
}

void terminator::admit(cira_login login, answer<admission> cb) {
  auto guid = login.guid;
  with_.store.find_cira_identity(guid, [this, open = gate_, login = std::move(login),
                                        cb = std::move(cb)](result<cira_identity> r) mutable {
    auto inside = open->enter();
    if (!inside)
      return cb(stopping());
    if (!r) {
      if (r.error().what == problem::not_found)
        return cb(
            fail(problem::unauthenticated, "the GUID is not registered; add the device first"));
      return cb(r.error());
    }
    admit_known(std::move(login), std::move(*r), std::move(cb));
  });
}

void terminator::admit_known(cira_login login, cira_identity identity, answer<admission> cb) {
  // Both passwords are asked for at once; whoever is answered last goes on.
  struct pair {
    std::mutex mutex;
    std::optional<result<secret_versions>> mps, amt;
  };
  auto both = std::make_shared<pair>();
  auto ref = identity.ref;
  auto go_on = std::make_shared<std::function<void()>>(
      [this, open = gate_, both, login = std::move(login), identity = std::move(identity),
       cb = std::move(cb)]() mutable {
        auto inside = open->enter();
        if (!inside)
          return cb(stopping());
        if (!*both->mps)
          return cb(both->mps->error());
        if (!*both->amt)
          return cb(both->amt->error());
        check(std::move(login), std::move(identity), **both->mps, std::move(**both->amt),
              std::move(cb));
      });
  auto take = [both, go_on](std::optional<result<secret_versions>> pair::*where) {
    return [both, go_on, where](result<secret_versions> r) {
      {
        std::lock_guard lock(both->mutex);
        (*both).*where = std::move(r);
        if (!both->mps || !both->amt)
          return;
      }
      (*go_on)();
    };
  };
  with_.secrets.get(ref, secret_name::mps_password, take(&pair::mps));
  with_.secrets.get(ref, secret_name::amt_password, take(&pair::amt));
}

void terminator::check(cira_login login, cira_identity identity, const secret_versions& mps,
                       secret_versions amt, answer<admission> cb) {
  const bool user_ok = same(identity.mps_username, login.username);
  const bool active_ok = mps.active && equal(*mps.active, login.password.reveal());
  const bool pending_ok = mps.pending && equal(*mps.pending, login.password.reveal());
  if (!user_ok)
    return cb(fail(problem::unauthenticated, "wrong MPS user name"));
  if (!active_ok && !pending_ok)
    return cb(fail(problem::unauthenticated, mps.active || mps.pending
                                                 ? "wrong MPS password"
                                                 : "no MPS password is stored for it"));
  if (!active_ok) {
    // The machine uses the new password: now it is known to have it.
    with_.secrets.promote(identity.ref, secret_name::mps_password, [](result<nothing> p) {
      if (!p)
        spdlog::warn("pending MPS password not promoted: {}", to_string(p.error()));
    });
  }
  take_epoch(std::move(identity), std::move(login.peer), amt.active.value_or(secret_text{}),
             std::move(cb));
}

void terminator::admit_direct(const device_ref& ref, std::string amt_username,
                              secret_text amt_password, std::string peer, answer<admission> cb) {
  auto inside = gate_->enter();
  if (!inside)
    return cb(stopping());
  take_epoch({ref, {}, std::move(amt_username)}, std::move(peer), std::move(amt_password),
             std::move(cb));
}

void terminator::take_epoch(cira_identity identity, std::string peer, secret_text amt_password,
                            answer<admission> cb) {
  epoch_request req{identity.ref, with_.node, with_.incarnation, std::move(peer)};
  with_.store.take_epoch(req, [this, open = gate_, identity = std::move(identity),
                               password = std::move(amt_password),
                               cb = std::move(cb)](result<epoch_grant> granted) mutable {
    auto still = open->enter();
    if (!still)
      return cb(stopping()); // the epoch is nobody's; the next start settles it
    if (!granted)
      return cb(granted.error());
    if (!granted->previous_instance.empty()) {
      evict e{identity.ref, granted->previous_epoch};
      publish_internal(
          with_, bus::node_work_topic(granted->previous_instance),
          bus::encode(terminator_envelope(with_), work_body{e}, bus::encoding::msgpack));
    }
    admission a;
    a.ref = identity.ref;
    a.epoch = granted->epoch;
    a.amt_username = identity.amt_username.empty() ? "admin" : identity.amt_username;
    a.amt_password = std::move(password);
    cb(std::move(a));
  });
}

void terminator::trouble(const device_ref& ref, std::string code, std::string text) {
  const observation o{ref, 0, with_.clock.now(),
                      connection_trouble{std::move(code), std::move(text)}};
  publish_internal(
      with_, bus::node_observations_topic(with_.node),
      bus::encode(terminator_envelope(with_), std::vector<observation>{o}, bus::encoding::msgpack));
}

void terminator::up(const admission& who, std::string peer, int trigger,
                    std::shared_ptr<amt_link_port> link) {
  link_opened opened{who.ref, who.epoch, std::move(peer), trigger, std::move(link)};
  {
    std::lock_guard lock(mutex_);
    if (stopped_)
      return;
    auto& known = open_[who.ref];
    if (known.epoch < who.epoch)
      known = opened;
    with_.directory.put(who.ref, {with_.node, who.epoch});
    if (actor_)
      caf::anon_send(actor_, std::move(opened));
  }
}

void terminator::down(const device_ref& ref, link_epoch epoch, link_end why, std::string text) {
  {
    std::lock_guard lock(mutex_);
    auto at = open_.find(ref);
    if (at != open_.end() && at->second.epoch == epoch)
      open_.erase(at);
    with_.directory.remove(ref, epoch);
    if (actor_)
      caf::anon_send(actor_, link_closed{ref, epoch, why, std::move(text)});
  }
  // Conditional on the epoch: a late word about an old socket changes nothing.
  with_.store.link_down(ref, epoch, why, [ref](result<bool> r) {
    if (!r)
      spdlog::warn("device={} link end not stored: {}", to_string(ref), to_string(r.error()));
  });
}

void terminator::late(const device_ref& ref, link_epoch epoch, bool is_late) {
  tell(link_silent{ref, epoch, is_late});
}

void terminator::alert(const device_ref& ref, link_epoch epoch, std::string json) {
  tell(link_alert{ref, epoch, std::move(json)});
}

} // namespace outband
