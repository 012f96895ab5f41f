#include "gateway/rest/page.hpp"

#include "gateway/http/respond.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace outband::rest {

namespace {

namespace fs = std::filesystem;
constexpr std::size_t max_octets = 64u << 20, max_files = 2000;

std::string type_of(const std::string& extension) {
  static const std::map<std::string, std::string> types = {
      {".html", "text/html; charset=utf-8"},
      {".js", "text/javascript; charset=utf-8"},
      {".mjs", "text/javascript; charset=utf-8"},
      {".css", "text/css; charset=utf-8"},
      {".json", "application/json; charset=utf-8"},
      {".webmanifest", "application/manifest+json"},
      {".map", "application/json"},
      {".svg", "image/svg+xml"},
      {".png", "image/png"},
      {".jpg", "image/jpeg"},
      {".ico", "image/x-icon"},
      {".woff2", "font/woff2"},
      {".wasm", "application/wasm"},
      {".txt", "text/plain; charset=utf-8"},
  };
  auto it = types.find(extension);
  return it == types.end() ? "application/octet-stream" : it->second;
}

/// "app.3f9a1c2b.js", "app-3f9a1c2b.js": eight or more hex digits before the extension.
bool hashed(const std::string& name) {
  auto dot = name.rfind('.');
  if (dot == std::string::npos)
    return false;
  auto start = name.find_last_of(".-", dot - 1);
  if (dot == 0 || start == std::string::npos || dot - start - 1 < 8)
    return false;
  return name.find_first_not_of("0123456789abcdef", start + 1) == dot;
}

} // namespace

result<page> page::load(const std::string& directory, const std::string& extra_origin) {
  page out;
  // Only our own files and our own origin: whoever gets a script into a device's name gets nothing.
  out.policy_ = "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
                "img-src 'self' data: blob:; connect-src 'self'" +
                (extra_origin.empty() ? "" : " " + extra_origin) +
                "; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
  std::error_code ec;
  if (directory.empty() || !fs::is_directory(directory, ec))
    return out;
  std::size_t total = 0;
  fs::recursive_directory_iterator it(directory, ec), end;
  for (; !ec && it != end; it.increment(ec)) {
    auto name = it->path().filename().string();
    if (name.empty() || name[0] == '.' || it->is_symlink(ec)) {
      if (it->is_directory(ec))
        it.disable_recursion_pending();
      continue;
    }
    if (!it->is_regular_file(ec))
      continue;
    std::ifstream in(it->path(), std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    if (!in)
      return fail(problem::internal, "cannot read " + it->path().string(), "https.page_dir");
    file f;
    f.octets = text.str();
    total += f.octets.size();
    if (total > max_octets || out.files_.size() >= max_files)
      return fail(problem::too_large, "more than 64 MiB or 2,000 files", "https.page_dir");
    f.type = type_of(it->path().extension().string());
    f.etag = web::weak_etag(f.octets);
    f.immutable = hashed(name);
    auto relative = fs::relative(it->path(), directory, ec).generic_string();
    out.files_.emplace(relative, std::move(f));
  }
  if (ec)
    return fail(problem::internal, "cannot read " + directory + ": " + ec.message(),
                "https.page_dir");
  return out;
}

std::optional<web::response> page::find(const std::vector<std::string>& segments) const {
  std::string name;
  for (const auto& s : segments) {
    if (s.find('/') != std::string::npos)
      return std::nullopt; // an encoded slash names no file of ours
    name += (name.empty() ? "" : "/") + s;
  }
  auto it = files_.find(name.empty() ? "index.html" : name);
  if (it == files_.end())
    return std::nullopt;
  const auto& f = it->second;
  web::response r{200, f.type, f.octets, {}};
  r.headers = {{"ETag", f.etag},
               {"Cache-Control", f.immutable ? "public, max-age=31536000, immutable" : "no-cache"},
               {"Content-Security-Policy", policy_},
               {"Referrer-Policy", "no-referrer"},
               {"Cross-Origin-Opener-Policy", "same-origin"}};
  return r;
}

} // namespace outband::rest
