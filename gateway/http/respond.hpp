/// What leaves on the wire for a response: status line, standard headers, ETag and 304, CORS, HEAD.
/// Context: pure; the time is handed in.
#pragma once

#include "gateway/http/server.hpp"

#include <ctime>

namespace outband::web {

struct wire_options {
  const std::vector<std::string>* allowed_origins = nullptr; ///< "*" or origins; null: no CORS
  bool keep_alive = true;
  std::time_t now = 0;
  /// Of a body with parts: HTTP/1.0 knows no chunks, there the end of the connection ends it.
  bool chunked = true;
};

/// One part of a body as a chunk of RFC 9112 section 7.1; the last one for an empty part.
std::string chunk(std::string_view part);

/// Octets of the whole response; of one with parts, up to those. `q` is null when the request could
/// not even be parsed.
std::string wire(const request* q, response r, const wire_options& o);

/// `W/"..."` from the contents, as Express makes it weak.
std::string weak_etag(std::string_view body);
/// If-None-Match with a list, weak comparison, or "*".
bool etag_matches(std::string_view if_none_match, std::string_view etag);

} // namespace outband::web
