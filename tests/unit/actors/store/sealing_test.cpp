#include "actors/secrets/builtin_secrets.hpp"
#include "actors/secrets/sealing.hpp"

#include <doctest/doctest.h>

#include <set>

using namespace outband;
using namespace outband::secrets;

namespace {

std::string octets(std::string_view hex) {
  std::string out;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    out.push_back(static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  return out;
}

aes_key key(std::string_view hex) {
  std::array<std::uint8_t, key_octets> k{};
  auto raw = octets(hex);
  for (std::size_t i = 0; i < k.size(); ++i)
    k[i] = static_cast<std::uint8_t>(raw.at(i));
  return aes_key(k);
}

const aes_key some = key("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");

} // namespace

TEST_CASE("AES-256-GCM gives the published values") {
  // McGrew and Viega, "The Galois/Counter Mode of Operation", test cases 13, 14 and 16.
  struct {
    const char *key, *nonce, *text, *associated, *cipher, *tag;
  } vectors[] = {
      {"0000000000000000000000000000000000000000000000000000000000000000",
       "000000000000000000000000", "", "", "", "530f8afbc74536b9a963b4f1c4cb738b"},
      {"0000000000000000000000000000000000000000000000000000000000000000",
       "000000000000000000000000", "00000000000000000000000000000000", "",
       "cea7403d4d606b6e074ec5d3baf39d18", "d0d1c8a799996bf0265b98b5d48ab919"},
      {"feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
       "cafebabefacedbaddecaf888",
       "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
       "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
       "feedfacedeadbeeffeedfacedeadbeefabaddad2",
       "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
       "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662",
       "76fc6ece0f4e1768cddf8853bb2d551b"},
  };
  for (const auto& v : vectors) {
    auto k = key(v.key);
    auto sealed = seal_with_nonce(k, octets(v.nonce), octets(v.text), octets(v.associated));
    REQUIRE(sealed);
    CHECK(*sealed == octets(v.nonce) + octets(v.cipher) + octets(v.tag));
    auto opened = unseal(k, *sealed, octets(v.associated));
    REQUIRE(opened);
    CHECK(*opened == octets(v.text));
  }
}

TEST_CASE("what was sealed opens only unchanged and in its place and with its key") {
  auto sealed = seal(some, "secret", "place");
  REQUIRE(sealed);
  CHECK(unseal(some, *sealed, "place"));
  CHECK(!unseal(some, *sealed, "elsewhere"));
  CHECK(!unseal(some, *sealed, ""));
  CHECK(!unseal(key("ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"), *sealed,
                "place"));
  for (std::size_t i = 0; i < sealed->size(); ++i)
    for (int bit : {1, 128}) {
      auto changed = *sealed;
      changed[i] = static_cast<char>(changed[i] ^ bit);
      CHECK(!unseal(some, changed, "place"));
    }
  for (std::size_t size = 0; size < sealed->size(); ++size)
    CHECK(!unseal(some, sealed->substr(0, size), "place"));
  CHECK(!unseal(some, *sealed + "x", "place"));
}

TEST_CASE("the same secret sealed twice looks different") {
  CHECK(*seal(some, "secret", "") != *seal(some, "secret", ""));
}

TEST_CASE("the length of a secret is bounded on both ways") {
  CHECK(seal(some, std::string(max_secret, 'x'), ""));
  CHECK(!seal(some, std::string(max_secret + 1, 'x'), ""));
  CHECK(!unseal(some, std::string(max_secret + 100, 'x'), ""));
  CHECK(!seal_with_nonce(some, "short", "x", ""));
}

TEST_CASE("a key's name tells keys apart without telling the key") {
  CHECK(some.id().size() == 16);
  CHECK(some.id() == key("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f").id());
  CHECK(some.id() != key("010102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f").id());
}

TEST_CASE("no two places have the same associated data") {
  std::set<std::string> all;
  int made = 0;
  for (std::string tenant : {"a", "ab", "b"})
    for (std::uint8_t guid : {1, 2})
      for (auto name :
           {secret_name::amt_password, secret_name::mps_password, secret_name::mebx_password})
        for (std::uint64_t version : {1ull, 256ull, 1ull << 40}) {
          device_ref ref{tenant, {}};
          ref.device.bytes[15] = guid;
          all.insert(associated_data(ref, name, version));
          ++made;
        }
  CHECK(all.size() == static_cast<std::size_t>(made));
}
