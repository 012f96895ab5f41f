/// What tests of the outbox against a real broker share: devices' topics, what a subscriber
/// believes, and a store on a thread of its own with a clock that can be set forward.
#pragma once

#include "tests/integration/bus/broker.hpp"

#include "bus/outbox_publisher.hpp"
#include "tests/unit/bus/fake_outbox.hpp"
#include "tests/unit/bus/gate.hpp"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <map>
#include <vector>

namespace outband::test {

using bus::contract::gate;
using bus::contract::text;

inline const std::string current = "oob/v1/acme/dev/+/current";

inline std::string topic_of(int device, const char* leaf = "current") {
  char guid[40];
  std::snprintf(guid, sizeof guid, "00000000-0000-4000-8000-%012d", device);
  return std::string("oob/v1/acme/dev/") + guid + "/" + leaf;
}

template <class F> bool until(gate& g, F holds) {
  std::unique_lock<std::mutex> lock(g.mutex);
  return g.changed.wait_for(lock, patience, holds);
}

/// What a subscriber believes: the newest payload per topic; and everything it was told.
struct view {
  gate g;
  std::map<std::string, std::string> documents;
  std::vector<std::string> told; ///< "topic payload"
  bus::endpoint::handler handler() {
    return [this](const bus::message& m) {
      g.with([&] {
        told.push_back(m.topic + " " + *m.payload);
        if (m.payload->empty())
          documents.erase(m.topic);
        else
          documents[m.topic] = *m.payload;
      });
    };
  }
  bool becomes(const std::map<std::string, std::string>& wanted) {
    return until(g, [&] { return documents == wanted; });
  }
  std::size_t times(const std::string& topic_and_payload) {
    std::lock_guard<std::mutex> lock(g.mutex);
    return static_cast<std::size_t>(std::count(told.begin(), told.end(), topic_and_payload));
  }
};

struct store {
  gate g; ///< of the two counts; before the loop that writes them
  std::size_t commits = 0, removed = 0;
  std::atomic<std::int64_t> ahead_ms{0}; ///< of the real clock
  bus::thread_loop loop;
  bus::fake_outbox outbox{loop, [this] {
                            return now_ms();
                          }};
  std::map<std::string, std::string> committed;

  store() {
    outbox.on_removed = [this] {
      g.with([&] { removed = outbox.last_id - outbox.rows.size(); });
    };
  }
  std::int64_t now_ms() const {
    return ahead_ms + std::chrono::duration_cast<std::chrono::milliseconds>(
                          std::chrono::system_clock::now().time_since_epoch())
                          .count();
  }
  void commit(int device, const std::string& payload, const char* leaf = "current") {
    auto topic = topic_of(device, leaf);
    committed[topic] = payload;
    g.with([&] { ++commits; });
    loop.post([this, topic, payload] { outbox.commit(topic, payload); });
  }
  bool wait_published() {
    return until(g, [&] { return removed == commits; });
  }
  std::size_t unpublished() {
    std::lock_guard<std::mutex> lock(g.mutex);
    return commits - removed;
  }
};

} // namespace outband::test
