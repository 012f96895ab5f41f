/// Many HTTPS connections, kept alive, each asking one thing after the other.
///
/// Context: the loop's thread.
#pragma once

#include "tools/bench/loop.hpp"
#include "tools/bench/statistics.hpp"
#include "tools/bench/tls.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace outband::bench {

class rest_connection;

struct rest_target {
  std::uint16_t port = 0;
  std::string host;  ///< for the Host header
  std::string token; ///< bearer
  std::string tenant;
};

class rest_load {
public:
  rest_load(loop& io, rest_target to, std::size_t connections);
  ~rest_load();

  /// All connections; false if not in time.
  bool connect(clock::duration patience);

  struct outcome {
    std::uint64_t count = 0, failed = 0; ///< failed: not 200, or the connection ended
    double seconds = 0;
    samples milliseconds;
    std::string first_failure;
  };
  /// Told of each request that was answered with 200: its number, how long that took, and how
  /// many octets of HTTP went there and came back.
  struct heard {
    std::uint64_t number;
    double milliseconds;
    std::size_t sent, received;
  };
  std::function<void(const heard&)> on_answer;

  /// `path(i)` is what request number i asks; all connections at once, for so long.
  outcome run(const std::function<std::string(std::uint64_t)>& path, clock::duration how_long);

  /// The same without waiting: `begin` now, `end` later, from outside the loop's callbacks.
  /// Between two requests of a connection passes `pause`.
  void begin(std::function<std::string(std::uint64_t)> path, clock::duration pause = {});
  outcome end();

private:
  friend class rest_connection;
  void send_next(rest_connection& c);
  void answered(rest_connection& c, int status, const std::string& body);
  void broken(rest_connection& c, const char* why);

  loop& io_;
  rest_target to_;
  context_ptr tls_;
  std::vector<std::unique_ptr<rest_connection>> all_;
  std::function<std::string(std::uint64_t)> path_;
  clock::duration pause_{};
  clock::time_point began_;
  std::uint64_t next_ = 0;
  std::size_t under_way_ = 0;
  bool running_ = false;
  outcome out_;
  std::shared_ptr<bool> exists_ = std::make_shared<bool>(true);
};

} // namespace outband::bench
