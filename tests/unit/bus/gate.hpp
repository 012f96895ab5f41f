/// What bus tests share: a place where handlers write and the test waits, and messages from text.
#pragma once

#include "bus/endpoint.hpp"

#include <condition_variable>
#include <mutex>

namespace outband::bus::contract {

/// What handlers write and the test reads; `until` of a fixture waits on it.
struct gate {
  std::mutex mutex;
  std::condition_variable changed;

  template <class F> void with(F&& change) {
    std::lock_guard<std::mutex> lock(mutex);
    change();
    changed.notify_all();
  }
};

inline message text(std::string topic, std::string payload, bool retain = false) {
  message m;
  m.topic = std::move(topic);
  m.payload = std::make_shared<const std::string>(std::move(payload));
  m.retain = retain;
  return m;
}

/// Collects what one subscription gets.
struct inbox {
  gate& g;
  std::vector<message> got;

  explicit inbox(gate& where) : g(where) {}
  endpoint::handler handler() {
    return [this](const message& m) {
      g.with([&] { got.push_back(m); });
    };
  }
  std::vector<std::string> texts() const {
    std::vector<std::string> out;
    for (const auto& m : got)
      out.push_back(*m.payload);
    return out;
  }
};

} // namespace outband::bus::contract
