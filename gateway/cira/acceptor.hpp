/// One listening socket. Private to gateway/cira.
/// Context: its own io_context's thread; open() before anything runs, resume() from any thread.
#pragma once

#include "gateway/cira/lane.hpp"

#include <memory>
#include <string>
#include <vector>

namespace outband::cira {

class acceptor : public std::enable_shared_from_this<acceptor> {
public:
  acceptor(boost::asio::io_context& context, listen_address where,
           std::vector<std::shared_ptr<lane>> lanes);
  status open();
  void start();
  void close();
  /// There is room again for connections that are not authenticated.
  void resume();

  boost::asio::io_context& context() { return context_; }
  std::uint16_t port() const { return port_; }
  std::string where() const;
  bool legacy() const { return where_.legacy; }

private:
  void accept();
  void accepted(boost::asio::ip::tcp::socket socket, const std::shared_ptr<lane>& to);
  /// True when no more may be connected: it has been told of, and counted.
  bool crowded(hub& shared, const endpoint& peer);
  void pause(const boost::system::error_code& ec);
  void pause_passed();

  boost::asio::io_context& context_;
  listen_address where_;
  std::vector<std::shared_ptr<lane>> lanes_;
  std::size_t next_lane_ = 0;
  boost::asio::ip::tcp::acceptor acceptor_;
  std::uint16_t port_ = 0;
  bool full_ = false; ///< waits for resume()
  bool out_of_descriptors_ = false;
  bool crowded_ = false; ///< and it is in the log
  net::member_timer<acceptor, &acceptor::pause_passed> pause_{*this};
};

} // namespace outband::cira
