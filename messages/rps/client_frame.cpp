#include "messages/rps/client_frame.hpp"

#include "messages/amt/base64.hpp"
#include "messages/rest/json.hpp"
#include "messages/rps/claim.hpp"
#include "messages/rps/command.hpp"

#include <array>

namespace outband::rps {

namespace {

constexpr json::limits envelope_limits{max_message, 3, 64};

using triple = std::array<int, 3>;

std::optional<triple> parse_version(std::string_view s) {
  triple out{};
  for (int& part : out) {
    const auto dot = s.find('.');
    const auto digits = s.substr(0, dot);
    if (digits.empty() || digits.size() > 4 ||
        digits.find_first_not_of("0123456789") != std::string_view::npos)
      return std::nullopt;
    part = std::stoi(std::string(digits));
    if ((dot == std::string_view::npos) != (&part == &out[2]))
      return std::nullopt;
    s.remove_prefix(dot == std::string_view::npos ? s.size() : dot + 1);
  }
  return out;
}

/// RPS's rule: the same major number, and nothing newer than ours. Absent: accepted.
bool acceptable(std::string_view theirs) {
  const auto ours = *parse_version(protocol_version);
  const auto v = parse_version(theirs);
  return v && (*v)[0] == ours[0] &&
         (ours[1] > (*v)[1] || (ours[1] == (*v)[1] && ours[2] >= (*v)[2]));
}

/// The text of an optional member; a failure if it is something else.
result<std::string> member(const json::value& doc, std::string_view name) {
  const auto* v = doc.find(name);
  if (v == nullptr || v->is_null())
    return std::string{};
  if (const auto* s = v->text())
    return *s;
  return fail(problem::malformed,
              "Failed to parse client message. " + std::string(name) + " must be a string.",
              std::string(name));
}

failure no_base64() {
  return fail(problem::malformed, "Failed to parse client message payload. It must be base64.",
              "payload");
}

result<client_frame> first_message(const std::string& method, const std::string& payload,
                                   std::string tenant) {
  auto command = parse_command(method);
  if (!command)
    return command.error();
  const auto json = amt::base64_decode(payload);
  if (!json)
    return no_base64();
  auto claim = parse_claim(*json);
  if (!claim)
    return claim.error();
  if (tenant.size() > 64)
    return fail(problem::too_large, "The tenant's name is too long.", "tenantId");
  provisioning_wish out;
  out.act = command->act;
  out.profile = std::move(command->profile);
  out.task = command->task;
  out.task_argument = std::move(command->task_argument);
  out.tenant = std::move(tenant);
  out.machine = std::move(*claim);
  if (command->password)
    out.machine.password = std::move(*command->password);
  if (out.act == provisioning_act::activate && out.machine.password.empty())
    return fail(problem::malformed,
                "Device " + to_string(out.machine.guid) + " activation failed. Missing password.",
                "payload.password");
  return client_frame{std::move(out)};
}

} // namespace

result<client_frame> parse_client_frame(std::string_view text) {
  if (text.size() > max_message)
    return fail(problem::too_large,
                "A message must not exceed " + std::to_string(max_message) + " octets.");
  const auto doc = json::parse(text, envelope_limits);
  if (!doc || doc->members() == nullptr)
    return fail(problem::malformed, "Failed to parse client message. It is not a JSON object.");
  auto method = member(*doc, "method");
  auto version = member(*doc, "protocolVersion");
  auto payload = member(*doc, "payload");
  auto tenant = member(*doc, "tenantId");
  for (const auto* one : {&method, &version, &payload, &tenant})
    if (!*one)
      return one->error();
  if (!version->empty() && !acceptable(*version))
    return fail(problem::unsupported,
                "protocol version NOT supported: " +
                    (parse_version(*version) ? *version : std::string("unreadable")),
                "protocolVersion");
  if (is_command(*method))
    return first_message(*method, *payload, std::move(*tenant));
  if (*method == "response" || *method == "tls_data") {
    auto octets = amt::base64_decode(*payload);
    if (!octets)
      return no_base64();
    if (*method == "response")
      return client_frame{firmware_response{std::move(*octets)}};
    return client_frame{tls_octets{std::move(*octets)}};
  }
  if (*method == "connection_reset")
    return client_frame{connection_reset{}};
  if (*method == "port_switch_ack")
    return client_frame{port_switched{}};
  if (*method == "heartbeat_response")
    return client_frame{heartbeat{}};
  return fail(problem::malformed, "Not a supported method received from AMT device.", "method");
}

} // namespace outband::rps
