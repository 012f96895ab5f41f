/// Turns the octets of one CIRA tunnel, in order of arrival and in any split, into messages.
///
///   while (true) {
///     auto item = d.next(octets);                       // takes from the front of `octets`
///     if (std::holds_alternative<starved>(item)) break; // `octets` is empty: read more
///     ...
///   }
///
/// Source: open-amt-cloud-toolkit/mps src/amt/APFProcessor.ts, go-wsman-messages pkg/apf.
/// Context: pure. One decoder per tunnel and direction, on that tunnel's I/O thread.
/// Limits: an announced length is checked before anything is stored. A message that arrived whole
///   is decoded in place; of a split one only its own octets are kept. With nothing pending no
///   heap memory is held.
#pragma once

#include "messages/apf/messages.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace outband::apf {

/// Who is reading. Lengths and permitted types depend on it.
enum class side : std::uint8_t {
  server, ///< reads what a device sends
  device, ///< reads what a server sends
};

struct decoder_limits {
  std::size_t max_string = 2048; ///< octets; the same as in MPS and go-wsman-messages
  std::size_t max_data = 81920;  ///< octets of one CHANNEL_DATA; our advertised window
  std::size_t max_message = 81920 + (64 << 10); ///< octets of any message, type octet included

  static decoder_limits before_authentication() { return {2048, 0, 64 << 10}; }
  static decoder_limits after_authentication(std::size_t window) {
    return {2048, window, window + (64 << 10)};
  }
};

/// Everything was consumed; feed more. Not an error.
struct starved {};

/// The octets cannot be APF. Final: every later call returns it; the caller closes the tunnel.
struct defect {
  std::uint8_t type = 0;   ///< first octet of the offending message
  std::string_view field;  ///< static text
  std::string_view what;   ///< static text
  std::uint64_t value = 0; ///< what stood there
};
/// "CHANNEL_DATA (94) length 99999: more than the limit"
std::string to_string(const defect& d);

class decoder {
public:
  using item = std::variant<message, starved, defect>;

  explicit decoder(side reader, decoder_limits limits = {}) : reader_(reader), limits_(limits) {}

  /// Takes from the front of `octets` what the next message needs. `starved` means that all of
  /// `octets` was taken. Views in a message live until the next call and no longer than `octets`.
  item next(std::string_view& octets);

  /// The same with octets that the decoder copies first; do not mix with the form above.
  void feed(std::string_view octets);
  item next();

  /// For messages not begun yet; what is pending stays judged by the new limits too.
  void set_limits(decoder_limits limits) { limits_ = limits; }

  /// Device side: REQUEST_SUCCESS carries a port only if the request answered was a forward, so
  /// each request sent is told here, in order. False if more than 64 are unanswered.
  bool asked_forward() { return asked(true); }
  bool asked_cancel() { return asked(false); }

  /// Octets of an incomplete message that are kept.
  std::size_t pending() const { return delivered_ ? 0 : buffer_.size(); }
  /// Heap octets held; 0 when idle.
  std::size_t memory() const;

private:
  class cursor;
  bool asked(bool forward);
  std::optional<message> parse(cursor& c);
  std::optional<message> parse_global_request(cursor& c);
  item fail(const cursor& c);

  side reader_;
  bool delivered_ = false; ///< buffer_ holds a message already handed out
  bool skip_zero_ = false; ///< a 51 was read: MPS sends one 0 more than SSH
  std::uint8_t asked_ = 0; ///< how many bits of asked_forward_ count, oldest lowest
  std::uint64_t asked_forward_ = 0;
  decoder_limits limits_;
  std::string buffer_; ///< the beginning of one split message
  std::string fed_;
  std::size_t fed_taken_ = 0;
  std::optional<defect> defect_;
};

} // namespace outband::apf
