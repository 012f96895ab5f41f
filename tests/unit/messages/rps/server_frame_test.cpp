#include "messages/rps/server_frame.hpp"

#include "messages/amt/base64.hpp"
#include "messages/rest/json.hpp"

#include <doctest/doctest.h>

using namespace outband;
using namespace outband::rps;

namespace {

std::string text_of(const json::value& doc, std::string_view name) {
  const auto* v = doc.find(name);
  REQUIRE(v);
  REQUIRE(v->text());
  return *v->text();
}

json::value parsed(const std::string& text) {
  auto doc = json::parse(text);
  REQUIRE(doc.ok());
  return *doc;
}

} // namespace

TEST_CASE("octets for the firmware are base64 in wsman and tls_data") {
  CHECK(wsman_frame("POST /wsman") ==
        R"({"method":"wsman","apiKey":"xxxxx","appVersion":"outband","protocolVersion":"4.0.0",)"
        R"("status":"ok","message":"","payload":"UE9TVCAvd3NtYW4=","tenantId":""})");
  const std::string octets("\x16\x03\x01\0", 4);
  const auto doc = parsed(tls_frame(octets));
  CHECK(text_of(doc, "method") == "tls_data");
  CHECK(*amt::base64_decode(text_of(doc, "payload")) == octets);
}

TEST_CASE("the payload of port_switch is JSON and not base64") {
  const auto doc = parsed(port_switch_frame(std::chrono::seconds(15)));
  CHECK(text_of(doc, "method") == "port_switch");
  CHECK(text_of(doc, "status") == "ok");
  CHECK(text_of(doc, "payload") == R"({"port":"16993","delay":15})");
}

TEST_CASE("a progress label is the message of a frame without payload") {
  const auto doc = parsed(progress_frame("Configuring \"TLS\""));
  CHECK(text_of(doc, "method") == "progress");
  CHECK(text_of(doc, "message") == "Configuring \"TLS\"");
  REQUIRE(doc.find("payload"));
  CHECK(doc.find("payload")->is_null());
}

TEST_CASE("a success is four flat lines that EMF's agent reads") {
  provisioning_report r;
  r.success = true;
  r.status = "Admin control mode.";
  r.network = "Wired Network Configured";
  r.cira = "Configured";
  r.tls = "Configured";
  r.details.push_back({component::activation, component_result::verdict::success, "x", "ACM"});
  const auto doc = parsed(final_frame(r, false));
  CHECK(text_of(doc, "method") == "success");
  CHECK(text_of(doc, "status") == "success");
  CHECK(text_of(doc, "message") ==
        R"({"Status":"Admin control mode.","Network":"Wired Network Configured",)"
        R"("CIRAConnection":"Configured","TLSConfiguration":"Configured"})");
}

TEST_CASE("a component of which a part failed has failed") {
  provisioning_report r;
  r.details.push_back({component::wired_network, component_result::verdict::success,
                       "Wired Network Configured", ""});
  r.details.push_back(
      {component::wired_network, component_result::verdict::failure, "no 802.1x", ""});
  const auto status = parsed(text_of(parsed(final_frame(r, true)), "message"));
  const auto* wired = status.find("Components")->find("WiredNetwork");
  REQUIRE(wired);
  CHECK(text_of(*wired, "Result") == "Failure");
  CHECK(text_of(*wired, "Details") == "no 802.1x");
}

TEST_CASE("components are all six once they are asked for") {
  provisioning_report r;
  r.success = true;
  r.status = "Admin control mode.";
  r.details.push_back(
      {component::activation, component_result::verdict::success, "Admin control mode.", "ACM"});
  r.details.push_back(
      {component::cira_connection, component_result::verdict::failure, "Failed to add mps", ""});
  const auto status = parsed(text_of(parsed(final_frame(r, true)), "message"));
  CHECK(status.find("Network") == nullptr);
  const auto* all = status.find("Components");
  REQUIRE(all);
  for (const char* name :
       {"Activation", "WiredNetwork", "WirelessNetwork", "TLS", "CIRAProxy", "CIRAConnection"}) {
    CAPTURE(name);
    REQUIRE(all->find(name));
  }
  CHECK(all->members()->size() == 6);
  CHECK(text_of(*all->find("Activation"), "Result") == "Success");
  CHECK(text_of(*all->find("Activation"), "Mode") == "ACM");
  CHECK(text_of(*all->find("CIRAConnection"), "Result") == "Failure");
  CHECK(all->find("CIRAConnection")->find("Mode") == nullptr);
  CHECK(text_of(*all->find("TLS"), "Result") == "NotApplicable");
  CHECK(text_of(*all->find("TLS"), "Details").find("not part of this configuration") !=
        std::string::npos);
}

TEST_CASE("a failure is an error whose status is the sentence") {
  provisioning_report r;
  r.status = "Unable to authenticate with AMT";
  const auto doc = parsed(final_frame(r, false));
  CHECK(text_of(doc, "method") == "error");
  CHECK(text_of(doc, "status") == "failed");
  CHECK(text_of(doc, "message") == R"({"Status":"Unable to authenticate with AMT"})");
  CHECK(error_frame("Unable to authenticate with AMT") == final_frame(r, false));
}

TEST_CASE("a heartbeat request is what rpc echoes") {
  const auto doc = parsed(heartbeat_frame());
  CHECK(text_of(doc, "method") == "heartbeat_request");
  CHECK(text_of(doc, "status") == "heartbeat");
  CHECK(text_of(doc, "payload").empty());
}
