#include "messages/amt/peer_texts.hpp"

#include <doctest/doctest.h>

namespace outband::amt {
namespace {

TEST_CASE("a failed step has the words that RPS has for it") {
  CHECK(peer_failure(peer_step::cira, "AMT_RemoteAccessService AddMpServer") ==
        "Failed to add mps");
  CHECK(peer_failure(peer_step::tls, "AMT_PublicKeyManagementService GenerateKeyPair") ==
        "Failed to generate key pair");
  // One question, another step.
  CHECK(peer_failure(peer_step::wired, "AMT_PublicKeyManagementService GenerateKeyPair") ==
        "Failed to generate key pair in 802.1x");
  CHECK(peer_failure(peer_step::wired, "AMT_EthernetPortSettings Put") ==
        "Failed to put to ethernet port settings");
  CHECK(peer_failure(peer_step::cira, "AMT_RemoteAccessPolicyRule Delete") ==
        "Failed at AMT_RemoteAccessPolicyRule Delete");
  CHECK(peer_failure(peer_step::tls, "") == "Failed");
}

TEST_CASE("additions that failed are named and those that did not") {
  CHECK(peer_counts({}, {}, peer_text::wifi_profiles).empty());
  CHECK(peer_counts({"a"}, {}, peer_text::wifi_profiles).empty());
  CHECK(peer_counts({}, {"b", "c"}, peer_text::wifi_profiles) == "Failed to add b, c");
  CHECK(peer_counts({"a"}, {"b"}, peer_text::proxy_points) ==
        "Added a Proxy Configurations. Failed to add b");
}

} // namespace
} // namespace outband::amt
