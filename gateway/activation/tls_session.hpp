/// The client's end of a TLS session with firmware, as octets in and octets out: they travel in
/// frames through the machine's host, so there is no socket.
///
/// Firmware's certificate has no name to match and no usage that OpenSSL knows: whether it is the
/// right one is asked of a judge, once, within the handshake. No server name is sent, nothing is
/// resumed or renegotiated, no certificate of ours is shown.
/// Source: rps src/TLSTunnelManager.ts. Context: one thread.
#pragma once

#include "messages/domain/result.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

struct ssl_ctx_st;

namespace outband::activation {

class tls_session {
public:
  /// Of the chain as sent: DER, leaf first.
  using judge = std::function<status(const std::vector<std::string>& chain)>;
  /// `legacy`: TLS 1.1, security level 0 and servers without secure renegotiation; else TLS 1.2.
  static result<std::shared_ptr<ssl_ctx_st>> context(bool legacy);

  tls_session(const std::shared_ptr<ssl_ctx_st>& context, judge j);
  ~tls_session();
  tls_session(const tls_session&) = delete;
  tls_session& operator=(const tls_session&) = delete;

  struct outcome {
    std::string to_firmware;         ///< all records of this turn together, but see feed()
    std::string plain;               ///< what the firmware said
    bool established = false;        ///< by this very turn
    bool closed = false;             ///< the firmware has ended the session; final
    std::optional<failure> failed{}; ///< final
  };
  /// The ClientHello.
  outcome begin();
  /// Any split of the firmware's octets. What is left of an earlier session, before this one's
  /// first record, is dropped.
  /// Under TLS 1.3 the client has the last word of a handshake: it is kept for the next turn, so
  /// that it goes out with the first write(). rpc waits two seconds for an answer to each message,
  /// and firmware has none to that word alone.
  outcome feed(std::string_view octets);
  /// What feed() has kept.
  outcome flush();
  /// Only once established.
  outcome write(std::string_view plain);
  bool established() const;

private:
  struct state;
  std::unique_ptr<state> state_;
};

} // namespace outband::activation
