/// How each kind of provisioning object lies in its table. Internal to this folder.
#pragma once

#include "actors/ports/provisioning.hpp"
#include "actors/store/records.hpp"

#include <string>
#include <vector>

namespace outband::store {

inline constexpr std::size_t max_certificate = 16 * 1024, max_sealed = 200'000;
inline constexpr std::size_t max_wifi = 8, max_proxies = 15;

struct object_shape {
  struct column {
    const char *name, *type;
  };
  object_kind kind{};
  const char* table = "";
  const char* name_field = ""; ///< of the interface: "profileName"
  /// Besides tenant, key, name and version; in the order of `bind`.
  std::vector<column> columns{};
  /// Expressions over the alias `o`, in the order of `read`. Flags are cast to integer, so that
  /// they read the same when all cells are cast to text.
  std::vector<std::string> cells{};
  bool versioned = true;
  bool links = false; ///< WiFi configurations and proxies belong to it
  /// Rows (kind, name) of what refers to object $2 of tenant $1; empty if nothing can.
  const char* referrers = "";
};

template <class T> struct object_rule; // shape(), bind(), read(), check()

#define OUTBAND_OBJECT_RULE(type)                                                                  \
  template <> struct object_rule<type> {                                                           \
    static const object_shape& shape();                                                            \
    static void bind(params& to, const type& what);                                                \
    static type read(const rows& from, int row, int first);                                        \
    static status check(const type& what);                                                         \
  }
OUTBAND_OBJECT_RULE(profile);
OUTBAND_OBJECT_RULE(cira_config);
OUTBAND_OBJECT_RULE(wireless_config);
OUTBAND_OBJECT_RULE(ieee8021x_config);
OUTBAND_OBJECT_RULE(proxy_config);
OUTBAND_OBJECT_RULE(domain);
#undef OUTBAND_OBJECT_RULE

/// As the key column has it: only ASCII letters change.
std::string object_key(const std::string& name);
/// Names and priorities in one text[]; and back.
std::vector<std::string> keys_of(const std::vector<ranked_name>& all);
/// The cell with the secrets of `o`: an array of field, sealed, field, ...
std::string secrets_cell(object_kind kind);
sealed_fields read_secrets(const rows& from, int row, int column);
/// "o.name, o.version, ..." with `cast` ("::text") behind each; the secrets last if wanted.
std::string cell_list(const object_shape& shape, const std::string& cast, bool secrets);

status check_page(const page_wish& page);

} // namespace outband::store
