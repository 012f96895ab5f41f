#include "messages/amt/network.hpp"

namespace outband::amt {

std::string_view to_string(link_policy p) {
  switch (p) {
  case link_policy::s0_ac:
    return "S0 AC";
  case link_policy::sx_ac:
    return "Sx AC";
  case link_policy::s0_dc:
    return "S0 DC";
  case link_policy::sx_dc:
    return "Sx DC";
  }
  return {};
}

std::string_view to_string(link_owner o) {
  switch (o) {
  case link_owner::management_engine:
    return "Management Engine";
  case link_owner::host:
    return "Host";
  }
  return {};
}

std::string_view to_string(link_protection p) {
  switch (p) {
  case link_protection::override_:
    return "Override";
  case link_protection::none:
    return "None";
  case link_protection::passive:
    return "Passive";
  case link_protection::high:
    return "High";
  }
  return {};
}

std::string_view to_string(connection_type c) {
  switch (c) {
  case connection_type::integrated:
    return "Integrated LAN NIC";
  case connection_type::discrete:
    return "Discrete LAN NIC";
  case connection_type::dock:
    return "LAN via Thunderbolt Dock";
  case connection_type::wireless:
    return "Wireless LAN";
  }
  return {};
}

std::string_view to_string(nic_medium m) {
  switch (m) {
  case nic_medium::smbus:
    return "SMBUS";
  case nic_medium::pcie:
    return "PCIe";
  }
  return {};
}

std::string_view to_string(ieee8021x_state s) {
  switch (s) {
  case ieee8021x_state::with_certificates:
    return "EnabledWithCertificates";
  case ieee8021x_state::disabled:
    return "Disabled";
  case ieee8021x_state::without_certificates:
    return "EnabledWithoutCertificates";
  }
  return {};
}

} // namespace outband::amt
