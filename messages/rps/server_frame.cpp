#include "messages/rps/server_frame.hpp"

#include "messages/amt/base64.hpp"
#include "messages/rest/json.hpp"
#include "messages/rps/client_frame.hpp"

#include <algorithm>

namespace outband::rps {

namespace {

/// `payload`: JSON text already.
std::string envelope(std::string_view method, std::string_view status, std::string_view message,
                     std::string_view payload) {
  std::string out = R"({"method":")";
  out.append(method).append(R"(","apiKey":"xxxxx","appVersion":"outband","protocolVersion":")");
  out.append(protocol_version).append(R"(","status":")").append(status).append(R"(","message":)");
  out += json::quoted(message);
  out.append(R"(,"payload":)").append(payload).append(R"(,"tenantId":""})");
  return out;
}

std::string base64_text(std::string_view octets) {
  return '"' + amt::base64_encode(octets) + '"';
}

struct component_name {
  component what;
  std::string_view key, absent;
};
/// In RPS's order.
constexpr component_name component_names[] = {
    {component::activation, "Activation", "Activation not part of this configuration"},
    {component::wired_network, "WiredNetwork", "Wired network not part of this configuration"},
    {component::wireless_network, "WirelessNetwork",
     "Wireless network not part of this configuration"},
    {component::tls, "TLS", "TLS not part of this configuration"},
    {component::cira_proxy, "CIRAProxy", "CIRA proxy not part of this configuration"},
    {component::cira_connection, "CIRAConnection",
     "CIRA connection not part of this configuration"},
};

std::string_view verdict_text(component_result::verdict v) {
  switch (v) {
  case component_result::verdict::success:
    return "Success";
  case component_result::verdict::failure:
    return "Failure";
  case component_result::verdict::not_applicable:
    return "NotApplicable";
  }
  return "Failure";
}

/// The first thing that went wrong with it, or the first that was told; nullptr: it had no part.
const component_result* result_of(const provisioning_report& report, component what) {
  const component_result* first = nullptr;
  for (const auto& d : report.details) {
    if (d.what != what)
      continue;
    if (d.result == component_result::verdict::failure)
      return &d;
    if (first == nullptr)
      first = &d;
  }
  return first;
}

json::object components_of(const provisioning_report& report) {
  json::object all;
  for (const auto& name : component_names) {
    const auto* at = result_of(report, name.what);
    json::object one;
    if (at == nullptr) {
      one = {{"Result", "NotApplicable"}, {"Details", name.absent}};
    } else {
      one.push_back({"Result", verdict_text(at->result)});
      if (!at->mode.empty())
        one.push_back({"Mode", at->mode});
      one.push_back({"Details", at->details});
    }
    all.push_back({std::string(name.key), json::value(std::move(one))});
  }
  return all;
}

std::string status_text(const provisioning_report& report, bool components) {
  json::object o;
  o.push_back({"Status", report.status});
  if (!report.network.empty())
    o.push_back({"Network", report.network});
  if (!report.cira.empty())
    o.push_back({"CIRAConnection", report.cira});
  if (!report.tls.empty())
    o.push_back({"TLSConfiguration", report.tls});
  if (components)
    o.push_back({"Components", json::value(components_of(report))});
  return json::dump(json::value(std::move(o)));
}

} // namespace

std::string wsman_frame(std::string_view octets) {
  return envelope("wsman", "ok", "", base64_text(octets));
}

std::string tls_frame(std::string_view octets) {
  return envelope("tls_data", "ok", "", base64_text(octets));
}

std::string port_switch_frame(std::chrono::seconds delay) {
  // The port is a text here, which is how rpc declares it.
  return envelope(
      "port_switch", "ok", "",
      json::quoted(R"({"port":"16993","delay":)" + std::to_string(delay.count()) + "}"));
}

std::string progress_frame(std::string_view label) {
  return envelope("progress", "ok", label, "null");
}

std::string final_frame(const provisioning_report& report, bool components) {
  const auto text = status_text(report, components);
  return report.success ? envelope("success", "success", text, "null")
                        : envelope("error", "failed", text, "null");
}

std::string error_frame(std::string_view text) {
  provisioning_report report;
  report.status = std::string(text);
  return final_frame(report, false);
}

std::string heartbeat_frame() {
  return envelope("heartbeat_request", "heartbeat", "", R"("")");
}

} // namespace outband::rps
