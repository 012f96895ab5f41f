/// A machine's own WS-MAN ports on the LAN: 16992 plain, 16993 TLS.
///
/// TLS shows the certificate of AMT_TLSCredentialContext and asks for the client's when mutual
/// authentication is in force; without one it is a self-signed certificate that lasts as long as
/// the process (new_certificate() makes another). The plain port closes its connections while TLS
/// is enabled without AcceptNonSecureConnections, both while the machine is not provisioned.
/// Context: the machine's thread. Limits: 8 connections at a time; more are closed at once.
#pragma once

#include "tools/amtsim/http_server.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace outband::amtsim {

/// Port 0: none that is known beforehand; nullopt: no such listener.
struct lan_place {
  boost::asio::ip::address address;
  std::optional<std::uint16_t> plain;
  std::optional<std::uint16_t> tls;
};

class lan_server {
public:
  class owner {
  public:
    /// The reply to the next request that has arrived whole.
    virtual std::optional<http_reply> next_reply(http_server& http) = 0;

  protected:
    ~owner() = default;
  };

  /// Listens at once. Throws std::runtime_error if it cannot.
  lan_server(boost::asio::io_context& io, const device_model& device, const lan_place& where,
             owner& to);
  ~lan_server();

  /// The network goes: connections end, new ones are refused.
  void close(bool with_reset);
  /// The network is back, on the same ports.
  void open();
  /// Ends the connections of one who must sign in anew; others may come.
  void end_connections();
  void new_certificate();

  std::uint16_t plain_port() const; ///< 0: none
  std::uint16_t tls_port() const;
  std::size_t connections() const;

private:
  class state;
  std::shared_ptr<state> state_;
};

} // namespace outband::amtsim
