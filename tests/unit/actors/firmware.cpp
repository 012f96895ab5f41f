#include "tests/unit/actors/firmware.hpp"

#include "messages/wsman/answers.hpp"

namespace outband::testing {

void fake_firmware::become(int code) {
  next_ = code;
  left_ = takes;
}

void fake_firmware::pass(std::chrono::milliseconds dt) {
  if (next_ == 0)
    return;
  left_ -= dt;
  if (left_.count() > 0)
    return;
  power = next_;
  next_ = 0;
}

soap_answer fake_firmware::answer(const std::string& envelope) {
  auto r = wsman::parse_request(envelope);
  if (!r)
    return {400, {}};
  wsman::answer_header h{r->action, r->message_id, r->resource_uri, 1};
  const std::string cls(wsman::class_of_uri(r->resource_uri));
  auto instance = [&](std::vector<wsman::field> fields) {
    return soap_answer{200, wsman::write_instance(h, {cls, std::move(fields)})};
  };
  if (r->action == wsman::action::enumerate)
    return {200, wsman::write_enumeration(h, "A1020000-0000-0000-0000-000000000000")};
  if (r->action == wsman::action::pull) {
    std::vector<wsman::instance> items;
    if (cls == "CIM_ServiceAvailableToElement")
      items.push_back({"CIM_AssociatedPowerManagementService",
                       {{"PowerState", std::to_string(power)},
                        {"AvailableRequestedPowerStates", std::string("8")}}});
    if (cls == "CIM_SoftwareIdentity")
      for (auto [name, value] : {std::pair{"AMT", "16.1.25"}, std::pair{"Sku", "16392"}})
        items.push_back({cls,
                         {{"InstanceID", std::string(name)},
                          {"IsEntity", std::string("true")},
                          {"VersionString", std::string(value)}}});
    return {200, wsman::write_items(h, items)};
  }
  if (r->action == wsman::action::get && cls == "IPS_PowerManagementService")
    return instance({{"OSPowerSavingState", std::string("2")}});
  if (cls == "AMT_BootCapabilities" || cls == "AMT_BootSettingData")
    return instance(
        {{"InstanceID", std::string("Intel(r) AMT")}, {"BIOSSetup", std::string("true")}});
  if (r->action.find("/RequestPowerStateChange") != std::string::npos) {
    const auto* in = r->body.child("RequestPowerStateChange_INPUT");
    const auto code = in ? wsman::to_number(in->child_text("PowerState")).value_or(0) : 0;
    asked.push_back(static_cast<int>(code));
    switch (code) {
    case 2:
      become(2);
      break;
    case 8:
      become(8);
      break;
    case 12:
      if (!ignores_graceful)
        become(8);
      break;
    default:
      break; // a reset leaves it on
    }
    return {200, wsman::write_method(h, "RequestPowerStateChange", {}, 0)};
  }
  return {400, wsman::write_fault(h, wsman::fault_kind::destination_unreachable)};
}

} // namespace outband::testing
