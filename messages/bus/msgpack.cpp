#include "messages/bus/msgpack.hpp"
#include "messages/bus/tree_builder.hpp"

#include <cmath>
#include <cstring>
#include <exception>
#include <msgpack.hpp>

namespace outband::bus {

namespace {

/// msgpack-cxx keeps its own stack, so depth costs no stack of ours before begin_*() refuses.
class visitor : public msgpack::null_visitor {
public:
  explicit visitor(tree_builder& b) : build_(b) {}

  bool visit_nil() { return at_key_ ? no_key() : build_.scalar(value{}); }
  bool visit_boolean(bool v) { return at_key_ ? no_key() : build_.scalar(v); }
  bool visit_positive_integer(std::uint64_t v) { return at_key_ ? no_key() : build_.scalar(v); }
  /// Called for every signed format; a peer may well choose one for a positive number.
  bool visit_negative_integer(std::int64_t v) {
    if (at_key_)
      return no_key();
    return v < 0 ? build_.scalar(v) : build_.scalar(static_cast<std::uint64_t>(v));
  }
  bool visit_float32(float v) { return real(static_cast<double>(v)); }
  bool visit_float64(double v) { return real(v); }
  bool visit_str(const char* v, std::uint32_t n) {
    const std::string_view s(v, n);
    return at_key_ ? build_.key(s) : build_.text(s);
  }
  bool visit_bin(const char* v, std::uint32_t n) {
    return at_key_ ? no_key() : build_.octets({v, n});
  }
  bool visit_ext(const char*, std::uint32_t) {
    return build_.refuse(problem::malformed, "an extension type; none is used here");
  }
  bool start_array(std::uint32_t n) {
    return !at_key_ ? build_.announce_array(n) && build_.begin_array() : no_key();
  }
  bool end_array() { return build_.end(); }
  bool start_map(std::uint32_t n) {
    return !at_key_ ? build_.announce_map(n) && build_.begin_map() : no_key();
  }
  bool start_map_key() {
    at_key_ = true;
    return true;
  }
  bool end_map_key() {
    at_key_ = false;
    return true;
  }
  bool end_map() { return build_.end(); }
  void parse_error(std::size_t, std::size_t) {
    build_.refuse(problem::malformed, "not MessagePack");
  }
  void insufficient_bytes(std::size_t, std::size_t) {
    build_.refuse(problem::malformed, "the MessagePack ends too early");
  }

private:
  bool no_key() { return build_.refuse(problem::malformed, "a map key that is not text"); }
  bool real(double v) {
    if (at_key_)
      return no_key();
    if (!std::isfinite(v))
      return build_.refuse(problem::malformed, "a number that is not finite");
    return build_.scalar(v);
  }

  tree_builder& build_;
  bool at_key_ = false;
};

class sink {
public:
  explicit sink(std::string& out) : out_(out) {}
  void write(const char* p, std::size_t n) { out_.append(p, n); }

private:
  std::string& out_;
};
using packer = msgpack::packer<sink>;

void pack_text(packer& to, std::string_view s) {
  to.pack_str(static_cast<std::uint32_t>(s.size()));
  to.pack_str_body(s.data(), static_cast<std::uint32_t>(s.size()));
}

void pack_octets(packer& to, const char* p, std::size_t n) {
  to.pack_bin(static_cast<std::uint32_t>(n));
  to.pack_bin_body(p, static_cast<std::uint32_t>(n));
}

/// Not packer::pack_double(): that turns 1500.0 into the integer 1500, and for 2^64 its range check
/// has undefined behaviour (msgpack-cxx 4.1, v1/pack.hpp).
void pack_real(sink& to, double d) {
  std::uint64_t bits = 0;
  std::memcpy(&bits, &d, sizeof bits);
  char wire[9] = {static_cast<char>(0xcb)};
  for (int i = 0; i < 8; ++i)
    wire[i + 1] = static_cast<char>(bits >> (56 - 8 * i));
  to.write(wire, sizeof wire);
}

void pack_value(sink& out, packer& to, const value& v) {
  struct writer {
    sink& out;
    packer& to;
    void operator()(std::monostate) const { to.pack_nil(); }
    void operator()(bool b) const { b ? to.pack_true() : to.pack_false(); }
    void operator()(std::int64_t i) const { to.pack_int64(i); }
    void operator()(std::uint64_t u) const { to.pack_uint64(u); }
    void operator()(double d) const { pack_real(out, d); }
    void operator()(const std::string& s) const { pack_text(to, s); }
    void operator()(const octet_string& o) const {
      pack_octets(to, o.bytes.data(), o.bytes.size());
    }
    void operator()(const uuid& id) const {
      pack_octets(to, reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size());
    }
    void operator()(const moment& m) const { to.pack_int64(m.at); }
    void operator()(const value::array& a) const {
      to.pack_array(static_cast<std::uint32_t>(a.size()));
      for (const auto& e : a)
        pack_value(out, to, e);
    }
    void operator()(const value::map& m) const {
      to.pack_map(static_cast<std::uint32_t>(m.size()));
      for (const auto& e : m) {
        pack_text(to, e.key);
        pack_value(out, to, e.content);
      }
    }
  };
  std::visit(writer{out, to}, v.data);
}

} // namespace

std::string to_msgpack(const value& v) {
  std::string out;
  sink to(out);
  packer p(to);
  pack_value(to, p, v);
  return out;
}

result<value> from_msgpack(std::string_view octets, const tree_limits& limits) {
  if (octets.empty())
    return fail(problem::malformed, "an empty payload");
  tree_builder build(limits);
  visitor v(build);
  std::size_t offset = 0;
  bool ok = false;
  try {
    ok = msgpack::parse(octets.data(), octets.size(), offset, v);
  } catch (const std::exception&) {
    // The library throws for sizes it cannot represent.
    build.refuse(problem::malformed, "not MessagePack");
  }
  if (build.failed())
    return build.why();
  if (!ok || !build.complete())
    return fail(problem::malformed, "not MessagePack");
  if (offset != octets.size())
    return fail(problem::malformed,
                std::to_string(octets.size() - offset) + " octets follow the document");
  return build.take();
}

} // namespace outband::bus
