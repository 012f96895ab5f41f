#include "messages/provisioning/firmware_policy.hpp"

#include <doctest/doctest.h>

namespace outband::provisioning {
namespace {

TEST_CASE("each firmware generation has its rules") {
  struct row {
    const char* version;
    int major;
    bool refuses_sha1, needs_sha384, verifies_sha384;
    int smallest_rsa, key_algorithm, key_length;
  };
  for (const auto& r : {row{"11.8.50", 11, false, false, false, 2048, 0, 2048},
                        row{"15.0.35.1951", 15, false, false, false, 2048, 0, 2048},
                        row{"16.1.27.2192", 16, true, false, false, 2048, 0, 2048},
                        row{"20.0.5", 20, true, false, false, 2048, 0, 2048},
                        row{"21.0.6", 21, true, false, true, 2048, 0, 2048},
                        row{"22.0.0", 22, true, true, true, 3072, 1, 384},
                        row{"", 0, false, false, false, 2048, 0, 2048},
                        row{"unknown", 0, false, false, false, 2048, 0, 2048}}) {
    CAPTURE(r.version);
    const auto p = policy_for(r.version);
    CHECK(p.major == r.major);
    CHECK(p.refuses_sha1 == r.refuses_sha1);
    CHECK(p.needs_sha384 == r.needs_sha384);
    CHECK(p.verifies_sha384 == r.verifies_sha384);
    CHECK(p.smallest_rsa == r.smallest_rsa);
    CHECK(p.key_algorithm == r.key_algorithm);
    CHECK(p.key_length == r.key_length);
    CHECK(p.tls_leaf_hash == (r.needs_sha384 ? hash_kind::sha384 : hash_kind::sha256));
  }
}

TEST_CASE("a version is a number before a dot") {
  CHECK(major_version("16.1") == 16);
  CHECK(major_version("9") == 9);
  for (const char* text : {"", ".", "v16", "16x", "-1.0", "100.0", "99999999999999999999.1", "0.1"})
    CHECK(major_version(text) == 0);
}

} // namespace
} // namespace outband::provisioning
