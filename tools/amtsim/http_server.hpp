/// HTTP as firmware serves it on one APF channel: digest, one request at a time, AMT's framing.
///
/// Context: pure; one per channel, on the machine's thread. Limits: a request head of 8 KiB and a
/// body of 256 KiB; more is answered 400 and ends the channel.
#pragma once

#include "messages/http/parser.hpp"
#include "tools/amtsim/wsman_server.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace outband::amtsim {

struct http_reply {
  std::string octets;
  bool close = false; ///< the channel closes once they are sent
  int status = 0;
  std::string what;    ///< for counting, see wsman_reply; empty for a 401
  sim_time delay{0};   ///< before they are sent
  bool silent = false; ///< nothing is sent at all (a fault)
  bool cut = false;    ///< nothing is sent, the channel closes
  std::string repeat;  ///< sent again and again afterwards, without end (a fault)
};

class http_server {
public:
  /// The other end showed the certificate with that hash, and a secure configuration waits for it:
  /// it is the administrator without a password, as long as that one lasts.
  void peer_is_configuration_server(std::string leaf_hash) { known_peer_ = std::move(leaf_hash); }
  explicit http_server(origin from = origin::network)
      : parser_({8 << 10, 64, 256 << 10}), from_(from) {}
  void feed(std::string_view octets) { parser_.feed(octets); }
  /// The reply to the next request, once it has arrived whole. `date` is for the Date header.
  /// Ask again only when the reply is sent: firmware does not pipeline.
  std::optional<http_reply> next(device_model& device, fault_set& faults, sim_time now,
                                 std::string_view date);

private:
  http::request_parser parser_;
  origin from_;
  std::string known_peer_; ///< empty: it is nobody in particular
};

} // namespace outband::amtsim
