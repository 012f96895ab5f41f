/// HTTP/1.1 requests and responses as values, the way Intel AMT and its clients use them.
///
/// Context: pure, any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace outband::http {

struct header {
  std::string name;
  std::string value; ///< without surrounding blanks
};
using headers = std::vector<header>;

/// Case-insensitive, as header names and most tokens are.
bool same_token(std::string_view a, std::string_view b);
/// The first header of that name; nullptr if there is none.
const std::string* find(const headers& in, std::string_view name);

struct request {
  std::string method;
  std::string target;
  headers fields;
  std::string body;
  bool keep_alive = true; ///< the client wants to send more on this connection
};

struct response {
  int status = 0;
  std::string reason;
  headers fields;
  std::string body;
  bool keep_alive = true; ///< this connection may carry another request
};

/// The words of RFC 9110 (429 and 431: RFC 6585) for the status codes that AMT and our server
/// use; "Error" for others.
std::string_view reason_phrase(int status);

/// Octets, except where it says otherwise. A bound is checked before anything is stored.
struct limits {
  std::size_t head = 16 << 10; ///< start line and headers; trailers once more
  std::size_t header_count = 64;
  std::size_t body = 1 << 20;
};

} // namespace outband::http
