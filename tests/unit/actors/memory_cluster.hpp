/// The cluster port in memory, over the devices of a memory_store: one database for as many nodes
/// as a test has. Time is the store's `now` and moves when told; completions wait for the store's
/// run().
#pragma once

#include "actors/ports/cluster.hpp"
#include "tests/unit/actors/memory_store.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace outband::testing {

class memory_cluster final : public cluster_port {
public:
  struct life {
    uuid incarnation;
    time_ms seen = 0;
    bool buried = false;
  };
  struct lease_row {
    std::string instance; ///< empty: free
    uuid incarnation;
    time_ms expires = 0;
  };

  explicit memory_cluster(memory_store& on) : store(on) {}

  void enrol(instance_ref self, answer<nothing> cb) override {
    if (store.away)
      return store.refuse(cb, problem::store_unavailable);
    if (lease.instance == self.instance && lease.incarnation != self.incarnation)
      lease = {};
    instances[self.instance] = {self.incarnation, store.now, false};
    lose_links([&](const link_fact& l) {
      return l.instance == self.instance && l.incarnation != self.incarnation;
    });
    store.later(cb, nothing{});
  }

  void beat(heartbeat h, answer<heartbeat_answer> cb) override {
    ++beats;
    if (store.away)
      return store.refuse(cb, problem::store_unavailable);
    heartbeat_answer a;
    auto known = instances.find(h.self.instance);
    if (known != instances.end() && known->second.incarnation != h.self.incarnation) {
      a.superseded = true;
    } else {
      // A row that is gone (an older state of the database came back) is as good as a burial.
      a.buried = known == instances.end() || known->second.buried;
      instances[h.self.instance] = {h.self.incarnation, store.now, false};
      a.held = decide_lease(h);
    }
    a.holder = lease.instance;
    a.holder_epoch = store.lease_epoch;
    if (a.held != 0)
      a.silent = silent(h);
    store.later(cb, a);
  }

  void retire(instance_ref self, answer<nothing> cb) override {
    if (store.away)
      return store.refuse(cb, problem::store_unavailable);
    if (has_lease(self))
      lease = {};
    auto at = instances.find(self.instance);
    if (at != instances.end() && at->second.incarnation == self.incarnation)
      instances.erase(at);
    lose_links([&](const link_fact& l) { return owns(self, l); });
    store.later(cb, nothing{});
  }

  void confirm(instance_ref self, controller_epoch held, answer<bool> cb) override {
    if (store.away)
      return store.refuse(cb, problem::store_unavailable);
    store.later(cb, has_lease(self) && held == store.lease_epoch && lease.expires > store.now);
  }

  void bury(controller_epoch fence, instance_ref dead, answer<std::size_t> cb) override {
    if (store.away)
      return store.refuse(cb, problem::store_unavailable);
    if (fence == 0 || fence != store.lease_epoch)
      return store.refuse(cb, problem::stale_controller);
    auto at = instances.find(dead.instance);
    if (at != instances.end() && at->second.incarnation == dead.incarnation)
      at->second.buried = true;
    store.later(cb, lose_links([&](const link_fact& l) { return owns(dead, l); }));
  }

  void reclaim(instance_ref self, std::vector<std::pair<device_ref, link_epoch>> links,
               answer<reclaim_answer> cb) override {
    ++reclaims;
    if (store.away)
      return store.refuse(cb, problem::store_unavailable);
    if (links.size() > 10'000)
      return store.refuse(cb, problem::too_large);
    auto known = instances.find(self.instance);
    const bool ours = known == instances.end() || known->second.incarnation == self.incarnation;
    reclaim_answer a;
    for (auto& [ref, epoch] : links) {
      auto at = store.devices.find(to_string(ref));
      if (!ours || at == store.devices.end() || !owns(self, at->second.row.link) ||
          at->second.row.link.epoch != epoch || at->second.row.link.state == link_state::down) {
        a.stale.emplace_back(ref, epoch);
        continue;
      }
      auto& link = at->second.row.link;
      if (link.state == link_state::unknown) {
        link.state = link_state::up;
        link.since = store.now;
      }
    }
    store.later(cb, a);
  }

  void out_of_step(std::string after, std::size_t limit, std::chrono::milliseconds grace,
                   answer<std::vector<device_ref>> cb) override {
    if (store.away)
      return store.refuse(cb, problem::store_unavailable);
    std::vector<device_ref> out;
    for (const auto& [key, d] : store.devices) {
      const auto& link = d.row.link;
      if (key <= after || (link.epoch == d.told_epoch && link.state == d.told_state) ||
          (link.state == link_state::unknown && link.since > store.now - grace.count()))
        continue;
      if (out.size() == limit)
        break;
      out.push_back(d.row.record.ref);
    }
    store.later(cb, out);
  }

  memory_store& store;
  std::map<std::string, life> instances;
  lease_row lease; ///< its epoch is store.lease_epoch
  int beats = 0, reclaims = 0;

private:
  static bool owns(const instance_ref& who, const link_fact& l) {
    return l.instance == who.instance && l.incarnation == who.incarnation;
  }
  bool has_lease(const instance_ref& who) const {
    return !lease.instance.empty() && lease.instance == who.instance &&
           lease.incarnation == who.incarnation;
  }

  controller_epoch decide_lease(const heartbeat& h) {
    const bool ours = has_lease(h.self);
    const bool held = ours && h.held != 0 && h.held == store.lease_epoch;
    if (!h.candidate) {
      if (held)
        lease = {};
      return 0;
    }
    const bool free = lease.instance.empty() || lease.expires <= store.now;
    // Ours under another epoch: the answer of the beat that took it was lost.
    if (!held && !free && !ours && !(h.usurp != 0 && h.usurp == store.lease_epoch))
      return 0;
    if (!held)
      ++store.lease_epoch;
    lease = {h.self.instance, h.self.incarnation, store.now + h.lease.count()};
    return store.lease_epoch;
  }

  std::vector<instance_ref> silent(const heartbeat& h) const {
    std::vector<instance_ref> out;
    auto alive = [&](const std::string& name, const uuid& incarnation) {
      auto at = instances.find(name);
      return at != instances.end() && at->second.incarnation == incarnation &&
             at->second.seen > store.now - h.silent_after.count();
    };
    auto add = [&](const std::string& name, const uuid& incarnation) {
      auto known = std::any_of(out.begin(), out.end(), [&](const instance_ref& i) {
        return i.instance == name && i.incarnation == incarnation;
      });
      if (!known && !alive(name, incarnation))
        out.push_back({name, incarnation});
    };
    for (const auto& [name, l] : instances)
      if (!l.buried)
        add(name, l.incarnation);
    for (const auto& [key, d] : store.devices)
      if (d.row.link.state == link_state::up)
        add(d.row.link.instance, d.row.link.incarnation);
    return out;
  }

  template <class F> std::size_t lose_links(F which) {
    std::size_t n = 0;
    for (auto& [key, d] : store.devices) {
      auto& l = d.row.link;
      if (l.state != link_state::up || !which(l))
        continue;
      l.state = link_state::unknown;
      l.since = store.now;
      ++n;
    }
    return n;
  }
};

} // namespace outband::testing
