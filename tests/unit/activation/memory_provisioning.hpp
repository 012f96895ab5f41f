/// provisioning_port in memory: what activations need of it, with the rules of the real one.
#pragma once

#include "actors/ports/provisioning.hpp"
#include "messages/domain/text.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace outband::testing {

/// Writing through REST is tested elsewhere; here objects are put in by tests.
template <class T> class memory_rows final : public object_rows<T> {
public:
  std::map<std::pair<tenant_key, std::string>, stored<T>> kept;
  void put(const tenant_key& tenant, T what, sealed_fields secrets = {}) {
    auto& row = kept[{tenant, lower(what.name)}]; // before `what` is moved from
    row = {std::move(what), std::move(secrets)};
  }
  const stored<T>* find(const tenant_key& tenant, const std::string& name) const {
    auto at = kept.find({tenant, lower(name)});
    return at == kept.end() ? nullptr : &at->second;
  }
  void list(tenant_key, page_wish, answer<page_of<T>> cb) override { cb(page_of<T>{}); }
  void get(tenant_key tenant, std::string name, answer<stored<T>> cb) override {
    if (const auto* found = find(tenant, name))
      return cb(*found);
    cb(fail(problem::not_found));
  }
  void create(tenant_key tenant, T what, sealed_fields secrets, answer<T> cb) override {
    put(tenant, what, std::move(secrets));
    cb(what);
  }
  void update(tenant_key tenant, T what, sealed_fields secrets, answer<T> cb) override {
    put(tenant, what, std::move(secrets));
    cb(what);
  }
  void remove(tenant_key tenant, std::string name, answer<nothing> cb) override {
    kept.erase({tenant, lower(name)});
    cb(nothing{});
  }
};

class memory_provisioning final : public provisioning_port {
public:
  explicit memory_provisioning(clock_port& clock) : clock_(clock) {}

  object_rows<profile>& profiles() override { return profile_rows; }
  object_rows<cira_config>& cira_configs() override { return cira_rows; }
  object_rows<wireless_config>& wireless_configs() override { return wifi_rows; }
  object_rows<ieee8021x_config>& ieee8021x_configs() override { return eap_rows; }
  object_rows<proxy_config>& proxy_configs() override { return proxy_rows; }
  object_rows<domain>& domains() override { return domain_rows; }

  void resolve(tenant_key tenant, std::string name, answer<resolved_profile> cb) override {
    const auto* p = profile_rows.find(tenant, name);
    if (p == nullptr)
      return cb(fail(problem::not_found));
    resolved_profile out;
    out.base = *p;
    if (p->what.cira_config)
      if (const auto* c = cira_rows.find(tenant, *p->what.cira_config))
        out.cira = *c;
    for (const auto& w : p->what.wifi)
      if (const auto* found = wifi_rows.find(tenant, w.name))
        out.wifi.emplace_back(*found, w.priority);
    for (const auto& x : p->what.proxies)
      if (const auto* found = proxy_rows.find(tenant, x.name))
        out.proxies.emplace_back(found->what, x.priority);
    auto eap = [&](const std::optional<std::string>& of) {
      if (of)
        if (const auto* found = eap_rows.find(tenant, *of))
          out.ieee8021x[lower(*of)] = *found;
    };
    eap(p->what.ieee8021x);
    for (const auto& w : out.wifi)
      eap(w.first.what.ieee8021x);
    cb(std::move(out));
  }
  void find_domain(tenant_key tenant, std::vector<std::string> suffixes,
                   answer<stored<domain>> cb) override {
    for (const auto& s : suffixes)
      for (const auto& [key, d] : domain_rows.kept)
        if (key.first == tenant && lower(d.what.suffix) == lower(s))
          return cb(d);
    cb(fail(problem::not_found));
  }

  void create_token(activation_token token, std::string hash, answer<nothing> cb) override {
    tokens[hash] = std::move(token);
    cb(nothing{});
  }
  void list_tokens(tenant_key, page_wish, answer<page_of<activation_token>> cb) override {
    cb(page_of<activation_token>{});
  }
  void remove_token(tenant_key, uuid, answer<nothing> cb) override { cb(nothing{}); }
  void find_token(std::string hash, answer<activation_token> cb) override {
    auto at = tokens.find(hash);
    if (at == tokens.end())
      return cb(fail(problem::not_found));
    cb(at->second);
  }
  void use_token(std::string hash, device_id device, answer<activation_token> cb) override {
    auto at = tokens.find(hash);
    if (at == tokens.end() || at->second.used != 0)
      return cb(fail(problem::cancelled));
    if (at->second.expires <= clock_.now())
      return cb(fail(problem::expired));
    if (at->second.device && *at->second.device != device)
      return cb(fail(problem::forbidden));
    at->second.used = clock_.now();
    at->second.used_by = device;
    if (on_use)
      on_use();
    cb(at->second);
  }

  void begin_activation(activation_note note, std::chrono::milliseconds quiet,
                        answer<nothing> cb) override {
    auto& row = activations[to_string(note.row.device)];
    if (row.state == activation_state::running && !row.id.is_nil() && row.id != note.row.id &&
        row.updated + quiet.count() > clock_.now())
      return cb(fail(problem::busy));
    row = note.row;
    row.state = activation_state::running;
    published += note.publish.size();
    cb(nothing{});
  }
  void note_activation(activation_note note, answer<nothing> cb) override {
    auto& row = activations[to_string(note.row.device)];
    if (lose_after > 0 && --lose_after == 0)
      lost = true;
    if (lost)
      return cb(fail(problem::not_found));
    if (row.id != note.row.id)
      return cb(fail(problem::stale_epoch));
    row = note.row;
    notes.push_back(note.row);
    published += note.publish.size();
    if (slow_ends && row.state != activation_state::running)
      return ends.push_back(std::move(cb));
    cb(nothing{});
  }
  void get_activation(device_ref device, answer<activation_row> cb) override {
    cb(activations[to_string(device)]);
  }
  void list_activations(tenant_key, page_wish, answer<page_of<activation_row>> cb) override {
    cb(page_of<activation_row>{});
  }
  void expiring_domains(time_ms until,
                        answer<std::vector<std::pair<tenant_key, domain>>> cb) override {
    if (away)
      return cb(fail(problem::store_unavailable));
    std::vector<std::pair<tenant_key, domain>> out;
    for (const auto& [key, row] : domain_rows.kept)
      if (row.what.expires > 0 && row.what.expires < until)
        out.emplace_back(key.first, row.what);
    cb(out);
  }
  void notice_expiry(tenant_key tenant, std::string name, time_ms expires, int days,
                     answer<bool> cb) override {
    const auto* found = domain_rows.find(tenant, name);
    auto& told = noticed[tenant + "/" + lower(name)];
    const bool fresh = found != nullptr && found->what.expires == expires &&
                       (told.first != expires || told.second > days);
    if (fresh)
      told = {expires, days};
    cb(fresh);
  }

  memory_rows<profile> profile_rows;
  memory_rows<cira_config> cira_rows;
  memory_rows<wireless_config> wifi_rows;
  memory_rows<ieee8021x_config> eap_rows;
  memory_rows<proxy_config> proxy_rows;
  memory_rows<domain> domain_rows;
  std::map<std::string, activation_token> tokens;
  std::function<void()> on_use; ///< what happens while a token is used up
  std::map<std::string, activation_row> activations;
  std::vector<activation_row> notes;
  bool slow_ends = false;            ///< the end of an activation is stored when the test says so
  std::vector<answer<nothing>> ends; ///< who waits for it
  std::size_t published = 0;
  int lose_after = 0; ///< after so many notes the registration is gone; 0: never
  bool lost = false;
  std::map<std::string, std::pair<time_ms, int>> noticed; ///< end and days, by "acme/domain"
  bool away = false;                                      ///< what ends is not told

private:
  clock_port& clock_;
};

} // namespace outband::testing
