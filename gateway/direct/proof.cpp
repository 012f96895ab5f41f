#include "gateway/direct/proof.hpp"

#include "messages/wsman/envelope.hpp"

namespace outband::direct {

namespace {

constexpr std::string_view cls = "CIM_ComputerSystemPackage";

std::optional<uuid> from_digits(std::string_view hex) {
  if (hex.size() != 32)
    return {};
  std::string text(hex);
  for (const std::size_t at : {20U, 16U, 12U, 8U})
    text.insert(at, 1, '-');
  return parse_uuid(text);
}

} // namespace

std::string who_are_you() {
  wsman::request_header h;
  h.action = wsman::action::get;
  h.resource_uri = wsman::class_uri(cls);
  return wsman::write_request(h, {});
}

result<device_id> its_guid(const soap_answer& answer) {
  if (answer.status != 200 && answer.status != 400)
    return fail(problem::device_protocol,
                "it answers WS-MAN with HTTP status " + std::to_string(answer.status));
  auto read = wsman::parse_response(answer.body);
  if (!read)
    return fail(problem::device_protocol, "it does not answer WS-MAN: " + read.error().detail);
  if (read->refused)
    return fail(problem::device_protocol,
                "it does not tell its GUID: " + read->refused->reason.substr(0, 200));
  const auto* instance = read->body.child(cls);
  const auto* told = instance ? instance->child("PlatformGUID") : nullptr;
  const auto raw = told ? from_digits(told->value()) : std::nullopt;
  if (!raw)
    return fail(problem::device_protocol, "it does not tell its GUID");
  return swap_smbios(*raw);
}

} // namespace outband::direct
