/// Every other document in both encodings: what is accepted is written and accepted again with the
/// same octets. First octet: the encoding (bit 7) and the document.
#include "messages/bus/envelope.hpp"
#include "messages/bus/stored.hpp"

#include <cstdlib>

namespace {

using namespace outband;
using namespace outband::bus;

template <class T>
void try_one(std::string_view in, encoding e,
             result<decoded<T>> (*decode)(std::string_view, encoding)) {
  const auto got = decode(in, e);
  if (!got)
    return;
  if (got->env.deleted) {
    const auto grave = decode(encode_tombstone(got->env, got->env.kind, e), e);
    if (!grave || !grave->env.deleted || grave->env.id != got->env.id)
      std::abort();
    return;
  }
  for (auto other : {encoding::msgpack, encoding::cloudevents}) {
    const auto octets = encode(got->env, got->body, other);
    const auto again = decode(octets, other);
    // A JSON batch may outgrow the payload: it escapes what MessagePack carries as it is.
    if (!again && octets.size() > max_payload)
      continue;
    if (!again)
      std::abort();
    auto env = again->env;
    env.about = got->env.about;
    if (encode(env, again->body, other) != octets)
      std::abort();
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0)
    return 0;
  const auto e = (data[0] & 0x80) != 0 ? encoding::cloudevents : encoding::msgpack;
  const std::string_view in(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] & 0x0F) {
  case 0:
    try_one(in, e, decode_desired);
    break;
  case 1:
    try_one(in, e, decode_current);
    break;
  case 2:
    try_one(in, e, decode_presence);
    break;
  case 3:
    try_one(in, e, decode_event);
    break;
  case 4:
    try_one(in, e, decode_response);
    break;
  case 5:
    try_one(in, e, decode_observations);
    break;
  case 6:
    try_one(in, e, decode_work);
    break;
  case 7:
    try_one(in, e, decode_answer);
    break;
  case 8:
    try_one(in, e, decode_wake);
    break;
  case 9:
    try_one(in, e, decode_node_presence);
    break;
  case 10:
    try_one(in, e, decode_controller_presence);
    break;
  case 11:
    try_one(in, e, decode_canary);
    break;
  case 12:
    try_one(in, e, decode_bus_instances);
    break;
  default:
    // Database columns.
    if (auto r = unpack_request_body(in); r && !unpack_request_body(pack(*r)))
      std::abort();
    if (auto r = unpack_response(in); r && !unpack_response(pack(*r)))
      std::abort();
    if (auto r = unpack_desired(in); r && !unpack_desired(pack(*r)))
      std::abort();
    if (auto r = unpack_current(in); r && !unpack_current(pack(*r)))
      std::abort();
  }
  return 0;
}
