/// One PostgreSQL connection in libpq's pipeline mode, on an Asio executor, that comes back by
/// itself.
///
/// A unit is one transaction: one or more prepared statements and a PQpipelineSync, so that an
/// error stays with its unit. At most `window` units are at the server; the rest wait here, where
/// it is certain that nothing was written when the connection breaks. Answers:
/// - not connected: store_unavailable at once;
/// - sent, then the connection broke or the deadline passed: outcome_unknown for a writing unit,
///   store_unavailable for a reading one;
/// - a text with a zero octet: malformed, before anything is sent.
/// Every callback runs exactly once; on close() the rest is answered.
///
/// Context: one thread, the executor's. Host names in the connection string are looked up by libpq
/// itself, blocking this thread; use an address or a fast resolver.
#pragma once

#include "actors/store/values.hpp"
#include "messages/domain/result.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <variant>
#include <vector>

namespace outband::store {

/// Of static life time. Prepared under its name when first used on a connection.
struct statement {
  std::string name;
  std::string sql;
};
struct step {
  const statement* what;
  params with;
};

using steps_ptr = std::shared_ptr<const std::vector<step>>; ///< kept for another try

struct reply_error {
  failure what;
  std::string sqlstate{};   ///< empty: not from the server
  std::string constraint{}; ///< that was violated
};
using reply = std::variant<std::vector<rows>, reply_error>; ///< one `rows` per step
using reply_callback = std::function<void(reply)>;

struct pipeline_options {
  std::string dsn;
  std::string application; ///< pg_stat_activity.application_name
  bool durable = true;     ///< synchronous_commit
  /// Plans are made once for all values. What machines cause is the same few statements with arrays
  /// of varying length, which PostgreSQL would else plan each time anew.
  bool plans_once = false;
  std::size_t window = 128;
  std::chrono::milliseconds deadline{10'000};
  std::chrono::milliseconds max_backoff{5'000};
  std::function<void(const std::string&)> log;
  std::function<void()> on_ready; ///< connected (again)
  std::function<void()> on_lost;
  std::function<void()> on_timeout;
  std::function<void(std::string_view channel, std::string_view payload)> on_notify;
};

class pipeline : public std::enable_shared_from_this<pipeline> {
public:
  pipeline(boost::asio::io_context& io, pipeline_options options);
  ~pipeline();

  /// Connects now, unless it is connected or about to be; a back-off ends with it.
  void start();
  void close();
  bool serves() const { return state_ == state::ready; }
  void submit(steps_ptr steps, bool writes, reply_callback done);

private:
  enum class state : std::uint8_t { idle, connecting, ready, closed };
  using clock = std::chrono::steady_clock;
  struct unit {
    steps_ptr steps;
    bool writes = true;
    reply_callback done;
    clock::time_point deadline;
    /// One per result that will come: the statement that it prepares, null for an execution.
    std::vector<const statement*> expected;
    std::size_t seen = 0;
    std::size_t failed_at = 0; ///< index in `expected`; only with `error`
    std::vector<rows> got;
    std::optional<reply_error> error;
    bool final_error = false; ///< the server rolled it back; the end of the connection adds nothing
  };

  void connect();
  void connect_step();
  void wait_connect(PostgresPollingStatusType want);
  void connected();
  /// Ends the connection (or the attempt), plans the next one, answers everything.
  void lost(const std::string& why);
  void drop_connection();

  void pump();
  bool send(unit& u);
  void flush();
  void wait_read();
  void drain();
  void take(PGresult* r);
  void finish_head();
  void watch_deadline();
  static void answer_all(std::deque<unit> units, const reply_error& with);
  static void answer(reply_callback& done, reply with);

  boost::asio::io_context& io_;
  pipeline_options options_;
  PGconn* conn_ = nullptr;
  boost::asio::posix::stream_descriptor socket_;
  boost::asio::steady_timer retry_timer_; ///< back-off, or the limit of a connection attempt
  boost::asio::steady_timer deadline_timer_;
  bool deadline_armed_ = false;
  state state_ = state::idle;
  std::uint64_t life_ = 0; ///< handlers of a former connection compare it and do nothing
  unsigned attempts_ = 0;
  bool outage_logged_ = false;
  bool flushing_ = false;
  std::string last_error_ = "not connected yet";
  std::set<std::string> prepared_;
  std::deque<unit> in_flight_;
  std::deque<unit> waiting_;
  std::minstd_rand random_;
  bool ever_connected_ = false;
};

/// The session's settings merged into the connection string. `malformed` with libpq's words.
result<std::vector<std::pair<std::string, std::string>>>
connection_parameters(const std::string& dsn, const std::string& application, bool durable,
                      std::chrono::milliseconds statement_timeout, bool plans_once = false);

} // namespace outband::store
