// Answers as firmware gives them, in a prefix table of its own choosing.
#pragma once

#include <cstdint>
#include <string>

namespace outband::wsman::test {

inline const std::string enum_ns = "http://schemas.xmlsoap.org/ws/2004/09/enumeration";
inline const std::string cim = "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/";
inline const std::string amt = "http://intel.com/wbem/wscim/1/amt-schema/1/";
inline const std::string ips = "http://intel.com/wbem/wscim/1/ips-schema/1/";

inline std::string envelope(std::uint32_t relates_to, const std::string& body) {
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>"
         "<a:Envelope xmlns:a=\"http://www.w3.org/2003/05/soap-envelope\" "
         "xmlns:b=\"http://schemas.xmlsoap.org/ws/2004/08/addressing\" "
         "xmlns:c=\"http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd\">"
         "<a:Header><b:To>x</b:To><b:RelatesTo>" +
         std::to_string(relates_to) +
         "</b:RelatesTo><b:Action a:mustUnderstand=\"true\">y</b:Action>"
         "<b:MessageID>uuid:00000000-8086-8086-8086-000000000E93</b:MessageID></a:Header>"
         "<a:Body>" +
         body + "</a:Body></a:Envelope>";
}

inline std::string refusal(std::uint32_t relates_to, const std::string& subcode,
                           const std::string& reason = "Because.") {
  return envelope(relates_to,
                  "<a:Fault><a:Code><a:Value>a:Sender</a:Value><a:Subcode><a:Value>b:" + subcode +
                      "</a:Value></a:Subcode></a:Code><a:Reason><a:Text xml:lang=\"en-US\">" +
                      reason + "</a:Text></a:Reason><a:Detail></a:Detail></a:Fault>");
}

inline std::string context(std::uint32_t relates_to, const std::string& text) {
  return envelope(relates_to, "<g:EnumerateResponse xmlns:g=\"" + enum_ns +
                                  "\"><g:EnumerationContext>" + text +
                                  "</g:EnumerationContext></g:EnumerateResponse>");
}

/// `more`: a context for the next Pull; empty: this is the end.
inline std::string pulled(std::uint32_t relates_to, const std::string& items,
                          const std::string& more = {}) {
  return envelope(
      relates_to,
      "<g:PullResponse xmlns:g=\"" + enum_ns + "\">" +
          (more.empty() ? "" : "<g:EnumerationContext>" + more + "</g:EnumerationContext>") +
          "<g:Items>" + items + "</g:Items>" + (more.empty() ? "<g:EndOfSequence/>" : "") +
          "</g:PullResponse>");
}

inline std::string instance(const std::string& family, const std::string& name,
                            const std::string& inner) {
  return "<" + name + " xmlns=\"" + family + name + "\">" + inner + "</" + name + ">";
}

inline std::string os_power(std::uint32_t relates_to, const std::string& state) {
  return envelope(relates_to, instance(ips, "IPS_PowerManagementService",
                                       "<OSPowerSavingState>" + state + "</OSPowerSavingState>"));
}

inline std::string association(const std::string& power_state) {
  return instance(cim, "CIM_AssociatedPowerManagementService",
                  "<AvailableRequestedPowerStates>8</AvailableRequestedPowerStates>"
                  "<AvailableRequestedPowerStates>12</AvailableRequestedPowerStates>"
                  "<PowerState>" +
                      power_state + "</PowerState>");
}

inline std::string software(const std::string& id, const std::string& version) {
  return instance(cim, "CIM_SoftwareIdentity",
                  "<InstanceID>" + id + "</InstanceID><VersionString>" + version +
                      "</VersionString>");
}

inline std::string returned(std::uint32_t relates_to, const std::string& uri,
                            const std::string& method, const std::string& value) {
  return envelope(relates_to, "<" + method + "_OUTPUT xmlns=\"" + uri + "\"><ReturnValue>" + value +
                                  "</ReturnValue></" + method + "_OUTPUT>");
}

} // namespace outband::wsman::test
