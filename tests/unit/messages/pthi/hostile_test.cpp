#include "messages/pthi/codec.hpp"
#include "tests/unit/messages/pthi/octets.hpp"

#include <doctest/doctest.h>

namespace outband::pthi::test {
namespace {

std::string answer(command what, std::string_view content) {
  auto octets = encode(response{what, answer_status::success, no_body{}});
  octets[8] = static_cast<char>(content.size() + 4);
  octets[9] = static_cast<char>((content.size() + 4) >> 8);
  return octets.append(content);
}

void must_refuse(command asked, std::string_view octets, problem why = problem::malformed) {
  const auto read = decode_response(asked, octets);
  REQUIRE_FALSE(read.ok());
  CHECK(read.error().what == why);
  CHECK_FALSE(read.error().detail.empty());
}

} // namespace

TEST_CASE("a request that breaks off anywhere is refused") {
  host_based_request asked;
  asked.leaf_hash = std::string(32, 'h');
  const auto whole = encode(asked);
  for (std::size_t size = 0; size < whole.size(); ++size)
    CHECK_FALSE(decode_request(whole.substr(0, size)).ok());
  CHECK(decode_request(whole).ok());
}

TEST_CASE("a request whose length says less than it needs is refused") {
  auto octets = encode(hash_entry_request{1});
  octets[8] = 3;
  CHECK_FALSE(decode_request(octets).ok());
}

TEST_CASE("an unknown command is told apart from a broken one") {
  const auto unknown = unhex("01 01 0000 01000001 00000000");
  const auto read = decode_request(unknown);
  REQUIRE_FALSE(read.ok());
  CHECK(read.error().what == problem::unsupported);
  CHECK(peek_command(unknown) == 0x01000001U);
  CHECK_FALSE(peek_command(unhex("01 01 0000 01008001 00000000")));
  CHECK_FALSE(peek_command("short"));
  const auto old = decode_request(unhex("02 00 0000 6b000004 00000000"));
  REQUIRE_FALSE(old.ok());
  CHECK(old.error().field == "version");
}

TEST_CASE("host based setup with a hash that does not exist or suffixes too long is refused") {
  auto octets = encode(host_based_request{});
  octets[12] = 6;
  auto read = decode_request(octets);
  REQUIRE_FALSE(read.ok());
  CHECK(read.error().field == "hashAlgorithm");
  octets[12] = 2;
  octets[12 + 67] = 2; // 512 octets of suffixes
  read = decode_request(octets);
  REQUIRE_FALSE(read.ok());
  CHECK(read.error().field == "suffixes");
}

TEST_CASE("suffixes that do not fit are left out whole") {
  host_based_request asked;
  asked.suffixes = {std::string(200, 'a'), std::string(200, 'b'), "c"};
  const auto read = decode_request(encode(asked));
  REQUIRE(read.ok());
  CHECK(std::get<host_based_request>(*read).suffixes ==
        std::vector<std::string>{std::string(200, 'a'), "c"});
}

TEST_CASE("an answer that breaks off anywhere is refused") {
  code_versions_body b;
  b.versions = {{"AMT", "16.1.27"}};
  const auto whole = encode(response{command::get_code_versions, answer_status::success, b});
  for (std::size_t size = 0; size < whole.size(); ++size)
    must_refuse(command::get_code_versions, whole.substr(0, size));
}

TEST_CASE("every answer that lacks its last octet is refused") {
  const response all[] = {
      {command::get_control_mode, answer_status::success, number_body{2}},
      {command::get_provisioning_state, answer_status::success, number_body{2}},
      {command::unprovision, answer_status::success, number_body{0}},
      {command::enumerate_hash_handles, answer_status::success, hash_handles_body{{1, 2}}},
      {command::get_hash_entry, answer_status::success,
       hash_entry_body{true, true, hash_algorithm::sha256, std::string(32, 'h'), "A root"}},
      {command::get_pki_suffix, answer_status::success, pki_suffix_body{"acme.test"}},
      {command::get_remote_access_status, answer_status::success,
       remote_access_body{2, 2, 2, "mps.acme.test"}},
      {command::get_lan_settings, answer_status::success, lan_settings_body{}},
      {command::get_uuid, answer_status::success, uuid_body{}},
      {command::get_local_account, answer_status::success, local_account_body{"a", "b"}},
      {command::start_host_based, answer_status::success,
       host_based_body{hash_algorithm::sha256, std::string(32, 'h')}}};
  for (const auto& r : all) {
    CAPTURE(to_string(r.what));
    auto octets = encode(r);
    REQUIRE(decode_response(r.what, octets).ok());
    must_refuse(r.what, octets.substr(0, octets.size() - 1));
    // The same when its head knows of it.
    const auto length = octets.size() - 12 - 1;
    octets[8] = static_cast<char>(length);
    octets[9] = static_cast<char>(length >> 8);
    octets.pop_back();
    must_refuse(r.what, octets);
  }
  must_refuse(command::get_uuid, unhex("02 00 0000 5c008004 04000000 00000000"));
  must_refuse(command::get_uuid, unhex("01 01 0000 5c008004 ffffffff 00000000"));
  must_refuse(command::stop_configuration, unhex("01 01 0000 5e008004 03000000 000000"));
}

TEST_CASE("the answer to another command is refused") {
  const auto other = encode(response{command::get_uuid, answer_status::success, uuid_body{}});
  must_refuse(command::get_control_mode, other);
  must_refuse(command::get_uuid, encode(plain_request{command::get_uuid}));
}

TEST_CASE("counts and lengths above what AMT has are refused") {
  must_refuse(command::get_code_versions,
              answer(command::get_code_versions,
                     std::string(65, 'b') + unhex("33000000") + std::string(44 * 51, '\0')));
  must_refuse(command::get_code_versions,
              answer(command::get_code_versions,
                     std::string(65, 'b') + unhex("01000000 1500") + std::string(42, '\0')));
  must_refuse(command::enumerate_hash_handles,
              answer(command::enumerate_hash_handles, unhex("22000000") + std::string(4 * 34, 1)));
  must_refuse(command::get_pki_suffix,
              answer(command::get_pki_suffix, unhex("e903") + std::string(1001, 's')));
  must_refuse(command::get_pki_suffix, answer(command::get_pki_suffix, unhex("0500 6162")));
  must_refuse(command::get_local_account, answer(command::get_local_account, std::string(66, 'x')));
  must_refuse(command::get_hash_entry,
              answer(command::get_hash_entry,
                     unhex("00000000 01000000") + std::string(64, 'h') + unhex("09 0000")));
  must_refuse(command::get_uuid, std::string(max_message + 1, '\1'), problem::too_large);
}

TEST_CASE("what is too long for its field is cut when written") {
  pki_suffix_body suffix{std::string(1200, 's')};
  const auto octets = encode(response{command::get_pki_suffix, answer_status::success, suffix});
  const auto read = decode_response(command::get_pki_suffix, octets);
  REQUIRE(read.ok());
  CHECK(std::get<pki_suffix_body>(read->content).suffix.size() == max_ansi_string);

  code_versions_body many;
  many.versions.assign(60, {"a description of more than twenty octets", "1"});
  const auto versions =
      decode_response(command::get_code_versions,
                      encode(response{command::get_code_versions, answer_status::success, many}));
  REQUIRE(versions.ok());
  CHECK(std::get<code_versions_body>(versions->content).versions.size() == max_versions);
}

} // namespace outband::pthi::test
