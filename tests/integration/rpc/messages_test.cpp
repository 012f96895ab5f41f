#include "tests/integration/rpc/bench_rpc.hpp"
#include "tests/support/rpc_messages.hpp"

#include <doctest/doctest.h>

namespace outband::test {
namespace {

std::string method(rpc_options how) {
  const auto text = first_message(how, some_facts());
  REQUIRE(text.ok());
  return parsed(*text).value("method", "");
}

} // namespace

TEST_CASE("the first message of v2 is octet for octet what the Go client writes") {
  rpc_options how;
  how.profile = "floor-3";
  how.hostname = "edge-01";
  const auto text = first_message(how, some_facts());
  REQUIRE(text.ok());
  CHECK(text->rfind(R"({"method":"activate --profile floor-3","apiKey":"key",)"
                    R"("appVersion":"v2.52.4","protocolVersion":"4.0.0","status":"ok",)"
                    R"("message":"ok","fqdn":"","payload":")",
                    0) == 0);
  CHECK(text->find(R"(","tenantId":""})") != std::string::npos);
  CHECK(payload_of(*text) ==
        R"({"ver":"16.1.27","build":"2192","sku":"16392","features":"AMT Pro Corporate",)"
        R"("uuid":"4c4c4544-004d-4d10-8050-b2c04f325133","username":"$$OsAdmin",)"
        R"("password":"a\u003cb\u0026c","currentMode":0,"hostname":"edge-01",)"
        R"("fqdn":"acme.test","client":"RPC","certHashes":[")" +
            std::string(64, 'e') +
            R"("],"ipConfiguration":{"dhcp":false,"static":false,"ipsync":false,"ipAddress":"",)"
            R"("netmask":"","gateway":"","primaryDns":"","secondaryDns":""},)"
            R"("hostnameInfo":{"dnsSuffixOS":"","hostname":""},"progressSupported":true})");
}

TEST_CASE("v3 says that there is an LMS and nothing of progress") {
  rpc_options how;
  how.version = rpc_version::v3;
  how.tls_tunnel = true;
  auto facts = some_facts();
  facts.tls_enforced = true;
  facts.hashes.clear();
  const auto text = first_message(how, facts);
  REQUIRE(text.ok());
  CHECK(parsed(*text).value("appVersion", "") == "v3.0.0-beta.50");
  const auto payload = parsed(payload_of(*text));
  CHECK(payload.value("lmsInstalled", false));
  CHECK(payload.value("tlsEnforced", false));
  CHECK(payload.value("tlsTunnel", false));
  CHECK_FALSE(payload.contains("progressSupported"));
  CHECK(payload.at("certHashes").is_null());
}

TEST_CASE("each command has the line that the Go client makes of it") {
  rpc_options how;
  how.password = "P@ss";
  how.command = rpc_command::deactivate;
  CHECK(method(how) == "deactivate --password P@ss");
  how.force = true;
  CHECK(method(how) == "deactivate --password P@ss -f");
  how.force = false;
  how.command = rpc_command::maintenance;
  how.task = "synctime";
  CHECK(method(how) == "maintenance -password P@ss --synctime");
  how.task = "changepassword";
  CHECK(method(how) == "maintenance -password P@ss --changepassword");
  how.new_password = "N3w!";
  CHECK(method(how) == "maintenance -password P@ss --changepassword N3w!");
}

TEST_CASE("what the Go client refuses by itself never reaches a server") {
  rpc_options how;
  auto facts = some_facts();
  facts.control_mode = 2;
  CHECK_FALSE(first_message(how, facts).ok());
  how.password = "P@ss";
  const auto text = first_message(how, facts);
  REQUIRE(text.ok());
  CHECK(parsed(payload_of(*text)).value("password", "") == "P@ss");
  facts.uuid = "03000200-0400-0500-0006-000700080009";
  CHECK_FALSE(first_message(how, facts).ok());
}

TEST_CASE("v2 prints components as a table and v3 the four lines") {
  rpc_outcome out;
  out.message = R"({"Status":"Admin control mode.","Network":"n","CIRAConnection":"Configured",)"
                R"("TLSConfiguration":"t","Components":{)"
                R"("Activation":{"Result":"Success","Mode":"ACM","Details":"Admin control mode."},)"
                R"("TLS":{"Result":"NotApplicable","Details":"x"},)"
                R"("CIRAConnection":{"Result":"Failure","Details":"Failed to add mps"}}})";
  auto v2 = out;
  explain_status(rpc_version::v2, true, v2);
  CHECK(v2.said == std::vector<std::string>{"Provisioning and Configuration Result : ",
                                            "  Activation:      Admin control mode. [ACM]",
                                            "  CIRA Connection: Failed to add mps"});
  auto v3 = out;
  explain_status(rpc_version::v3, true, v3);
  CHECK(v3.said == std::vector<std::string>{"Status: Admin control mode.", "Network: n",
                                            "CIRA: Configured", "TLS: t"});
  rpc_outcome plain;
  plain.message = "a plain text";
  explain_status(rpc_version::v2, false, plain);
  CHECK(plain.status == "a plain text");
}

TEST_CASE("what Go cannot read into its structure is nonsense") {
  CHECK_FALSE(read_server_message("no json").ok());
  CHECK_FALSE(read_server_message(R"({"method":1})").ok());
  CHECK(read_server_message(R"({"method":"wsman","payload":null})").ok());
  CHECK_FALSE(read_port_switch(R"({"port":16993})").ok());
  const auto asked = read_port_switch(R"({"port":"16993","delay":15})");
  REQUIRE(asked.ok());
  CHECK(asked->port == 16993);
  CHECK(asked->delay == std::chrono::seconds(15));
}

} // namespace outband::test
