#include "tools/common/https_client.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <cctype>

namespace outband::https {

namespace {

struct handle_end {
  void operator()(CURL* c) const { curl_easy_cleanup(c); }
};
struct list_end {
  void operator()(curl_slist* l) const { curl_slist_free_all(l); }
};

struct receiver {
  std::string* to;
  std::size_t limit;
  bool exceeded = false;
};

std::size_t on_data(char* data, std::size_t one, std::size_t n, void* user) {
  auto* r = static_cast<receiver*>(user);
  const auto size = one * n;
  if (size > r->limit - std::min(r->limit, r->to->size())) {
    r->exceeded = true;
    return 0; // ends the transfer
  }
  try {
    r->to->append(data, size);
  } catch (...) { // no exception may cross libcurl
    r->exceeded = true;
    return 0;
  }
  return size;
}

/// A header that holds a line break would be two headers.
bool one_line(const std::string& text) {
  return std::none_of(text.begin(), text.end(),
                      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

class curl_transport final : public transport {
public:
  curl_transport(options o, CURL* c) : options_(std::move(o)), curl_(c) {}

  result<answer> exchange(const request& what) override {
    auto* c = curl_.get();
    curl_easy_reset(c); // keeps the connection
    answer got;
    receiver into{&got.body, options_.max_body};
    char text[CURL_ERROR_SIZE] = "";

    std::unique_ptr<curl_slist, list_end> headers;
    auto add = [&](const std::string& line) {
      // The old head stays valid when there is no memory, and ours to free.
      if (auto* longer = curl_slist_append(headers.get(), line.c_str())) {
        static_cast<void>(headers.release());
        headers.reset(longer);
        return true;
      }
      return false;
    };
    bool complete = add("Accept: application/json") && add("Expect:");
    if (!what.body.empty())
      complete = complete && add("Content-Type: application/json");
    for (const auto& [name, value] : what.headers) {
      if (!one_line(name) || !one_line(value))
        return fail(problem::malformed, "the header " + name + " holds a control character",
                    "https.protocol");
      complete = complete && add(std::string(name).append(": ").append(value));
    }
    if (!complete)
      return fail(problem::internal, "out of memory", "https.protocol");

    const auto url = options_.server + what.path;
    curl_easy_setopt(c, CURLOPT_URL, url.c_str());
    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "https,http"); // parse_server decides
    curl_easy_setopt(c, CURLOPT_PATH_AS_IS, 1L); // a host named ".." must not become its parent
    curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers.get());
    curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, what.method.c_str());
    if (!what.body.empty()) {
      curl_easy_setopt(c, CURLOPT_POSTFIELDS, what.body.c_str());
      curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(what.body.size()));
      curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, what.method.c_str());
    } else if (what.method == "POST") {
      curl_easy_setopt(c, CURLOPT_POSTFIELDS, "");
      curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE, 0L);
    }
    curl_easy_setopt(c, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, options_.insecure ? 0L : 1L);
    curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, options_.insecure ? 0L : 2L);
    if (!options_.ca_file.empty()) {
      curl_easy_setopt(c, CURLOPT_CAINFO, options_.ca_file.c_str());
      curl_easy_setopt(c, CURLOPT_CAPATH, nullptr); // that file and nothing else
    }
    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS,
                     static_cast<long>(options_.connect_timeout.count()));
    curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, static_cast<long>(options_.timeout.count()));
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_data);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, &into);
    curl_easy_setopt(c, CURLOPT_ERRORBUFFER, text);
    curl_easy_setopt(c, CURLOPT_USERAGENT, "outband");

    const auto code = curl_easy_perform(c);
    if (into.exceeded)
      return fail(problem::too_large,
                  "the answer is larger than " + std::to_string(options_.max_body) + " octets",
                  "https.too-large");
    if (code != CURLE_OK)
      return failed(code, text);
    long status = 0;
    const char* type = nullptr;
    curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(c, CURLINFO_CONTENT_TYPE, &type);
    got.status = static_cast<int>(status);
    if (type)
      got.content_type = type;
    return got;
  }

private:
  static failure failed(CURLcode code, const char* text) {
    const std::string detail = *text ? text : curl_easy_strerror(code);
    switch (code) {
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
      return fail(problem::unauthenticated, detail, "https.certificate");
    case CURLE_OPERATION_TIMEDOUT:
      return fail(problem::expired, detail, "https.timeout");
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_SSL_CONNECT_ERROR:
      return fail(problem::link_down, detail, "https.connect");
    default:
      return fail(problem::device_protocol, detail, "https.protocol");
    }
  }

  const options options_;
  std::unique_ptr<CURL, handle_end> curl_;
};

} // namespace

result<server_name> parse_server(const std::string& text) {
  auto bad = [](std::string why) {
    return fail(problem::malformed, std::move(why), "server");
  };
  std::string rest = text, scheme = "https";
  if (auto at = rest.find("://"); at != std::string::npos) {
    scheme = rest.substr(0, at);
    rest = rest.substr(at + 3);
  }
  while (!rest.empty() && rest.back() == '/')
    rest.pop_back();
  if (rest.empty())
    return bad("names no host; write it as https://host:port");
  if (rest.find_first_of("/?#@") != std::string::npos || !one_line(rest) ||
      rest.find(' ') != std::string::npos)
    return bad("'" + text + "' is more than a host and a port; write it as https://host:port");
  server_name out;
  std::string port;
  if (rest.front() == '[') { // IPv6
    auto end = rest.find(']');
    if (end == std::string::npos || (end + 1 < rest.size() && rest[end + 1] != ':'))
      return bad("'" + text + "' holds an unfinished IPv6 address");
    out.host = rest.substr(1, end - 1);
    if (end + 1 < rest.size())
      port = rest.substr(end + 2);
  } else {
    auto colon = rest.find(':');
    if (colon != std::string::npos && rest.find(':', colon + 1) != std::string::npos)
      return bad("an IPv6 address needs brackets: https://[::1]:8443");
    out.host = rest.substr(0, colon);
    if (colon != std::string::npos)
      port = rest.substr(colon + 1);
  }
  if (out.host.empty())
    return bad("names no host; write it as https://host:port");
  out.port = scheme == "http" ? 80 : 443;
  if (rest.back() == ':')
    return bad("'" + text + "' ends where a port should be");
  if (!port.empty()) {
    const bool digits = port.size() <= 5 && std::all_of(port.begin(), port.end(), [](char c) {
                          return std::isdigit(static_cast<unsigned char>(c)) != 0;
                        });
    out.port = digits ? std::stoi(port) : 0;
    out.port_given = true;
    if (out.port < 1 || out.port > 65535)
      return bad("'" + port + "' is not a port, 1 to 65535");
  }
  out.loopback = out.host == "localhost" || out.host == "::1" || out.host.rfind("127.", 0) == 0;
  if (scheme == "http" && !out.loopback)
    return bad("http would send the password in clear; use https");
  if (scheme != "http" && scheme != "https")
    return bad("'" + scheme + "' is not https");
  out.url = scheme + "://" + rest;
  return out;
}

std::string encoded(const std::string& text) {
  static constexpr char hex[] = "0123456789ABCDEF";
  std::string out;
  for (char c : text) {
    const auto u = static_cast<unsigned char>(c);
    if (u < 0x80 && (std::isalnum(u) != 0 || c == '-' || c == '.' || c == '_' || c == '~')) {
      out += c;
    } else {
      out += '%';
      out += hex[u >> 4];
      out += hex[u & 15];
    }
  }
  return out;
}

result<std::unique_ptr<transport>> make_transport(options o) {
  static const bool started = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  auto* c = started ? curl_easy_init() : nullptr;
  if (!c)
    return fail(problem::internal, "libcurl cannot start", "https.protocol");
  return std::unique_ptr<transport>(std::make_unique<curl_transport>(std::move(o), c));
}

} // namespace outband::https
