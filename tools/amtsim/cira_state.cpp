#include "tools/amtsim/cira_state.hpp"

#include "tools/amtsim/certificate_state.hpp"
#include "tools/amtsim/device_model.hpp"

#include <algorithm>
#include <utility>

namespace outband::amtsim {

namespace {

constexpr std::uint32_t periodic = 2;

void append(std::string& to, std::uint32_t n) {
  for (const unsigned shift : {24U, 16U, 8U, 0U})
    to += static_cast<char>(n >> shift & 255U);
}

/// A machine that was told its server by the command line looks as if an RPS had configured it.
cira_state as_made(const device_model& d) {
  cira_state out;
  const auto& s = d.shared();
  if (s.server_host.empty() || d.control_mode == 0)
    return out;
  mps_server server;
  server.host = s.server_host;
  server.format = s.server_host.find_first_not_of("0123456789.") == std::string::npos ? 3
                  : s.server_host.find(':') != std::string::npos                      ? 4
                                                                                      : 201;
  server.port = s.server_port;
  server.user = d.who().mps_user;
  server.password = d.who().mps_password;
  server.common_name = s.server_host;
  server.as_made = true;
  out.servers.push_back(std::move(server));
  access_policy user{0, 300, {}, {{0, 2, 0}}};
  access_policy always{periodic, 0, {}, {{0, 2, 0}}};
  append(always.extended, 0);
  append(always.extended, 25);
  out.policies = {std::move(user), std::move(always)};
  out.detection_strings = {to_string(d.who().guid) + ".com"};
  return out;
}

/// Is `suffix` that domain or below it?
bool within(std::string_view suffix, std::string_view domain) {
  if (domain.empty() || suffix.size() < domain.size() ||
      suffix.substr(suffix.size() - domain.size()) != domain)
    return false;
  return suffix.size() == domain.size() || suffix[suffix.size() - domain.size() - 1] == '.';
}

} // namespace

std::string mps_name(std::uint32_t number) {
  return "Intel(r) AMT:Management Presence Server " + std::to_string(number);
}

std::string policy_name(std::uint32_t trigger) {
  static constexpr const char* names[] = {"User Initiated", "Alert", "Periodic",
                                          "Home Provisioning"};
  return names[trigger & 3U];
}

std::uint32_t big_endian(const std::string& octets, std::size_t at) {
  std::uint32_t out = 0;
  for (std::size_t i = 0; i < 4; ++i)
    out = out << 8U | static_cast<std::uint8_t>(octets.at(at + i));
  return out;
}

cira_state current_cira(const device_model& d) {
  return d.cira.changed() ? *d.cira : as_made(d);
}

cira_state& change_cira(device_model& d) {
  if (!d.cira.changed()) {
    auto made = as_made(d);
    d.cira.change() = std::move(made);
  }
  return d.cira.change();
}

std::optional<home_call> calls_home(const device_model& device, std::string_view dns_suffix) {
  const auto state = current_cira(device);
  const auto& inside = state.detection_strings;
  // Without any suffix everywhere is inside.
  if (inside.empty() || std::any_of(inside.begin(), inside.end(), [&](const std::string& domain) {
        return within(dns_suffix, domain);
      }))
    return std::nullopt;
  for (const auto& p : state.policies) {
    if (p.trigger != periodic)
      continue;
    const mps_of_policy* first = nullptr;
    for (const auto& s : p.servers)
      if (s.type != 1 && (first == nullptr || s.order < first->order))
        first = &s;
    if (first == nullptr)
      continue;
    const auto server =
        std::find_if(state.servers.begin(), state.servers.end(),
                     [&](const mps_server& s) { return s.number == first->server; });
    if (server == state.servers.end())
      continue;
    home_call out;
    out.host = server->host;
    out.port = static_cast<std::uint16_t>(server->port);
    // The name says it already; what clients send besides it is ignored (RPS: "undefined").
    const bool by_name = server->format == 201 || server->common_name.empty();
    out.common_name = by_name ? server->host : server->common_name;
    out.as_made = server->as_made;
    out.authentication = server->authentication;
    out.user = server->user;
    out.password = server->password;
    out.interval_s = p.extended.size() == 8 ? big_endian(p.extended, 4) : 86400;
    out.lifetime_s = p.lifetime;
    for (const auto& c : device.certificates->certificates)
      if (c.trusted_root)
        out.trusted_roots.push_back(c.der);
    return out;
  }
  return std::nullopt;
}

void forget_cira(device_model& device) {
  device.cira.change() = {};
}

} // namespace outband::amtsim
