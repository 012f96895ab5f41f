/// The firmware's end of a CIRA tunnel: TLS to the management presence server, the APF connect
/// sequence, keep-alive, channels.
///
/// As firmware does: PROTOCOLVERSION and SERVICE_REQUEST(auth) go out together, the server's echo
/// of the version is taken but not needed, ports are announced one by one, one APF message per TLS
/// record and at most 4096 octets of it, the tunnel ends after USERAUTH_FAILURE.
/// Source: open-amt-cloud-toolkit/mps src/test/helper/ciraclient.js, MeshCentral amt-apfclient.js.
/// Context: I/O thread; no timers of its own, the owner calls keep_alive() when it is due.
/// Limits: 8 channels; a server that breaks APF ends the tunnel.
#pragma once

#include "messages/apf/channels.hpp"
#include "messages/apf/decoder.hpp"
#include "tools/amtsim/device_model.hpp"
#include "tools/amtsim/tls_client.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace outband::amtsim {

class cira_client final : private tls_client::listener {
public:
  class owner {
  public:
    /// All ports are announced.
    virtual void tunnel_up() = 0;
    /// `refused`: the server did not accept user name and password.
    virtual void tunnel_down(const std::string& why, bool refused) = 0;
    /// The server set another keep-alive interval.
    virtual void keepalive_changed() = 0;
    virtual void channel_opened(std::uint32_t channel, std::uint32_t port) = 0;
    /// The server's answer to open_to(); a refused channel is no more.
    virtual void channel_answered(std::uint32_t channel, bool accepted) = 0;
    virtual void channel_data(std::uint32_t channel, std::string_view octets) = 0;
    virtual void channel_writable(std::uint32_t channel) = 0;
    virtual void channel_closed(std::uint32_t channel) = 0;

  protected:
    ~owner() = default;
  };

  cira_client(boost::asio::io_context& io, const device_model& device, owner& to);

  struct account {
    std::string user;
    std::string password;
  };
  void connect(const boost::asio::ip::tcp::endpoint& to, shared_tls trust, account who);
  /// Ends the tunnel; tunnel_down() is not said.
  void disconnect(bool with_reset = false);
  bool up() const { return stage_ == stage::ready; }
  bool busy() const { return stage_ != stage::idle; }

  /// Asks the server to connect to a listener of events. nullopt: every channel is in use.
  std::optional<std::uint32_t> open_to(const std::string& host, std::uint16_t port);
  /// Takes what fits and says how much; go on at channel_writable().
  std::size_t write(std::uint32_t channel, std::string_view octets);
  void consumed(std::uint32_t channel, std::size_t octets);
  void close_channel(std::uint32_t channel);

  void keep_alive();
  sim_time keepalive_interval() const { return keepalive_; }
  /// While quiet, keep-alives are not answered.
  void set_quiet(bool on) { quiet_ = on; }
  void pause(bool on) { tls_.pause(on); }
  /// Octets as they are, for those who want to break the protocol.
  void send_raw(std::string_view octets) { tls_.send(octets); }

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

  void tls_up() override;
  void tls_data(std::string_view octets) override;
  void tls_down(const std::string& why) override;

  void send(const apf::message& m);
  void send(const std::string& octets);
  /// False: the tunnel is no more.
  bool take(const apf::message& m);
  bool take_channel(const apf::message& m);
  bool announce_next();
  bool end(const std::string& why, bool refused = false);
  void reset_state();

  const device_model& device_;
  owner& owner_;
  tls_client tls_;
  apf::decoder decoder_;
  apf::channels channels_;
  account account_; ///< while it signs in
  sim_time keepalive_;
  stage stage_ = stage::idle;
  std::uint32_t cookie_ = 0;
  std::uint8_t announced_ = 0;
  bool quiet_ = false;
};

} // namespace outband::amtsim
