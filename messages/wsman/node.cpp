#include "messages/wsman/node.hpp"

#include <pugixml.hpp>

#include <charconv>
#include <cstring>
#include <utility>

namespace outband::wsman {

namespace {

failure bad(std::string detail) {
  return fail(problem::malformed, "XML: " + std::move(detail));
}

/// Strict UTF-8 (RFC 3629): no overlong forms, no surrogates.
bool valid_utf8(std::string_view s) {
  for (std::size_t i = 0; i < s.size();) {
    const auto lead = static_cast<unsigned char>(s[i]);
    if (lead < 0x80) {
      ++i;
      continue;
    }
    std::size_t more = 0;
    unsigned char low = 0x80;
    unsigned char high = 0xBF;
    if (lead >= 0xC2 && lead <= 0xDF) {
      more = 1;
    } else if (lead >= 0xE0 && lead <= 0xEF) {
      more = 2;
      low = lead == 0xE0 ? 0xA0 : low;
      high = lead == 0xED ? 0x9F : high;
    } else if (lead >= 0xF0 && lead <= 0xF4) {
      more = 3;
      low = lead == 0xF0 ? 0x90 : low;
      high = lead == 0xF4 ? 0x8F : high;
    } else {
      return false;
    }
    if (s.size() - i <= more)
      return false;
    for (std::size_t k = 1; k <= more; ++k) {
      const auto next = static_cast<unsigned char>(s[i + k]);
      if (next < low || next > high)
        return false;
      low = 0x80;
      high = 0xBF;
    }
    i += more + 1;
  }
  return true;
}

bool blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

std::string_view trimmed(std::string_view s) {
  while (!s.empty() && blank(s.front()))
    s.remove_prefix(1);
  while (!s.empty() && blank(s.back()))
    s.remove_suffix(1);
  return s;
}

struct qualified {
  std::string_view prefix;
  std::string_view local;
};

qualified split(std::string_view name) {
  const auto colon = name.find(':');
  if (colon == std::string_view::npos)
    return {{}, name};
  return {name.substr(0, colon), name.substr(colon + 1)};
}

/// Copies a parsed tree, resolving prefixes. Stops at the first defect.
class converter {
public:
  std::optional<failure> why;

  bool convert(const pugi::xml_node& from, node& to, std::size_t depth) {
    if (depth > max_depth)
      return no(fail(problem::too_large, "XML: nested deeper than 64 levels"));
    if (++elements_ > max_elements)
      return no(fail(problem::too_large, "XML: more than 20000 elements"));
    const auto scope = bindings_.size();
    if (!attributes(from, to))
      return false;
    const auto q = split(from.name());
    const auto* uri = resolve(q.prefix);
    if (uri == nullptr && !q.prefix.empty())
      return no(bad("prefix '" + std::string(q.prefix.substr(0, 40)) + "' is not declared"));
    if (q.local.empty())
      return no(bad("an element has no name"));
    if (uri != nullptr)
      to.ns = *uri;
    to.name = q.local;
    for (const auto& child : from.children()) {
      switch (child.type()) {
      case pugi::node_pcdata:
      case pugi::node_cdata:
        to.text += child.value();
        break;
      case pugi::node_element:
        to.children.emplace_back();
        if (!convert(child, to.children.back(), depth + 1))
          return false;
        break;
      default:
        break; // comments and processing instructions mean nothing here
      }
    }
    bindings_.resize(scope);
    return true;
  }

private:
  bool no(failure f) {
    why = std::move(f);
    return false;
  }

  bool attributes(const pugi::xml_node& from, node& to) {
    for (const auto& a : from.attributes()) {
      const auto q = split(a.name());
      if (q.prefix == "xmlns" || (q.prefix.empty() && q.local == "xmlns")) {
        if (std::strlen(a.value()) > max_namespace)
          return no(fail(problem::too_large, "XML: a namespace name is longer than 256 octets"));
        if (bindings_.size() == max_bindings)
          return no(fail(problem::too_large, "XML: more than 256 namespace declarations in scope"));
        bindings_.emplace_back(q.prefix.empty() ? std::string{} : std::string(q.local), a.value());
      } else {
        to.attributes.push_back({std::string(q.local), a.value()});
      }
    }
    return true;
  }

  const std::string* resolve(std::string_view prefix) const {
    static const std::string xml = "http://www.w3.org/XML/1998/namespace";
    if (prefix == "xml")
      return &xml;
    for (auto i = bindings_.rbegin(); i != bindings_.rend(); ++i)
      if (i->first == prefix)
        return &i->second;
    return nullptr;
  }

  static constexpr std::size_t max_bindings = 256;            ///< a prefix is looked up one by one
  std::vector<std::pair<std::string, std::string>> bindings_; ///< prefix, namespace; inner last
  std::size_t elements_ = 0;
};

} // namespace

std::string_view node::value() const {
  return trimmed(text);
}

const node* node::child(std::string_view local_name) const {
  for (const auto& c : children)
    if (c.name == local_name)
      return &c;
  return nullptr;
}

const node* node::find(std::initializer_list<std::string_view> path) const {
  const node* at = this;
  for (auto step : path) {
    at = at->child(step);
    if (at == nullptr)
      return nullptr;
  }
  return at;
}

std::string_view node::child_text(std::string_view local_name) const {
  const auto* c = child(local_name);
  return c == nullptr ? std::string_view{} : c->value();
}

const std::string* node::attribute_value(std::string_view local_name) const {
  for (const auto& a : attributes)
    if (a.name == local_name)
      return &a.value;
  return nullptr;
}

result<node> parse_xml(std::string_view text) {
  text = trimmed(text); // some firmware puts a line break before the declaration
  if (text.empty())
    return bad("the text is empty");
  if (text.size() > max_document)
    return fail(problem::too_large, "XML: longer than 1 MiB");
  if (text.find('\0') != std::string_view::npos)
    return bad("contains a zero octet");
  if (!valid_utf8(text))
    return bad("is not UTF-8");
  pugi::xml_document doc;
  // Keeping the DOCTYPE lets us see and refuse it.
  const auto parsed = doc.load_buffer(
      text.data(), text.size(), pugi::parse_default | pugi::parse_doctype, pugi::encoding_utf8);
  if (!parsed)
    return bad(std::string(parsed.description()) + " at octet " + std::to_string(parsed.offset));
  pugi::xml_node root;
  for (const auto& top : doc.children()) {
    if (top.type() == pugi::node_doctype)
      return bad("a document type declaration is not accepted");
    if (top.type() != pugi::node_element)
      continue;
    if (root)
      return bad("more than one document element");
    root = top;
  }
  if (!root)
    return bad("no document element");
  node out;
  converter c;
  if (!c.convert(root, out, 1))
    return *c.why;
  return out;
}

std::string escaped(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    switch (c) {
    case '&':
      out += "&amp;";
      break;
    case '<':
      out += "&lt;";
      break;
    case '>':
      out += "&gt;";
      break;
    case '"':
      out += "&quot;";
      break;
    case '\'':
      out += "&apos;";
      break;
    case '\t':
    case '\n':
      out += c;
      break;
    case '\r':
      out += "&#13;"; // a bare one would be read back as a line feed
      break;
    default:
      if (static_cast<unsigned char>(c) >= 0x20)
        out += c;
    }
  }
  return out;
}

std::optional<std::uint32_t> to_number(std::string_view text) {
  text = trimmed(text);
  std::uint32_t value = 0;
  const auto* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || at != end)
    return std::nullopt;
  return value;
}

std::optional<bool> to_bool(std::string_view text) {
  text = trimmed(text);
  if (text == "true" || text == "1")
    return true;
  if (text == "false" || text == "0")
    return false;
  return std::nullopt;
}

} // namespace outband::wsman
