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
/// The secret of a user who may sign in over the network; empty if there is none.
std::string network_ha1(const device_model& d, std::string_view user);

} // namespace outband::amtsim
