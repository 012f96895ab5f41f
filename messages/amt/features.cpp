#include "messages/amt/features.hpp"

#include "messages/amt/if_there.hpp"
#include "messages/amt/put_back.hpp"
#include "messages/amt/status.hpp"

#include <string>

namespace outband::amt {

namespace {

constexpr std::uint32_t redirection_base = 32768; // plus 1 for IDE-R plus 2 for SOL
constexpr std::uint32_t boot_service_base = 32768;
constexpr std::uint32_t platform_erase_supported = 1; // AMT_BootCapabilities.PlatformErase

/// The three instances that both reading and writing begin with; nullptr where there is none.
struct services {
  const wsman::node* redirection = nullptr;
  const wsman::node* consent = nullptr;
  const wsman::node* kvm = nullptr;
};

result<services> get_services(wsman::talk& t) {
  auto redirection = t.get("AMT_RedirectionService");
  if (!redirection)
    return redirection.error();
  auto consent = get_if_there(t, "IPS_OptInService");
  if (!consent)
    return consent.error();
  auto kvm = get_if_there(t, "CIM_KVMRedirectionSAP");
  if (!kvm)
    return kvm.error();
  return services{*redirection, *consent, *kvm};
}

result<feature_set> read_services(const services& s) {
  feature_set out;
  auto listener = wsman::bool_or(*s.redirection, "ListenerEnabled", false);
  if (!listener)
    return listener.error();
  auto enabled = wsman::number_in(*s.redirection, "EnabledState");
  if (!enabled)
    return enabled.error();
  out.listener = *listener;
  out.sol = (*enabled & 2U) != 0;
  out.ider = (*enabled & 1U) != 0;
  if (s.consent != nullptr) {
    auto required = wsman::number_in(*s.consent, "OptInRequired");
    if (!required)
      return required.error();
    auto state = wsman::number_in(*s.consent, "OptInState",
                                  static_cast<std::uint32_t>(opt_in_state::in_session));
    if (!state)
      return state.error();
    for (auto p : {consent_policy::none, consent_policy::kvm, consent_policy::all})
      if (static_cast<std::uint32_t>(p) == *required)
        out.user_consent = p;
    out.consent_state = static_cast<opt_in_state>(*state);
  }
  if (s.kvm != nullptr) {
    auto state = wsman::number_in(*s.kvm, "EnabledState");
    if (!state)
      return state.error();
    out.kvm_available = true;
    out.kvm = *state == 2 || *state == 6; // enabled; enabled but offline
  }
  return out;
}

struct flag {
  std::string_view property;
  bool* value;
};
status read_flags(const wsman::node* instance, std::initializer_list<flag> flags) {
  for (const auto& f : flags) {
    if (instance == nullptr)
      break;
    auto value = wsman::bool_or(*instance, f.property, false);
    if (!value)
      return value.error();
    *f.value = *value;
  }
  return success();
}

bool starts_with(std::string_view text, std::string_view with) {
  return text.substr(0, with.size()) == with;
}

/// Which recovery sources the BIOS registered.
struct recovery_sources {
  bool https = false;
  bool winre = false;
  bool pba = false;
};
result<recovery_sources> get_recovery_sources(wsman::talk& t) {
  recovery_sources out;
  auto items = t.list("CIM_BootSourceSetting");
  if (!items)
    return t.is_absent() ? result<recovery_sources>(out) : items.error();
  for (const auto* source : wsman::instances(**items, "CIM_BootSourceSetting")) {
    const auto id = source->child_text("InstanceID");
    const auto name = source->child_text("BIOSBootString");
    if (starts_with(id, "Intel(r) AMT: Force OCR UEFI HTTPS Boot"))
      out.https = true;
    if (starts_with(id, "Intel(r) AMT: Force OCR UEFI Boot Option")) {
      out.winre = out.winre || name.find("WinRe") != std::string_view::npos;
      out.pba = out.pba || name.find("PBA") != std::string_view::npos;
    }
  }
  return out;
}

result<bool> can_erase(wsman::talk& t) {
  auto can = get_if_there(t, "AMT_BootCapabilities");
  if (!can)
    return can.error();
  if (*can == nullptr)
    return false;
  auto mask = wsman::number_or(**can, "PlatformErase", 0);
  if (!mask)
    return mask.error();
  return (*mask & platform_erase_supported) != 0;
}

status read_recovery(wsman::talk& t, feature_set& out) {
  auto service = get_boot_service(t);
  if (!service)
    return service.error();
  if (*service) {
    out.ocr = (*service)->ocr;
    out.rpe = (*service)->rpe;
  }
  auto sources = get_recovery_sources(t);
  if (!sources)
    return sources.error();
  auto can = get_if_there(t, "AMT_BootCapabilities");
  if (!can)
    return can.error();
  auto settings = get_if_there(t, "AMT_BootSettingData");
  if (!settings)
    return settings.error();
  bool can_https = false, can_winre = false, can_pba = false;
  if (auto read = read_flags(*can, {{"ForceUEFIHTTPSBoot", &can_https},
                                    {"ForceWinREBoot", &can_winre},
                                    {"ForceUEFIPBABoot", &can_pba}});
      !read)
    return read;
  bool https_on = false, winre_on = false, pba_on = false;
  if (auto read = read_flags(*settings, {{"UEFIHTTPSBootEnabled", &https_on},
                                         {"WinREBootEnabled", &winre_on},
                                         {"UEFILocalPBABootEnabled", &pba_on}});
      !read)
    return read;
  out.https_boot = sources->https && can_https && https_on;
  out.winre_boot = sources->winre && can_winre && winre_on;
  out.local_pba_boot = sources->pba && can_pba && pba_on;
  if (*can != nullptr) {
    auto mask = wsman::number_or(**can, "PlatformErase", 0);
    if (!mask)
      return mask.error();
    out.rpe_supported = (*mask & platform_erase_supported) != 0;
  }
  return success();
}

failure cannot(std::string_view field, std::string why) {
  return fail(problem::unsupported, std::move(why), std::string(field));
}

/// What to ask CIM_BootService for; empty: nothing changes.
result<std::optional<std::uint32_t>> boot_service_wish(wsman::talk& t, const feature_wish& wish) {
  const std::optional<std::uint32_t> nothing_to_do;
  if (!wish.ocr && !wish.rpe)
    return nothing_to_do;
  auto now = get_boot_service(t);
  if (!now)
    return now.error();
  if (!*now) {
    if (wish.ocr.value_or(false))
      return cannot("ocr", "this machine's firmware has no One-Click Recovery");
    if (wish.rpe.value_or(false))
      return cannot("rpe", "this machine's firmware has no remote platform erase");
    return nothing_to_do;
  }
  const bool ocr = wish.ocr.value_or((*now)->ocr);
  const bool rpe = wish.rpe.value_or((*now)->rpe);
  if (ocr == (*now)->ocr && rpe == (*now)->rpe)
    return nothing_to_do;
  if (rpe && !(*now)->rpe) {
    auto can = can_erase(t);
    if (!can)
      return can.error();
    if (!*can)
      return cannot("rpe", "this machine's firmware has no remote platform erase");
  }
  return std::optional(boot_service_base + (ocr ? 1U : 0U) + (rpe ? 2U : 0U));
}

/// Refuses what cannot be done, before anything is written.
status check_wish(const services& s, const feature_set& now, const feature_wish& wish) {
  if (wish.kvm && !now.kvm_available)
    return cannot("enableKVM", "this machine's firmware has no KVM");
  if (now.user_consent == wish.user_consent)
    return success();
  if (s.consent == nullptr) {
    if (wish.user_consent == consent_policy::none)
      return success();
    return cannot("userConsent", "this machine's firmware knows no user consent");
  }
  auto modifiable = wsman::number_or(*s.consent, "CanModifyOptInPolicy", 1);
  if (!modifiable)
    return modifiable.error();
  if (*modifiable == 0)
    return cannot("userConsent", "in client control mode the firmware does not let the consent "
                                 "policy be changed; leave it as it is, or activate the machine "
                                 "in admin control mode");
  return success();
}

} // namespace

std::string_view to_string(consent_policy p) {
  switch (p) {
  case consent_policy::none:
    return "none";
  case consent_policy::kvm:
    return "kvm";
  case consent_policy::all:
    return "all";
  }
  return "all";
}

std::optional<consent_policy> parse_consent_policy(std::string_view text) {
  for (auto p : {consent_policy::none, consent_policy::kvm, consent_policy::all})
    if (text == to_string(p))
      return p;
  return std::nullopt;
}

result<std::optional<boot_service_state>> get_boot_service(wsman::talk& t) {
  const std::optional<boot_service_state> none;
  auto service = get_if_there(t, "CIM_BootService");
  if (!service)
    return service.error();
  if (*service == nullptr)
    return none;
  auto state = wsman::number_in(**service, "EnabledState");
  if (!state)
    return state.error();
  if (*state < boot_service_base || *state > boot_service_base + 3)
    return none; // firmware without either says plain 2, "enabled"
  return std::optional(boot_service_state{(*state & 1U) != 0, (*state & 2U) != 0});
}

result<feature_set> get_features(wsman::talk& t) {
  auto instances = get_services(t);
  if (!instances)
    return instances.error();
  auto out = read_services(*instances);
  if (!out)
    return out;
  if (auto read = read_recovery(t, *out); !read)
    return read.error();
  return out;
}

status set_features(wsman::talk& t, const feature_wish& wish) {
  auto instances = get_services(t);
  if (!instances)
    return instances.error();
  const auto now = read_services(*instances);
  if (!now)
    return now.error();
  if (auto possible = check_wish(*instances, *now, wish); !possible)
    return possible;
  const auto boot_service = boot_service_wish(t, wish);
  if (!boot_service)
    return boot_service.error();

  const bool listener = wish.sol || wish.ider || wish.kvm;
  const auto redirection = redirection_base + (wish.ider ? 1U : 0U) + (wish.sol ? 2U : 0U);
  const bool redirects = wish.sol != now->sol || wish.ider != now->ider;
  if (redirects)
    if (auto told = request_state(t, "AMT_RedirectionService", redirection); !told)
      return told;
  if (wish.kvm != now->kvm)
    if (auto told = request_state(t, "CIM_KVMRedirectionSAP", wish.kvm ? 2 : 3); !told)
      return told;
  if (redirects || listener != now->listener) {
    auto put = t.put("AMT_RedirectionService",
                     put_back(*instances->redirection,
                              {{"EnabledState", std::to_string(redirection)},
                               {"ListenerEnabled", truth(listener)}},
                              {"AccessLog"})); // RPS drops it too: it is read-only and long
    if (!put)
      return put.error();
  }
  if (instances->consent != nullptr && now->user_consent != wish.user_consent) {
    const auto value = std::to_string(static_cast<std::uint32_t>(wish.user_consent));
    auto put = t.put("IPS_OptInService", put_back(*instances->consent, {{"OptInRequired", value}}));
    if (!put)
      return put.error();
  }
  if (*boot_service)
    return request_state(t, "CIM_BootService", **boot_service);
  return success();
}

} // namespace outband::amt
