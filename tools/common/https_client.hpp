/// One HTTPS exchange after the other, for tools that ask a server and wait for the answer.
///
/// The server's certificate and name are verified unless told otherwise; redirects are not
/// followed, for a token must not travel to another host; proxies follow the usual environment
/// variables. Context: blocks for at most `timeout`; one client per thread. Limit: an answer above
/// `max_body` octets is refused.
#pragma once

#include "messages/domain/result.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace outband::https {

struct request {
  std::string method = "GET";
  std::string path; ///< "/api/v1/...", encoded already
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body; ///< JSON; empty: none
};

struct answer {
  int status = 0;
  std::string content_type;
  std::string body;
};

/// What a tool needs; a fake in tests.
class transport {
public:
  virtual ~transport() = default;
  /// An answer of any status, or why there is none: `field` is "https.connect",
  /// "https.certificate", "https.timeout", "https.too-large" or "https.protocol"; `detail` is for
  /// people.
  virtual result<answer> exchange(const request& what) = 0;
};

struct options {
  std::string server;    ///< "https://host:port", without a path
  std::string ca_file;   ///< PEM; empty: what the system trusts
  bool insecure = false; ///< no verification at all
  std::chrono::milliseconds connect_timeout{10'000}, timeout{30'000};
  std::size_t max_body = 16u << 20;
};

/// "https://host[:port]" in its parts; malformed says what is wrong. A missing scheme is https, a
/// trailing slash is dropped; http is refused, except to the machine itself.
struct server_name {
  std::string url; ///< in the one form that is stored
  std::string host;
  int port = 443;
  bool port_given = false;
  bool loopback = false;
};
result<server_name> parse_server(const std::string& text);

/// Percent-encodes all but unreserved characters (RFC 3986 section 2.3).
std::string encoded(const std::string& text);

/// Fails only if libcurl cannot start.
result<std::unique_ptr<transport>> make_transport(options o);

} // namespace outband::https
