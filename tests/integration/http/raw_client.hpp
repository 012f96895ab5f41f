/// A client that sends what it likes, over TCP or TLS, and WebSocket frames by hand.
/// Context: one thread. Reads give up after test::patience.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace outband::test {

class raw_client {
public:
  explicit raw_client(std::uint16_t port, bool tls = true) : raw_client(port, tls, false) {}
  /// Over TCP, with the smallest segments and window from the start, so that the peer's kernel
  /// keeps little for us.
  static raw_client narrow(std::uint16_t port) { return raw_client(port, false, true); }
  ~raw_client();
  raw_client(const raw_client&) = delete;
  raw_client& operator=(const raw_client&) = delete;

  /// false: the connection has ended.
  bool send(const std::string& octets);
  /// As much as is there, at least one octet; empty: the connection has ended.
  std::string receive();
  /// At most `n` octets, one at a time; fewer: the connection has ended. Over TCP only.
  std::size_t sip(std::size_t n);
  /// Until the text has arrived or the connection has ended; all that was read since the last call.
  std::string receive_until(const std::string& text);
  /// All until the connection ends.
  std::string receive_all();
  /// Sends without waiting until nothing more is taken; how many octets were.
  std::size_t send_until_full(const std::string& chunk, std::size_t at_most);
  /// From now on the kernel takes little for us, so that the peer notices soon that we do not read.
  void small_window();

  struct frame {
    int opcode = 0; ///< 1 text, 2 binary, 8 close, 9 ping
    std::string payload;
    int close_code() const;
  };
  /// The upgrade; the response's head.
  std::string upgrade(const std::string& path, const std::string& more_headers);
  void send_frame(int opcode, const std::string& payload);
  static std::string frame_octets(int opcode, const std::string& payload);
  /// nullopt: the connection has ended. Answers no ping.
  std::optional<frame> receive_frame();

private:
  raw_client(std::uint16_t port, bool tls, bool narrow);
  struct state;
  std::unique_ptr<state> state_;
};

} // namespace outband::test
