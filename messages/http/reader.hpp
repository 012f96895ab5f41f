/// What the request and the response parser share: lines, headers and the framing of bodies.
///
/// Not for use outside messages/http; see parser.hpp.
/// Context: pure.
#pragma once

#include "messages/domain/result.hpp"
#include "messages/http/message.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace outband::http::detail {

/// Characters that a method or a header name may have (RFC 9110, 5.6.2), at least one.
bool is_token(std::string_view s);
/// Decimal digits only; too long a number saturates, which every limit then refuses.
std::optional<std::size_t> parse_length(std::string_view s);

/// The head, line by line, then the body by its framing. `run` returns where the message's own
/// parser has to decide something.
class reader {
public:
  explicit reader(limits l) : limits_(l) {}
  void feed(std::string_view octets);

protected:
  enum class phase : std::uint8_t {
    start_line,
    fields,
    sized_body,
    chunk_size,
    chunk_data,
    chunk_end,
    trailers,
    endless_body, ///< ends with the connection; responses only
    complete,
    failed,
  };
  enum class framing : std::uint8_t { none, sized, chunked, endless };

  /// Goes on until a line, a body or the input ends.
  enum class advance : std::uint8_t { starved, start_line, head, complete, failed };
  advance run();
  void begin_body(framing f);
  void reset();
  advance fail(problem p, std::string detail, std::string field);
  advance fail(failure why);
  /// The framing that the headers announce; a failure if they contradict each other.
  result<framing> announced(framing without);
  bool says_connection(std::string_view token) const;
  bool idle() const { return phase_ == phase::start_line && at_ == in_.size(); }

  limits limits_;
  phase phase_ = phase::start_line;
  bool old_version_ = false; ///< HTTP/1.0
  std::string_view line_;    ///< the start line, when run() says so and until the next call
  headers fields_;
  std::string body_;
  failure why_{};

private:
  bool take_line(std::string_view& line, std::size_t limit, const char* field);
  void take_field(std::string_view line);
  void take_chunk_size(std::string_view line);
  bool take_chunk_end();

  std::string in_;
  std::size_t at_ = 0;      ///< consumed octets of in_
  std::size_t scanned_ = 0; ///< octets of in_ known to hold no line end
  std::size_t head_ = 0;    ///< octets of the head, or of the trailers, so far
  std::size_t left_ = 0;    ///< octets of the body, or of the chunk, to come
};

} // namespace outband::http::detail
