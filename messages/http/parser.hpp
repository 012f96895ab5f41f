/// Incremental HTTP/1.1 parsers: octets in any split become requests or responses.
///
/// Framing is taken literally so that nobody downstream can see another message than we do:
/// Content-Length together with Transfer-Encoding, contradictory lengths, folded headers, bare
/// line feeds and transfer codings other than "chunked" are refused (RFC 9112, 6.3 and 11.2).
/// Chunk sizes may be upper- or lower-case hex with leading zeros ("0220", as AMT writes them);
/// chunk extensions and trailers are bounded and dropped. Interim responses (1xx) are skipped, and
/// a request's Expect header has no effect.
/// Context: pure. One parser per connection and direction, on that connection's thread.
/// Limits: see `limits`. Between messages a parser holds no heap memory.
#pragma once

#include "messages/domain/result.hpp"
#include "messages/http/message.hpp"
#include "messages/http/reader.hpp"

#include <variant>

namespace outband::http {

/// Feed more. Not an error.
struct starved {};

class request_parser : private detail::reader {
public:
  using item = std::variant<request, starved, failure>;
  explicit request_parser(limits l = {}) : reader(l) {}
  using reader::feed;
  /// The next request. A failure is final: answer 400, or 413 for problem::too_large, and close.
  item next();

private:
  void start_line();
  request current_{};
};

class response_parser : private detail::reader {
public:
  using item = std::variant<response, starved, failure>;
  explicit response_parser(limits l = {}) : reader(l) {}
  using reader::feed;
  /// The next response. A failure is final: close the connection.
  item next();
  /// The connection ended: completes a body without a length, or says that something is missing.
  /// `starved` if it ended between two responses.
  item finish();
  /// Nothing of a response has been seen since the last one.
  bool between_messages() const { return idle(); }

private:
  void start_line();
  response take();
  response current_{};
};

} // namespace outband::http
