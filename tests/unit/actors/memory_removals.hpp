/// removal_rows in memory, with the rules of the real one. Completions come at once, inside the
/// call.
#pragma once

#include "actors/ports/removal.hpp"

#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace outband::testing {

class memory_removals final : public removal_rows {
public:
  /// Is there such a device? and which has a tenant? The test's registry tells.
  explicit memory_removals(std::function<std::vector<device_ref>()> devices)
      : devices_(std::move(devices)) {}

  std::map<std::string, removal> kept; ///< by "acme/<guid>"
  std::set<std::string> managed;       ///< likewise: who has been activated, or has called
  std::set<tenant_key> leaving;
  std::vector<device_ref> forgotten; ///< whose secrets
  std::vector<removal> notes;
  std::function<void()> on_forget; ///< what happens while secrets are deleted
  bool away = false;
  const bool* away_with = nullptr; ///< likewise
  time_ms now = 1'800'000'000'000;

  const removal* find(const device_ref& ref) {
    drop_orphans();
    auto at = kept.find(to_string(ref));
    return at == kept.end() ? nullptr : &at->second;
  }

  void begin(removal what, answer<kept_removal> cb) override {
    if (lost() || !exists(what.device))
      return cb(lost() ? gone() : fail(problem::not_found));
    drop_orphans();
    what.state = removal_state::waiting;
    what.asked = what.updated = now;
    auto [at, fresh] = kept.try_emplace(to_string(what.device), what);
    auto& row = at->second;
    if (!fresh && row.kind == removal_kind::deauthorize)
      row.kind = what.kind;
    if (row.state == removal_state::done)
      row.state = removal_state::waiting;
    row.updated = now;
    cb(look(row));
  }
  void note(removal what, answer<nothing> cb) override {
    const auto* row = find(what.device);
    if (lost() || row == nullptr)
      return cb(lost() ? gone() : fail(problem::not_found));
    auto& r = kept[to_string(what.device)];
    if (what.state == removal_state::done && r.kind == removal_kind::remove)
      return cb(fail(problem::not_found));
    r.state = what.state;
    r.code = what.code;
    r.text = what.text;
    notes.push_back(r);
    cb(nothing{});
  }
  void withdraw(device_ref device, answer<nothing> cb) override {
    drop_orphans();
    if (lost() || kept.erase(to_string(device)) == 0)
      return cb(lost() ? gone() : fail(problem::not_found));
    cb(nothing{});
  }
  void get(device_ref device, answer<kept_removal> cb) override {
    const auto* row = find(device);
    if (lost() || row == nullptr)
      return cb(lost() ? gone() : fail(problem::not_found));
    cb(look(*row));
  }
  void of(tenant_key tenant, std::vector<device_id> devices,
          answer<std::vector<removal>> cb) override {
    if (lost())
      return cb(gone());
    std::vector<removal> out;
    for (const auto& d : devices)
      if (const auto* row = find({tenant, d}))
        out.push_back(*row);
    cb(out);
  }
  void open(device_ref after, std::size_t limit, answer<std::vector<removal>> cb) override {
    if (lost())
      return cb(gone());
    drop_orphans();
    std::vector<removal> out;
    const auto from = after.tenant.empty() ? std::string() : to_string(after);
    for (const auto& [key, row] : kept)
      if (key > from && row.state != removal_state::done && out.size() < limit)
        out.push_back(row);
    cb(out);
  }
  void forget_secrets(device_ref device, answer<nothing> cb) override {
    if (lost())
      return cb(gone());
    forgotten.push_back(device);
    managed.erase(to_string(device));
    if (on_forget)
      on_forget();
    cb(nothing{});
  }
  void begin_tenant(tenant_key tenant, std::string by, answer<std::size_t> cb) override {
    if (lost())
      return cb(gone());
    leaving.insert(tenant);
    std::size_t n = 0;
    for (const auto& d : devices_())
      if (d.tenant == tenant) {
        removal r;
        r.device = d;
        r.by = by;
        begin(r, [&](const result<kept_removal>& begun) { n += begun ? 1 : 0; });
      }
    cb(n);
  }
  void empty_tenants(answer<std::vector<tenant_key>> cb) override {
    if (lost())
      return cb(gone());
    std::vector<tenant_key> out;
    for (const auto& t : leaving) {
      bool has = false;
      for (const auto& d : devices_())
        has = has || d.tenant == t;
      if (!has)
        out.push_back(t);
    }
    cb(out);
  }

private:
  kept_removal look(const removal& r) const { return {r, managed.count(to_string(r.device)) != 0}; }
  bool exists(const device_ref& ref) const {
    for (const auto& d : devices_())
      if (d == ref)
        return true;
    return false;
  }
  /// The wish goes with the machine.
  void drop_orphans() {
    for (auto at = kept.begin(); at != kept.end();)
      at = exists(at->second.device) ? std::next(at) : kept.erase(at);
  }
  bool lost() const { return away || (away_with != nullptr && *away_with); }
  static failure gone() { return fail(problem::store_unavailable); }

  std::function<std::vector<device_ref>()> devices_;
};

} // namespace outband::testing
