/// A profile as `rpc` carries it out by itself, without a server: an encrypted YAML file.
///
/// The keys are those of the struct that reads it (go-wsman-messages pkg/config/v2.go, read by rpc
/// v3 `activate --local --profile f.yaml --key K`), not those of rps src/routes/admin/profiles/
/// export.ts, whose "pskPassphrase" and "uefiWifiSyncEnabled" that struct does not know, and whose
/// redirection section is the same for every profile. Cipher: go-wsman-messages pkg/security:
/// base64(nonce(12) || AES-256-GCM || tag(16)), the key's 32 characters used as its octets.
/// Context: pure but for OpenSSL's random key and nonce; any thread. The text and the result hold
/// every password of the profile.
#pragma once

#include "messages/domain/provisioning.hpp"
#include "messages/domain/result.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace outband::provisioning {

struct exported_8021x {
  int protocol = 0; ///< ieee8021x_config::protocol
  int pxe_timeout = 120;
  std::string username, password;
  std::string ca_certificate; ///< base64 of DER; may be empty
};

struct exported_wifi {
  wireless_config config;
  int priority = 1;
  std::string passphrase;
  std::optional<exported_8021x> ieee8021x;
};

struct exported_cira {
  cira_config config;
  std::string password; ///< empty: rpc makes a random one
};

struct exported_profile {
  profile what;
  std::string amt_password;  ///< empty if it is random
  std::string mebx_password; ///< likewise
  std::string pfx;           ///< base64; of admin control mode
  std::string pfx_password;
  std::optional<exported_8021x> wired;
  std::vector<exported_wifi> wifi;
  std::optional<exported_cira> cira;
  std::vector<proxy_config> proxies;
  std::string enterprise_assistant; ///< URL; empty: none
};

/// ASCII; every text quoted. problem::malformed: a text is not UTF-8.
result<std::string> profile_yaml(const exported_profile& p);

/// What the REST interface answers, besides the file's name.
struct sealed_profile {
  std::string content; ///< base64
  std::string key;     ///< 32 characters
};
inline constexpr std::size_t sealing_octets = 36;
/// `random`: so many, never the same twice. The key is in the answer.
result<sealed_profile> seal_profile(std::string_view yaml, std::string_view random);
/// The reverse; problem::malformed: not base64, too short, or another key.
result<std::string> open_profile(std::string_view content, std::string_view key);

} // namespace outband::provisioning
