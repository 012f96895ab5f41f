/// What the connections of one process share. Private to gateway/activation. Threads: any.
#pragma once

#include "actors/ports/activation.hpp"
#include "gateway/activation/counters.hpp"
#include "gateway/activation/options.hpp"

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

struct ssl_ctx_st;

namespace outband::activation {

struct core {
  core(options o, activation_port& p, counters& c) : opts(std::move(o)), decides(p), counts(c) {}

  const options opts;
  activation_port& decides;
  counters& counts;
  std::shared_ptr<ssl_ctx_st> tls;
  std::atomic<std::uint64_t> last_id{0};
  std::mutex mutex;
  std::map<std::string, std::size_t> by_address;
};

/// One connection's share of the limits, for as long as it lives.
class place {
public:
  /// nullopt and why, if there is none left.
  static std::optional<place> take(const std::shared_ptr<core>& c, const std::string& address,
                                   refused& why);
  place(place&&) noexcept = default;
  place& operator=(place&&) = delete;
  place(const place&) = delete;
  place& operator=(const place&) = delete;
  ~place();

private:
  place(std::shared_ptr<core> c, std::string address)
      : core_(std::move(c)), address_(std::move(address)) {}
  std::shared_ptr<core> core_;
  std::string address_;
};

} // namespace outband::activation
