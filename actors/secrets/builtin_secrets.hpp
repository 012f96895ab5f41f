/// The built-in secret store: seals values with the master key, keeps them in rows.
///
/// Threads as for secrets_port; sealing happens on the caller's thread, unsealing on the store's. A
/// value that cannot be sealed (too long) is refused at once, on the caller's thread.
#pragma once

#include "actors/secrets/sealing.hpp"
#include "actors/secrets/secret_rows.hpp"

namespace outband::secrets {

class builtin_secrets final : public secrets_port {
public:
  /// `rows` outlives this object and every call.
  builtin_secrets(aes_key key, secret_rows& rows);

  void get(device_ref ref, secret_name name, answer<secret_versions> cb) override;
  void put_active(device_ref ref, secret_name name, secret_text value, answer<nothing> cb) override;
  void put_pending(device_ref ref, secret_name name, secret_text value,
                   answer<nothing> cb) override;
  void promote(device_ref ref, secret_name name, answer<nothing> cb) override;
  void discard_pending(device_ref ref, secret_name name, answer<nothing> cb) override;
  result<std::string> seal(const device_ref& ref, std::string_view text) override;
  result<secret_text> open(const device_ref& ref, std::string_view sealed) override;
  result<std::string> seal_named(const tenant_key& tenant, std::string_view label,
                                 std::string_view text) override;
  result<secret_text> open_named(const tenant_key& tenant, std::string_view label,
                                 std::string_view sealed) override;

private:
  void put(slot where, device_ref ref, secret_name name, const secret_text& value,
           answer<nothing> cb);

  aes_key key_;
  std::string key_id_;
  secret_rows& rows_;
};

/// What a sealed value is bound to: a row that is moved to another tenant, device, name or version
/// does not open. Each part is prefixed with its length, so that no two places read the same.
std::string associated_data(const device_ref& ref, secret_name name, std::uint64_t version);

} // namespace outband::secrets
