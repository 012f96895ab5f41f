/// One WS-MAN call as HTTP with digest, over any connection: what to write, and what to make of the
/// octets that come back.
///
/// A device answers 401 and closes the connection; the next attempt carries the Authorization and
/// usually needs a new one. With a nonce that is known from an earlier call the first attempt
/// carries it already: one round trip. A nonce that has aged draws a 401 like a wrong password, so
/// only a nonce that this very exchange was given proves the password wrong; more attempts would
/// make the firmware lock the account.
/// Source: open-amt-cloud-toolkit/mps src/amt/HttpHandler.ts for the request.
/// Context: pure. Random numbers come from the caller.
/// Limits: three attempts, a response body of 1 MiB.
#pragma once

#include "actors/ports/amt_link.hpp"
#include "actors/ports/secrets.hpp"
#include "messages/http/digest.hpp"
#include "messages/http/parser.hpp"

#include <string>
#include <string_view>
#include <variant>

namespace outband::amt {

/// The firmware's account and what is remembered of its challenges; shared by a machine's calls.
struct login {
  std::string user;
  secret_text password;
  http::digest_session digest{};
  unsigned challenges = 0; ///< how many different ones were learnt
};

/// Whether the envelope only reads, so that sending it twice does no harm: Get, Enumerate, Pull.
bool only_reads(std::string_view envelope);

class http_exchange {
public:
  struct more {}; ///< the response is not complete
  struct done {
    soap_answer answer;
    bool keep; ///< the connection may carry another request
  };
  struct again { ///< call request() and write what it gives
    bool keep;   ///< on this connection; else on a new one
  };
  struct lost {}; ///< the connection ended before the response began
  using verdict = std::variant<more, done, again, lost, failure>;

  /// `who` must outlive the exchange. `close`: each request asks for the connection's end.
  http_exchange(login& who, std::string host, std::string envelope, bool close = false);

  /// The octets of the next attempt.
  result<std::string> request(std::string_view cnonce);
  verdict on_data(std::string_view octets);
  verdict on_closed();

  /// The present attempt carries our credentials: the firmware may carry it out.
  bool authorized() const { return authorized_; }
  bool reads() const { return reads_; }

private:
  verdict judge(http::response r);
  verdict refused(const http::response& r);

  login& who_;
  std::string host_;
  std::string envelope_;
  bool close_;
  http::response_parser parser_;
  bool reads_;
  bool authorized_ = false;
  bool own_nonce_ = false;  ///< the nonce in use came from a 401 of this exchange
  unsigned challenges_ = 0; ///< who_.challenges when the request was written
  int attempts_ = 0;
};

} // namespace outband::amt
