#include "messages/rps/claim.hpp"

#include "tests/unit/messages/rps/frames.hpp"

#include <doctest/doctest.h>

using namespace outband;
using namespace outband::rps;
using test::claim_text;
using test::with;

TEST_CASE("a claim says everything that rpc knows of the machine") {
  const auto c = parse_claim(claim_text);
  REQUIRE(c.ok());
  CHECK(to_string(c->guid) == "4c4c4544-004d-4d10-8050-b2c04f325133");
  CHECK(c->version == "16.1.27");
  CHECK(c->build == "2192");
  CHECK(c->sku == "16392");
  CHECK(c->features == "AMT Pro Corporate");
  CHECK(c->mode == 0);
  CHECK(c->hostname == "edge-01");
  CHECK(c->dns_suffix == "vprodemo.com");
  CHECK(c->local_user == "$$OsAdmin");
  CHECK(c->password.reveal() == "lsa pw");
  CHECK(c->progress);
  CHECK_FALSE(c->tls_enforced);
  CHECK_FALSE(c->tls_tunnel);
  REQUIRE(c->root_hashes.size() == 1);
  CHECK(c->root_hashes[0] == "e7685634efacf69ace939a6b255b7b4fabef42935b50a265acb5cb6027e44e70");
}

TEST_CASE("a claim of a maintenance task carries addresses and names of the host") {
  auto text = with(
      claim_text, "ipConfiguration",
      R"({"dhcp":false,"static":true,"ipsync":true,"ipAddress":"192.168.1.7","netmask":"255.255.255.0","gateway":"192.168.1.1","primaryDns":"8.8.8.8","secondaryDns":""})");
  text = with(text, "hostnameInfo", R"({"dnsSuffixOS":"corp.example","hostname":"host-7"})");
  text = with(with(text, "tlsEnforced", "true"), "friendlyName", R"("left door")");
  const auto c = parse_claim(text);
  REQUIRE(c.ok());
  CHECK(c->ip.fixed);
  CHECK(c->ip.sync);
  CHECK_FALSE(c->ip.dhcp);
  CHECK(c->ip.address == "192.168.1.7");
  CHECK(c->ip.gateway == "192.168.1.1");
  CHECK(c->os_hostname == "host-7");
  CHECK(c->os_dns_suffix == "corp.example");
  CHECK(c->tls_enforced);
  CHECK(c->friendly_name == "left door");
}

TEST_CASE("a UUID as sixteen octets is in SMBIOS order") {
  const auto c =
      parse_claim(with(claim_text, "uuid", "[68,69,76,76,77,0,16,77,128,80,178,192,79,50,81,51]"));
  REQUIRE(c.ok());
  CHECK(to_string(c->guid) == "4c4c4544-004d-4d10-8050-b2c04f325133");
}

TEST_CASE("a UUID that many machines share is refused") {
  for (const char* id :
       {"00000000-0000-0000-0000-000000000000", "03000200-0400-0500-0006-000700080009",
        "ffffffff-ffff-ffff-ffff-ffffffffffff", "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF"}) {
    CAPTURE(id);
    const auto c = parse_claim(with(claim_text, "uuid", '"' + std::string(id) + '"'));
    REQUIRE_FALSE(c.ok());
    CHECK(c.error().field == "payload.uuid");
    CHECK(c.error().detail.find("many machines") != std::string::npos);
  }
}

TEST_CASE("what is missing or of the wrong form is named") {
  struct defect {
    const char *member, *value, *field;
  };
  const defect defects[] = {
      {"client", "", "payload.client"},
      {"ver", "", "payload.ver"},
      {"build", "null", "payload.build"},
      {"uuid", "", "payload.uuid"},
      {"ver", "16", "payload.ver"},
      {"ver", R"("16.x")", "payload.ver"},
      {"ver", R"("")", "payload.ver"},
      {"build", R"("21a")", "payload.build"},
      {"uuid", R"("4c4c4544")", "payload.uuid"},
      {"uuid", R"("zc4c4544-004d-4d10-8050-b2c04f325133")", "payload.uuid"},
      {"uuid", "[1,2,3]", "payload.uuid"},
      {"uuid", "[68,69,76,76,77,0,16,77,128,80,178,192,79,50,81,256]", "payload.uuid"},
      {"uuid", "7", "payload.uuid"},
      {"currentMode", "3", "payload.currentMode"},
      {"currentMode", "", "payload.currentMode"},
      {"currentMode", R"("0")", "payload.currentMode"},
      {"certHashes", R"("e768")", "payload.certHashes"},
      {"certHashes", R"(["e768"])", "payload.certHashes"},
      {"certHashes", "[7]", "payload.certHashes"},
      {"hostname", R"("a\nb")", "payload.hostname"},
      {"username", R"("a\"b")", "payload.username"},
      {"fqdn", "[]", "payload.fqdn"},
      {"progressSupported", R"("yes")", "payload.progressSupported"},
      {"ipConfiguration", R"({"ipAddress":"fe80::1"})", "payload.ipConfiguration.ipAddress"},
      {"ipConfiguration", R"({"netmask":"1.2.3"})", "payload.ipConfiguration.netmask"},
      {"ipConfiguration", R"({"gateway":"1.2.3.4.5"})", "payload.ipConfiguration.gateway"},
      {"ipConfiguration", R"({"gateway":"1.2.3.256"})", "payload.ipConfiguration.gateway"},
      {"ipConfiguration", R"({"dhcp":1})", "payload.ipConfiguration.dhcp"},
      {"hostnameInfo", R"({"hostname":5})", "payload.hostnameInfo.hostname"},
      {"hostnameInfo", "[]", "payload.hostnameInfo"},
      {"ipConfiguration", R"("10.0.0.1")", "payload.ipConfiguration"},
      {"ipConfiguration", R"({"ipAddress":".1.2.3"})", "payload.ipConfiguration.ipAddress"},
      {"ipConfiguration", R"({"ipAddress":"0001.2.3.4"})", "payload.ipConfiguration.ipAddress"},
      {"ipConfiguration", R"({"primaryDns":"1.2.3.4 "})", "payload.ipConfiguration.primaryDns"},
      {"ver", R"("16..1")", "payload.ver"},
      {"ver", R"("16.1.")", "payload.ver"},
      {"ver", R"("1.2.3.4.5.6")", "payload.ver"},
      {"ver", R"("123456.1")", "payload.ver"},
      {"build", R"("-1")", "payload.build"},
      {"currentMode", "-1", "payload.currentMode"},
      {"currentMode", "1.5", "payload.currentMode"},
      {"currentMode", "9223372036854775807", "payload.currentMode"},
      {"uuid", "[68,69,76,76,77,0,16,77,128,80,178,192,79,50,81,-1]", "payload.uuid"},
      {"uuid", R"("4c4c4544-004d-4d10-8050-b2c04f3251333")", "payload.uuid"},
      {"uuid", R"("4c4c4544x004d-4d10-8050-b2c04f325133")", "payload.uuid"},
      {"certHashes", R"({"0":"e7"})", "payload.certHashes"},
      {"tlsEnforced", "1", "payload.tlsEnforced"},
      {"password", "[]", "payload.password"},
  };
  for (const auto& d : defects) {
    CAPTURE(std::string(d.member));
    CAPTURE(std::string(d.value));
    const auto c = parse_claim(with(claim_text, d.member, d.value));
    REQUIRE_FALSE(c.ok());
    CHECK(c.error().field == d.field);
    CHECK(c.error().detail.rfind("Failed to parse client message payload. ", 0) == 0);
  }
}

TEST_CASE("RPS's words are kept where its users know them") {
  CHECK(
      parse_claim(with(claim_text, "ver", "")).error().detail.find("Invalid payload from client") !=
      std::string::npos);
  CHECK(parse_claim("[]").error().detail.find("Invalid payload from client") != std::string::npos);
  CHECK(parse_claim(with(claim_text, "uuid", R"("1")"))
            .error()
            .detail.find("uuid not valid length") != std::string::npos);
  CHECK(parse_claim(with(claim_text, "currentMode", "9"))
            .error()
            .detail.find("It is in unknown mode") != std::string::npos);
}

TEST_CASE("texts and lists have bounds") {
  CHECK(parse_claim(with(claim_text, "hostname", '"' + std::string(257, 'h') + '"')).error().what ==
        problem::too_large);
  CHECK(parse_claim(with(claim_text, "password", '"' + std::string(129, 'p') + '"')).error().what ==
        problem::too_large);
  const std::string hash = '"' + std::string(64, 'a') + '"';
  std::string many = hash;
  for (int i = 1; i < 129; ++i)
    many += ',' + hash;
  CHECK(parse_claim(with(claim_text, "certHashes", '[' + many + ']')).error().what ==
        problem::too_large);
}

TEST_CASE("a claim that nests or repeats itself is refused whatever it says") {
  CHECK_FALSE(parse_claim(with(claim_text, "more", "[[[[[[[]]]]]]]")).ok());
  std::string many = "0";
  for (int i = 0; i < 3000; ++i)
    many += ",0";
  CHECK(parse_claim(with(claim_text, "more", '[' + many + ']')).error().what == problem::too_large);
  auto twice = claim_text;
  twice.insert(1, R"("uuid":"4c4c4544-004d-4d10-8050-b2c04f325134",)");
  CHECK_FALSE(parse_claim(twice).ok());
  CHECK_FALSE(parse_claim(claim_text + "x").ok());
  CHECK_FALSE(parse_claim("").ok());
  CHECK(parse_claim(with(claim_text, "more", "{}")).ok()); // what we do not know is passed over
}

TEST_CASE("texts may be as long as their bounds and no longer") {
  struct bound {
    const char* member;
    std::size_t most;
    char fill;
  };
  for (const auto& b :
       {bound{"hostname", 256, 'h'}, bound{"fqdn", 256, 'f'}, bound{"friendlyName", 256, 'n'},
        bound{"features", 256, 'a'}, bound{"username", 64, 'u'}, bound{"sku", 16, '1'},
        bound{"build", 16, '1'}, bound{"client", 64, 'c'}, bound{"password", 128, 'p'}}) {
    CAPTURE(std::string(b.member));
    const auto claim = [&](std::size_t size) {
      return parse_claim(with(claim_text, b.member, '"' + std::string(size, b.fill) + '"'));
    };
    CHECK(claim(b.most).ok());
    REQUIRE_FALSE(claim(b.most + 1).ok());
    CHECK(claim(b.most + 1).error().field == "payload." + std::string(b.member));
  }
}

TEST_CASE("what a client may leave out is empty") {
  auto text = claim_text;
  for (const char* name : {"sku", "features", "username", "password", "hostname", "fqdn",
                           "certHashes", "ipConfiguration", "hostnameInfo", "progressSupported"})
    text = with(text, name, "");
  const auto c = parse_claim(text);
  REQUIRE(c.ok());
  CHECK(c->password.empty());
  CHECK(c->root_hashes.empty());
  CHECK_FALSE(c->progress);
  CHECK(parse_claim(with(claim_text, "certHashes", "null")).ok());
}
