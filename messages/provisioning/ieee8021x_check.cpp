#include "messages/provisioning/ieee8021x_check.hpp"

#include "messages/amt/configure_8021x.hpp"

#include <string>

namespace outband::provisioning {

namespace {

struct protocol_row {
  int number;
  const char* name;
};
/// Those that can be stored (rps src/routes/admin/ieee8021x/constants.ts).
constexpr protocol_row protocols[] = {
    {0, "EAP-TLS"},      {2, "PEAPv0/EAP-MSCHAPv2"}, {3, "PEAPv1/EAP-GTC"},
    {5, "EAP-FAST/GTC"}, {10, "EAP-FAST/TLS"},
};

std::string called(int protocol) {
  for (const auto& row : protocols)
    if (row.number == protocol)
      return std::to_string(protocol) + " (" + row.name + ")";
  return std::to_string(protocol);
}

failure refused(const ieee8021x_config& c, problem what, const char* field, std::string words) {
  return fail(what, "802.1x configuration '" + c.name + "': " + field + " " + std::move(words),
              field);
}

} // namespace

status check_ieee8021x(const ieee8021x_config& c, bool password_stored) {
  if (c.protocol != static_cast<int>(amt::eap::peap_mschapv2))
    return refused(c, problem::unsupported, "authenticationProtocol",
                   called(c.protocol) + " needs an Enterprise Assistant, which is not supported; 2 "
                                        "(PEAPv0/EAP-MSCHAPv2) does without.");
  if (c.username.empty())
    return refused(c, problem::malformed, "username",
                   "is missing; it is needed for PEAPv0/EAP-MSCHAPv2.");
  if (!password_stored)
    return refused(c, problem::malformed, "password",
                   "is missing; it is needed for PEAPv0/EAP-MSCHAPv2.");
  return success();
}

} // namespace outband::provisioning
