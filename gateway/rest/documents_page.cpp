// Both documents for people. No script: what a browser shows is what is in the text.
#include "gateway/rest/documents.hpp"

#include <algorithm>

namespace outband::rest {

namespace {

constexpr std::string_view style =
    "body{font:15px/1.5 system-ui,sans-serif;margin:0 auto;max-width:70rem;padding:1rem;"
    "color:#1b1f24;background:#fff}h2{border-bottom:1px solid #ccc;margin-top:2.5rem}"
    "details{border:1px solid #ddd;border-radius:4px;margin:.4rem 0;padding:.3rem .7rem}"
    "summary{cursor:pointer}code,pre{font:13px/1.4 ui-monospace,monospace}"
    "pre{background:#f5f6f8;overflow:auto;padding:.5rem}b.m{display:inline-block;min-width:4.5rem}"
    ".r{color:#555;float:right}table{border-collapse:collapse}td{padding:.1rem 1rem .1rem 0;"
    "vertical-align:top}@media(prefers-color-scheme:dark){body{background:#14171a;color:#e4e6e8}"
    "pre{background:#1f2428}.r{color:#aaa}a{color:#7ab7ff}}";

std::string escaped(std::string_view text) {
  std::string out;
  for (char c : text)
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
    default:
      out += c;
    }
  return out;
}

std::string text_at(const json::value& of, std::string_view name) {
  const auto* v = of.find(name);
  return v != nullptr && v->text() != nullptr ? *v->text() : std::string();
}

/// The members of an object; none for anything else.
const json::object& members_of(const json::value* v) {
  static const json::object none;
  return v != nullptr && v->members() != nullptr ? *v->members() : none;
}
const json::array& items_of(const json::value* v) {
  static const json::array none;
  return v != nullptr && v->items() != nullptr ? *v->items() : none;
}

class page_writer {
public:
  explicit page_writer(const json::value& document)
      : schemas_(document.find("components")->find("schemas")) {}

  /// A schema as people read one: member names with their types, one a line.
  void schema(std::string& out, const json::value& s, int depth, int left) const {
    const std::string indent(static_cast<std::size_t>(depth) * 2, ' ');
    if (auto ref = text_at(s, "$ref"); !ref.empty()) {
      const auto name = ref.substr(ref.rfind('/') + 1);
      const auto* target = schemas_->find(name);
      if (target == nullptr || left == 0) {
        out += name;
        return;
      }
      return schema(out, *target, depth, left - 1);
    }
    if (const auto* any = s.find("anyOf") != nullptr ? s.find("anyOf") : s.find("oneOf")) {
      bool first = true;
      for (const auto& one : items_of(any)) {
        out += first ? "" : "\n" + indent + "or ";
        first = false;
        schema(out, one, depth, left);
      }
      return;
    }
    if (const auto* values = s.find("enum")) {
      for (const auto& v : items_of(values))
        out += (&v == items_of(values).data() ? "" : " | ") + json::dump(v);
      return;
    }
    if (const auto* items = s.find("items")) {
      out += "list of ";
      schema(out, *items, depth, left);
      return;
    }
    if (s.find("properties") == nullptr) {
      out += type_of(s);
      if (auto words = text_at(s, "description"); !words.empty())
        out += "  // " + words;
      return;
    }
    out += "{";
    const auto& required = items_of(s.find("required"));
    for (const auto& p : members_of(s.find("properties"))) {
      const bool must = std::any_of(required.begin(), required.end(), [&](const auto& r) {
        return r.text() != nullptr && *r.text() == p.name;
      });
      out += "\n" + indent + "  " + p.name + (must ? ": " : "?: ");
      schema(out, p.val, depth + 1, left);
    }
    out += "\n" + indent + "}";
  }

  void shown(std::string& out, std::string_view title, const json::value* s) const {
    if (s == nullptr)
      return;
    std::string text;
    schema(text, *s, 0, 3);
    out += "<p>" + escaped(title) + "</p><pre>" + escaped(text) + "</pre>";
  }

private:
  static std::string type_of(const json::value& s) {
    const auto* t = s.find("type");
    if (t == nullptr)
      return "anything";
    std::string out;
    if (t->text() != nullptr)
      out = *t->text();
    for (const auto& one : items_of(t))
      out += (out.empty() ? "" : " or ") + (one.text() != nullptr ? *one.text() : "");
    return out;
  }

  const json::value* schemas_;
};

const json::value* schema_of(const json::value* with_content) {
  const auto& content =
      members_of(with_content == nullptr ? nullptr : with_content->find("content"));
  return content.empty() ? nullptr : content.front().val.find("schema");
}

void write_route(std::string& out, const page_writer& w, const std::string& path,
                 const json::member& method) {
  auto name = method.name;
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return static_cast<char>(c - 'a' + 'A'); });
  const auto& o = method.val;
  out += "<details><summary><b class=m>" + name + "</b><code>" + escaped(path) +
         "</code> <span class=r>" + text_at(o, "x-role") + "</span><br>" +
         escaped(text_at(o, "summary")) + "</summary>";
  if (auto more = text_at(o, "description"); !more.empty())
    out += "<p>" + escaped(more) + "</p>";
  if (auto act = text_at(o, "x-act"); !act.empty())
    out += "<p>On the bus: <code>" + escaped(act) + "</code></p>";
  out += "<table>";
  for (const auto& p : items_of(o.find("parameters")))
    if (p.find("name") != nullptr)
      out += "<tr><td><code>" + escaped(text_at(p, "name")) + "</code><td>" + text_at(p, "in") +
             "<td>" + escaped(text_at(p, "description"));
  out += "</table>";
  w.shown(out, "Body", schema_of(o.find("requestBody")));
  for (const auto& a : members_of(o.find("responses"))) {
    const bool good = a.name[0] == '2';
    if (good)
      w.shown(out, a.name, schema_of(&a.val));
    if (!good || schema_of(&a.val) == nullptr)
      out += "<p>" + a.name + ": " + escaped(text_at(a.val, "description")) + "</p>";
  }
  out += "</details>\n";
}

void write_routes(std::string& out, const json::value& openapi) {
  const page_writer w(openapi);
  std::vector<std::string> groups;
  const auto& paths = members_of(openapi.find("paths"));
  auto group_of = [](const json::member& m) {
    const auto& tags = items_of(m.val.find("tags"));
    return tags.empty() || tags.front().text() == nullptr ? std::string() : *tags.front().text();
  };
  for (const auto& p : paths)
    for (const auto& m : members_of(&p.val))
      if (std::find(groups.begin(), groups.end(), group_of(m)) == groups.end())
        groups.push_back(group_of(m));
  for (const auto& g : groups) {
    out += "<h2>" + escaped(g) + "</h2>\n";
    for (const auto& p : paths)
      for (const auto& m : members_of(&p.val))
        if (group_of(m) == g)
          write_route(out, w, p.name, m);
  }
}

void write_topics(std::string& out, const json::value& asyncapi) {
  const page_writer w(asyncapi);
  out += "<h2 id=bus>Topics</h2>\n";
  const auto* messages = asyncapi.find("components")->find("messages");
  const auto* operations = asyncapi.find("operations");
  for (const auto& c : members_of(asyncapi.find("channels"))) {
    const auto* use = operations->find(c.name);
    out += "<details><summary><code>" + escaped(text_at(c.val, "address")) +
           "</code> <span class=r>" + (use == nullptr ? "nodes" : text_at(*use, "x-role")) +
           "</span><br>" + escaped(text_at(c.val, "summary")) + "</summary>";
    if (const auto* kept = c.val.find("x-retained"); kept != nullptr && *kept->boolean())
      out += "<p>Retained.</p>";
    for (const auto& m : members_of(c.val.find("messages")))
      if (const auto* message = messages->find(m.name))
        w.shown(out, text_at(*message, "contentType"), message->find("payload"));
    out += "</details>\n";
  }
  out += "<h2 id=acts>What a request may ask for</h2>\n";
  for (const auto& a : members_of(asyncapi.find("x-acts"))) {
    out += "<details><summary><code>" + escaped(a.name) + "</code> <span class=r>" +
           text_at(a.val, "x-role") + "</span><br>" + escaped(text_at(a.val, "summary")) +
           "</summary>";
    w.shown(out, "arg", a.val.find("argument"));
    w.shown(out, "result", a.val.find("result"));
    out += "</details>\n";
  }
}

} // namespace

std::string documents_page(const json::value& openapi, const json::value& asyncapi) {
  std::string out =
      "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport "
      "content=\"width=device-width\"><title>Outband: routes and topics</title><style>" +
      std::string(style) +
      "</style><h1>Outband</h1><p>For programs: <a href=\"/api/openapi.json\">OpenAPI"
      "</a>, <a href=\"/api/asyncapi.json\">AsyncAPI</a>. Below: the routes, <a "
      "href=\"#bus\">the topics</a>, <a href=\"#acts\">what a request may ask for</a>. "
      "On the right: the role one needs.</p>\n";
  write_routes(out, openapi);
  write_topics(out, asyncapi);
  return out + "</html>\n";
}

} // namespace outband::rest
