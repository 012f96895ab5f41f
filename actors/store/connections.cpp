#include "actors/store/connections.hpp"
#include <algorithm>

#include <boost/asio/post.hpp>

#include <pthread.h>

namespace outband::store {

namespace {

const char channel_name[] = "outband_outbox";
const statement listen{"listen_outbox", "listen outband_outbox"};
// Finished commands only; an open one is never removed. Both run when the connection is idle.
const statement prune_commands{"prune_commands", R"(
delete from command where (tenant, id) in (
  select tenant, id from command
  where status <> 'accepted' and updated_at < now_ms() - $1::bigint limit 10000))"};

constexpr std::chrono::hours prune_every{1};

std::size_t index(lane where) {
  return static_cast<std::size_t>(where);
}

steps_ptr one(const statement& what, params with) {
  return std::make_shared<const std::vector<step>>(1, step{&what, std::move(with)});
}

std::string random_token() {
  std::random_device device;
  static const char hex[] = "0123456789abcdef";
  std::string out;
  for (int i = 0; i < 16; ++i)
    out.push_back(hex[device() & 15]);
  return out;
}

} // namespace

connections::connections(pg_options options)
    : options_(std::move(options)), token_(options_.instance + "/" + random_token()) {
  for (auto where : {lane::durable, lane::relaxed, lane::asked})
    lanes_[index(where)] = std::make_shared<pipeline>(io_, options_for(where));
  thread_ = std::thread([this] {
    for (auto& l : lanes_)
      l->start();
    for (bool running = true; running;) {
      try {
        io_.run();
        running = false;
      } catch (const std::exception& e) {
        // A defect of some callback must not end the thread on which all others depend.
        if (options_.log)
          options_.log(std::string("a callback of the store threw: ") + e.what());
      }
    }
  });
  pthread_setname_np(thread_.native_handle(), "outband-store");
}

connections::~connections() {
  boost::asio::post(io_, [this] {
    closing_ = true;
    prune_timer_.cancel();
    for (auto& l : lanes_)
      l->close();
    guard_.reset();
  });
  thread_.join();
}

pipeline_options connections::options_for(lane where) {
  pipeline_options o;
  o.dsn = options_.dsn;
  constexpr const char* names[lane_count] = {" durable", " relaxed", " asked"};
  o.application = "outbandd " + options_.instance + names[index(where)];
  o.durable = where == lane::durable;
  o.plans_once = where != lane::asked;
  o.window = options_.window;
  o.deadline = options_.deadline;
  o.max_backoff = options_.max_backoff;
  if (options_.log)
    o.log = [this](const std::string& line) {
      options_.log(line);
    };
  o.on_ready = [this, where] {
    ready(where);
  };
  o.on_lost = [this, where] {
    std::lock_guard<std::mutex> lock(mutex_);
    up_[index(where)] = false;
  };
  o.on_timeout = [this] {
    ++counters_.timeouts;
  };
  o.on_notify = [this](std::string_view channel, std::string_view payload) {
    if (channel == channel_name && payload != token_)
      wake();
  };
  return o;
}

void connections::ready(lane where) {
  ++counters_.connects;
  ++counters_.lanes[index(where)].connects;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    up_[index(where)] = true;
    changed_.notify_all();
  }
  // Back-offs differ: without this a node would answer one request and refuse the next for seconds.
  for (auto& l : lanes_)
    l->start();
  if (where == lane::relaxed)
    return prune_later();
  if (where == lane::asked)
    return;
  // Notifications are not stored: whatever came while we were away is found by looking once the
  // new LISTEN is in force.
  lanes_[index(where)]->submit(one(listen, {}), false, [this](reply) { wake(); });
}

void connections::prune_later() {
  if (closing_)
    return;
  prune_timer_.expires_after(prune_every);
  prune_timer_.async_wait([this](boost::system::error_code ec) {
    if (!ec)
      prune();
  });
}

void connections::prune() {
  params p;
  p.number(std::chrono::duration_cast<std::chrono::milliseconds>(options_.keep_commands).count());
  send(lane::relaxed, one(prune_commands, std::move(p)), true, true,
       [this](reply) { prune_later(); });
}

bool connections::wait_connected(std::chrono::milliseconds deadline) {
  std::unique_lock<std::mutex> lock(mutex_);
  return changed_.wait_for(lock, deadline, [this] {
    return std::all_of(up_.begin(), up_.end(), [](bool up) { return up; });
  });
}

void connections::post(std::function<void()> what) {
  boost::asio::post(io_, std::move(what));
}

void connections::on_added(std::function<void()> wake) {
  std::lock_guard<std::mutex> lock(mutex_);
  wake_ = std::move(wake);
}

void connections::wake() {
  std::function<void()> call;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    call = wake_;
  }
  if (call)
    call();
}

void connections::settle(lane where, clock::time_point since, reply r, const reply_callback& done) {
  --counters_.queued;
  auto& mine = counters_.lanes[index(where)];
  --mine.queued;
  mine.took.add(clock::now() - since);
  if (std::holds_alternative<reply_error>(r))
    ++counters_.failures;
  done(std::move(r));
}

void connections::submit(lane where, std::vector<step> steps, bool writes, reply_callback done) {
  // Counted here and not on the thread, lest callers fill memory faster than it empties.
  auto& queued = counters_.lanes[index(where)].queued;
  if (queued.fetch_add(1) >= options_.max_queued) {
    --queued;
    ++counters_.refused_busy;
    return boost::asio::post(io_, [done = std::move(done)] {
      done(reply_error{fail(problem::busy, "too many requests to the database are waiting")});
    });
  }
  ++counters_.queued;
  auto kept = std::make_shared<const std::vector<step>>(std::move(steps));
  boost::asio::post(io_, [this, where, since = clock::now(), kept = std::move(kept), writes,
                          done = std::move(done)]() mutable {
    send(where, std::move(kept), writes, false,
         [this, where, since, done = std::move(done)](reply r) {
           settle(where, since, std::move(r), done);
         });
  });
}

/// What only looks may take another connection while its own is on the way back. Not what looks in
/// `durable`: that asks whether wishes can be stored, or how the write before it ended.
pipeline& connections::one_for(lane where, bool writes) {
  auto& own = *lanes_[index(where)];
  if (own.serves() || writes || where == lane::durable)
    return own;
  auto other = std::find_if(lanes_.begin(), lanes_.end(), [](auto& l) { return l->serves(); });
  return other == lanes_.end() ? own : **other;
}

void connections::send(lane where, steps_ptr steps, bool writes, bool last_try,
                       reply_callback done) {
  ++counters_.statements;
  ++counters_.lanes[index(where)].statements;
  auto& to = one_for(where, writes);
  if (last_try || !writes)
    return to.submit(std::move(steps), writes, std::move(done));
  to.submit(steps, writes, [this, where, again = steps, done = std::move(done)](reply r) mutable {
    auto* e = std::get_if<reply_error>(&r);
    if (e && (e->sqlstate == "40001" || e->sqlstate == "40P01")) {
      ++counters_.lanes[index(where)].retries;
      return send(where, std::move(again), true, true, std::move(done));
    }
    done(std::move(r));
  });
}

database::database(pg_options options)
    : inside_(std::make_unique<connections>(std::move(options))) {}
database::~database() = default;

bool database::wait_connected(std::chrono::milliseconds deadline) {
  return inside_->wait_connected(deadline);
}

const database_counters& database::counters() const {
  return inside_->counters();
}

} // namespace outband::store
