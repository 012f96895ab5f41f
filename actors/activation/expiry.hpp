/// Tells tenants that a provisioning certificate is about to end: 90, 30 and 7 days before, and
/// when it has. Each is told once per certificate, whoever controls and however often it restarts:
/// what was told is noted first (provisioning_port::notice_expiry), so a node that dies in between
/// loses one notice and never repeats one. A notice is a row in the tenant's trail
/// ("domain.expires"), which is also an event.
///
/// That time passes is nobody's message, so this looks once a day, and when this node takes
/// control. Context: controller role; any thread, nothing blocks.
#pragma once

#include "actors/gate.hpp"
#include "actors/ports/provisioning.hpp"
#include "actors/services.hpp"

#include <caf/actor_system.hpp>
#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/replies_to.hpp>
#include <caf/typed_actor.hpp>

#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace outband::activation {

struct look_at_expiry {};
using expiry_actor = caf::typed_actor<caf::reacts_to<look_at_expiry>>;

/// Pure. 0 days or fewer: it has ended.
std::string expiry_text(const domain& d, time_ms now);

class expiry_watch {
public:
  expiry_watch(caf::actor_system& system, const services& with);
  ~expiry_watch();
  /// This node controls from now on.
  void start();
  void stop();

private:
  using found = std::vector<std::pair<tenant_key, domain>>;
  void look();
  void next(std::shared_ptr<const found> all, std::size_t at);
  void tell(const tenant_key& tenant, const domain& d);

  caf::actor_system& system_;
  const services& with_;
  std::mutex mutex_;
  expiry_actor timer_;
  std::shared_ptr<gate> gate_ = std::make_shared<gate>();
};

} // namespace outband::activation

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(outband::activation::look_at_expiry)
