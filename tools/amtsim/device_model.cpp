#include "tools/amtsim/device_model.hpp"

#include "messages/http/digest.hpp"
#include "tools/amtsim/account_state.hpp"
#include "tools/amtsim/activation_state.hpp"
#include "tools/amtsim/alarm_state.hpp"
#include "tools/amtsim/certificate_state.hpp"
#include "tools/amtsim/cira_state.hpp"
#include "tools/amtsim/event_log_state.hpp"
#include "tools/amtsim/network_state.hpp"
#include "tools/amtsim/screen_state.hpp"
#include "tools/amtsim/setup_state.hpp"
#include "tools/amtsim/subscription_state.hpp"
#include "tools/amtsim/tls_state.hpp"
#include "tools/amtsim/wifi_state.hpp"

#include <algorithm>
#include <cstdio>
#include <utility>

namespace outband::amtsim {

namespace {

constexpr std::size_t max_nonces = 4;
constexpr std::size_t max_contexts = 8;

// PT_STATUS
constexpr std::uint32_t success = 0;
constexpr std::uint32_t not_ready = 2;
constexpr std::uint32_t invalid_parameter = 36;
constexpr std::uint32_t nobodys_return_value = 0x9999;

bool is_graceful(power_action a) {
  return a == power_action::off_soft_graceful || a == power_action::off_hard_graceful ||
         a == power_action::reset_graceful || a == power_action::cycle_soft_graceful ||
         a == power_action::cycle_hard_graceful;
}

/// Codes that firmware takes although it lists only their twin as available.
power_action listed_twin(power_action a) {
  switch (a) {
  case power_action::off_hard:
    return power_action::off_soft;
  case power_action::cycle_hard:
    return power_action::cycle_soft;
  case power_action::off_hard_graceful:
  case power_action::cycle_soft_graceful:
  case power_action::cycle_hard_graceful:
    return power_action::off_soft_graceful;
  case power_action::sleep_light:
    return power_action::sleep_deep;
  default:
    return a;
  }
}

/// A 32-bit counter printed little-endian, the rest zero, as firmware does.
std::string context_text(std::uint32_t id) {
  std::array<char, 40> text{};
  std::snprintf(text.data(), text.size(), "%02X%02X%02X%02X-0000-0000-0000-000000000000", id & 255U,
                id >> 8U & 255U, id >> 16U & 255U, id >> 24U);
  return text.data();
}

} // namespace

std::string_view to_string(cause c) {
  switch (c) {
  case cause::asked:
    return "asked";
  case cause::asked_gracefully:
    return "asked gracefully";
  case cause::button:
    return "power button";
  case cause::crash:
    return "by itself";
  case cause::alarm:
    return "alarm clock";
  }
  return {};
}

device_model::device_model(identity who, const settings* shared, std::uint64_t seed)
    : who_(std::move(who)), shared_(shared), seed_(seed), random_(seed) {
  if (!shared_->kind.ocr)
    feature.boot_service = 2; // firmware without OCR shows plain "enabled"
  if (shared_->factory)
    leave_factory(*this);
}

std::vector<int> device_model::available_states() const {
  switch (level_of(power_)) {
  case power_level::on:
    return {10, 8, 5, 11, 4, 7, 14, 12}; // as a captured AMT 12 lists them
  case power_level::sleep:
    return {2, 8, 5};
  case power_level::hibernate:
    return {2, 8};
  case power_level::off:
  case power_level::unknown:
    return {2};
  }
  return {2};
}

bool device_model::os_runs(sim_time now) const {
  return power_ == power_state::on && now >= os_ready_;
}

void device_model::plan(power_state to, sim_time after, sim_time asked, cause why, bool boots,
                        bool drops_link) {
  pending_.push_back({to, asked + after, asked, why, boots, drops_link});
}

std::uint32_t device_model::request_power(std::uint32_t state, fault_set& faults, sim_time now) {
  const auto action = state > 16 ? std::nullopt : power_action_from_code(static_cast<int>(state));
  if (!action)
    return invalid_parameter;
  const bool graceful = is_graceful(*action);
  if (faults.take(fault_kind::unknown_return_value))
    return nobodys_return_value;
  if (graceful && faults.take(fault_kind::refuse_graceful))
    return not_ready;
  const auto can = available_states();
  if (std::find(can.begin(), can.end(), static_cast<int>(listed_twin(*action))) == can.end())
    return not_ready;
  if (graceful && (!os_runs(now) || !pending_.empty()))
    return not_ready; // without the OS's agent nobody would carry it out
  if (faults.take(fault_kind::ignore_power) ||
      (graceful && faults.take(fault_kind::ignore_graceful)))
    return success;
  ++carried_out_[static_cast<int>(state)];
  begin_action(*action, graceful, now);
  return success;
}

void device_model::begin_action(power_action a, bool graceful, sim_time now) {
  const auto& t = shared_->times;
  const auto why = graceful ? cause::asked_gracefully : cause::asked;
  const auto first = t.power + (graceful ? t.os_shutdown : sim_time{0});
  pending_.clear(); // force overtakes what is under way
  switch (a) {
  case power_action::on:
    return plan(power_state::on, first, now, why, true, true);
  case power_action::off_hard:
  case power_action::off_soft:
  case power_action::off_soft_graceful:
  case power_action::off_hard_graceful:
    return plan(power_state::off_soft, first, now, why, false, true);
  case power_action::cycle_soft:
  case power_action::cycle_hard:
  case power_action::cycle_soft_graceful:
  case power_action::cycle_hard_graceful:
    // The tunnel goes once, and is back when the machine is on again or soon after.
    plan(power_state::off_soft, first, now, why, false, true);
    return plan(power_state::on, first + t.off_before_on, now, why, true, false);
  case power_action::reset:
  case power_action::reset_graceful:
    return plan(power_state::on, first, now, why, true, false);
  case power_action::sleep_light:
    return plan(power_state::sleep_light, first, now, why, false, true);
  case power_action::sleep_deep:
    return plan(power_state::sleep_deep, first, now, why, false, true);
  case power_action::hibernate:
    return plan(power_state::hibernate, first, now, why, false, true);
  case power_action::nmi:
    return; // the OS gets an interrupt; power stays
  }
}

void device_model::press_button(sim_time now) {
  pending_.clear();
  const auto& t = shared_->times;
  if (level_of(power_) != power_level::on)
    plan(power_state::on, t.power, now, cause::button, level_of(power_) != power_level::sleep,
         true);
  else
    plan(power_state::off_soft, t.power + t.os_shutdown, now, cause::button, false, true);
}

void device_model::crash(sim_time now) {
  if (level_of(power_) != power_level::on)
    return;
  pending_.clear();
  plan(power_state::on, sim_time{0}, now, cause::crash, true, true);
}

std::optional<sim_time> device_model::next_due() const {
  std::optional<sim_time> out;
  const auto sooner = [&out](sim_time t) {
    if (!out || t < *out)
      out = t;
  };
  if (!pending_.empty())
    sooner(pending_.front().due);
  if (consent.until.count() != 0)
    sooner(consent.until);
  if (network.changed() && network->link_preference_until.count() != 0)
    sooner(network->link_preference_until);
  if (alarms.changed())
    if (const auto next = alarms->next())
      sooner(std::max(when(*next), sim_time{1}));
  return out;
}

void device_model::consent_runs_out(sim_time now) {
  if (consent.until.count() == 0 || consent.until > now)
    return;
  if (consent_given())
    raise_alert(*this, {"iAMT0064", "2"}, clock_s(now)); // consent ended
  consent = {};
}

void device_model::ring_alarms(sim_time now) {
  if (!alarms.changed())
    return;
  const auto next = alarms->next();
  if (!next || when(*next) > now || !alarms.change().ring(clock_s(now)))
    return;
  if (level_of(power_) == power_level::on || !pending_.empty())
    return;
  plan(power_state::on, shared_->times.power, now, cause::alarm,
       level_of(power_) != power_level::sleep, true);
}

std::vector<power_change> device_model::advance(sim_time now) {
  std::vector<power_change> out;
  consent_runs_out(now);
  expire_link_preference(*this, now);
  ring_alarms(now);
  while (!pending_.empty() && pending_.front().due <= now) {
    const auto t = pending_.front();
    pending_.erase(pending_.begin());
    // Waking from sleep resumes the OS instead of booting.
    const bool boot_now = t.boot && level_of(power_) != power_level::sleep;
    out.push_back({power_, t.to, t.why, t.due - t.asked, boot_now, t.drops_link});
    power_ = t.to;
    os_power_saving = 2;
    if (boot_now) {
      ++boots_;
      os_ready_ = t.due + shared_->times.os_boot;
      consume_boot_options();
    }
    log_power_change(*this, out.back(), clock_s(now));
  }
  if (pending_.empty())
    std::vector<transition>{}.swap(pending_);
  return out;
}

/// Boot options last one boot.
void device_model::consume_boot_options() {
  last_boot = boot_source;
  const auto also = [this](bool on, const char* what) {
    if (on)
      last_boot += (last_boot.empty() ? "" : ", ") + std::string(what);
  };
  also(boot.bios_setup, "BIOS setup");
  also(boot.bios_pause, "BIOS pause");
  also(boot.reflash_bios, "BIOS reflash");
  also(boot.use_ider, boot.ider_boot_device == 1 ? "IDE-R CD" : "IDE-R floppy");
  also(boot.use_sol, "SOL");
  also(boot.secure_erase, "secure erase");
  also(boot.platform_erase, "platform erase");
  boot = {};
  boot_source.clear();
  boot_options_cleared = true;
}

void device_model::unprovision(bool full) {
  static constexpr std::string_view hex = "0123456789ABCDEF";
  const auto mebx_set = accounts->mebx_set;
  control_mode = 0;
  feature = {};
  if (!shared_->kind.ocr)
    feature.boot_service = 2;
  boot = {};
  boot_source.clear();
  boot_options_cleared = true;
  consent = {};
  nonces_.clear();
  accounts.reset();
  if (mebx_set != 0)
    accounts.change().mebx_set = mebx_set;
  forget_attempt(*this);
  if (full)
    forget_own_trust(*this);
  alarms.reset();
  certificates.reset();
  forget_cira(*this);
  kerberos.reset();
  network.reset();
  proxies.reset();
  screens.reset();
  setup.reset();
  subscriptions.reset();
  tls.reset();
  wifi.reset();
  // Secrets of former users are of no use any more: they contain the realm.
  std::string realm = "Digest:";
  for (int i = 0; i < 32; ++i)
    realm += hex[random() & 15U];
  setup.change().realm = realm;
  set_realm(realm);
}

void device_model::restore(power_state power, std::uint64_t boots) {
  power_ = power;
  boots_ = boots;
}

std::string device_model::derived(const std::string& purpose) const {
  std::string out;
  for (const auto* part : {"a", "b"}) {
    const auto hash =
        http::md5(std::to_string(seed_) + to_string(who_.guid) + "|" + purpose + "|" + part);
    if (hash) // otherwise OpenSSL refuses MD5, and then nobody signs in anyway
      out.append(hash->begin(), hash->end());
  }
  out.resize(20);
  return out;
}

std::uint64_t device_model::random() {
  // splitmix64: small, and good enough for jitter and for nonces that nobody attacks
  std::uint64_t z = (random_ += 0x9E3779B97F4A7C15ULL);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31);
}

sim_time device_model::jitter(sim_time lo, sim_time hi) {
  if (hi <= lo)
    return lo;
  const auto span = static_cast<std::uint64_t>((hi - lo).count()) + 1;
  return lo + sim_time{static_cast<sim_time::rep>(random() % span)};
}

std::string device_model::new_nonce() {
  static constexpr std::string_view base64 =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::array<char, 32> nonce{};
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < nonce.size(); ++i) {
    if (i % 8 == 0)
      bits = random();
    nonce[i] = base64[bits & 63U];
    bits >>= 6U;
  }
  if (nonces_.size() == max_nonces)
    nonces_.erase(nonces_.begin());
  nonces_.push_back(nonce);
  return {nonce.data(), nonce.size()};
}

bool device_model::knows_nonce(std::string_view nonce) const {
  return std::any_of(nonces_.begin(), nonces_.end(), [&](const std::array<char, 32>& n) {
    return nonce == std::string_view(n.data(), n.size());
  });
}

std::string device_model::remember(std::string class_name, std::size_t offset) {
  if (open_.size() == max_contexts)
    open_.erase(open_.begin());
  open_.push_back({++contexts_, std::move(class_name), offset});
  return context_text(contexts_);
}

std::optional<device_model::enumeration> device_model::recall(std::string_view context) {
  for (auto e = open_.begin(); e != open_.end(); ++e) {
    if (context != context_text(e->id))
      continue;
    auto found = *e;
    open_.erase(e);
    return found;
  }
  return std::nullopt;
}

} // namespace outband::amtsim
