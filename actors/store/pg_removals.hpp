/// removal_rows over PostgreSQL. Every function is one statement.
#pragma once

#include "actors/ports/removal.hpp"
#include "actors/store/database.hpp"

namespace outband::store {

class pg_removals final : public removal_rows {
public:
  /// `db` outlives this object.
  explicit pg_removals(database& db) : db_(db.inside()) {}

  void begin(removal what, answer<kept_removal> cb) override;
  void note(removal what, answer<nothing> cb) override;
  void withdraw(device_ref device, answer<nothing> cb) override;
  void get(device_ref device, answer<kept_removal> cb) override;
  void of(tenant_key tenant, std::vector<device_id> devices,
          answer<std::vector<removal>> cb) override;
  void open(device_ref after, std::size_t limit, answer<std::vector<removal>> cb) override;
  void forget_secrets(device_ref device, answer<nothing> cb) override;
  void begin_tenant(tenant_key tenant, std::string by, answer<std::size_t> cb) override;
  void empty_tenants(answer<std::vector<tenant_key>> cb) override;

private:
  connections& db_;
};

} // namespace outband::store
