/// One simulated machine of the load generator: TLS, the APF connect sequence, keep-alive, and
/// WS-MAN on any number of channels. About 500 octets besides OpenSSL's.
///
/// Speaks as tools/amtsim/cira_client does, one APF message per TLS record.
/// Context: the loop's thread.
#pragma once

#include "messages/apf/channels.hpp"
#include "messages/apf/decoder.hpp"
#include "messages/domain/ids.hpp"
#include "messages/domain/power.hpp"
#include "tools/bench/loop.hpp"
#include "tools/bench/soap.hpp"
#include "tools/bench/tls.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace outband::bench {

class device;

/// What all machines share, and who hears of them.
struct surroundings {
  loop& io;
  SSL_CTX* tls = nullptr;
  std::uint16_t port = 0;
  std::string user;
  std::string password;
  soap_answers& soap;
  bool flicker = false; ///< each power reading finds another state than the last
  std::function<void(device&)> up;
  std::function<void(device&)> down; ///< not said after close() and cut()
  std::uint64_t requests = 0;        ///< WS-MAN requests answered, challenges included
};

class device final : public watcher {
public:
  device(surroundings& around, device_id guid);
  ~device() override;

  void connect();
  void close();
  /// FIN without close_notify.
  void cut();
  bool up() const { return stage_ == stage::ready; }
  bool busy() const { return stage_ != stage::idle; }
  const device_id& guid() const { return guid_; }
  const std::string& why() const { return why_; } ///< of the last tunnel_down
  void keep_alive();

  power_state power = power_state::on;

  void ready(std::uint32_t events) override;

private:
  enum class stage : std::uint8_t {
    idle,
    connecting,
    auth_service,
    auth,
    pfwd_service,
    ports,
    ready
  };
  struct http_channel {
    std::uint32_t number;
    std::string in;
    std::string out;
    bool close_after = false;
  };

  void read();
  bool take(const apf::message& m);
  bool take_channel(const apf::message& m);
  bool announce_next();
  void serve(http_channel& c);
  void push(http_channel& c);
  void say(const apf::message& m);
  void end(const char* why);
  void reset();

  surroundings& around_;
  device_id guid_;
  tls_socket socket_;
  apf::decoder decoder_;
  apf::channels channels_;
  std::vector<http_channel> open_;
  std::string why_;
  stage stage_ = stage::idle;
  std::uint8_t announced_ = 0;
  std::uint32_t cookie_ = 0;
};

} // namespace outband::bench
