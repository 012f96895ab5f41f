/// A machine made of one blocking socket: says exactly what a test wants said, byte by byte if need
/// be, and reads with a deadline that fails the test instead of hanging it.
#pragma once

#include "messages/apf/channels.hpp"
#include "messages/apf/decoder.hpp"
#include "messages/apf/encoder.hpp"

#include <openssl/ssl.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace outband::test {

struct device_options {
  int min_tls = TLS1_2_VERSION;
  int max_tls = TLS1_3_VERSION;
  std::string ciphers{}; ///< TLS 1.2 and older; empty: OpenSSL's choice
  int security_level = 2;
  std::string trust_pem{};        ///< checked if not empty
  std::size_t receive_buffer = 0; ///< SO_RCVBUF; 0: the system's choice
};

/// Text order of the GUID's octets, as in "12345678-9abc-...".
apf::wire_guid wire_guid_of(std::string_view text);

class raw_device {
public:
  explicit raw_device(std::uint16_t port);
  ~raw_device();
  raw_device(const raw_device&) = delete;
  raw_device& operator=(const raw_device&) = delete;

  /// False if the handshake failed; `tls_error` says why.
  bool start_tls(const device_options& o = {});
  std::string tls_error() const { return tls_error_; }
  std::string tls_version() const { return SSL_get_version(ssl_.get()); }
  std::string cipher() const { return SSL_get_cipher_name(ssl_.get()); }

  /// Below TLS; for what comes before it. What a closed server does not take is dropped.
  void send_plain(std::string_view octets);
  std::string read_plain_to_end();

  void send(std::string_view octets);
  void send(const apf::message& m) { send(apf::encode(m)); }
  /// As many as the socket takes at once; false when it would block.
  bool try_send(std::string_view octets);
  /// The next message. Fails the test at the end of the connection or after the deadline.
  apf::message next();
  template <class T> T expect() {
    auto m = next();
    auto* wanted = std::get_if<T>(&m);
    if (wanted == nullptr)
      surprised(m);
    return std::move(*wanted);
  }
  /// Reads until the connection has ended; what came before it is counted, not kept.
  void expect_end();
  /// The octets that came since connecting, after TLS.
  const std::string& transcript() const { return transcript_; }

  /// The whole way to READY with these ports; the server's options request is answered.
  void log_in(std::string_view guid, std::string_view user, std::string_view password);
  void announce(std::uint32_t port);

  void fin(); ///< close_notify and FIN
  void reset();
  apf::decoder& decoder() { return decoder_; }
  /// Answers keep-alives and options requests by itself in next(). On by default.
  bool polite = true;

private:
  bool fill();
  [[noreturn]] static void surprised(const apf::message& m);

  struct free_ssl {
    void operator()(SSL* p) const { SSL_free(p); }
    void operator()(SSL_CTX* p) const { SSL_CTX_free(p); }
  };
  int fd_ = -1;
  std::unique_ptr<SSL_CTX, free_ssl> context_;
  std::unique_ptr<SSL, free_ssl> ssl_;
  std::string tls_error_;
  apf::decoder decoder_{apf::side::device};
  std::string in_;
  std::size_t at_ = 0;
  std::string kept_; ///< channel data of the last message: views stay valid until the next
  std::string transcript_;
};

} // namespace outband::test
