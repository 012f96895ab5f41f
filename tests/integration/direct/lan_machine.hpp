/// A machine on the LAN: a firmware behind a TCP port of loopback, with or without TLS. Blocking, a
/// thread per connection; made for tests only.
#pragma once

#include "firmware.hpp"

#include <openssl/ssl.h>

#include <cstdint>
#include <list>
#include <memory>
#include <thread>

namespace outband::test {

struct certificate {
  std::string pem, key_pem;
  std::string sha256; ///< of the DER
};
/// Another one each time.
certificate make_certificate();

class lan_machine {
public:
  explicit lan_machine(bool tls = false);
  ~lan_machine();
  lan_machine(const lan_machine&) = delete;
  lan_machine& operator=(const lan_machine&) = delete;

  firmware fw;
  std::uint16_t port() const { return port_; }
  const std::string& fingerprint() const { return shown_.sha256; }

  void show(const certificate& c);  ///< from now on
  void fin_all();                   ///< ends every connection in order, as firmware does when idle
  void reset_all();                 ///< RST
  void refuse(bool refused = true); ///< new connections are closed before an octet
  void listen(bool on);             ///< false: the port is closed
  bool wait_connections(std::size_t n); ///< open at the moment
  std::size_t accepted() const { return accepted_; }

private:
  struct session {
    int fd = -1;
    bool reset = false;
    bool over = false;
    std::thread thread;
  };
  void accept_all();
  void serve(session& s);

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool tls_;
  certificate shown_;
  std::shared_ptr<SSL_CTX> context_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  bool stopping_ = false, refusing_ = false;
  std::atomic<std::size_t> accepted_{0};
  std::list<session> sessions_;
  std::thread acceptor_;
};

} // namespace outband::test
