#include "messages/amt/inventory.hpp"

#include "messages/amt/catalogue.hpp"
#include "messages/amt/pass_through.hpp"

#include <algorithm>
#include <utility>

namespace outband::amt {

namespace {

using namespace std::chrono_literals;

result<class_reading> read_one(wsman::talk& t, std::string_view cls) {
  class_reading out{cls, true, {}, nullptr, false};
  auto instance = t.get(cls);
  if (!instance)
    return instance.error();
  out.answer = t.last();
  out.items.push_back(*instance);
  return out;
}

/// `item`: the class whose instances count, where `cls` is abstract.
result<class_reading> read_list(wsman::talk& t, std::string_view cls, std::string_view item) {
  class_reading out{cls, false, {}, nullptr, false};
  auto items = t.list(cls);
  if (!items)
    return items.error();
  out.answer = t.last();
  out.items = wsman::instances(**items, item);
  return out;
}

struct wanted {
  std::string_view cls;
  std::string_view item; ///< empty: Get
};

/// Refusals are tolerated; who tolerates all of them learns nothing, so that is a failure.
result<std::vector<class_reading>> read_all(wsman::talk& t, const wanted* first,
                                            const wanted* last) {
  std::vector<class_reading> out;
  std::optional<failure> refusal;
  for (const auto* w = first; w != last; ++w) {
    auto told = w->item.empty() ? read_one(t, w->cls) : read_list(t, w->cls, w->item);
    if (!told) {
      if (!refusal)
        refusal = told.error();
      told = class_reading{w->cls, w->item.empty(), {}, nullptr, true};
    }
    out.push_back(std::move(*told));
  }
  const bool something =
      std::any_of(out.begin(), out.end(), [](const auto& r) { return !r.refused; });
  if (!something)
    return *refusal;
  return out;
}

// -- JSON ---------------------------------------------------------------------------------------

json::array items_json(const class_reading& r) {
  json::array out;
  for (const auto* item : r.items)
    out.push_back(as_json(*item));
  return out;
}

/// {"response":{...},"responses":[{"Header":...,"Body":{"CIM_Card":{...}}}],"status":200}
json::object one_json(const class_reading& r) {
  if (r.items.empty())
    return {{"responses", json::array{nullptr}}, {"status", 400}};
  const auto instance = as_json(*r.items.front());
  return {{"response", instance},
          {"responses",
           json::array{json::object{{"Header", header_as_json(*r.answer)},
                                    {"Body", json::object{{std::string(r.cls), instance}}}}}},
          {"status", 200}};
}

/// {"responses":[{...},{...}],"status":200}; MPS has one array more around several chips,
/// processors or packages, but not around memory or media.
json::object list_json(const class_reading& r) {
  if (r.items.empty())
    return {{"responses", json::array{nullptr}}, {"status", 400}};
  return {{"responses", items_json(r)}, {"status", 200}};
}

result<json::value> general(wsman::talk& t, const json::value&) {
  auto told = get_general_settings(t);
  if (!told)
    return told.error();
  return json::value(json::object{{"Header", header_as_json(*told->answer, relates_to::text)},
                                  {"Body", as_json(*told->items.front())}});
}

result<json::value> version(wsman::talk& t, const json::value&) {
  auto told = get_version(t);
  if (!told)
    return told.error();
  const auto setup = as_json(*told->setup.items.front());
  return json::value(json::object{
      {"CIM_SoftwareIdentity",
       json::object{{"responses", items_json(told->software)}, {"status", 200}}},
      {"AMT_SetupAndConfigurationService",
       json::object{{"response", setup},
                    {"responses",
                     json::object{{"Header", header_as_json(*told->setup.answer, relates_to::text)},
                                  {"Body", setup}}},
                    {"status", 200}}}});
}

result<json::value> hardware(wsman::talk& t, const json::value&) {
  auto told = get_hardware(t);
  if (!told)
    return told.error();
  // MPS answers in another order than it asks.
  static constexpr std::string_view order[] = {"CIM_ComputerSystemPackage",
                                               "CIM_SystemPackaging",
                                               "CIM_Chassis",
                                               "CIM_Chip",
                                               "CIM_Card",
                                               "CIM_BIOSElement",
                                               "CIM_Processor",
                                               "CIM_PhysicalMemory",
                                               "CIM_MediaAccessDevice",
                                               "CIM_PhysicalPackage"};
  json::object out;
  for (auto cls : order)
    for (const auto& r : *told)
      if (r.cls == cls)
        out.push_back({std::string(cls), r.singular ? one_json(r) : list_json(r)});
  return json::value(std::move(out));
}

/// Console nests its list once more: "responses":[[{...},{...}]].
result<json::value> disks(wsman::talk& t, const json::value&) {
  auto told = get_disks(t);
  if (!told)
    return told.error();
  json::object out;
  for (const auto& r : *told)
    out.push_back({std::string(r.cls), json::object{{"responses", json::array{items_json(r)}},
                                                    {"status", r.refused ? 400 : 200}}});
  return json::value(std::move(out));
}

} // namespace

result<class_reading> get_general_settings(wsman::talk& t) {
  return read_one(t, "AMT_GeneralSettings");
}

result<version_reading> get_version(wsman::talk& t) {
  auto software = read_list(t, "CIM_SoftwareIdentity", "CIM_SoftwareIdentity");
  if (!software)
    return software.error();
  auto setup = read_one(t, "AMT_SetupAndConfigurationService");
  if (!setup)
    return setup.error();
  return version_reading{std::move(*software), std::move(*setup)};
}

result<std::vector<class_reading>> get_hardware(wsman::talk& t) {
  static constexpr wanted all[] = {
      {"CIM_ComputerSystemPackage", {}},
      {"CIM_Chassis", {}},
      {"CIM_Card", {}},
      {"CIM_BIOSElement", {}},
      {"CIM_Processor", "CIM_Processor"},
      {"CIM_PhysicalMemory", "CIM_PhysicalMemory"},
      {"CIM_MediaAccessDevice", "CIM_MediaAccessDevice"},
      {"CIM_PhysicalPackage", "CIM_Card"}, // chassis and chips are among them too
      {"CIM_SystemPackaging", "CIM_ComputerSystemPackage"},
      {"CIM_Chip", "CIM_Chip"},
  };
  return read_all(t, std::begin(all), std::end(all));
}

result<std::vector<class_reading>> get_disks(wsman::talk& t) {
  static constexpr wanted all[] = {{"CIM_MediaAccessDevice", "CIM_MediaAccessDevice"},
                                   {"CIM_PhysicalPackage", "CIM_Card"}};
  return read_all(t, std::begin(all), std::end(all));
}

std::vector<operation> inventory_operations() {
  constexpr auto reads = wsman::effect::none;
  return {{"general.get", reads, general},
          {"version.get", reads, version},
          {"hardware.get", reads, hardware, nullptr, 30s, false, "hardware"},
          {"disk.get", reads, disks, nullptr, 15s}};
}

} // namespace outband::amt
