// What a controller may set of a machine's activation: see control.hpp.
#include "messages/domain/text.hpp"
#include "tools/amtsim/account_state.hpp"
#include "tools/amtsim/activation_state.hpp"
#include "tools/amtsim/provisioning_chain.hpp"
#include "tools/amtsim/wish_reader.hpp"

#include <optional>
#include <utility>

namespace outband::amtsim {

namespace {

void add_flag(wish_reader& r, const char* name, bool activation_state::*member,
              std::vector<wish>& to) {
  if (r.has(name))
    to.emplace_back([on = r.flag(name), member](device_model& d, sim_time) {
      d.activation.change().*member = on;
    });
}

void add_text(wish_reader& r, const char* name,
              std::optional<std::string> activation_state::*member, std::vector<wish>& to) {
  if (r.has(name))
    to.emplace_back([text = r.text(name), member](device_model& d, sim_time) {
      d.activation.change().*member = text;
    });
}

std::string from_hex(const std::string& digits) {
  std::string out;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
    const int hi = hex_digit(digits[i]);
    const int lo = hex_digit(digits[i + 1]);
    if (hi < 0 || lo < 0)
      return {};
    out += static_cast<char>(hi << 4 | lo);
  }
  return out;
}

/// {"name", "pem" or "hash", "active", "default"}: one root; by PEM it has two entries.
std::vector<trusted_hash> root_of(const json& one, std::string& why) {
  if (!one.is_object()) {
    why = "an entry of 'hashes' is no object";
    return {};
  }
  wish_reader r(one, why);
  const auto name = r.text("name");
  const bool active = !r.has("active") || r.flag("active");
  const bool is_default = r.flag("default");
  std::vector<trusted_hash> out;
  if (one.contains("pem")) {
    const auto pem = one["pem"].is_string() ? one["pem"].get<std::string>() : std::string{};
    const auto der = pem.size() > 16384 ? std::string{} : der_from_pem(pem);
    const auto entries = der.empty() ? std::nullopt : entries_of(der);
    if (!entries)
      r.complain("'hashes.pem' must be a certificate in PEM");
    else
      out = *entries;
  } else {
    const auto hash = from_hex(r.text("hash"));
    const auto a = hash.size() == 20   ? hash_algorithm::sha1
                   : hash.size() == 32 ? hash_algorithm::sha256
                                       : hash_algorithm::sha384;
    if (hash.size() != octets_of(a))
      r.complain("'hashes.hash' must be 40, 64 or 96 hexadecimal digits");
    out.push_back({0, name, is_default, active, a, hash});
  }
  for (auto& h : out) {
    h.is_default = is_default;
    h.active = active;
    if (!name.empty())
      h.name = name;
  }
  return out;
}

/// Replaces the list.
void add_hashes(wish_reader& r, std::vector<wish>& to) {
  if (!r.has("hashes"))
    return;
  const auto& list = r.all()["hashes"];
  if (!list.is_array() || list.size() > max_trusted_hashes)
    return r.complain("'hashes' must be an array of at most " + std::to_string(max_trusted_hashes));
  std::vector<trusted_hash> all;
  for (const auto& one : list) {
    std::string why;
    const auto entries = root_of(one, why);
    if (!why.empty())
      return r.complain(why);
    all.insert(all.end(), entries.begin(), entries.end());
  }
  if (all.size() > max_trusted_hashes)
    return r.complain("'hashes' has more entries than a machine can hold");
  for (std::size_t i = 0; i < all.size(); ++i)
    all[i].handle = static_cast<std::uint32_t>(i);
  to.emplace_back(
      [all = std::move(all)](device_model& d, sim_time) { d.activation.change().hashes = all; });
}

/// {"name", "active"}: every entry of that name.
void add_hash_switch(wish_reader& r, std::vector<wish>& to) {
  if (!r.has("hash_active"))
    return;
  const auto& one = r.all()["hash_active"];
  if (!one.is_object())
    return r.complain("'hash_active' must be an object with 'name' and 'active'");
  std::string why;
  wish_reader s(one, why);
  const auto name = s.text("name");
  const bool active = s.flag("active");
  if (!why.empty())
    return r.complain(why);
  to.emplace_back([name, active](device_model& d, sim_time) {
    for (auto& h : change_trusted_hashes(d))
      if (h.name == name)
        h.active = active;
  });
}

} // namespace

void add_setup_wishes(wish_reader& r, std::vector<wish>& to) {
  if (r.has("factory") && r.flag("factory"))
    to.emplace_back([](device_model& d, sim_time) { d.unprovision(); });
  add_flag(r, "wired_link", &activation_state::wired_link, to);
  add_flag(r, "amt_enabled", &activation_state::amt_enabled, to);
  add_flag(r, "may_be_enabled", &activation_state::may_be_enabled, to);
  add_flag(r, "host_based", &activation_state::host_based, to);
  add_text(r, "pki_suffix", &activation_state::pki_suffix, to);
  add_text(r, "dhcp_suffix", &activation_state::dhcp_suffix, to);
  if (r.has("tls_enforced"))
    to.emplace_back([on = r.flag("tls_enforced")](device_model& d, sim_time) {
      d.activation.change().tls_enforced = on;
    });
  if (r.has("account_lock_ms"))
    to.emplace_back([ms = r.number("account_lock_ms", 0, 0, 3600000)](device_model& d, sim_time) {
      d.activation.change().lock = sim_time{ms};
    });
  if (r.has("admin_password"))
    to.emplace_back([password = r.text("admin_password")](device_model& d, sim_time) {
      set_admin_password(d, password);
    });
  add_hashes(r, to);
  add_hash_switch(r, to);
}

} // namespace outband::amtsim
