#include "bus/canary.hpp"

#include <msgpack.hpp>

namespace outband::bus {

namespace {

failure bad(const char* why) {
  return fail(problem::malformed, why, "canary");
}

const msgpack::object* member(const msgpack::object& map, std::string_view name) {
  if (map.type != msgpack::type::MAP)
    return nullptr;
  for (std::uint32_t i = 0; i < map.via.map.size; ++i) {
    const auto& kv = map.via.map.ptr[i];
    if (kv.key.type == msgpack::type::STR &&
        std::string_view(kv.key.via.str.ptr, kv.key.via.str.size) == name)
      return &kv.val;
  }
  return nullptr;
}

bool read(const msgpack::object& map, std::string_view name, std::uint64_t& into) {
  const auto* value = member(map, name);
  if (!value || value->type != msgpack::type::POSITIVE_INTEGER)
    return false;
  into = value->via.u64;
  return true;
}

} // namespace

std::string encode(const canary& c) {
  msgpack::sbuffer out;
  msgpack::packer<msgpack::sbuffer> pack(out);
  pack.pack_map(3);
  pack.pack("v");
  pack.pack(1);
  pack.pack("k");
  pack.pack("canary");
  pack.pack("d");
  pack.pack_map(3);
  pack.pack("gen");
  pack.pack(c.generation);
  pack.pack("at");
  pack.pack(static_cast<std::uint64_t>(c.complete_ms));
  pack.pack("by");
  pack.pack(c.writer);
  return {out.data(), out.size()};
}

result<canary> decode_canary(std::string_view octets) {
  if (octets.size() > 512)
    return bad("longer than a canary is");
  try {
    const msgpack::unpack_limit limits(8, 16, 64, 64, 0, 4);
    auto handle = msgpack::unpack(octets.data(), octets.size(), nullptr, nullptr, limits);
    canary out;
    std::uint64_t at = 0;
    const auto* data = member(handle.get(), "d");
    if (!data || !read(*data, "gen", out.generation) || !read(*data, "at", at) ||
        !read(*data, "by", out.writer) || at > static_cast<std::uint64_t>(INT64_MAX))
      return bad("has no gen, at and by");
    out.complete_ms = static_cast<std::int64_t>(at);
    return out;
  } catch (const std::exception& e) {
    return bad(e.what());
  }
}

} // namespace outband::bus
