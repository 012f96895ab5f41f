/// provisioning_port over PostgreSQL. One .cpp per concern: provisioning_objects (with
/// provisioning_shapes), provisioning_resolve, provisioning_tokens, provisioning_activations.
///
/// Every function is one statement, or one transaction. Threads and failures as store_port says.
#pragma once

#include "actors/ports/provisioning.hpp"
#include "actors/store/database.hpp"

namespace outband::store {

/// The rows of one kind; instantiated in provisioning_objects.cpp.
template <class T> class pg_objects final : public object_rows<T> {
public:
  explicit pg_objects(connections& db) : db_(db) {}

  void list(tenant_key tenant, page_wish page, answer<page_of<T>> cb) override;
  void get(tenant_key tenant, std::string name, answer<stored<T>> cb) override;
  void create(tenant_key tenant, T what, sealed_fields secrets, answer<T> cb) override;
  void update(tenant_key tenant, T what, sealed_fields secrets, answer<T> cb) override;
  void remove(tenant_key tenant, std::string name, answer<nothing> cb) override;

private:
  connections& db_;
};

class pg_provisioning final : public provisioning_port {
public:
  /// `db` outlives this object.
  explicit pg_provisioning(database& db) : db_(db.inside()) {}

  object_rows<profile>& profiles() override { return profiles_; }
  object_rows<cira_config>& cira_configs() override { return cira_configs_; }
  object_rows<wireless_config>& wireless_configs() override { return wireless_configs_; }
  object_rows<ieee8021x_config>& ieee8021x_configs() override { return ieee8021x_configs_; }
  object_rows<proxy_config>& proxy_configs() override { return proxy_configs_; }
  object_rows<domain>& domains() override { return domains_; }

  void resolve(tenant_key tenant, std::string profile_name, answer<resolved_profile> cb) override;
  void find_domain(tenant_key tenant, std::vector<std::string> suffixes,
                   answer<stored<domain>> cb) override;
  void notice_expiry(tenant_key tenant, std::string name, time_ms expires, int days,
                     answer<bool> cb) override;
  void expiring_domains(time_ms until,
                        answer<std::vector<std::pair<tenant_key, domain>>> cb) override;

  void create_token(activation_token token, std::string hash, answer<nothing> cb) override;
  void list_tokens(tenant_key tenant, page_wish page,
                   answer<page_of<activation_token>> cb) override;
  void remove_token(tenant_key tenant, uuid id, answer<nothing> cb) override;
  void find_token(std::string hash, answer<activation_token> cb) override;
  void use_token(std::string hash, device_id device, answer<activation_token> cb) override;

  void begin_activation(activation_note note, std::chrono::milliseconds quiet,
                        answer<nothing> cb) override;
  void note_activation(activation_note note, answer<nothing> cb) override;
  void get_activation(device_ref device, answer<activation_row> cb) override;
  void list_activations(tenant_key tenant, page_wish page,
                        answer<page_of<activation_row>> cb) override;

private:
  connections& db_;
  pg_objects<profile> profiles_{db_};
  pg_objects<cira_config> cira_configs_{db_};
  pg_objects<wireless_config> wireless_configs_{db_};
  pg_objects<ieee8021x_config> ieee8021x_configs_{db_};
  pg_objects<proxy_config> proxy_configs_{db_};
  pg_objects<domain> domains_{db_};
};

} // namespace outband::store
