/// Many simulated machines: connects them with bounded concurrency, keeps them alive, cuts them.
///
/// Context: the loop's thread.
#pragma once

#include "tools/bench/device.hpp"

#include <memory>
#include <string>
#include <vector>

namespace outband::bench {

/// What machine number `i` of any fleet is called; the same in every run.
device_id guid_of(std::size_t i);

class fleet {
public:
  struct options {
    std::uint16_t port = 0;
    int tls = 12;
    std::string user, password;
    std::chrono::milliseconds keep_alive{30'000};
  };
  fleet(loop& io, soap_answers& soap, options o, std::size_t count, std::size_t first = 0);
  ~fleet();

  struct outcome {
    double seconds = 0; ///< from the first connect to the last tunnel
    std::size_t up = 0;
    std::size_t failures = 0; ///< attempts that ended early; each was repeated
    std::string why;          ///< of the last failure
  };
  /// All of the first `count` that are not up, at most `at_a_time` under way.
  outcome connect(std::size_t count, std::size_t at_a_time, std::chrono::seconds patience);
  void close_all();
  /// Every tunnel ends with FIN at once.
  void cut_all();

  std::size_t up() const { return up_; }
  device& at(std::size_t i) { return *devices_[i]; }
  std::size_t size() const { return devices_.size(); }
  surroundings& around() { return around_; }

  /// Ends and opens tunnels in turn, `at_a_time` under way, until told otherwise.
  void begin_flapping(std::size_t at_a_time);
  void end_flapping();
  std::uint64_t flaps() const { return flaps_; }

private:
  void begin_next();
  void became_up(device& d);
  void went_down(device& d);
  void tick();
  void flap_next();

  loop& io_;
  context_ptr tls_;
  surroundings around_;
  std::chrono::milliseconds keep_alive_;
  std::vector<std::unique_ptr<device>> devices_;
  std::size_t up_ = 0;
  std::size_t wanted_ = 0; ///< of the connect() under way
  std::size_t next_ = 0;
  std::size_t failures_ = 0;
  std::string why_;
  std::size_t alive_next_ = 0; ///< whose keep-alive is due
  clock::time_point alive_at_ = clock::now();
  std::shared_ptr<bool> exists_ = std::make_shared<bool>(true);
  bool flapping_ = false;
  std::size_t flap_at_ = 0;
  std::uint64_t flaps_ = 0;
};

} // namespace outband::bench
