#include "messages/provisioning/firmware_policy.hpp"

namespace outband::provisioning {

namespace {

constexpr int without_sha1 = 16;
constexpr int with_sha384 = 21;
constexpr int hardened_version = 22;

} // namespace

int major_version(std::string_view version) {
  int number = 0;
  std::size_t digits = 0;
  for (; digits < version.size() && version[digits] >= '0' && version[digits] <= '9'; ++digits)
    if (number = number * 10 + (version[digits] - '0'); number > 99)
      return 0;
  return digits == 0 || (digits < version.size() && version[digits] != '.') ? 0 : number;
}

firmware_policy policy_for(std::string_view version) {
  firmware_policy p;
  p.major = major_version(version);
  const bool hardened = p.major >= hardened_version;
  p.refuses_sha1 = hardened || p.major >= without_sha1;
  p.verifies_sha384 = hardened || p.major >= with_sha384;
  if (hardened) {
    p.needs_sha384 = true;
    p.smallest_rsa = 3072;
    p.tls_leaf_hash = hash_kind::sha384;
    p.key_algorithm = 1;
    p.key_length = 384;
  }
  return p;
}

} // namespace outband::provisioning
