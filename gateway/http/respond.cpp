#include "gateway/http/respond.hpp"

#include "messages/http/message.hpp"

#include <algorithm>
#include <atomic>
#include <cstdio>

namespace outband::web {

namespace {

bool has(const response& r, std::string_view name) {
  return std::any_of(r.headers.begin(), r.headers.end(),
                     [&](const auto& h) { return http::same_token(h.first, name); });
}

/// A header that a value could split would let who chose the value write headers of its own.
void add(std::string& out, std::string_view name, std::string_view value) {
  out += name;
  out += ": ";
  for (char c : value)
    out += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? ' ' : c;
  out += "\r\n";
}

std::string date(std::time_t now) {
  std::tm tm{};
  gmtime_r(&now, &tm);
  char text[40];
  auto n = std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &tm);
  return {text, n};
}

void add_cors(std::string& out, const request& q, const std::vector<std::string>& allowed,
              bool preflight) {
  const auto* origin = q.header("Origin");
  if (!origin)
    return;
  const bool any = std::find(allowed.begin(), allowed.end(), "*") != allowed.end();
  if (!any && std::find(allowed.begin(), allowed.end(), *origin) == allowed.end())
    return;
  add(out, "Access-Control-Allow-Origin", any ? std::string_view("*") : *origin);
  if (!any)
    add(out, "Vary", "Origin");
  add(out, "Access-Control-Expose-Headers", "ETag, Location, Retry-After");
  if (preflight) {
    add(out, "Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
    // "*" stands for every header but Authorization, and for none where credentials are sent.
    add(out, "Access-Control-Allow-Headers",
        std::string("Authorization, Content-Type, If-Match, If-None-Match, Idempotency-Key, "
                    "x-tenant-id, ActiveProjectID") +
            (any ? ", *" : ""));
    add(out, "Access-Control-Max-Age", "600");
  }
}

} // namespace

std::string_view to_string(verb v) {
  switch (v) {
  case verb::get:
    return "GET";
  case verb::post:
    return "POST";
  case verb::put:
    return "PUT";
  case verb::patch:
    return "PATCH";
  case verb::delete_:
    return "DELETE";
  case verb::options:
    return "OPTIONS";
  case verb::other:
    return "OTHER";
  }
  return "OTHER";
}

response json_response(int status, std::string body) {
  return {status, "application/json; charset=utf-8", std::move(body), {}};
}

struct responder::state {
  std::function<void(response)> send;
  std::atomic<bool> used{false};
  ~state() {
    if (!used && send)
      send(json_response(500, R"({"error":"Internal Server Error",)"
                              R"("errorDescription":"The request was lost.","code":"internal"})"));
  }
};

responder::responder(std::function<void(response)> send) : state_(std::make_shared<state>()) {
  state_->send = std::move(send);
}

void responder::operator()(response r) const {
  if (!state_->used.exchange(true))
    state_->send(std::move(r));
}

upgrade::upgrade(std::function<void(accepted)> accept, responder refuse)
    : accept_(std::move(accept)), refuse_(std::move(refuse)) {}

std::string weak_etag(std::string_view body) {
  // FNV-1a, 64 bit: tells versions of one document apart; it protects nothing.
  std::uint64_t h = 0xcbf29ce484222325u;
  for (char c : body)
    h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  static constexpr char hex[] = "0123456789abcdef";
  std::string text;
  for (int shift = 60; shift >= 0; shift -= 4)
    text += hex[(h >> shift) & 15];
  return "W/\"" + std::to_string(body.size()) + "-" + text + "\"";
}

bool etag_matches(std::string_view list, std::string_view etag) {
  auto opaque = [](std::string_view t) {
    auto a = t.find_first_not_of(" \t"), b = t.find_last_not_of(" \t");
    t = a == std::string_view::npos ? std::string_view{} : t.substr(a, b - a + 1);
    return t.substr(0, 2) == "W/" ? t.substr(2) : t;
  };
  if (opaque(list) == "*")
    return true;
  while (!list.empty()) {
    auto comma = list.find(',');
    if (opaque(list.substr(0, comma)) == opaque(etag))
      return true;
    list = comma == std::string_view::npos ? std::string_view{} : list.substr(comma + 1);
  }
  return false;
}

std::string wire(const request* q, response r, const wire_options& o) {
  const bool get = q && q->method == verb::get;
  std::string etag;
  if (get && r.status == 200 && !has(r, "ETag") && !has(r, "Cache-Control") &&
      r.content_type.rfind("application/json", 0) == 0) {
    etag = weak_etag(r.body);
    r.headers.emplace_back("ETag", etag);
    r.headers.emplace_back("Cache-Control", "no-cache");
  }
  if (get && r.status == 200)
    for (const auto& [name, value] : r.headers)
      if (http::same_token(name, "ETag"))
        if (const auto* known = q->header("If-None-Match"); known && etag_matches(*known, value)) {
          r.status = 304;
          r.body.clear();
          r.content_type.clear();
          break;
        }
  const bool bodyless = r.status == 204 || r.status == 304 || r.status < 200;

  std::string out = "HTTP/1.1 " + std::to_string(r.status) + " ";
  out += http::reason_phrase(r.status);
  out += "\r\n";
  add(out, "Date", date(o.now));
  add(out, "Server", "Outband");
  if (!r.content_type.empty() && !bodyless)
    add(out, "Content-Type", r.content_type);
  const bool parts = r.more && !bodyless;
  if (parts && o.chunked)
    add(out, "Transfer-Encoding", "chunked");
  else if (!bodyless && !parts)
    add(out, "Content-Length", std::to_string(r.body.size()));
  add(out, "X-Content-Type-Options", "nosniff");
  if (!o.keep_alive)
    add(out, "Connection", "close");
  for (const auto& [name, value] : r.headers)
    add(out, name, value);
  if (q && o.allowed_origins)
    add_cors(out, *q, *o.allowed_origins, q->method == verb::options);
  out += "\r\n";
  if (bodyless || (q && q->head))
    return out;
  if (!parts || !o.chunked)
    out += r.body;
  else if (!r.body.empty())
    out += chunk(r.body);
  return out;
}

std::string chunk(std::string_view part) {
  char size[24];
  std::snprintf(size, sizeof size, "%zx\r\n", part.size());
  std::string out(size);
  out += part;
  out += "\r\n";
  return out;
}

} // namespace outband::web
