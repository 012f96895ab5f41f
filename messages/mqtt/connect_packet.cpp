#include "messages/mqtt/connect_packet.hpp"

namespace outband::mqtt {

namespace {

/// Reads forward; a short read makes every later one fail.
struct reader {
  std::string_view left;
  bool ok = true;

  unsigned octet() {
    if (left.empty()) {
      ok = false;
      return 0;
    }
    auto c = static_cast<unsigned char>(left[0]);
    left.remove_prefix(1);
    return c;
  }
  unsigned u16() {
    auto hi = octet();
    return hi << 8 | octet();
  }
  std::string_view take(std::size_t n) {
    if (left.size() < n) {
      ok = false;
      left = {};
      return {};
    }
    auto s = left.substr(0, n);
    left.remove_prefix(n);
    return s;
  }
  std::string_view field() { return take(u16()); }
  /// Variable byte integer, at most four octets.
  std::size_t length() {
    std::size_t n = 0;
    for (int shift = 0; shift < 28; shift += 7) {
      auto b = octet();
      n |= static_cast<std::size_t>(b & 0x7F) << shift;
      if (!(b & 0x80))
        return n;
    }
    ok = false;
    return 0;
  }
};

failure bad(const char* why) {
  return fail(problem::malformed, why);
}

} // namespace

result<std::optional<connect_packet>> parse_connect(std::string_view octets) {
  using answer = std::optional<connect_packet>;
  if (octets.empty())
    return answer{};
  if (static_cast<unsigned char>(octets[0]) != 0x10)
    return bad("the first packet is not CONNECT");
  // The fixed header: type, then the remaining length in one to four octets.
  std::size_t remaining = 0, head = 1;
  for (int shift = 0;; shift += 7, ++head) {
    if (shift == 28)
      return bad("the packet's length is malformed");
    if (head >= octets.size())
      return answer{};
    auto b = static_cast<unsigned char>(octets[head]);
    remaining |= static_cast<std::size_t>(b & 0x7F) << shift;
    if (!(b & 0x80)) {
      ++head;
      break;
    }
  }
  if (head + remaining > max_connect)
    return fail(problem::too_large, "CONNECT is larger than " + std::to_string(max_connect));
  if (octets.size() < head + remaining)
    return answer{};

  reader r{octets.substr(head, remaining)};
  connect_packet p;
  p.size = head + remaining;
  auto protocol = r.field();
  p.version = static_cast<int>(r.octet());
  if (!r.ok || protocol != "MQTT" || (p.version != 4 && p.version != 5))
    return bad("neither MQTT 3.1.1 nor MQTT 5");
  auto flags = r.octet();
  p.keep_alive_s = static_cast<std::uint16_t>(r.u16());
  if (flags & 0x01)
    return bad("a reserved flag is set");
  p.clean = (flags & 0x02) != 0;
  const bool will = (flags & 0x04) != 0;
  if (p.version == 5)
    r.take(r.length());
  p.client_id = r.field();
  if (will) {
    if (p.version == 5)
      r.take(r.length());
    r.field(); // topic
    r.field(); // payload
  } else if (flags & 0x38) {
    return bad("flags of a will without a will");
  }
  if (flags & 0x80)
    p.username = r.field();
  else if (p.version == 4 && (flags & 0x40))
    return bad("a password without a user name");
  if (flags & 0x40)
    p.password = r.field();
  if (!r.ok || !r.left.empty())
    return bad("a length inside CONNECT is malformed");
  return answer{std::move(p)};
}

std::string refused_connack(int version) {
  if (version == 5)
    return std::string("\x20\x03\x00\x87\x00", 5); // reason 0x87 not authorized, no properties
  return std::string("\x20\x02\x00\x05", 4);
}

} // namespace outband::mqtt
