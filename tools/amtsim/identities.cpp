#include "tools/amtsim/identities.hpp"

#include <nlohmann/json.hpp>
#include <openssl/sha.h>

#include <array>
#include <cstdio>
#include <cstring>

namespace outband::amtsim {

namespace {

using digest = std::array<std::uint8_t, SHA256_DIGEST_LENGTH>;

digest derive(const identity_rules& rules, std::size_t index, const char* what) {
  const auto text =
      "outband-amtsim|" + rules.seed + "|" + std::to_string(index) + "|" + std::string(what);
  digest out{};
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), out.data());
  return out;
}

std::string hex(const digest& d, std::size_t octets, const char* digits) {
  std::string out;
  for (std::size_t i = 0; i < octets; ++i) {
    out += digits[d[i] >> 4U];
    out += digits[d[i] & 15U];
  }
  return out;
}

constexpr auto* lower = "0123456789abcdef";
constexpr auto* upper = "0123456789ABCDEF";

device_id make_guid(const identity_rules& rules, std::size_t index) {
  if (index < rules.guids.size())
    return rules.guids[index];
  const auto d = derive(rules, index, "guid");
  device_id out;
  std::memcpy(out.bytes.data(), d.data(), out.bytes.size());
  out.bytes[6] = static_cast<std::uint8_t>((out.bytes[6] & 0x0FU) | 0x40U); // version 4
  out.bytes[8] = static_cast<std::uint8_t>((out.bytes[8] & 0x3FU) | 0x80U);
  return out;
}

/// With all the kinds of character that AMT and MPS ask for.
std::string make_password(const identity_rules& rules, std::size_t index, const char* what) {
  return "Aa1!" + hex(derive(rules, index, what), 8, lower);
}

} // namespace

std::uint64_t seed_of(const identity_rules& rules, std::size_t index) {
  const auto d = derive(rules, index, "random");
  std::uint64_t out = 0;
  std::memcpy(&out, d.data(), sizeof out);
  return out;
}

std::vector<identity> make_identities(const identity_rules& rules) {
  std::vector<identity> out;
  out.reserve(rules.count);
  for (std::size_t i = 0; i < rules.count; ++i) {
    identity who;
    who.guid = make_guid(rules, i);
    std::array<char, 24> number{};
    std::snprintf(number.data(), number.size(), "%04zu", i + 1);
    who.hostname = rules.hostname_prefix + number.data();
    who.realm = "Digest:" + hex(derive(rules, i, "realm"), 16, upper);
    who.amt_password =
        rules.amt_password.empty() ? make_password(rules, i, "amt") : rules.amt_password;
    who.mps_user =
        rules.mps_user.empty() ? "cira" + hex(derive(rules, i, "user"), 4, lower) : rules.mps_user;
    who.mps_password =
        rules.mps_password.empty() ? make_password(rules, i, "mps") : rules.mps_password;
    out.push_back(std::move(who));
  }
  return out;
}

std::string devices_json(const std::vector<identity>& machines, const identity_rules& rules,
                         const firmware& kind) {
  auto out = nlohmann::json::array();
  for (const auto& who : machines)
    out.push_back({{"guid", to_string(who.guid)},
                   {"hostname", who.hostname},
                   {"tags", rules.tags},
                   {"mpsusername", who.mps_user},
                   {"mpspassword", who.mps_password},
                   {"amtusername", who.amt_user},
                   {"amtpassword", who.amt_password},
                   {"deviceInfo",
                    {{"fwVersion", kind.version}, {"fwBuild", kind.build}, {"fwSku", kind.sku}}}});
  return out.dump(1) + "\n";
}

} // namespace outband::amtsim
