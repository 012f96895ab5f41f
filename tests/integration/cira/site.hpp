/// The real listener on a free port, with a terminator that is a table and remembers what it was
/// told.
#pragma once

#include "actors/ports/terminator.hpp"
#include "gateway/cira/listener.hpp"
#include "gateway/net/io_pool.hpp"
#include "tests/support/process.hpp"

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace outband::test {

constexpr auto guid_a = "12345678-9abc-def0-1234-56789abcdef0";
constexpr auto guid_b = "4c4c4544-004b-4210-8033-c4c04f573533";

class fake_terminator final : public terminator_port {
public:
  struct account {
    std::string user;
    std::string password;
  };
  struct up_event {
    device_ref ref;
    link_epoch epoch;
    std::string peer;
    int trigger;
    std::shared_ptr<amt_link_port> link;
  };
  struct down_event {
    device_ref ref;
    link_epoch epoch;
    link_end why;
    std::string text;
  };

  void admit(cira_login login, answer<admission> cb) override;
  void up(const admission& who, std::string peer, int trigger,
          std::shared_ptr<amt_link_port> link) override;
  void down(const device_ref& ref, link_epoch epoch, link_end why, std::string text) override;
  void late(const device_ref& ref, link_epoch epoch, bool late) override;
  void alert(const device_ref& ref, link_epoch epoch, std::string json) override;

  /// Answers of admit() are kept back until release().
  void hold();
  void release();
  void store_down(bool down);

  /// Waits until it holds; false after a deadline that only a defect reaches.
  template <class F> bool wait(F holds) {
    std::unique_lock lock{mutex_};
    return changed_.wait_for(lock, patience, [&] { return holds(*this); });
  }
  std::shared_ptr<amt_link_port> link(std::size_t index = 0);

  // Guarded by mutex_; read them inside wait().
  std::map<device_id, account> accounts;
  std::vector<cira_login> asked;
  std::vector<up_event> ups;
  std::vector<down_event> downs;
  std::vector<bool> lates;
  std::vector<std::pair<device_ref, std::string>> alerts;
  std::size_t admitted = 0;

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool holding_ = false;
  bool store_down_ = false;
  std::vector<std::function<void()>> held_;
  link_epoch next_epoch_ = 1;
};

/// Outcome of one post(), for the test's thread.
class awaited_call {
public:
  std::function<void(result<soap_answer>)> cb();
  /// Fails the test after a deadline.
  result<soap_answer> get();
  bool answered();

private:
  struct shared {
    std::mutex mutex;
    std::condition_variable changed;
    std::optional<result<soap_answer>> outcome;
    int times = 0;
  };
  std::shared_ptr<shared> shared_ = std::make_shared<shared>();
};

/// Everything that the server would log, for assertions; restores the default logger.
class log_capture {
public:
  log_capture();
  ~log_capture();
  /// Lines at warning level and above that contain all of these.
  int count(const std::vector<std::string>& parts) const;
  bool contains(const std::string& text) const;

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

/// Options for tests: any free port, loopback.
cira::options quick_options();

/// For what has no event to wait for: looks again and again until it holds.
bool eventually(const std::function<bool()>& holds);

struct site {
  explicit site(cira::options o = quick_options(), bool legacy = false);
  ~site();

  std::uint16_t port() const { return listener->ports().at(0); }
  std::uint16_t legacy_port() const { return listener->ports().at(1); }
  /// A machine that is in, with its ports announced.
  std::unique_ptr<class raw_device> good_device(const char* guid = guid_a);
  /// The server still does what it should.
  void expect_service();
  const std::string& root_pem() const;
  /// What the listener serves with.
  net::tls_context context() const;
  /// Another root and leaf from now on; gives the new root.
  std::string renew();

  log_capture log;
  fake_terminator terminator;
  net::io_pool pool{2};
  std::unique_ptr<cira::listener> listener;
};

inline std::uint64_t turned_away(const site& s, cira::turned_away why) {
  return s.listener->now().refused[static_cast<std::size_t>(why)];
}

} // namespace outband::test
