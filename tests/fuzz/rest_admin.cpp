// Bodies of RPS's admin routes: whatever passes the checks can be read, for a new object and for a
// change, and is shown without what it keeps secret.
#include "messages/rest/admin_body.hpp"

#include <cstdlib>

using namespace outband;
using namespace outband::rest;

namespace {

template <class T> void both(const json::value& body) {
  for (const bool fresh : {true, false}) {
    const auto errors = admin_body<T>::check(body, {fresh, false});
    if (!errors.empty()) {
      if (errors_body(errors).empty())
        std::abort();
      continue;
    }
    T old;
    old.name = "old";
    const auto next = admin_body<T>::read(body, old, fresh);
    const auto secrets = admin_body<T>::secrets(body, next);
    if (next.name.empty() || secrets.size() > 2)
      std::abort();
    const auto shown = admin_body<T>::show(next, "acme");
    for (const char* name : {"amtPassword", "mebxPassword", "password", "pskPassphrase",
                             "provisioningCert", "provisioningCertPassword"})
      if (shown.find(name))
        std::abort();
    if (json::dump(shown).empty())
      std::abort();
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto body = json::parse({reinterpret_cast<const char*>(data), size});
  if (!body)
    return 0;
  both<cira_config>(*body);
  both<profile>(*body);
  both<wireless_config>(*body);
  both<ieee8021x_config>(*body);
  both<proxy_config>(*body);
  both<domain>(*body);
  (void)parse_token_body(*body);
  return 0;
}
