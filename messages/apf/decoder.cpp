#include "messages/apf/decoder.hpp"

#include <algorithm>

namespace outband::apf {

namespace {

/// More is not reserved on a mere announcement: most devices send at most 4 KiB per message.
constexpr std::size_t reserve_at_most = 16 << 10;
constexpr std::size_t version_reserved = 64;
constexpr std::uint8_t max_asked = 64;

bool expected_by(side reader, type t) {
  switch (t) {
  case type::disconnect:
  case type::channel_open:
  case type::channel_open_confirmation:
  case type::channel_open_failure:
  case type::channel_window_adjust:
  case type::channel_data:
  case type::channel_close:
  case type::protocol_version:
  case type::keepalive_request:
  case type::keepalive_reply:
    return true;
  case type::service_request:
  case type::userauth_request:
  case type::global_request:
  case type::keepalive_options_reply:
    return reader == side::server;
  case type::service_accept:
  case type::userauth_failure:
  case type::userauth_success:
  case type::request_success:
  case type::request_failure:
  case type::keepalive_options_request:
    return reader == side::device;
  }
  return false;
}

} // namespace

/// Reads fields until the octets end or a field is wrong; afterwards every read yields nothing, so
/// a message is built only if complete() holds at its end.
class decoder::cursor {
public:
  cursor(std::string_view in, const decoder_limits& limits) : in_(in), limits_(limits) {}

  bool complete() const { return need_ == 0 && !bad_; }
  bool bad() const { return bad_; }
  std::size_t taken() const { return at_; }
  /// How many octets the message has at least; 0 if there were enough.
  std::size_t need() const { return need_; }
  const defect& why() const { return why_; }

  std::uint8_t u8() {
    const auto octets = take(1);
    return octets.empty() ? 0 : static_cast<std::uint8_t>(octets[0]);
  }
  std::uint32_t u32() {
    const auto octets = take(4);
    std::uint32_t v = 0;
    for (const char octet : octets)
      v = v << 8 | static_cast<std::uint8_t>(octet);
    return v;
  }
  std::string_view text(std::string_view field) { return octets(field, limits_.max_string); }
  std::string_view octets(std::string_view field, std::size_t limit) {
    const std::uint32_t length = u32();
    if (!complete())
      return {};
    if (length > limit) {
      fail(field, "longer than the limit", length);
      return {};
    }
    return take(length);
  }
  void skip(std::size_t n) { take(n); }
  void fail(std::string_view field, std::string_view what, std::uint64_t value) {
    if (!complete())
      return;
    bad_ = true;
    why_ = {in_.empty() ? std::uint8_t{0} : static_cast<std::uint8_t>(in_[0]), field, what, value};
  }
  std::string_view take(std::size_t n) {
    if (!complete())
      return {};
    if (at_ + n > limits_.max_message) {
      fail("message", "longer than the limit", at_ + n);
      return {};
    }
    if (in_.size() - at_ < n) {
      need_ = at_ + n;
      return {};
    }
    const auto octets = in_.substr(at_, n);
    at_ += n;
    return octets;
  }

private:
  std::string_view in_;
  const decoder_limits& limits_;
  std::size_t at_ = 0;
  std::size_t need_ = 0;
  bool bad_ = false;
  defect why_;
};

std::string to_string(const defect& d) {
  std::string text{to_string(static_cast<type>(d.type))};
  text += " (" + std::to_string(d.type) + ") ";
  text += d.field;
  text += ' ' + std::to_string(d.value) + ": ";
  text += d.what;
  return text;
}

decoder::item decoder::next(std::string_view& octets) {
  if (defect_)
    return *defect_;
  if (delivered_) {
    delivered_ = false;
    buffer_.clear();
  }
  if (buffer_.empty()) {
    if (skip_zero_ && !octets.empty()) {
      skip_zero_ = false;
      if (octets[0] == '\0')
        octets.remove_prefix(1);
    }
    if (octets.empty()) {
      std::string{}.swap(buffer_);
      return starved{};
    }
    cursor c{octets, limits_};
    auto m = parse(c);
    if (c.bad())
      return fail(c);
    if (m) {
      octets.remove_prefix(c.taken());
      return std::move(*m);
    }
    buffer_.reserve(std::min(c.need(), reserve_at_most));
    buffer_.append(octets);
    octets = {};
    return starved{};
  }
  while (true) {
    cursor c{buffer_, limits_};
    auto m = parse(c);
    if (c.bad())
      return fail(c);
    if (m) {
      delivered_ = true;
      return std::move(*m);
    }
    if (octets.empty())
      return starved{};
    const auto more = std::min(c.need() - buffer_.size(), octets.size());
    buffer_.append(octets.substr(0, more));
    octets.remove_prefix(more);
  }
}

void decoder::feed(std::string_view octets) {
  if (defect_)
    return;
  fed_.erase(0, fed_taken_);
  fed_taken_ = 0;
  fed_.append(octets);
}

decoder::item decoder::next() {
  std::string_view rest = fed_;
  rest.remove_prefix(fed_taken_);
  auto got = next(rest);
  fed_taken_ = fed_.size() - rest.size();
  if (std::holds_alternative<starved>(got)) {
    std::string{}.swap(fed_);
    fed_taken_ = 0;
  }
  return got;
}

std::size_t decoder::memory() const {
  const std::size_t inside = std::string{}.capacity();
  return (buffer_.capacity() > inside ? buffer_.capacity() : 0) +
         (fed_.capacity() > inside ? fed_.capacity() : 0);
}

bool decoder::asked(bool forward) {
  if (asked_ == max_asked)
    return false;
  asked_forward_ |= static_cast<std::uint64_t>(forward) << asked_;
  ++asked_;
  return true;
}

decoder::item decoder::fail(const cursor& c) {
  defect_ = c.why();
  std::string{}.swap(buffer_);
  std::string{}.swap(fed_);
  fed_taken_ = 0;
  return *defect_;
}

std::optional<message> decoder::parse(cursor& c) {
  const auto t = static_cast<type>(c.u8());
  if (!expected_by(reader_, t)) {
    const bool known = to_string(t) != "unknown type";
    c.fail("type", known ? "this side may not send it" : "no such message",
           static_cast<std::uint8_t>(t));
    return {};
  }
  // Braced initialisers are evaluated left to right, which is the order on the wire.
  message m;
  switch (t) {
  case type::disconnect:
    m = disconnect{static_cast<disconnect_reason>(c.u32())};
    c.skip(2);
    break;
  case type::service_request:
  case type::service_accept: {
    const auto service = c.text("service");
    if (!c.complete())
      return {};
    if (t == type::service_request)
      m = service_request{std::string{service}};
    else
      m = service_accept{std::string{service}};
    break;
  }
  case type::userauth_request: {
    const auto user = c.text("user");
    const auto service = c.text("service");
    const auto method = c.text("method");
    std::string_view password;
    if (c.complete() && method == "password") {
      if (const auto change = c.u8(); change != 0)
        c.fail("password change", "not supported", change);
      password = c.text("password");
    } else if (c.complete() && method != "none") {
      // What follows an unknown method, and how long it is, cannot be known.
      c.fail("method length", "neither 'password' nor 'none'", method.size());
    }
    if (!c.complete())
      return {};
    m = userauth_request{std::string{user}, std::string{service}, std::string{method},
                         std::string{password}};
    break;
  }
  case type::userauth_failure: {
    const auto methods = c.text("methods");
    const bool partial = c.u8() != 0;
    if (!c.complete())
      return {};
    m = userauth_failure{std::string{methods}, partial};
    skip_zero_ = true;
    break;
  }
  case type::userauth_success:
    m = userauth_success{};
    break;
  case type::global_request:
    return parse_global_request(c);
  case type::request_success:
  case type::request_failure: {
    if (t == type::request_success && asked_ == 0)
      c.fail("type", "answers no request of ours", static_cast<std::uint8_t>(t));
    if (t == type::request_failure)
      m = request_failure{};
    else if ((asked_forward_ & 1) != 0)
      m = request_success{c.u32()};
    else
      m = request_success{};
    if (!c.complete())
      return {};
    if (asked_ > 0) {
      asked_forward_ >>= 1;
      --asked_;
    }
    break;
  }
  case type::channel_open: {
    const auto channel_type = c.text("channel type");
    const auto sender = c.u32();
    const auto window = c.u32();
    c.skip(4); // SSH's "maximum packet size"
    const auto address = c.text("connected address");
    const auto port = c.u32();
    const auto originator = c.text("originator address");
    const auto originator_port = c.u32();
    if (!c.complete())
      return {};
    m = channel_open{std::string{channel_type}, sender,         window, std::string{address}, port,
                     std::string{originator},   originator_port};
    break;
  }
  case type::channel_open_confirmation:
    m = channel_open_confirmation{c.u32(), c.u32(), c.u32()};
    c.skip(4);
    break;
  case type::channel_open_failure:
    m = channel_open_failure{c.u32(), static_cast<open_failure_reason>(c.u32())};
    c.skip(8);
    break;
  case type::channel_window_adjust:
    m = channel_window_adjust{c.u32(), c.u32()};
    break;
  case type::channel_data:
    m = channel_data{c.u32(), c.octets("length", limits_.max_data)};
    break;
  case type::channel_close:
    m = channel_close{c.u32()};
    break;
  case type::protocol_version: {
    protocol_version v{c.u32(), c.u32(), static_cast<trigger>(c.u32()), {}};
    const auto guid = c.take(v.guid.size());
    std::transform(guid.begin(), guid.end(), v.guid.begin(),
                   [](char octet) { return static_cast<std::uint8_t>(octet); });
    c.skip(version_reserved);
    m = v;
    break;
  }
  case type::keepalive_request:
    m = keepalive_request{c.u32()};
    break;
  case type::keepalive_reply:
    m = keepalive_reply{c.u32()};
    break;
  case type::keepalive_options_request:
    m = keepalive_options_request{c.u32(), c.u32()};
    break;
  case type::keepalive_options_reply:
    m = keepalive_options_reply{c.u32(), c.u32()};
    break;
  }
  if (!c.complete())
    return {};
  return m;
}

std::optional<message> decoder::parse_global_request(cursor& c) {
  const auto name = c.text("request name");
  const bool want_reply = c.u8() != 0;
  if (!c.complete())
    return {};
  if (name == "tcpip-forward" || name == "cancel-tcpip-forward") {
    const auto address = c.text("address");
    const auto port = c.u32();
    if (!c.complete())
      return {};
    if (name == "tcpip-forward")
      return tcpip_forward{want_reply, std::string{address}, port};
    return cancel_tcpip_forward{want_reply, std::string{address}, port};
  }
  if (name == "udp-send-to@amt.intel.com") {
    const auto address = c.text("address");
    const auto port = c.u32();
    const auto originator = c.text("originator");
    const auto originator_port = c.u32();
    const auto data = c.text("data");
    if (!c.complete())
      return {};
    return udp_send_to{want_reply,      std::string{address}, port, std::string{originator},
                       originator_port, std::string{data}};
  }
  return unknown_request{std::string{name}, want_reply};
}

} // namespace outband::apf
