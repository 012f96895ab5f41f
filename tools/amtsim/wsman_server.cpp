#include "tools/amtsim/wsman_server.hpp"

#include "messages/wsman/answers.hpp"
#include "tools/amtsim/instances.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <variant>

namespace outband::amtsim {

namespace {

using soap_fault = wsman::fault_kind;
namespace action = wsman::action;

constexpr std::uint32_t success = 0;
constexpr std::uint32_t invalid_parameter = 36;

/// One request being served.
struct call {
  const wsman::request& asked;
  std::string_view class_name;
  device_model& device;
  fault_set& faults;
  sim_time now;
  wsman::answer_header header;

  wsman_reply fault(soap_fault kind) const { return {400, wsman::write_fault(header, kind), {}}; }
};

std::string text_of(const wsman::instance& i, std::string_view name) {
  for (const auto& f : i.fields)
    if (f.name == name)
      if (const auto* text = std::get_if<std::string>(&f.value))
        return *text;
  return {};
}

bool matches(const wsman::instance& i, const std::vector<wsman::selector>& selectors) {
  return std::all_of(selectors.begin(), selectors.end(), [&](const wsman::selector& s) {
    return s.reference.empty() && text_of(i, s.name) == s.value;
  });
}

wsman_reply get(const call& c) {
  const auto all = instances_of(c.class_name, c.device);
  if (!all)
    return c.fault(soap_fault::destination_unreachable);
  for (const auto& i : *all)
    if (matches(i, c.asked.selectors))
      return {200, wsman::write_instance(c.header, i), {}};
  return c.fault(soap_fault::destination_unreachable);
}

wsman_reply put(const call& c) {
  if (c.asked.body.children.empty())
    return c.fault(soap_fault::schema_validation_error);
  const auto& body = c.asked.body.children.front();
  if (body.name != c.class_name)
    return c.fault(soap_fault::invalid_representation);
  const auto all = instances_of(c.class_name, c.device);
  if (!all || all->empty() || !matches(all->front(), c.asked.selectors))
    return c.fault(soap_fault::destination_unreachable);
  switch (put_instance(body, c.device)) {
  case put_result::stored:
    break;
  case put_result::not_supported:
    return c.fault(soap_fault::action_not_supported);
  case put_result::bad_value:
    return c.fault(soap_fault::invalid_representation);
  }
  return {200, wsman::write_instance(c.header, instances_of(c.class_name, c.device)->front()), {}};
}

wsman_reply enumerate(const call& c) {
  if (!instances_of(c.class_name, c.device))
    return c.fault(soap_fault::destination_unreachable);
  return {
      200, wsman::write_enumeration(c.header, c.device.remember(std::string(c.class_name), 0)), {}};
}

wsman_reply pull(const call& c) {
  const auto* pull = c.asked.body.child("Pull");
  if (pull == nullptr)
    return c.fault(soap_fault::schema_validation_error);
  const auto context = c.device.recall(pull->child_text("EnumerationContext"));
  if (!context || context->class_name != c.class_name)
    return c.fault(soap_fault::invalid_enumeration_context);
  auto all = *instances_of(c.class_name, c.device); // existed when it was enumerated
  const auto batch = c.device.shared().batch;
  const auto from = std::min(context->offset, all.size());
  const auto to = batch == 0 ? all.size() : std::min(from + batch, all.size());
  std::string next;
  if (to < all.size())
    next = c.device.remember(std::string(c.class_name), to);
  const std::vector<wsman::instance> items(
      std::make_move_iterator(all.begin() + static_cast<std::ptrdiff_t>(from)),
      std::make_move_iterator(all.begin() + static_cast<std::ptrdiff_t>(to)));
  return {200, wsman::write_items(c.header, items, next), {}};
}

// -- methods: the input element in, ReturnValue out ---------------------------------------------

using outcome = std::variant<std::uint32_t, soap_fault>;

outcome number_or(const wsman::node& input, std::string_view name,
                  std::uint32_t (*then)(const call&, std::uint32_t), const call& c) {
  const auto* found = input.child(name);
  if (found == nullptr)
    return soap_fault::schema_validation_error;
  const auto value = wsman::to_number(found->value());
  if (!value)
    return soap_fault::schema_validation_error;
  return then(c, *value);
}

outcome request_power(const call& c, const wsman::node& input) {
  if (input.child("ManagedElement") == nullptr)
    return soap_fault::schema_validation_error;
  return number_or(
      input, "PowerState",
      [](const call& k, std::uint32_t state) {
        return k.device.request_power(state, k.faults, k.now);
      },
      c);
}

outcome request_os_power(const call& c, const wsman::node& input) {
  return number_or(
      input, "OSPowerSavingState",
      [](const call& k, std::uint32_t state) -> std::uint32_t {
        if (state != 2 && state != 3)
          return 5; // INVALID_PARAMETER of this method's own list
        if (k.device.power() != power_state::on)
          return 4097; // INVALID_STATE_TRANSITION
        k.device.os_power_saving = static_cast<int>(state);
        return success;
      },
      c);
}

outcome request_redirection(const call& c, const wsman::node& input) {
  return number_or(
      input, "RequestedState",
      [](const call& k, std::uint32_t state) -> std::uint32_t {
        if (state < 32768 || state > 32771)
          return invalid_parameter;
        k.device.feature.redirection = state;
        return success;
      },
      c);
}

outcome request_kvm(const call& c, const wsman::node& input) {
  return number_or(
      input, "RequestedState",
      [](const call& k, std::uint32_t state) -> std::uint32_t {
        if (state != 2 && state != 3)
          return invalid_parameter;
        k.device.feature.kvm = state == 2;
        return success;
      },
      c);
}

outcome request_boot_service(const call& c, const wsman::node& input) {
  return number_or(
      input, "RequestedState",
      [](const call& k, std::uint32_t state) -> std::uint32_t {
        if (state < 32768 || state > 32771 || !k.device.shared().kind.ocr)
          return invalid_parameter;
        k.device.feature.boot_service = state;
        return success;
      },
      c);
}

outcome set_boot_role(const call& c, const wsman::node& input) {
  return number_or(
      input, "Role",
      [](const call&, std::uint32_t role) { return role <= 2 ? success : invalid_parameter; }, c);
}

outcome change_boot_order(const call& c, const wsman::node& input) {
  const auto* source = input.child("Source");
  if (source == nullptr) {
    c.device.boot_source.clear();
    return success;
  }
  const auto to = wsman::read_endpoint(*source);
  if (!to || to->selectors.empty())
    return soap_fault::schema_validation_error;
  const auto sources = instances_of("CIM_BootSourceSetting", c.device);
  for (const auto& known : *sources) {
    if (text_of(known, "InstanceID") != to->selectors.front().value)
      continue;
    c.device.boot_source = to->selectors.front().value;
    return success;
  }
  return invalid_parameter;
}

struct method {
  std::string_view class_name;
  std::string_view name;
  outcome (*run)(const call&, const wsman::node& input);
};
constexpr std::array<method, 7> methods{{
    {"CIM_PowerManagementService", "RequestPowerStateChange", request_power},
    {"IPS_PowerManagementService", "RequestOSPowerSavingStateChange", request_os_power},
    {"AMT_RedirectionService", "RequestStateChange", request_redirection},
    {"CIM_KVMRedirectionSAP", "RequestStateChange", request_kvm},
    {"CIM_BootService", "RequestStateChange", request_boot_service},
    {"CIM_BootService", "SetBootConfigRole", set_boot_role},
    {"CIM_BootConfigSetting", "ChangeBootOrder", change_boot_order},
}};

wsman_reply invoke(const call& c, std::string_view name) {
  if (!instances_of(c.class_name, c.device))
    return c.fault(soap_fault::destination_unreachable);
  const auto* m = std::find_if(methods.begin(), methods.end(), [&](const method& k) {
    return k.class_name == c.class_name && k.name == name;
  });
  if (m == methods.end())
    return c.fault(soap_fault::action_not_supported);
  const auto* input = c.asked.body.child(std::string(name) + "_INPUT");
  if (input == nullptr || input->ns != c.asked.resource_uri)
    return c.fault(soap_fault::schema_validation_error);
  const auto done = m->run(c, *input);
  if (const auto* kind = std::get_if<soap_fault>(&done))
    return c.fault(*kind);
  return {200, wsman::write_method(c.header, name, {}, std::get<std::uint32_t>(done)), {}};
}

/// "Get", or the method's name; empty if the action is neither known nor of this class.
std::string_view verb(const wsman::request& asked) {
  for (const auto known :
       {action::get, action::put, action::create, action::delete_, action::enumerate, action::pull})
    if (asked.action == known)
      return known.substr(known.rfind('/') + 1);
  const auto& uri = asked.resource_uri;
  if (asked.action.size() > uri.size() + 1 && asked.action.compare(0, uri.size(), uri) == 0 &&
      asked.action[uri.size()] == '/')
    return std::string_view(asked.action).substr(uri.size() + 1);
  return {};
}

wsman_reply dispatch(const call& c, std::string_view what) {
  if (c.class_name.empty())
    return c.fault(soap_fault::destination_unreachable);
  const auto& asked = c.asked.action;
  if (asked == action::get)
    return get(c);
  if (asked == action::put)
    return put(c);
  if (asked == action::enumerate)
    return enumerate(c);
  if (asked == action::pull)
    return pull(c);
  if (what.empty() || asked == action::create || asked == action::delete_)
    return c.fault(soap_fault::action_not_supported);
  return invoke(c, what);
}

} // namespace

wsman_reply serve_wsman(std::string_view soap, device_model& device, fault_set& faults,
                        sim_time now) {
  const auto asked = wsman::parse_request(soap);
  if (!asked) {
    const wsman::answer_header nobody{{}, "0", {}, device.next_message_number()};
    return {400, wsman::write_fault(nobody, soap_fault::schema_validation_error), "malformed"};
  }
  const auto what = verb(*asked);
  std::string relates_to = asked->message_id;
  if (faults.take(fault_kind::wrong_relates_to))
    relates_to += "7";
  const call c{
      *asked,
      wsman::class_of_uri(asked->resource_uri),
      device,
      faults,
      now,
      {asked->action, std::move(relates_to), asked->resource_uri, device.next_message_number()}};
  auto out = dispatch(c, what);
  out.what = std::string(c.class_name) + "/" + std::string(what);
  if (faults.take(fault_kind::bad_xml))
    out.xml.resize(out.xml.size() / 2);
  return out;
}

} // namespace outband::amtsim
