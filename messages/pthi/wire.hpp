/// Little-endian octets, packed, as MEI carries them. For the codecs of this folder only.
/// Context: pure. Limits: a reader never passes its end; it says so once, at the end, by ok().
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace outband::pthi {

class wire_writer {
public:
  explicit wire_writer(std::string& out) : out_(out) {}

  void u8(std::uint8_t v) { out_ += static_cast<char>(v); }
  void u16(std::uint16_t v) {
    u8(static_cast<std::uint8_t>(v));
    u8(static_cast<std::uint8_t>(v >> 8));
  }
  void u32(std::uint32_t v) {
    u16(static_cast<std::uint16_t>(v));
    u16(static_cast<std::uint16_t>(v >> 16));
  }
  void octets(std::string_view s) { out_.append(s); }
  /// Exactly `width` octets: cut, or filled up with zeros.
  void fixed(std::string_view s, std::size_t width) {
    s = s.substr(0, width);
    out_.append(s).append(width - s.size(), '\0');
  }
  /// AMTANSIString: 16 bits of length, then that many octets.
  void ansi(std::string_view s) {
    u16(static_cast<std::uint16_t>(s.size()));
    out_.append(s);
  }

private:
  std::string& out_;
};

class wire_reader {
public:
  explicit wire_reader(std::string_view in) : in_(in) {}

  std::uint8_t u8() { return static_cast<std::uint8_t>(number(1)); }
  std::uint16_t u16() { return static_cast<std::uint16_t>(number(2)); }
  std::uint32_t u32() { return number(4); }
  std::string_view octets(std::size_t count) {
    if (count > in_.size()) {
      ok_ = false;
      in_ = {};
      return {};
    }
    const auto taken = in_.substr(0, count);
    in_.remove_prefix(count);
    return taken;
  }
  /// Up to the first zero octet of a field of `width` octets.
  std::string_view text(std::size_t width) {
    const auto field = octets(width);
    return field.substr(0, field.find('\0'));
  }
  std::string_view ansi(std::size_t most) {
    const std::size_t length = u16();
    if (length > most)
      ok_ = false;
    return octets(length);
  }

  void fail() { ok_ = false; }
  bool ok() const { return ok_; }
  bool at_end() const { return in_.empty(); }
  std::size_t left() const { return in_.size(); }

private:
  std::uint32_t number(std::size_t width) {
    std::uint32_t v = 0;
    const auto field = octets(width);
    for (std::size_t i = field.size(); i > 0; --i)
      v = v << 8 | static_cast<unsigned char>(field[i - 1]);
    return v;
  }

  std::string_view in_;
  bool ok_ = true;
};

} // namespace outband::pthi
