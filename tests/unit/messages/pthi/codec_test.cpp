#include "messages/pthi/clients.hpp"
#include "messages/pthi/codec.hpp"
#include "messages/pthi/sku.hpp"
#include "tests/unit/messages/pthi/octets.hpp"

#include <doctest/doctest.h>

namespace outband::pthi::test {
namespace {

template <class T> T body_of(command asked, std::string_view octets) {
  const auto r = decode_response(asked, octets);
  REQUIRE_MESSAGE(r.ok(), (r.ok() ? "" : to_string(r.error())));
  REQUIRE(r->status == answer_status::success);
  REQUIRE(std::holds_alternative<T>(r->content));
  return std::get<T>(r->content);
}

template <class T> T round(command what, const T& b) {
  return body_of<T>(what, encode(response{what, answer_status::success, b}));
}

} // namespace

TEST_CASE("requests have the octets that rpc sends") {
  CHECK(hex(encode(plain_request{command::get_code_versions})) ==
        squeeze("01 01 0000 1a000004 00000000"));
  CHECK(hex(encode(plain_request{command::get_control_mode})) ==
        squeeze("01 01 0000 6b000004 00000000"));
  CHECK(hex(encode(unprovision_request{0})) == squeeze("01 01 0000 10000004 04000000 00000000"));
  CHECK(hex(encode(hash_entry_request{3})) == squeeze("01 01 0000 2d000004 04000000 03000000"));
  CHECK(hex(encode(lan_settings_request{1})) == squeeze("01 01 0000 48000004 04000000 01000000"));
  CHECK(hex(encode(local_account_request{})) ==
        squeeze("01 01 0000 67000004 28000000") + std::string(80, '0'));
}

TEST_CASE("a request for host based setup has 390 octets after its head") {
  host_based_request asked;
  asked.algorithm = hash_algorithm::sha384;
  asked.leaf_hash = std::string(48, 'h');
  asked.host_vpn = true;
  asked.suffixes = {"acme.test", "lab.acme.test"};
  const auto octets = encode(asked);
  REQUIRE(octets.size() == 12 + 390);
  CHECK(hex(octets.substr(0, 13)) == squeeze("01 01 0000 8b000004 86010000 03"));
  CHECK(hex(octets.substr(12 + 65, 5)) == squeeze("01 18000000"));

  const auto read = decode_request(octets);
  REQUIRE(read.ok());
  const auto& again = std::get<host_based_request>(*read);
  CHECK(again.algorithm == hash_algorithm::sha384);
  CHECK(again.leaf_hash == asked.leaf_hash);
  CHECK(again.host_vpn);
  CHECK(again.suffixes == asked.suffixes);
}

TEST_CASE("every request is read as it was written") {
  const request all[] = {plain_request{command::get_provisioning_state},
                         plain_request{command::get_code_versions},
                         plain_request{command::enumerate_hash_handles},
                         plain_request{command::get_pki_suffix},
                         plain_request{command::get_remote_access_status},
                         plain_request{command::get_uuid},
                         plain_request{command::stop_configuration},
                         plain_request{command::get_control_mode},
                         unprovision_request{7},
                         hash_entry_request{32},
                         lan_settings_request{1},
                         local_account_request{},
                         host_based_request{}};
  for (const auto& r : all) {
    CAPTURE(to_string(command_of(r)));
    const auto octets = encode(r);
    const auto read = decode_request(octets);
    REQUIRE(read.ok());
    CHECK(command_of(*read) == command_of(r));
    CHECK(peek_command(octets) == static_cast<std::uint32_t>(command_of(r)));
  }
  CHECK(std::get<hash_entry_request>(*decode_request(encode(hash_entry_request{32}))).handle == 32);
}

TEST_CASE("a GUID has its first three groups turned around on the wire") {
  const auto id = *parse_uuid("4c4c4544-004d-4d10-8050-b2c04f325133");
  const auto octets = encode(response{command::get_uuid, answer_status::success, uuid_body{id}});
  CHECK(hex(octets) ==
        squeeze("01 01 0000 5c008004 14000000 00000000 44454c4c4d00104d8050b2c04f325133"));
  CHECK(body_of<uuid_body>(command::get_uuid, octets).id == id);
}

TEST_CASE("code versions are found by the text that describes them") {
  code_versions_body b;
  b.bios = "ABCD 1.2.3";
  b.versions = {{"AMT", "16.1.27"}, {"Build Number", "2192"}, {"Sku", "16392"}};
  const auto octets = encode(response{command::get_code_versions, answer_status::success, b});
  CHECK(octets.size() == 16 + 65 + 4 + 3 * 44);
  const auto again = body_of<code_versions_body>(command::get_code_versions, octets);
  CHECK(again.bios == b.bios);
  CHECK(again.find("AMT") == "16.1.27");
  CHECK(again.find("Build Number") == "2192");
  CHECK(again.find("Sku") == "16392");
  CHECK(again.find("LMS").empty());
}

TEST_CASE("an answer in a zeroed buffer of the largest size is read as rpc reads it") {
  code_versions_body b;
  b.versions = {{"AMT", "19.0.5"}};
  auto octets = encode(response{command::get_code_versions, answer_status::success, b});
  octets.resize(max_message, '\0');
  CHECK(body_of<code_versions_body>(command::get_code_versions, octets).find("AMT") == "19.0.5");
}

TEST_CASE("every answer is read as it was written") {
  CHECK(round(command::get_control_mode, number_body{2}).value == 2);
  CHECK(round(command::get_provisioning_state, number_body{1}).value == 1);
  CHECK(round(command::enumerate_hash_handles, hash_handles_body{{0, 1, 7}}).handles ==
        std::vector<std::uint32_t>{0, 1, 7});

  hash_entry_body entry;
  entry.is_default = true;
  entry.algorithm = hash_algorithm::sha384;
  entry.hash = std::string(48, '\x7f');
  entry.name = "A root";
  const auto entry_again = round(command::get_hash_entry, entry);
  CHECK(entry_again.is_default);
  CHECK_FALSE(entry_again.is_active);
  CHECK(entry_again.algorithm == hash_algorithm::sha384);
  CHECK(entry_again.hash == entry.hash);
  CHECK(entry_again.name == "A root");

  CHECK(round(command::get_pki_suffix, pki_suffix_body{" acme.test. "}).suffix == " acme.test. ");

  const auto access =
      round(command::get_remote_access_status, remote_access_body{2, 1, 2, "mps.acme.test"});
  CHECK(access.network == 2);
  CHECK(access.remote == 1);
  CHECK(access.trigger == 2);
  CHECK(access.mps_host == "mps.acme.test");

  lan_settings_body lan{true, 0x0A000001, true, true, true, {1, 2, 3, 4, 5, 6}};
  const auto lan_again = round(command::get_lan_settings, lan);
  CHECK(lan_again.enabled);
  CHECK(lan_again.ipv4 == 0x0A000001);
  CHECK(lan_again.dhcp);
  CHECK(lan_again.dhcp_active);
  CHECK(lan_again.link_up);
  CHECK(lan_again.mac == lan.mac);

  const auto account =
      round(command::get_local_account, local_account_body{"$$OsAdmin", std::string(32, 'p')});
  CHECK(account.user == "$$OsAdmin");
  CHECK(account.password == std::string(32, 'p'));

  host_based_body host{hash_algorithm::sha256, std::string(32, 'c')};
  CHECK(round(command::start_host_based, host).amt_hash == host.amt_hash);
  round(command::stop_configuration, no_body{});
}

TEST_CASE("a refusal carries its status and nothing else") {
  const auto octets =
      encode(response{command::unprovision, answer_status::invalid_mode, number_body{9}});
  CHECK(hex(octets) == squeeze("01 01 0000 10008004 04000000 03000000"));
  const auto read = decode_response(command::unprovision, octets);
  REQUIRE(read.ok());
  CHECK(read->status == answer_status::invalid_mode);
  CHECK(std::holds_alternative<no_body>(read->content));
  CHECK(to_string(read->status) == "not in this control mode");
  CHECK(to_string(static_cast<answer_status>(4711)) == "status 4711");
  CHECK(hex(encode_refusal(0x01000001, answer_status::not_permitted)) ==
        squeeze("01 01 0000 01008001 04000000 10000000"));
}

TEST_CASE("the clients of the management engine are known by their octets") {
  CHECK(hex(connect_octets(mei_client::amthi)) == "2800f812b7b42d4baca846e0ff65814c");
  CHECK(hex(connect_octets(mei_client::watchdog)) == "6f9ab70528467f4d899da91514cb32ab");
  CHECK(hex(connect_octets(mei_client::lme)) == "dba4336776047b4eb3afbcfc29bee7a7");
  for (const auto c : {mei_client::amthi, mei_client::watchdog, mei_client::lme})
    CHECK(client_of(connect_octets(c)) == c);
  CHECK_FALSE(client_of(std::string(16, '\0')));
  CHECK_FALSE(client_of(""));
}

TEST_CASE("a SKU is told in the words of rpc") {
  CHECK(features_of("16.1.27", "16392") == "AMT Pro Corporate");
  CHECK(features_of("16.1.27", "16400") == "Intel Standard Manageability Corporate");
  CHECK(features_of("16.1.27", "32768").empty());
  CHECK(features_of("7.1", "32768") == "L3 Mgt Upgrade");
  CHECK(features_of("16.1.27", "16392x").empty());
  CHECK(features_of("", "16392").empty());
  CHECK(is_manageable(16392));
  CHECK(is_manageable(16400));
  CHECK_FALSE(is_manageable(0x4000));
}

} // namespace outband::pthi::test
