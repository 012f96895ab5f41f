/// store_port over PostgreSQL. One .cpp per concern: registry, tenant_removal, accounts, devices,
/// device_list, links, device_rows, commands, audit.
///
/// Threads and failures as store_port says. `outcome_unknown` is answered only for a write that was
/// sent when the connection broke or its deadline passed.
#pragma once

#include "actors/ports/store.hpp"
#include "actors/store/database.hpp"

#include <memory>

namespace outband::store {

struct link_batches; // links.cpp
class current_writes;
class audit_broom; // audit_rows.hpp
enum class lane : std::uint8_t;

class pg_store final : public store_port {
public:
  /// `db` outlives this object.
  explicit pg_store(database& db);
  ~pg_store() override;

  void create_tenant(tenant_row row, answer<tenant_row> cb) override;
  void list_tenants(answer<std::vector<tenant_row>> cb) override;
  void delete_tenant(tenant_key key, bool forced, std::vector<bus::outgoing> publish,
                     answer<nothing> cb) override;
  void get_account(std::string name, answer<account_row> cb) override;
  void put_account(account_row row, answer<nothing> cb) override;
  void list_accounts(answer<std::vector<account_row>> cb) override;
  void delete_account(std::string name, answer<nothing> cb) override;
  void upsert_devices(std::vector<device_record> rows, answer<std::vector<upserted>> cb) override;
  void update_device(device_change change, answer<device_record> cb) override;
  void get_device(device_ref ref, answer<device_record> cb) override;
  void list_devices(device_filter filter, answer<device_page> cb) override;
  void device_stats_of(tenant_key tenant, answer<device_stats> cb) override;
  void device_tags_of(tenant_key tenant, answer<std::vector<std::string>> cb) override;
  void delete_device(device_ref ref, std::vector<bus::outgoing> publish,
                     answer<nothing> cb) override;

  void find_cira_identity(device_id guid, answer<cira_identity> cb) override;
  void take_epoch(epoch_request req, answer<epoch_grant> cb) override;
  void link_down(device_ref ref, link_epoch epoch, link_end why, answer<bool> cb) override;
  void note_seen(std::vector<std::pair<device_ref, time_ms>> seen, answer<nothing> cb) override;

  void load_device(device_ref ref, answer<device_row> cb) override;
  void show_device(device_ref ref, answer<device_row> cb) override;
  void save_current(current_write w, answer<current_written> cb) override;
  void read_desired(device_ref ref, answer<desired_row> cb) override;
  void write_desired(desired_write w, answer<write_outcome> cb) override;
  void write_command(command_write w, answer<write_outcome> cb) override;
  void get_command(tenant_key tenant, uuid id, answer<command_row> cb) override;
  void unsettled(std::string after, std::size_t limit, answer<std::vector<device_ref>> cb) override;

  void begin_audit(audit_begin what, answer<audit_begun> cb) override;
  void finish_audit(audit_end what, answer<nothing> cb) override;
  void record_audit(std::vector<audit_record> what, std::vector<bus::outgoing> publish,
                    answer<nothing> cb) override;
  void list_audit(audit_filter filter, answer<audit_page> cb) override;
  void get_audit(tenant_key tenant, uuid id, answer<audit_row> cb) override;

  void ping(answer<nothing> cb) override;

private:
  void load(lane where, device_ref ref, answer<device_row> cb);

  connections& db_;
  std::shared_ptr<link_batches> batches_;
  std::shared_ptr<current_writes> writes_;
  std::shared_ptr<audit_broom> broom_;
};

} // namespace outband::store
