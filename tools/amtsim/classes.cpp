#include "tools/amtsim/classes.hpp"

#include <algorithm>
#include <iterator>

namespace outband::amtsim {

namespace {

class_table joined() {
  class_table all;
  const auto add = [](auto& to, auto&& from) {
    to.insert(to.end(), from.begin(), from.end());
  };
  for (auto* topic : {
           account_classes,     alarm_classes,    audit_classes,   boot_classes,
           certificate_classes, cira_classes,     consent_classes, diagnostic_classes,
           event_log_classes,   eventing_classes, feature_classes, hardware_classes,
           identity_classes,    network_classes,  power_classes,   proxy_classes,
           setup_classes,       tls_classes,      wifi_classes,
       }) {
    const auto table = topic();
    add(all.classes, table.classes);
    add(all.methods, table.methods);
    add(all.families, table.families);
    add(all.flash, table.flash);
  }
  return all;
}

const class_table& classes() {
  static const class_table all = joined();
  return all;
}

bool same(const wsman::selector& a, const wsman::selector& b);

/// Every selector that is asked for is one of those that name the instance.
bool covers(const std::vector<wsman::selector>& have, const std::vector<wsman::selector>& asked) {
  return std::all_of(asked.begin(), asked.end(), [&](const wsman::selector& s) {
    return std::any_of(have.begin(), have.end(),
                       [&](const wsman::selector& h) { return h.name == s.name && same(h, s); });
  });
}

/// AMT_TLSProtocolEndpointCollection's name has a blank that clients leave out.
bool same_collection(std::string_view a, std::string_view b) {
  constexpr std::string_view with = "TLSProtocolEndpoint Instances Collection";
  constexpr std::string_view without = "TLSProtocolEndpointInstances Collection";
  return (a == with && b == without) || (a == without && b == with);
}

bool same(const wsman::selector& a, const wsman::selector& b) {
  if (a.reference.empty() || b.reference.empty())
    return a.reference.empty() && b.reference.empty() &&
           (a.value == b.value || same_collection(a.value, b.value));
  return a.resource_uri == b.resource_uri && covers(a.reference, b.reference);
}

} // namespace

const class_row* find_class(std::string_view name, const device_model& device) {
  for (const auto& c : classes().classes)
    if (c.name == name)
      return c.exists == nullptr || c.exists(device) ? &c : nullptr;
  return nullptr;
}

const method_row* find_method(std::string_view class_name, std::string_view name) {
  for (const auto& m : classes().methods)
    if (m.class_name == class_name && m.name == name)
      return &m;
  return nullptr;
}

flash read_flash(const device_model& from) {
  flash out;
  for (const auto& row : classes().flash) {
    kept_texts texts;
    row.save(from, texts);
    if (!texts.empty())
      out.emplace(row.topic, std::move(texts));
  }
  return out;
}

void write_flash(const flash& what, device_model& into) {
  for (const auto& row : classes().flash)
    if (const auto found = what.find(std::string(row.topic)); found != what.end())
      row.load(found->second, into);
}

std::optional<instances> instances_of(std::string_view class_name, const device_model& device) {
  std::optional<instances> out;
  const auto take_in = [&](std::string_view name) {
    const auto* row = find_class(name, device);
    if (row == nullptr)
      return;
    auto some = row->list(device);
    if (!out)
      out = std::move(some);
    else
      std::move(some.begin(), some.end(), std::back_inserter(*out));
  };
  take_in(class_name);
  for (const auto& f : classes().families)
    if (f.super == class_name)
      for (const auto member : f.members)
        take_in(member);
  return out;
}

std::string selected(const context& c, std::string_view name, std::string_view otherwise) {
  for (const auto& s : c.selectors)
    if (s.name == name)
      return s.value;
  return std::string(otherwise);
}

bool matches(const wsman::instance& i, const std::vector<wsman::selector>& selectors) {
  return std::all_of(selectors.begin(), selectors.end(), [&](const wsman::selector& s) {
    return std::any_of(i.fields.begin(), i.fields.end(), [&](const wsman::field& f) {
      if (f.name != s.name)
        return false;
      if (const auto* to = std::get_if<wsman::endpoint>(&f.value))
        return !s.reference.empty() && to->resource_uri == s.resource_uri &&
               covers(to->selectors, s.reference);
      const auto* value = std::get_if<std::string>(&f.value);
      return value != nullptr && s.reference.empty() && *value == s.value;
    });
  });
}

} // namespace outband::amtsim
