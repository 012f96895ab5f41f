#include "tests/support/rpc_messages.hpp"

#include "messages/amt/base64.hpp"
#include "messages/pthi/sku.hpp"

#include <nlohmann/json.hpp>

#include <utility>

namespace outband::test {

namespace {

using json = nlohmann::ordered_json;

constexpr auto protocol_version = "4.0.0";

/// Go's encoder writes these three as \u00XX; they occur in texts only.
std::string as_go_writes(const json& j) {
  std::string out;
  for (const char c : j.dump(-1, ' ', false, json::error_handler_t::replace)) {
    if (c == '<')
      out += "\\u003c";
    else if (c == '>')
      out += "\\u003e";
    else if (c == '&')
      out += "\\u0026";
    else
      out += c;
  }
  return out;
}

std::string app_version(const rpc_options& how) {
  if (!how.app_version.empty())
    return how.app_version;
  return how.version == rpc_version::v2 ? "v2.52.4" : "v3.0.0-beta.50";
}

json envelope(const rpc_options& how, const std::string& method, std::string_view payload,
              const std::string& tenant) {
  return {{"method", method},
          {"apiKey", "key"},
          {"appVersion", app_version(how)},
          {"protocolVersion", protocol_version},
          {"status", "ok"},
          {"message", "ok"},
          {"fqdn", ""},
          {"payload", amt::base64_encode(payload)},
          {"tenantId", tenant}};
}

std::string command_line(const rpc_options& how) {
  std::string out;
  switch (how.command) {
  case rpc_command::activate:
    out = "activate --profile " + how.profile;
    break;
  case rpc_command::deactivate:
    out = "deactivate --password " + how.password;
    break;
  case rpc_command::maintenance:
    out = "maintenance -password " + how.password + " --" + how.task;
    if (how.task == "changepassword" && !how.new_password.empty())
      out += " " + how.new_password;
    break;
  }
  return how.force ? out + " -f" : out;
}

bool is_dummy(const std::string& uuid, rpc_version v) {
  return uuid == "00000000-0000-0000-0000-000000000000" ||
         uuid == "03000200-0400-0500-0006-000700080009" ||
         (v == rpc_version::v3 && uuid == "ffffffff-ffff-ffff-ffff-ffffffffffff");
}

json addresses(const rpc_options::addresses& ip) {
  return {{"dhcp", ip.dhcp},
          {"static", ip.fixed},
          {"ipsync", ip.ipsync},
          {"ipAddress", ip.address},
          {"netmask", ip.netmask},
          {"gateway", ip.gateway},
          {"primaryDns", ip.primary_dns},
          {"secondaryDns", ip.secondary_dns}};
}

std::string suffix_of(const rpc_options& how, const rpc_facts& facts) {
  if (!how.dns_suffix.empty())
    return how.dns_suffix;
  return facts.pki_suffix.empty() ? how.os_dns_suffix : facts.pki_suffix;
}

/// Empty for what is no text.
std::string text_of(const json& j, const char* key) {
  const auto found = j.find(key);
  return found != j.end() && found->is_string() ? found->get<std::string>() : std::string{};
}

json parse(const std::string& text) {
  return json::parse(text, nullptr, false);
}

} // namespace

result<std::string> first_message(const rpc_options& how, const rpc_facts& facts) {
  const auto uuid = how.uuid.empty() ? facts.uuid : how.uuid;
  if (is_dummy(uuid, how.version))
    return fail(problem::unsupported, "UUID " + uuid, "uuid");
  if (facts.control_mode != 0 && how.password.empty())
    return fail(problem::unauthenticated, "the machine is activated and needs its password",
                "password");
  json p = {{"ver", facts.version},
            {"build", facts.build},
            {"sku", facts.sku},
            {"features", pthi::features_of(facts.version, facts.sku)},
            {"uuid", uuid},
            {"username", facts.local_user},
            {"password", facts.control_mode == 0 ? facts.local_password : how.password},
            {"currentMode", facts.control_mode},
            {"hostname", how.hostname},
            {"fqdn", suffix_of(how, facts)},
            {"client", "RPC"}};
  // A slice without elements is null in Go.
  p["certHashes"] = facts.hashes.empty() ? json(nullptr) : json(facts.hashes);
  p["ipConfiguration"] = addresses(how.ip);
  const bool tells_host = how.command == rpc_command::maintenance && how.task == "synchostname";
  p["hostnameInfo"] = {{"dnsSuffixOS", tells_host ? how.os_dns_suffix : ""},
                       {"hostname", tells_host ? how.hostname : ""}};
  if (!how.friendly_name.empty())
    p["friendlyName"] = how.friendly_name;
  if (facts.tls_enforced)
    p["tlsEnforced"] = true;
  if (how.tls_tunnel)
    p["tlsTunnel"] = true;
  if (how.version == rpc_version::v2 && how.progress)
    p["progressSupported"] = true;
  if (how.version == rpc_version::v3)
    p["lmsInstalled"] = true;
  return as_go_writes(envelope(how, command_line(how), as_go_writes(p), how.tenant));
}

std::string follow_up(const rpc_options& how, std::string_view method, std::string_view payload) {
  return as_go_writes(envelope(how, std::string(method), payload, ""));
}

result<server_message> read_server_message(const std::string& text) {
  const auto j = parse(text);
  if (!j.is_object())
    return fail(problem::malformed, "no JSON object", "message");
  for (const auto* key : {"method", "apiKey", "appVersion", "protocolVersion", "status", "message",
                          "fqdn", "payload", "tenantId"}) {
    const auto found = j.find(key);
    if (found != j.end() && !found->is_string() && !found->is_null())
      return fail(problem::malformed, "Go cannot read this into a string", key);
  }
  return server_message{text_of(j, "method"), text_of(j, "message"), text_of(j, "payload")};
}

std::string heartbeat_answer(const std::string& text) {
  auto j = parse(text);
  j["method"] = "heartbeat_response";
  j["status"] = "success";
  return as_go_writes(j);
}

std::string method_of(const std::string& text) {
  const auto j = parse(text);
  const auto method = j.is_object() ? text_of(j, "method") : std::string{};
  return method.substr(0, method.find(' '));
}

result<port_switch> read_port_switch(const std::string& payload) {
  const auto j = parse(payload);
  if (!j.is_object())
    return fail(problem::malformed, "no JSON object", "payload");
  const auto delay = j.find("delay");
  port_switch out;
  out.port = static_cast<std::uint16_t>(std::atoi(text_of(j, "port").c_str()));
  if (delay != j.end() && delay->is_number_integer())
    out.delay = std::chrono::seconds(delay->get<int>());
  if (out.port == 0)
    return fail(problem::malformed, "'port' is no text with a number", "port");
  return out;
}

void explain_status(rpc_version v, bool good, rpc_outcome& into) {
  const auto j = parse(into.message);
  if (!j.is_object()) {
    into.status = into.message;
    into.said.push_back(into.message);
    return;
  }
  into.status = text_of(j, "Status");
  if (!good) {
    into.said.push_back(into.status);
    return;
  }
  const auto parts = j.find("Components");
  if (v == rpc_version::v3 || parts == j.end() || !parts->is_object()) {
    into.said.push_back("Status: " + into.status);
    into.said.push_back("Network: " + text_of(j, "Network"));
    into.said.push_back("CIRA: " + text_of(j, "CIRAConnection"));
    into.said.push_back("TLS: " + text_of(j, "TLSConfiguration"));
    return;
  }
  into.said.push_back("Provisioning and Configuration Result : ");
  constexpr std::pair<const char*, const char*> rows[] = {{"Activation", "Activation"},
                                                          {"Wired Network", "WiredNetwork"},
                                                          {"Wireless Network", "WirelessNetwork"},
                                                          {"TLS", "TLS"},
                                                          {"CIRA Proxy", "CIRAProxy"},
                                                          {"CIRA Connection", "CIRAConnection"}};
  const auto shown = [&](const char* key) {
    const auto part = parts->find(key);
    return part != parts->end() && part->is_object() && text_of(*part, "Result") != "NotApplicable";
  };
  std::size_t width = 0;
  for (const auto& [label, key] : rows)
    if (shown(key))
      width = std::max(width, std::string_view(label).size());
  for (const auto& [label, key] : rows) {
    if (!shown(key))
      continue;
    const auto& part = parts->at(key);
    auto detail = text_of(part, "Details");
    const auto mode = text_of(part, "Mode");
    if (!mode.empty())
      detail += (detail.empty() ? "[" : " [") + mode + "]";
    auto line = "  " + std::string(label) + ":";
    line.resize(2 + width + 1, ' ');
    into.said.push_back(detail.empty() ? line : line + " " + detail);
  }
}

} // namespace outband::test
