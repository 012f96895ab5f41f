/// One connection of the host to its firmware's web server (local_interface.hpp).
/// Context: the machine's thread.
#pragma once

#include "tools/amtsim/http_server.hpp"
#include "tools/amtsim/local_interface.hpp"

#include <boost/asio/io_context.hpp>

#include <memory>
#include <optional>

using SSL_CTX = struct ssl_ctx_st;

namespace outband::amtsim {

class local_port {
public:
  class owner {
  public:
    virtual std::optional<http_reply> next_reply(http_server& http) = 0;

  protected:
    ~owner() = default;
  };

  /// tls: nullptr for the plain port. `to` must outlive it or call end().
  local_port(boost::asio::io_context& io, const device_model& device, SSL_CTX* tls, owner& to,
             local_peer& peer);

  /// What open_local() hands out; when it goes, the connection does.
  std::unique_ptr<local_connection> handle() const;
  /// The firmware ends it.
  void end(bool with_reset);
  bool ended() const;

private:
  class state;
  std::shared_ptr<state> state_;
};

} // namespace outband::amtsim
