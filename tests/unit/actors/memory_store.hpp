/// The store port in memory, with the semantics of the real one (guards, duplicates, tenants) and
/// faults on demand. Completions wait until run(), as those of a database do.
#pragma once

#include "actors/ports/store.hpp"
#include "messages/bus/stored.hpp"
#include "tests/unit/actors/audit_trail.hpp"

#include <deque>
#include <functional>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

namespace outband::testing {

class memory_store final : public store_port {
public:
  struct device {
    device_row row;
    link_epoch told_epoch = 0; ///< what the last save said of the link
    link_state told_state = link_state::down;
  };

  /// Delivers completions; how many.
  std::size_t run() {
    std::size_t n = 0;
    while (!ready.empty() && !stalled) {
      auto f = std::move(ready.front());
      ready.pop_front();
      f();
      ++n;
    }
    return n;
  }
  void add(const device_ref& ref, std::string mps_username = "admin") {
    device d;
    d.row.record.ref = ref;
    d.row.record.mps_username = std::move(mps_username);
    devices[to_string(ref)] = d;
  }
  device& of(const device_ref& ref) { return devices.at(to_string(ref)); }

  void create_tenant(tenant_row row, answer<tenant_row> cb) override { later(cb, row); }
  void delete_tenant(tenant_key key, bool, std::vector<bus::outgoing> publish,
                     answer<nothing> cb) override {
    append(publish);
    if (on_delete_tenant)
      on_delete_tenant(key);
    later(cb, nothing{});
  }
  void list_tenants(answer<std::vector<tenant_row>> cb) override {
    later(cb, std::vector<tenant_row>{});
  }
  void get_account(std::string name, answer<account_row> cb) override {
    auto at = accounts.find(name);
    if (at == accounts.end())
      return refuse(cb, problem::not_found);
    later(cb, at->second);
  }
  void put_account(account_row row, answer<nothing> cb) override {
    accounts[row.name] = row;
    later(cb, nothing{});
  }
  void list_accounts(answer<std::vector<account_row>> cb) override {
    later(cb, std::vector<account_row>{});
  }
  void delete_account(std::string name, answer<nothing> cb) override {
    accounts.erase(name);
    later(cb, nothing{});
  }
  void upsert_devices(std::vector<device_record> rows, answer<std::vector<upserted>> cb) override {
    std::vector<upserted> out;
    if (refuse_foreign)
      for (const auto& r : rows)
        for (const auto& [key, d] : devices)
          if (d.row.record.ref.device == r.ref.device && d.row.record.ref.tenant != r.ref.tenant)
            return refuse(cb, problem::already_exists);
    for (auto& r : rows) {
      add(r.ref, r.mps_username);
      out.push_back({r, true});
    }
    later(cb, out);
  }
  void update_device(device_change change, answer<device_record> cb) override {
    if (auto at = devices.find(to_string(change.ref)); at != devices.end()) {
      auto& r = at->second.row.record;
      r.hostname = change.hostname.value_or(r.hostname);
      r.tags = change.tags.value_or(r.tags);
      r.mps_username = change.mps_username.value_or(r.mps_username);
      r.amt_username = change.amt_username.value_or(r.amt_username);
      r.device_info = change.device_info.value_or(r.device_info);
    }
    get_device(change.ref, std::move(cb));
  }
  void get_device(device_ref ref, answer<device_record> cb) override {
    ++reads;
    auto at = devices.find(to_string(ref));
    if (at == devices.end())
      return refuse(cb, problem::not_found);
    auto r = at->second.row.record;
    const auto& link = at->second.row.link;
    r.connected = link.state == link_state::up;
    r.instance = r.connected ? link.instance : "";
    later(cb, r);
  }
  void list_devices(device_filter, answer<device_page> cb) override { later(cb, device_page{}); }
  void device_stats_of(tenant_key, answer<device_stats> cb) override { later(cb, device_stats{}); }
  void device_tags_of(tenant_key, answer<std::vector<std::string>> cb) override {
    later(cb, std::vector<std::string>{});
  }
  void delete_device(device_ref ref, std::vector<bus::outgoing> publish,
                     answer<nothing> cb) override {
    if (devices.erase(to_string(ref)) == 0)
      return refuse(cb, problem::not_found);
    append(publish);
    later(cb, nothing{});
  }

  void find_cira_identity(device_id guid, answer<cira_identity> cb) override {
    for (auto& [key, d] : devices)
      if (d.row.record.ref.device == guid)
        return later(cb, cira_identity{d.row.record.ref, d.row.record.mps_username, "admin"});
    refuse(cb, problem::not_found);
  }
  void take_epoch(epoch_request req, answer<epoch_grant> cb) override {
    if (away)
      return refuse(cb, problem::store_unavailable);
    auto& link = of(req.ref).row.link;
    epoch_grant g;
    if (link.state == link_state::up) {
      g.previous_instance = link.instance;
      g.previous_epoch = link.epoch;
    }
    g.epoch = link.epoch + 1;
    link = {g.epoch, link_state::up, req.instance, req.incarnation, req.peer, "", now};
    later(cb, g);
  }
  void link_down(device_ref ref, link_epoch epoch, link_end why, answer<bool> cb) override {
    if (away)
      return refuse(cb, problem::store_unavailable);
    auto at = devices.find(to_string(ref));
    if (at == devices.end())
      return refuse(cb, problem::not_found);
    auto& link = at->second.row.link;
    const bool mine = link.epoch == epoch && epoch != 0;
    if (mine && link.state != link_state::down) {
      link.state = link_state::down;
      link.why = to_string(why);
      link.since = now;
    }
    later(cb, mine);
  }
  void note_seen(std::vector<std::pair<device_ref, time_ms>>, answer<nothing> cb) override {
    later(cb, nothing{});
  }

  void load_device(device_ref ref, answer<device_row> cb) override {
    ++reads;
    if (defects > 0) {
      --defects;
      throw std::runtime_error("a defect, on demand");
    }
    if (away)
      return refuse(cb, problem::store_unavailable);
    auto at = devices.find(to_string(ref));
    if (at == devices.end())
      return refuse(cb, problem::not_found);
    later(cb, at->second.row);
  }
  void show_device(device_ref ref, answer<device_row> cb) override {
    load_device(std::move(ref), std::move(cb));
  }
  void save_current(current_write w, answer<current_written> cb) override {
    ++writes;
    if (away || saves_fail)
      return refuse(cb, problem::store_unavailable);
    if (deposed(w.fence))
      return refuse(cb, problem::stale_controller);
    auto at = devices.find(to_string(w.ref));
    if (at == devices.end())
      return refuse(cb, problem::not_found);
    auto& row = at->second.row;
    if (row.current_rev != w.expected_rev)
      return later(cb, current_written{true});
    row.current = w.next;
    ++row.current_rev;
    row.event_seq = w.event_seq;
    const auto& link = w.next.link;
    at->second.told_epoch = link.epoch;
    at->second.told_state = link.state == link_state::late ? link_state::up : link.state;
    for (auto& c : w.commands) {
      commands[c.id] = c;
      note(c);
      for (auto open = row.open_commands.begin(); open != row.open_commands.end();) {
        if (open->id == c.id)
          *open = c;
        open = open->id == c.id && is_final(c.status) ? row.open_commands.erase(open) : open + 1;
      }
    }
    append(w.publish);
    if (lose_answers) {
      --lose_answers;
      return refuse(cb, problem::outcome_unknown);
    }
    later(cb, current_written{});
  }
  void read_desired(device_ref ref, answer<desired_row> cb) override {
    if (away)
      return refuse(cb, problem::store_unavailable);
    auto at = devices.find(to_string(ref));
    if (at == devices.end())
      return refuse(cb, problem::not_found);
    later(cb, desired_row{at->second.row.desired, at->second.row.desired_rev});
  }
  void write_desired(desired_write w, answer<write_outcome> cb) override {
    if (away)
      return refuse(cb, problem::store_unavailable);
    if (deposed(w.fence))
      return refuse(cb, problem::stale_controller);
    auto known = commands.find(w.command.id);
    if (known != commands.end())
      return later(cb, write_outcome{write_outcome::kind::duplicate, known->second});
    if (conflicts > 0) {
      --conflicts;
      return later(cb, write_outcome{write_outcome::kind::conflict, {}});
    }
    auto& row = of(w.ref).row;
    if (row.desired_rev != w.expected_rev)
      return later(cb, write_outcome{write_outcome::kind::conflict, {}});
    row.desired = w.next;
    ++row.desired_rev;
    commands[w.command.id] = w.command;
    note(w.command);
    append(w.publish);
    if (lose_answers) {
      --lose_answers;
      return refuse(cb, problem::outcome_unknown);
    }
    later(cb, write_outcome{});
  }
  void write_command(command_write w, answer<write_outcome> cb) override {
    if (away)
      return refuse(cb, problem::store_unavailable);
    if (deposed(w.fence))
      return refuse(cb, problem::stale_controller);
    auto known = commands.find(w.command.id);
    if (known != commands.end())
      return later(cb, write_outcome{write_outcome::kind::duplicate, known->second});
    auto& row = of(w.command.ref).row;
    if (w.wish) {
      if (row.desired_rev != w.wish->expected_rev)
        return later(cb, write_outcome{write_outcome::kind::conflict, {}});
      row.desired = w.wish->next;
      ++row.desired_rev;
      append(w.wish->publish);
    }
    commands[w.command.id] = w.command;
    note(w.command);
    row.open_commands.push_back(w.command);
    append(w.publish);
    later(cb, write_outcome{});
  }
  void get_command(tenant_key, uuid id, answer<command_row> cb) override {
    auto at = commands.find(id);
    if (at == commands.end())
      return refuse(cb, problem::not_found);
    later(cb, at->second);
  }
  void unsettled(std::string, std::size_t, answer<std::vector<device_ref>> cb) override {
    if (away)
      return refuse(cb, problem::store_unavailable);
    std::vector<device_ref> out;
    for (auto& [key, d] : devices)
      if (!d.row.open_commands.empty())
        out.push_back(d.row.record.ref);
    later(cb, out);
  }
  void ping(answer<nothing> cb) override { later(cb, nothing{}); }

  void begin_audit(audit_begin what, answer<audit_begun> cb) override {
    if (away)
      return refuse(cb, problem::store_unavailable);
    if (deposed(what.fence))
      return refuse(cb, problem::stale_controller);
    auto [at, fresh] = trail.try_emplace({what.entry.tenant, what.entry.id});
    if (fresh)
      at->second = {what.entry, {audit_status::asked, {}, {}, {}, {}}, now};
    if (lose_answers) {
      --lose_answers;
      return refuse(cb, problem::outcome_unknown);
    }
    later(cb, audit_begun{!fresh, seen(at->second)});
  }
  void finish_audit(audit_end what, answer<nothing> cb) override {
    if (away)
      return refuse(cb, problem::store_unavailable);
    auto at = trail.find({what.tenant, what.id});
    if (at == trail.end())
      return refuse(cb, problem::not_found);
    if (at->second.outcome.status == audit_status::asked) {
      at->second.outcome = what.outcome;
      at->second.finished = now;
      append(what.publish);
    }
    later(cb, nothing{});
  }
  void record_audit(std::vector<audit_record> what, std::vector<bus::outgoing> publish,
                    answer<nothing> cb) override {
    if (away)
      return refuse(cb, problem::store_unavailable);
    for (const auto& r : what)
      if (trail.count({r.entry.tenant, r.entry.id}) != 0)
        return refuse(cb, problem::already_exists);
    for (const auto& r : what)
      trail[{r.entry.tenant, r.entry.id}] = {r.entry, r.outcome, now, now, r.count};
    append(publish);
    later(cb, nothing{});
  }
  void list_audit(audit_filter f, answer<audit_page> cb) override {
    if (away)
      return refuse(cb, problem::store_unavailable);
    later(cb, audit_page_of(
                  f, [this](const audit_row& r) { return seen(r); }, trail));
  }
  void get_audit(tenant_key tenant, uuid id, answer<audit_row> cb) override {
    auto at = trail.find({tenant, id});
    if (at == trail.end())
      return refuse(cb, problem::not_found);
    later(cb, seen(at->second));
  }

  std::map<std::string, device> devices;
  std::map<std::string, account_row> accounts;
  std::map<uuid, command_row> commands;
  std::vector<bus::outgoing> outbox;
  audit_trail trail;
  time_ms now = 0;               ///< the database's clock; moves when told
  std::uint64_t lease_epoch = 0; ///< memory_cluster's; fenced writes are held against it
  std::function<void(const tenant_key&)> on_delete_tenant;
  bool away = false;
  bool refuse_foreign = false; ///< a GUID of another tenant, as the real store does
  bool stalled = false;
  bool saves_fail = false;
  int conflicts = 0;
  int lose_answers = 0;
  int defects = 0; ///< so many load_device() throw, as a defect of the actor would
  int reads = 0, writes = 0;
  std::deque<std::function<void()>> ready;

  template <class T, class V> void later(answer<T>& cb, V value) {
    ready.push_back([cb, value] { cb(T(value)); });
  }
  template <class T> void refuse(answer<T>& cb, problem p) {
    ready.push_back([cb, p] { cb(fail(p)); });
  }

private:
  bool deposed(std::uint64_t fence) const { return fence != 0 && fence != lease_epoch; }
  /// An open act past its deadline.
  audit_row seen(audit_row r) const {
    const auto until = r.entry.deadline;
    if (r.outcome.status == audit_status::asked && until > 0 && until + audit_grace < now)
      r.outcome.status = audit_status::unknown;
    return r;
  }
  /// The audit row that goes with a command.
  void note(const command_row& c) {
    auto& row = trail[{c.ref.tenant, c.id}];
    if (row.entry.act.empty()) {
      const auto colon = c.channel.find(':');
      row.entry = {c.ref.tenant, c.id, c.act, c.ref.device, c.by, c.channel.substr(0, colon)};
      row.entry.argument_hash = c.argument_hash;
      row.entry.address = c.address;
      row.entry.deadline = c.deadline;
      row.at = now;
      row.outcome.status = audit_status::asked;
    }
    if (row.outcome.status != audit_status::asked || c.status == request_status::accepted)
      return;
    if (auto answer = bus::unpack_response(c.outcome))
      row.outcome = outcome_of(*answer);
    row.outcome.document = c.outcome;
    row.finished = now;
  }
  void append(const std::vector<bus::outgoing>& more) {
    outbox.insert(outbox.end(), more.begin(), more.end());
  }
};

} // namespace outband::testing
