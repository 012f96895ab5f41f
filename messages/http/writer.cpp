#include "messages/http/writer.hpp"

#include <algorithm>
#include <cstdio>

namespace outband::http {

namespace {

bool safe(std::string_view s) {
  return s.find_first_of(std::string_view{"\r\n\0", 3}) == std::string_view::npos;
}

status check(const headers& fields) {
  for (const auto& [name, value] : fields) {
    if (name.empty() || !safe(name) || name.find_first_of(": ") != std::string::npos)
      return fail(problem::malformed, "not a header name", "header");
    if (!safe(value))
      return fail(problem::malformed, "a line break in a header", name);
  }
  return success();
}

void put(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value).append("\r\n");
}

status put_head(const response& r, std::string& out) {
  if (r.status < 100 || r.status > 999 || !safe(r.reason))
    return fail(problem::malformed, "not a status line", "status");
  if (auto good = check(r.fields); !good)
    return good;
  out.append("HTTP/1.1 ").append(std::to_string(r.status)).append(" ").append(r.reason);
  out.append("\r\n");
  for (const auto& [name, value] : r.fields)
    put(out, name, value);
  return success();
}

} // namespace

status write(const request& r, std::string& out) {
  const bool blank = r.target.find(' ') != std::string::npos;
  if (r.method.empty() || r.target.empty() || blank || !safe(r.method) || !safe(r.target))
    return fail(problem::malformed, "not a method and a target", "request line");
  if (auto good = check(r.fields); !good)
    return good;
  out.append(r.method).append(" ").append(r.target).append(" HTTP/1.1\r\n");
  for (const auto& [name, value] : r.fields)
    put(out, name, value);
  put(out, "Content-Length", std::to_string(r.body.size()));
  if (!r.keep_alive)
    put(out, "Connection", "close");
  out.append("\r\n").append(r.body);
  return success();
}

status write_wsman(std::string_view host, std::string_view authorization, std::string_view body,
                   std::string& out, bool close) {
  if (host.empty() || !safe(host))
    return fail(problem::malformed, "not a host", "Host");
  if (!safe(authorization))
    return fail(problem::malformed, "a line break in a header", "Authorization");
  out.append("POST /wsman HTTP/1.1\r\n");
  if (!authorization.empty())
    put(out, "Authorization", authorization);
  put(out, "Host", host);
  put(out, "Content-Type", "application/soap+xml; charset=utf-8");
  put(out, "Content-Length", std::to_string(body.size()));
  if (close)
    put(out, "Connection", "close");
  out.append("\r\n").append(body);
  return success();
}

status write_chunked(const response& r, std::string& out, std::size_t chunk) {
  if (auto good = put_head(r, out); !good)
    return good;
  put(out, "Transfer-Encoding", "chunked");
  if (!r.keep_alive)
    put(out, "Connection", "close");
  out.append("\r\n");
  chunk = std::clamp<std::size_t>(chunk, 1, 0xFFFF); // four digits
  for (std::size_t at = 0; at < r.body.size(); at += chunk) {
    const auto piece = std::string_view{r.body}.substr(at, chunk);
    char size[8];
    std::snprintf(size, sizeof size, "%04X\r\n", static_cast<unsigned>(piece.size()));
    out.append(size).append(piece).append("\r\n");
  }
  out.append("0\r\n\r\n");
  return success();
}

status write_sized(const response& r, std::string& out) {
  if (auto good = put_head(r, out); !good)
    return good;
  put(out, "Content-Length", std::to_string(r.body.size()));
  put(out, "Connection", r.keep_alive ? "keep-alive" : "close");
  out.append("\r\n").append(r.body);
  return success();
}

response amt_answer(int status_code, std::string_view date, std::string_view server,
                    std::string body) {
  return {status_code,
          std::string{reason_phrase(status_code)},
          {{"Date", std::string{date}},
           {"Server", std::string{server}},
           {"X-Frame-Options", "DENY"},
           {"Content-Type", "application/soap+xml; charset=UTF-8"}},
          std::move(body),
          status_code < 400};
}

response amt_unauthorized(std::string_view challenge, std::string_view server) {
  // The same words as AMT's page: people search for them.
  static constexpr std::string_view page =
      "<html><head><title>Log on failed</title></head><body><p>Log on failed. Incorrect user name "
      "or password, or user account temporarily locked.</p></body></html>\n";
  return {401,
          std::string{reason_phrase(401)},
          {{"WWW-Authenticate", std::string{challenge}},
           {"Content-Type", "text/html"},
           {"Server", std::string{server}}},
          std::string{page},
          false};
}

} // namespace outband::http
