#include "tools/cli/follow.hpp"

#include "messages/bus/topics.hpp"

#include <condition_variable>
#include <deque>
#include <mutex>

namespace outband::cli {

struct follower::state {
  std::mutex mutex;
  std::condition_variable wake;
  std::deque<news> waiting;
  std::size_t skipped = 0;

  void put(news n) {
    {
      std::lock_guard lock(mutex);
      if (waiting.size() >= max_waiting) {
        waiting.pop_front();
        ++skipped;
      }
      waiting.push_back(std::move(n));
    }
    wake.notify_one();
  }

  template <class T> void put(const device_ref& about, result<bus::decoded<T>> what) {
    if (what) // what this version cannot read is a newer version's business
      put(document_news<T>{about, std::move(*what)});
  }

  void arrived(const bus::message& m) {
    auto topic = bus::parse_topic(m.topic);
    if (!topic || m.payload->empty())
      return;
    const auto e = bus::encoding_of(topic->root);
    switch (topic->kind) {
    case bus::topic_kind::current:
      return put(topic->ref(), bus::decode_current(*m.payload, e));
    case bus::topic_kind::desired:
      return put(topic->ref(), bus::decode_desired(*m.payload, e));
    case bus::topic_kind::presence:
      return put(topic->ref(), bus::decode_presence(*m.payload, e));
    case bus::topic_kind::event:
      return put(topic->ref(), bus::decode_event(*m.payload, e));
    default:
      return;
    }
  }
};

follower::follower(bus::endpoint& from, const follow_options& what)
    : state_(std::make_shared<state>()) {
  const auto below = std::string(bus::native_root) + "/" + what.tenant + "/dev/" +
                     (what.device ? to_string(*what.device) : "+") + "/";
  auto subscribe = [&](const std::string& filter) {
    subscriptions_.push_back(
        from.subscribe(below + filter, {}, [s = state_](const bus::message& m) { s->arrived(m); }));
  };
  if (what.wishes)
    subscribe("desired");
  if (what.states) {
    subscribe("current");
    subscribe("presence");
  }
  subscribe("event/+");
  subscriptions_.push_back(
      from.on_connection([s = state_](bool up) { s->put(connection_news{up}); }));
}

follower::~follower() = default;

std::optional<news> follower::next(std::chrono::steady_clock::time_point until) {
  std::unique_lock lock(state_->mutex);
  state_->wake.wait_until(lock, until, [this] { return !state_->waiting.empty(); });
  if (state_->waiting.empty())
    return std::nullopt;
  auto out = std::move(state_->waiting.front());
  state_->waiting.pop_front();
  return out;
}

std::size_t follower::skipped() {
  std::lock_guard lock(state_->mutex);
  return std::exchange(state_->skipped, 0);
}

} // namespace outband::cli
