#include "gateway/cira/listener.hpp"

#include "gateway/cira/acceptor.hpp"
#include "gateway/net/io_pool.hpp"

#include <boost/asio/post.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <future>

namespace outband::cira {

namespace asio = boost::asio;

namespace {

/// Numeric addresses that are never blocked; what is not one is left to start() to refuse.
std::set<peer_address> never_block(const options& o) {
  std::set<peer_address> all;
  for (const auto& text : o.never_block) {
    boost::system::error_code ec;
    const auto address = asio::ip::make_address(text, ec);
    if (!ec)
      all.insert(address_of(endpoint{address, 0}));
  }
  return all;
}

/// Runs `f` on the context's thread and waits for it, unless that thread has ended.
template <class F> void run_on(asio::io_context& context, F f) {
  auto done = std::make_shared<std::promise<void>>();
  auto over = done->get_future();
  asio::post(context, [done, f = std::move(f)]() mutable {
    f();
    done->set_value();
  });
  while (over.wait_for(std::chrono::milliseconds{50}) != std::future_status::ready)
    if (context.stopped())
      return;
}

} // namespace

struct listener::impl {
  impl(net::io_pool& p, terminator_port& port, options o, tls_contexts c)
      : pool(p), shared(std::make_shared<hub>(o, port, std::move(c), never_block(o))) {
    for (std::size_t i = 0; i < pool.size(); ++i)
      lanes.push_back(std::make_shared<lane>(pool.at(i), shared));
  }

  net::io_pool& pool;
  std::shared_ptr<hub> shared;
  std::vector<std::shared_ptr<lane>> lanes;
  std::vector<std::shared_ptr<acceptor>> acceptors;
  std::vector<std::uint16_t> ports;
  bool stopped = false;
};

listener::listener(net::io_pool& pool, terminator_port& port, options opts, net::tls_context modern,
                   std::optional<net::tls_context> legacy)
    : impl_(std::make_unique<impl>(pool, port, std::move(opts),
                                   tls_contexts{std::move(modern), std::move(legacy)})) {}

listener::~listener() {
  stop(std::chrono::milliseconds{0});
}

status listener::start() {
  auto& me = *impl_;
  const auto& o = me.shared->opts;
  if (o.listen.empty())
    return fail(problem::malformed, "no address to listen on", "cira.listen");
  for (const auto& text : o.never_block) {
    boost::system::error_code ec;
    asio::ip::make_address(text, ec);
    if (ec)
      return fail(problem::malformed, "'" + text + "' is not a numeric address",
                  "cira.never_block");
  }
  std::vector<std::shared_ptr<acceptor>> opened;
  for (std::size_t i = 0; i < o.listen.size(); ++i) {
    const auto& where = o.listen[i];
    if (where.legacy && !me.shared->tls->legacy)
      return fail(problem::malformed, "a legacy listener needs a legacy TLS context",
                  "cira.listen");
    auto one = std::make_shared<acceptor>(me.pool.at(i), where, me.lanes);
    if (auto ok = one->open(); !ok)
      return ok;
    opened.push_back(std::move(one));
  }
  me.acceptors = std::move(opened);
  std::vector<std::weak_ptr<acceptor>> waiting{me.acceptors.begin(), me.acceptors.end()};
  me.shared->door.on_room([waiting] {
    for (const auto& weak : waiting)
      if (const auto one = weak.lock())
        one->resume();
  });
  for (const auto& one : me.acceptors) {
    me.ports.push_back(one->port());
    one->start();
    spdlog::info("cira: listening on {}{}", one->where(),
                 one->legacy() ? " for old firmware (TLS 1.0 and up)" : "");
  }
  return success();
}

std::vector<std::uint16_t> listener::ports() const {
  return impl_->ports;
}

void listener::drain(std::chrono::milliseconds window, const std::function<bool()>& enough) {
  auto& me = *impl_;
  for (const auto& one : me.acceptors)
    run_on(one->context(), [one] { one->close(); });
  for (const auto& l : me.lanes)
    run_on(l->context, [l] { l->begin_drain(); });
  auto& shared = *me.shared;
  constexpr std::chrono::milliseconds step{50};
  const auto steps = std::max<std::int64_t>(1, window / step);
  std::unique_lock hold{shared.open_mutex};
  const auto portion = shared.open / (static_cast<std::size_t>(steps) * me.lanes.size()) + 1;
  for (std::int64_t i = 0; i <= steps && shared.open > 0 && !enough(); ++i) {
    hold.unlock();
    for (const auto& l : me.lanes)
      run_on(l->context, [l, portion] { l->shut_some(portion); });
    hold.lock();
    shared.open_changed.wait_for(hold, step, [&] { return shared.open == 0; });
  }
}

bool listener::stop(std::chrono::milliseconds patience) {
  auto& me = *impl_;
  if (me.stopped)
    return true;
  me.stopped = true;
  for (const auto& one : me.acceptors)
    run_on(one->context(), [one] { one->close(); });
  // A socket accepted before that is either in its lane now or finds the lane closing.
  for (const auto& l : me.lanes)
    run_on(l->context, [l] { l->shut_all(); });
  auto& shared = *me.shared;
  const auto gone = [&] {
    return shared.open == 0;
  };
  {
    std::unique_lock hold{shared.open_mutex};
    if (shared.open_changed.wait_for(hold, patience, gone))
      return true;
  }
  for (const auto& l : me.lanes)
    run_on(l->context, [l] { l->abandon_all(); });
  const std::lock_guard hold{shared.open_mutex};
  return gone();
}

void listener::use(net::tls_context modern, std::optional<net::tls_context> legacy) {
  std::atomic_store(&impl_->shared->tls, std::make_shared<const tls_contexts>(
                                             tls_contexts{std::move(modern), std::move(legacy)}));
}

std::optional<found_tunnel> listener::find(const device_ref& ref) const {
  return impl_->shared->tunnels.find(ref);
}

listener::figures listener::now() const {
  auto& shared = *impl_->shared;
  figures f;
  {
    const std::lock_guard hold{shared.open_mutex};
    f.connections = shared.open;
  }
  f.pending = shared.door.pending();
  f.tunnels = shared.tunnels.size();
  const auto& n = shared.counts;
  f.late = n.late_now;
  f.accepted = n.accepted;
  f.admitted = n.admitted;
  f.fell_late = n.late;
  std::copy(n.refused.begin(), n.refused.end(), f.refused.begin());
  std::copy(n.ended.begin(), n.ended.end(), f.ended.begin());
  return f;
}

} // namespace outband::cira
