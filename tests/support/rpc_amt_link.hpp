/// rpc_client's connection to AMT's local port: one per request on the plain port, one per TLS
/// session in tunnel mode. When an answer counts as complete is a matter of time windows, as in
/// rpc-go internal/lm/service.go.
/// Context: the thread of its io_context.
#pragma once

#include "tests/support/rpc_client.hpp"

#include <boost/asio/io_context.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace outband::test {

enum class amt_event : std::uint8_t {
  data,        ///< with what came
  quiet,       ///< nothing within the window; the connection stays
  ended,       ///< AMT closed it without a word
  broken,      ///< a read or write failed
  unreachable, ///< nobody listens
};
using amt_handler = std::function<void(amt_event, std::string)>;

class amt_link {
public:
  amt_link(boost::asio::io_context& io, std::string host, const rpc_timing& timing);
  ~amt_link();
  amt_link(const amt_link&) = delete;
  amt_link& operator=(const amt_link&) = delete;

  /// Plain port: connects, sends, collects, closes. Exactly one event.
  void ask(std::uint16_t port, std::string request, amt_handler done);

  /// Tunnel: connects if there is no connection, and sends. Events follow as they happen: `data`
  /// any number of times; `quiet` and `ended` only while nothing came since the last send();
  /// `broken` and `unreachable` are the last of a connection, as is `ended`.
  void send(std::uint16_t port, std::string octets, amt_handler on_event);
  /// AMT closed after it had said something; the next send() would be lost.
  bool has_ended() const;
  void close();

private:
  class state;
  void renew();

  boost::asio::io_context& io_;
  std::string host_;
  rpc_timing timing_;
  std::shared_ptr<state> state_; ///< of the present connection
};

} // namespace outband::test
