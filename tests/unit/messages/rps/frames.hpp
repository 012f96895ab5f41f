/// A first message as rpc v2.52 writes it, and what tests change about it.
#pragma once

#include "messages/amt/base64.hpp"
#include "messages/rest/json.hpp"

#include <string>

namespace outband::test {

inline const std::string claim_text =
    R"({"ver":"16.1.27","build":"2192","sku":"16392","features":"AMT Pro Corporate",)"
    R"("uuid":"4c4c4544-004d-4d10-8050-b2c04f325133","username":"$$OsAdmin","password":"lsa pw","currentMode":0,)"
    R"("hostname":"edge-01","fqdn":"vprodemo.com","client":"RPC","certHashes":["E7685634efacf69ace939a6b255b7b4fabef42935b50a265acb5cb6027e44e70"],)"
    R"("ipConfiguration":{"dhcp":false,"static":false,"ipsync":false,"ipAddress":"","netmask":"","gateway":"","primaryDns":"","secondaryDns":""},)"
    R"("hostnameInfo":{"dnsSuffixOS":"","hostname":""},"progressSupported":true})";

/// `text` with the member's value replaced by this JSON, or removed if it is empty.
inline std::string with(const std::string& text, const std::string& member,
                        const std::string& value) {
  auto doc = *json::parse(text);
  auto& all = *doc.members();
  json::object out;
  for (auto& m : all)
    if (m.name != member)
      out.push_back(std::move(m));
  if (!value.empty())
    out.push_back({member, *json::parse("[" + value + "]")->items()->begin()});
  return json::dump(json::value(std::move(out)));
}

inline std::string frame_with(const std::string& method, const std::string& payload_octets) {
  return R"({"method":)" + json::quoted(method) +
         R"(,"apiKey":"key","appVersion":"v2.52.4","protocolVersion":"4.0.0","status":"ok",)"
         R"("message":"ok","fqdn":"","payload":")" +
         amt::base64_encode(payload_octets) + R"(","tenantId":""})";
}

} // namespace outband::test
