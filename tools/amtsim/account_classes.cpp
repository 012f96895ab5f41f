#include "messages/http/digest.hpp"
#include "tools/amtsim/account_state.hpp"
#include "tools/amtsim/classes.hpp"
#include "tools/amtsim/kept_members.hpp"
#include "tools/amtsim/local_interface.hpp"
#include "tools/amtsim/status.hpp"

#include <algorithm>

namespace outband::amtsim {

namespace {

std::string admin_name(const device_model& d) {
  const auto& name = d.accounts->admin_name;
  return name.empty() ? d.who().amt_user : name;
}

std::string admin_secret(const device_model& d) {
  const auto& a = *d.accounts;
  return a.admin_ha1.empty()
             ? http::digest_ha1(d.who().amt_user, d.who().realm, d.who().amt_password)
             : a.admin_ha1;
}

bool is_reading(std::string_view verb) {
  return verb == "Get" || verb == "Enumerate" || verb == "Pull" ||
         verb == "GetLowAccuracyTimeSynch" || verb == "GetUuid";
}

} // namespace

std::string secret_of(const device_model& d, std::string_view user, origin from) {
  if (user == local_user) {
    if (from != origin::local)
      return {};
    const auto account = local_system_account(d);
    return http::digest_ha1(account.user, d.who().realm, account.password);
  }
  if (d.control_mode == 0)
    return {};
  if (user == admin_name(d))
    return admin_secret(d);
  for (const auto& u : d.accounts->users)
    if (u.name == user && u.enabled && u.permission != (from == origin::network ? 0U : 1U))
      return u.ha1;
  return {};
}

bool is_permitted(const device_model& d, const caller& who, std::string_view class_name,
                  std::string_view verb) {
  if (is_reading(verb) || verb.empty())
    return true;
  if (d.control_mode != 0)
    return who.user != local_user;
  // A guess for the clock; the others are what rpc and RPS do with a new machine.
  return class_name == "IPS_HostBasedSetupService" ||
         class_name == "AMT_SetupAndConfigurationService" ||
         class_name == "AMT_AuthorizationService" || class_name == "AMT_TimeSynchronizationService";
}

bool is_admin_password(const device_model& d, std::string_view password) {
  return d.control_mode != 0 &&
         admin_secret(d) == http::digest_ha1(admin_name(d), d.who().realm, password);
}

void set_admin_password(device_model& d, std::string_view password) {
  const auto name = admin_name(d);
  d.accounts.change().admin_ha1 = http::digest_ha1(name, d.who().realm, password);
}

namespace {

constexpr std::uint32_t not_permitted = 16;
constexpr std::uint32_t audit_added = 2;
constexpr std::uint32_t audit_modified = 3;
constexpr std::uint32_t audit_removed = 4;

/// A digest user in the audit log's data: type 0, length, name.
std::string audited_name(const std::string& name) {
  return std::string(1, '\0') + static_cast<char>(name.size()) + name;
}

/// 16 octets of MD5 in base64 -> 32 hex digits.
std::optional<std::string> secret_of(const wsman::node& input) {
  const auto octets = from_base64(input.child_text("DigestPassword"));
  if (!octets || octets->size() != 16)
    return std::nullopt;
  static constexpr std::string_view hex = "0123456789abcdef";
  std::string out;
  for (const char c : *octets) {
    out += hex[static_cast<std::uint8_t>(c) >> 4U];
    out += hex[static_cast<std::uint8_t>(c) & 15U];
  }
  return out;
}

instances authorization(const device_model&) {
  return {with(service("AMT_AuthorizationService", "Intel(r) AMT Authorization Service"),
               {{"AllowHttpQopAuthOnly", "1"}, {"EnabledState", "5"}, {"RequestedState", "12"}})};
}

outcome set_admin(const wsman::node& input, context& c) {
  std::string name;
  if (input.child("Username") == nullptr || !take(input, "Username", name, 32))
    return soap_fault::schema_validation_error;
  const auto secret = secret_of(input);
  if (name.empty() || !secret)
    return status::invalid_parameter;
  if (c.device.control_mode == 0) {
    if (!c.device.activation->secure)
      return not_permitted;
    c.device.activation.change().pending_admin_ha1 = *secret; // until it is committed
    return status::success;
  }
  auto& a = c.device.accounts.change();
  a.admin_name = name;
  a.admin_ha1 = *secret;
  ++c.device.activation.change().counts.admin_passwords;
  record_audit(c, 16, audit_modified, '\2' + audited_name(name));
  outcome out(status::success);
  out.cut = c.faults.take(fault_kind::password_unanswered).has_value();
  return out;
}

outcome get_admin(const wsman::node&, context& c) {
  const auto& name = c.device.accounts->admin_name;
  return {0, {{"Username", name.empty() ? c.device.who().amt_user : name}}};
}

outcome is_default(const wsman::node&, context&) {
  return {0, {{"IsDefault", "false"}}};
}

outcome enumerate(const wsman::node& input, context& c) {
  std::uint32_t start = 1;
  if (!take(input, "StartIndex", start))
    return soap_fault::schema_validation_error;
  const auto& all = c.device.accounts->users;
  if (start == 0 || start > all.size())
    return {35, {{"TotalCount", std::to_string(all.size())}, {"HandlesCount", "0"}}};
  outcome out{0,
              {{"TotalCount", std::to_string(all.size())},
               {"HandlesCount", std::to_string(all.size() - (start - 1))}}};
  for (std::size_t i = start - 1; i < all.size(); ++i)
    out.out.push_back({"Handles", text(all[i].handle)});
  return out;
}

/// The entry that `Handle` means; nullptr if there is none.
user_entry* find(const wsman::node& input, context& c) {
  const auto handle = wsman::to_number(input.child_text("Handle"));
  if (!handle)
    return nullptr;
  for (const auto& u : c.device.accounts->users)
    if (u.handle == *handle)
      return &c.device.accounts.change()
                  .users[static_cast<std::size_t>(&u - c.device.accounts->users.data())];
  return nullptr;
}

outcome get_user(const wsman::node& input, context& c) {
  const auto* u = find(input, c);
  if (u == nullptr)
    return status::invalid_handle;
  outcome out{0, {{"DigestUsername", u->name}, {"AccessPermission", text(u->permission)}}};
  for (const auto r : u->realms)
    out.out.push_back({"Realms", text(r)});
  return out;
}

/// What Add and Update have in common. False: something does not fit.
bool take_entry(const wsman::node& input, user_entry& into) {
  if (!take(input, "DigestUsername", into.name, 16) || into.name.empty() ||
      !take(input, "AccessPermission", into.permission, 2))
    return false;
  if (input.child("DigestPassword") != nullptr) {
    const auto secret = secret_of(input);
    if (!secret)
      return false;
    into.ha1 = *secret;
  }
  std::vector<std::uint32_t> realms;
  for (const auto& n : input.children)
    if (n.name == "Realms") {
      const auto realm = wsman::to_number(n.value());
      if (!realm || *realm < 2 || *realm > 24)
        return false;
      realms.push_back(*realm);
    }
  if (!realms.empty())
    into.realms = std::move(realms);
  return true;
}

outcome add_user(const wsman::node& input, context& c) {
  user_entry next;
  if (!take_entry(input, next) || next.ha1.empty())
    return status::invalid_parameter;
  const auto& have = c.device.accounts->users;
  if (std::any_of(have.begin(), have.end(),
                  [&](const user_entry& u) { return u.name == next.name; }))
    return status::duplicate;
  if (have.size() == max_users)
    return status::max_limit_reached;
  for (const auto& u : have)
    next.handle = std::max(next.handle, u.handle);
  ++next.handle;
  record_audit(c, 16, audit_added, audited_name(next.name));
  c.device.accounts.change().users.push_back(next);
  return {0, {{"Handle", text(next.handle)}}};
}

outcome update_user(const wsman::node& input, context& c) {
  auto* u = find(input, c);
  if (u == nullptr)
    return status::invalid_handle;
  auto next = *u;
  if (!take_entry(input, next))
    return status::invalid_parameter;
  *u = next;
  record_audit(c, 16, audit_modified, '\2' + audited_name(next.name));
  return status::success;
}

outcome remove_user(const wsman::node& input, context& c) {
  const auto* u = find(input, c);
  if (u == nullptr)
    return status::invalid_handle;
  const auto name = u->name;
  auto& all = c.device.accounts.change().users;
  all.erase(all.begin() + (u - all.data()));
  record_audit(c, 16, audit_removed, audited_name(name));
  return status::success;
}

outcome get_enabled(const wsman::node& input, context& c) {
  const auto* u = find(input, c);
  if (u == nullptr)
    return status::invalid_handle;
  return {0, {{"Enabled", text(u->enabled)}}};
}

outcome set_enabled(const wsman::node& input, context& c) {
  auto* u = find(input, c);
  if (u == nullptr)
    return status::invalid_handle;
  bool on = u->enabled;
  if (input.child("Enabled") == nullptr || !take(input, "Enabled", on))
    return soap_fault::schema_validation_error;
  u->enabled = on;
  record_audit(c, 16, 6, (on ? '\1' : '\0') + audited_name(u->name));
  return status::success;
}

template <class V, class T> void members(V& v, T& t) {
  v("admin_name", t.admin_name);
  v("admin_ha1", t.admin_ha1);
  v.list("users", t.users, [](auto& w, auto& u) {
    w("handle", u.handle);
    w("name", u.name);
    w("ha1", u.ha1);
    w("permission", u.permission);
    w("enabled", u.enabled);
  });
}

/// Realms as one text, which members() above leaves out.
void save(const device_model& d, kept_texts& to) {
  if (!d.accounts.changed())
    return;
  kept_writer w{to};
  members(w, *d.accounts);
  for (std::size_t i = 0; i < d.accounts->users.size(); ++i)
    for (const auto r : d.accounts->users[i].realms)
      to["realms." + std::to_string(i)] += text(r) + " ";
}

void load(const kept_texts& from, device_model& d) {
  if (from.empty())
    return;
  auto& a = d.accounts.change();
  kept_reader r{from};
  members(r, a);
  for (std::size_t i = 0; i < a.users.size(); ++i) {
    const auto list = from.find("realms." + std::to_string(i));
    a.users[i].realms.clear();
    std::string_view rest = list == from.end() ? std::string_view{} : list->second;
    while (!rest.empty()) {
      const auto end = std::min(rest.find(' '), rest.size());
      if (const auto realm = wsman::to_number(rest.substr(0, end)))
        a.users[i].realms.push_back(*realm);
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }
}

} // namespace

class_table account_classes() {
  return {{{"AMT_AuthorizationService", authorization}},
          {{"AMT_AuthorizationService", "AddUserAclEntryEx", add_user},
           {"AMT_AuthorizationService", "EnumerateUserAclEntries", enumerate},
           {"AMT_AuthorizationService", "GetAclEnabledState", get_enabled},
           {"AMT_AuthorizationService", "GetAdminAclEntry", get_admin},
           {"AMT_AuthorizationService", "GetAdminAclEntryStatus", is_default},
           {"AMT_AuthorizationService", "GetAdminNetAclEntryStatus", is_default},
           {"AMT_AuthorizationService", "GetUserAclEntryEx", get_user},
           {"AMT_AuthorizationService", "RemoveUserAclEntry", remove_user},
           {"AMT_AuthorizationService", "SetAclEnabledState", set_enabled},
           {"AMT_AuthorizationService", "SetAdminAclEntryEx", set_admin},
           {"AMT_AuthorizationService", "UpdateUserAclEntryEx", update_user}},
          {},
          {{"accounts", save, load}}};
}

} // namespace outband::amtsim
