/// Requests of both roots: whatever arrives, the asker and the machine are the topic's, and what
/// was accepted is written, stored and read back the same. First octet: which root.
#include "messages/bus/envelope.hpp"
#include "messages/bus/stored.hpp"

#include <cstdlib>

namespace {

using namespace outband;
using namespace outband::bus;

const parsed_topic topics[] = {
    *parse_topic("oob/v1/acme/op/alice/req/12345678-9abc-def0-1234-56789abcdef0"),
    *parse_topic("oobx/v1/acme/ext/ha/req/12345678-9abc-def0-1234-56789abcdef0")};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0)
    return 0;
  const auto& topic = topics[data[0] & 1];
  const std::string_view in(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto got = decode_request(in, topic);
  if (!got) {
    // Cut short, and fit for a log line and a JSON answer.
    if (to_string(got.error()).size() > 600)
      std::abort();
    return 0;
  }
  const auto& r = got->body;
  if (r.target != topic.ref() || r.by.name != topic.caller->name || r.by.tenant != "acme" ||
      r.channel != "mqtt" || !got->env.by.empty())
    std::abort();
  const auto stored = unpack_request_body(pack(r.body));
  if (!stored || argument_hash(*stored) != argument_hash(r.body))
    std::abort();
  auto sent = r;
  if (sent.id.is_nil())
    sent.id.bytes[0] = 1;
  for (const auto& other : topics) {
    const auto back = decode_request(encode(got->env, sent, encoding_of(other.root)), other);
    if (!back || back->body.id != sent.id || back->body.deadline != r.deadline ||
        argument_hash(back->body.body) != argument_hash(r.body))
      std::abort();
  }
  return 0;
}
