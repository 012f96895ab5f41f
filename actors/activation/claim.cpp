#include "actors/activation/claim.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <string_view>

namespace outband::activation {

namespace {

std::optional<int> leading_number(std::string_view text) {
  int out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc{} || end == text.data())
    return std::nullopt;
  return out;
}

/// "11.6" of "11.6.29.3287".
std::string_view first_two(std::string_view version) {
  const auto dot = version.find('.');
  return dot == std::string_view::npos ? version : version.substr(0, version.find('.', dot + 1));
}

} // namespace

std::optional<failure> unfit_firmware(const machine_claim& m) {
  const auto who = "Device " + to_string(m.guid) + " activation failed. ";
  const auto major = leading_number(m.version);
  if (!major)
    return fail(problem::malformed, who + "AMT version '" + m.version + "' is not a version.",
                "ver");
  if (*major < 7)
    return fail(problem::unsupported,
                "AMT version: " + m.version +
                    ". Version less than 7 cannot be remotely configured ",
                "ver");
  constexpr std::array<std::string_view, 11> old = {"7.0", "7.1",  "8.0",  "8.1",  "9.0", "9.1",
                                                    "9.5", "10.0", "11.0", "11.5", "11.6"};
  if (std::find(old.begin(), old.end(), first_two(m.version)) != old.end()) {
    const auto build = leading_number(m.build);
    if (!build || *build < 3000)
      return fail(problem::unsupported, who + "Please check with your OEM for a firmware update.",
                  "build");
  }
  if (m.password.empty())
    return fail(problem::malformed, who + "Missing password.", "password");
  return std::nullopt;
}

result<std::vector<secret_text>> candidates(const secret_versions& stored, const secret_text& given,
                                            bool token_names_machine, const std::string& who) {
  std::vector<secret_text> out;
  auto add = [&](const secret_text& s) {
    if (!s.empty() && std::none_of(out.begin(), out.end(),
                                   [&](const auto& had) { return equal(had, s.reveal()); }))
      out.push_back(s);
  };
  const bool known = (stored.active && equal(*stored.active, given.reveal())) ||
                     (stored.pending && equal(*stored.pending, given.reveal()));
  const bool nothing_stored = !stored.active && !stored.pending;
  if (!known && !token_names_machine && !nothing_stored)
    return fail(problem::forbidden, "AMT password DOES NOT match stored version for " + who,
                "password");
  if (known || token_names_machine) {
    // What is pending was on its way to the machine when something broke.
    if (stored.pending)
      add(*stored.pending);
    if (stored.active)
      add(*stored.active);
  }
  add(given);
  return out;
}

} // namespace outband::activation
