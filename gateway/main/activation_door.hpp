/// Between provisioning connections and who decides about them: a connection may end a moment after
/// the actors have, and finds the door closed then.
/// Context: any thread; close() waits for who is inside.
#pragma once

#include "actors/gate.hpp"
#include "actors/ports/activation.hpp"

#include <memory>
#include <utility>

namespace outband {

class activation_door final : public activation_port {
public:
  /// Before the first connection; `to` must outlive close().
  void lead_to(activation_port* to) { to_ = to; }
  void close() { gate_.close(); }

  void opened(connection who, provisioning_wish wish) override {
    if (auto inside = gate_.enter())
      return to_->opened(std::move(who), std::move(wish));
    who.wire->refuse("The server is shutting down. Do it again later.");
  }
  void closed(std::uint64_t id) override {
    if (auto inside = gate_.enter())
      to_->closed(id);
  }

private:
  gate gate_;
  activation_port* to_ = nullptr;
};

} // namespace outband
