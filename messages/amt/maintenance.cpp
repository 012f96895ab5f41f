#include "messages/amt/maintenance.hpp"

#include "messages/amt/network.hpp"
#include "messages/amt/put_back.hpp"
#include "messages/amt/status.hpp"

namespace outband::amt {

namespace {

constexpr std::string_view time_service = "AMT_TimeSynchronizationService";
constexpr std::string_view general = "AMT_GeneralSettings";
constexpr std::size_t max_host_name = 63; // AMT_GeneralSettings.HostName

} // namespace

result<clock_reading> sync_time(wsman::talk& t, std::uint32_t now) {
  auto told = t.invoke(time_service, "GetLowAccuracyTimeSynch", {}, wsman::effect::none);
  if (auto ok = done(told, "GetLowAccuracyTimeSynch"); !ok)
    return ok.error();
  auto before = wsman::number_in(*told->out, "Ta0");
  if (!before)
    return before.error();
  const auto ours = std::to_string(now);
  auto set = t.invoke(time_service, "SetHighAccuracyTimeSynch",
                      wsman::property("Ta0", std::to_string(*before)) +
                          wsman::property("Tm1", ours) + wsman::property("Tm2", ours));
  if (auto ok = done(set, "SetHighAccuracyTimeSynch"); !ok)
    return ok.error();
  return clock_reading{*before};
}

result<synchronised> sync_ip(wsman::talk& t, const host_address& host) {
  if (host.address.empty())
    return fail(problem::malformed, "the host's address is missing", "ipAddress");
  auto ports = get_ethernet_ports(t);
  if (!ports)
    return ports.error();
  if (!ports->wired)
    return fail(problem::not_found, "Device has no wired configuration settings");
  const auto& now = *ports->wired;
  if (ports->wireless && now.mac_address.empty())
    return fail(problem::not_found, "Not applicable for wireless only device");
  if (now.ip_address == host.address)
    return synchronised::was_so;
  wired_request wanted;
  wanted.dhcp = now.dhcp;
  wanted.ip_sync = now.dhcp;
  if (!now.dhcp) {
    const auto or_present = [](const std::string& given, const std::string& present) {
      return given.empty() ? present : given;
    };
    wanted.ip_address = host.address;
    wanted.subnet_mask = or_present(host.netmask, now.subnet_mask);
    wanted.default_gateway = or_present(host.gateway, now.default_gateway);
    wanted.primary_dns = or_present(host.primary_dns, now.primary_dns);
    wanted.secondary_dns = or_present(host.secondary_dns, now.secondary_dns);
  }
  if (auto ok = set_wired(t, now, wanted); !ok)
    return ok.error();
  return synchronised::done;
}

result<synchronised> sync_hostname(wsman::talk& t, const std::string& name) {
  if (name.empty())
    return fail(problem::malformed, "host name was not provided", "hostname");
  if (name.size() > max_host_name)
    return fail(problem::malformed, "a host name is of at most 63 octets", "hostname");
  auto now = t.get(general);
  if (!now)
    return now.error();
  if ((*now)->child_text("HostName") == name)
    return synchronised::was_so;
  auto put = t.put(general, put_back(**now, {{"HostName", name}}));
  if (!put)
    return put.error();
  return synchronised::done;
}

} // namespace outband::amt
