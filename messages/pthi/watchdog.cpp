#include "messages/pthi/watchdog.hpp"

#include "messages/pthi/wire.hpp"

namespace outband::pthi {

namespace {

constexpr std::uint8_t command = 5;
constexpr std::uint8_t ask_change = 0x51;
constexpr std::uint8_t set_state = 0x53;
constexpr std::uint8_t version = 0x10;

void head(wire_writer& w, std::uint8_t count, std::uint8_t sub) {
  w.u8(command);
  w.u8(count);
  w.u8(sub);
  w.u8(version);
}

failure malformed(std::string what) {
  return fail(problem::malformed, std::move(what), "watchdog");
}

} // namespace

std::string encode(const watchdog_request& r) {
  std::string out;
  wire_writer w(out);
  if (const auto* state = std::get_if<set_operational_state>(&r)) {
    head(w, 3, set_state);
    w.u8(state->enabled ? 1 : 0);
  } else {
    head(w, 2, ask_change);
  }
  return out;
}

result<watchdog_request> decode_watchdog_request(std::string_view octets) {
  wire_reader r(octets);
  const auto what = r.u8();
  const auto count = r.u8();
  const auto sub = r.u8();
  r.u8(); // version: newer ones only add
  // rpc v2 passes 32 as the size of its four octets; the count inside is the truth.
  if (!r.ok() || what != command)
    return malformed("not a state independence request");
  if (sub == ask_change && count == 2)
    return watchdog_request{ask_change_enabled{}};
  if (sub != set_state || count != 3)
    return fail(problem::unsupported, "sub-command " + std::to_string(sub), "watchdog");
  const auto state = r.u8();
  if (!r.ok() || state > 1)
    return malformed("the operational state is neither 0 nor 1");
  return watchdog_request{set_operational_state{state == 1}};
}

std::string encode(const change_enabled& r) {
  unsigned bits = 0;
  bits |= r.change_allowed ? 1U : 0U;
  bits |= r.amt_enabled ? 2U : 0U;
  bits |= r.hardened ? 0x10U : 0U;
  bits |= r.restricted ? 0x20U : 0U;
  bits |= r.tls_enforced ? 0x40U : 0U;
  bits |= r.new_interface ? 0x80U : 0U;
  return std::string(1, static_cast<char>(bits));
}

result<change_enabled> decode_change_enabled(std::string_view octets) {
  if (octets.empty())
    return malformed("an empty answer");
  const auto bits = static_cast<unsigned char>(octets.front());
  return change_enabled{(bits & 1) != 0,    (bits & 2) != 0,    (bits & 0x10) != 0,
                        (bits & 0x20) != 0, (bits & 0x40) != 0, (bits & 0x80) != 0};
}

std::string encode_operational_state_answer(std::uint32_t status) {
  std::string out;
  wire_writer w(out);
  head(w, 3, set_state);
  w.u32(status);
  return out;
}

result<std::uint32_t> decode_operational_state_answer(std::string_view octets) {
  wire_reader r(octets);
  const auto what = r.u8();
  r.u8();
  const auto sub = r.u8();
  r.u8();
  const auto status = r.u32();
  if (!r.ok() || what != command || sub != set_state)
    return malformed("not the answer to a change of the operational state");
  return status;
}

} // namespace outband::pthi
