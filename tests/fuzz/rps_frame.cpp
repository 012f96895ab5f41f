/// What a client of the activation WebSocket may send: whatever is accepted keeps its promises, and
/// a refusal is a sentence that names nothing of the method. The first octet chooses between a
/// whole message, a command line and a claim.
#include "messages/amt/base64.hpp"
#include "messages/rest/json.hpp"
#include "messages/rps/claim.hpp"
#include "messages/rps/client_frame.hpp"
#include "messages/rps/command.hpp"
#include "messages/rps/server_frame.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

namespace {

using namespace outband;
using namespace outband::rps;

void require(bool holds) {
  if (!holds)
    std::abort();
}

void check(const machine_claim& c) {
  require(!is_placeholder(c.guid));
  require(c.mode >= 0 && c.mode <= 2);
  require(!c.version.empty() && !c.build.empty());
  require(c.hostname.size() <= 256 && c.password.reveal().size() <= 128);
  require(c.root_hashes.size() <= 128);
  require(c.local_user.find('"') == std::string::npos);
}

/// What we make of it must be JSON of our own form.
void echo(std::string_view octets) {
  provisioning_report report;
  report.status = std::string(octets.substr(0, 200));
  report.details.push_back(
      {component::tls, component_result::verdict::failure, std::string(octets.substr(0, 100)), ""});
  for (const auto& text : {wsman_frame(octets), tls_frame(octets), progress_frame(octets),
                           final_frame(report, true), error_frame(octets)})
    require(json::parse(text).ok());
}

void as_message(std::string_view text) {
  const auto f = parse_client_frame(text);
  if (!f) {
    require(!f.error().detail.empty());
    echo(f.error().detail);
    return;
  }
  if (const auto* wish = std::get_if<provisioning_wish>(&*f)) {
    check(wish->machine);
    require(wish->act != provisioning_act::activate || !wish->machine.password.empty());
    require((wish->act == provisioning_act::maintain) == (wish->task != maintenance_task::none) ||
            wish->act != provisioning_act::maintain);
  } else if (const auto* r = std::get_if<firmware_response>(&*f)) {
    require(r->octets.size() <= max_message);
    require(*amt::base64_decode(amt::base64_encode(r->octets)) == r->octets);
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0)
    return 0;
  const std::string_view octets{reinterpret_cast<const char*>(data) + 1, size - 1};
  switch (data[0] % 4) {
  case 0:
    as_message(octets);
    break;
  case 1:
    if (const auto c = parse_command(octets))
      require(is_command(octets) && c->profile.size() <= 128);
    break;
  case 2:
    if (const auto c = parse_claim(octets))
      check(*c);
    break;
  default:
    echo(octets);
  }
  return 0;
}
