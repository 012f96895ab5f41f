#include "messages/bus/json.hpp"
#include "messages/bus/tree_builder.hpp"
#include "messages/domain/time.hpp"
#include "messages/ticket/base64url.hpp"

#include <cmath>
#include <exception>
#include <nlohmann/json.hpp>

namespace outband::bus {

namespace {

/// The greatest integer that a double, and so JavaScript, holds exactly with all below it.
constexpr std::int64_t max_exact = std::int64_t{1} << 53;

/// nlohmann's SAX parser keeps its own stack, so depth costs no stack of ours.
class handler : public nlohmann::json_sax<nlohmann::json> {
public:
  explicit handler(tree_builder& b) : build_(b) {}

  bool null() override { return build_.scalar(value{}); }
  bool boolean(bool v) override { return build_.scalar(v); }
  bool number_integer(std::int64_t v) override {
    if (v >= 0)
      return build_.scalar(static_cast<std::uint64_t>(v));
    return build_.scalar(v);
  }
  bool number_unsigned(std::uint64_t v) override { return build_.scalar(v); }
  bool number_float(double v, const std::string& spelt) override {
    // An integer that fits no 64 bits arrives here; rounding it would be a lie.
    if (!std::isfinite(v) || spelt.find_first_of(".eE") == std::string::npos)
      return build_.refuse(problem::malformed,
                           "the number " + clean_text(spelt, 40) + " is out of range");
    return build_.scalar(v);
  }
  bool string(std::string& v) override { return build_.text(v); }
  bool binary(nlohmann::json::binary_t&) override {
    return build_.refuse(problem::malformed, "not JSON");
  }
  bool start_object(std::size_t) override { return build_.begin_map(); }
  bool key(std::string& v) override { return build_.key(v); }
  bool end_object() override { return build_.end(); }
  bool start_array(std::size_t) override { return build_.begin_array(); }
  bool end_array() override { return build_.end(); }
  bool parse_error(std::size_t at, const std::string& last,
                   const nlohmann::json::exception& e) override {
    // 406: a number beyond double. Everything else is syntax.
    if (e.id == 406)
      return build_.refuse(problem::malformed,
                           "the number " + clean_text(last, 40) + " is out of range");
    return build_.refuse(problem::malformed, "not JSON from octet " + std::to_string(at) + " on");
  }

private:
  tree_builder& build_;
};

void quote(std::string& out, std::string_view s) {
  static const char hex[] = "0123456789abcdef";
  out.push_back('"');
  for (char c : s) {
    const auto u = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (c == '\n') {
      out += "\\n";
    } else if (u < 0x20 || u == 0x7F) {
      out += "\\u00";
      out.push_back(hex[u >> 4]);
      out.push_back(hex[u & 15]);
    } else {
      out.push_back(c);
    }
  }
  out.push_back('"');
}

void write(std::string& out, const value& v) {
  struct writer {
    std::string& out;
    void operator()(std::monostate) const { out += "null"; }
    void operator()(bool b) const { out += b ? "true" : "false"; }
    void operator()(std::int64_t i) const {
      if (i > max_exact || i < -max_exact)
        quote(out, std::to_string(i));
      else
        out += std::to_string(i);
    }
    void operator()(std::uint64_t u) const {
      if (u > static_cast<std::uint64_t>(max_exact))
        quote(out, std::to_string(u));
      else
        out += std::to_string(u);
    }
    void operator()(double d) const { out += nlohmann::json(d).dump(); }
    void operator()(const std::string& s) const { quote(out, s); }
    void operator()(const octet_string& o) const { quote(out, ticket::base64url_encode(o.bytes)); }
    void operator()(const uuid& id) const { quote(out, to_string(id)); }
    void operator()(const moment& m) const { quote(out, to_rfc3339(m.at)); }
    void operator()(const value::array& a) const {
      char before = '[';
      for (const auto& e : a) {
        out.push_back(before);
        write(out, e);
        before = ',';
      }
      out += a.empty() ? "[]" : "]";
    }
    void operator()(const value::map& m) const {
      char before = '{';
      for (const auto& e : m) {
        out.push_back(before);
        quote(out, e.key);
        out.push_back(':');
        write(out, e.content);
        before = ',';
      }
      out += m.empty() ? "{}" : "}";
    }
  };
  std::visit(writer{out}, v.data);
}

} // namespace

std::string to_json(const value& v) {
  std::string out;
  write(out, v);
  return out;
}

result<value> from_json(std::string_view text, const tree_limits& limits) {
  if (text.empty())
    return fail(problem::malformed, "an empty payload");
  tree_builder build(limits);
  handler h(build);
  bool ok = false;
  try {
    ok = nlohmann::json::sax_parse(text.begin(), text.end(), &h);
  } catch (const std::exception&) {
    build.refuse(problem::malformed, "not JSON");
  }
  if (build.failed())
    return build.why();
  if (!ok || !build.complete())
    return fail(problem::malformed, "not JSON");
  return build.take();
}

} // namespace outband::bus
