#include "bus/canary.hpp"

#include "messages/bus/envelope.hpp"

namespace outband::bus {

std::string encode_note(const canary_note& n, time_ms now) {
  envelope env;
  env.id = n.id;
  env.time = now;
  env.source = n.writer;
  canary body;
  body.gen = n.generation;
  body.at = n.complete_ms;
  return encode(env, body, encoding::msgpack);
}

result<canary_note> decode_note(std::string_view octets) {
  auto got = decode_canary(octets, encoding::msgpack);
  if (!got)
    return got.error();
  return canary_note{got->body.gen, got->body.at, got->env.source, got->env.id};
}

} // namespace outband::bus
