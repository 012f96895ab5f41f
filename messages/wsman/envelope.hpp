/// WS-MAN envelopes: what travels in the body of POST /wsman, both directions.
///
/// A client writes requests with write_request() and reads answers with parse_response(); a device
/// reads with parse_request() and writes with messages/wsman/answers.hpp.
/// Source: DSP0226; device-management-toolkit/wsman-messages src/WSMan.ts (request form, byte for
/// byte, values XML-escaped where the original forgets to); answers captured from AMT devices.
/// Context: pure, any thread. Limits: messages/wsman/node.hpp.
#pragma once

#include "messages/domain/result.hpp"
#include "messages/wsman/node.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace outband::wsman {

namespace ns {
inline constexpr std::string_view soap = "http://www.w3.org/2003/05/soap-envelope";
inline constexpr std::string_view addressing = "http://schemas.xmlsoap.org/ws/2004/08/addressing";
inline constexpr std::string_view anonymous =
    "http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous";
inline constexpr std::string_view wsman = "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd";
inline constexpr std::string_view transfer = "http://schemas.xmlsoap.org/ws/2004/09/transfer";
inline constexpr std::string_view enumeration = "http://schemas.xmlsoap.org/ws/2004/09/enumeration";
inline constexpr std::string_view cimbinding =
    "http://schemas.dmtf.org/wbem/wsman/1/cimbinding.xsd";
inline constexpr std::string_view common = "http://schemas.dmtf.org/wbem/wscim/1/common";
inline constexpr std::string_view eventing = "http://schemas.xmlsoap.org/ws/2004/08/eventing";
inline constexpr std::string_view trust = "http://schemas.xmlsoap.org/ws/2005/02/trust";
inline constexpr std::string_view secext =
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd";
} // namespace ns

namespace action {
inline constexpr std::string_view get = "http://schemas.xmlsoap.org/ws/2004/09/transfer/Get";
inline constexpr std::string_view put = "http://schemas.xmlsoap.org/ws/2004/09/transfer/Put";
inline constexpr std::string_view create = "http://schemas.xmlsoap.org/ws/2004/09/transfer/Create";
inline constexpr std::string_view delete_ = "http://schemas.xmlsoap.org/ws/2004/09/transfer/Delete";
inline constexpr std::string_view enumerate =
    "http://schemas.xmlsoap.org/ws/2004/09/enumeration/Enumerate";
inline constexpr std::string_view pull = "http://schemas.xmlsoap.org/ws/2004/09/enumeration/Pull";
inline constexpr std::string_view subscribe =
    "http://schemas.xmlsoap.org/ws/2004/08/eventing/Subscribe";
inline constexpr std::string_view unsubscribe =
    "http://schemas.xmlsoap.org/ws/2004/08/eventing/Unsubscribe";
} // namespace action

/// "AMT_GeneralSettings" -> "http://intel.com/wbem/wscim/1/amt-schema/1/AMT_GeneralSettings".
/// Families AMT_, IPS_, CIM_; the empty string for any other name.
std::string class_uri(std::string_view class_name);
/// The inverse; empty if it is not such a URI.
std::string_view class_of_uri(std::string_view uri);

/// Names an instance. `reference`: the value is itself an endpoint reference to `resource_uri`.
struct selector {
  std::string name;
  std::string value;
  std::string resource_uri{};
  std::vector<selector> reference{};
};
/// An endpoint reference; its Address is noise and not kept.
struct endpoint {
  std::string resource_uri;
  std::vector<selector> selectors;
};
/// Reads `ReferenceParameters` below `n`; nullopt if there are none.
std::optional<endpoint> read_endpoint(const node& n);

// -- the client's side ------------------------------------------------------------------------

struct request_header {
  std::string action;
  std::string resource_uri;
  std::uint32_t message_id = 0;
  std::vector<selector> selectors{};
};
/// `body` is XML, the content of Body.
std::string write_request(const request_header& header, std::string_view body);

/// Bodies as MPS writes them; `value`s are text and get escaped here.
std::string enumerate_body();
std::string pull_body(std::string_view context);
/// `<h:NAME xmlns:h="URI">inner</h:NAME>`: a Put's instance or a method's NAME = "Method_INPUT".
std::string class_body(std::string_view name, std::string_view uri, std::string_view inner);
std::string property(std::string_view name, std::string_view value);
/// `<h:ManagedElement>` etc.: an endpoint reference as a parameter.
std::string endpoint_parameter(std::string_view name, const endpoint& to);

struct fault {
  std::string code;     ///< "Sender"
  std::string subcode;  ///< "DestinationUnreachable", without prefix
  std::string reason;   ///< text for people
  std::string detail{}; ///< text for people, often empty
};
struct response {
  std::string action;
  std::string relates_to; ///< verbatim
  std::string message_id;
  std::string resource_uri;
  std::optional<fault> refused; ///< then `body` is of no use
  node body;                    ///< the Body element
};
/// Anything that is not a SOAP 1.2 envelope with Header and Body is malformed.
result<response> parse_response(std::string_view xml);

// -- the device's side ------------------------------------------------------------------------

struct request {
  std::string action;
  std::string resource_uri;
  std::string message_id; ///< verbatim, to be echoed
  std::vector<selector> selectors;
  node body; ///< the Body element
};
/// Needs Action, ResourceURI and MessageID; at most 16 selectors, texts of at most 1024 octets.
result<request> parse_request(std::string_view xml);

} // namespace outband::wsman
