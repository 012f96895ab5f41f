#include "messages/domain/ids.hpp"

#include <doctest/doctest.h>

#include <set>
#include <unordered_set>

using namespace outband;

TEST_CASE("a GUID in text is read in either case and shown in lower case") {
  const auto id = parse_uuid("12345678-9ABC-def0-1234-56789abcdef0");
  REQUIRE(id.has_value());
  CHECK(id->bytes[0] == 0x12);
  CHECK(id->bytes[15] == 0xf0);
  CHECK(to_string(*id) == "12345678-9abc-def0-1234-56789abcdef0");
}

TEST_CASE("nothing but the hyphenated form is a GUID") {
  for (auto text : {"", "12345678", "123456789abcdef0123456789abcdef0",
                    "{12345678-9abc-def0-1234-56789abcdef0}", "12345678-9abc-def0-1234-56789abcdef",
                    "12345678-9abc-def0-1234-56789abcdef00", "12345678-9abc-def0-123456-789abcdef0",
                    "12345678 9abc-def0-1234-56789abcdef0", "1234567g-9abc-def0-1234-56789abcdef0",
                    "+2345678-9abc-def0-1234-56789abcdef0"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_uuid(text).has_value());
  }
}

TEST_CASE("the firmware's octet order differs in the first three groups only") {
  const auto id = *parse_uuid("00112233-4455-6677-8899-aabbccddeeff");
  CHECK(to_string(swap_smbios(id)) == "33221100-5544-7766-8899-aabbccddeeff");
  CHECK(swap_smbios(swap_smbios(id)) == id);
}

TEST_CASE("a version 7 id carries its time in front and its version and variant") {
  // RFC 9562 appendix A.6: 2022-02-22T19:22:22.000Z.
  const auto id =
      make_uuid_v7(1645557742000, {0xfc, 0xc3, 0xd8, 0xc4, 0xdc, 0x0c, 0x0c, 0x07, 0x39, 0x8f});
  CHECK(to_string(id) == "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
  CHECK(make_uuid_v7(1, {}) < make_uuid_v7(2, {}));
  const auto full = make_uuid_v7(0, {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff});
  CHECK(to_string(full) == "00000000-0000-7fff-bfff-ffffffffffff");
}

TEST_CASE("only the id of zeros is nil") {
  CHECK(uuid{}.is_nil());
  CHECK_FALSE(parse_uuid("00000000-0000-0000-0000-000000000001")->is_nil());
}

TEST_CASE("a tenant key is a short slug that does not begin or end with a hyphen") {
  for (auto good : {"a", "acme", "acme-2", "0", "a1234567890123456789"}) {
    CAPTURE(good);
    CHECK(valid_tenant_key(good));
  }
  for (auto bad : {"", "-", "-acme", "acme-", "Acme", "ac me", "acme/x", "a+", "#", "ä",
                   "a12345678901234567890"}) {
    CAPTURE(bad);
    CHECK_FALSE(valid_tenant_key(bad));
  }
}

TEST_CASE("a topic level is a slug of at most 64 characters") {
  CHECK(valid_level("-"));
  CHECK(valid_level(std::string(64, 'x')));
  for (const auto& bad : {std::string(), std::string(65, 'x'), std::string("A"), std::string("a/b"),
                          std::string("+"), std::string("a\0b", 3), std::string("a_b")}) {
    CAPTURE(bad);
    CHECK_FALSE(valid_level(bad));
  }
}

TEST_CASE("a principal is named as in its topics") {
  CHECK(to_string(principal{principal::kind::person, "acme", "alice"}) == "op/alice");
  CHECK(to_string(principal{principal::kind::external, "acme", "ha"}) == "ext/ha");
  CHECK(to_string(principal{principal::kind::agent, "acme", "g"}) == "dev/g");
  CHECK(to_string(principal{principal::kind::node, "-", "n1"}) == "inst/n1");
}

TEST_CASE("the same GUID in two tenants is two devices") {
  const auto id = *parse_uuid("12345678-9abc-def0-1234-56789abcdef0");
  std::unordered_set<device_ref> all{{"acme", id}, {"blue", id}, {"acme", id}};
  CHECK(all.size() == 2);
  CHECK(device_ref{"acme", id} != device_ref{"blue", id});
  CHECK(to_string(device_ref{"acme", id}) == "acme/12345678-9abc-def0-1234-56789abcdef0");
}
