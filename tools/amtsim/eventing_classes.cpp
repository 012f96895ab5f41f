#include "messages/domain/time.hpp"
#include "tools/amtsim/classes.hpp"
#include "tools/amtsim/kept_members.hpp"
#include "tools/amtsim/subscription_state.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace outband::amtsim {

namespace {

constexpr std::size_t max_url = 253;
constexpr std::size_t max_argument = 256;
constexpr auto filter_class = "CIM_FilterCollection";
constexpr auto listener_class = "CIM_ListenerDestinationWSManagement";
constexpr auto subscription_class = "CIM_FilterCollectionSubscription";
constexpr std::string_view push_with_ack = "http://schemas.dmtf.org/wbem/wsman/1/wsman/PushWithAck";
constexpr std::string_view push =
    "http://schemas.xmlsoap.org/ws/2004/08/eventing/DeliveryModes/Push";

/// `name` is what an event says about the filter that let it through.
struct filter {
  const char* id;
  const char* name;
  bool platform; ///< lets platform events through
  bool features; ///< those of Intel AMT itself
};
constexpr std::array<filter, 3> filters{{
    {"Intel(r) AMT:All", "Intel(r) AMT:AllEvents", true, true},
    {"Intel(r) AMT:Platform", "Intel(r) AMT:Platform", true, false},
    {"Intel(r) AMT:Features", "Intel(r) AMT:Features", false, true},
}};

wsman::endpoint filter_endpoint(const std::string& id) {
  return {wsman::class_uri(filter_class), {{"InstanceID", id}}};
}

wsman::endpoint listener_endpoint(std::uint32_t number) {
  return service_endpoint(listener_class, "Name",
                          "Intel(r) AMT:Subscription Manager " + std::to_string(number));
}

instances filter_list(const device_model&) {
  instances out;
  for (const auto& f : filters)
    out.push_back({filter_class, {{"CollectionName", f.name}, {"InstanceID", f.id}}});
  return out;
}

instances listeners(const device_model& d) {
  instances out;
  for (const auto& s : d.subscriptions->subscriptions)
    out.push_back({listener_class,
                   {{"CreationClassName", listener_class},
                    {"DeliveryMode", s.with_ack ? "3" : "2"},
                    {"Destination", s.url},
                    {"Name", "Intel(r) AMT:Subscription Manager " + std::to_string(s.number)},
                    {"SystemCreationClassName", "CIM_ComputerSystem"},
                    {"SystemName", "Intel(r) AMT"}}});
  return out;
}

instances subscriptions(const device_model& d) {
  instances out;
  for (const auto& s : d.subscriptions->subscriptions)
    out.push_back(
        {subscription_class,
         {{"Filter", filter_endpoint(s.filter)}, {"Handler", listener_endpoint(s.number)}}});
  return out;
}

refusal remove(const wsman::instance& target, context& c) {
  const auto* handler = std::get_if<wsman::endpoint>(&target.fields.back().value);
  if (handler == nullptr)
    return soap_fault::internal_error;
  const auto name = selector_of(*handler, "Name");
  auto& all = c.device.subscriptions.change().subscriptions;
  all.erase(std::remove_if(all.begin(), all.end(),
                           [&](const subscription& s) {
                             return selector_of(listener_endpoint(s.number), "Name") == name;
                           }),
            all.end());
  record_audit(c, 24, 1); // alert unsubscribed
  return {};
}

void save(const device_model& d, kept_texts& to) {
  if (d.subscriptions->subscriptions.empty())
    return;
  kept_writer w{to};
  w("next", d.subscriptions->next_number);
  w.list("subscriptions", d.subscriptions->subscriptions, [](auto& v, const auto& s) {
    v("number", s.number);
    v("filter", s.filter);
    v("url", s.url);
    v("with_ack", s.with_ack);
    v.list("arguments", s.arguments, [](auto& u, const auto& a) {
      u("ns", a.first.first);
      u("name", a.first.second);
      u("text", a.second);
    });
  });
}

void load(const kept_texts& from, device_model& d) {
  kept_reader r{from};
  auto& state = d.subscriptions.change();
  r("next", state.next_number);
  r.list("subscriptions", state.subscriptions, [](auto& v, auto& s) {
    v("number", s.number);
    v("filter", s.filter);
    v("url", s.url);
    v("with_ack", s.with_ack);
    v.list("arguments", s.arguments, [](auto& u, auto& a) {
      u("ns", a.first.first);
      u("name", a.first.second);
      u("text", a.second);
    });
  });
}

/// The envelope of a captured event, prefixes and all.
std::string indication(const device_model& d, const subscription& s, const filter& f,
                       const alert& what, std::uint32_t number, std::uint64_t message,
                       std::int64_t unix_s) {
  using wsman::escaped;
  std::array<char, 16> id{};
  std::snprintf(id.data(), id.size(), "%012llX", static_cast<unsigned long long>(message));
  const std::string system = what.of_platform ? "ManagedSystem" : "Intel(r) AMT";
  const std::string alerting =
      "Interop:CIM_ComputerSystem.CreationClassName=\"CIM_ComputerSystem\","
      "Name=\"" +
      system + "\"";
  std::string out =
      R"(<?xml version="1.0" encoding="UTF-8"?><a:Envelope xmlns:a="http://www.w3.org/2003/05/soap-envelope" xmlns:b="http://schemas.xmlsoap.org/ws/2004/08/addressing" xmlns:c="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd" xmlns:d="http://schemas.xmlsoap.org/ws/2005/02/trust" xmlns:e="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd" xmlns:f="http://schemas.dmtf.org/wbem/wsman/1/cimbinding.xsd" xmlns:g="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_AlertIndication" xmlns:h="http://schemas.dmtf.org/wbem/wscim/1/common" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><a:Header><b:To>http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</b:To><b:ReplyTo><b:Address>http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</b:Address></b:ReplyTo>)";
  if (s.with_ack)
    out += "<c:AckRequested></c:AckRequested>";
  out += R"(<b:Action a:mustUnderstand="true">http://schemas.dmtf.org/wbem/wsman/1/wsman/Event)"
         "</b:Action><b:MessageID>uuid:00000000-8086-8086-8086-" +
         std::string(id.data()) + "</b:MessageID><c:ResourceURI>" +
         wsman::class_uri("CIM_AlertIndication") + "</c:ResourceURI>";
  for (const auto& [element, value] : s.arguments)
    out += "<m:" + element.second + " xmlns:m=\"" + escaped(element.first) + "\">" +
           escaped(value) + "</m:" + element.second + ">";
  out += "</a:Header><a:Body><g:CIM_AlertIndication>";
  const auto add = [&out](const char* name, const std::string& value) {
    out += "<g:" + std::string(name) + ">" + escaped(value) + "</g:" + name + ">";
  };
  add("AlertType", what.of_platform ? "5" : "8");
  add("AlertingElementFormat", "2");
  add("AlertingManagedElement", alerting);
  add("IndicationFilterName", f.name);
  add("IndicationIdentifier", "Intel(r):" + std::to_string(number));
  out += "<g:IndicationTime><h:Datetime>" + to_rfc3339(unix_s * 1000) +
         "</h:Datetime></g:IndicationTime>";
  add("Message", "");
  add("MessageArguments", what.argument.empty() ? "0" : what.argument);
  add("MessageArguments",
      "Interop:CIM_ComputerSystem.CreationClassName=CIM_ComputerSystem,Name=" + system);
  add("MessageID", what.id);
  add("OtherAlertingElementFormat", "");
  add("OtherSeverity", "");
  add("OwningEntity", what.of_platform ? "DMTF" : "Intel(r) AMT");
  add("PerceivedSeverity", std::to_string(what.severity));
  add("ProbableCause", "0");
  add("SystemName", d.who().hostname);
  return out + "</g:CIM_AlertIndication></a:Body></a:Envelope>";
}

} // namespace

bool split_url(const std::string& url, std::string& host, std::uint16_t& port, std::string& path) {
  std::string rest = url;
  if (rest.rfind("http://", 0) == 0)
    rest.erase(0, 7);
  else if (rest.find("://") != std::string::npos)
    return false; // https needs a trusted root and AMT 11; not played
  const auto slash = rest.find('/');
  path = slash == std::string::npos ? "/" : rest.substr(slash);
  rest.resize(std::min(slash, rest.size()));
  const auto colon = rest.rfind(':');
  const bool bracketed = !rest.empty() && rest.back() == ']';
  host = bracketed ? rest : rest.substr(0, colon);
  port = 80;
  if (!bracketed && colon != std::string::npos) {
    const auto number = wsman::to_number(rest.substr(colon + 1));
    if (!number || *number == 0 || *number > 65535)
      return false;
    port = static_cast<std::uint16_t>(*number);
  }
  if (host.size() > 2 && host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2);
  const auto plain = [](char c) {
    return c > ' ' && c < 127;
  };
  return !host.empty() && std::all_of(host.begin(), host.end(), plain) &&
         std::all_of(path.begin(), path.end(), plain);
}

void raise_alert(device_model& d, const alert& what, std::int64_t unix_s) {
  if (d.subscriptions->subscriptions.empty())
    return;
  auto& state = d.subscriptions.change();
  ++state.raised;
  for (const auto& s : state.subscriptions) {
    const auto* f = std::find_if(filters.begin(), filters.end(),
                                 [&](const filter& k) { return s.filter == k.id; });
    if (f == filters.end() || !(what.of_platform ? f->platform : f->features))
      continue;
    outgoing_event out;
    std::string path;
    if (!split_url(s.url, out.host, out.port, path))
      continue;
    const auto body =
        indication(d, s, *f, what, ++state.next_event, d.next_message_number(), unix_s);
    out.request = "POST " + path + " HTTP/1.1\r\nHost: " + out.host + ":" +
                  std::to_string(out.port) +
                  "\r\nContent-Type: application/soap+xml; charset=UTF-8\r\nContent-Length: " +
                  std::to_string(body.size()) + "\r\n\r\n" + body;
    if (state.waiting.size() == max_waiting_events)
      state.waiting.pop_front();
    state.waiting.push_back(std::move(out));
  }
}

subscribing subscribe(const wsman::node& body, const wsman::instance& collection, context& c) {
  const auto* asked = body.child("Subscribe");
  const auto* delivery = asked != nullptr ? asked->child("Delivery") : nullptr;
  const auto* notify = delivery != nullptr ? delivery->child("NotifyTo") : nullptr;
  if (notify == nullptr)
    return soap_fault::schema_validation_error;
  subscription next;
  next.filter = text_of(collection, "InstanceID");
  const auto* mode = delivery->attribute_value("Mode");
  if (mode != nullptr && *mode == push_with_ack)
    next.with_ack = true;
  else if (mode != nullptr && *mode != push)
    return soap_fault::invalid_representation;
  next.url = std::string(notify->child_text("Address"));
  std::string host;
  std::string path;
  std::uint16_t port = 0;
  if (next.url.size() > max_url || !split_url(next.url, host, port, path))
    return soap_fault::invalid_representation;
  if (const auto* parameters = notify->child("ReferenceParameters"))
    for (const auto& p : parameters->children) {
      if (next.arguments.size() == 4 || p.value().size() > max_argument || p.name.size() > 64)
        return soap_fault::invalid_representation;
      next.arguments.push_back({{p.ns, p.name}, std::string(p.value())});
    }
  if (c.device.subscriptions->subscriptions.size() == max_subscribers)
    return soap_fault::quota_limit;
  auto& state = c.device.subscriptions.change();
  next.number = state.next_number++;
  state.subscriptions.push_back(next);
  record_audit(c, 24, 0); // alert subscribed
  // Selectors that are references themselves name a subscription.
  const auto as_selector = [](const char* name, wsman::endpoint to) {
    return wsman::selector{name, {}, std::move(to.resource_uri), std::move(to.selectors)};
  };
  return wsman::endpoint{wsman::class_uri(subscription_class),
                         {as_selector("Filter", filter_endpoint(next.filter)),
                          as_selector("Handler", listener_endpoint(next.number))}};
}

class_table eventing_classes() {
  return {{{filter_class, filter_list},
           {subscription_class, subscriptions, nullptr, remove},
           {listener_class, listeners}},
          {},
          {{"CIM_ListenerDestination", {listener_class}}},
          {{"subscriptions", save, load}}};
}

} // namespace outband::amtsim
