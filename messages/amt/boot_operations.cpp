#include "messages/amt/argument.hpp"
#include "messages/amt/boot.hpp"
#include "messages/amt/catalogue.hpp"
#include "messages/amt/erase.hpp"
#include "messages/amt/power.hpp"
#include "messages/amt/status.hpp"
#include "messages/amt/uefi_parameters.hpp"

#include <algorithm>

namespace outband::amt {

namespace {

constexpr std::size_t max_rse_password = 32; ///< octets, AMT_BootSettingData.RSEPassword

result<json::value> sources(wsman::talk& t, const json::value&) {
  auto told = get_boot_sources(t);
  if (!told)
    return told.error();
  json::array out;
  for (auto& s : *told)
    out.push_back(json::object{{"biosBootString", std::move(s.bios_boot_string)},
                               {"bootString", std::move(s.boot_string)},
                               {"elementName", std::move(s.element_name)},
                               {"failThroughSupported", s.fail_through_supported},
                               {"instanceID", std::move(s.instance_id)},
                               {"structuredBiosBootString", s.structured_boot_string},
                               {"structuredBootString", s.structured_boot_string}});
  return json::value(std::move(out));
}

result<json::value> state(wsman::talk& t, const json::value&) {
  auto told = get_boot_state(t);
  if (!told)
    return told.error();
  json::object out{{"optionsCleared", told->options_cleared},
                   {"biosSetup", told->bios_setup},
                   {"useSOL", told->use_sol},
                   {"useIDER", told->use_ider},
                   {"iderBootDevice", told->ider_cd ? "cd" : "floppy"},
                   {"secureErase", told->secure_erase},
                   {"platformErase", told->platform_erase},
                   {"enforceSecureBoot", told->enforce_secure_boot},
                   {"uefiParameters", told->uefi_parameters},
                   {"httpsBootEnabled", told->https_boot_enabled},
                   {"winREBootEnabled", told->winre_boot_enabled},
                   {"localPBABootEnabled", told->local_pba_boot_enabled},
                   {"rpeEnabled", told->rpe_enabled}};
  if (!told->bios_last_status.empty())
    out.push_back({"biosLastStatus", bios_status_text(told->bios_last_status.front())});
  return json::value(std::move(out));
}

bool is_https_boot(std::int64_t action) {
  return action == 105 || action == 106;
}

/// Either what bootOptions takes, or action 104 alone, which destroys data and has its own role.
std::vector<rest::field_error> check_order(const json::value& argument, bool erase) {
  static const std::vector<std::int64_t> boots{100, 101, 105, 106, 107, 108, 109, 110, 200,
                                               201, 202, 203, 300, 301, 400, 401, 500, 501};
  argument_reader r(argument);
  r.number_of("action", erase ? std::vector<std::int64_t>{104} : boots);
  r.boolean("useSOL");
  const auto action = integer_at(argument, "action").value_or(0);
  const auto* url = at_path(argument, "bootDetails.url");
  const auto text = text_at(argument, "bootDetails.url");
  if (url != nullptr && !is_url(text))
    r.wrong("bootDetails.url", "must be a URL");
  else if (is_https_boot(action) &&
           (text.substr(0, 8) != "https://" || text.size() > max_octets(uefi_parameter::https_url)))
    r.wrong("bootDetails.url", "must be a URL that begins with https://, of at most 300 octets");
  r.text("bootDetails.username", max_octets(uefi_parameter::https_user));
  r.text("bootDetails.password",
         erase ? max_rse_password : max_octets(uefi_parameter::https_password), false);
  r.text("bootDetails.bootPath", max_octets(uefi_parameter::file_device_path));
  r.boolean("bootDetails.enforceSecureBoot", argument_reader::must::may_miss);
  return std::move(r).errors();
}

std::vector<rest::field_error> check_boot(const json::value& argument) {
  return check_order(argument, false);
}
std::vector<rest::field_error> check_erase(const json::value& argument) {
  return check_order(argument, true);
}

result<json::value> set(wsman::talk& t, const json::value& argument) {
  const auto code = integer_at(argument, "action").value_or(0);
  if (code == 500 || code == 501) // MPS: a plain power on
    return change_os_power(t, code == 500 ? os_power::full : os_power::saving);
  const auto action = boot_action_from_code(code);
  if (!action)
    return fail(problem::malformed, "is no boot action", "action");
  boot_order order;
  order.action = *action;
  order.use_sol = boolean_at(argument, "useSOL").value_or(false);
  order.url = text_at(argument, "bootDetails.url");
  order.user = text_at(argument, "bootDetails.username");
  order.password = text_at(argument, "bootDetails.password");
  order.boot_path = text_at(argument, "bootDetails.bootPath");
  order.enforce_secure_boot = boolean_at(argument, "bootDetails.enforceSecureBoot").value_or(true);
  auto told = set_boot(t, order);
  if (!told)
    return told.error();
  return acknowledgement(t, *told, status_text(*told));
}

} // namespace

std::vector<operation> boot_operations() {
  using namespace std::chrono_literals;
  using wsman::effect;
  operation read{"boot.state", effect::none, state};
  read.fact = "boot";
  operation write{"boot.set", effect::change, set, check_boot};
  write.deadline = 30s;
  write.secret = true;
  write.look_after = "boot.state";
  auto erase = write;
  erase.name = "erase.secure";
  erase.check = check_erase;
  std::vector<operation> out{{"boot.sources", effect::none, sources}, read, write, erase};
  for (auto& o : erase_operations())
    out.push_back(o);
  return out;
}

} // namespace outband::amt
