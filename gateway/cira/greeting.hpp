/// A new connection until its TLS handshake is complete: looks at the first octet, answers plain
/// HTTP, makes the TLS stream a tunnel, or refuses with one line in the log.
///
/// Context: the lane's thread. Freed when the tunnel begins.
#pragma once

#include "gateway/cira/lane.hpp"
#include "gateway/net/lean_tls_stream.hpp"

#include <optional>

namespace outband::cira {

class greeting final : public connection, public std::enable_shared_from_this<greeting> {
public:
  greeting(std::shared_ptr<lane> l, net::asio::ip::tcp::socket socket, endpoint peer, bool legacy);
  void start();
  void shut() override;
  void abandon() override { shut(); }

private:
  void look();
  void wait_for_turn();
  bool peer_has_left();
  void greet_tls();
  void tls_done(net::error_code ec);
  void read_http();
  void answer_http();
  void drain_http();
  void deadline_passed();
  /// The one line. `reason` empty: not worth one.
  void leave(gate::outcome how, const std::string& reason, const char* advice = "");
  bool gone() const { return settled_; }

  const std::shared_ptr<lane> home_;
  lane& lane_; ///< *home_
  std::optional<net::asio::ip::tcp::socket> socket_;
  std::optional<net::lean_tls_stream> stream_;
  endpoint peer_;
  bool legacy_;
  bool settled_ = false;
  bool saw_octets_ = false;
  bool answered_ = false;
  bool not_tls_ = false;
  std::string http_;
  net::member_timer<greeting, &greeting::deadline_passed> deadline_{*this};
};

} // namespace outband::cira
