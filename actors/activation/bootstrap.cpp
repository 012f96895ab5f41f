#include "actors/activation/bootstrap.hpp"

#include "actors/activation/passwords.hpp"
#include "messages/bus/envelope.hpp"
#include "messages/bus/platform.hpp"
#include "messages/bus/topics.hpp"
#include "messages/rest/json.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <exception>
#include <utility>

namespace outband::activation {

namespace {

bool is_ipv4(const std::string& text) {
  return !text.empty() && std::count(text.begin(), text.end(), '.') == 3 &&
         text.find_first_not_of("0123456789.") == std::string::npos;
}

} // namespace

cira_config home_config(const tenant_key& tenant, const home_address& home) {
  cira_config c;
  c.name = tenant;
  c.server = home.server;
  c.format = is_ipv4(home.server)                         ? address_format::ipv4
             : home.server.find(':') != std::string::npos ? address_format::ipv6
                                                          : address_format::fqdn;
  c.port = home.port;
  c.username = home.username;
  // Firmware compares the certificate's name with this where it was told an address.
  c.common_name = home.server;
  c.auth_method = 2;
  c.root_certificate = home.root_certificate;
  c.ours = true;
  return c;
}

profile default_profile(const tenant_key& tenant, activation_kind kind, bool one_password) {
  const bool admin = kind == activation_kind::admin_mode;
  profile p;
  p.name = tenant + (admin ? "_acm" : "_ccm");
  p.activation = kind;
  p.random_amt_password = !one_password;
  p.random_mebx_password = admin && !one_password;
  p.cira_config = tenant;
  p.dhcp = true;
  p.ip_sync = false;
  p.tls_authority = "SelfSigned";
  p.consent = admin ? consent_rule::none : consent_rule::all;
  p.kvm = true;
  p.sol = true;
  return p;
}

bootstrap::bootstrap(const services& with, home_address home,
                     std::function<std::string(std::size_t)> random)
    : with_(with), home_(std::move(home)), random_(std::move(random)) {}

bootstrap::~bootstrap() {
  stop();
}

void bootstrap::start() {
  if (gate_->closed())
    gate_ = std::make_shared<gate>();
  subscriptions_.push_back(with_.internal.subscribe(
      bus::controller_wake_topic(), {}, [this, open = gate_](const bus::message& m) {
        auto inside = open->enter();
        if (!inside)
          return;
        auto decoded = bus::decode_wake(*m.payload, bus::encoding::msgpack);
        if (decoded && decoded->body.what == "tenant")
          want(decoded->body.device.tenant);
      }));
  all();
}

void bootstrap::stop() {
  subscriptions_.clear();
  gate_->close();
  std::lock_guard lock(mutex_);
  waiting_.clear();
  busy_ = false;
}

void bootstrap::all() {
  with_.store.list_tenants([this, open = gate_](result<std::vector<tenant_row>> tenants) {
    auto inside = open->enter();
    if (!inside)
      return;
    if (!tenants)
      return spdlog::warn("tenants were not looked at: {}", to_string(tenants.error()));
    for (const auto& t : *tenants)
      want(t.key);
  });
}

void bootstrap::want(const tenant_key& tenant) {
  if (!valid_tenant_key(tenant))
    return;
  {
    std::lock_guard lock(mutex_);
    if (std::find(waiting_.begin(), waiting_.end(), tenant) == waiting_.end())
      waiting_.push_back(tenant);
    if (busy_)
      return;
    busy_ = true;
  }
  next();
}

void bootstrap::next() {
  tenant_key tenant;
  {
    std::lock_guard lock(mutex_);
    if (waiting_.empty()) {
      busy_ = false;
      return;
    }
    tenant = std::move(waiting_.front());
    waiting_.pop_front();
  }
  prepare(tenant);
}

void bootstrap::prepare(const tenant_key& tenant) {
  with_.provisioning->cira_configs().get(
      tenant, tenant, [this, open = gate_, tenant](result<stored<cira_config>> found) {
        auto inside = open->enter();
        if (!inside)
          return;
        if (!found) {
          if (found.error().what == problem::not_found)
            return make(tenant);
          spdlog::warn("tenant={} not prepared: {}", tenant, to_string(found.error()));
          return next();
        }
        auto wanted = home_config(tenant, home_);
        if (!found->what.ours || same_site(found->what, wanted))
          return next();
        // A renamed site or another root: whoever is activated from now on is told the new one.
        wanted.version = found->what.version;
        wanted.username = found->what.username;
        wanted.proxy_details = found->what.proxy_details;
        with_.provisioning->cira_configs().update(
            tenant, wanted, {}, [this, open, tenant](result<cira_config> changed) {
              if (auto still = open->enter()) {
                tell(tenant, "cira-config.update", tenant,
                     changed ? success() : status(changed.error()));
                next();
              }
            });
      });
}

void bootstrap::make(const tenant_key& tenant) {
  with_.provisioning->cira_configs().create(
      tenant, home_config(tenant, home_), {},
      [this, open = gate_, tenant](result<cira_config> made) {
        auto inside = open->enter();
        if (!inside)
          return;
        tell(tenant, "cira-config.add", tenant, made ? success() : status(made.error()));
        if (!made)
          return next();
        secret_text password;
        if (home_.one_password_per_tenant)
          try {
            password = make_password(random_);
          } catch (const std::exception& e) {
            spdlog::error("tenant={} has no profiles: {}", tenant, e.what());
            return next();
          }
        make_profile(tenant, activation_kind::client_mode, password, [this, tenant, password] {
          make_profile(tenant, activation_kind::admin_mode, password, [this] { next(); });
        });
      });
}

void bootstrap::make_profile(const tenant_key& tenant, activation_kind kind,
                             const secret_text& password, std::function<void()> then) {
  auto p = default_profile(tenant, kind, home_.one_password_per_tenant);
  sealed_fields fields;
  if (home_.one_password_per_tenant) {
    for (const char* field : {"amt_password", "mebx_password"}) {
      if (kind == activation_kind::client_mode && field == std::string_view("mebx_password"))
        continue;
      auto sealed = with_.secrets.seal_named(
          tenant, secret_label(object_kind::profile, p.name, field), password.reveal());
      if (!sealed) {
        tell(tenant, "profile.add", p.name, sealed.error());
        return then();
      }
      fields[field] = std::move(*sealed);
    }
  }
  const auto called = p.name;
  with_.provisioning->profiles().create(
      tenant, std::move(p), std::move(fields),
      [this, open = gate_, tenant, called, then = std::move(then)](result<profile> made) {
        auto inside = open->enter();
        if (!inside)
          return;
        // One of that name from before is somebody's own.
        if (made || made.error().what != problem::already_exists)
          tell(tenant, "profile.add", called, made ? success() : status(made.error()));
        then();
      });
}

void bootstrap::tell(const tenant_key& tenant, const std::string& act, const std::string& called,
                     const status& outcome) {
  if (!outcome)
    spdlog::warn("tenant={} {} '{}': {}", tenant, act, called, to_string(outcome.error()));
  if (with_.audit == nullptr)
    return;
  audit_entry e;
  e.tenant = tenant;
  e.act = act;
  e.by = "inst/" + with_.node;
  e.channel = "bootstrap";
  e.argument = json::dump(json::object{{"name", called}});
  with_.audit->record({std::move(e)}, outcome ? audit_outcome{}
                                              : outcome_of(audit_status::failed, outcome.error()));
}

} // namespace outband::activation
