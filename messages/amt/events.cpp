#include "messages/amt/events.hpp"

#include "messages/amt/catalogue.hpp"

#include <algorithm>
#include <utility>

namespace outband::amt {

namespace {

using namespace std::chrono_literals;

constexpr auto filter_class = "CIM_FilterCollection";
constexpr auto listener_class = "CIM_ListenerDestinationWSManagement";
constexpr auto subscription_class = "CIM_FilterCollectionSubscription";
/// The widest first; firmware versions name them differently.
constexpr std::string_view filters[] = {"Intel(r) AMT:All", "Intel(r) AMT:AllEvents",
                                        "Intel(r) AMT:Platform", "Intel(r) AMT:Features"};
constexpr std::string_view push_with_ack = "http://schemas.dmtf.org/wbem/wsman/1/wsman/PushWithAck";
constexpr std::size_t max_ended = 16; ///< firmware keeps fewer

failure without_eventing() {
  return fail(problem::unsupported, "this firmware sends no events");
}

std::string subscribe_body() {
  return "<e:Subscribe xmlns:e=\"" + std::string(wsman::ns::eventing) + "\"><e:Delivery Mode=\"" +
         std::string(push_with_ack) + "\"><e:NotifyTo><n:Address xmlns:n=\"" +
         std::string(wsman::ns::addressing) + "\">" + std::string(delivery::url) +
         "</n:Address></e:NotifyTo></e:Delivery></e:Subscribe>";
}

/// Names of the listeners that are us.
result<std::vector<std::string>> our_listeners(wsman::talk& t) {
  auto told = t.list(listener_class);
  if (!told)
    return t.is_absent() ? without_eventing() : told.error();
  std::vector<std::string> out;
  for (const auto& l : **told)
    if (l.child_text("Destination") == delivery::url)
      out.emplace_back(l.child_text("Name"));
  return out;
}

/// The subscriptions whose Handler is one of those.
result<std::vector<std::vector<wsman::selector>>>
our_subscriptions(wsman::talk& t, const std::vector<std::string>& listeners) {
  auto told = t.list(subscription_class);
  if (!told)
    return told.error();
  std::vector<std::vector<wsman::selector>> out;
  for (const auto& s : **told) {
    const auto* filter = s.child("Filter");
    const auto* handler = s.child("Handler");
    auto from = filter == nullptr ? std::nullopt : wsman::read_endpoint(*filter);
    auto to = handler == nullptr ? std::nullopt : wsman::read_endpoint(*handler);
    if (!from || !to || out.size() == max_ended)
      continue;
    const bool ours = std::any_of(to->selectors.begin(), to->selectors.end(), [&](const auto& one) {
      return one.name == "Name" &&
             std::find(listeners.begin(), listeners.end(), one.value) != listeners.end();
    });
    if (!ours)
      continue;
    using wsman::selector;
    out.push_back(
        {selector{"Filter", {}, std::move(from->resource_uri), std::move(from->selectors)},
         selector{"Handler", {}, std::move(to->resource_uri), std::move(to->selectors)}});
  }
  return out;
}

result<json::value> subscribe(wsman::talk& t, const json::value&) {
  auto told = subscribe_events(t);
  if (!told)
    return told.error();
  return json::value(json::object{{"subscribed", true}, {"filter", std::move(*told)}});
}

result<json::value> unsubscribe(wsman::talk& t, const json::value&) {
  auto told = unsubscribe_events(t);
  if (!told)
    return told.error();
  return json::value(json::object{{"subscribed", false}, {"ended", *told}});
}

} // namespace

result<std::string> subscribe_events(wsman::talk& t) {
  auto offered = t.list(filter_class);
  if (!offered)
    return t.is_absent() ? without_eventing() : offered.error();
  const auto found =
      std::find_if(std::begin(filters), std::end(filters), [&](std::string_view name) {
        return std::any_of((*offered)->begin(), (*offered)->end(), [&](const wsman::node& f) {
          return f.child_text("InstanceID") == name;
        });
      });
  if (found == std::end(filters))
    return without_eventing();
  std::string filter(*found);
  auto known = our_listeners(t);
  if (!known)
    return known.error();
  if (!known->empty())
    return filter;
  auto made = t.send(filter_class, wsman::action::subscribe, subscribe_body(),
                     wsman::effect::change, wsman::named("InstanceID", filter));
  if (!made)
    return t.is_absent() ? without_eventing() : made.error();
  if ((*made)->child("SubscribeResponse") == nullptr)
    return fail(problem::device_protocol, "the answer holds no SubscribeResponse");
  return filter;
}

result<std::uint32_t> unsubscribe_events(wsman::talk& t) {
  auto listeners = our_listeners(t);
  if (!listeners)
    return listeners.error();
  if (listeners->empty())
    return std::uint32_t{0};
  auto found = our_subscriptions(t, *listeners);
  if (!found)
    return found.error();
  std::uint32_t ended = 0;
  for (const auto& s : *found) {
    auto done = t.send(subscription_class, wsman::action::unsubscribe,
                       "<e:Unsubscribe xmlns:e=\"" + std::string(wsman::ns::eventing) + "\"/>",
                       wsman::effect::change, s);
    if (!done && !t.is_absent()) // gone meanwhile is as good
      return done.error();
    ++ended;
  }
  return ended;
}

std::vector<operation> event_operations() {
  constexpr auto changes = wsman::effect::change;
  // Ours; MPS has nothing of the kind.
  return {{"events.subscribe", changes, subscribe, nullptr, 20s},
          {"events.unsubscribe", changes, unsubscribe, nullptr, 30s}};
}

} // namespace outband::amt
