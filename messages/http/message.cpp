#include "messages/http/message.hpp"

#include "messages/domain/text.hpp"

#include <algorithm>

namespace outband::http {

bool same_token(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return ascii_lower(x) == ascii_lower(y); });
}

const std::string* find(const headers& in, std::string_view name) {
  for (const auto& h : in)
    if (same_token(h.name, name))
      return &h.value;
  return nullptr;
}

std::string_view reason_phrase(int status) {
  switch (status) {
  case 200:
    return "OK";
  case 400:
    return "Bad Request";
  case 401:
    return "Unauthorized";
  case 403:
    return "Forbidden";
  case 404:
    return "Not Found";
  case 405:
    return "Method Not Allowed";
  case 413:
    return "Content Too Large";
  case 500:
    return "Internal Server Error";
  case 503:
    return "Service Unavailable";
  default:
    return "Error";
  }
}

} // namespace outband::http
