/// A TCP server on loopback that does what a test says with each connection, one after the other,
/// on a thread of its own; and the server's end of a WebSocket on top.
/// Context: scripts run on the peer's thread; reads give up after test::patience.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <thread>

namespace outband::test {

class connection {
public:
  explicit connection(int fd) : fd_(fd) {}
  ~connection();
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;

  /// What is there, at least one octet; empty: it ended.
  std::string receive();
  std::string receive_until(const std::string& text);
  void send(const std::string& octets);
  void reset();

  // -- WebSocket --
  /// Answers the upgrade; its request.
  std::string upgrade();
  /// Answers pings. Empty: it ended.
  std::string receive_text();
  void send_frame(int opcode, const std::string& payload, bool last = true);
  void send_text(const std::string& text) { send_frame(1, text); }
  /// Masked, opcode 10, since the last call of receive_text().
  std::string last_pong;

private:
  bool fill(std::size_t octets);

  int fd_;
  std::string unread_;
};

class scripted_peer {
public:
  using script = std::function<void(connection&)>;
  explicit scripted_peer(script what);
  ~scripted_peer();
  scripted_peer(const scripted_peer&) = delete;
  scripted_peer& operator=(const scripted_peer&) = delete;

  std::uint16_t port() const { return port_; }
  int connections() const { return connections_; }

private:
  void serve();

  script what_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<int> connections_{0};
  std::thread thread_;
};

} // namespace outband::test
