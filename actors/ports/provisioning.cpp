#include "actors/ports/provisioning.hpp"

#include <cctype>

namespace outband {

std::string_view to_string(object_kind k) {
  switch (k) {
  case object_kind::profile:
    return "profile";
  case object_kind::cira_config:
    return "cira-config";
  case object_kind::wireless_config:
    return "wireless-config";
  case object_kind::ieee8021x_config:
    return "ieee8021x-config";
  case object_kind::proxy_config:
    return "proxy-config";
  case object_kind::domain:
    return "domain";
  }
  return "profile";
}

std::string secret_label(object_kind k, const std::string& name, std::string_view field) {
  std::string out(to_string(k));
  out.push_back('/');
  for (unsigned char c : name)
    out.push_back(static_cast<char>(c < 0x80 ? std::tolower(c) : c));
  out.push_back('/');
  out.append(field);
  return out;
}

} // namespace outband
