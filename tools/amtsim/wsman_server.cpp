#include "tools/amtsim/wsman_server.hpp"

#include "messages/wsman/answers.hpp"
#include "tools/amtsim/classes.hpp"

#include <algorithm>
#include <iterator>
#include <utility>
#include <variant>

namespace outband::amtsim {

namespace {

namespace action = wsman::action;
constexpr std::string_view eventing_subscribe =
    "http://schemas.xmlsoap.org/ws/2004/08/eventing/Subscribe";
constexpr std::string_view eventing_unsubscribe =
    "http://schemas.xmlsoap.org/ws/2004/08/eventing/Unsubscribe";

/// One request being served.
struct call {
  const wsman::request& asked;
  std::string_view class_name;
  device_model& device;
  fault_set& faults;
  sim_time now;
  const caller& who;
  wsman::answer_header header;

  wsman_reply fault(soap_fault kind) const { return {400, wsman::write_fault(header, kind), {}}; }
};

wsman_reply get(const call& c) {
  const auto all = instances_of(c.class_name, c.device);
  if (all)
    for (const auto& i : *all)
      if (matches(i, c.asked.selectors))
        return {200, wsman::write_instance(c.header, i), {}};
  return c.fault(soap_fault::destination_unreachable);
}

/// Clients name the instance in the header, in the body, or, where there is but one, nowhere.
std::vector<wsman::selector> meant(const call& c, const class_row& row, const wsman::node& body) {
  if (!c.asked.selectors.empty())
    return c.asked.selectors;
  const auto key = body.child_text(row.key);
  if (key.empty())
    return {};
  return {{std::string(row.key), std::string(key)}};
}

wsman_reply put(const call& c) {
  if (c.asked.body.children.empty())
    return c.fault(soap_fault::schema_validation_error);
  const auto& body = c.asked.body.children.front();
  if (body.name != c.class_name || body.ns != c.asked.resource_uri)
    return c.fault(soap_fault::invalid_representation);
  const auto* row = find_class(c.class_name, c.device);
  if (row == nullptr)
    return c.fault(soap_fault::destination_unreachable);
  if (row->put == nullptr)
    return c.fault(soap_fault::action_not_supported);
  const auto selectors = meant(c, *row, body);
  const auto position = [&](const instances& all) {
    return std::find_if(all.begin(), all.end(),
                        [&](const wsman::instance& i) { return matches(i, selectors); });
  };
  const auto before = row->list(c.device);
  const auto target = position(before);
  if (target == before.end())
    return c.fault(soap_fault::destination_unreachable);
  context in{c.device, c.faults, c.now, c.who.user, c.asked.selectors};
  if (const auto no = row->put(body, *target, in))
    return c.fault(*no);
  if (!row->echoes)
    return {200, wsman::write_nothing(c.header), {}};
  const auto after = row->list(c.device);
  auto stored = position(after);
  if (stored == after.end()) // renamed
    stored = after.begin() +
             std::min(target - before.begin(), std::distance(after.begin(), after.end()) - 1);
  return {200, wsman::write_instance(c.header, *stored), {}};
}

wsman_reply remove(const call& c) {
  const auto* row = find_class(c.class_name, c.device);
  if (row == nullptr)
    return c.fault(soap_fault::destination_unreachable);
  if (row->remove == nullptr)
    return c.fault(soap_fault::action_not_supported);
  for (const auto& i : row->list(c.device)) {
    if (!matches(i, c.asked.selectors))
      continue;
    context in{c.device, c.faults, c.now, c.who.user, c.asked.selectors};
    if (const auto no = row->remove(i, in))
      return c.fault(*no);
    return {200, wsman::write_nothing(c.header), {}};
  }
  return c.fault(soap_fault::destination_unreachable);
}

wsman_reply create(const call& c) {
  const auto* row = find_class(c.class_name, c.device);
  if (row == nullptr)
    return c.fault(soap_fault::destination_unreachable);
  if (row->create == nullptr)
    return c.fault(soap_fault::action_not_supported);
  if (c.asked.body.children.empty())
    return c.fault(soap_fault::schema_validation_error);
  const auto& body = c.asked.body.children.front();
  if (body.name != c.class_name || body.ns != c.asked.resource_uri)
    return c.fault(soap_fault::invalid_representation);
  context in{c.device, c.faults, c.now, c.who.user, c.asked.selectors};
  auto made = row->create(body, in);
  if (const auto* kind = std::get_if<soap_fault>(&made))
    return c.fault(*kind);
  const wsman::endpoint to{c.asked.resource_uri,
                           std::get<std::vector<wsman::selector>>(std::move(made))};
  return {200, wsman::write_created(c.header, to), {}};
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
  const auto known = c.device.recall(pull->child_text("EnumerationContext"));
  if (!known || known->class_name != c.class_name)
    return c.fault(soap_fault::invalid_enumeration_context);
  auto all = *instances_of(c.class_name, c.device); // existed when it was enumerated
  const auto batch = c.device.shared().batch;
  const auto from = std::min(known->offset, all.size());
  const auto to = batch == 0 ? all.size() : std::min(from + batch, all.size());
  std::string next;
  if (to < all.size())
    next = c.device.remember(std::string(c.class_name), to);
  const instances items(std::make_move_iterator(all.begin() + static_cast<std::ptrdiff_t>(from)),
                        std::make_move_iterator(all.begin() + static_cast<std::ptrdiff_t>(to)));
  return {200, wsman::write_items(c.header, items, next), {}};
}

wsman_reply subscribe_to(const call& c) {
  const auto all = instances_of(c.class_name, c.device);
  if (!all)
    return c.fault(soap_fault::destination_unreachable);
  if (c.class_name != "CIM_FilterCollection")
    return c.fault(soap_fault::action_not_supported);
  for (const auto& i : *all) {
    if (!matches(i, c.asked.selectors))
      continue;
    context in{c.device, c.faults, c.now, c.who.user, c.asked.selectors};
    const auto done = subscribe(c.asked.body, i, in);
    if (const auto* kind = std::get_if<soap_fault>(&done))
      return c.fault(*kind);
    return {200, wsman::write_subscribed(c.header, std::get<wsman::endpoint>(done)), {}};
  }
  return c.fault(soap_fault::destination_unreachable);
}

wsman_reply invoke(const call& c, std::string_view name) {
  if (find_class(c.class_name, c.device) == nullptr)
    return c.fault(soap_fault::destination_unreachable);
  const auto* m = find_method(c.class_name, name);
  if (m == nullptr)
    return c.fault(soap_fault::action_not_supported);
  const auto* input = c.asked.body.child(std::string(name) + "_INPUT");
  if (input == nullptr || input->ns != c.asked.resource_uri)
    return c.fault(soap_fault::schema_validation_error);
  context in{c.device, c.faults, c.now, c.who.user, c.asked.selectors};
  const auto done = m->run(*input, in);
  if (done.fault)
    return c.fault(*done.fault);
  return {200,
          wsman::write_method(c.header, name, done.out, done.return_value),
          {},
          done.delay,
          done.cut};
}

/// "Get", or the method's name; empty if the action is neither known nor of this class.
std::string_view verb(const wsman::request& asked) {
  for (const auto known :
       {action::get, action::put, action::create, action::delete_, action::enumerate, action::pull,
        eventing_subscribe, eventing_unsubscribe})
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
  if (!is_permitted(c.device, c.who, c.class_name, what))
    return c.fault(soap_fault::access_denied);
  const auto& asked = c.asked.action;
  if (asked == action::get)
    return get(c);
  if (asked == action::put)
    return put(c);
  if (asked == action::enumerate)
    return enumerate(c);
  if (asked == action::pull)
    return pull(c);
  if (asked == action::delete_ || asked == eventing_unsubscribe)
    return remove(c);
  if (asked == eventing_subscribe)
    return subscribe_to(c);
  if (asked == action::create)
    return create(c);
  if (what.empty())
    return c.fault(soap_fault::action_not_supported);
  return invoke(c, what);
}

// -- faults on order ----------------------------------------------------------------------------

void rename(std::string& xml, const std::string& from, std::string_view to) {
  if (from.size() < 2)
    return;
  for (auto at = xml.find(from); at != std::string::npos; at = xml.find(from, at + to.size()))
    xml.replace(at, from.size(), to);
}

void spoil(std::string& xml, std::string_view class_name, std::string_view what,
           fault_set& faults) {
  if (faults.empty())
    return;
  if (faults.take(fault_kind::wrong_class)) {
    rename(xml, std::string(class_name) + ">", "CIM_Toaster>");
    rename(xml, std::string(what) + "_OUTPUT>", "Toast_OUTPUT>");
  }
  const auto body = xml.find("<a:Body>");
  const auto within = body == std::string::npos ? body : xml.find("</", body);
  if (within != std::string::npos && faults.take(fault_kind::huge_text))
    xml.insert(within, std::string(1 << 20, 'A'));
  if (within != std::string::npos && faults.take(fault_kind::deep_xml)) {
    std::string deep;
    for (int i = 0; i < 2000; ++i)
      deep += "<a:x>";
    for (int i = 0; i < 2000; ++i)
      deep += "</a:x>";
    xml.insert(within, deep);
  }
  if (faults.take(fault_kind::bad_xml))
    xml.resize(xml.size() / 2);
}

} // namespace

wsman_reply serve_wsman(std::string_view soap, device_model& device, fault_set& faults,
                        sim_time now, const caller& who) {
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
      who,
      {asked->action, std::move(relates_to), asked->resource_uri, device.next_message_number()}};
  auto out =
      faults.take(fault_kind::soap_fault) ? c.fault(soap_fault::internal_error) : dispatch(c, what);
  out.what = std::string(c.class_name) + "/" + std::string(what);
  spoil(out.xml, c.class_name, what, faults);
  return out;
}

} // namespace outband::amtsim
