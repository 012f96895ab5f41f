#include "messages/wsman/envelope.hpp"

#include <utility>

namespace outband::wsman {

namespace {

constexpr std::string_view amt_base = "http://intel.com/wbem/wscim/1/amt-schema/1/";
constexpr std::string_view ips_base = "http://intel.com/wbem/wscim/1/ips-schema/1/";
constexpr std::string_view cim_base = "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/";

constexpr std::size_t max_header_text = 1024;
constexpr std::size_t max_selectors = 16;

bool starts_with(std::string_view s, std::string_view start) {
  return s.substr(0, start.size()) == start;
}

failure bad(std::string detail) {
  return fail(problem::malformed, std::move(detail));
}

std::string selector_set(const std::vector<selector>& selectors) {
  std::string out = "<w:SelectorSet>";
  for (const auto& s : selectors) {
    out += "<w:Selector Name=\"" + escaped(s.name) + "\">";
    if (s.reference.empty()) {
      out += escaped(s.value);
    } else {
      out += "<a:EndpointReference><a:Address>";
      out += ns::anonymous;
      out += "</a:Address><a:ReferenceParameters><w:ResourceURI>" + escaped(s.resource_uri) +
             "</w:ResourceURI>" + selector_set(s.reference) +
             "</a:ReferenceParameters></a:EndpointReference>";
    }
    out += "</w:Selector>";
  }
  return out + "</w:SelectorSet>";
}

std::vector<selector> read_selectors(const node& set) {
  std::vector<selector> out;
  for (const auto& child : set.children) {
    if (child.name != "Selector")
      continue;
    const auto* name = child.attribute_value("Name");
    selector s{name == nullptr ? std::string{} : *name, child.text};
    if (const auto* epr = child.child("EndpointReference")) {
      if (auto to = read_endpoint(*epr)) {
        s.resource_uri = std::move(to->resource_uri);
        s.reference = std::move(to->selectors);
      }
    }
    out.push_back(std::move(s));
  }
  return out;
}

/// The parts of an envelope, checked by namespace. On failure `why` is set.
struct parts {
  node header;
  node body;
};

result<parts> open_envelope(std::string_view xml) {
  auto parsed = parse_xml(xml);
  if (!parsed)
    return parsed.error();
  auto& top = *parsed;
  if (top.name != "Envelope" || top.ns != ns::soap)
    return bad("not a SOAP 1.2 envelope: the document element is '" + top.name.substr(0, 60) + "'");
  parts out;
  bool has_header = false;
  bool has_body = false;
  for (auto& child : top.children) {
    if (child.ns != ns::soap)
      continue;
    if (child.name == "Header" && !has_header) {
      has_header = true;
      out.header = std::move(child);
    } else if (child.name == "Body" && !has_body) {
      has_body = true;
      out.body = std::move(child);
    }
  }
  if (!has_header || !has_body)
    return bad(has_header ? "the SOAP envelope has no Body" : "the SOAP envelope has no Header");
  return out;
}

const node* header_element(const node& header, std::string_view name, std::string_view space) {
  for (const auto& child : header.children)
    if (child.name == name && child.ns == space)
      return &child;
  return nullptr;
}

std::string header_text(const node& header, std::string_view name, std::string_view space) {
  const auto* found = header_element(header, name, space);
  return found == nullptr ? std::string{} : std::string(found->value());
}

/// "b:DestinationUnreachable" -> "DestinationUnreachable"
std::string without_prefix(std::string_view qname) {
  const auto colon = qname.rfind(':');
  return std::string(colon == std::string_view::npos ? qname : qname.substr(colon + 1));
}

fault read_fault(const node& f) {
  fault out;
  if (const auto* code = f.child("Code")) {
    out.code = without_prefix(code->child_text("Value"));
    if (const auto* sub = code->child("Subcode"))
      out.subcode = without_prefix(sub->child_text("Value"));
  }
  if (const auto* reason = f.child("Reason"))
    out.reason = reason->child_text("Text");
  if (const auto* detail = f.child("Detail")) {
    out.detail = detail->text;
    for (const auto& c : detail->children)
      out.detail += (out.detail.empty() ? "" : " ") + c.text;
  }
  return out;
}

} // namespace

std::string class_uri(std::string_view class_name) {
  const auto base = starts_with(class_name, "AMT_")   ? amt_base
                    : starts_with(class_name, "IPS_") ? ips_base
                    : starts_with(class_name, "CIM_") ? cim_base
                                                      : std::string_view{};
  if (base.empty())
    return {};
  return std::string(base) + std::string(class_name);
}

std::string_view class_of_uri(std::string_view uri) {
  for (const auto base : {amt_base, ips_base, cim_base}) {
    if (!starts_with(uri, base))
      continue;
    const auto name = uri.substr(base.size());
    if (name.find('/') == std::string_view::npos)
      return name;
  }
  return {};
}

std::optional<endpoint> read_endpoint(const node& n) {
  const auto* parameters = n.child("ReferenceParameters");
  if (parameters == nullptr)
    return std::nullopt;
  endpoint out;
  out.resource_uri = parameters->child_text("ResourceURI");
  if (const auto* set = parameters->child("SelectorSet"))
    out.selectors = read_selectors(*set);
  return out;
}

std::string write_request(const request_header& header, std::string_view body) {
  std::string out =
      R"(<?xml version="1.0" encoding="utf-8"?><Envelope xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" )"
      R"(xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" )"
      R"(xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd" xmlns="http://www.w3.org/2003/05/soap-envelope">)"
      "<Header><a:Action>";
  out += escaped(header.action);
  out += "</a:Action><a:To>/wsman</a:To><w:ResourceURI>";
  out += escaped(header.resource_uri);
  out += "</w:ResourceURI><a:MessageID>";
  out += std::to_string(header.message_id);
  out += "</a:MessageID><a:ReplyTo><a:Address>";
  out += ns::anonymous;
  out += "</a:Address></a:ReplyTo><w:OperationTimeout>PT60S</w:OperationTimeout>";
  if (!header.selectors.empty())
    out += selector_set(header.selectors);
  out += "</Header><Body>";
  out += body;
  out += "</Body></Envelope>";
  return out;
}

std::string enumerate_body() {
  return R"(<Enumerate xmlns="http://schemas.xmlsoap.org/ws/2004/09/enumeration" />)";
}

std::string pull_body(std::string_view context) {
  return R"(<Pull xmlns="http://schemas.xmlsoap.org/ws/2004/09/enumeration"><EnumerationContext>)" +
         escaped(context) +
         "</EnumerationContext><MaxElements>999</MaxElements><MaxCharacters>99999</MaxCharacters>"
         "</Pull>";
}

std::string class_body(std::string_view name, std::string_view uri, std::string_view inner) {
  const std::string tag(name);
  return "<h:" + tag + " xmlns:h=\"" + escaped(uri) + "\">" + std::string(inner) + "</h:" + tag +
         ">";
}

std::string property(std::string_view name, std::string_view value) {
  const std::string tag(name);
  return "<h:" + tag + ">" + escaped(value) + "</h:" + tag + ">";
}

std::string endpoint_parameter(std::string_view name, const endpoint& to) {
  const std::string tag(name);
  const std::string address(ns::addressing);
  const std::string space(ns::wsman);
  std::string out = "<h:" + tag + "><Address xmlns=\"" + address + "\">" + address +
                    "</Address><ReferenceParameters xmlns=\"" + address +
                    "\"><ResourceURI xmlns=\"" + space + "\">" + escaped(to.resource_uri) +
                    "</ResourceURI><SelectorSet xmlns=\"" + space + "\">";
  for (const auto& s : to.selectors)
    out += "<Selector Name=\"" + escaped(s.name) + "\">" + escaped(s.value) + "</Selector>";
  return out + "</SelectorSet></ReferenceParameters></h:" + tag + ">";
}

result<response> parse_response(std::string_view xml) {
  auto opened = open_envelope(xml);
  if (!opened)
    return opened.error();
  response out;
  out.action = header_text(opened->header, "Action", ns::addressing);
  out.relates_to = header_text(opened->header, "RelatesTo", ns::addressing);
  out.message_id = header_text(opened->header, "MessageID", ns::addressing);
  out.resource_uri = header_text(opened->header, "ResourceURI", ns::wsman);
  out.body = std::move(opened->body);
  for (const auto& child : out.body.children)
    if (child.name == "Fault" && child.ns == ns::soap)
      out.refused = read_fault(child);
  return out;
}

result<request> parse_request(std::string_view xml) {
  auto opened = open_envelope(xml);
  if (!opened)
    return opened.error();
  request out;
  out.action = header_text(opened->header, "Action", ns::addressing);
  out.resource_uri = header_text(opened->header, "ResourceURI", ns::wsman);
  out.message_id = header_text(opened->header, "MessageID", ns::addressing);
  for (const auto& [name, value] :
       {std::pair<std::string_view, const std::string*>{"Action", &out.action},
        {"ResourceURI", &out.resource_uri},
        {"MessageID", &out.message_id}}) {
    if (value->empty())
      return bad("the request's header has no " + std::string(name));
    if (value->size() > max_header_text)
      return fail(problem::too_large, std::string(name) + " is longer than 1024 octets");
  }
  if (const auto* set = header_element(opened->header, "SelectorSet", ns::wsman)) {
    out.selectors = read_selectors(*set);
    if (out.selectors.size() > max_selectors)
      return fail(problem::too_large, "more than 16 selectors");
  }
  out.body = std::move(opened->body);
  return out;
}

} // namespace outband::wsman
