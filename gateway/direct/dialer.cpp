#include "gateway/direct/dialer.hpp"

#include "gateway/direct/machine.hpp"
#include "gateway/net/io_pool.hpp"

#include <spdlog/spdlog.h>

namespace outband::direct {

struct dialer::impl {
  impl(net::io_pool& pool, std::shared_ptr<hub> h) : shared(std::move(h)) {
    for (std::size_t i = 0; i < pool.size(); ++i)
      lanes.push_back(std::make_shared<lane>(pool.at(i), shared));
  }

  std::shared_ptr<hub> shared;
  std::vector<std::shared_ptr<lane>> lanes;
  std::size_t next = 0; ///< guarded by the hub's mutex
};

result<std::unique_ptr<dialer>> dialer::make(net::io_pool& pool, terminator_port& links,
                                             direct_port& port, options o) {
  auto modern = client_tls::make(false);
  auto legacy = client_tls::make(true);
  if (!modern || !legacy)
    return modern ? legacy.error() : modern.error();
  auto shared =
      std::make_shared<hub>(std::move(o), links, port, std::move(*modern), std::move(*legacy));
  return std::unique_ptr<dialer>(new dialer(std::make_unique<impl>(pool, std::move(shared))));
}

dialer::dialer(std::unique_ptr<impl> i) : impl_(std::move(i)) {}

dialer::~dialer() {
  stop(std::chrono::milliseconds{0});
}

void dialer::look_at(const device_ref& ref) {
  auto& h = *impl_->shared;
  const std::lock_guard hold{h.mutex};
  if (h.closing)
    return;
  auto at = h.machines.find(ref);
  if (at == h.machines.end()) {
    if (h.machines.size() >= h.opts.max_devices) {
      spdlog::warn("direct: device={} not taken: {} are held already", to_string(ref),
                   h.machines.size());
      return;
    }
    const auto& on = impl_->lanes[impl_->next++ % impl_->lanes.size()];
    at = h.machines.emplace(ref, std::make_shared<machine>(on, ref)).first;
  }
  at->second->look_soon();
}

std::size_t dialer::room() const {
  const auto& h = *impl_->shared;
  const std::lock_guard hold{h.mutex};
  return h.closing ? 0 : h.opts.max_devices - std::min(h.opts.max_devices, h.machines.size());
}

bool dialer::stop(std::chrono::milliseconds patience) {
  auto& h = *impl_->shared;
  std::unique_lock hold{h.mutex};
  if (!std::exchange(h.closing, true))
    for (const auto& [ref, m] : h.machines)
      m->shut_soon();
  return h.changed.wait_for(hold, patience, [&] { return h.machines.empty(); });
}

std::optional<cira::found_tunnel> dialer::find(const device_ref& ref) const {
  return impl_->shared->open.find(ref);
}

figures dialer::now() const {
  const auto& h = *impl_->shared;
  figures f;
  f.connected = h.open.size();
  f.late = h.late_now;
  f.tried = h.tried;
  f.admitted = h.admitted;
  f.fell_late = h.fell_late;
  for (std::size_t i = 0; i < f.refused.size(); ++i)
    f.refused[i] = h.refused[i];
  for (std::size_t i = 0; i < f.ended.size(); ++i)
    f.ended[i] = h.ended[i];
  const std::lock_guard hold{h.mutex};
  f.devices = h.machines.size();
  return f;
}

} // namespace outband::direct
