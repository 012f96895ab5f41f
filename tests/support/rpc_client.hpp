/// The Go client `rpc`, as a provisioning server sees it: facts over MEI, one first message, then
/// octets carried between the WebSocket and AMT's local port until `success` or `error`.
///
///   rpc_options how;
///   how.url = "wss://127.0.0.1:8443/activate/" + token;
///   how.mei_path = dir + "/" + guid + ".mei";
///   how.lms_port = 17000;
///   how.profile = "floor-3";
///   const auto got = run_rpc(how);           // or start_rpc() for hundreds on one io_context
///   CHECK(got.how == rpc_end::success);
///
/// A hook sees every message of either direction and may change it, lose it or end the connection
/// there: see rpc_hook.
/// Source: rpc-go internal/rps/executor.go, rps.go, message.go and internal/lm/service.go, v2.52.4
/// and v3.0.0-beta.50. What is not played: LME, proxies, the terminal's password prompt.
/// Context: start_rpc() on the io_context's thread (reading facts blocks it for milliseconds); its
/// handlers run there. Messages of the server are not bounded but by websocket_client.
#pragma once

#include "tests/support/rpc_facts.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace boost::asio {
class io_context;
}

namespace outband::test {

enum class rpc_version : std::uint8_t { v2, v3 };
enum class rpc_command : std::uint8_t { activate, deactivate, maintenance };

/// The windows in which `rpc` collects what AMT says, and its pauses.
struct rpc_timing {
  using ms = std::chrono::milliseconds;
  ms first_byte{30000};      ///< plain port, from the request to the first octet; a loaded machine
                             ///< makes an RSA key in some seconds
  ms idle{1000};             ///< plain port, after an octet: then the answer is complete
  bool whole_answers = true; ///< an answer that is whole by its HTTP framing is sent at once
  ms tunnel_first_byte{2000};
  ms tunnel_idle{0};      ///< 0: what arrives is sent at once
  ms port_switch_most{0}; ///< longest pause that a port_switch may ask for
  ms port_switch_retry{50};
  int port_switch_attempts = 100;
  ms give_up{60000}; ///< the whole run; rpc itself waits for ever

  /// As the Go client is built.
  static rpc_timing stock(rpc_version v);
};

struct rpc_options {
  std::string url;                ///< "wss://host:port/any/path", or ws
  std::string ca_pem;             ///< empty: any certificate, as `-n`
  std::string mei_path;           ///< of the machine; not needed with `facts`
  std::optional<rpc_facts> facts; ///< instead of asking the machine
  std::string lms_host = "127.0.0.1";
  std::uint16_t lms_port = 0;
  std::uint16_t lms_tls_port = 0; ///< in front of 16993; the target of a port_switch

  rpc_version version = rpc_version::v2;
  std::string app_version; ///< empty: that of `version`
  rpc_command command = rpc_command::activate;
  std::string profile;
  std::string password;     ///< AMT's, needed by a machine that is activated
  std::string task;         ///< maintenance: "synctime", "syncip", "synchostname",
                            ///< "changepassword", "syncdeviceinfo"
  std::string new_password; ///< maintenance changepassword; empty: the server chooses
  bool force = false;
  bool tls_tunnel = false;
  bool progress = true; ///< v2: says progressSupported
  std::string tenant;
  std::string dns_suffix;    ///< `-d`; empty: the machine's, else os_dns_suffix
  std::string os_dns_suffix; ///< also of hostnameInfo
  std::string hostname = "simulated-host";
  std::string friendly_name;
  std::string uuid; ///< `-uuid`
  struct addresses {
    bool dhcp = false, fixed = false, ipsync = false;
    std::string address, netmask, gateway, primary_dns, secondary_dns;
  } ip; ///< for syncip

  rpc_timing timing;
};

/// One message, before it is sent or after it was received.
struct rpc_message {
  bool to_server = false;
  std::size_t number = 0;   ///< of all messages, from 1
  std::size_t in_order = 0; ///< of this direction, from 1
  std::string method;       ///< first word only: what follows may be a password
  std::string text;         ///< the whole JSON; may be changed
};
enum class rpc_verdict : std::uint8_t {
  pass,
  swallow,    ///< it gets lost; the connection stays
  cut_before, ///< the TCP connection ends instead
  cut_after,  ///< the same once it is sent, or once it has had its effect on the machine
};
using rpc_hook = std::function<rpc_verdict(rpc_message&)>;
/// Ends the connection at the n-th message of both directions together.
rpc_hook cut_before(std::size_t number);
rpc_hook cut_after(std::size_t number);

enum class rpc_end : std::uint8_t {
  success,  ///< the server said so
  error,    ///< the server said so
  refused,  ///< rpc did not begin: facts, password, or the server took no WebSocket
  closed,   ///< the server ended the connection before it said how it went
  lms,      ///< AMT's local port could not be reached or failed
  cut,      ///< by the hook
  gave_up,  ///< rpc_timing::give_up
  nonsense, ///< the server sent what rpc cannot read
};
std::string_view to_string(rpc_end e);

struct rpc_outcome {
  rpc_end how = rpc_end::gave_up;
  std::string why;               ///< for people
  std::string message;           ///< of the server's last word, as it came
  std::string status;            ///< "Status" of it; `message` if that is no JSON
  std::vector<std::string> said; ///< the lines that this version prints, without log prefix
  int exit_code = 0;             ///< v2: 0 whatever the server says; v3: 10 for its `error`; else 1
  std::size_t sent = 0, received = 0;
  std::vector<std::string> conversation; ///< "> activate", "< wsman", ... at most 10000
  /// What the server did that this version of rpc cannot handle, though it went on.
  std::vector<std::string> complaints;
  int http_status = 0; ///< of a refused upgrade
};

using rpc_done = std::function<void(rpc_outcome)>;
/// Runs until `done`; the handle keeps it alive, and ends it without a word when dropped.
std::shared_ptr<void> start_rpc(boost::asio::io_context& io, rpc_options how, rpc_hook hook,
                                rpc_done done);
/// On an io_context of its own, until it ends.
rpc_outcome run_rpc(const rpc_options& how, rpc_hook hook = {});

} // namespace outband::test
