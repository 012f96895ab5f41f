/// provisioning_port in memory, with the rules of the real one (actors/store/provisioning_*.cpp):
/// names without regard to case, versions, references, secrets beside their object.
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

inline failure rows_away() {
  return fail(problem::store_unavailable);
}

template <class T> class fake_rows final : public object_rows<T> {
public:
  explicit fake_rows(const bool& away, const char* name_field)
      : away_(away), name_field_(name_field) {}

  std::map<std::pair<tenant_key, std::string>, stored<T>> kept;
  /// Which field names something that does not exist or is taken.
  std::function<std::optional<failure>(const tenant_key&, const T&)> wrong;
  /// The kind of what refers to it; empty: nothing.
  std::function<std::string(const tenant_key&, const std::string&)> user;

  const stored<T>* find(const tenant_key& tenant, const std::string& name) const {
    auto at = kept.find({tenant, lower(name)});
    return at == kept.end() ? nullptr : &at->second;
  }
  void list(tenant_key tenant, page_wish page, answer<page_of<T>> cb) override {
    if (away_)
      return cb(rows_away());
    page_of<T> out;
    for (const auto& [key, one] : kept) {
      if (key.first != tenant)
        continue;
      if (out.total++ >= page.skip && out.rows.size() < page.top)
        out.rows.push_back(one.what);
    }
    cb(std::move(out));
  }
  void get(tenant_key tenant, std::string name, answer<stored<T>> cb) override {
    if (away_)
      return cb(rows_away());
    const auto* found = find(tenant, name);
    found ? cb(*found) : cb(missing());
  }
  void create(tenant_key tenant, T what, sealed_fields secrets, answer<T> cb) override {
    if (away_)
      return cb(rows_away());
    if (find(tenant, what.name))
      return cb(fail(problem::already_exists, {}, name_field_));
    if (wrong)
      if (auto why = wrong(tenant, what))
        return cb(*why);
    put(tenant, what, secrets);
    cb(find(tenant, what.name)->what);
  }
  void update(tenant_key tenant, T what, sealed_fields secrets, answer<T> cb) override {
    if (away_)
      return cb(rows_away());
    const auto* old = find(tenant, what.name);
    if (!old)
      return cb(missing());
    if constexpr (!std::is_same_v<T, proxy_config>)
      if (old->what.version != what.version)
        return cb(fail(problem::revision_conflict, {}, "version"));
    if (wrong)
      if (auto why = wrong(tenant, what))
        return cb(*why);
    put(tenant, what, secrets);
    cb(find(tenant, what.name)->what);
  }
  void remove(tenant_key tenant, std::string name, answer<nothing> cb) override {
    if (away_)
      return cb(rows_away());
    if (!find(tenant, name))
      return cb(missing());
    if (user)
      if (auto by = user(tenant, lower(name)); !by.empty())
        return cb(fail(problem::transition_refused, {}, by));
    kept.erase({tenant, lower(name)});
    cb(nothing{});
  }

private:
  failure missing() const { return fail(problem::not_found, {}, name_field_); }
  void put(const tenant_key& tenant, T what, const sealed_fields& secrets) {
    if constexpr (!std::is_same_v<T, proxy_config>)
      what.version = ++last_version_;
    auto& row = kept[{tenant, lower(what.name)}];
    row.what = std::move(what);
    for (const auto& [field, text] : secrets)
      if (text.empty())
        row.secrets.erase(field);
      else
        row.secrets[field] = text;
  }
  const bool& away_;
  std::string name_field_;
  row_version last_version_ = 100;
};

class fake_provisioning final : public provisioning_port {
public:
  explicit fake_provisioning(const bool& is_away)
      : away(is_away), profile_rows(is_away, "profileName"), cira_rows(is_away, "configName"),
        wifi_rows(is_away, "profileName"), eap_rows(is_away, "profileName"),
        proxy_rows(is_away, "name"), domain_rows(is_away, "profileName") {
    profile_rows.wrong = [this](const tenant_key& t, const profile& p) {
      return missing(t, p);
    };
    wifi_rows.wrong = [this](const tenant_key& t, const wireless_config& w) {
      return eap(t, w.ieee8021x, false);
    };
    eap_rows.wrong = [this](const tenant_key& t,
                            const ieee8021x_config& i) -> std::optional<failure> {
      const auto* old = eap_rows.find(t, i.name);
      if (old && old->what.wired != i.wired && !eap_user(t, lower(i.name)).empty())
        return fail(problem::transition_refused, {}, "wiredInterface");
      return std::nullopt;
    };
    domain_rows.wrong = [this](const tenant_key& t, const domain& d) -> std::optional<failure> {
      for (const auto& [key, one] : domain_rows.kept)
        if (key.first == t && key.second != lower(d.name) && same_text(one.what.suffix, d.suffix))
          return fail(problem::already_exists, {}, "domainSuffix");
      return std::nullopt;
    };
    cira_rows.user = [this](const tenant_key& t, const std::string& name) {
      return used(t, [&](const profile& p) { return same(p.cira_config, name); });
    };
    wifi_rows.user = [this](const tenant_key& t, const std::string& name) {
      return used(t, [&](const profile& p) { return among(p.wifi, name); });
    };
    proxy_rows.user = [this](const tenant_key& t, const std::string& name) {
      return used(t, [&](const profile& p) { return among(p.proxies, name); });
    };
    eap_rows.user = [this](const tenant_key& t, const std::string& name) {
      return eap_user(t, name);
    };
  }

  object_rows<profile>& profiles() override { return profile_rows; }
  object_rows<cira_config>& cira_configs() override { return cira_rows; }
  object_rows<wireless_config>& wireless_configs() override { return wifi_rows; }
  object_rows<ieee8021x_config>& ieee8021x_configs() override { return eap_rows; }
  object_rows<proxy_config>& proxy_configs() override { return proxy_rows; }
  object_rows<domain>& domains() override { return domain_rows; }

  void resolve(tenant_key tenant, std::string name, answer<resolved_profile> cb) override {
    if (away)
      return cb(rows_away());
    const auto* p = profile_rows.find(tenant, name);
    if (!p)
      return cb(fail(problem::not_found, {}, "profileName"));
    resolved_profile out;
    out.base = *p;
    if (p->what.cira_config)
      out.cira = *cira_rows.find(tenant, *p->what.cira_config);
    for (const auto& w : p->what.wifi)
      out.wifi.emplace_back(*wifi_rows.find(tenant, w.name), w.priority);
    for (const auto& x : p->what.proxies)
      out.proxies.emplace_back(proxy_rows.find(tenant, x.name)->what, x.priority);
    auto add = [&](const std::optional<std::string>& of) {
      if (of)
        out.ieee8021x[lower(*of)] = *eap_rows.find(tenant, *of);
    };
    add(p->what.ieee8021x);
    for (const auto& w : out.wifi)
      add(w.first.what.ieee8021x);
    cb(std::move(out));
  }

  void create_token(activation_token token, std::string hash, answer<nothing> cb) override {
    if (away)
      return cb(rows_away());
    tokens[hash] = std::move(token);
    cb(nothing{});
  }
  void list_tokens(tenant_key tenant, page_wish page,
                   answer<page_of<activation_token>> cb) override {
    if (away)
      return cb(rows_away());
    page_of<activation_token> out;
    for (const auto& [hash, t] : tokens)
      if (t.tenant == tenant && out.total++ >= page.skip && out.rows.size() < page.top)
        out.rows.push_back(t);
    cb(std::move(out));
  }
  void remove_token(tenant_key tenant, uuid id, answer<nothing> cb) override {
    if (away)
      return cb(rows_away());
    for (auto at = tokens.begin(); at != tokens.end(); ++at)
      if (at->second.tenant == tenant && at->second.id == id) {
        tokens.erase(at);
        return cb(nothing{});
      }
    cb(fail(problem::not_found));
  }
  void get_activation(device_ref device, answer<activation_row> cb) override {
    if (away)
      return cb(rows_away());
    auto at = activations.find(to_string(device));
    at == activations.end() ? cb(fail(problem::not_found)) : cb(at->second);
  }
  void list_activations(tenant_key tenant, page_wish page,
                        answer<page_of<activation_row>> cb) override {
    if (away)
      return cb(rows_away());
    page_of<activation_row> out;
    for (const auto& [key, a] : activations)
      if (a.device.tenant == tenant && out.total++ >= page.skip && out.rows.size() < page.top)
        out.rows.push_back(a);
    cb(std::move(out));
  }

  // REST never calls these.
  void find_domain(tenant_key, std::vector<std::string>, answer<stored<domain>> cb) override {
    cb(fail(problem::internal));
  }
  void find_token(std::string, answer<activation_token> cb) override {
    cb(fail(problem::internal));
  }
  void use_token(std::string, device_id, answer<activation_token> cb) override {
    cb(fail(problem::internal));
  }
  void begin_activation(activation_note, std::chrono::milliseconds, answer<nothing> cb) override {
    cb(fail(problem::internal));
  }
  void note_activation(activation_note, answer<nothing> cb) override {
    cb(fail(problem::internal));
  }
  void expiring_domains(time_ms, answer<std::vector<std::pair<tenant_key, domain>>> cb) override {
    cb(fail(problem::internal));
  }

  void notice_expiry(tenant_key, std::string, time_ms, int, answer<bool> cb) override {
    cb(fail(problem::internal));
  }

  const bool& away;
  fake_rows<profile> profile_rows;
  fake_rows<cira_config> cira_rows;
  fake_rows<wireless_config> wifi_rows;
  fake_rows<ieee8021x_config> eap_rows;
  fake_rows<proxy_config> proxy_rows;
  fake_rows<domain> domain_rows;
  std::map<std::string, activation_token> tokens;    ///< by hash
  std::map<std::string, activation_row> activations; ///< by "acme/<guid>"

private:
  static bool same(const std::optional<std::string>& a, const std::string& key) {
    return a && lower(*a) == key;
  }
  static bool among(const std::vector<ranked_name>& all, const std::string& key) {
    return std::any_of(all.begin(), all.end(),
                       [&](const ranked_name& r) { return lower(r.name) == key; });
  }
  template <class F> std::string used(const tenant_key& t, F by) const {
    for (const auto& [key, p] : profile_rows.kept)
      if (key.first == t && by(p.what))
        return "profile";
    return {};
  }
  std::string eap_user(const tenant_key& t, const std::string& name) const {
    for (const auto& [key, w] : wifi_rows.kept)
      if (key.first == t && same(w.what.ieee8021x, name))
        return "wireless-config";
    return used(t, [&](const profile& p) { return same(p.ieee8021x, name); });
  }
  std::optional<failure> eap(const tenant_key& t, const std::optional<std::string>& name,
                             bool wired) const {
    const auto* found = name ? eap_rows.find(t, *name) : nullptr;
    if (name && (!found || found->what.wired != wired))
      return fail(problem::not_found, {}, "ieee8021xProfileName");
    return std::nullopt;
  }
  std::optional<failure> missing(const tenant_key& t, const profile& p) const {
    if (p.cira_config && !cira_rows.find(t, *p.cira_config))
      return fail(problem::not_found, {}, "ciraConfigName");
    for (const auto& w : p.wifi)
      if (!wifi_rows.find(t, w.name))
        return fail(problem::not_found, {}, "wifiConfigs");
    for (const auto& x : p.proxies)
      if (!proxy_rows.find(t, x.name))
        return fail(problem::not_found, {}, "proxyConfigs");
    return eap(t, p.ieee8021x, true);
  }
};

} // namespace outband::testing
