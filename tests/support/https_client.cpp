#include "tests/support/https_client.hpp"

#include "tests/support/process.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <mutex>

namespace outband::test {

namespace {

std::size_t take_body(char* data, std::size_t, std::size_t n, void* to) {
  static_cast<http_reply*>(to)->body.append(data, n);
  return n;
}

std::size_t take_header(char* data, std::size_t, std::size_t n, void* to) {
  auto& reply = *static_cast<http_reply*>(to);
  std::string line(data, n);
  if (line.rfind("HTTP/", 0) == 0)
    reply.headers.clear(); // after "100 Continue"
  auto colon = line.find(':');
  if (colon == std::string::npos)
    return n;
  std::string name = line.substr(0, colon);
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  auto from = line.find_first_not_of(' ', colon + 1);
  auto to_end = line.find_last_not_of("\r\n");
  reply.headers.emplace_back(
      name, from == std::string::npos || from > to_end ? "" : line.substr(from, to_end - from + 1));
  return n;
}

} // namespace

std::string http_reply::header(const std::string& name) const {
  for (const auto& [k, v] : headers)
    if (k == name)
      return v;
  return {};
}

struct https_client::state {
  std::string base, ca, bearer, certificate, key;
  CURL* curl = nullptr;
};

https_client::https_client(std::string base, std::string ca_pem) : state_(new state) {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  state_->base = std::move(base);
  state_->ca = std::move(ca_pem);
  state_->curl = curl_easy_init();
}

https_client::~https_client() {
  curl_easy_cleanup(state_->curl);
}

void https_client::token(std::string text) {
  state_->bearer = std::move(text);
}

void https_client::certificate(std::string certificate_pem, std::string key_pem) {
  state_->certificate = std::move(certificate_pem);
  state_->key = std::move(key_pem);
}

http_reply https_client::send(const std::string& method, const std::string& path,
                              const std::string& body, const header_list& headers) {
  http_reply out;
  auto* c = state_->curl;
  curl_easy_reset(c); // keeps the connection
  const auto url = state_->base + path;
  curl_easy_setopt(c, CURLOPT_URL, url.c_str());
  curl_easy_setopt(c, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(c, CURLOPT_NOPROXY, "*");
  curl_easy_setopt(c, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
  curl_easy_setopt(c, CURLOPT_TIMEOUT, static_cast<long>(patience.count()));
  if (method == "HEAD")
    curl_easy_setopt(c, CURLOPT_NOBODY, 1L);
  else
    curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, method.c_str());
  if (!body.empty() || method == "POST" || method == "PATCH" || method == "PUT") {
    curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
    curl_easy_setopt(c, CURLOPT_POSTFIELDS, body.data());
  }
  curl_blob ca{const_cast<char*>(state_->ca.data()), state_->ca.size(), CURL_BLOB_NOCOPY};
  if (state_->ca.empty()) {
    curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 0L);
  } else {
    curl_easy_setopt(c, CURLOPT_CAINFO_BLOB, &ca);
  }
  auto& own = *state_;
  curl_blob cert{own.certificate.data(), own.certificate.size(), CURL_BLOB_NOCOPY};
  curl_blob key{own.key.data(), own.key.size(), CURL_BLOB_NOCOPY};
  if (!own.certificate.empty()) {
    curl_easy_setopt(c, CURLOPT_SSLCERT_BLOB, &cert);
    curl_easy_setopt(c, CURLOPT_SSLKEY_BLOB, &key);
    curl_easy_setopt(c, CURLOPT_SSLCERTTYPE, "PEM");
    curl_easy_setopt(c, CURLOPT_SSLKEYTYPE, "PEM");
  }
  curl_slist* list = nullptr;
  auto add = [&](const std::string& line) {
    list = curl_slist_append(list, line.c_str());
  };
  if (!state_->bearer.empty())
    add("Authorization: Bearer " + state_->bearer);
  bool typed = false;
  for (const auto& [name, value] : headers) {
    add(name + ": " + value);
    typed = typed || name == "Content-Type";
  }
  if (!typed && !body.empty())
    add("Content-Type: application/json");
  curl_easy_setopt(c, CURLOPT_HTTPHEADER, list);
  curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take_body);
  curl_easy_setopt(c, CURLOPT_WRITEDATA, &out);
  curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, take_header);
  curl_easy_setopt(c, CURLOPT_HEADERDATA, &out);
  auto rc = curl_easy_perform(c);
  curl_slist_free_all(list);
  long status = 0, connects = 0;
  curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(c, CURLINFO_NUM_CONNECTS, &connects);
  out.connects = static_cast<int>(connects);
  if (rc != CURLE_OK)
    out.error = curl_easy_strerror(rc);
  else
    out.status = static_cast<int>(status);
  return out;
}

} // namespace outband::test
