/// Which machines and tenants are to go. Implemented by actors/store; a fake in tests.
/// Threads, failures and tenant scope as in store.hpp.
#pragma once

#include "actors/ports/store.hpp"
#include "messages/domain/removal.hpp"

#include <vector>

namespace outband {

struct kept_removal {
  removal what;
  /// It was activated by us or has called: there is something to deactivate. false: it was only
  /// registered, or has been deauthorized since.
  bool managed = false;
};

class removal_rows {
public:
  virtual ~removal_rows() = default;
  /// Stored at once; to remove outweighs to deauthorize. not_found: no such device.
  virtual void begin(removal what, answer<kept_removal> cb) = 0;
  /// How it stands now. not_found: the machine has gone, or nobody wants it to go any more.
  virtual void note(removal what, answer<nothing> cb) = 0;
  /// Nothing is to happen to the machine any more.
  virtual void withdraw(device_ref device, answer<nothing> cb) = 0;
  /// not_found: nobody wants it to go.
  virtual void get(device_ref device, answer<kept_removal> cb) = 0;
  /// Those of these machines that are to go, in any order; at most 1000 are asked for.
  virtual void of(tenant_key tenant, std::vector<device_id> devices,
                  answer<std::vector<removal>> cb) = 0;
  /// Of all tenants, those that are not done, after (tenant, guid) `after`; at most `limit`.
  virtual void open(device_ref after, std::size_t limit, answer<std::vector<removal>> cb) = 0;
  /// All secrets of a machine, and its tunnel's right to come back.
  virtual void forget_secrets(device_ref device, answer<nothing> cb) = 0;

  /// All machines of the tenant are to be removed, then the tenant; its tokens end at once. How
  /// many machines it has.
  virtual void begin_tenant(tenant_key tenant, std::string by, answer<std::size_t> cb) = 0;
  /// Tenants that are to go and have no machine any more.
  virtual void empty_tenants(answer<std::vector<tenant_key>> cb) = 0;
};

} // namespace outband
