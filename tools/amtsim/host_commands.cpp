#include "tools/amtsim/host_commands.hpp"

#include "messages/pthi/codec.hpp"
#include "messages/pthi/watchdog.hpp"
#include "tools/amtsim/local_interface.hpp"

#include <utility>

namespace outband::amtsim {

namespace {

using pthi::answer_status;
using pthi::command;
using pthi::response;

pthi::code_versions_body versions(const device_model& d) {
  pthi::code_versions_body out;
  out.bios = bios_version(d);
  for (auto& v : code_versions(d))
    out.versions.push_back({std::move(v.description), std::move(v.version)});
  return out;
}

pthi::hash_handles_body handles(const device_model& d) {
  pthi::hash_handles_body out;
  for (const auto& h : trusted_hashes(d))
    out.handles.push_back(h.handle);
  return out;
}

response plain(command what, const device_model& d, const change_machine& change) {
  response out{what, answer_status::success, pthi::no_body{}};
  switch (what) {
  case command::get_provisioning_state:
    out.content = pthi::number_body{provisioning_state(d)};
    break;
  case command::get_code_versions:
    out.content = versions(d);
    break;
  case command::enumerate_hash_handles:
    out.content = handles(d);
    break;
  case command::get_pki_suffix:
    out.content = pthi::pki_suffix_body{pki_suffix(d)};
    break;
  case command::get_remote_access_status: {
    auto r = remote_access(d);
    out.content = pthi::remote_access_body{r.network, r.remote, r.trigger, std::move(r.mps_host)};
    break;
  }
  case command::get_uuid:
    out.content = pthi::uuid_body{d.who().guid};
    break;
  case command::get_control_mode:
    out.content = pthi::number_body{static_cast<std::uint32_t>(d.control_mode)};
    break;
  case command::stop_configuration:
    change([&](device_model& m, sim_time now) {
      out.status = static_cast<answer_status>(stop_configuration(m, now));
    });
    break;
  default: // has a body: decode_request() yields its own type
    out.status = answer_status::internal_error;
  }
  return out;
}

/// What is asked, answered. One overload per kind of request.
struct responder {
  const device_model& d;
  const change_machine& change;

  response operator()(const pthi::plain_request& r) const { return plain(r.what, d, change); }

  response operator()(const pthi::unprovision_request& r) const {
    if (r.mode != 0)
      return {command::unprovision, answer_status::invalid_parameter, pthi::no_body{}};
    std::uint32_t status = 0;
    change([&](device_model& m, sim_time now) { status = host_unprovision(m, now); });
    return {command::unprovision, static_cast<answer_status>(status),
            pthi::number_body{provisioning_state(d)}};
  }

  response operator()(const pthi::hash_entry_request& r) const {
    for (const auto& h : trusted_hashes(d)) {
      if (h.handle != r.handle)
        continue;
      pthi::hash_entry_body b;
      b.is_default = h.is_default;
      b.is_active = h.active;
      b.algorithm = static_cast<pthi::hash_algorithm>(h.algorithm);
      b.hash = h.hash;
      b.name = h.name;
      return {command::get_hash_entry, answer_status::success, std::move(b)};
    }
    return {command::get_hash_entry, answer_status::invalid_handle, pthi::no_body{}};
  }

  response operator()(const pthi::lan_settings_request& r) const {
    const auto lan = lan_interface_settings(d, r.index);
    if (!lan.exists)
      return {command::get_lan_settings, answer_status::invalid_parameter, pthi::no_body{}};
    return {command::get_lan_settings, answer_status::success,
            pthi::lan_settings_body{lan.enabled, lan.ipv4, lan.dhcp, lan.dhcp_active, lan.link_up,
                                    lan.mac}};
  }

  response operator()(const pthi::local_account_request&) const {
    auto account = local_system_account(d);
    return {command::get_local_account, answer_status::success,
            pthi::local_account_body{std::move(account.user), std::move(account.password)}};
  }

  response operator()(const pthi::host_based_request& r) const {
    if (r.algorithm != pthi::hash_algorithm::sha256 && r.algorithm != pthi::hash_algorithm::sha384)
      return {command::start_host_based, answer_status::invalid_parameter, pthi::no_body{}};
    started_configuration started;
    change([&](device_model& m, sim_time now) {
      started = start_configuration_hbased(m, static_cast<hash_algorithm>(r.algorithm), r.leaf_hash,
                                           r.suffixes, now);
    });
    return {command::start_host_based, static_cast<answer_status>(started.status),
            pthi::host_based_body{static_cast<pthi::hash_algorithm>(started.algorithm),
                                  started.certificate_hash}};
  }
};

std::string refuse(std::string_view octets, answer_status why) {
  const auto code = pthi::peek_command(octets);
  return code ? pthi::encode_refusal(*code, why) : std::string{};
}

std::string answer_amthi(std::string_view octets, const device_model& d,
                         const change_machine& change) {
  const auto asked = pthi::decode_request(octets);
  if (asked)
    return pthi::encode(std::visit(responder{d, change}, *asked));
  const bool unknown = asked.error().what == problem::unsupported;
  return refuse(octets, unknown ? answer_status::not_permitted : answer_status::invalid_length);
}

std::string answer_watchdog(std::string_view octets, const device_model& d,
                            const change_machine& change) {
  const auto asked = pthi::decode_watchdog_request(octets);
  if (!asked)
    return {};
  if (const auto* set = std::get_if<pthi::set_operational_state>(&*asked)) {
    std::uint32_t status = 0;
    change([&](device_model& m, sim_time now) {
      status = set_operational_state(m, set->enabled, now);
    });
    return pthi::encode_operational_state_answer(status);
  }
  const auto w = watchdog(d);
  return pthi::encode(pthi::change_enabled{w.change_allowed, w.enabled, w.hardened, w.restricted,
                                           w.tls_enforced, w.new_interface});
}

} // namespace

std::string answer_mei(pthi::mei_client client, std::string_view octets, const device_model& d,
                       const change_machine& change) {
  switch (client) {
  case pthi::mei_client::amthi:
    return answer_amthi(octets, d, change);
  case pthi::mei_client::watchdog:
    return answer_watchdog(octets, d, change);
  case pthi::mei_client::lme:
    return {}; // APF, not request and answer
  }
  return {};
}

std::string answer_not_ready(pthi::mei_client client, std::string_view octets,
                             const device_model& d, const change_machine& change) {
  if (client == pthi::mei_client::amthi)
    return refuse(octets, answer_status::not_ready);
  return answer_mei(client, octets, d, change);
}

} // namespace outband::amtsim
