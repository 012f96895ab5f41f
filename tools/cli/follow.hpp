/// What the bus tells about one host or all of a tenant, in order, for one thread to read.
///
/// Threads: the endpoint's handlers put in, one thread takes out with next(). Limit: `max_waiting`
/// messages; beyond it the oldest go and skipped() counts them.
#pragma once

#include "bus/endpoint.hpp"
#include "messages/bus/envelope.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <variant>

namespace outband::cli {

struct connection_news {
  bool up = false;
};
template <class T> struct document_news {
  device_ref device;
  bus::decoded<T> what;
};
using news =
    std::variant<connection_news, document_news<current_state>, document_news<desired_state>,
                 document_news<presence>, document_news<event>>;

struct follow_options {
  tenant_key tenant;
  std::optional<device_id> device; ///< absent: all of the tenant
  bool states = true;              ///< current and presence
  bool wishes = false;             ///< desired
};

class follower {
public:
  follower(bus::endpoint& from, const follow_options& what);
  ~follower();
  follower(const follower&) = delete;
  follower& operator=(const follower&) = delete;

  /// nullopt: nothing came until then.
  std::optional<news> next(std::chrono::steady_clock::time_point until);
  /// Dropped since the last call, because nobody took them.
  std::size_t skipped();

  static constexpr std::size_t max_waiting = 20'000;

private:
  struct state;
  std::shared_ptr<state> state_;
  std::vector<bus::subscription> subscriptions_;
};

} // namespace outband::cli
