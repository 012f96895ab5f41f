#include "actors/store/pipeline.hpp"

#include <algorithm>
#include <cstring>

namespace outband::store {

namespace {

std::string field(const PGresult* r, int code) {
  const char* text = PQresultErrorField(r, code);
  return text ? text : "";
}

bool starts_with(const std::string& text, const char* with) {
  return text.compare(0, std::strlen(with), with) == 0;
}

/// What an error of the server means to the caller. The statement was rolled back.
problem problem_of(const std::string& sqlstate) {
  if (starts_with(sqlstate, "22")) // data exception: a bad value, an invalid octet sequence
    return problem::malformed;
  if (starts_with(sqlstate, "54")) // program limit exceeded
    return problem::too_large;
  for (const char* now : {"08", "25006", "40", "53", "55", "57", "58"})
    if (starts_with(sqlstate, now))
      return problem::store_unavailable;
  return problem::internal;
}

reply_error error_of(const PGresult* r) {
  auto state = field(r, PG_DIAG_SQLSTATE);
  auto text = field(r, PG_DIAG_MESSAGE_PRIMARY);
  if (text.empty())
    text = PQresultErrorMessage(r);
  return {fail(problem_of(state), text + (state.empty() ? "" : " (" + state + ")")), state,
          field(r, PG_DIAG_CONSTRAINT_NAME)};
}

} // namespace

pipeline::pipeline(boost::asio::io_context& io, pipeline_options options)
    : io_(io), options_(std::move(options)), socket_(io), retry_timer_(io), deadline_timer_(io),
      random_(std::random_device{}()) {}

pipeline::~pipeline() {
  close();
}

void pipeline::answer(reply_callback& done, reply with) {
  try {
    done(std::move(with));
  } catch (...) {
    // A defect of the callback's owner must not end this thread, on which all others depend.
  }
}

void pipeline::answer_all(std::deque<unit> units, const reply_error& with) {
  for (auto& u : units) {
    auto error = with;
    if (u.final_error)
      error = *u.error;
    else if (!u.writes && error.what.what == problem::outcome_unknown)
      error.what.what = problem::store_unavailable;
    answer(u.done, std::move(error));
  }
}

void pipeline::submit(steps_ptr steps, bool writes, reply_callback done) {
  for (const auto& s : *steps)
    if (s.with.has_zero_in_text())
      return answer(done, reply_error{fail(problem::malformed, "a text contains a zero octet")});
  if (state_ != state::ready)
    return answer(done, reply_error{fail(problem::store_unavailable, last_error_)});
  unit u;
  u.steps = std::move(steps);
  u.writes = writes;
  u.done = std::move(done);
  u.deadline = clock::now() + options_.deadline;
  waiting_.push_back(std::move(u));
  pump();
}

void pipeline::pump() {
  while (state_ == state::ready && !waiting_.empty() && in_flight_.size() < options_.window) {
    in_flight_.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
    if (!send(in_flight_.back()))
      return lost(PQerrorMessage(conn_));
  }
  if (state_ != state::ready)
    return;
  flush();
  watch_deadline();
}

bool pipeline::send(unit& u) {
  for (const auto& s : *u.steps) {
    if (prepared_.insert(s.what->name).second) {
      u.expected.push_back(s.what);
      if (PQsendPrepare(conn_, s.what->name.c_str(), s.what->sql.c_str(), 0, nullptr) != 1)
        return false;
    }
    const auto& items = s.with.items();
    std::vector<const char*> values;
    std::vector<int> lengths, formats;
    for (const auto& i : items) {
      values.push_back(i.null ? nullptr : i.value.c_str());
      lengths.push_back(static_cast<int>(i.value.size()));
      formats.push_back(i.binary ? 1 : 0);
    }
    u.expected.push_back(nullptr);
    if (PQsendQueryPrepared(conn_, s.what->name.c_str(), static_cast<int>(items.size()),
                            values.data(), lengths.data(), formats.data(), 0) != 1)
      return false;
  }
  return PQpipelineSync(conn_) == 1;
}

void pipeline::flush() {
  if (flushing_)
    return;
  switch (PQflush(conn_)) {
  case 0:
    return;
  case 1:
    flushing_ = true;
    socket_.async_wait(boost::asio::posix::descriptor_base::wait_write,
                       [me = weak_from_this(), life = life_](boost::system::error_code ec) {
                         auto self = me.lock();
                         if (!self || self->life_ != life)
                           return;
                         self->flushing_ = false;
                         if (ec)
                           return self->lost(ec.message());
                         self->flush();
                       });
    return;
  default:
    // What the server has already said still counts: the reader meets the end of the stream.
    return;
  }
}

void pipeline::wait_read() {
  socket_.async_wait(boost::asio::posix::descriptor_base::wait_read,
                     [me = weak_from_this(), life = life_](boost::system::error_code ec) {
                       auto self = me.lock();
                       if (!self || self->life_ != life)
                         return;
                       if (ec)
                         return self->lost(ec.message());
                       bool alive = PQconsumeInput(self->conn_) == 1;
                       self->drain(); // answers that arrived before the end are answers
                       if (self->life_ != life)
                         return;
                       if (!alive || PQstatus(self->conn_) == CONNECTION_BAD)
                         return self->lost(PQerrorMessage(self->conn_));
                       self->pump();
                       if (self->life_ == life)
                         self->wait_read();
                     });
}

/// In pipeline mode each statement yields its result and a null; after the unit's last one comes
/// PGRES_PIPELINE_SYNC, and only then it is committed. After an error the server answers
/// PGRES_PIPELINE_ABORTED until the sync.
void pipeline::drain() {
  auto life = life_;
  while (life_ == life && !in_flight_.empty() && PQisBusy(conn_) == 0) {
    auto* r = PQgetResult(conn_);
    if (r)
      take(r);
    else if (PQstatus(conn_) == CONNECTION_BAD)
      return;
  }
  if (life_ != life)
    return;
  while (auto* n = PQnotifies(conn_)) {
    if (options_.on_notify)
      options_.on_notify(n->relname, n->extra);
    PQfreemem(n);
  }
}

void pipeline::take(PGresult* r) {
  rows owned(r);
  auto& head = in_flight_.front();
  bool execution = head.seen < head.expected.size() && !head.expected[head.seen];
  switch (PQresultStatus(r)) {
  case PGRES_PIPELINE_SYNC:
    return finish_head();
  case PGRES_COMMAND_OK:
  case PGRES_TUPLES_OK:
  case PGRES_EMPTY_QUERY:
    ++head.seen;
    if (execution)
      head.got.push_back(std::move(owned));
    return;
  case PGRES_PIPELINE_ABORTED:
    ++head.seen;
    return;
  default:
    break;
  }
  head.failed_at = head.seen++;
  head.error = error_of(r);
  // FATAL ends the session, possibly after the commit: then nothing is certain.
  head.final_error = field(r, PG_DIAG_SEVERITY_NONLOCALIZED) == "ERROR";
}

void pipeline::finish_head() {
  auto u = std::move(in_flight_.front());
  in_flight_.pop_front();
  if (!u.error)
    return answer(u.done, std::move(u.got));
  auto error = std::move(*u.error);
  // Statements outlive a rollback, but a PREPARE at or after the error did not happen. Units behind
  // this one that counted on it fail with 26000, also without effect.
  for (auto i = u.failed_at; i < u.expected.size(); ++i)
    if (u.expected[i])
      prepared_.erase(u.expected[i]->name);
  if (error.sqlstate == "26000")
    error.what.what = problem::store_unavailable;
  // Since a fail-over: the primary is elsewhere now. But a primary that was set read-only stays the
  // one, and its sessions learn by themselves when it takes writes again. (PostgreSQL 14 and newer
  // say which it is.)
  const char* recovery = PQparameterStatus(conn_, "in_hot_standby");
  bool standby = error.sqlstate == "25006" && !(recovery && std::strcmp(recovery, "off") == 0);
  auto life = life_;
  answer(u.done, std::move(error));
  if (standby && life_ == life)
    lost("the database is a read-only standby");
}

void pipeline::watch_deadline() {
  if (deadline_armed_ || in_flight_.empty())
    return;
  deadline_armed_ = true;
  deadline_timer_.expires_at(in_flight_.front().deadline);
  deadline_timer_.async_wait([me = weak_from_this()](boost::system::error_code ec) {
    auto self = me.lock();
    if (!self || ec)
      return;
    self->deadline_armed_ = false;
    if (self->in_flight_.empty() || self->state_ != state::ready)
      return;
    if (self->in_flight_.front().deadline > clock::now())
      return self->watch_deadline();
    if (self->options_.on_timeout)
      self->options_.on_timeout();
    // Answers come in order, so everything behind the oldest waits for it: start anew.
    self->lost("the database did not answer in time");
  });
}

} // namespace outband::store
