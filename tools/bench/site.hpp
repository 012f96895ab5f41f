/// The site under measurement, as tools/up started it: REST, processes, counters, bus.
///
/// Context: the main thread; calls block for as long as the server takes.
#pragma once

#include "bus/endpoint.hpp"
#include "tools/bench/rest_load.hpp"

#include <map>
#include <memory>
#include <string>
#include <sys/types.h>

namespace outband::https {
class transport;
}

namespace outband::bench {

inline constexpr const char* mps_user = "bench";
inline constexpr const char* mps_password = "Bench-1-password";

class site {
public:
  /// `folder`: tools/up's --data. Throws std::runtime_error when it cannot be used.
  explicit site(const std::string& folder);
  ~site();

  /// Registers machines [from, to) of bench::guid_of.
  void register_machines(std::size_t from, std::size_t to);
  /// Status and body; throws if there is no answer at all.
  std::pair<int, std::string> call(const std::string& method, const std::string& path,
                                   const std::string& body = {});
  /// GET /metrics; what differs only in labels is added up.
  std::map<std::string, double> metrics();
  /// Of those: what went to the broker, by the node itself and from the outbox.
  static double published(std::map<std::string, double>& m) {
    return m["outband_bus_published_total"] + m["outband_outbox_published_total"];
  }
  /// A connection to the broker with a ticket of ours; waits until it is usable.
  std::unique_ptr<bus::endpoint> connect_bus(const std::string& name);

  rest_target rest() const;
  const std::string& tenant() const { return tenant_; }
  const std::string& user() const { return user_; }
  std::uint16_t cira_port() const;
  std::string fact(const std::string& name) const; ///< of the environment file

  pid_t server() const { return pid("OUTBAND_SERVER_PID"); }
  pid_t database() const { return pid("OUTBAND_DATABASE_PID"); }
  pid_t broker() const { return pid("OUTBAND_BROKER_PID"); }

private:
  pid_t pid(const std::string& name) const;

  std::map<std::string, std::string> facts_;
  std::string user_, tenant_, token_;
  std::unique_ptr<https::transport> https_;
};

} // namespace outband::bench
