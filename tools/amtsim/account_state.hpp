/// Who may ask: the administrator's secret and the other users. Context: pure.
/// Limits: 16 users besides the administrator.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace outband::amtsim {

inline constexpr std::size_t max_users = 16;

struct user_entry {
  std::uint32_t handle = 0;
  std::string name;
  std::string ha1;              ///< md5(user:realm:password), 32 hex digits; empty: cannot sign in
  std::uint32_t permission = 2; ///< 0 local, 1 network, 2 any
  std::vector<std::uint32_t> realms;
  bool enabled = true;
};

struct account_state {
  std::string admin_name; ///< empty: as the machine was made
  std::string admin_ha1;  ///< empty: the password that the machine was made with
  std::uint32_t mebx_set = 0;
  std::vector<user_entry> users{{1, "$$uns", {}, 0, {16}}, {2, "$$OsAdmin", {}, 0, {24}}};
};

class device_model;

/// Where a request comes from: the LAN or the tunnel, or the machine's own host.
enum class origin : std::uint8_t { network, local };

/// Who asks. The local system account is "$$OsAdmin".
struct caller {
  std::string_view user = "admin";
  origin from = origin::network;
};
inline constexpr std::string_view local_user = "$$OsAdmin";

/// The secret of a user who may sign in from there; empty if there is none. While the machine is
/// new that is the local system account alone, on the local ports.
std::string secret_of(const device_model& d, std::string_view user, origin from);
inline std::string network_ha1(const device_model& d, std::string_view user) {
  return secret_of(d, user, origin::network);
}
/// May this user do that with that class? A new machine can be set up and read; on one that is
/// active the local system account only reads.
bool is_permitted(const device_model& d, const caller& who, std::string_view class_name,
                  std::string_view verb);
/// Is that the administrator's password? For tests.
bool is_admin_password(const device_model& d, std::string_view password);
/// As if somebody else had activated the machine.
void set_admin_password(device_model& d, std::string_view password);

} // namespace outband::amtsim
