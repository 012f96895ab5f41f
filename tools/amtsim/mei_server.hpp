/// A machine's /dev/mei0 as a Unix socket of type SOCK_SEQPACKET: one packet is one message, so
/// that read() and write() behave as on the device. What is an ioctl there is a packet here:
///
///   host   -> 16 octets: the client's GUID as in IOCTL_MEI_CONNECT_CLIENT
///   server -> 8 octets: 32 bits of the longest message, 8 of the version, 24 of zeros (what the
///             ioctl gives), little-endian; or 4 octets: an errno, little-endian (EBUSY, ENOTTY for
///             a client that does not exist). After an errno the host may try again.
///   then messages of that client, one answer each, until either end closes.
///
/// Context: the machine's thread. Limits: 8 connections at a time, messages of pthi::max_message;
/// who exceeds them is disconnected. Any number may talk to AMTHI and to the watchdog at once, as
/// the driver queues them.
#pragma once

#include "messages/pthi/clients.hpp"

#include <boost/asio/io_context.hpp>

#include <memory>
#include <string>
#include <string_view>

namespace outband::amtsim {

class mei_server {
public:
  class owner {
  public:
    /// 0, or the errno with which the connect fails.
    virtual int mei_connect(pthi::mei_client client) = 0;
    /// The answer to one message; empty: none.
    virtual std::string mei_answer(pthi::mei_client client, std::string_view octets) = 0;

  protected:
    ~owner() = default;
  };

  /// Listens at once; what a former run left at `path` is replaced. Only this user may connect.
  /// Throws std::runtime_error if it cannot.
  mei_server(boost::asio::io_context& io, const std::string& path, owner& to);
  ~mei_server();
  mei_server(const mei_server&) = delete;
  mei_server& operator=(const mei_server&) = delete;

private:
  class state;
  std::shared_ptr<state> state_;
};

} // namespace outband::amtsim
