/// Options and messages for tests of rpc_client: a machine that needs no MEI.
#pragma once

#include "messages/amt/base64.hpp"
#include "tests/integration/rpc/scripted_peer.hpp"
#include "tests/support/rpc_client.hpp"

#include <nlohmann/json.hpp>

#include <string>

namespace outband::test {

inline rpc_facts some_facts() {
  rpc_facts f;
  f.version = "16.1.27";
  f.build = "2192";
  f.sku = "16392";
  f.uuid = "4c4c4544-004d-4d10-8050-b2c04f325133";
  f.local_user = "$$OsAdmin";
  f.local_password = "a<b&c";
  f.hashes = {std::string(64, 'e')};
  f.pki_suffix = "acme.test";
  return f;
}

inline rpc_options options_for(const scripted_peer& server) {
  rpc_options how;
  how.url = "ws://127.0.0.1:" + std::to_string(server.port()) + "/activate/a-token";
  how.facts = some_facts();
  how.profile = "floor-3";
  return how;
}

/// An empty object for what is no JSON, such as the end of a connection.
inline nlohmann::json parsed(const std::string& text) {
  auto j = nlohmann::json::parse(text, nullptr, false);
  return j.is_object() ? j : nlohmann::json::object();
}

inline std::string from_server(const std::string& method, const nlohmann::json& payload,
                               const std::string& message = {}) {
  const nlohmann::json j = {{"method", method}, {"apiKey", "xxxxx"},         {"appVersion", "1"},
                            {"status", "ok"},   {"message", message},        {"payload", payload},
                            {"tenantId", ""},   {"protocolVersion", "4.0.0"}};
  return j.dump();
}

inline std::string octets_from_server(const std::string& method, const std::string& octets) {
  return from_server(method, amt::base64_encode(octets));
}

inline std::string payload_of(const std::string& text) {
  return amt::base64_decode(parsed(text).value("payload", "")).value_or("not base64");
}

} // namespace outband::test
