/// What a tenant has from its first moment: a CIRA configuration that names this site, and a
/// profile for each control mode, so that its first machine can be activated without anybody
/// preparing it.
///
/// Names are those of EMF's tenant controller (dm-manager): "{tenant}", "{tenant}_ccm",
/// "{tenant}_acm". They are made once; what an admin changes or removes of the profiles stays so.
/// The CIRA configuration follows this site's name and root as long as it is marked as ours.
/// Nothing polls: tenants are looked at when this node takes control, and when one is made (the
/// wake "tenant"). Context: controller role; any thread, nothing blocks.
#pragma once

#include "actors/gate.hpp"
#include "actors/ports/provisioning.hpp"
#include "actors/services.hpp"

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace outband::activation {

/// How machines reach this site.
struct home_address {
  std::string server; ///< a name or an address, as in the certificate
  std::uint16_t port = 4433;
  std::string username = "admin"; ///< 5 to 16 letters and digits
  std::string root_certificate;   ///< base64 of DER, one line
  /// AMT passwords: one for all machines of a tenant instead of one for each.
  bool one_password_per_tenant = false;
};

/// Pure: what a tenant is to have.
cira_config home_config(const tenant_key& tenant, const home_address& home);
profile default_profile(const tenant_key& tenant, activation_kind kind, bool one_password);

class bootstrap {
public:
  bootstrap(const services& with, home_address home,
            std::function<std::string(std::size_t)> random);
  ~bootstrap();
  /// This node controls from now on.
  void start();
  void stop();

private:
  void all();
  void want(const tenant_key& tenant);
  void next();
  void prepare(const tenant_key& tenant);
  void make(const tenant_key& tenant);
  void make_profile(const tenant_key& tenant, activation_kind kind, const secret_text& password,
                    std::function<void()> then);
  void tell(const tenant_key& tenant, const std::string& act, const std::string& name,
            const status& outcome);

  const services& with_;
  home_address home_;
  std::function<std::string(std::size_t)> random_;
  std::mutex mutex_;
  std::deque<tenant_key> waiting_; ///< one at a time: nobody waits for it
  bool busy_ = false;
  std::vector<bus::subscription> subscriptions_;
  std::shared_ptr<gate> gate_ = std::make_shared<gate>();
};

} // namespace outband::activation
