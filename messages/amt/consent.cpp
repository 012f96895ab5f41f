#include "messages/amt/consent.hpp"

#include "messages/amt/argument.hpp"
#include "messages/amt/catalogue.hpp"
#include "messages/amt/status.hpp"

#include <algorithm>

namespace outband::amt {

namespace {

constexpr std::size_t code_length = 6;
constexpr std::string_view service = "IPS_OptInService";

result<std::uint32_t> value_of(const result<wsman::returned>& told) {
  if (!told)
    return told.error();
  return told->value;
}

/// What a method's refusals amount to.
struct refusals {
  std::string_view internal_error;
  std::string_view invalid_state;
};

std::string_view refusal(std::uint32_t value, const refusals& of) {
  switch (static_cast<consent_answer>(value)) {
  case consent_answer::success:
    return {};
  case consent_answer::internal_error:
    return of.internal_error;
  case consent_answer::invalid_state:
    return of.invalid_state;
  case consent_answer::blocked:
    return "the firmware blocks consent after wrong codes; request a new code";
  case consent_answer::failed_ffs:
    return "the firmware could not store it; try again";
  }
  return status_text(value);
}

/// A refusal is a result as well: MPS sends the same body with status 400.
result<json::value> answer(const wsman::talk& t, const result<std::uint32_t>& told,
                           const refusals& of) {
  if (!told)
    return told.error();
  return acknowledgement(t, *told, refusal(*told, of), relates_to::text);
}

result<json::value> request(wsman::talk& t, const json::value&) {
  return answer(t, request_consent(t),
                {status_text(1),
                 "a code is on the screen already, or the machine needs no consent, or it is off"});
}

result<json::value> cancel(wsman::talk& t, const json::value&) {
  return answer(t, cancel_consent(t), {status_text(1), "no consent was requested or given"});
}

/// nullopt: it is no number of at most six digits.
std::optional<std::string> code_of(const json::value& v) {
  if (const auto* s = v.text())
    return consent_code(*s);
  if (const auto* n = v.integer())
    return consent_code(std::to_string(*n));
  return std::nullopt;
}

std::vector<rest::field_error> check(const json::value& argument) {
  argument_reader r(argument);
  const auto* v = argument.find("consentCode");
  if (v == nullptr || !code_of(*v))
    r.wrong("consentCode", "must be the number of six digits on the machine's screen");
  return std::move(r).errors();
}

result<json::value> send(wsman::talk& t, const json::value& argument) {
  const auto* v = argument.find("consentCode");
  const auto code = v != nullptr ? code_of(*v) : std::nullopt;
  if (!code)
    return fail(problem::malformed, "not a number of six digits", "consentCode");
  return answer(t, send_consent(t, *code),
                {"the code is wrong; after three wrong ones a new code has to be requested",
                 "no code is on the screen; request one first"});
}

} // namespace

result<std::uint32_t> request_consent(wsman::talk& t) {
  return value_of(t.invoke(service, "StartOptIn"));
}

result<std::uint32_t> send_consent(wsman::talk& t, std::string_view code) {
  return value_of(t.invoke(service, "SendOptInCode", wsman::property("OptInCode", code)));
}

result<std::uint32_t> cancel_consent(wsman::talk& t) {
  return value_of(t.invoke(service, "CancelOptIn"));
}

std::optional<std::string> consent_code(std::string_view digits) {
  if (digits.empty() || digits.size() > code_length ||
      !std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; }))
    return std::nullopt;
  return std::string(code_length - digits.size(), '0') + std::string(digits);
}

std::vector<operation> consent_operations() {
  using wsman::effect;
  std::vector<operation> out{{"consent.request", effect::change, request},
                             {"consent.send", effect::change, send, check},
                             {"consent.cancel", effect::change, cancel}};
  for (auto& o : out)
    o.look_after = "features.get";
  out[1].secret = true;
  return out;
}

} // namespace outband::amt
