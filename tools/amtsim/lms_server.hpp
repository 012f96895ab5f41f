/// The local manageability service of a machine's operating system: TCP on loopback in front of the
/// firmware's local ports 16992 and 16993. It passes octets on and understands nothing; TLS is the
/// firmware's (local_interface.hpp).
///
/// A port that the firmware does not serve at the moment accepts and closes at once, as LMS does
/// when its channel is refused. Context: the machine's thread.
/// Limits: what the firmware allows; 4 MiB that the host does not read end a connection.
#pragma once

#include "tools/amtsim/local_interface.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>

#include <cstdint>
#include <memory>
#include <optional>

namespace outband::amtsim {

inline constexpr std::uint16_t amt_http_port = 16992;
inline constexpr std::uint16_t amt_https_port = 16993;

/// Port 0: any that is free; nullopt: no such listener.
struct lms_place {
  boost::asio::ip::address address;
  std::optional<std::uint16_t> plain; ///< in front of 16992
  std::optional<std::uint16_t> tls;   ///< in front of 16993
};

class lms_server {
public:
  class owner {
  public:
    /// As machine::open_local(): nullptr if the firmware refuses.
    virtual std::unique_ptr<local_connection> open_local(std::uint16_t port, local_peer& peer) = 0;

  protected:
    ~owner() = default;
  };

  /// Listens at once. Throws std::runtime_error if it cannot.
  lms_server(boost::asio::io_context& io, const lms_place& where, owner& to);
  ~lms_server();
  lms_server(const lms_server&) = delete;
  lms_server& operator=(const lms_server&) = delete;

  std::uint16_t plain_port() const; ///< 0: none
  std::uint16_t tls_port() const;

private:
  class state;
  std::shared_ptr<state> state_;
};

} // namespace outband::amtsim
