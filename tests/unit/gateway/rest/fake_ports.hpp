/// The ports that REST uses, in memory: a registry with tenants, a control that is scripted,
/// secrets and a clock. Completions come at once, inside the call, which is the hardest order for
/// callers.
#pragma once

#include "actors/ports/clock.hpp"
#include "actors/ports/control.hpp"
#include "actors/ports/secrets.hpp"
#include "actors/ports/store.hpp"
#include "tests/unit/actors/audit_trail.hpp"

#include <algorithm>
#include <atomic>
#include <mutex>

namespace outband::testing {

class fake_clock final : public clock_port {
public:
  time_ms now() const override { return time; }
  uuid new_id() override {
    std::array<std::uint8_t, 10> n{};
    auto k = ++ids;
    for (std::size_t i = 0; i < 4; ++i)
      n[9 - i] = static_cast<std::uint8_t>(k >> (8 * i));
    return make_uuid_v7(time, n);
  }
  std::atomic<time_ms> time{1'800'000'000'000};
  std::atomic<std::uint32_t> ids{0};
};

class registry final : public store_port {
public:
  bool away = false; ///< every call fails

  std::vector<tenant_row> tenants;
  std::map<std::string, account_row> accounts;
  std::map<device_id, device_row> devices; ///< a GUID is in one tenant only
  std::map<uuid, command_row> commands;
  audit_trail trail;
  std::vector<bus::outgoing> told; ///< with the trail
  time_ms audit_now = 1'800'000'000'000;
  int loads = 0;

  device_row& add(const device_ref& ref, const std::string& hostname = "") {
    auto& d = devices[ref.device];
    d.record.ref = ref;
    d.record.hostname = hostname;
    d.record.mps_username = d.record.amt_username = "admin";
    return d;
  }

  void delete_tenant(tenant_key key, bool forced, std::vector<bus::outgoing>,
                     answer<nothing> cb) override {
    auto at = std::find_if(tenants.begin(), tenants.end(),
                           [&](const tenant_row& t) { return t.key == key; });
    if (away || at == tenants.end())
      return cb(away ? gone() : fail(problem::not_found));
    for (const auto& [guid, d] : devices)
      if (d.record.ref.tenant == key && !forced)
        return cb(fail(problem::transition_refused, "the tenant still has devices"));
    tenants.erase(at);
    cb(nothing{});
  }
  void create_tenant(tenant_row row, answer<tenant_row> cb) override {
    if (away)
      return cb(gone());
    for (const auto& t : tenants)
      if (t.key == row.key)
        return cb(fail(problem::already_exists, "this key is taken", "key"));
    tenants.push_back(row);
    cb(row);
  }
  void list_tenants(answer<std::vector<tenant_row>> cb) override {
    away ? cb(gone()) : cb(tenants);
  }
  void get_account(std::string name, answer<account_row> cb) override {
    if (away)
      return cb(gone());
    auto it = accounts.find(name);
    it == accounts.end() ? cb(fail(problem::not_found)) : cb(it->second);
  }
  void put_account(account_row row, answer<nothing> cb) override {
    if (away)
      return cb(gone());
    accounts[row.name] = row;
    cb(nothing{});
  }
  void list_accounts(answer<std::vector<account_row>> cb) override {
    if (away)
      return cb(gone());
    std::vector<account_row> out;
    for (const auto& [name, a] : accounts)
      out.push_back(a);
    cb(out);
  }
  void delete_account(std::string name, answer<nothing> cb) override {
    away || accounts.erase(name) == 0 ? cb(fail(problem::not_found)) : cb(nothing{});
  }

  void upsert_devices(std::vector<device_record> rows, answer<std::vector<upserted>> cb) override {
    if (away)
      return cb(gone());
    for (std::size_t i = 0; i < rows.size(); ++i)
      if (auto it = devices.find(rows[i].ref.device);
          it != devices.end() && it->second.record.ref.tenant != rows[i].ref.tenant)
        return cb(fail(problem::already_exists, "", "[" + std::to_string(i) + "].guid"));
    std::vector<upserted> out;
    for (auto& r : rows) {
      const bool created = !devices.count(r.ref.device);
      devices[r.ref.device].record = r;
      out.push_back({r, created});
    }
    cb(out);
  }
  void update_device(device_change ch, answer<device_record> cb) override {
    auto* d = find(ch.ref);
    if (away || !d)
      return cb(away ? gone() : fail(problem::not_found));
    auto& r = d->record;
    r.hostname = ch.hostname.value_or(r.hostname);
    r.friendly_name = ch.friendly_name.value_or(r.friendly_name);
    r.dns_suffix = ch.dns_suffix.value_or(r.dns_suffix);
    r.tags = ch.tags.value_or(r.tags);
    r.mps_username = ch.mps_username.value_or(r.mps_username);
    r.amt_username = ch.amt_username.value_or(r.amt_username);
    r.device_info = ch.device_info.value_or(r.device_info);
    cb(r);
  }
  void get_device(device_ref ref, answer<device_record> cb) override {
    auto* d = find(ref);
    away ? cb(gone()) : d ? cb(d->record) : cb(fail(problem::not_found));
  }
  void list_devices(device_filter f, answer<device_page> cb) override {
    if (away)
      return cb(gone());
    device_page out;
    for (const auto& [id, d] : devices) {
      const auto& r = d.record;
      auto has = [&](const std::string& t) {
        return std::find(r.tags.begin(), r.tags.end(), t) != r.tags.end();
      };
      if (r.ref.tenant != f.tenant || (f.hostname && *f.hostname != r.hostname) ||
          (f.friendly_name && f.friendly_name != r.friendly_name) ||
          (f.connected && *f.connected != r.connected) ||
          (!f.tags.empty() && !(f.all_tags ? std::all_of(f.tags.begin(), f.tags.end(), has)
                                           : std::any_of(f.tags.begin(), f.tags.end(), has))))
        continue;
      if (out.total >= f.skip && out.rows.size() < f.top)
        out.rows.push_back(r);
      ++out.total;
    }
    cb(out);
  }
  void device_stats_of(tenant_key tenant, answer<device_stats> cb) override {
    device_stats s;
    for (const auto& [id, d] : devices)
      if (d.record.ref.tenant == tenant) {
        ++s.total;
        s.connected += d.record.connected ? 1 : 0;
      }
    away ? cb(gone()) : cb(s);
  }
  void device_tags_of(tenant_key tenant, answer<std::vector<std::string>> cb) override {
    std::vector<std::string> out;
    for (const auto& [id, d] : devices)
      if (d.record.ref.tenant == tenant)
        out.insert(out.end(), d.record.tags.begin(), d.record.tags.end());
    std::sort(out.begin(), out.end());
    out.erase(std::unique(out.begin(), out.end()), out.end());
    away ? cb(gone()) : cb(out);
  }
  void delete_device(device_ref ref, std::vector<bus::outgoing>, answer<nothing> cb) override {
    if (away || !find(ref))
      return cb(away ? gone() : fail(problem::not_found));
    devices.erase(ref.device);
    cb(nothing{});
  }

  void show_device(device_ref ref, answer<device_row> cb) override {
    load_device(std::move(ref), std::move(cb));
  }
  void load_device(device_ref ref, answer<device_row> cb) override {
    ++loads;
    auto* d = find(ref);
    if (away || !d)
      return cb(away ? gone() : fail(problem::not_found));
    auto row = *d;
    if (row.record.connected && row.link.epoch == 0) { // one fact, told twice
      row.link.epoch = 1;
      row.link.state = link_state::up;
      row.link.instance = row.record.instance;
    }
    cb(row);
  }
  void get_command(tenant_key tenant, uuid id, answer<command_row> cb) override {
    auto it = commands.find(id);
    if (away || it == commands.end() || it->second.ref.tenant != tenant)
      return cb(away ? gone() : fail(problem::not_found));
    cb(it->second);
  }
  void ping(answer<nothing> cb) override { away ? cb(gone()) : cb(nothing{}); }
  void record_audit(std::vector<audit_record> what, std::vector<bus::outgoing> publish,
                    answer<nothing> cb) override {
    if (away)
      return cb(gone());
    for (const auto& r : what)
      trail[{r.entry.tenant, r.entry.id}] = {r.entry, r.outcome, audit_now, audit_now, r.count};
    told.insert(told.end(), publish.begin(), publish.end());
    cb(nothing{});
  }
  void list_audit(audit_filter f, answer<audit_page> cb) override {
    if (away)
      return cb(gone());
    cb(audit_page_of(
        f, [](const audit_row& r) { return r; }, trail));
  }
  void get_audit(tenant_key tenant, uuid id, answer<audit_row> cb) override {
    auto it = trail.find({tenant, id});
    if (away || it == trail.end())
      return cb(away ? gone() : fail(problem::not_found));
    cb(it->second);
  }

  // REST never calls these.
  void find_cira_identity(device_id, answer<cira_identity> cb) override { cb(never()); }
  void take_epoch(epoch_request, answer<epoch_grant> cb) override { cb(never()); }
  void link_down(device_ref, link_epoch, link_end, answer<bool> cb) override { cb(never()); }
  void note_seen(std::vector<std::pair<device_ref, time_ms>>, answer<nothing> cb) override {
    cb(never());
  }
  void save_current(current_write, answer<current_written> cb) override { cb(never()); }
  void read_desired(device_ref, answer<desired_row> cb) override { cb(never()); }
  void write_desired(desired_write, answer<write_outcome> cb) override { cb(never()); }
  void write_command(command_write, answer<write_outcome> cb) override { cb(never()); }
  void begin_audit(audit_begin, answer<audit_begun> cb) override { cb(never()); }
  void finish_audit(audit_end, answer<nothing> cb) override { cb(never()); }
  void unsettled(std::string, std::size_t, answer<std::vector<device_ref>> cb) override {
    cb(never());
  }

private:
  device_row* find(const device_ref& ref) {
    auto it = devices.find(ref.device);
    return it != devices.end() && it->second.record.ref.tenant == ref.tenant ? &it->second
                                                                             : nullptr;
  }
  static failure gone() { return fail(problem::store_unavailable); }
  static failure never() { return fail(problem::internal, "REST must not call this"); }
};

class fake_secrets final : public secrets_port {
public:
  std::map<std::string, std::string> values; ///< "acme/<guid> amt-password"
  bool away = false;

  void get(device_ref, secret_name, answer<secret_versions> cb) override {
    cb(fail(problem::internal, "REST must not read secrets"));
  }
  void put_active(device_ref ref, secret_name name, secret_text value,
                  answer<nothing> cb) override {
    if (away)
      return cb(fail(problem::store_unavailable));
    values[to_string(ref) + " " + std::string(to_string(name))] = value.reveal();
    cb(nothing{});
  }
  void put_pending(device_ref, secret_name, secret_text, answer<nothing> cb) override {
    cb(fail(problem::internal));
  }
  void promote(device_ref, secret_name, answer<nothing> cb) override {
    cb(fail(problem::internal));
  }
  void discard_pending(device_ref, secret_name, answer<nothing> cb) override {
    cb(fail(problem::internal));
  }
  result<std::string> seal(const device_ref&, std::string_view) override {
    return fail(problem::internal);
  }
  result<secret_text> open(const device_ref&, std::string_view) override {
    return fail(problem::internal);
  }
  result<std::string> seal_named(const tenant_key& tenant, std::string_view label,
                                 std::string_view text) override {
    return "sealed:" + tenant + ":" + std::string(label) + ":" + std::string(text);
  }
  result<secret_text> open_named(const tenant_key& tenant, std::string_view label,
                                 std::string_view sealed) override {
    const auto front = "sealed:" + tenant + ":" + std::string(label) + ":";
    if (sealed.substr(0, front.size()) != front)
      return fail(problem::internal, "sealed for another place");
    return secret_text(std::string(sealed.substr(front.size())));
  }
};

/// Records what was asked; answers what the test prepared.
class fake_control final : public control_port {
public:
  explicit fake_control(registry& s) : store(s) {}

  std::vector<request> submitted;
  std::vector<role> held;
  std::vector<response> script; ///< all are told to each submit, with the request's id
  /// Not null: nothing of the script is told; what a submit is told with is put there instead.
  std::function<void(response)>* hold = nullptr;
  result<amt_outcome> live = fail(problem::link_down);
  std::vector<device_ref> asked, added, reconnected, disconnected, removed, changed;
  std::vector<tenant_key> gone;
  result<bool> closes = true;

  void submit(request r, role by, std::function<void(response)> on_response) override {
    submitted.push_back(r);
    held.push_back(by);
    if (hold) {
      *hold = std::move(on_response);
      return;
    }
    for (auto a : script) {
      a.id = r.id;
      on_response(a);
    }
  }
  void ask(device_ref ref, amt_operation, std::chrono::milliseconds,
           answer<amt_outcome> cb) override {
    asked.push_back(ref);
    cb(live);
  }
  void deactivate(device_ref, std::chrono::milliseconds, answer<amt_outcome> cb) override {
    cb(fail(problem::internal, "REST must not deactivate past its removals"));
  }
  void removal_changed(const device_ref& ref) override { changed.push_back(ref); }
  void disconnect(device_ref ref, answer<bool> cb) override {
    store.get_device(ref, [this, ref, cb](result<device_record> d) {
      if (!d)
        return cb(d.error());
      disconnected.push_back(ref);
      cb(closes);
    });
  }
  void device_added(const device_ref& ref) override { added.push_back(ref); }
  void tenant_gone(const tenant_key& key) override { gone.push_back(key); }
  void connection_changed(const device_ref& ref) override { reconnected.push_back(ref); }
  void remove_device(device_ref ref, answer<nothing> cb) override {
    removed.push_back(ref);
    store.delete_device(ref, {}, std::move(cb));
  }
  counts count() const override { return {3, 2, 1}; }

  registry& store;
};

} // namespace outband::testing
