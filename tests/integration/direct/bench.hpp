/// The real dialer, a registry that is a table, and CIRA's fake terminator to hear what came of it.
#pragma once

#include "lan_machine.hpp"

#include "actors/ports/direct.hpp"
#include "gateway/direct/dialer.hpp"
#include "gateway/net/io_pool.hpp"
#include "tests/integration/cira/site.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <unordered_map>

namespace outband::test {

inline const device_ref direct_ref{"acme", *parse_uuid(guid_of_machine)};

/// Answers at once; remembers.
class direct_registry final : public direct_port {
public:
  struct trouble_event {
    direct_trouble what;
    std::string text;
  };

  void prepare(device_ref ref, answer<direct_target> cb) override {
    result<direct_target> out = fail(problem::not_found, "calls home");
    {
      const std::lock_guard lock{mutex_};
      ++prepared;
      changed_.notify_all();
      if (failing)
        out = fail(*failing);
      else if (const auto at = rows.find(ref); at != rows.end())
        out = at->second;
    }
    cb(std::move(out));
  }
  void admit(const direct_target& who, std::string peer, answer<admission> cb) override {
    admission a;
    a.ref = who.ref;
    a.amt_username = who.amt_username;
    a.amt_password = who.amt_password;
    {
      const std::lock_guard lock{mutex_};
      a.epoch = ++epoch;
      peers.push_back(std::move(peer));
      if (holding) {
        held = [cb = std::move(cb), a] {
          cb(a);
        };
        changed_.notify_all();
        return;
      }
    }
    cb(a);
  }
  void pin(device_ref ref, std::string sha256, answer<bool> cb) override {
    bool first = false;
    {
      const std::lock_guard lock{mutex_};
      auto& pins = rows[ref].how.pins;
      first = pins.empty();
      if (first)
        pins = {sha256};
      changed_.notify_all();
    }
    cb(first);
  }
  void trouble(const device_ref&, direct_trouble what, std::string text) override {
    const std::lock_guard lock{mutex_};
    troubles.push_back({what, std::move(text)});
    changed_.notify_all();
  }

  template <class F> bool wait(F holds) {
    std::unique_lock lock{mutex_};
    return changed_.wait_for(lock, std::chrono::seconds{20}, [&] { return holds(*this); });
  }
  /// The next trouble after `n` others.
  trouble_event trouble_after(std::size_t n) {
    REQUIRE(wait([&](auto& r) { return r.troubles.size() > n; }));
    const std::lock_guard lock{mutex_};
    return troubles[n];
  }
  template <class F> auto locked(F f) {
    const std::lock_guard lock{mutex_};
    return f(*this);
  }

  // Guarded by mutex_; read them inside wait() or locked().
  std::unordered_map<device_ref, direct_target> rows;
  std::optional<problem> failing;
  bool holding = false;
  std::function<void()> held;
  int prepared = 0;
  link_epoch epoch = 0;
  std::vector<std::string> peers;
  std::vector<trouble_event> troubles;

private:
  std::mutex mutex_;
  std::condition_variable changed_;
};

/// Loopback, and no patience.
inline direct::options quick_direct() {
  direct::options o;
  o.allow_own = true;
  o.first_pause = std::chrono::milliseconds{1};
  o.longest_pause = std::chrono::milliseconds{5};
  o.late_look = std::chrono::milliseconds{1};
  o.hold_again = std::chrono::milliseconds{1};
  return o;
}

struct direct_bench {
  explicit direct_bench(direct::options o = quick_direct()) {
    auto made = direct::dialer::make(pool, terminator, registry, std::move(o));
    REQUIRE(made.ok());
    dialer = std::move(*made);
  }
  ~direct_bench() {
    CHECK(dialer->stop(std::chrono::seconds{20}));
    dialer.reset();
    pool.stop();
  }

  direct_target target_of(const lan_machine& m, bool tls = false) const {
    direct_target t;
    t.ref = direct_ref;
    t.how.host = "127.0.0.1";
    t.how.port = m.port();
    t.how.tls = tls;
    if (tls)
      t.how.pins = {m.fingerprint()};
    t.amt_username = "admin";
    t.amt_password = secret_text{"P@ss"};
    return t;
  }
  void store(direct_target t) {
    registry.locked([&](auto& r) {
      r.rows[t.ref] = t;
      return 0;
    });
  }
  void begin(direct_target t) {
    store(t);
    dialer->look_at(t.ref);
  }
  void begin(const lan_machine& m, bool tls = false) { begin(target_of(m, tls)); }
  std::shared_ptr<amt_link_port> link(std::size_t index = 0) { return terminator.link(index); }
  fake_terminator::down_event down(std::size_t index = 0) {
    fake_terminator::down_event out{};
    REQUIRE(terminator.wait([&](auto& t) {
      if (t.downs.size() <= index)
        return false;
      out = t.downs[index];
      return true;
    }));
    return out;
  }

  log_capture log;
  fake_terminator terminator;
  direct_registry registry;
  net::io_pool pool{2};
  std::unique_ptr<direct::dialer> dialer;
};

} // namespace outband::test
