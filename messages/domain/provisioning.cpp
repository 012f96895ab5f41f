#include "messages/domain/provisioning.hpp"

#include <array>
#include <utility>

namespace outband {

namespace {

template <class E, std::size_t N> using names = std::array<std::pair<E, std::string_view>, N>;

template <class E, std::size_t N> std::string_view name_in(const names<E, N>& table, E value) {
  for (const auto& [e, name] : table)
    if (e == value)
      return name;
  return {};
}
template <class E, std::size_t N>
std::optional<E> find_in(const names<E, N>& table, std::string_view text) {
  for (const auto& [e, name] : table)
    if (name == text)
      return e;
  return std::nullopt;
}

constexpr names<activation_kind, 2> kinds{
    {{activation_kind::client_mode, "ccmactivate"}, {activation_kind::admin_mode, "acmactivate"}}};
constexpr names<consent_rule, 3> consents{
    {{consent_rule::none, "None"}, {consent_rule::kvm, "KVM"}, {consent_rule::all, "All"}}};
constexpr names<provisioning_act, 3> acts{{{provisioning_act::activate, "activate"},
                                           {provisioning_act::deactivate, "deactivate"},
                                           {provisioning_act::maintain, "maintenance"}}};
constexpr names<activation_state, 4> states{{{activation_state::running, "running"},
                                             {activation_state::done, "done"},
                                             {activation_state::failed, "failed"},
                                             {activation_state::interrupted, "interrupted"}}};

} // namespace

std::string_view to_string(activation_kind k) {
  return name_in(kinds, k);
}
std::optional<activation_kind> parse_activation_kind(std::string_view text) {
  return find_in(kinds, text);
}
bool same_site(const cira_config& a, const cira_config& b) {
  return a.server == b.server && a.format == b.format && a.port == b.port &&
         a.common_name == b.common_name && a.root_certificate == b.root_certificate;
}

std::string_view to_string(consent_rule r) {
  return name_in(consents, r);
}
std::optional<consent_rule> parse_consent_rule(std::string_view text) {
  return find_in(consents, text);
}
std::string_view to_string(provisioning_act a) {
  return name_in(acts, a);
}
std::optional<provisioning_act> parse_provisioning_act(std::string_view text) {
  return find_in(acts, text);
}
std::string_view to_string(activation_state s) {
  return name_in(states, s);
}
std::optional<activation_state> parse_activation_state(std::string_view text) {
  return find_in(states, text);
}

} // namespace outband
