/// An HTTPS client for tests (libcurl). One connection, kept alive over the calls.
/// Context: one thread per client.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace outband::test {

struct http_reply {
  int status = 0;    ///< 0: no answer, see `error`
  std::string error; ///< libcurl's words
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers; ///< names in lower case
  int connects = 0; ///< connections that this call had to open

  std::string header(const std::string& name) const; ///< lower case; "" if absent
};

class https_client {
public:
  using header_list = std::vector<std::pair<std::string, std::string>>;

  /// `base`: "https://127.0.0.1:8443". `ca_pem`: whom to trust; empty: nobody is checked.
  https_client(std::string base, std::string ca_pem);
  ~https_client();
  https_client(const https_client&) = delete;
  https_client& operator=(const https_client&) = delete;

  /// Sent as Authorization: Bearer from now on; empty: none.
  void token(std::string text);
  /// A certificate of ours, shown to servers that ask for one; for connections opened from now on.
  void certificate(std::string certificate_pem, std::string key_pem);
  http_reply send(const std::string& method, const std::string& path, const std::string& body = {},
                  const header_list& headers = {});
  http_reply get(const std::string& path, const header_list& headers = {}) {
    return send("GET", path, {}, headers);
  }

private:
  struct state;
  std::unique_ptr<state> state_;
};

} // namespace outband::test
