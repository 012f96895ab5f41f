// Connecting, losing the connection, connecting again.
#include "actors/store/pipeline.hpp"

#include <boost/asio/error.hpp>

#include <algorithm>

namespace outband::store {

namespace {

constexpr std::chrono::seconds connect_limit{10};

std::string first_line(const char* text) {
  std::string line(text ? text : "");
  line.resize(std::min(line.find('\n'), line.size()));
  return line;
}

} // namespace

result<std::vector<std::pair<std::string, std::string>>>
connection_parameters(const std::string& dsn, const std::string& application, bool durable,
                      std::chrono::milliseconds statement_timeout, bool plans_once) {
  char* message = nullptr;
  auto* parsed = PQconninfoParse(dsn.c_str(), &message);
  if (!parsed) {
    auto why = first_line(message);
    PQfreemem(message);
    return fail(problem::malformed, why, "store.dsn");
  }
  std::map<std::string, std::string> out{
      {"application_name", application},
      // A server that vanished without a word is noticed within about a minute, also when idle.
      {"keepalives_idle", "30"},
      {"keepalives_interval", "10"},
      {"keepalives_count", "3"},
  };
  for (auto* p = parsed; p->keyword; ++p)
    if (p->val)
      out[p->keyword] = p->val;
  PQconninfoFree(parsed);
  out["client_encoding"] = "UTF8";
  auto& session = out["options"];
  // Later ones win, so that the caller's own settings stay unless they would break ours.
  session += std::string(session.empty() ? "" : " ") +
             "-c synchronous_commit=" + (durable ? "on" : "off") +
             " -c statement_timeout=" + std::to_string(statement_timeout.count()) +
             " -c idle_in_transaction_session_timeout=60000 -c bytea_output=hex"
             // Every statement has its index. A plan made while a table was still small would
             // otherwise read all of it, and is kept until the next ANALYZE.
             " -c enable_seqscan=off -c jit=off"
             " -c default_transaction_isolation=read\\ committed";
  if (plans_once)
    session += " -c plan_cache_mode=force_generic_plan";
  return std::vector<std::pair<std::string, std::string>>(out.begin(), out.end());
}

void pipeline::start() {
  if (state_ == state::idle)
    connect();
}

void pipeline::connect() {
  if (state_ == state::closed)
    return;
  ++life_;
  state_ = state::connecting;
  auto limit =
      std::max<std::chrono::milliseconds>(options_.deadline / 10 * 9, std::chrono::milliseconds(1));
  auto parameters = connection_parameters(options_.dsn, options_.application, options_.durable,
                                          limit, options_.plans_once);
  if (!parameters)
    return lost(to_string(parameters.error()));
  std::vector<const char*> keys, values;
  for (const auto& [key, value] : *parameters) {
    keys.push_back(key.c_str());
    values.push_back(value.c_str());
  }
  keys.push_back(nullptr);
  values.push_back(nullptr);
  conn_ = PQconnectStartParams(keys.data(), values.data(), 0);
  if (!conn_)
    return lost("out of memory");
  if (PQstatus(conn_) == CONNECTION_BAD)
    return lost(first_line(PQerrorMessage(conn_)));
  PQsetNoticeProcessor(
      conn_, [](void*, const char*) {}, nullptr);
  retry_timer_.expires_after(connect_limit);
  retry_timer_.async_wait([me = weak_from_this(), life = life_](boost::system::error_code ec) {
    auto self = me.lock();
    if (self && !ec && self->life_ == life && self->state_ == state::connecting)
      self->lost("no connection within 10 s");
  });
  wait_connect(PGRES_POLLING_WRITING);
}

void pipeline::wait_connect(PostgresPollingStatusType want) {
  boost::system::error_code ec;
  socket_.assign(PQsocket(conn_), ec);
  if (ec)
    return lost(ec.message());
  socket_.async_wait(want == PGRES_POLLING_READING
                         ? boost::asio::posix::descriptor_base::wait_read
                         : boost::asio::posix::descriptor_base::wait_write,
                     [me = weak_from_this(), life = life_](boost::system::error_code waited) {
                       auto self = me.lock();
                       if (!self || self->life_ != life)
                         return;
                       if (waited)
                         return self->lost(waited.message());
                       self->connect_step();
                     });
}

void pipeline::connect_step() {
  // libpq may close the socket and open another one (next address, TLS refused): Asio must have
  // let go of it before.
  socket_.release();
  switch (auto next = PQconnectPoll(conn_)) {
  case PGRES_POLLING_READING:
  case PGRES_POLLING_WRITING:
    return wait_connect(next);
  case PGRES_POLLING_OK:
    return connected();
  case PGRES_POLLING_FAILED:
  case PGRES_POLLING_ACTIVE:
    return lost(first_line(PQerrorMessage(conn_)));
  }
}

void pipeline::connected() {
  boost::system::error_code ec;
  socket_.assign(PQsocket(conn_), ec);
  if (ec)
    return lost(ec.message());
  if (PQsetnonblocking(conn_, 1) != 0 || PQenterPipelineMode(conn_) != 1)
    return lost(first_line(PQerrorMessage(conn_)));
  retry_timer_.cancel();
  state_ = state::ready;
  attempts_ = 0;
  prepared_.clear();
  flushing_ = false;
  if (options_.log && (outage_logged_ || !ever_connected_))
    options_.log(options_.application + ": connected to the database");
  outage_logged_ = false;
  ever_connected_ = true;
  wait_read();
  if (options_.on_ready)
    options_.on_ready();
}

void pipeline::drop_connection() {
  ++life_;
  if (socket_.is_open())
    socket_.release(); // libpq closes it
  if (conn_)
    PQfinish(conn_);
  conn_ = nullptr;
}

void pipeline::lost(const std::string& why) {
  if (state_ == state::closed)
    return;
  drop_connection();
  if (state_ == state::ready && options_.on_lost)
    options_.on_lost();
  state_ = state::idle;
  last_error_ = why.empty() ? "the connection was closed" : why;
  if (!outage_logged_ && options_.log)
    options_.log(options_.application + ": database not reachable: " + last_error_);
  outage_logged_ = true;

  // Full jitter: nodes that lost the same database do not return in step.
  auto ceiling = std::min<std::chrono::milliseconds>(
      options_.max_backoff, std::chrono::milliseconds(100) * (1u << std::min(attempts_, 10u)));
  ++attempts_;
  std::uniform_int_distribution<std::int64_t> delay(0, ceiling.count());
  retry_timer_.expires_after(std::chrono::milliseconds(delay(random_)));
  retry_timer_.async_wait([me = weak_from_this(), life = life_](boost::system::error_code ec) {
    auto self = me.lock();
    if (self && !ec && self->life_ == life)
      self->connect();
  });
  auto sent = std::move(in_flight_);
  auto queued = std::move(waiting_);
  in_flight_.clear();
  waiting_.clear();
  answer_all(std::move(sent), {fail(problem::outcome_unknown, last_error_)});
  answer_all(std::move(queued), {fail(problem::store_unavailable, last_error_)});
}

void pipeline::close() {
  if (state_ == state::closed)
    return;
  state_ = state::closed;
  retry_timer_.cancel();
  deadline_timer_.cancel();
  drop_connection();
  last_error_ = "this node is shutting down";
  auto sent = std::move(in_flight_);
  auto queued = std::move(waiting_);
  in_flight_.clear();
  waiting_.clear();
  answer_all(std::move(sent), {fail(problem::outcome_unknown, last_error_)});
  answer_all(std::move(queued), {fail(problem::store_unavailable, last_error_)});
}

} // namespace outband::store
