#include "tools/cli/bus_link.hpp"

#include "bus/mqtt_endpoint.hpp"
#include "tools/cli/outcome.hpp"

#include <atomic>
#include <cstdlib>
#include <mutex>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <thread>
#include <unistd.h>

namespace outband::cli {

namespace {

/// Paho takes roots as a file only.
class temporary_file {
public:
  explicit temporary_file(const std::string& text) {
    const char* folder = std::getenv("TMPDIR");
    path_ = std::string(folder && *folder ? folder : "/tmp") + "/outband-ca-XXXXXX";
    const int fd = ::mkstemp(path_.data()); // mode 0600
    good_ = fd >= 0 && ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
    if (fd >= 0)
      ::close(fd);
  }
  ~temporary_file() { ::unlink(path_.c_str()); }
  temporary_file(const temporary_file&) = delete;
  temporary_file& operator=(const temporary_file&) = delete;
  bool good() const { return good_; }
  const std::string& path() const { return path_; }

private:
  std::string path_;
  bool good_ = false;
};

/// Asks for tickets on a thread of its own, for asking blocks and the endpoint's thread must not.
class ticket_clerk {
public:
  ticket_clerk(bus_ticket first, ticket_source next)
      : held_(std::move(first)), next_(std::move(next)) {}
  ~ticket_clerk() {
    for (auto& t : asking_) {
      // What an asking thread holds last may be what holds this; it is at its end then.
      if (t.get_id() == std::this_thread::get_id())
        t.detach();
      else
        t.join();
    }
  }
  ticket_clerk(const ticket_clerk&) = delete;
  ticket_clerk& operator=(const ticket_clerk&) = delete;

  void ask(std::function<void(result<bus::credentials>)> tell) {
    std::lock_guard lock(mutex_);
    // Both connections of the endpoint ask at the start; the first ticket serves both.
    if (fresh_ > 0) {
      --fresh_;
      return tell(bus::credentials{held_.username, held_.password});
    }
    if (asking_.size() > 8) { // what has ended long ago
      asking_.front().join();
      asking_.erase(asking_.begin());
    }
    asking_.emplace_back([this, tell = std::move(tell)] {
      std::lock_guard one_at_a_time(asking_mutex_);
      auto t = next_();
      if (t)
        tell(bus::credentials{t->username, t->password});
      else
        tell(t.error());
    });
  }

private:
  std::mutex mutex_, asking_mutex_;
  bus_ticket held_;
  int fresh_ = 2;
  ticket_source next_;
  std::vector<std::thread> asking_;
};

std::string system_roots() {
  if (const char* given = std::getenv(X509_get_default_cert_file_env()); given && *given)
    return given;
  for (const char* usual :
       {"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"})
    if (::access(usual, R_OK) == 0)
      return usual;
  return X509_get_default_cert_file();
}

std::string random_hex() {
  unsigned char octets[6] = {};
  if (RAND_bytes(octets, sizeof octets) != 1)
    std::abort(); // without random numbers there was no TLS before either
  static constexpr char hex[] = "0123456789abcdef";
  std::string out;
  for (auto o : octets) {
    out += hex[o >> 4];
    out += hex[o & 15];
  }
  return out;
}

} // namespace

broker_address broker_of(const bus_ticket& t, const https::server_name& rest,
                         const std::string& said) {
  constexpr int mqtt_over_tls = 8883;
  if (auto parsed = https::parse_server(said); !said.empty() && parsed)
    return {parsed->host, parsed->port_given ? parsed->port : mqtt_over_tls};
  broker_address out{t.mqtt_host.empty() ? rest.host : t.mqtt_host,
                     t.mqtt_port == 0 ? mqtt_over_tls : t.mqtt_port};
  auto announced = https::parse_server(out.host);
  if (announced && announced->loopback && !rest.loopback)
    out.host = rest.host;
  return out;
}

result<bus_link> open_mqtt(const bus_ticket& first, const session& as, ticket_source next) {
  auto rest = https::parse_server(as.server);
  if (!rest)
    return rest.error();
  const auto at = broker_of(first, *rest, as.broker);
  std::shared_ptr<temporary_file> roots;
  bus::mqtt_options o;
  o.host = at.host;
  o.port = static_cast<std::uint16_t>(at.port);
  if (!first.mqtt_ca.empty()) {
    roots = std::make_shared<temporary_file>(first.mqtt_ca);
    if (!roots->good())
      return fail(problem::internal, "cannot write " + roots->path());
    o.ca_file = roots->path();
  } else if (as.insecure) {
    return fail(problem::malformed,
                "The broker is never used unverified; sign in with --ca FILE instead of --insecure "
                "to watch or to wait.",
                usage_field);
  } else {
    o.ca_file = as.ca_file.empty() ? system_roots() : as.ca_file;
  }
  auto clerk = std::make_shared<ticket_clerk>(first, std::move(next));
  o.credentials = [clerk](std::function<void(result<bus::credentials>)> tell) {
    clerk->ask(std::move(tell));
  };
  o.client_id = first.client_id_prefix + "cli-" + random_hex();
  o.reconnect_base = std::chrono::milliseconds(500);
  o.reconnect_cap = std::chrono::seconds(10);
  auto endpoint = std::make_unique<bus::mqtt_endpoint>(std::move(o));
  auto* seen = endpoint.get();
  return bus_link{std::move(endpoint), at.host + ":" + std::to_string(at.port), [seen, roots] {
                    return seen->last_error();
                  }};
}

} // namespace outband::cli
