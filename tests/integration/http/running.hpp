/// A server on a loopback port with a handler made for tests.
#pragma once

#include "gateway/http/server.hpp"
#include "gateway/net/io_pool.hpp"
#include "messages/rest/json.hpp"
#include "tests/support/certs.hpp"
#include "tests/support/https_client.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <future>
#include <mutex>
#include <thread>

namespace outband::test {

inline const certificate_authority& authority() {
  static const certificate_authority ca;
  return ca;
}

struct running {
  net::io_pool pool{2};
  web::server_options options;
  web::handler handler;
  std::vector<web::ws_route> upgrades;
  std::unique_ptr<web::server> server;
  std::mutex mutex;
  std::vector<web::responder> kept;
  std::vector<std::thread> threads;
  bool over = false;         ///< nobody answers any more
  std::atomic<int> parts{0}; ///< that were asked for

  running() {
    auto own = authority().issue_server();
    auto tls = net::tls_context::make(net::tls_profile::https, own.certificate_pem, own.key_pem);
    REQUIRE(tls.ok());
    options.tls = *tls;
    options.bind = "127.0.0.1";
    options.port = 0;
    handler = [this](web::request q, web::responder r) {
      serve(std::move(q), std::move(r));
    };
  }
  ~running() {
    std::vector<std::thread> last;
    {
      std::lock_guard lock(mutex); // a connection may ask for its next part at this moment
      over = true;
      last.swap(threads);
    }
    for (auto& t : last)
      t.join();
    kept.clear();
    server.reset();
  }
  void start() {
    auto s = web::server::start(pool, options, handler, upgrades);
    REQUIRE(s.ok());
    server = std::move(*s);
  }
  std::uint16_t port() const { return server->port(); }
  std::string base() const {
    return (options.tls ? "https://127.0.0.1:" : "http://127.0.0.1:") + std::to_string(port());
  }
  std::unique_ptr<https_client> client() const {
    return std::make_unique<https_client>(base(), authority().certificate_pem());
  }

private:
  void serve(web::request q, web::responder r) {
    const auto& p = q.target.path;
    if (p == "/lost")
      return;
    if (p == "/throw")
      throw std::runtime_error("a defect");
    if (p == "/keep") {
      std::lock_guard lock(mutex);
      kept.push_back(std::move(r));
      return;
    }
    if (p == "/thread") {
      std::lock_guard lock(mutex);
      if (!over)
        threads.emplace_back([r = std::move(r)] { r(web::json_response(200, "\"later\"")); });
      return;
    }
    if (p == "/parts" || p == "/cut") {
      // Six parts of 1 MiB from other threads, after a first one; /cut fails at the third.
      web::response out{200, "text/plain", "first\n", {}};
      out.more = [this, n = std::make_shared<int>(0),
                  cut = p == "/cut"](std::function<void(result<std::string>)> cb) {
        const int at = ++*n;
        ++parts;
        auto part = at <= 6 ? std::string(1u << 20, static_cast<char>('a' + at)) : std::string();
        std::lock_guard lock(mutex);
        if (over)
          return;
        threads.emplace_back([cb = std::move(cb), part = std::move(part), cut, at] {
          cut&& at == 3 ? cb(fail(problem::store_unavailable)) : cb(part);
        });
      };
      return r(std::move(out));
    }
    if (p == "/big")
      return r({200, "application/octet-stream", std::string(32u << 20, 'x'), {}});
    json::object o{{"method", web::to_string(q.method)},
                   {"path", p},
                   {"body", q.body.size()},
                   {"peer", q.peer},
                   {"secure", q.secure}};
    if (const auto* h = q.header("x-echo"))
      o.push_back({"echo", *h});
    r(web::json_response(200, json::dump(o)));
  }
};

} // namespace outband::test
