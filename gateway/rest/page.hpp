/// The web page's files, read once at start and served from memory: no path of a request ever
/// reaches the file system.
/// Context: read only after load(); any thread. Limits: 64 MiB, 2,000 files; symbolic links and
/// names starting with '.' are left out.
#pragma once

#include "gateway/http/server.hpp"

#include <map>

namespace outband::rest {

class page {
public:
  /// An empty page for an empty or missing directory.
  static result<page> load(const std::string& directory, const std::string& extra_origin);

  bool empty() const { return files_.empty(); }
  /// nullopt: there is no such file. `/` is index.html.
  std::optional<web::response> find(const std::vector<std::string>& segments) const;

private:
  struct file {
    std::string octets, type, etag;
    bool immutable = false; ///< its name carries a hash of its contents
  };
  std::map<std::string, file, std::less<>> files_;
  std::string policy_; ///< Content-Security-Policy
};

} // namespace outband::rest
