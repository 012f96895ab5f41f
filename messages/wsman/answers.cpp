#include "messages/wsman/answers.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

namespace outband::wsman {

namespace {

/// The namespaces of one answer; a..f are fixed, the body's follow from g on.
class prefix_table {
public:
  /// The prefix of `uri`, declared now if it was not.
  std::string of(std::string_view uri) {
    const auto found = std::find(body_.begin(), body_.end(), uri);
    const auto index = found - body_.begin();
    if (found == body_.end())
      body_.emplace_back(uri);
    return std::string(1, static_cast<char>('g' + index));
  }
  std::string declarations() const {
    static constexpr std::array<std::string_view, 6> fixed{
        ns::soap, ns::addressing, ns::wsman, ns::trust, ns::secext, ns::cimbinding};
    std::string out;
    char letter = 'a';
    for (const auto uri : fixed)
      declare(out, letter++, uri);
    for (const auto& uri : body_)
      declare(out, letter++, uri);
    return out + " xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"";
  }

private:
  static void declare(std::string& out, char letter, std::string_view uri) {
    out += " xmlns:";
    out += letter;
    out += "=\"" + escaped(uri) + '"';
  }
  std::vector<std::string> body_;
};

std::string element(const std::string& tag, std::string_view content) {
  std::string out = "<" + tag + ">";
  out += content;
  return out + "</" + tag + ">";
}

std::string selector_set(const std::vector<selector>& selectors);

std::string reference(const endpoint& to) {
  // "default" is what a captured device writes where it has nothing to refer to (a duplicate
  // proxy).
  return element("b:Address", to.resource_uri.empty() ? "default" : ns::anonymous) +
         element("b:ReferenceParameters",
                 element("c:ResourceURI", escaped(to.resource_uri)) + selector_set(to.selectors));
}

std::string selector_set(const std::vector<selector>& selectors) {
  std::string out;
  for (const auto& s : selectors) {
    out += "<c:Selector Name=\"" + escaped(s.name) + "\">";
    out += s.reference.empty()
               ? escaped(s.value)
               : element("b:EndpointReference", reference({s.resource_uri, s.reference}));
    out += "</c:Selector>";
  }
  return element("c:SelectorSet", out);
}

std::string write_field(const field& f, const std::string& prefix, prefix_table& prefixes) {
  struct visitor {
    prefix_table& prefixes;
    std::string operator()(const std::string& text) const { return escaped(text); }
    std::string operator()(const endpoint& to) const { return reference(to); }
    std::string operator()(const datetime& t) const {
      return element(prefixes.of(ns::common) + ":Datetime", escaped(t.text));
    }
    std::string operator()(const interval& t) const {
      return element(prefixes.of(ns::common) + ":Interval", escaped(t.text));
    }
  };
  return element(prefix + ":" + f.name, std::visit(visitor{prefixes}, f.value));
}

std::string write_fields(const instance& what, prefix_table& prefixes) {
  const auto prefix = prefixes.of(class_uri(what.class_name));
  std::vector<const field*> sorted;
  sorted.reserve(what.fields.size());
  for (const auto& f : what.fields)
    sorted.push_back(&f);
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const field* a, const field* b) { return a->name < b->name; });
  std::string out;
  for (const auto* f : sorted)
    out += write_field(*f, prefix, prefixes);
  return element(prefix + ":" + what.class_name, out);
}

std::string message_id(std::uint64_t number) {
  std::array<char, 48> text{};
  std::snprintf(text.data(), text.size(), "uuid:00000000-8086-8086-8086-%012llX",
                static_cast<unsigned long long>(number & 0xFFFFFFFFFFFFULL));
  return text.data();
}

std::string envelope(std::string_view declarations, const answer_header& h, std::string_view act,
                     bool with_uri, std::string_view body) {
  std::string out = R"(<?xml version="1.0" encoding="UTF-8"?><a:Envelope)";
  out += declarations;
  out += "><a:Header><b:To>";
  out += ns::anonymous;
  out += "</b:To><b:RelatesTo>" + escaped(h.relates_to) +
         "</b:RelatesTo><b:Action a:mustUnderstand=\"true\">";
  out += escaped(act);
  out += "</b:Action><b:MessageID>" + message_id(h.message_number) + "</b:MessageID>";
  if (with_uri)
    out += "<c:ResourceURI>" + escaped(h.resource_uri) + "</c:ResourceURI>";
  out += "</a:Header><a:Body>";
  out += body;
  out += "</a:Body></a:Envelope>";
  return out;
}

std::string answer(const prefix_table& prefixes, const answer_header& h, std::string_view body) {
  return envelope(prefixes.declarations(), h, h.request_action + "Response", true, body);
}

struct fault_words {
  std::string_view subcode; ///< with the prefix of a fault's own table
  std::string_view reason;
};

fault_words words(fault_kind kind) {
  switch (kind) {
  case fault_kind::destination_unreachable:
    return {"b:DestinationUnreachable", "No route can be determined to reach the destination role "
                                        "defined by the WSAddressing To."};
  case fault_kind::action_not_supported:
    return {"b:ActionNotSupported", "The action is not supported by the service."};
  case fault_kind::access_denied:
    return {"e:AccessDenied", "The sender was not authorized to access the resource."};
  case fault_kind::already_exists:
    return {"e:AlreadyExists", "The sender attempted to create a resource which already exists."};
  case fault_kind::quota_limit:
    return {"e:QuotaLimit", "The service is busy servicing other requests."};
  case fault_kind::invalid_enumeration_context:
    return {"c:InvalidEnumerationContext", "The supplied enumeration context is invalid."};
  case fault_kind::invalid_selectors:
    return {"e:InvalidSelectors", "The Selectors for the resource were not valid."};
  case fault_kind::invalid_representation:
    return {"d:InvalidRepresentation", "The XML content was invalid."};
  case fault_kind::schema_validation_error:
    return {"e:SchemaValidationError",
            "The supplied SOAP violates the corresponding XML schema definition."};
  case fault_kind::timed_out:
    return {"e:TimedOut", "The operation has timed out."};
  case fault_kind::internal_error:
    return {"e:InternalError", "The service cannot comply with the request due to internal "
                               "processing errors."};
  }
  return {};
}

/// DSP0226 names a fault action per specification that defines the subcode.
std::string_view fault_action(char prefix) {
  switch (prefix) {
  case 'b':
    return "http://schemas.xmlsoap.org/ws/2004/08/addressing/fault";
  case 'c':
    return "http://schemas.xmlsoap.org/ws/2004/09/enumeration/fault";
  case 'd':
    return "http://schemas.xmlsoap.org/ws/2004/09/transfer/fault";
  default:
    return "http://schemas.dmtf.org/wbem/wsman/1/wsman/fault";
  }
}

} // namespace

std::string write_instance(const answer_header& header, const instance& what) {
  prefix_table prefixes;
  const auto body = write_fields(what, prefixes);
  return answer(prefixes, header, body);
}

std::string write_nothing(const answer_header& header) {
  prefix_table prefixes;
  prefixes.of(header.resource_uri);
  return answer(prefixes, header, {});
}

std::string write_created(const answer_header& header, const endpoint& what) {
  prefix_table prefixes;
  const auto g = prefixes.of(ns::transfer) + ":";
  return answer(prefixes, header, element(g + "ResourceCreated", reference(what)));
}

std::string write_subscribed(const answer_header& header, const endpoint& manager) {
  prefix_table prefixes;
  const auto g = prefixes.of(ns::eventing) + ":";
  return answer(
      prefixes, header,
      element(g + "SubscribeResponse", element(g + "SubscriptionManager", reference(manager))));
}

std::string write_enumeration(const answer_header& header, std::string_view context) {
  prefix_table prefixes;
  const auto g = prefixes.of(ns::enumeration) + ":";
  return answer(
      prefixes, header,
      element(g + "EnumerateResponse", element(g + "EnumerationContext", escaped(context))));
}

std::string write_items(const answer_header& header, const std::vector<instance>& items,
                        std::string_view next_context) {
  prefix_table prefixes;
  const auto g = prefixes.of(ns::enumeration) + ":";
  std::string list;
  for (const auto& item : items)
    list += write_fields(item, prefixes);
  std::string body;
  if (!next_context.empty())
    body += element(g + "EnumerationContext", escaped(next_context));
  body += element(g + "Items", list);
  if (next_context.empty())
    body += element(g + "EndOfSequence", {});
  return answer(prefixes, header, element(g + "PullResponse", body));
}

std::string write_method(const answer_header& header, std::string_view method,
                         const std::vector<field>& out, std::uint32_t return_value) {
  prefix_table prefixes;
  const auto g = prefixes.of(header.resource_uri);
  std::string body;
  for (const auto& f : out)
    body += write_field(f, g, prefixes);
  body += element(g + ":ReturnValue", std::to_string(return_value));
  return answer(prefixes, header, element(g + ":" + std::string(method) + "_OUTPUT", body));
}

std::string_view to_string(fault_kind kind) {
  return words(kind).subcode.substr(2);
}

std::string write_fault(const answer_header& header, fault_kind kind) {
  // A fault has a prefix table of its own (captured: go-wsman-messages pkg/amterror).
  static constexpr std::array<std::string_view, 9> table{
      ns::soap,     ns::addressing, ns::enumeration, ns::transfer, ns::wsman,
      ns::eventing, ns::cimbinding, ns::trust,       ns::secext};
  std::string declarations;
  char letter = 'a';
  for (const auto uri : table) {
    declarations += " xmlns:";
    declarations += letter++;
    declarations += "=\"" + std::string(uri) + '"';
  }
  declarations += " xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"";
  const auto w = words(kind);
  const auto* code = kind == fault_kind::internal_error || kind == fault_kind::timed_out
                         ? "a:Receiver"
                         : "a:Sender";
  std::string body = "<a:Fault><a:Code><a:Value>";
  body += code;
  body += "</a:Value><a:Subcode><a:Value>";
  body += w.subcode;
  body += "</a:Value></a:Subcode></a:Code><a:Reason><a:Text xml:lang=\"en-US\">";
  body += w.reason;
  body += "</a:Text></a:Reason><a:Detail></a:Detail></a:Fault>";
  return envelope(declarations, header, fault_action(w.subcode.front()), false, body);
}

} // namespace outband::wsman
