/// Which tunnel a machine has in this process: how the relay finds its carrier.
/// Threads: any; one short lock.
#pragma once

#include "gateway/amt/carrier.hpp"
#include "messages/domain/ids.hpp"

#include <boost/asio/io_context.hpp>

#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>

namespace outband::cira {

struct found_tunnel {
  device_ref ref;
  link_epoch epoch = 0;
  std::shared_ptr<amt::carrier_handle> way;
  /// The tunnel's thread: sockets that feed it best live there.
  boost::asio::io_context* context = nullptr;
};

class registry {
public:
  /// The newest epoch stays, whatever the order of the calls.
  void add(const found_tunnel& t);
  void remove(const device_ref& ref, link_epoch epoch);
  std::optional<found_tunnel> find(const device_ref& ref) const;
  std::size_t size() const;

private:
  struct entry {
    link_epoch epoch;
    std::shared_ptr<amt::carrier_handle> way;
    boost::asio::io_context* context;
  };
  mutable std::mutex mutex_;
  std::unordered_map<device_ref, entry> tunnels_;
};

} // namespace outband::cira
