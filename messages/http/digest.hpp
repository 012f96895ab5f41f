/// HTTP Digest authentication (RFC 2617, MD5) in the dialect of Intel AMT and its clients.
///
/// AMT offers qop="auth", some firmware "auth-int, auth". DMT's clients quote every parameter, qop
/// and nc included, against RFC 7616; MeshCommander quotes neither and counts in decimal. Both
/// parsers therefore take any order, quoted or not, and use nc as the text it is.
/// Source: open-amt-cloud-toolkit/mps src/amt/HttpHandler.ts, go-wsman-messages
///   pkg/wsman/client/digest.go.
/// Context: pure. The random cnonce and nonce come from the caller.
/// Limits: a header value of 4096 octets, 32 parameters.
#pragma once

#include "messages/domain/result.hpp"
#include "messages/http/message.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace outband::http {

/// nullopt if the OpenSSL in use refuses MD5 (FIPS mode).
std::optional<std::array<std::uint8_t, 16>> md5(std::string_view octets);
/// 32 lower-case hex digits; empty if MD5 is refused.
std::string md5_hex(std::string_view octets);
/// md5hex(user:realm:password), which is also the credential format of AMT's setup calls.
std::string digest_ha1(std::string_view user, std::string_view realm, std::string_view password);

/// What a WWW-Authenticate header says.
struct digest_challenge {
  std::string realm;
  std::string nonce;
  std::string opaque; ///< empty: none
  bool stale = false; ///< the credentials may be right, only the nonce is old
  bool auth = false;  ///< qop "auth" is offered; with neither, the old form without qop is meant
  bool auth_int = false;
};
/// problem::unsupported if the scheme is not Digest or the algorithm is not MD5.
result<digest_challenge> parse_challenge(std::string_view value);
/// The first usable Digest challenge among a response's headers.
result<digest_challenge> find_challenge(const headers& fields);
/// As AMT writes it: one blank, after the realm.
std::string write_challenge(const digest_challenge& c);

/// What an Authorization header says. Values are unquoted.
struct digest_authorization {
  std::string user;
  std::string realm;
  std::string nonce;
  std::string uri;
  std::string qop; ///< empty, "auth" or "auth-int"
  std::string response;
  std::string nc; ///< as written; part of what is hashed
  std::string cnonce;
  std::string opaque;
};
result<digest_authorization> parse_authorization(std::string_view value);
/// MPS's order: username, realm, nonce, uri, qop, response, nc, cnonce; opaque last, if any.
std::string write_authorization(const digest_authorization& a);

/// The response that `a` must carry, if the password's HA1 is `ha1`. `body` matters for auth-int.
std::string digest_response(const digest_authorization& a, std::string_view ha1,
                            std::string_view method, std::string_view body);
/// Whether the sender knew the password; takes the same time wherever the difference is. Does not
/// judge realm, nonce, uri and nc: only the server knows what it gave out, and AMT's clients send
/// any nc with a fresh nonce.
bool verify(const digest_authorization& a, std::string_view ha1, std::string_view method,
            std::string_view body);

/// The client's memory of one device: the newest challenge and how often its nonce was used. AMT
/// accepts a nonce on any connection as long as nc grows, so one session serves all channels.
class digest_session {
public:
  /// From a 401. True if the nonce is new, so that trying again makes sense; a second 401 for the
  /// same nonce means that the password is wrong.
  bool learn(const digest_challenge& c);
  void forget() { *this = {}; }

  bool ready() const { return !challenge_.nonce.empty(); }
  const std::string& realm() const { return challenge_.realm; }
  std::uint32_t used() const { return nc_; }

  /// The Authorization value for one request; counts nc. Prefers qop "auth". Fails before the
  /// first learn(), and with problem::internal if MD5 is refused.
  result<std::string> authorize(std::string_view user, std::string_view password,
                                std::string_view method, std::string_view uri,
                                std::string_view cnonce, std::string_view body);

private:
  digest_challenge challenge_{};
  std::uint32_t nc_ = 0;
};

} // namespace outband::http
