#include "messages/amt/displays.hpp"

#include "messages/amt/argument.hpp"
#include "messages/amt/catalogue.hpp"
#include "messages/amt/pass_through.hpp"
#include "messages/amt/put_back.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>

namespace outband::amt {

namespace {

constexpr std::int32_t max_pixels = 100'000;
constexpr std::size_t max_screens = 16;

failure odd(std::string_view property, std::string_view text) {
  return fail(problem::device_protocol, "IPS_ScreenSettingData." + std::string(property) + " is '" +
                                            std::string(text.substr(0, 40)) + "'");
}

std::optional<std::int32_t> pixels(std::string_view text) {
  std::int32_t out = 0;
  const auto* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, out);
  if (error != std::errc{} || at != end || out < -max_pixels || out > max_pixels)
    return std::nullopt;
  return out;
}

/// One property of every screen: an element for each, in their order.
template <class T, class Read>
status read_each(const wsman::node& from, std::string_view property, Read read,
                 std::vector<display>& out, T display::*member) {
  std::size_t i = 0;
  for (const auto& c : from.children) {
    if (c.name != property)
      continue;
    const auto value = read(c.value());
    if (!value || i == max_screens)
      return odd(property, c.value());
    if (i == out.size()) {
      out.emplace_back();
      out.back().index = static_cast<std::uint32_t>(i);
    }
    out[i++].*member = *value;
  }
  return success();
}

result<std::vector<display>> read_screens(const wsman::node& from) {
  std::vector<display> out;
  if (auto read = read_each(from, "IsActive", wsman::to_bool, out, &display::active); !read)
    return read.error();
  using row = std::pair<std::string_view, std::int32_t display::*>;
  for (const auto& [name, member] :
       {row{"UpperLeftX", &display::left}, row{"UpperLeftY", &display::top},
        row{"ResolutionX", &display::width}, row{"ResolutionY", &display::height}})
    if (auto read = read_each(from, name, pixels, out, member); !read)
      return read.error();

  using role_row = std::pair<std::string_view, display_role>;
  static constexpr std::array<role_row, 4> roles{{{"PrimaryIndex", display_role::primary},
                                                  {"SecondaryIndex", display_role::secondary},
                                                  {"TertiaryIndex", display_role::tertiary},
                                                  // sic: the class spells it so
                                                  {"QuadraryIndex", display_role::quaternary}}};
  // Captured instances count from 1 (1 to 4 for four screens); one that names a 0 counts from 0.
  constexpr std::uint32_t untold = 0xFFFFFFFF;
  std::array<std::uint32_t, 4> index{};
  std::uint32_t base = 1;
  for (std::size_t i = 0; i < roles.size(); ++i) {
    auto told = wsman::number_or(from, roles[i].first, untold);
    if (!told)
      return told.error();
    index[i] = *told;
    if (*told == 0)
      base = 0;
  }
  for (std::size_t i = roles.size(); i-- > 0;) // of several roles the first counts
    if (index[i] != untold && index[i] - base < out.size())
      out[index[i] - base].role = roles[i].second;
  return out;
}

/// "" for what is write-only, whatever the firmware says it holds.
json::value shown(const wsman::node& settings) {
  auto out = as_json(settings);
  if (auto* members = out.members())
    for (auto& m : *members)
      if (m.name == "RFBPassword")
        m.val = "";
  return out;
}

result<json::value> get(wsman::talk& t, const json::value&) {
  auto told = get_displays(t);
  if (!told)
    return told.error();
  json::array list;
  for (const auto& d : *told) {
    json::object o{{"displayIndex", d.index},  {"isActive", d.active},   {"upperLeftX", d.left},
                   {"upperLeftY", d.top},      {"resolutionX", d.width}, {"resolutionY", d.height},
                   {"isDefault", d.is_default}};
    if (d.role)
      o.push_back({"role", to_string(*d.role)});
    list.push_back(std::move(o));
  }
  return json::value(json::object{{"displays", std::move(list)}});
}

std::vector<rest::field_error> check(const json::value& argument) {
  argument_reader r(argument);
  const auto index = integer_at(argument, "displayIndex");
  if (!index || *index < 0 || *index > max_display)
    r.wrong("displayIndex", "must be a number from 0 to 3");
  return std::move(r).errors();
}

result<json::value> set(wsman::talk& t, const json::value& argument) {
  const auto index = integer_at(argument, "displayIndex").value_or(0);
  auto told = set_display(t, static_cast<std::uint32_t>(index));
  if (!told)
    return told.error();
  return json::value(json::object{{"IPS_KVMRedirectionSettingData", shown(**told)}});
}

} // namespace

std::string_view to_string(display_role r) {
  switch (r) {
  case display_role::primary:
    return "primary";
  case display_role::secondary:
    return "secondary";
  case display_role::tertiary:
    return "tertiary";
  case display_role::quaternary:
    return "quaternary";
  }
  return "primary";
}

result<std::vector<display>> get_displays(wsman::talk& t) {
  auto items = t.list("IPS_ScreenSettingData");
  if (!items)
    return t.is_absent() ? fail(problem::not_found, "KVM Screen Setting Data not found")
                         : items.error();
  auto kvm = t.get("IPS_KVMRedirectionSettingData");
  if (!kvm)
    return t.is_absent() ? fail(problem::not_found, "KVM Redirection Setting Data not found")
                         : kvm.error();
  auto chosen = wsman::number_or(**kvm, "DefaultScreen", max_display + 1);
  if (!chosen)
    return chosen.error();
  std::vector<display> out;
  for (const auto* item : wsman::instances(**items, "IPS_ScreenSettingData")) {
    auto screens = read_screens(*item);
    if (!screens)
      return screens.error();
    for (auto& s : *screens) {
      s.is_default = s.index == *chosen;
      out.push_back(s);
    }
    if (out.size() > max_screens)
      return fail(problem::device_protocol, "the firmware lists more than 16 screens");
  }
  return out;
}

result<const wsman::node*> set_display(wsman::talk& t, std::uint32_t index) {
  auto read = t.get("IPS_KVMRedirectionSettingData");
  if (!read)
    return t.is_absent() ? fail(problem::not_found, "KVM Redirection Setting Data not found")
                         : read.error();
  auto put = t.put("IPS_KVMRedirectionSettingData",
                   put_back(**read, {{"DefaultScreen", std::to_string(index)}}));
  if (!put || *put != nullptr)
    return put;
  return t.get("IPS_KVMRedirectionSettingData"); // this firmware echoes nothing
}

std::vector<operation> display_operations() {
  using wsman::effect;
  operation read{"displays.get", effect::none, get};
  read.fact = "displays";
  operation write{"displays.set", effect::change, set, check};
  write.look_after = "displays.get";
  return {read, write};
}

} // namespace outband::amt
