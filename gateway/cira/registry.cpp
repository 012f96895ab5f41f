#include "gateway/cira/registry.hpp"

namespace outband::cira {

void registry::add(const found_tunnel& t) {
  const std::lock_guard hold{mutex_};
  const auto [at, fresh] = tunnels_.try_emplace(t.ref, entry{t.epoch, t.way, t.context});
  if (!fresh && at->second.epoch < t.epoch)
    at->second = {t.epoch, t.way, t.context};
}

void registry::remove(const device_ref& ref, link_epoch epoch) {
  const std::lock_guard hold{mutex_};
  const auto at = tunnels_.find(ref);
  if (at != tunnels_.end() && at->second.epoch == epoch)
    tunnels_.erase(at);
}

std::optional<found_tunnel> registry::find(const device_ref& ref) const {
  const std::lock_guard hold{mutex_};
  const auto at = tunnels_.find(ref);
  if (at == tunnels_.end())
    return {};
  return found_tunnel{ref, at->second.epoch, at->second.way, at->second.context};
}

std::size_t registry::size() const {
  const std::lock_guard hold{mutex_};
  return tunnels_.size();
}

} // namespace outband::cira
