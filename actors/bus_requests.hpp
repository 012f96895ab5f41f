/// Requests that arrive on the public bus: `{root}/{tenant}/{op|ext}/{name}/req/{device}`.
///
/// The broker guarantees that the principal in the topic is true; everything else is checked here:
/// no retained requests, a content type that fits the root, a response topic of the requester's
/// own, a payload that decodes, a role that the account really has. Then control_port::submit.
/// Context: any thread; nothing blocks. Limits: `burst` requests per tenant at once, then
/// `per_second`.
#pragma once

#include "actors/gate.hpp"
#include "actors/ports/control.hpp"
#include "actors/services.hpp"
#include "bus/endpoint.hpp"

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

namespace outband {

class bus_requests {
public:
  static constexpr double burst = 200, per_second = 50;
  /// Tenants whose rate is remembered; beyond it, those at rest are forgotten.
  static constexpr std::size_t max_buckets = 1'000;

  bus_requests(const services& with, control_port& control, bus::endpoint& outside);
  ~bus_requests();
  /// What is accepted from now on is stored under this lease.
  void start(controller_epoch fence);
  void stop();

private:
  struct bucket {
    double left = burst;
    time_ms at = 0;
  };
  void arrived(const bus::message& m);
  void refuse(const bus::message& m, const uuid& id, const device_ref& ref, failure why);
  bool take(const tenant_key& tenant);
  void forget_idle(time_ms now);

  const services& with_;
  control_port& control_;
  bus::endpoint& outside_;
  std::mutex mutex_;
  std::map<tenant_key, bucket> buckets_;
  std::atomic<controller_epoch> fence_{0};
  std::vector<bus::subscription> subscriptions_;
  /// Callbacks that outlive us must not touch us.
  std::shared_ptr<gate> gate_ = std::make_shared<gate>();
};

/// The role that an account has in a tenant at this moment.
role role_of(const account_row& account, const tenant_key& tenant);

} // namespace outband
