/// One simulated machine: its model, its tunnel, its WS-MAN channels, its faults and its timer.
///
/// Context: everything runs on the thread of its io_context; other threads post() to executor().
/// Limits: see the parts. One timer per machine serves all its deadlines.
#pragma once

#include "tools/amtsim/activation_state.hpp"
#include "tools/amtsim/cira_client.hpp"
#include "tools/amtsim/cira_state.hpp"
#include "tools/amtsim/device_model.hpp"
#include "tools/amtsim/event_sender.hpp"
#include "tools/amtsim/faults.hpp"
#include "tools/amtsim/flash.hpp"
#include "tools/amtsim/host.hpp"
#include "tools/amtsim/http_server.hpp"
#include "tools/amtsim/lan_certificate.hpp"
#include "tools/amtsim/lan_server.hpp"
#include "tools/amtsim/local_port.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace outband::amtsim {

/// What happened to a machine; for people and for controllers.
struct link_event {
  bool up = false;
  std::string why; ///< empty while up
};
struct machine_event {
  device_id guid;
  std::string hostname;
  std::int64_t at_ms = 0; ///< UTC
  std::variant<power_change, link_event> what;
};

/// What all machines of a process share. Implementations are called on any I/O thread.
class surroundings {
public:
  virtual void happened(const machine_event& e) = 0;
  /// Something changed that a state file must keep.
  virtual void changed() = 0;

protected:
  ~surroundings() = default;
};

/// The server that machines were made with, and how to trust those that they are given.
struct known_server {
  boost::asio::ip::tcp::endpoint address; ///< port 0: there is none
  shared_tls trust;
  std::shared_ptr<tls_contexts> others;
};

/// Ground truth for controllers.
struct machine_report {
  device_id guid;
  std::string hostname;
  power_state power = power_state::unknown;
  int os_power_saving = 0;
  std::uint64_t boots = 0;
  bool connected = false;
  std::uint64_t links = 0;                       ///< tunnels that came up so far
  std::uint64_t refused = 0;                     ///< times the server refused user name or password
  std::uint64_t challenges = 0;                  ///< 401s
  std::string last_down;                         ///< why the last tunnel ended
  std::map<std::string, std::uint64_t> requests; ///< per class and operation
  std::map<int, std::uint64_t> carried_out;      ///< power requests, per requested state
  std::uint16_t lan_port = 0;                    ///< 0: none
  std::uint16_t lan_tls_port = 0;
  std::size_t lan_connections = 0;
  int control_mode = 0;      ///< 0 not provisioned, 1 client, 2 admin
  int consent_state = 0;     ///< as OptInState
  std::string consent_code;  ///< what is on the screen; empty: nothing
  std::string boot_source;   ///< of the next boot
  bool boot_pending = false; ///< boot options wait for it
  std::string last_boot;     ///< what the last boot did differently; empty: nothing
  std::uint64_t events_delivered = 0;
  std::uint64_t events_lost = 0;
  std::size_t subscribers = 0;
  std::uint16_t lms_port = 0; ///< of the host, in front of 16992; 0: none
  std::uint16_t lms_tls_port = 0;
  std::string mei_path;                 ///< empty: none
  std::uint32_t provisioning_state = 0; ///< 0 pre, 1 in, 2 post
  activation_counts activation;
  std::uint32_t mebx_passwords = 0; ///< that it has been given, over all its lives
  std::optional<home_call> calls;   ///< where it connects of itself; secrets are not reported
  bool tls_network = false, tls_local = false, tls_mutual = false; ///< in force
  flash kept; ///< empty unless settings::keeps_flash
};

class machine final : private cira_client::owner,
                      private lan_server::owner,
                      private local_port::owner {
public:
  machine(boost::asio::io_context& io, const known_server& server, identity who,
          const settings* shared, std::uint64_t seed, surroundings& around);

  boost::asio::io_context& executor() { return io_; }
  const identity& who() const { return model_.who(); }
  /// To read; to change it: change().
  const device_model& model() const { return model_; }
  static sim_time now();
  /// The host connects to its firmware's port 16992 or 16993. nullptr: refused, nobody listens
  /// there now. `peer` must outlive the connection.
  std::unique_ptr<local_connection> open_local(std::uint16_t port, local_peer& peer);

  /// Serves WS-MAN on the LAN too. Before the threads run; throws std::runtime_error if it cannot.
  void listen(const lan_place& where);
  /// Gives it an operating system. Before the threads run; throws std::runtime_error if it cannot.
  void boot_host(const host_place& where);
  /// Connects for the first time after that delay, if it has been told where.
  void start(sim_time after);
  /// Does not connect before connect().
  void hold() { wants_tunnel_ = false; }
  /// A controller's wishes. connect() and disconnect() also decide whether it reconnects by itself.
  void connect();
  void disconnect();
  /// Empty, or why not.
  std::string order(fault_kind kind, sim_time ms, std::uint32_t count);
  void clear_faults();
  void press_power_button();
  machine_report report() const;

  void restore(power_state power, std::uint64_t boots, const flash& kept);
  /// What a person, or the machine itself, changes: without digest, audited nowhere.
  void change(const std::function<void(device_model&, sim_time)>& what);
  void new_lan_certificate();
  /// No more timers, no more events; the tunnel ends with FIN.
  void stop();

private:
  struct wsman_channel {
    std::uint32_t id;
    http_server http;
    std::string out;        ///< of a reply under way; its front is sent
    std::string repeat;     ///< then sent without end (a fault)
    sim_time send_at{0};    ///< not before; 0: at once
    std::size_t unread = 0; ///< octets of the server's not yet given back to its window
    bool replying = false;
    bool close_after = false;
  };

  void tunnel_up() override;
  void tunnel_down(const std::string& why, bool refused) override;
  void keepalive_changed() override;
  void channel_opened(std::uint32_t channel, std::uint32_t port) override;
  void channel_answered(std::uint32_t channel, bool accepted) override;
  void channel_data(std::uint32_t channel, std::string_view octets) override;
  void channel_writable(std::uint32_t channel) override;
  void channel_closed(std::uint32_t channel) override;

  std::optional<http_reply> next_reply(http_server& http) override;
  void changed_by_request();
  void send_events();
  void lan_down(sim_time back_after, bool with_reset);
  wsman_channel* find(std::uint32_t channel);
  void serve(wsman_channel& c);
  /// False: the channel is gone.
  bool push(wsman_channel& c);
  void drop(const std::string& why, sim_time back_after, bool with_reset);
  void reconnect_after(sim_time delay);
  /// Where to connect now; nullopt: nowhere.
  std::optional<home_call> home() const;
  void call_home();
  void call(const boost::asio::ip::tcp::endpoint& to);
  /// After a change: does the tunnel still lead where it should?
  void settle();
  bool leads_home() const;
  /// The tunnel that leads elsewhere, and whoever signed in to what is no more.
  void leave();
  void tell(power_change what);
  void tell(link_event what);

  void end_local(bool with_reset);
  void schedule();
  void on_timer();

  boost::asio::io_context& io_;
  const known_server& server_;
  surroundings& around_;
  device_model model_;
  fault_set faults_;
  cira_client tunnel_;
  boost::asio::steady_timer timer_;
  boost::asio::ip::tcp::resolver resolver_;
  sim_time armed_{0}; ///< when timer_ fires; 0: it does not run
  sim_time connect_at_{0};
  sim_time handshake_until_{0};
  sim_time keepalive_at_{0};
  sim_time lan_open_at_{0};
  sim_time ports_down_at_{0};
  sim_time leave_at_{0}; ///< the last answer was "unprovisioned"; it shall arrive
  std::vector<std::unique_ptr<wsman_channel>> channels_;
  std::unique_ptr<lan_server> lan_; ///< nullptr: it does not listen
  std::vector<local_port> local_;
  std::vector<local_port> leaving_; ///< those of local_ that end at leave_at_
  lan_certificate local_certificate_{1};
  std::uint32_t port_restarts_ = 0;
  std::unique_ptr<host> host_;           ///< nullptr: nobody looks at the machine from inside
  std::unique_ptr<event_sender> events_; ///< nullptr: there were none so far
  std::map<std::string, std::uint64_t> requests_;
  std::string last_down_;
  std::string called_; ///< "host:port" that the tunnel leads to
  std::uint32_t calls_ = 0;
  std::uint32_t links_ = 0;
  std::uint32_t refused_ = 0;
  std::uint32_t challenges_ = 0;
  std::uint32_t failures_ = 0; ///< in a row, for backing off
  bool wants_tunnel_ = true;
  bool active_ = false; ///< activated and not switched off, when last looked at
  bool told_up_ = false;
  bool stopped_ = false;
};

} // namespace outband::amtsim
