/// Whoever uses a site from outside: REST over HTTPS and the bus with tickets.
///
/// Context: any thread, except that a rest_client belongs to one thread at a time.
#pragma once

#include "bus/mqtt_endpoint.hpp"
#include "messages/bus/envelope.hpp"

#include <nlohmann/json_fwd.hpp>

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace outband::https {
class transport;
}

namespace outband::e2e {

using json = nlohmann::json;

struct reply {
  int status = 0; ///< 0: no answer, `body` says why
  std::string body;
  json parsed() const;
};

/// Someone who is signed in: token, and the tenant they mean.
struct person {
  std::string name, token, tenant;
};

/// A version 7 id, as clients choose them.
uuid random_id();

using header_list = std::vector<std::pair<std::string, std::string>>;

/// One HTTPS connection to one server, kept over the calls.
class rest_client {
public:
  rest_client(const std::string& url, const std::string& ca_file);
  ~rest_client();
  reply call(const person* who, const std::string& method, const std::string& path,
             const std::string& body = {}, header_list headers = {});

private:
  std::unique_ptr<https::transport> transport_;
};

/// What a subscriber saw: the newest document per topic, and all events.
class watcher {
public:
  watcher(bus::endpoint& on, const std::string& filter);
  /// Waits until `enough` says so of what has arrived; false after test::patience.
  bool wait(const std::function<bool(const std::vector<bus::message>&)>& enough);
  std::vector<bus::message> seen() const;

private:
  /// Shared with the handler, which may be under way when the watcher goes.
  struct record {
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<bus::message> seen;
  };
  std::shared_ptr<record> record_ = std::make_shared<record>();
  bus::subscription subscription_;
};

/// Polls until `ready`; false after test::patience.
bool until(const std::function<bool()>& ready);

class people {
public:
  // -- REST
  /// On a connection of its own.
  reply call(const person* who, const std::string& method, const std::string& path,
             const std::string& body = {}, header_list headers = {}) const;
  rest_client client() const { return {https_url_, https_ca_}; }
  person sign_in(const std::string& name, const std::string& password,
                 const std::string& tenant = "demo") const;
  const person& admin() const { return admin_; }
  /// Makes an account with a role in a tenant and signs it in.
  person make_person(const std::string& name, const std::string& role,
                     const std::string& tenant) const;
  bool ready() const; ///< what /readyz says

  // -- bus
  struct ticket {
    std::string username, password, client_prefix;
  };
  ticket ticket_for(const person& who) const;
  /// Connects, and waits for it.
  std::unique_ptr<bus::mqtt_endpoint> connect(const person& who) const;
  /// Publishes a request and waits for its final answer; throws when there is none.
  static response ask(bus::endpoint& on, const person& who, const std::string& guid,
                      request_body body);
  /// The same with an id of the caller's, who may resend it. The newest answer, which may be
  /// `accepted` only; none if the broker or the server did not answer within `patience`.
  static std::optional<response> ask(bus::endpoint& on, const person& who, const std::string& guid,
                                     const uuid& id, request_body body,
                                     std::chrono::milliseconds patience);

  const std::string& https_url() const { return https_url_; }
  const std::string& https_ca() const { return https_ca_; }
  const std::string& bus_ca() const { return bus_ca_; }
  std::uint16_t people_port() const { return people_port_; }

protected:
  people() = default;
  void talk_to(std::uint16_t https_port) {
    https_url_ = "https://localhost:" + std::to_string(https_port);
  }

  std::string https_url_, https_ca_, bus_ca_;
  std::uint16_t people_port_ = 0;
  person admin_;
};

} // namespace outband::e2e
