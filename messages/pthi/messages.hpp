/// PTHI: what host programs ask AMT over the MEI client AMTHI, and what it answers.
///
/// Source: rpc-go pkg/pthi/types.go and commands.go (v2.52, v3.0.0-beta), which is also where the
///   sizes come from. Context: pure; plain values.
#pragma once

#include "messages/domain/ids.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace outband::pthi {

constexpr std::size_t max_message = 5120; ///< octets; what AMT announces at connect
constexpr std::size_t max_ansi_string = 1000;
constexpr std::size_t max_versions = 50;
constexpr std::size_t max_version_text = 20;
constexpr std::size_t max_bios_text = 65;
constexpr std::size_t max_hash_handles = 33;
constexpr std::size_t max_account_text = 32; ///< and a zero octet
constexpr std::size_t max_suffix_list = 320;

enum class command : std::uint32_t {
  unprovision = 0x04000010,
  get_provisioning_state = 0x04000011,
  get_code_versions = 0x0400001A,
  enumerate_hash_handles = 0x0400002C,
  get_hash_entry = 0x0400002D,
  get_pki_suffix = 0x04000036,
  get_remote_access_status = 0x04000046,
  get_lan_settings = 0x04000048,
  get_uuid = 0x0400005C,
  stop_configuration = 0x0400005E,
  get_local_account = 0x04000067,
  get_control_mode = 0x0400006B,
  start_host_based = 0x0400008B,
};
constexpr std::uint32_t response_bit = 0x00800000;
/// "GetControlMode"
std::string_view to_string(command c);

/// In the head of a response. Others exist; they are kept as numbers.
enum class answer_status : std::uint32_t {
  success = 0,
  internal_error = 1,
  not_ready = 2,
  invalid_mode = 3, ///< Unprovision of a machine in admin control mode
  invalid_length = 4,
  not_permitted = 16,
  invalid_parameter = 36,
  invalid_handle = 2053,
  not_found = 2068,
};
/// "not permitted", "status 4711"
std::string to_string(answer_status s);

enum class hash_algorithm : std::uint8_t { md5, sha1, sha256, sha384, sha224, sha512 };
/// Octets of such a hash; 0 for a number that is none of these.
std::size_t size_of(hash_algorithm a);

// -- requests --

/// Commands whose request is its head alone.
struct plain_request {
  command what;
};
struct unprovision_request {
  std::uint32_t mode = 0;
};
struct hash_entry_request {
  std::uint32_t handle = 0;
};
struct lan_settings_request {
  std::uint32_t index = 0; ///< 0 wired, 1 WiFi
};
struct local_account_request {};
/// StartConfigurationHBased: setup of a machine that insists on TLS, by a client certificate.
struct host_based_request {
  hash_algorithm algorithm = hash_algorithm::sha256;
  std::string leaf_hash; ///< octets
  bool host_vpn = false;
  std::vector<std::string> suffixes;
};
using request = std::variant<plain_request, unprovision_request, hash_entry_request,
                             lan_settings_request, local_account_request, host_based_request>;
command command_of(const request& r);

// -- what answers carry --

struct no_body {};
/// Unprovision, GetProvisioningState (0 pre, 1 in, 2 post), GetControlMode (0 none, 1 CCM, 2 ACM).
struct number_body {
  std::uint32_t value = 0;
};
struct code_version {
  std::string description; ///< "AMT", "Build Number", "Sku" ...
  std::string version;
};
struct code_versions_body {
  std::string bios;
  std::vector<code_version> versions;
  /// Empty if there is none of that description.
  std::string find(std::string_view description) const;
};
struct hash_handles_body {
  std::vector<std::uint32_t> handles;
};
struct hash_entry_body {
  bool is_default = false;
  bool is_active = false;
  hash_algorithm algorithm = hash_algorithm::sha256;
  std::string hash; ///< octets
  std::string name;
};
struct pki_suffix_body {
  std::string suffix; ///< as stored: may have blanks around it and a dot at its end
};
struct remote_access_body {
  std::uint32_t network = 0; ///< 0 direct, 1 VPN, 2 outside
  std::uint32_t remote = 0;  ///< 0 not connected, 1 connecting, 2 connected
  std::uint32_t trigger = 0; ///< 0 user, 1 alert, 2 periodic
  std::string mps_host;
};
struct lan_settings_body {
  bool enabled = false;
  std::uint32_t ipv4 = 0; ///< first octet of the address most significant
  bool dhcp = false;
  bool dhcp_active = false;
  bool link_up = false;
  std::array<std::uint8_t, 6> mac{};
};
struct uuid_body {
  uuid id; ///< in textual order
};
/// The local system account; valid until the machine changes its control mode. Never logged.
struct local_account_body {
  std::string user;
  std::string password;
};
struct host_based_body {
  hash_algorithm algorithm = hash_algorithm::sha256;
  std::string amt_hash; ///< of the certificate that AMT will show
};
using body = std::variant<no_body, number_body, code_versions_body, hash_handles_body,
                          hash_entry_body, pki_suffix_body, remote_access_body, lan_settings_body,
                          uuid_body, local_account_body, host_based_body>;

struct response {
  command what;
  answer_status status = answer_status::success;
  body content; ///< no_body unless `status` is success
};

} // namespace outband::pthi
