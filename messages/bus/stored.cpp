#include "messages/bus/stored.hpp"

#include "messages/bus/bodies.hpp"
#include "messages/bus/msgpack.hpp"
#include "messages/domain/text.hpp"

#include <openssl/sha.h>

namespace outband::bus {

namespace {

template <class T> std::string packed(const T& body) {
  value::map m;
  writer w(m);
  write_body(w, body);
  return to_msgpack(m);
}

template <class T> result<T> unpacked(std::string_view octets) {
  tree_limits within;
  within.text = amt::max_document;
  auto tree = from_msgpack(octets, within);
  if (!tree)
    return tree.error();
  const auto* m = tree->template get<value::map>();
  if (m == nullptr)
    return fail(problem::malformed, "a stored document is a map");
  T out{};
  read_state state;
  reader r(*m, state);
  read_body(r, out);
  if (state.why)
    return *state.why;
  return out;
}

} // namespace

std::string pack(const request_body& body) {
  return packed(body);
}

std::string pack(const response& body) {
  return packed(body);
}

std::string pack(const desired_state& body) {
  return packed(body);
}

std::string pack(const current_state& body) {
  return packed(body);
}

result<request_body> unpack_request_body(std::string_view octets) {
  return unpacked<request_body>(octets);
}

result<response> unpack_response(std::string_view octets) {
  return unpacked<response>(octets);
}

result<desired_state> unpack_desired(std::string_view octets) {
  return unpacked<desired_state>(octets);
}

result<current_state> unpack_current(std::string_view octets) {
  return unpacked<current_state>(octets);
}

std::string argument_hash(const request_body& body) {
  const auto octets = pack(body);
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(octets.data()), octets.size(), digest);
  return to_hex(digest, sizeof digest);
}

} // namespace outband::bus
