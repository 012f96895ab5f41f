// A device that lies: the first octet picks the operation, what follows are its answers, separated
// by 0x01; one that starts with '!' comes with HTTP status 400. The run must end or wait, and
// whatever it claims must be within the domain's bounds.
#include "messages/amt/operation_run.hpp"
#include "messages/wsman/envelope.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

namespace {

using namespace outband;

amt_operation pick(std::uint8_t octet) {
  switch (octet % 5) {
  case 0:
    return amt::read_power{};
  case 1:
    return amt::read_capabilities{};
  case 2:
    return amt::read_versions{};
  case 3:
    return amt::request_power{power_action::on};
  default:
    return amt::request_power{power_action::off_soft};
  }
}

void check(const amt_outcome& told) {
  if (const auto* v = std::get_if<amt::versions>(&told))
    if (v->amt.empty() || v->amt.size() > 64)
      std::abort();
  if (const auto* p = std::get_if<amt::power_reading>(&told))
    if (p->os_power_saving < 0 || p->os_power_saving > 3)
      std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0)
    return 0;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  amt::operation_run run{pick(data[0])};
  text.remove_prefix(1);
  while (auto soap = run.next_request()) {
    if (!wsman::parse_request(*soap))
      std::abort();
    const auto end = text.find('\x01');
    auto answer = text.substr(0, end);
    const bool refused = !answer.empty() && answer.front() == '!';
    if (refused)
      answer.remove_prefix(1);
    run.feed(refused ? 400 : 200, answer);
    if (end == std::string_view::npos)
      break;
    text.remove_prefix(end + 1);
  }
  auto told = run.outcome();
  if (told)
    check(*told);
  else if (told.error().detail.empty())
    std::abort();
  return 0;
}
