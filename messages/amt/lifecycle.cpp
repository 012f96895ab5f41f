#include "messages/amt/lifecycle.hpp"

#include "messages/amt/catalogue.hpp"
#include "messages/amt/status.hpp"
#include "messages/domain/amt.hpp"

namespace outband::amt {

namespace {

result<json::value> end(wsman::talk& t, const json::value&) {
  auto told = deactivate(t);
  if (!told)
    return told.error();
  if (*told == 0)
    return json::value(json::object{{"status", "SUCCESS"}});
  // MPS answers 200 with the method's output.
  return json::value(json::object{{"ReturnValue", *told},
                                  {"ReturnValueStr", pt_status_name(*told)},
                                  {"text", status_text(*told)}});
}

} // namespace

result<std::uint32_t> deactivate(wsman::talk& t) {
  auto told = t.invoke("AMT_SetupAndConfigurationService", "Unprovision",
                       wsman::property("ProvisioningMode", "1"));
  if (!told)
    return told.error();
  return told->value;
}

std::vector<operation> lifecycle_operations() {
  using namespace std::chrono_literals;
  operation out{"deactivate", wsman::effect::change, end};
  out.deadline = 30s;
  return {out};
}

} // namespace outband::amt
